"""Experiments of lesson 02: cut a trained network, keep what lies below the cut, retrain what lies above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from transferlab import viz
from transferlab.backbones import Backbone, load_backbone, random_backbone
from transferlab.course.compared import points, spread
from transferlab.course.glyph_transfer import fonts, printed_digits, sealed_task, train_on
from transferlab.data import ImageSet, Task
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.evaluation import Comparison, fit_all, open_all, paired_difference
from transferlab.evaluation.cka import linear_cka
from transferlab.transfer import FineTuning, SavedModel
from transferlab.viz import percent

FROZEN, TUNED, RANDOM = "kept and frozen", "kept and fine-tuned", "random and frozen"
_SEEN = 300  # images that CKA compares


@dataclass(frozen=True, eq=False)
class CutTrial:
    """What keeping the stages below each cut was worth on one target.

    correct : (way, stages kept) to bool (S, N), right answers of each seed on the target's test images
    groups : array (N,) or None; stages : names, bottom first; tuned : at the deepest cut, one network a seed
    """

    target: str
    correct: Mapping[tuple[str, int], np.ndarray]
    groups: np.ndarray | None
    stages: tuple[str, ...]
    labels_per_class: int
    tuned: Sequence[Backbone]
    chance: float

    @property
    def cuts(self) -> list[int]:
        return sorted({cut for _, cut in self.correct})

    @property
    def seeds(self) -> int:
        return len(self.tuned)

    @property
    def n(self) -> int:
        return next(iter(self.correct.values())).shape[1]

    def name(self, cut: int) -> str:
        """The cut by what lies below it.

        Nothing kept is training from scratch.
        """
        return self.stages[cut - 1] if cut else "nothing"

    def compare(self, a: tuple[str, int], b: tuple[str, int]) -> Comparison:
        """Accuracy of ``a`` less that of ``b``, each a way and a number of stages kept."""
        for asked in (a, b):
            if asked not in self.correct:
                known = ", ".join(f"{way} with {cut} kept" for way, cut in sorted(self.correct))
                raise UserError(f"{asked[0]} with {asked[1]} kept was not tried; choose from {known}.")
        found = paired_difference(self.correct[a], self.correct[b], self.groups)
        names = [f"{way} up to {self.name(cut)}" if cut else "from scratch" for way, cut in (a, b)]
        return replace(found, a=names[0], b=names[1])

    def points(self, a: tuple[str, int], b: tuple[str, int]) -> list[float]:
        """The same in points, for each seed."""
        return points(self.correct[a], self.correct[b])

    def best_cut(self, way: str = FROZEN) -> int:
        """Stages kept at which a way reaches most, mean over seeds."""
        return max(self.cuts, key=lambda cut: self.correct[way, cut].mean())


def letters() -> ImageSet:
    """Printed capitals of every second font for development: what the source network learns from."""
    return fonts("letters", 0)


def handwritten_digits() -> Task:
    """Digits written by hand, eight pixels wide."""
    data = load_bundled("digits")
    return sealed_task("handwritten digits", data.development, data.test)


def glimpse(per_class: int = 6) -> viz.Card:
    """Letters of the source and digits of the target, a row for each class."""
    parts = [letters(), printed_digits().draw(None, 0).train]
    picked = [part[np.isin(part.labels, range(3))] for part in parts]
    images = np.concatenate([p.images for p in picked])
    labels = np.concatenate([picked[0].labels, picked[1].labels + 3])
    names = tuple(f"source: {c}" for c in parts[0].classes[:3])
    names += tuple(f"target: {c}" for c in parts[1].classes[:3])
    return viz.examples(images, labels, names, per_class=per_class)


def train_source(seed: int, epochs: int = 15, device: str = "auto") -> SavedModel:
    """A network that was trained on the letters, from scratch."""
    return train_on(letters(), seed, epochs, device)


def cut_at(source: Backbone, kept: int | str, seed: int) -> Backbone:
    """The first ``kept`` stages of ``source`` under freshly initialised ones.

    Examples
    --------
    >>> from transferlab.course.glyph_transfer import untrained
    >>> net = untrained(0)
    >>> mixed = cut_at(net, "layer1", seed=1).tensors()
    >>> [bool((mixed[f"{name}.conv1.weight"] == net.tensors()[f"{name}.conv1.weight"]).all())
    ...  for name in ("layer1.0", "layer2.0")]
    [True, False]
    """
    return source.with_trained(kept, random_backbone(source, seed).trainable_copy(kept))


def cut_trial(
    task: Task,
    sources: Sequence[Backbone],
    *,
    cuts: Sequence[int] | None = None,
    labels_per_class: int = 20,
    epochs: int = 30,
    learning_rate: float = 2e-3,
    device: str = "auto",
    seed: int = 0,
) -> CutTrial:
    """Cut each source at every depth and retrain, each with a draw of labels and random stages of its own.

    ``cuts`` are numbers of stages kept, 0 (all is random and trains) to one fewer than there are.
    """
    stages = tuple(stage.name for stage in sources[0].stages)
    cuts = range(len(stages)) if cuts is None else cuts

    def arms(source: Backbone, own: int) -> dict:
        def retrained(backbone, frozen):
            # The fresh stages above the cut need the statistics of their own batches, as in training from scratch.
            return FineTuning(
                backbone, trainable_from=frozen, head_first=False, source_statistics=False,
                epochs=epochs, learning_rate=learning_rate, patience=None, device=device,
            )  # fmt: skip

        found = {}
        for cut in cuts:
            mixed = cut_at(source, cut, own)
            found[FROZEN, cut] = retrained(mixed, cut)
            if cut:
                found[TUNED, cut] = retrained(mixed, 0)
                found[RANDOM, cut] = retrained(random_backbone(source, own), cut)
        return found

    fits = [
        fit_all(arms(source, seed + i), task, [seed + i], labels_per_class=labels_per_class)
        for i, source in enumerate(sources)
    ]
    opened = open_all(fits, task)
    correct = {key: np.concatenate([one.correct(key) for one in opened]) for key in fits[0].runs}
    for way in (TUNED, RANDOM):  # with nothing kept the three are one
        if 0 in cuts:
            correct[way, 0] = correct[FROZEN, 0]
    deepest = [fitted.runs[TUNED, max(cuts)][0].model for fitted in fits]
    tuned = [model.backbone_.with_trained(0, model.module_.body) for model in deepest]
    chance = 1 / len(task.classes)
    return CutTrial(task.name, correct, opened[0].groups, stages, labels_per_class, tuned, chance)


def cut_card(trials: Sequence[CutTrial]) -> viz.Card:
    """Accuracy by what was kept, a panel for each target; the title compares the best cut with keeping nothing."""
    first, parts = trials[0], []
    for trial in trials:
        best = trial.best_cut()
        scratch, reached = (percent(trial.correct[FROZEN, cut].mean()) for cut in (0, best))
        kept = f"with {trial.name(best)} kept" if best == 1 else f"kept up to {trial.name(best)}"
        parts.append(
            f"{trial.target} {scratch} from scratch, at best {reached}" + (f" ({kept})" if best else "")
        )
    finding = (
        f"Frozen stages of the source: {'; '.join(parts)}; n = "
        f"{' and '.join(str(t.n) for t in trials)} test images, {first.seeds} seeds"
    )
    panels = {
        t.target: {
            way: [spread(t.correct[way, cut], t.groups) for cut in t.cuts] for way in (FROZEN, RANDOM, TUNED)
        }
        for t in trials
    }
    depths = [first.name(cut) for cut in first.cuts]
    return viz.depth_curves(panels, depths, finding, chance={t.target: t.chance for t in trials})


def representations(backbone: Backbone, images: np.ndarray) -> dict[str, np.ndarray]:
    """float32 (N, C·H·W) after every stage."""
    found, x = {}, backbone.preprocess(images)
    with torch.inference_mode():
        for place, stage in enumerate(backbone.stages):
            x = backbone.forward(x, start=place, stop=place + 1)
            found[stage.name] = x.flatten(1).numpy()
    return found


def stage_cka(a: Backbone, b: Backbone, images: np.ndarray) -> dict[str, float]:
    """CKA of each stage of ``a`` with the same stage of ``b``, on the same images."""
    one, other = (representations(net.to("cpu"), images[:_SEEN]) for net in (a, b))
    return {name: linear_cka(one[name], other[name]) for name in one}


def cka_trial(sources: Sequence[Backbone], trial: CutTrial, task: Task) -> dict[str, np.ndarray]:
    """(S, stages): each source against itself after fine-tuning, a source of another start, and a random network.

    The images are the target's test images; their labels are not asked.
    """
    images = task.test.images
    images = images[np.random.default_rng(0).permutation(len(images))]
    others = [*sources[1:], sources[0]]
    pairs = {
        "after fine-tuning": zip(sources, trial.tuned, strict=True),
        "another start": zip(sources, others, strict=True),
        "random network": ((s, random_backbone(s, 1000 + i)) for i, s in enumerate(sources)),
    }
    return {
        name: np.array([list(stage_cka(a, b, images).values()) for a, b in both])
        for name, both in pairs.items()
    }


def cka_card(found: Mapping[str, np.ndarray], trial: CutTrial) -> viz.Card:
    """CKA by stage with all seeds' range; the title names the kept stages that fine-tuning moved least and most."""
    names = trial.stages
    kept = found["after fine-tuning"][:, : max(trial.cuts)].mean(0)
    finding = (
        f"Fine-tuned after keeping all but {names[-1]}: CKA with the source is {kept.max():.2f} at "
        f"{names[int(kept.argmax())]} and {kept.min():.2f} at {names[int(kept.argmin())]}, of the stages kept "
        f"(n = {min(trial.n, _SEEN)} test images, {trial.seeds} seeds)"
    )
    panels = {
        name: {
            stage: (table[:, i].mean(), table[:, i].min(), table[:, i].max()) for i, stage in enumerate(names)
        }
        for name, table in found.items()
    }
    foot = "CKA with the source; 100 %: the same up to rotation and scale; bar: lowest to highest seed"
    return viz.dot_panels(panels, finding, foot=foot)


