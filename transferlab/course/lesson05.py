"""Experiments of lesson 05: which stages to train, by what changed between source and target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from transferlab import viz
from transferlab.course.compared import points, spread
from transferlab.course.glyph_transfer import fonts, sealed_task, train_on
from transferlab.data import ImageSet, SealedTest, Task
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.evaluation import (
    Comparison,
    Fitted,
    fit_all,
    open_all,
    paired_difference,
)
from transferlab.transfer import (
    FeatureExtraction,
    SavedModel,
    SurgicalFineTuning,
    relative_gradient_norms,
)
from transferlab.viz import percent

CHANGES = ("inverted", "relabelled", "handwritten")
HEAD, EVERYTHING = "head alone", "everything"
PARTS = {
    "an early stage": ("stem", "layer1"),
    "a later stage": ("layer2", "layer3", "layer4"),
    "the head": (HEAD,),
}
APART = ("less than 10 points", "the early stage is far ahead", "the head is far ahead")


@dataclass(frozen=True, eq=False)
class DepthTrial:
    """What training each stage alone was worth on one target.

    correct : name of what trained to bool (S, N), right answers of each seed on the target's test images
    groups : array (N,) or None; labels_per_class : of the target
    fits : one a seed, with the models
    """

    change: str
    correct: Mapping[str, np.ndarray]
    groups: np.ndarray | None
    labels_per_class: int
    fits: Sequence[Fitted]

    @property
    def n(self) -> int:
        return next(iter(self.correct.values())).shape[1]

    def compare(self, a: str, b: str) -> Comparison:
        """Accuracy of ``a`` less that of ``b`` on the same images and seeds."""
        found = paired_difference(self.correct[a], self.correct[b], self.groups)
        return replace(found, a=a, b=b)

    def points(self, a: str, b: str) -> list[float]:
        """Accuracy of ``a`` less that of ``b``, in points, for each seed."""
        return points(self.correct[a], self.correct[b])

    def best_part(self) -> str:
        """Which of ``PARTS`` holds the single part that reaches most, mean over seeds."""
        reached = {part: max(self.correct[name].mean() for name in names) for part, names in PARTS.items()}
        return max(reached, key=reached.get)


def far_apart(trial: DepthTrial, margin: float = 10.0) -> str:
    """How an early stage and the head compare on a target, in words: one of ``APART``."""
    gap = float(np.mean(trial.points("layer1", HEAD)))
    return APART[0] if abs(gap) < margin else APART[1 if gap > 0 else 2]


def changed(images: ImageSet, change: str) -> ImageSet:
    """Printed digits with black and white exchanged (``"inverted"``) or each called by the next name.

    Examples
    --------
    >>> digits = load_bundled("printed-digits").test[:2]
    >>> changed(digits, "relabelled").labels.tolist(), int(changed(digits, "inverted").images.max())
    ([1, 1], 255)
    """
    if change == "inverted":
        return replace(images, images=255 - images.images)
    if change == "relabelled":
        return replace(images, labels=(images.labels + 1) % len(images.classes))
    raise UserError(f"the change {change!r} is not known; use {' or '.join(CHANGES[:2])}.")


def source_images() -> ImageSet:
    """Printed digits of every second font for development: what the source network learns from."""
    return fonts("printed-digits", 0)


def target_task(change: str) -> Task:
    """The other fonts, changed, with few labels to draw; the test has fonts of its own."""
    if change == "handwritten":
        data = load_bundled("digits")
        return sealed_task(change, data.development, data.test)
    test = changed(load_bundled("printed-digits").test, change)
    return sealed_task(change, changed(fonts("printed-digits", 1), change), test)


def train_source(seed: int, epochs: int = 15, device: str = "auto") -> SavedModel:
    """A network that was trained on the source's printed digits, from scratch."""
    return train_on(source_images(), seed, epochs, device)


def depth_trial(
    change: str,
    sources: Sequence[SavedModel],
    *,
    labels_per_class: int = 10,
    epochs: int = 30,
    device: str = "auto",
    seed: int = 0,
) -> DepthTrial:
    """Train each stage alone, the head alone, and everything, from each source with a draw of its own."""
    task = target_task(change)
    fits = [
        fit_all(_arms(source, epochs, device), task, [seed + i], labels_per_class=labels_per_class)
        for i, source in enumerate(sources)
    ]
    opened = open_all(fits, task)
    correct = {name: np.concatenate([one.correct(name) for one in opened]) for name in fits[0].runs}
    return DepthTrial(change, correct, opened[0].groups, labels_per_class, fits)


def _arms(source: SavedModel, epochs: int, device: str) -> dict:
    names = [stage.name for stage in source.backbone.stages]

    def tuned(stages):
        return SurgicalFineTuning(source, stages=stages, epochs=epochs, device=device)

    return {
        **{name: tuned([name]) for name in names},
        HEAD: FeatureExtraction(source.backbone, device=device),
        EVERYTHING: tuned([*names, "head"]),
    }


