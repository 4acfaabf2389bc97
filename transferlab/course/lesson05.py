"""Experiments of lesson 05: which stages to train, by what changed between source and target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from transferlab import viz
from transferlab.backbones import Architecture, Backbone, Preprocessing
from transferlab.data import ImageSet, SealedTest, Task, draw_task
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.evaluation import (
    Comparison,
    Evaluation,
    Fitted,
    bootstrap_seeds_images,
    fit_all,
    open_all,
    paired_difference,
)
from transferlab.evaluation.intervals import bootstrap_means, percentile_ends
from transferlab.transfer import (
    FeatureExtraction,
    FineTuning,
    FromScratch,
    SavedModel,
    SurgicalFineTuning,
    as_saved,
    relative_gradient_norms,
)
from transferlab.viz import percent

CHANGES = ("inverted", "relabelled", "handwritten")
HEAD, EVERYTHING = "head alone", "everything"
SIDE = 32  # pixels
_SHAPE = Architecture(
    "transferlab", "small_resnet", {"channels": [16, 16, 32, 64], "layers": [1, 1, 1, 1], "num_classes": 10}
)


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
    return _fonts(0)


def target_task(change: str) -> Task:
    """The other fonts, changed, with few labels to draw; the test has fonts of its own."""
    if change == "handwritten":
        data = load_bundled("digits")
        return draw_task(change, data.development, None, SealedTest(data.test, printing=False), None, 0)
    test = changed(load_bundled("printed-digits").test, change)
    return draw_task(change, changed(_fonts(1), change), None, SealedTest(test, printing=False), None, 0)


def _fonts(first: int) -> ImageSet:
    images = load_bundled("printed-digits").development
    return images[np.isin(images.groups, np.unique(images.groups)[first::2])]


def untrained(seed: int = 0) -> Backbone:
    """A small ResNet of five stages for printed digits, not trained yet."""
    half = (0.5,) * 3  # black is -1 and white is 1, so that exchanging them is a change of sign
    return Backbone(_SHAPE.build(seed), _SHAPE, Preprocessing(half, half, SIDE), "printed digits")


def train_source(seed: int, epochs: int = 15, device: str = "auto") -> SavedModel:
    """A network that was trained on the source's printed digits, from scratch."""
    images = source_images()
    model = FromScratch(
        untrained(seed), epochs=epochs, learning_rate=2e-3, device=device, random_state=seed
    ).fit(images)
    return as_saved(model, classes=images.classes, image_size=SIDE)


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


def said(found: Comparison, about: str = "") -> str:
    """A comparison as one sentence.

    Examples
    --------
    >>> print(said(Comparison(0.25, 0.1, 0.4, 0.001, 540, 3, "", "layer1", "head alone"), "inverted"))
    inverted: layer1 less head alone is +25 points (95 % interval +10 to +40; n = 540 images, 3 seeds)
    """
    ends = f"95 % interval {100 * found.low:+.0f} to {100 * found.high:+.0f}"
    ground = f"n = {found.n} images, {found.seeds} seed{'s' if found.seeds > 1 else ''}"
    start = f"{about}: " if about else ""
    return f"{start}{found.a} less {found.b} is {100 * found.difference:+.0f} points ({ends}; {ground})"


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
    panels = {t.change: {name: _spread(table, t.groups) for name, table in t.correct.items()} for t in trials}
    foot = f"test accuracy with {trials[0].labels_per_class} labels a class; bar: 95 % interval"
    return viz.dot_panels(panels, finding, foot=foot, hollow=[EVERYTHING], chance=0.1)


def _spread(table: np.ndarray, groups) -> tuple[float, float, float]:
    found = bootstrap_seeds_images(table, groups)
    return found.estimate, found.low, found.high


def gradient_choice(trial: DepthTrial, sources: Sequence[SavedModel], seed: int = 0) -> list[str]:
    """The stage with the largest relative gradient norm on each seed's training images."""
    task, found = target_task(trial.change), []
    for i, source in enumerate(sources):
        norms = relative_gradient_norms(source, task.draw(trial.labels_per_class, seed + i).train)
        found.append(max(norms, key=norms.get))
    return [HEAD if name == "head" else name for name in found]


def validation_choice(trial: DepthTrial) -> list[str]:
    """What was most accurate on each seed's validation images, among single stages and the head."""
    return [
        max((n for n in fitted.runs if n != EVERYTHING), key=fitted.val_accuracy.get) for fitted in trial.fits
    ]


def choice_cost(trial: DepthTrial, chosen: Sequence[str], rule: str) -> Comparison:
    """What a rule's choices reached, less training everything."""
    picked = np.stack([trial.correct[name][i] for i, name in enumerate(chosen)])
    found = paired_difference(picked, trial.correct[EVERYTHING], trial.groups)
    return replace(found, a=f"{rule} ({', '.join(chosen)})", b=EVERYTHING)


