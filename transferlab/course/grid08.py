"""The grid of lesson 08: every bundled source on several targets, scored before training and measured after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from transferlab.backbones import Backbone, bundled_names, load_backbone
from transferlab.data import SealedTest, Task, draw_task
from transferlab.data.bundled import load_bundled
from transferlab.evaluation import evaluate
from transferlab.transfer import SCORES, FeatureExtraction, FineTuning, rank_sources

#: Targets, and labels a class on each, validation included.
TARGETS = {
    "faces": 10,
    "digits": 10,
    "materials": 10,
    "printed-digits": 10,
    "materials-colour": 10,
    "letters": 5,
}
#: A source and a target that share images: no score and no truth is of use there.
SEEN = {("zoo-letters", "letters")}
FROZEN, TUNED = "frozen", "fine-tuned"
SEEDS = (0, 1, 2)
_EPOCHS, _RATE = 12, 1e-3
SIDE = 32  # pixels that sources see: a quarter of the work of 64
_DIGITS = 4  # decimals that are stored


def target_task(target: str) -> Task:
    """A bundled target whose test does not announce its looks."""
    found = load_bundled(target)
    test = SealedTest(found.test, printing=False)
    return draw_task(target, found.development, None, test, None, 0, card=found.card)


def sources_of(target: str, sources: Sequence[str] | None = None) -> list[str]:
    """The bundled networks (or ``sources``) that never saw images of ``target``."""
    return [name for name in (sources or bundled_names()) if (name, target) not in SEEN]


@cache
def small(name: str) -> Backbone:
    """The source at the size that this grid is made at."""
    return load_backbone(name).with_input_size(SIDE)


class _TunedToTheEnd(FineTuning):
    """Fine-tuning that takes no validation images.

    With few labels the start often has the best validation loss. It would be kept, and fine-tuned be frozen.
    """

    def fit(self, X, y=None) -> _TunedToTheEnd:
        """Train for all epochs; the last weights are kept."""
        return super().fit(X, y)


def measure(
    target: str,
    seeds: Sequence[int] = SEEDS,
    *,
    sources: Sequence[str] | None = None,
    tuned: bool = True,
    device: str = "auto",
) -> dict:
    """Scores on the labels of each seed, and test accuracy of a frozen and of a fine-tuned source.

    Returns
    -------
    dict of plain lists: ``scores`` (name to seeds by sources, None where undefined), ``undefined`` (source to
    score to reason), ``truth`` (``"frozen"`` and, where asked for, ``"fine-tuned"`` to seeds by sources),
    ``parameters`` and ``accuracy`` of each source, ``n_test``, ``labels_per_class``, ``seconds``
    """
    task, labels = target_task(target), TARGETS[target]
    names = sources_of(target, sources)
    nets = {name: small(name) for name in names}
    rankings = [rank_sources(nets, task.draw(labels, seed), device=device, seed=seed) for seed in seeds]
    found = [{row.name: row for row in ranking.sources} for ranking in rankings]
    arms = {f"{FROZEN} {name}": FeatureExtraction(net, device=device) for name, net in nets.items()}
    if tuned:
        tune = {"epochs": _EPOCHS, "learning_rate": _RATE, "patience": None, "device": device}
        arms |= {f"{TUNED} {name}": _TunedToTheEnd(net, **tune) for name, net in nets.items()}
    opened = evaluate(arms, task, seeds, labels_per_class=labels)
    first = found[0]
    return {
        "target": target,
        "sources": names,
        "seeds": list(seeds),
        "labels_per_class": labels,
        "n_test": len(task.test),
        "classes": len(task.classes),
        "parameters": [sum(s.parameters for s in net.stages) for net in nets.values()],
        "accuracy": [first[name].accuracy for name in names],
        "scores": {
            score: [[_rounded(rows[name].scores[score]) for name in names] for rows in found] for score in SCORES
        },
        "undefined": {name: dict(first[name].reasons) for name in names if first[name].reasons},
        "truth": {
            method: [[_rounded(opened[f"{method} {name}"].per_seed[i]) for name in names] for i in range(len(seeds))]
            for method in ((FROZEN, TUNED) if tuned else (FROZEN,))
        },
        "seconds": {
            "scores": [_rounded(np.mean([rows[name].seconds for rows in found])) for name in names],
            **{m: [_rounded(opened[f"{m} {name}"].fit_seconds) for name in names] for m in ((TUNED,) if tuned else ())},
        },
    }  # fmt: skip


def grid_truth(tell: Callable[[str], object] = print) -> list[dict]:
    """Every target in turn; about four minutes of one processor core."""
    grid = []
    for target in TARGETS:
        tell(f"{target}: {len(sources_of(target))} sources, {len(SEEDS)} seeds")
        grid.append(measure(target))
    return grid


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), _DIGITS)
