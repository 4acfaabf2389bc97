"""Experiments of lesson 00: what an accuracy on few test images is worth, and accuracies counted or averaged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import stats

from transferlab.data import ImageSet, load_task
from transferlab.data.bundled import load_bundled
from transferlab.doctor import doctor_lines
from transferlab.evaluation import wilson
from transferlab.transfer import FeatureExtraction
from transferlab.viz import Card, percent
from transferlab.viz.figure import BLUE, FAINT, INK, RULE, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN

SMALL, LARGE, MODELS, BATCH, LEVEL = 75, 1000, 10, 32, 0.95
WIDTHS = {"about 2 points": 2, "about 6 points": 6, "about 18 points": 18}
HELD = {"about 95 times of 100": 95, "about 85 times of 100": 85, "fewer than 80 times of 100": 60}
GAPS = {"not at all": 0, "by a point or two": 1.5, "by ten points": 10}
_NEEDED = ("transferlab", "networks", "science", "notebooks", "device", "kernel", "bundled")
_BROKEN = ("broken", "MISSING", "no kernel", "NO networks")


def environment() -> list[str]:
    """A line for each part that the lessons need: ok, or that ``transferlab doctor`` says more; no paths."""
    found = {line.split()[0]: line for line in doctor_lines()}
    states = {name: not any(word in found[name] for word in _BROKEN) for name in _NEEDED}
    return [f"{name:<12} {'ok' if good else 'see transferlab doctor'}" for name, good in states.items()]


@cache
def world() -> tuple[ImageSet, ...]:
    """Handwritten digits that no model here learns from. They stand for all digits that there are."""
    final = load_bundled("digits-final")
    return final.development, final.test, load_bundled("digits").test


def answers(
    backbone, seed: int, models: int = MODELS, *, labels_per_class: int = 10, device: str = "auto"
) -> np.ndarray:
    """Which images of the world several models of one recipe answer rightly: bool (models, N).

    Every model, and every ``seed``, draws labelled images of its own.
    """
    task = load_task("digits", progress=False)
    found = []
    for draw in range(models):
        drawn = task.draw(labels_per_class, MODELS * seed + draw).train
        model = FeatureExtraction(backbone, device=device).fit(drawn)
        parts = [model.predict_proba(part).argmax(1) == part.labels for part in world()]
        found.append(np.concatenate(parts))
    return np.stack(found)


def drawn_tests(right: np.ndarray, n: int, draws: int, seed: int = 0) -> np.ndarray:
    """Right answers in ``draws`` tests of ``n`` images each, drawn from all images: int (draws,).

    Parameters
    ----------
    right : bool (N,), the answers of one model to all images
    """
    return np.random.default_rng([seed, n]).binomial(n, right.mean(), draws)


def wilson_ends(counts: np.ndarray, n: int) -> np.ndarray:
    """Ends of Wilson's 95 % interval of each count: float (len(counts), 2)."""
    known = {count: wilson(int(count), n) for count in np.unique(counts)}
    return np.array([(known[c].low, known[c].high) for c in counts])


def coverage(right: np.ndarray, n: int, draws: int = 2000, seed: int = 0) -> float:
    """Share of tests of ``n`` images whose interval holds the accuracy on all images.

    Examples
    --------
    >>> right = np.arange(1000) < 800
    >>> 0.93 < coverage(right, 75) < 0.97
    True
    """
    low, high = wilson_ends(drawn_tests(right, n, draws, seed), n).T
    return float(((low <= right.mean()) & (right.mean() <= high)).mean())


def mean_width(right: np.ndarray, n: int, draws: int = 500, seed: int = 0) -> float:
    """Mean width, in points, of the intervals of tests of ``n`` images."""
    low, high = wilson_ends(drawn_tests(right, n, draws, seed), n).T
    return float(100 * (high - low).mean())


def seeds_alone(accuracies: np.ndarray) -> tuple[float, float]:
    """Student's 95 % interval of the mean of several models' accuracies, as if the test images were all there are.

    Examples
    --------
    >>> [round(float(end), 3) for end in seeds_alone(np.array([0.7, 0.8, 0.9]))]
    [0.552, 1.048]
    """
    half = stats.t.ppf((1 + LEVEL) / 2, len(accuracies) - 1) * stats.sem(accuracies, axis=0)
    middle = accuracies.mean(0)
    return middle - half, middle + half


def coverage_of_seeds_alone(table: np.ndarray, n: int, draws: int = 1000, seed: int = 0) -> float:
    """Share of tests of ``n`` images for which the interval over models alone holds their true mean accuracy.

    Parameters
    ----------
    table : bool (models, N), the answers of each model to all images
    """
    rng = np.random.default_rng([seed, n])
    images = rng.integers(table.shape[1], size=(draws, n))
    low, high = seeds_alone(np.stack([row[images].mean(1) for row in table]))
    return float(((low <= table.mean()) & (table.mean() <= high)).mean())


def batches(right: np.ndarray, size: int = BATCH) -> list[np.ndarray]:
    """Answers in batches of ``size``, the last with what is left."""
    return [right[start : start + size] for start in range(0, len(right), size)]


def averaged(parts: Sequence[np.ndarray]) -> float:
    """Mean of the batches' accuracies: a batch of one image weighs as much as one of 32."""
    return float(np.mean([part.mean() for part in parts]))


def counted(parts: Sequence[np.ndarray]) -> float:
    """Right answers over all answers."""
    return float(sum(part.sum() for part in parts) / sum(map(len, parts)))