def forgetting(trial: DepthTrial, sources: Sequence[SavedModel]) -> dict[str, Comparison]:
    """Accuracy on the source's test after training on the target, less that before, for each method."""
    test = SealedTest(load_bundled("printed-digits").test, printing=False)
    models = {("before", i): source for i, source in enumerate(sources)}
    models |= {
        (name, i): run.model for i, fitted in enumerate(trial.fits) for name, (run,) in fitted.runs.items()
    }
    scores = test.score(models)

    def correct(name):
        found = [scores.probabilities[name, i].argmax(1) == scores.truth for i in range(len(sources))]
        return np.stack(found)

    before = correct("before")
    return {
        name: replace(paired_difference(correct(name), before, scores.groups), a=name, b="before")
        for name in trial.correct
    }


def forgetting_card(found: Mapping[str, Comparison], change: str) -> viz.Card:
    """Accuracy on the source that is lost, in points."""
    lost = {name: (-c.difference, -c.high, -c.low) for name, c in found.items()}
    most, least = max(lost, key=lambda n: lost[n][0]), min(lost, key=lambda n: lost[n][0])
    one = next(iter(found.values()))
    finding = (
        f"Learning {change} digits costs {percent(max(0, lost[least][0]), '')} to {percent(lost[most][0], '')} "
        f"points of source accuracy: least with {least}, most with {most} "
        f"(n = {one.n} test images, {one.seeds} seeds)"
    )
    return viz.dot_panels({"accuracy on the source that was lost": lost}, finding,
                          foot="before less after training on the target; bar: 95 % interval")  # fmt: skip


@dataclass(frozen=True, eq=False)
class TuningTrial:
    """Ways to tune the same stages: what they reach, and how far they move the features.

    opened : one look at the test; moved : name to float (S, N), the distance between the features of a test
    image before and after, over the norm of those before
    """

    opened: Evaluation
    moved: Mapping[str, np.ndarray]


def tuning_trial(
    task: Task,
    backbone: str | Backbone,
    *,
    seeds: Sequence[int],
    labels_per_class: int,
    epochs: int = 15,
    device: str = "auto",
) -> TuningTrial:
    """The head alone, and everything tuned in several ways.

    All but one keep the source's BatchNorm statistics, so that they differ in one thing from "head first".
    """

    def tuned(**settings):
        return FineTuning(backbone, **{"epochs": epochs, "device": device, **settings})

    arms = {
        HEAD: FeatureExtraction(backbone, device=device),
        "head first": tuned(),
        "random head": tuned(head_first=False),
        "batch statistics": tuned(source_statistics=False),
        "layer-wise rates": tuned(layer_decay=0.5),
        "gradual unfreezing": tuned(gradual_unfreezing=True),
    }
    fitted = fit_all(arms, task, seeds, labels_per_class=labels_per_class)
    images = task.test.images
    tuned_runs = {name: runs for name, runs in fitted.runs.items() if name != HEAD}
    moved = {name: np.stack([_moved(run.model, images) for run in runs]) for name, runs in tuned_runs.items()}
    return TuningTrial(fitted.open(task), moved)


def _moved(model: FineTuning, images: np.ndarray) -> np.ndarray:
    before = model.backbone_.features(images)
    after = model.backbone_.with_trained(model.boundary_, model.module_.body).features(images)
    return np.linalg.norm(after - before, axis=1) / np.linalg.norm(before, axis=1)


def tuning_card(trial: TuningTrial, name: str) -> viz.Card:
    """Test accuracy of every way to tune; the title compares tuning after a fitted head with the head alone."""
    found, row = trial.opened.compare("head first", HEAD), trial.opened["head first"]
    finding = (
        f"{name}: tuning everything after fitting the head reaches {percent(row.accuracy)}, "
        f"{100 * found.difference:+.0f} points against the {HEAD} (95 % interval {100 * found.low:+.0f} to "
        f"{100 * found.high:+.0f}; n = {row.n_test} test images, {row.seeds} seeds)"
    )
    spreads = {r.name: (r.accuracy, r.ci_low, r.ci_high) for r in trial.opened.rows}
    foot = f"test accuracy with {row.labels_per_class} labels a class; bar: 95 % interval"
    chance = 1 / trial.opened.probabilities[HEAD].shape[2]
    return viz.dot_panels({"test accuracy": spreads}, finding, foot=foot, chance=chance)


def tuning_sentences(trial: TuningTrial) -> list[str]:
    """Each way to tune against head first: accuracy, and how far a random head moves the features."""
    lines = [said(found) for found in trial.opened.comparisons("head first")]
    random, first = trial.moved["random head"], trial.moved["head first"]
    groups = trial.opened.groups
    codes = None if groups is None else np.unique(groups, return_inverse=True)[1]
    low, high = percentile_ends(
        bootstrap_means(random - first, codes, 2000, 0, 0.95), (random - first).mean(), 0.95
    )
    return [
        *lines,
        f"features of test images move by {random.mean():.2f} of their length with a random head and "
        f"{first.mean():.2f} with head first: difference {random.mean() - first.mean():+.2f} (95 % interval "
        f"{low:+.2f} to {high:+.2f}; n = {random.shape[1]} images, {len(random)} seeds)",
    ]