KEEP = ("nothing", "one or two stages", "three stages or more")
RANDOM_STAGES = (
    "they do as well at every depth",
    "they fall a little behind while few are kept, and far behind when many are",
    "they are far behind at every depth",
)


def what_to_keep(trial: CutTrial) -> str:
    """The best cut for frozen stages in words, one of ``KEEP``."""
    best = trial.best_cut()
    return KEEP[0] if best == 0 else KEEP[1] if best <= 2 else KEEP[2]


def random_story(trial: CutTrial, margin: float = 10.0) -> str:
    """How random frozen stages compare with trained ones, in words: one of ``RANDOM_STAGES``."""
    kept = [cut for cut in trial.cuts if cut]
    gaps = [np.mean(trial.points((FROZEN, cut), (RANDOM, cut))) for cut in (kept[0], kept[-1])]
    if gaps[0] > margin:
        return RANDOM_STAGES[2]
    return RANDOM_STAGES[1] if gaps[1] > margin else RANDOM_STAGES[0]


def own_trial(
    task: Task, backbone: str, *, seeds: int, epochs: int, device: str = "auto", seed: int = 0
) -> CutTrial:
    """A pretrained network cut at three depths and retrained on ``task``, with ten labels a class at most."""
    side = 32 if max(task.test.images.shape[2:]) <= 32 else 64
    net = load_backbone(backbone).with_input_size(side)
    return cut_trial(
        task, [net] * seeds, cuts=[0, 2, len(net.stages) - 1], epochs=epochs, device=device, seed=seed,
        labels_per_class=min(10, task.labels_available),
    )  # fmt: skip