def batch_gap(right: np.ndarray, n: int = SMALL, draws: int = 500, seed: int = 0) -> float:
    """How far, in points and on average over tests of ``n`` images, averaging over batches is from counting."""
    rng = np.random.default_rng([seed, n])
    tests = right[rng.integers(len(right), size=(draws, n))]
    gaps = [abs(averaged(parts) - counted(parts)) for parts in map(batches, tests)]
    return 100 * float(np.mean(gaps))


def second_less_first(table: np.ndarray, n: int = SMALL, seed: int = 0) -> float:
    """Points that the second model is ahead of the first on one test of ``n`` images."""
    images = np.random.default_rng([seed, n]).integers(table.shape[1], size=n)
    return 100 * float(table[1, images].mean() - table[0, images].mean())


def nearest(value: float, options: dict[str, float]) -> str:
    """The option whose number is nearest to ``value``.

    Examples
    --------
    >>> nearest(17.2, WIDTHS)
    'about 18 points'
    """
    return min(options, key=lambda name: abs(options[name] - value))


def repeated_card(
    right: np.ndarray, ns: Sequence[int] = (SMALL, LARGE), draws: int = 50, seed: int = 0
) -> Card:
    """Intervals of many tests of one model, a panel for each number of images; those that miss stand out."""
    truth, words = right.mean(), []
    with style():
        ends = {n: wilson_ends(drawn_tests(right, n, draws, seed), n) for n in ns}
        for n, found in ends.items():
            held = int(((found[:, 0] <= truth) & (truth <= found[:, 1])).sum())
            words.append(f"{held} of {draws} tests of n = {n:,} images, {_width(found)} points wide")
        card = Card(f"95 % intervals hold the true {percent(truth)} in {' and in '.join(words)}", 3.3)
        wide = (WIDTH - 2 * MARGIN) / len(ns)
        for place, (n, found) in enumerate(ends.items()):
            axes = card.panel(MARGIN + place * wide + 0.1, 0.35, wide - 0.25, 2.45)
            axes.set_title(f"{n:,} test images", loc="left", size=9.5, weight="bold", pad=6)
            _intervals(axes, found, truth)
        axes.annotate("a bar: the 95 % interval (Wilson) of one test   thick: does not hold the true accuracy",
                      (MARGIN / WIDTH, 0.02), xycoords="figure fraction", size=8.5, color=FAINT)  # fmt: skip
    return card


def _width(ends: np.ndarray) -> str:
    return f"{100 * (ends[:, 1] - ends[:, 0]).mean():.0f}"


def _intervals(axes, ends: np.ndarray, truth: float) -> None:
    order = np.argsort(ends.sum(1), kind="stable")
    for y, (low, high) in enumerate(100 * ends[order]):
        missed = not low <= 100 * truth <= high
        axes.plot([low, high], [y, y], color=VERMILION if missed else BLUE, linewidth=2.4 if missed else 1.2)
    axes.axvline(100 * truth, color=INK, linewidth=1.2)
    middle = 100 * truth
    axes.set(xlim=(max(-2, middle - 26), min(102, middle + 26)), yticks=[])
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0f} %")
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=RULE)


def interval_card(share: float, n: int) -> Card:
    """The 95 % interval of a share of right answers, against the number of test images; ``n`` is marked."""
    right = round(share * n)
    one = wilson(right, n)
    finding = (
        f"{right:,} of {n:,} right: the accuracy lies between {percent(one.low, '')} and {percent(one.high)} "
        f"(95 % interval, {100 * (one.high - one.low):.0f} points wide; n = {n:,} test images)"
    )
    sizes = np.unique(np.geomspace(10, 10_000, 80).astype(int))
    ends = np.array([(i.low, i.high) for i in (wilson(round(share * int(k)), int(k)) for k in sizes)])
    with style():
        card = Card(finding, 3.0)
        axes = card.panel(MARGIN + 0.5, 0.1, WIDTH - 2 * MARGIN - 0.7, 2.35)
        axes.fill_between(sizes, *(100 * ends.T), color=BLUE, alpha=0.18, linewidth=0)
        axes.plot(
            [n, n], [100 * one.low, 100 * one.high], color=VERMILION, linewidth=3, solid_capstyle="butt"
        )
        axes.plot(n, 100 * right / n, "o", color=VERMILION, markersize=8)
        axes.set(xscale="log", xlim=(9, 11_000), ylim=(-2, 102))
        axes.set_xticks(
            [10, 30, 100, 300, 1000, 3000, 10_000], ["10", "30", "100", "300", "1,000", "3,000", "10,000"]
        )
        axes.minorticks_off()
        axes.set_xlabel("test images, logarithmic; band: 95 % interval (Wilson)")
        axes.yaxis.set_major_formatter(lambda y, _: f"{y:.0f} %")
        axes.grid(axis="y", color=RULE)
    return card


def interval_slider(share: float = 0.8, n: int = SMALL):
    """The same as a widget: both numbers by sliders, which move by mouse and by arrow keys."""
    from ipywidgets import IntSlider, Layout, SelectionSlider, VBox

    from transferlab.widgets.live import live

    wide = {
        "continuous_update": False,
        "layout": Layout(width="520px"),
        "style": {"description_width": "110px"},
    }
    right = IntSlider(round(100 * share), 0, 100, description="right answers %", **wide)
    sizes = [10, 20, 50, SMALL, 100, 200, 500, LARGE, 2000, 5000, 10_000]
    images = SelectionSlider(
        options=[(f"{k:,}", k) for k in sizes], value=n, description="test images", **wide
    )
    return VBox(
        [right, images, live([right, images], lambda: interval_card(right.value / 100, images.value))]
    )