def depth_card(trials: Sequence[DepthTrial], early: str = "layer1") -> viz.Card:
    """Accuracy by what trained, a panel for each change; the title compares one early stage with the head."""
    parts = []
    for trial in trials:
        one, other = (percent(trial.correct[name].mean()) for name in (early, HEAD))
        parts.append(f"{trial.change} {one} against {other}")
    seeds = len(trials[0].fits)
    finding = (
        f"{early} alone against the {HEAD}: {', '.join(parts)} "
        f"(n = {' and '.join(dict.fromkeys(str(t.n) for t in trials))} test images, {seeds} seeds)"
    )
    panels = {t.change: {name: spread(table, t.groups) for name, table in t.correct.items()} for t in trials}
    foot = f"test accuracy with {trials[0].labels_per_class} labels a class; bar: 95 % interval"
    return viz.dot_panels(panels, finding, foot=foot, hollow=[EVERYTHING], chance=0.1)


def gradient_choice(trial: DepthTrial, sources: Sequence[SavedModel], seed: int = 0) -> list[str]:
    """The stage with the largest relative gradient norm on each seed's training images."""
    task, found = target_task(trial.change), []
    for i, source in enumerate(sources):
        norms = relative_gradient_norms(source, task.draw(trial.labels_per_class, seed + i).train)
        found.append(max(norms, key=norms.get))
    return [HEAD if name == "head" else name for name in found]


def validation_choice(trial: DepthTrial, sources: Sequence[SavedModel] = (), seed: int = 0) -> list[str]:
    """What was most accurate on each seed's validation images, among single stages and the head.

    Called as :func:`gradient_choice` is; the fits of ``trial`` hold all that it needs.
    """
    return [
        max((n for n in fitted.runs if n != EVERYTHING), key=fitted.val_accuracy.get) for fitted in trial.fits
    ]


def choice_cost(trial: DepthTrial, chosen: Sequence[str], rule: str) -> Comparison:
    """What a rule's choices reached, less training everything."""
    picked = np.stack([trial.correct[name][i] for i, name in enumerate(chosen)])
    found = paired_difference(picked, trial.correct[EVERYTHING], trial.groups)
    return replace(found, a=f"{rule} ({', '.join(chosen)})", b=EVERYTHING)


@dataclass(frozen=True, eq=False)
class Forgetting:
    """Right answers on the source's test, bool (S, N), before and after training on a target, by what trained."""

    before: np.ndarray
    after: Mapping[str, np.ndarray]
    groups: np.ndarray | None

    def lost(self, name: str) -> Comparison:
        """Accuracy before less that after, on the same images and seeds."""
        found = paired_difference(self.before, self.after[name], self.groups)
        return replace(found, a="before", b=name)

    def points(self, name: str) -> list[float]:
        """What training ``name`` cost, in points, for each seed."""
        return points(self.before, self.after[name])

    def most(self, names: Sequence[str]) -> str:
        """Which of ``names`` cost most, mean over seeds."""
        return max(names, key=lambda name: np.mean(self.points(name)))


def forgetting(trial: DepthTrial, sources: Sequence[SavedModel]) -> Forgetting:
    """What the source networks still know of their own test after training on the target."""
    test = SealedTest(load_bundled("printed-digits").test, printing=False)
    models = {("before", i): source for i, source in enumerate(sources)}
    models |= {
        (name, i): run.model for i, fitted in enumerate(trial.fits) for name, (run,) in fitted.runs.items()
    }
    scores = test.score(models)

    def correct(name):
        found = [scores.probabilities[name, i].argmax(1) == scores.truth for i in range(len(sources))]
        return np.stack(found)

    return Forgetting(correct("before"), {name: correct(name) for name in trial.correct}, scores.groups)


def forgetting_card(found: Forgetting, change: str) -> viz.Card:
    """Accuracy on the source that is lost, in points."""
    spreads = {name: found.lost(name) for name in found.after}
    lost = {name: (c.difference, c.low, c.high) for name, c in spreads.items()}
    most, least = max(lost, key=lambda n: lost[n][0]), min(lost, key=lambda n: lost[n][0])
    one = next(iter(spreads.values()))
    finding = (
        f"Learning {change} digits costs {percent(max(0, lost[least][0]), '')} to {percent(lost[most][0], '')} "
        f"points of source accuracy: least with {least}, most with {most} "
        f"(n = {one.n} test images, {one.seeds} seeds)"
    )
    return viz.dot_panels({"accuracy on the source that was lost": lost}, finding,
                          foot="before less after training on the target; bar: 95 % interval")  # fmt: skip
