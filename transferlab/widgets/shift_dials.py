"""Shift dials: turn up covariate, label and concept shift, and see what is measured, what weights do, what is said.

In lesson 09 (the grid comes from ``transferlab course grid 09_dials``):

>>> from transferlab.widgets import shift_dials, show
>>> grid = stored_grid("09_dials")  # doctest: +SKIP
>>> show(shift_dials.view(grid), shift_dials.static(grid))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transferlab.errors import UserError
from transferlab.viz import Card, percent
from transferlab.viz.words import count
from transferlab.widgets.dials_card import draw

_KEYS = (
    "covariate",
    "label",
    "n",
    "n_scored",
    "seeds",
    "concept",
    "distance",
    "effective",
    "accuracy",
    "said",
    "labels_needed",
    "points",
)
Spread = tuple[float, float, float]


@dataclass(frozen=True)
class State:
    """The dials: standard deviations to the right, growth of the odds of class B, per cent of names exchanged."""

    covariate: float
    label: float
    concept: float


@dataclass(frozen=True)
class Point:
    """A sample on the plane with its class (0 is A, 1 is B)."""

    across: float
    up: float
    label: int


@dataclass(frozen=True)
class Findings:
    """What is known at one setting of the dials; spreads are (mean, low, high) over draws, 95 % intervals.

    distance : proxy A-distance; effective : samples that the weighted source is worth, of ``n``
    accuracy : of each method on ``n_scored`` target samples, fractions; nobody without target labels sees it
    said : sentence to the number of draws, of ``seeds``, in which the diagnosis says it, without target labels
    labels_needed : target labels that would show a drop of 10 points
    """

    state: State
    distance: Spread
    effective: Spread
    accuracy: Mapping[str, Spread]
    said: Mapping[str, int]
    labels_needed: int
    source: tuple[Point, ...]
    target: tuple[Point, ...]
    n: int
    n_scored: int
    seeds: int


def compute(data: Sequence[Mapping], state: State) -> Findings:
    """What is known at one setting of the dials.

    Parameters
    ----------
    data : a dict for each pair of covariate and label shift, with the fields of :class:`Findings`; ``concept`` lists
        the steps of the third dial, which change nothing but ``accuracy`` (a list for each method, one entry a step)
        and the names of ``points``

    Raises
    ------
    UserError
        when a row lacks a field, or the dials do not stand at one of their steps.

    Examples
    --------
    >>> point = [0.0, 1.0, 1, 0.05]
    >>> row = {"covariate": 0, "label": 1, "n": 9, "n_scored": 90, "seeds": 2, "concept": [0, 10],
    ...        "distance": [0.1, 0.0, 0.2], "effective": [8.0, 7.5, 8.5], "said": {"shift detected": 1},
    ...        "accuracy": {"not weighted": [[0.9, 0.8, 1.0], [0.8, 0.7, 0.9]]}, "labels_needed": 80,
    ...        "points": {"source": [point], "target": [point]}}
    >>> found = compute([row], State(0, 1, 10))
    >>> found.accuracy["not weighted"], found.source[0].label, found.target[0].label
    ((0.8, 0.7, 0.9), 1, 0)
    """
    row = _row(data, state)
    if state.concept not in row["concept"]:
        raise UserError(
            f"the concept dial stands at one of {_listed(row['concept'])} per cent, not {state.concept!r}."
        )
    step = row["concept"].index(state.concept)
    points = row["points"]
    return Findings(
        state=state,
        distance=tuple(row["distance"]),
        effective=tuple(row["effective"]),
        accuracy={name: tuple(steps[step]) for name, steps in row["accuracy"].items()},
        said=dict(row["said"]),
        labels_needed=row["labels_needed"],
        source=tuple(_point(p, 0) for p in points["source"]),
        target=tuple(_point(p, state.concept) for p in points["target"]),
        n=row["n"],
        n_scored=row["n_scored"],
        seeds=row["seeds"],
    )


def said(found: Findings) -> str:
    """The setting and what is measured there, in a sentence with what it rests on."""
    s = found.state
    a, low, high = found.distance
    best = max(found.accuracy, key=lambda name: found.accuracy[name][0])
    plain, *weighted = found.accuracy
    parts = [f"{name} {percent(found.accuracy[name][0])}" for name in (plain, *weighted)]
    lead = f"{best} is most accurate" if best != plain else "no weights are more accurate than none"
    return (
        f"Moved by {s.covariate:g}, odds of B × {s.label:g}, {s.concept:g} % of names exchanged: proxy A-distance "
        f"{a:.2f} (95 % interval {low:.2f} to {high:.2f}), {found.effective[0]:.0f} of {found.n} samples effective; "
        f"{lead}: {', '.join(parts)} (n = {count(found.n_scored, 'target sample')}, {count(found.seeds, 'draw')})"
    )


def diagnosis(found: Findings) -> list[str]:
    """What the diagnosis says without a target label, a line each; the last is what it cannot say.

    Examples
    --------
    >>> one = Findings(State(0, 1, 0), (0, 0, 0), (9, 9, 9), {}, {"shift detected": 5}, 80, (), (), 9, 90, 5)
    >>> diagnosis(one)
    ['shift detected: in 5 of 5 draws', 'names exchanged: not seen; 80 target labels would show a drop of 10 points']
    """
    lines = [f"{what}: in {times} of {count(found.seeds, 'draw')}" for what, times in found.said.items()]
    last = f"names exchanged: not seen; {found.labels_needed} target labels would show a drop of 10 points"
    return [*lines, last]


def static(data: Sequence[Mapping], state: State | None = None) -> Card:
    """The figure of one setting; where the view begins when ``state`` is None."""
    found = compute(data, state or first(data))
    return draw(found, said(found), diagnosis(found))


def first(data: Sequence[Mapping]) -> State:
    """Where to begin: covariate shift alone, at the middle of its dial."""
    covariate, label, concept = steps(data)
    return State(covariate[len(covariate) // 2], label[0], concept[0])


def steps(data: Sequence[Mapping]) -> tuple[list, list, list]:
    """The steps of the three dials."""
    if not data:
        raise UserError("the dials have nothing to show; make their grid anew with its command.")
    rows = [_whole(row) for row in data]
    return (
        list(dict.fromkeys(row["covariate"] for row in rows)),
        list(dict.fromkeys(row["label"] for row in rows)),
        list(rows[0]["concept"]),
    )


def view(data: Sequence[Mapping], state: State | None = None):
    """The dials as a widget: three sliders, by drag, click or arrow keys."""
    from ipywidgets import Layout, SelectionSlider, VBox

    from transferlab.widgets.live import live

    state = state or first(data)
    compute(data, state)
    covariate, label, concept = steps(data)

    def dial(name: str, options: list, value) -> SelectionSlider:
        return SelectionSlider(
            options=options, value=value, description=name, continuous_update=False,
            style={"description_width": "190px"}, layout=Layout(width="560px"),
        )  # fmt: skip

    dials = [
        dial("covariate: moved by", [(f"{v:g}", v) for v in covariate], state.covariate),
        dial("label: odds of B", [(f"× {v:g}", v) for v in label], state.label),
        dial("concept: names exchanged", [(f"{v:g} %", v) for v in concept], state.concept),
    ]
    picture = live(dials, lambda: static(data, State(*(d.value for d in dials))))
    return VBox([*dials, picture])


def _row(data: Sequence[Mapping], state: State) -> Mapping:
    covariate, label, _ = steps(data)
    for row in data:
        if (row["covariate"], row["label"]) == (state.covariate, state.label):
            return row
    raise UserError(
        f"the dials stand at {_listed(covariate)} for covariate and {_listed(label)} for label shift, not at "
        f"{state.covariate!r} and {state.label!r}."
    )


def _whole(row: Mapping) -> Mapping:
    lacking = [key for key in _KEYS if key not in row]
    if lacking:
        raise UserError(f"the grid of the dials has no {lacking[0]!r}; make it anew with its command.")
    return row


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{v:g}" for v in values)


def _point(stored: Sequence[float], concept: float) -> Point:
    """A stored sample; its name is exchanged where its lot lies below the share."""
    across, up, label, lot = stored
    return Point(across, up, int(1 - label if 100 * lot < concept else label))
