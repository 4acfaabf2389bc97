"""Lesson 05, second half: in which order and how fast to tune, on any images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab import viz
from transferlab.backbones import Backbone
from transferlab.course.compared import points, said
from transferlab.course.lesson05 import HEAD
from transferlab.data import Task
from transferlab.evaluation import Evaluation, fit_all
from transferlab.evaluation.intervals import bootstrap_means, percentile_ends
from transferlab.transfer import FeatureExtraction, FineTuning
from transferlab.viz import percent


@dataclass(frozen=True, eq=False)
class TuningTrial:
    """Ways to tune the same stages: what they reach, and how far they move the features.

    opened : one look at the test; moved : name to float (S, N), the distance between the features of a test
    image before and after, over the norm of those before; untouched : name to the number of seeds for which
    no epoch was better on validation than the start, which was therefore kept
    """

    opened: Evaluation
    moved: Mapping[str, np.ndarray]
    untouched: Mapping[str, int]

    def points(self, a: str, b: str) -> list[float]:
        """Accuracy of ``a`` less that of ``b``, in points, for each seed."""
        return points(self.opened.correct(a), self.opened.correct(b))

    def moved_further(self, a: str, b: str) -> list[float]:
        """How much further ``a`` moves the features than ``b``, in percent of their length, for each seed."""
        return (100 * (self.moved[a].mean(1) - self.moved[b].mean(1))).tolist()

    def moves_most(self, names: Sequence[str]) -> str:
        """Which of ``names`` moves the features furthest, mean over seeds."""
        return max(names, key=lambda name: self.moved[name].mean())


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
    untouched = {
        name: sum(all(h.best_epoch is None for h in run.model.history_) for run in runs)
        for name, runs in tuned_runs.items()
    }
    return TuningTrial(fitted.open(task), moved, untouched)


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
    kept = ", ".join(f"{count} with {name}" for name, count in trial.untouched.items())
    return [
        *lines,
        f"of {len(random)} seeds, no epoch was better on validation than the start for {kept}",
        f"features of test images move by {random.mean():.2f} of their length with a random head and "
        f"{first.mean():.2f} with head first: difference {random.mean() - first.mean():+.2f} (95 % interval "
        f"{low:+.2f} to {high:+.2f}; n = {random.shape[1]} images, {len(random)} seeds)",
    ]
