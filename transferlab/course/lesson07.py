"""Experiments of lesson 07: what keeps few labels from being learnt by heart, and what they cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from transferlab import viz
from transferlab.course import grid07
from transferlab.data import ImageSet, Task
from transferlab.evaluation import Evaluation, fit_all
from transferlab.evaluation.claims import make_claim, unresolved
from transferlab.evaluation.factorial import effects, resolved, with_intervals
from transferlab.transfer import FeatureExtraction, FineTuning, FromScratch
from transferlab.viz import percent

TURNED, KEPT = "with half turns", "with plain copies"


def shrinkage(weight_decay: float, learning_rate: float, steps: int) -> float:
    """Share of a weight that AdamW's decay alone leaves after ``steps`` at a constant rate.

    Examples
    --------
    >>> round(shrinkage(0.1, 1e-3, 60), 4)
    0.994
    """
    return (1 - learning_rate * weight_decay) ** steps


def factorial_effects(factorial: dict, seeds: int | None = None) -> dict[str, np.ndarray]:
    """Main and two-factor effects of a stored factorial on test accuracy, in points: name to float (S,)."""
    accuracy = 100 * np.array(factorial["accuracy"])
    return effects(grid07.stored_design(factorial), accuracy[:seeds])


def setting(factorial: dict) -> str:
    """On what a stored factorial was measured, and how long its runs trained."""
    return f"{factorial['data']}, {factorial['epochs']} epochs"


def effects_card(factorial: dict) -> viz.Card:
    """All effects of one stored factorial, main effects first; the title names those told from zero."""
    found = factorial_effects(factorial)
    told = resolved(found)
    spread = {name: (c.estimate, *c.interval) for name, c in with_intervals(found).items()}
    parts = [f"{name} {spread[name][0]:+.1f}" for name in sorted(told, key=lambda n: -abs(spread[n][0]))[:4]]
    finding = (
        f"{viz.sentence(setting(factorial))}. Told from zero: {', '.join(parts) or 'none'}"
        f"{' and others' if len(told) > 4 else ''} points of accuracy "
        f"(n = {factorial['n_test']} test images in each of {len(factorial['accuracy'])} seeds, 16 runs each)"
    )
    return viz.effects(spread, finding, foot=_foot(factorial), marked=told)


def main_effects_card(grid: Sequence[dict]) -> viz.Card:
    """Each setting's own effect, a mean over the others, in every stored factorial; the title follows the start."""
    all_found = {setting(f): factorial_effects(f) for f in grid}
    told = {f"{factor}: {name}" for name, found in all_found.items() for factor in resolved(found)}
    rows = {}
    for factor in grid[0]["factors"]:
        for name, found in all_found.items():
            [claim] = with_intervals({factor: found[factor]}).values()
            rows[f"{factor}: {name}"] = (claim.estimate, *claim.interval)
    parts = [f"{rows[f'{grid07.START}: {name}'][0]:+.0f} ({name})" for name in all_found]
    finding = (
        f"As a mean over the other settings a {grid07.START} is worth {', '.join(parts)} points "
        f"(n = {' and '.join(dict.fromkeys(str(f['n_test']) for f in grid))} test images in each of "
        f"{len(grid[0]['accuracy'])} seeds, 16 runs each)"
    )
    return viz.effects(rows, finding, foot=_foot(grid[0]), marked=told)


def _foot(factorial: dict) -> str:
    return (
        f"points of test accuracy, {factorial['labels_per_class']} labels a class; bar: 95 % interval over seeds; "
        "red: told from zero (Holm)"
    )


def pairs_sentence(factorial: dict) -> str:
    """The pairs of settings that are told from zero in a stored factorial, or that none is."""
    found = factorial_effects(factorial)
    pairs = [name for name in resolved(found) if name not in factorial["factors"]]
    said = [
        f"{name} {c.estimate:+.1f} points (95 % interval {c.interval[0]:+.1f} to {c.interval[1]:+.1f})"
        for name, c in with_intervals({name: found[name] for name in pairs}).items()
    ]
    return f"{setting(factorial)}: {', '.join(said) or 'no pair'} told from zero"


STARTS = (
    "the pretrained one, with early stopping or without",
    "scratch, with early stopping or without",
    "it depends on early stopping, or cannot be told",
)


def start_effect(factorial: dict, *, stopping: bool, seeds: int | None = None) -> np.ndarray:
    """Points that a pretrained start is worth where early stopping is on, or off, for each seed: float (S,)."""
    found = factorial_effects(factorial, seeds)
    pair = found[f"{grid07.START} × {grid07.STOPPING}"]
    return found[grid07.START] + (pair if stopping else -pair)


def better_start(factorial: dict) -> str:
    """Which start a stored factorial finds ahead: one of ``STARTS``."""
    claims = [
        make_claim("start", start_effect(factorial, stopping=on), "points", unresolved)
        for on in (True, False)
    ]
    if all(claim.interval[0] > 0 for claim in claims):
        return STARTS[0]
    return STARTS[1] if all(claim.interval[1] < 0 for claim in claims) else STARTS[2]


def rerun_sentence(factorial: dict, run: int = 0, seed: int = 0) -> str:
    """One run of a stored factorial, computed anew, beside what is stored."""
    again = grid07.run_accuracy(
        grid07.stored_design(factorial), run, seed, factorial["data"], factorial["epochs"]
    )
    return (
        f"{setting(factorial)}, run {run + 1}, seed {seed}: {percent(again)} now, "
        f"{percent(factorial['accuracy'][seed][run])} in the grid (n = {factorial['n_test']} test images)"
    )


