"""Freeze slider: move the boundary between frozen and trained stages, and see what it costs and what it brings.

In lesson 05 (the grid comes from ``transferlab course grid 05_freeze``):

>>> from transferlab.widgets import freeze_slider, show
>>> grid = stored_grid("05_freeze")  # doctest: +SKIP
>>> show(freeze_slider.view(grid), freeze_slider.static(grid))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from transferlab.errors import UserError
from transferlab.viz import Card, percent
from transferlab.viz.words import count, labels, short_number
from transferlab.widgets.freeze_card import draw, megabytes

_KEYS = (
    "task",
    "labels_per_class",
    "frozen",
    "trained",
    "seconds",
    "bytes",
    "accuracy",
    "less_head",
    "n",
    "seeds",
)


@dataclass(frozen=True)
class State:
    """Which target, label budget and boundary: ``frozen`` stages from the bottom on do not train."""

    task: str
    labels_per_class: int
    frozen: int


@dataclass(frozen=True)
class Point:
    """What training above one boundary costs and brings.

    trained : numbers that learn; seconds : of the processor an epoch (for the head alone: for its whole fit)
    bytes : of memory while training; accuracy : (estimate, low, high), fractions with 95 % interval
    less_head : (difference, low, high) to the head alone on the same images and seeds, fractions
    n : test images
    """

    frozen: int
    trained: int
    seconds: float
    bytes: int
    accuracy: tuple[float, float, float]
    less_head: tuple[float, float, float]
    n: int
    seeds: int


@dataclass(frozen=True)
class Findings:
    """The chosen boundary among all of one target and label budget.

    stages : names, bottom first; points : one a boundary, from nothing frozen to all
    """

    state: State
    stages: tuple[str, ...]
    points: tuple[Point, ...]

    @property
    def point(self) -> Point:
        """The one that was chosen."""
        return self.points[self.state.frozen]


def compute(data: Mapping, state: State) -> Findings:
    """The chosen boundary and, for the same target and labels, all others.

    Parameters
    ----------
    data : ``{"stages": [...], "points": [...]}``, a point being a dict with ``task``, ``labels_per_class`` and
        the fields of :class:`Point`

    Raises
    ------
    UserError
        when the grid lacks a field, or has no such target, label budget or boundary.

    Examples
    --------
    >>> point = {"task": "inverted", "labels_per_class": 5, "trained": 9, "seconds": 1.0, "bytes": 100,
    ...          "accuracy": [0.5, 0.4, 0.6], "less_head": [0.0, -0.1, 0.1], "n": 100, "seeds": 3}
    >>> data = {"stages": ["stem"], "points": [{**point, "frozen": k} for k in (0, 1)]}
    >>> compute(data, State("inverted", 5, 1)).point.accuracy
    (0.5, 0.4, 0.6)
    """
    rows = data.get("points", [])
    lacking = [key for row in rows for key in _KEYS if key not in row] or [
        key for key in ("stages", "points") if not data.get(key)
    ]
    if lacking:
        raise UserError(
            f"the grid of the freeze slider has no {lacking[0]!r}; make it anew with its command."
        )
    chosen = [r for r in rows if (r["task"], r["labels_per_class"]) == (state.task, state.labels_per_class)]
    by_boundary = {row["frozen"]: _point(row) for row in chosen}
    wanted = range(len(data["stages"]) + 1)
    if set(by_boundary) != set(wanted) or state.frozen not in by_boundary:
        known = ", ".join(f"{task} with {k}" for task, k in choices(data))
        raise UserError(
            f"the grid has the targets and labels a class {known}, each with 0 to {len(data['stages'])} frozen "
            f"stages, not {state.task} with {state.labels_per_class} and {state.frozen}."
        )
    return Findings(state, tuple(data["stages"]), tuple(by_boundary[k] for k in wanted))


def choices(data: Mapping) -> list[tuple[str, int]]:
    """The pairs of target and label budget that a grid has, in its order."""
    return list(dict.fromkeys((row["task"], row["labels_per_class"]) for row in data["points"]))


def boundary_name(stages: tuple[str, ...], frozen: int) -> str:
    """A boundary in words.

    Examples
    --------
    >>> [boundary_name(("stem", "layer1"), k) for k in (0, 1, 2)]
    ['nothing frozen', 'frozen up to stem', 'head alone trains']
    """
    if frozen == len(stages):
        return "head alone trains"
    return f"frozen up to {stages[frozen - 1]}" if frozen else "nothing frozen"


def sentence(found: Findings) -> str:
    """What the chosen boundary costs and brings; whether it differs from the head alone or cannot be told."""
    p, s = found.point, found.state
    start = boundary_name(found.stages, s.frozen).capitalize()
    d, low, high = (100 * value for value in p.less_head)
    if s.frozen == len(found.stages):
        told = ""
    elif low <= 0 <= high:
        told = f", not to be told from the head alone ({d:+.0f} points, {low:+.0f} to {high:+.0f})"
    else:
        told = f", {d:+.0f} points against the head alone ({low:+.0f} to {high:+.0f})"
    middle, *ends = (percent(value, "") for value in p.accuracy)
    return (
        f"{start}: {short_number(p.trained)} numbers train, {megabytes(p.bytes)}, accuracy {middle} % "
        f"({ends[0]} to {ends[1]}){told} ({s.task}, {labels(s.labels_per_class)}; "
        f"n = {count(p.n, 'test image')}, {count(p.seeds, 'seed')})"
    )


def static(data: Mapping, state: State | None = None) -> Card:
    """The figure of one boundary; where the view begins when ``state`` is None."""
    found = compute(data, state or first(data))
    names = [boundary_name(found.stages, k) for k in range(len(found.points))]
    return draw(found, sentence(found), names)


def first(data: Mapping) -> State:
    """Where to begin: the grid's first target with its first label budget, and nothing frozen."""
    return State(*choices(data)[0], 0)


def view(data: Mapping, state: State | None = None):
    """The slider as a widget: boundary by drag, click or arrow keys, target and label budget by menus."""
    from ipywidgets import Dropdown, HBox, Layout, SelectionSlider, VBox

    from transferlab.widgets.live import live

    state, pairs = state or first(data), choices(data)
    compute(data, state)
    stages = tuple(data["stages"])
    names = [(boundary_name(stages, k), k) for k in range(len(stages) + 1)]
    boundary = SelectionSlider(
        options=names, value=state.frozen, description="boundary", continuous_update=False,
        layout=Layout(width="420px"),
    )  # fmt: skip
    task = Dropdown(options=list(dict.fromkeys(t for t, _ in pairs)), value=state.task, description="target")
    budgets = list(dict.fromkeys(k for _, k in pairs))
    budget = Dropdown(
        options=[(labels(k), k) for k in budgets], value=state.labels_per_class, description="labels"
    )
    picture = live(
        [boundary, task, budget], lambda: static(data, State(task.value, budget.value, boundary.value))
    )
    return VBox([HBox([task, budget]), boundary, picture])


def _point(row: Mapping) -> Point:
    return Point(
        row["frozen"], row["trained"], row["seconds"], row["bytes"], tuple(row["accuracy"]),
        tuple(row["less_head"]), row["n"], row["seeds"],
    )  # fmt: skip
