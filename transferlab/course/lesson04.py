"""Experiments of lesson 04: what a frozen network is worth, wrong preprocessing, time to an accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from transferlab.backbones import Backbone, load_backbone
from transferlab.data import Task
from transferlab.evaluation import Evaluation, bootstrap_seeds_images, fit_all, open_all
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.transfer import FeatureExtraction, FromScratch, RandomFrozen, Shortcuts

#: Methods in the words of the guesses.
WORDS = {
    "statistics": "six intensity numbers",
    "pixels": "raw pixels",
    "random_frozen": "a random network, frozen",
    "scratch": "a small network from scratch",
    "feature_extraction": "the pretrained network, frozen",
}
RIVALS = tuple(WORDS.values())[:4]
ON_DIGITS = tuple(WORDS.values())[1:]
IN_COLOUR = (
    "no better than in grey",
    "better than in grey, but short of the network in grey",
    "as far as the network in grey",
)
MISTAKES = ("not divided by 255", "no mean, no std", "half the size")
ARRIVALS = (
    "the frozen network alone",
    "both, the frozen one first",
    "both, scratch first",
    "scratch alone",
    "neither",
)
_SMALL = (
    "zoo-all"  # its architecture alone is used: 130,000 numbers learn from few images faster than millions
)


def affordable(task: Task, budgets: Sequence[int]) -> list[int]:
    """The label budgets that every class can give; all labels there are where none can be given.

    Examples
    --------
    >>> from transferlab import load_task
    >>> affordable(load_task("materials"), [1, 5, 48, 500])
    [1, 5, 48]
    """
    return [k for k in budgets if k <= task.labels_available] or [task.labels_available]


def frozen_arms(backbone, device: str = "auto") -> dict[str, object]:
    """Baselines and the pretrained network, all under a head that is fitted in closed form or by L-BFGS."""
    return {
        "statistics": Shortcuts("colour", trees=100),
        "pixels": FeatureExtraction("pixels", device=device),
        "random_frozen": RandomFrozen(backbone, device=device),
        "feature_extraction": FeatureExtraction(backbone, device=device),
    }


def small_network(task: Task) -> Backbone:
    """A small residual network at 32 pixels, or at 64 where the task's images are larger."""
    side = 32 if max(task.test.images.shape[2:]) <= 32 else 64
    return load_backbone(_SMALL).with_input_size(side)


def scratch_arm(task: Task, epochs: int, device: str = "auto") -> FromScratch:
    """The small network, trained as a whole."""
    return FromScratch(
        small_network(task), epochs=epochs, batch_size=16, learning_rate=3e-3, patience=None, device=device
    )


def sweep(
    task: Task,
    arms: Mapping[str, object],
    budgets: Sequence[int],
    seeds: Sequence[int],
    *,
    scratch: FromScratch | None = None,
    scratch_budgets: Sequence[int] = (),
) -> list[Evaluation]:
    """Fit all arms with each label budget, then open the sealed test once for all of them.

    Training from scratch costs most, so that ``scratch`` is fitted with ``scratch_budgets`` alone. One
    evaluation a budget comes back, in the order of ``budgets``.
    """
    fits = []
    for k in budgets:
        added = {"scratch": scratch} if scratch is not None and k in scratch_budgets else {}
        fits.append(fit_all({**arms, **added}, task, seeds, labels_per_class=k, keep=0))
    return open_all(fits, task)


def rows(evaluations: Sequence[Evaluation]) -> list[dict]:
    """Rows as figures of :mod:`transferlab.viz` take them."""
    found = [asdict(row) for evaluation in evaluations for row in evaluation.rows]
    return [{"method": row.pop("name"), **row} for row in found]


def at(evaluations: Sequence[Evaluation], labels_per_class: int) -> Evaluation:
    """The evaluation at one label budget."""
    return next(e for e in evaluations if e.rows[0].labels_per_class == labels_per_class)


def best(evaluation: Evaluation, words: Sequence[str]) -> str:
    """Which of some methods, in the words of the guesses, is most accurate."""
    rows = [row for row in evaluation.rows if WORDS.get(row.name) in words]
    return WORDS[max(rows, key=lambda row: row.accuracy).name]


def lead(evaluation: Evaluation, name: str = "feature_extraction") -> list[float]:
    """Accuracy of one method less that of the best other one in the same seed, in points, for each seed."""
    others = np.stack([evaluation.correct(row.name).mean(1) for row in evaluation.rows if row.name != name])
    return (100 * (evaluation.correct(name).mean(1) - others.max(0))).tolist()


def least(evaluation: Evaluation) -> str:
    """The least accurate method."""
    return min(evaluation.rows, key=lambda row: row.accuracy).name