def largest_factor(factorial: dict) -> str:
    """The factor with the largest main effect."""
    found = factorial_effects(factorial)
    return max(factorial["factors"], key=lambda name: abs(found[name].mean()))


def half_turned(images: ImageSet) -> ImageSet:
    """Every image turned by half a turn, under its old label.

    Examples
    --------
    >>> images = ImageSet(np.arange(4, dtype=np.uint8).reshape(1, 1, 2, 2), np.array([0]), ("a",))
    >>> half_turned(images).images[0, 0].tolist()
    [[3, 2], [1, 0]]
    """
    return replace(images, images=np.ascontiguousarray(images.images[..., ::-1, ::-1]))


@dataclass(frozen=True, eq=False)
class TurnTrial:
    """Recall of each class in each seed, float (S, K), without and with half turns in training."""

    kept: np.ndarray
    turned: np.ndarray
    classes: tuple[str, ...]
    n: int

    @property
    def cost(self) -> np.ndarray:
        """Points of recall lost by the half turns, float (S, K)."""
        return 100 * (self.kept - self.turned)

    def extra(self, names: Sequence[str] = ("6", "9")) -> np.ndarray:
        """Points lost by ``names`` more than by the other classes, float (S,)."""
        chosen = np.isin(self.classes, list(names))
        return self.cost[:, chosen].mean(1) - self.cost[:, ~chosen].mean(1)


def turn_trial(
    seeds: Sequence[int], backbone: str = "zoo-all", labels_per_class: int = 20, device: str = "auto"
) -> TurnTrial:
    """Printed digits, each training image beside its half turn; the control has a plain copy instead."""
    found: dict[str, list] = {KEPT: [], TURNED: []}
    for seed in seeds:
        task = grid07.seed_task("printed-digits", labels_per_class, seed)
        train = grid07.joined(task.train, task.validation)
        arms = {KEPT: grid07.joined(train, train), TURNED: grid07.joined(train, half_turned(train))}
        models = {
            name: FeatureExtraction(backbone, device=device).fit(images) for name, images in arms.items()
        }
        scores = task.test.score(models)
        for name, rows in found.items():
            right = scores.probabilities[name].argmax(1) == scores.truth
            rows.append([right[scores.truth == c].mean() for c in range(len(task.classes))])
    return TurnTrial(np.array(found[KEPT]), np.array(found[TURNED]), task.classes, len(task.test))


def turns_card(trial: TurnTrial) -> viz.Card:
    """Recall lost by each digit; the title compares 6 and 9 with the others."""
    rows = {}
    for c, name in enumerate(trial.classes):
        one = make_claim(name, -trial.cost[:, c], "points", unresolved)
        rows[f"digit {name}"] = (one.estimate, *one.interval)
    chosen = np.isin(trial.classes, ["6", "9"])
    finding = (
        f"Half turns in training change the recall of 6 and 9 by {-trial.cost[:, chosen].mean():+.0f} points, of the "
        f"other digits by {-trial.cost[:, ~chosen].mean():+.0f} (n about {trial.n} test images a seed, "
        f"{len(trial.cost)} seeds)"
    )
    foot = "points of recall against plain copies; bar: 95 % interval over seeds"
    return viz.effects(rows, finding, foot=foot, marked=["digit 6", "digit 9"])


def hardest_hit(trial: TurnTrial) -> str:
    """The two digits that lose most, in words, or that nobody loses."""
    cost = trial.cost.mean(0)
    if cost.max() < 1:
        return "none of them"
    a, b = sorted(trial.classes[i] for i in np.argsort(-cost)[:2])
    return f"{a} and {b}"


def own_trial(
    task: Task,
    backbone: str,
    *,
    seeds: Sequence[int],
    labels_per_class: int,
    epochs: int,
    device: str = "auto",
) -> Evaluation:
    """The strongest contrasts of the factorial on one's own images, in one look at the test."""
    common = {"epochs": epochs, "learning_rate": grid07.RATE, "patience": None, "device": device}
    arms = {
        "pretrained": FineTuning(backbone, **common),
        "pretrained, augmented": FineTuning(backbone, augmentation=grid07.HIGH[grid07.AUGMENTED], **common),
        "from scratch": FromScratch(backbone, **common),
    }
    return fit_all(arms, task, seeds, labels_per_class=labels_per_class, keep=0).open(task)


def own_card(found: Evaluation, name: str, epochs: int) -> viz.Card:
    """Accuracy of the arms; the title compares the starts."""
    gap = found.compare("pretrained", "from scratch")
    row = found["pretrained"]
    finding = (
        f"{name}, {epochs} epochs: a pretrained start brings {100 * gap.difference:+.0f} points over scratch, to "
        f"{percent(row.accuracy)} (95 % interval {100 * gap.low:+.0f} to {100 * gap.high:+.0f}; "
        f"n = {row.n_test} test images, {row.seeds} seeds)"
    )
    spreads = {r.name: (r.accuracy, r.ci_low, r.ci_high) for r in found.rows}
    foot = f"test accuracy with {row.labels_per_class} labels a class; bar: 95 % interval"
    return viz.dot_panels({"test accuracy": spreads}, finding, foot=foot)
