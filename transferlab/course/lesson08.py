"""Experiments of lesson 08: scores of sources against the truth, and sources that harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from transferlab import viz
from transferlab.course.compared import spread
from transferlab.course.glyph_transfer import fonts, printed_digits, train_on, untrained
from transferlab.course.grid08 import FROZEN, TUNED, measure
from transferlab.data import ImageSet
from transferlab.evaluation import wilson
from transferlab.transfer import (
    SCORES,
    AgainstScratch,
    FeatureExtraction,
    FineTuning,
    FromScratch,
    Ranking,
    SavedModel,
    against_scratch,
    over_targets,
    weighted_tau,
)

SIZE, SOURCE_ACCURACY = "number of parameters", "accuracy on its source"
BASELINES = (SIZE, SOURCE_ACCURACY)
TEN_NAMES, ODD_OR_EVEN = "ten names", "odd or even"
HARMS = ("harms neither way", "harms when frozen only", "harms when fine-tuned only", "harms both ways")
HELPFUL, HARMFUL, TUNED_HARMFUL = (
    f"{TEN_NAMES}, frozen",
    f"{ODD_OR_EVEN}, frozen",
    f"{ODD_OR_EVEN}, fine-tuned",
)


def scores_of(trial: Mapping, seed: int, score: str) -> list[float | None]:
    """One score, or baseline, of every source of a target that was measured by :func:`grid08.measure`."""
    if score == SIZE:
        return trial["parameters"]
    return trial["accuracy"] if score == SOURCE_ACCURACY else trial["scores"][score][seed]


def tau(trial: Mapping, seed: int, score: str, truth: str = FROZEN) -> float | None:
    """Agreement of a score with what the sources reached on the test, for one seed of one target."""
    return weighted_tau(scores_of(trial, seed, score), trial["truth"][truth][seed])


def tau_by_seed(trials: Sequence[Mapping], score: str, truth: str = FROZEN) -> list[float]:
    """Mean over targets for each seed."""
    found = [[tau(trial, i, score, truth) for trial in trials] for i in range(len(trials[0]["seeds"]))]
    return [float(np.mean([v for v in values if v is not None])) for values in found]


def tau_by_target(trials: Sequence[Mapping], score: str, truth: str = FROZEN) -> list[float]:
    """Mean over seeds for each target on which the score orders anything."""
    found = [[tau(t, i, score, truth) for i in range(len(t["seeds"]))] for t in trials]
    return [float(np.mean(values)) for values in found if None not in values]


def picked(trial: Mapping, seed: int, score: str, truth: str = FROZEN) -> float:
    """Test accuracy of the source that a score puts first; mean over those that tie."""
    values = [-np.inf if v is None else v for v in scores_of(trial, seed, score)]
    reached = np.array(trial["truth"][truth][seed])
    return float(reached[np.array(values) == max(values)].mean())


def gain_by_seed(trials: Sequence[Mapping], score: str, truth: str = FROZEN) -> list[float]:
    """Points that the picked source is above the average source, mean over targets, for each seed."""
    return [
        100 * float(np.mean([picked(t, i, score, truth) - np.mean(t["truth"][truth][i]) for t in trials]))
        for i in range(len(trials[0]["seeds"]))
    ]


def agreement_card(trials: Sequence[Mapping], truth: str = TUNED) -> viz.Card:
    """Weighted tau of every score and baseline over targets; the title names the best score and baseline."""
    found = {name: over_targets(tau_by_target(trials, name, truth)) for name in (*SCORES, *BASELINES)}
    rows = {name: (a.mean, max(a.low, -1), min(a.high, 1)) for name, a in found.items() if a is not None}
    ticks = {name: tau_by_target(trials, name, truth) for name in rows}
    whole = {name: row for name, row in rows.items() if len(ticks[name]) == len(trials)}
    best, rival = (
        max((n for n in whole if n in names), key=lambda n: whole[n][0], default=None)
        for names in (SCORES, BASELINES)
    )
    finding = (
        (
            f"{viz.sentence(best)} orders sources best"
            if best
            else "No score orders the sources of every target"
        )
        + f" before they are {_done(truth)}"
        + (f": weighted tau {_said(whole[best])}" if best else "")
        + (
            f"; the better baseline, {rival}, {_said(whole[rival])}"
            if rival
            else "; no baseline does on every target"
        )
        + f" (n = {len(trials)} targets, {len(trials[0]['seeds'])} seeds)"
    )
    foot = "mean over targets, fewer where a score ties; bar: 95 % interval over targets; ticks: targets"
    return viz.score_agreement(rows, ticks, finding, baselines=BASELINES, foot=foot)


def _done(truth: str) -> str:
    return "fine-tuned" if truth == TUNED else "used frozen"


def _said(row: tuple[float, float, float]) -> str:
    return f"{row[0]:.2f} (95 % interval {row[1]:.2f} to {row[2]:.2f})"


def truth_card(trials: Sequence[Mapping], truth: str = TUNED) -> viz.Card:
    """Test accuracy of every source on each target; the title says how many targets have a best source of their own."""
    names = [n for n in trials[0]["sources"] if all(n in t["sources"] for t in trials)]
    panels = {t["target"]: {n: _spread(t, n, truth) for n in names} for t in trials}
    best = {target: max(panel, key=lambda n, p=panel: p[n][0]) for target, panel in panels.items()}
    worst = {target: min(panel, key=lambda n, p=panel: p[n][0]) for target, panel in panels.items()}
    parts = [
        f"{target} {viz.percent(panel[worst[target]][0], '')} to {viz.percent(panel[best[target]][0])}"
        for target, panel in panels.items()
    ]
    finding = (
        f"What {len(names)} sources reach when {_done(truth)} depends on the source and on the target: "
        f"{', '.join(parts)} (n = {' and '.join(str(t['n_test']) for t in trials)} test images, "
        f"{len(trials[0]['seeds'])} seeds)"
    )
    return viz.dot_panels(
        panels, finding, foot="test accuracy; bar: 95 % interval, one seed's images (Wilson)"
    )


def _spread(trial: Mapping, name: str, truth: str) -> tuple[float, float, float]:
    column = trial["sources"].index(name)
    mean = float(np.mean([row[column] for row in trial["truth"][truth]]))
    ends = wilson(round(mean * trial["n_test"]), trial["n_test"])
    return mean, min(ends.low, mean), max(ends.high, mean)


def ranking_lines(
    ranking: Ranking, scores: Sequence[str] = ("linear probe", "kNN", "LogME", "LEEP")
) -> list[str]:
    """The ranking as text; a dash stands for a score that is not defined."""
    lines = [f"{'source':16}" + "".join(f"{s:>14}" for s in scores) + f"{'seconds':>9}"]
    for source in ranking.sources:
        values = [source.scores[s] for s in scores]
        shown = "".join(f"{'–' if v is None else format(v, '.3f'):>14}" for v in values)
        lines.append(f"{source.name:16}{shown}{source.seconds:9.1f}")
    return lines


def cost_sentence(trials: Sequence[Mapping]) -> str:
    """What scoring all sources cost beside fine-tuning all of them, from the times in the grid."""
    scoring = sum(sum(t["seconds"]["scores"]) for t in trials)
    tuning = sum(sum(t["seconds"][TUNED]) for t in trials)
    n = sum(len(t["sources"]) for t in trials)
    return (
        f"{n} pairs of source and target, a seed: {scoring:.0f} s to score all of them, {tuning:.0f} s to fine-tune "
        f"all, {tuning / scoring:.0f} times as long (mean of {len(trials[0]['seeds'])} seeds; features of images that "
        "were seen before are not computed again)"
    )


def rerun_sentence(trials: Sequence[Mapping], target: str, source: str, device: str = "auto") -> str:
    """One cell of the grid, measured anew, beside what is stored."""
    stored = next(t for t in trials if t["target"] == target)
    column = stored["sources"].index(source)
    again = measure(target, stored["seeds"][:1], sources=[source], device=device)
    old, new = stored["truth"][TUNED][0][column], again["truth"][TUNED][0][0]
    return (
        f"{source} on {target}, fine-tuned, seed {stored['seeds'][0]}: {viz.percent(new)} now, {viz.percent(old)} in "
        f"the grid (n = {stored['n_test']} test images)"
    )


# ----- sources that harm


@cache
def glyph_source(names: str, seed: int, epochs: int = 15, device: str = "auto") -> SavedModel:
    """A small network that learnt printed digits under ten names, or only whether they are odd or even."""
    images = fonts("printed-digits", 0)
    if names == ODD_OR_EVEN:
        images = replace(images, labels=images.labels % 2, classes=("even", "odd"))
    return train_on(images, seed, epochs, device)


def source_is_right(source: SavedModel, images: ImageSet | None = None) -> float:
    """Accuracy of a source on images with its own kind of labels (its training images when None)."""
    images = fonts("printed-digits", 0) if images is None else images
    truth = images.labels % 2 if len(source.classes) == 2 else images.labels
    return float((source.predict_proba(images).argmax(1) == truth).mean())


def harm_trial(
    seeds: Sequence[int],
    *,
    labels_per_class: int = 30,
    settings: int = 3,
    epochs: int = 20,
    device: str = "auto",
) -> dict[str, AgainstScratch]:
    """Frozen and fine-tuned sources against scratch on digits in other fonts, ``settings`` tried for each.

    Every seed has its own sources, labels and network starts; scratch trains as long as fine-tuning does.
    """
    rates, strengths = (2e-3, 5e-3, 5e-4)[:settings], (1.0, 0.01, 100.0)[:settings]

    def arms(seed: int) -> dict[str, list]:
        ten, two = (glyph_source(names, seed, device=device).backbone for names in (TEN_NAMES, ODD_OR_EVEN))
        return {
            HELPFUL: [FeatureExtraction(ten, regularization=s, device=device) for s in strengths],
            HARMFUL: [FeatureExtraction(two, regularization=s, device=device) for s in strengths],
            TUNED_HARMFUL: [
                FineTuning(two, epochs=epochs, learning_rate=r, patience=None, device=device) for r in rates
            ],
        }

    scratch = [
        FromScratch(untrained(), epochs=epochs, learning_rate=r, patience=None, device=device) for r in rates
    ]
    task = printed_digits()
    return against_scratch(arms, scratch, task, seeds, labels_per_class=labels_per_class)


def harm_card(found: Mapping[str, AgainstScratch]) -> viz.Card:
    """Test accuracy of every source and of scratch; the title says what each source is worth against scratch."""
    one = next(iter(found.values()))
    spreads = {name: spread(f.correct, f.groups) for name, f in found.items()}
    spreads["from scratch"] = spread(one.scratch_correct, one.groups)
    parts = [f"{name} {_points(f.comparison)}" for name, f in found.items()]
    finding = (
        f"Against scratch, with as many settings tried: {'; '.join(parts)} points "
        f"(95 % intervals; n = {one.comparison.n} test images, {one.comparison.seeds} seeds)"
    )
    foot = "test accuracy; bar: 95 % interval"
    return viz.dot_panels({"test accuracy": spreads}, finding, foot=foot, hollow=["from scratch"], chance=0.1)


def _points(c) -> str:
    return f"{100 * c.difference:+.0f} ({100 * c.low:+.0f} to {100 * c.high:+.0f})"


def best_of(trials: Sequence[Mapping], names: Sequence[str], truth: str = TUNED) -> str:
    """The name whose order agrees best with the truth, as a mean over targets."""
    return max(names, key=lambda name: np.mean(tau_by_target(trials, name, truth)))


def harm_words(found: Mapping[str, AgainstScratch]) -> str:
    """How the source that knows odd from even alone does against scratch: where its interval lies below zero."""
    harms = [found[name].comparison.high < 0 for name in (HARMFUL, TUNED_HARMFUL)]
    return HARMS[harms[0] + 2 * harms[1]]


def points(found: AgainstScratch) -> list[float]:
    """What the source is worth against scratch, in points, for each seed."""
    return [100 * value for value in found.per_seed]


def alarm_points(found: Mapping[str, AgainstScratch]) -> list[float]:
    """100 for each seed on which the harmful source is warned of and the helpful one is not; 0 where both are or
    neither, -100 where it is the wrong one."""
    pairs = zip(found[HARMFUL].warnings, found[HELPFUL].warnings, strict=True)
    return [100.0 * (int(bad.warns) - int(good.warns)) for bad, good in pairs]