def in_colour_against(coloured: Evaluation, grey: Evaluation) -> str:
    """Which of ``IN_COLOUR`` six intensity numbers do with colour."""
    six, plain, network = (
        coloured["statistics"].accuracy, grey["statistics"].accuracy, grey["feature_extraction"].accuracy
    )  # fmt: skip
    return IN_COLOUR[0 if six <= plain else 1 if six < network else 2]


def dearest(prices: Evaluation) -> str:
    """The mistake in preprocessing that costs most where it is made in use alone."""
    return min(MISTAKES, key=lambda mistake: prices[f"{mistake}, in use alone"].accuracy)


def arrival(race: Sequence[Mapping], wanted: float) -> str:
    """Which of ``ARRIVALS`` a race of :func:`timed` ended with, by accuracy and seconds of fitting.

    Examples
    --------
    >>> frozen = {"method": "feature_extraction", "accuracy": 0.7, "fit_seconds": 1.0}
    >>> arrival([frozen, {"method": "scratch", "accuracy": 0.4, "fit_seconds": 9.0}], 0.5)
    'the frozen network alone'
    """
    times = {"feature_extraction": np.inf, "scratch": np.inf}
    for row in race:
        if row["accuracy"] >= wanted:
            times[row["method"]] = min(times[row["method"]], row["fit_seconds"])
    frozen, scratch = times.values()
    if np.isinf([frozen, scratch]).any():
        return ARRIVALS[4 if np.isinf(min(frozen, scratch)) else 0 if frozen < scratch else 3]
    return ARRIVALS[1 if frozen <= scratch else 2]


def wrong_preprocessings(backbone: Backbone) -> dict[str, Backbone]:
    """The same weights behind four steps of preprocessing; the first is their own.

    Examples
    --------
    >>> found = wrong_preprocessings(load_backbone("tiny"))
    >>> {b.weights_digest == found["as trained"].weights_digest for b in found.values()}
    {True}
    """
    p = backbone.preprocessing
    tiny_mean, tiny_std = (tuple(v / 255 for v in values) for values in (p.mean, p.std))
    changed = {
        "not divided by 255": replace(p, mean=tiny_mean, std=tiny_std),
        "no mean, no std": replace(p, mean=(0.0,) * 3, std=(1.0,) * 3),
        "half the size": replace(p, input_size=max(8, p.input_size // 2)),
    }
    return {"as trained": backbone} | {
        name: replace(backbone, preprocessing=q) for name, q in changed.items()
    }


class ServedBy(FeatureExtraction):
    """A head fitted behind ``backbone`` and used behind ``serving``: preprocessing that went wrong afterwards."""

    def __init__(self, backbone="tiny", serving="tiny", *, device: str = "auto", random_state: int = 0):
        super().__init__(backbone, device=device, random_state=random_state)
        self.serving = serving

    def _fit(self, images, codes, validation):
        super()._fit(images, codes, validation)
        self.backbone_ = load_backbone(self.serving)


def preprocessing_arms(backbone, device: str = "auto") -> dict[str, object]:
    """Right, wrong in training and use alike, and wrong in use alone."""
    right, *wrong = wrong_preprocessings(load_backbone(backbone)).items()
    arms: dict[str, object] = {right[0]: FeatureExtraction(right[1], device=device)}
    arms |= {f"{name}, always": FeatureExtraction(b, device=device) for name, b in wrong}
    return arms | {f"{name}, in use alone": ServedBy(right[1], b, device=device) for name, b in wrong}


def timed(
    task: Task, backbone, *, labels_per_class: int, epochs: Sequence[int], seeds: Sequence[int], device: str
) -> list[dict]:
    """Seconds of fitting and test accuracy, frozen and from scratch with several numbers of epochs.

    Every seed starts with an empty cache, so that the frozen network's pass over the images is counted.
    All models are scored in one look. Rows as :func:`transferlab.viz.accuracy_over_time` takes them.
    """
    fits = []
    for seed in seeds:
        models = {"feature_extraction": FeatureExtraction(backbone, cache=BoundaryCache(), device=device)}
        models |= {f"scratch {n}": scratch_arm(task, n, device) for n in epochs}
        fits.append(fit_all(models, task, [seed], labels_per_class=labels_per_class, keep=0))
    opened = open_all(fits, task)
    found = []
    for name in opened[0].probabilities:
        interval = bootstrap_seeds_images(np.concatenate([e.correct(name) for e in opened]), opened[0].groups)
        found.append({
            "method": name.split()[0],
            "fit_seconds": float(np.mean([e[name].fit_seconds for e in opened])),
            "accuracy": interval.estimate,
            "ci_low": interval.low,
            "ci_high": interval.high,
            "n_test": interval.n,
            "seeds": interval.seeds,
        })  # fmt: skip
    return found
