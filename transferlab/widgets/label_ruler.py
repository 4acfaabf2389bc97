"""Label-budget ruler: hold a ruler at an accuracy and read the labels that pretraining saved, or that it saved none.

In lesson 04, from its own evaluations (one for each label budget) or from ``transferlab course grid 04_ruler``:

>>> from transferlab.widgets import label_ruler, show
>>> data = [label_ruler.curves("materials", results)]  # doctest: +SKIP
>>> show(label_ruler.view(data), label_ruler.static(data))  # or data = stored_grid("04_ruler") # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.errors import UserError
from transferlab.evaluation import Evaluation, bootstrap_seeds_images
from transferlab.evaluation.intervals import check_table, joint_bootstrap_means
from transferlab.evaluation.labels_saved import labels_needed
from transferlab.viz import Card, learning_curves, method_name, percent, sentence
from transferlab.viz.figure import GROUND, INK, VERMILION
from transferlab.viz.words import BASELINES, count

_LEVELS = np.arange(1, 101) / 100
_DRAWS = 500
_KEYS = ("task", "n", "seeds", "methods")
Spread = tuple[float, float, float]


@dataclass(frozen=True)
class State:
    """Which target, which two methods, and where the ruler lies: ``accuracy`` is a fraction in whole per cent."""

    task: str
    pretrained: str
    rival: str
    accuracy: float


@dataclass(frozen=True)
class Reading:
    """What the ruler reads, in labels a class; infinite where no budget reaches the accuracy.

    needed, rival_needed : (estimate, low, high) of labels to reach the accuracy, never below the smallest
        budget tried; 95 % intervals over seeds and test images
    saved : ``rival_needed`` less ``needed``, resampled together; None where neither method gets there
    least, most : each method's smallest and largest budget, the pretrained one's first
    """

    state: State
    needed: Spread
    rival_needed: Spread
    saved: Spread | None
    least: tuple[float, float]
    most: tuple[float, float]
    n: int
    seeds: int

    @property
    def verdict(self) -> str:
        """``"saved"``, ``"cost"``, ``"none"`` or ``"out of reach"``: what the interval of ``saved`` allows to say."""
        if self.saved is None:
            return "out of reach"
        if self.saved[1] > 0:
            return "saved"
        return "cost" if self.saved[2] < 0 else "none"


def curves(task: str, evaluations: Sequence[Evaluation]) -> dict:
    """Learning curves of a target with, for each accuracy, the labels that it takes: plain numbers, fit for JSON.

    Parameters
    ----------
    task : the target's name
    evaluations : one for each label budget, with the same seeds and test images; a method may be missing from some

    Returns
    -------
    dict with ``task``, ``n``, ``seeds``, ``methods`` (name to ``labels``, ``accuracy`` and ``needed``: for 1 % to
    100 %, None where out of reach) and ``saved`` (pretrained method to rival to the same of the difference)

    Raises
    ------
    UserError
        when there are no evaluations, or they are not of the same seeds and images.
    """
    tables = _tables(evaluations)
    pairs = [(name, k) for name, found in tables.items() for k in found]
    stacked = np.stack([tables[name][k] for name, k in pairs]).astype(float)
    numbered = check_table(stacked[0], evaluations[0].groups)[1]
    means = joint_bootstrap_means(stacked, numbered, _DRAWS, 0, 0.95)
    means = np.concatenate([stacked.mean((1, 2))[None], means])  # the estimate itself comes first
    methods, needed = {}, {}
    for name, found in tables.items():
        columns = [i for i, pair in enumerate(pairs) if pair[0] == name]
        labels = np.array(list(found), float)
        needed[name] = np.array([labels_needed(labels, _LEVELS, row[columns]) for row in means])
        methods[name] = {
            "labels": [int(k) for k in found],
            "accuracy": [_accuracy(found[k], evaluations[0].groups) for k in found],
            "needed": _spreads(needed[name]),
        }
    saved = {
        name: {rival: _saved(needed[name], needed[rival]) for rival in methods if rival != name}
        for name in methods
        if name not in BASELINES
    }
    n, seeds = stacked.shape[2], stacked.shape[1]
    return {"task": task, "n": n, "seeds": seeds, "methods": methods, "saved": saved}


def compute(data: Sequence[Mapping], state: State) -> Reading:
    """What the ruler reads.

    Parameters
    ----------
    data : one dict a target, as :func:`curves` makes them

    Raises
    ------
    UserError
        when a target lacks a field, or there is no such target or method, or the accuracy is none of 1 % to 100 %.

    Examples
    --------
    >>> far = [[None, None, None]] * 100
    >>> one = {"labels": [5], "accuracy": [[0.5, 0.4, 0.6]], "needed": [[5.0, 5.0, 5.0]] * 40 + far[:60]}
    >>> none = {"fine_tuning": {"scratch": [[0.0, 0.0, 0.0]] * 40 + far[:60]}}
    >>> data = [{"task": "t", "n": 9, "seeds": 2, "methods": {"fine_tuning": one, "scratch": one}, "saved": none}]
    >>> compute(data, State("t", "fine_tuning", "scratch", 0.3)).verdict
    'none'
    >>> compute(data, State("t", "fine_tuning", "scratch", 0.9)).verdict
    'out of reach'
    """
    found = _target(data, state.task)
    place = round(100 * state.accuracy) - 1
    rivals = found["saved"].get(state.pretrained, {})
    if state.rival not in rivals:
        raise UserError(
            f"{state.task} compares {', '.join(found['saved'])} with another of {', '.join(found['methods'])}, "
            f"not {state.pretrained} with {state.rival}."
        )
    if not 0 <= place < len(_LEVELS):
        raise UserError(f"the ruler lies at an accuracy from 1 % to 100 %, not {100 * state.accuracy:g} %.")
    first, second = (found["methods"][name] for name in (state.pretrained, state.rival))
    needed, rival_needed = _read(first["needed"][place]), _read(second["needed"][place])
    saved = None if np.isinf(needed[0]) and np.isinf(rival_needed[0]) else _read(rivals[state.rival][place])
    ends = [(m["labels"][0], m["labels"][-1]) for m in (first, second)]
    least, most = zip(*ends, strict=True)
    return Reading(state, needed, rival_needed, saved, least, most, found["n"], found["seeds"])


def said(reading: Reading) -> str:
    """The reading in a sentence, with what it rests on."""
    s, ground = reading.state, f"n = {count(reading.n, 'test image')}, {count(reading.seeds, 'seed')}"
    name, rival = (
        method_name({"method": m, "trainable_from": "a later stage"}) for m in (s.pretrained, s.rival)
    )
    at = f"{sentence(s.task)} at {percent(s.accuracy)}"
    if reading.saved is None:
        return f"{at}: neither {name} nor {rival} gets there with the labels tried ({ground})"
    mine, theirs = (_labels(reading, i) for i in (0, 1))
    needs = f"{name} needs {mine}, {rival} {theirs} labels a class"
    if reading.verdict == "none":
        return f"{at}: no labels saved that chance would not explain; {needs} ({_range(reading)}; {ground})"
    if reading.verdict == "cost":
        lost = f"pretraining saved none, it cost {_amount(reading, -1)} labels a class"
        return f"{at}: {lost}; {needs} ({_range(reading)}; {ground})"
    return f"{at}: {_amount(reading, 1)} labels a class saved; {needs} ({_range(reading)}; {ground})"


def static(data: Sequence[Mapping], state: State | None = None) -> Card:
    """The curves with the ruler on them; where the view begins when ``state`` is None."""
    state = state or first(data)
    reading, found = compute(data, state), _target(data, state.task)
    card = learning_curves(list(_rows(found)), said(reading))
    axes, height = card.axes[0], 100 * state.accuracy
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, height - 2), max(high, min(102, height + 2)))
    axes.axhline(height, color=INK, linewidth=1.4, linestyle=(0, (5, 3)), zorder=2)
    spots = [np.log2(v[0]) for v in (reading.needed, reading.rival_needed) if np.isfinite(v[0])]
    for spot, mark in zip(spots, "ov" if np.isfinite(reading.needed[0]) else "v", strict=False):
        axes.plot(spot, height, mark, markersize=9, color=INK, markeredgecolor=GROUND, zorder=6)
    if len(spots) == 2 and spots[0] != spots[1]:
        axes.plot(spots, [height] * 2, color=VERMILION, linewidth=4, solid_capstyle="butt", zorder=5)
    axes.annotate(
        f"ruler {percent(state.accuracy)}", (0, height), (2, 3), xycoords=("axes fraction", "data"),
        textcoords="offset points", size=8.5, color=INK,
        bbox={"facecolor": GROUND, "edgecolor": "none", "pad": 1, "alpha": 0.8},
    )  # fmt: skip
    return card


def first(data: Sequence[Mapping]) -> State:
    """Where to begin: the first target, its last pretrained method against scratch where there is one, half way up."""
    found = _target(data, data[0]["task"] if data else "")
    name, rivals = list(found["saved"].items())[-1]
    rival = "scratch" if "scratch" in rivals else next(iter(rivals))
    reached = max(a[0] for a in found["methods"][rival]["accuracy"])
    return State(found["task"], name, rival, round(max(0.01, min(1.0, 0.9 * reached)), 2))


def view(data: Sequence[Mapping], state: State | None = None):
    """The ruler as a widget: its accuracy by drag, click or arrow keys; target and methods by menus."""
    from ipywidgets import Dropdown, HBox, IntSlider, Layout, VBox

    from transferlab.widgets.live import live

    state = state or first(data)
    compute(data, state)
    tasks = [found["task"] for found in data]
    names = list(dict.fromkeys(name for found in data for name in found["saved"]))
    rivals = list(dict.fromkeys(name for found in data for name in found["methods"]))
    menu = Layout(width="270px")
    task = Dropdown(options=tasks, value=state.task, description="target", layout=menu)
    mine = Dropdown(options=_options(names), value=state.pretrained, description="pretrained", layout=menu)
    rival = Dropdown(options=_options(rivals), value=state.rival, description="against", layout=menu)
    ruler = IntSlider(
        round(100 * state.accuracy), 1, 100, description="ruler at %", continuous_update=False,
        layout=Layout(width="520px"),
    )  # fmt: skip
    picture = live(
        [task, mine, rival, ruler],
        lambda: static(data, State(task.value, mine.value, rival.value, ruler.value / 100)),
    )
    return VBox([HBox([task, mine, rival]), ruler, picture])


def _options(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(method_name({"method": name}), name) for name in names]


def _tables(evaluations: Sequence[Evaluation]) -> dict[str, dict[int, np.ndarray]]:
    """Method to budget to bool (S, N), budgets ascending."""
    if not evaluations or any(row.labels_per_class is None for e in evaluations for row in e.rows):
        raise UserError("the ruler needs an evaluation for each of some label budgets; give them as a list.")
    one = evaluations[0]
    if any(e.seeds != one.seeds or not np.array_equal(e.truth, one.truth) for e in evaluations):
        raise UserError("the ruler needs evaluations of the same seeds on the same test images.")
    found: dict[str, dict[int, np.ndarray]] = {}
    for evaluation in sorted(evaluations, key=lambda e: e.rows[0].labels_per_class):
        for row in evaluation.rows:
            found.setdefault(row.name, {})[row.labels_per_class] = evaluation.correct(row.name)
    return found


def _accuracy(table: np.ndarray, groups) -> list[float]:
    spread = bootstrap_seeds_images(table, groups)
    return [round(v, 4) for v in (spread.estimate, spread.low, spread.high)]


def _saved(needed: np.ndarray, rival: np.ndarray) -> list:
    """Spreads of the difference; where neither arrives nothing is saved."""
    both = np.isinf(needed) & np.isinf(rival)
    with np.errstate(invalid="ignore"):
        return _spreads(np.where(both, 0.0, rival - needed))


def _spreads(draws: np.ndarray) -> list[list[float | str | None]]:
    """[estimate, low, high] of each column, the estimate being the first row; None stands for infinite."""
    low, high = np.quantile(draws[1:], [0.025, 0.975], axis=0, method="inverted_cdf")
    ends = np.stack([draws[0], np.minimum(low, draws[0]), np.maximum(high, draws[0])], 1)
    return [[_plain(v) for v in row] for row in ends]


def _plain(value: float) -> float | str | None:
    if np.isfinite(value):
        return round(float(value), 2)
    return None if value > 0 else "-"  # a saving of minus infinity: the pretrained method never arrives


def _read(stored) -> Spread:
    return tuple(np.inf if v is None else -np.inf if v == "-" else float(v) for v in stored)


def _labels(reading: Reading, place: int) -> str:
    """Labels that the pretrained method (0) or its rival (1) needs; beyond what was tried only a bound is known."""
    needed = (reading.needed, reading.rival_needed)[place][0]
    if np.isinf(needed):
        return f"more than {reading.most[place]:g}"
    least = reading.least[place]
    return f"{least:g} or fewer" if needed <= least else f"about {needed:.0f}"


def _amount(reading: Reading, sign: int) -> str:
    """The labels that were saved (sign 1) or lost (-1); where a curve starts above or ends below, a bound."""
    fewer, more = (0, 1) if sign > 0 else (1, 0)
    needed = (reading.needed[0], reading.rival_needed[0])
    if np.isinf(needed[more]):
        return f"more than {max(0.0, reading.most[more] - needed[fewer]):.0f}"
    start = "at least" if needed[fewer] <= reading.least[fewer] else "about"
    return f"{start} {needed[more] - needed[fewer]:.0f}"


def _range(reading: Reading) -> str:
    low, high = reading.saved[1:]
    ends = ["no limit" if np.isinf(v) else f"{v:+.0f}" for v in (low, high)]
    return f"95 % interval {ends[0]} to {ends[1]}"


def _rows(found: Mapping):
    for name, method in found["methods"].items():
        for k, (middle, low, high) in zip(method["labels"], method["accuracy"], strict=True):
            yield {
                "method": name, "labels_per_class": k, "accuracy": middle, "ci_low": low, "ci_high": high,
                "n_test": found["n"], "seeds": found["seeds"],
            }  # fmt: skip


def _target(data: Sequence[Mapping], task: str) -> Mapping:
    found = next((each for each in data if each.get("task") == task), None)
    if found is None:
        known = ", ".join(str(each.get("task")) for each in data) or "none"
        raise UserError(f"the ruler has the targets {known}, not {task!r}.")
    lacking = [key for key in (*_KEYS, "saved") if not found.get(key)]
    if lacking:
        raise UserError(f"the ruler's target {task} has no {lacking[0]!r}; make its curves anew.")
    return found
