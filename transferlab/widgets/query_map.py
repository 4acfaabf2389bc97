"""Query map: a loop played round by round, what is labelled, what is asked next, and how unsure the model is.

In lesson 15 (the cases come from ``lesson15_map.cases``):

>>> from transferlab.widgets import query_map, show
>>> show(query_map.view(cases), query_map.static(cases))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.errors import UserError
from transferlab.viz import Card, percent
from transferlab.viz.words import count
from transferlab.widgets.query_map_card import draw

_KEYS = (
    "images", "strategy", "points", "frame", "labels", "classes", "batches", "unsure", "borders", "accuracy",
    "rival", "rival_accuracy", "n", "seeds",
)  # fmt: skip
Spread = tuple[float, float, float]


@dataclass(frozen=True)
class State:
    """Which images, the strategy that asks, and how many rounds are over."""

    images: str
    strategy: str
    round: int


@dataclass(frozen=True, eq=False)
class Findings:
    """A loop between two rounds.

    points : float (N, 2), the pool on a plane; frame : (low, high) of both axes
    labelled : int (L,), positions that have answers; labels : int (L,), what was answered
    asked : int (n,), positions that the next round asks for, in their order; empty at the end
    unsure : float (N,), 1 minus the lead of the model's first class over its second, or None before any label
    border : int (G, G), the class that the model gives to each place of the frame, or None
    totals : images asked after each round; accuracy, rival_accuracy : (estimate, low, high) after each round
    rival : the strategy that the chosen one is compared with; n : test images
    """

    state: State
    points: np.ndarray
    frame: tuple[tuple[float, float], tuple[float, float]]
    labelled: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    asked: np.ndarray
    unsure: np.ndarray | None
    border: np.ndarray | None
    totals: tuple[int, ...]
    accuracy: tuple[Spread, ...]
    rival: str
    rival_accuracy: tuple[Spread, ...]
    n: int
    seeds: int

    @property
    def met(self) -> int:
        """Classes among the labels so far."""
        return len(np.unique(self.labels))


def compute(data: Sequence[Mapping], state: State) -> Findings:
    """What a stored loop looked like after some of its rounds.

    Parameters
    ----------
    data : one dict a loop: ``images`` and ``strategy`` (names), ``points``, ``frame``, ``labels`` int (N,) as the
        oracle says them, ``classes`` (names), ``batches`` (positions that each of R rounds asked for), ``unsure`` and
        ``borders`` (R, what the model answered after each round; ``borders`` may be None), ``accuracy`` (R),
        ``rival`` (a name) and ``rival_accuracy`` (R), ``n``, ``seeds``
    state : a loop of ``data`` and 0 to R rounds

    Raises
    ------
    UserError
        when there is no such loop or round, or a loop lacks something.

    Examples
    --------
    >>> case = {"images": "dots", "strategy": "random", "points": np.zeros((3, 2)), "frame": ((-1, 1), (-1, 1)),
    ...         "labels": [0, 1, 0], "classes": ["a", "b"], "batches": [[2], [0]], "unsure": np.zeros((2, 3)),
    ...         "borders": None, "accuracy": [(0.5, 0.4, 0.6)] * 2, "rival": "random",
    ...         "rival_accuracy": [(0.5, 0.4, 0.6)] * 2, "n": 9, "seeds": 2}
    >>> found = compute([case], State("dots", "random", 1))
    >>> found.labelled.tolist(), found.asked.tolist(), found.met
    ([2], [0], 1)
    """
    if not data:
        raise UserError("the query map has no loop to show; give it one or more.")
    for case in data:
        missing = [key for key in _KEYS if key not in case]
        if missing:
            raise UserError(f"a loop of the query map lacks {', '.join(missing)}; see compute().")
    case = next((c for c in data if (c["images"], c["strategy"]) == (state.images, state.strategy)), None)
    if case is None or not 0 <= state.round <= len(case["batches"]):
        known = ", ".join(f"{c['strategy']} on {c['images']} (0 to {len(c['batches'])} rounds)" for c in data)
        raise UserError(
            f"the query map has {known}, not {state.strategy} on {state.images} after {state.round} rounds."
        )
    batches = [np.asarray(batch, np.int64) for batch in case["batches"]]
    none = np.zeros(0, np.int64)
    before, after = state.round - 1, state.round
    labelled = np.concatenate([none, *batches[:after]])
    return Findings(
        state, np.asarray(case["points"], float), tuple(case["frame"]), labelled,
        np.asarray(case["labels"], np.int64)[labelled], tuple(case["classes"]),
        batches[after] if after < len(batches) else none,
        None if before < 0 else np.asarray(case["unsure"][before], float),
        None if before < 0 or case["borders"] is None else np.asarray(case["borders"][before]),
        tuple(np.cumsum([len(batch) for batch in batches]).tolist()),
        tuple(map(tuple, case["accuracy"])), case["rival"], tuple(map(tuple, case["rival_accuracy"])),
        case["n"], case["seeds"],
    )  # fmt: skip


def sentence(found: Findings) -> str:
    """How many labels there are, of how many classes, and what they are worth."""
    where = f"{found.state.images}, {found.state.strategy}"
    ground = f"95 % intervals; n = {count(found.n, 'test image')}, {count(found.seeds, 'seed')}, one is shown"
    if not found.state.round:
        return f"{where}: nothing is labelled yet, and {count(len(found.asked), 'image')} are asked first ({ground})"
    at = found.state.round - 1
    met = f"{found.met} of {len(found.classes)} classes"
    start = f"{where}: {count(len(found.labelled), 'label')} of {met}, right in {_said(found.accuracy[at])}"
    if found.rival == found.state.strategy:
        return f"{start} ({ground})"
    return f"{start}, {found.rival} in {_said(found.rival_accuracy[at])} ({ground})"


def _said(spread: Spread) -> str:
    middle, low, high = (min(max(value, 0.0), 1.0) for value in spread)
    return f"{percent(middle)} ({percent(low, '')} to {percent(high, '')})"


def first(data: Sequence[Mapping]) -> State:
    """Where the view begins: the first loop, after its first round."""
    return State(data[0]["images"], data[0]["strategy"], 1)


def static(data: Sequence[Mapping], state: State | None = None) -> Card:
    """The figure after some rounds; of the first loop after its first round when ``state`` is None."""
    found = compute(data, state or first(data))
    return draw(found, sentence(found))


def view(data: Sequence[Mapping], state: State | None = None):
    """The map as a widget: images and strategy by menus, rounds by a play button or a slider with arrow keys."""
    from ipywidgets import Dropdown, HBox, Layout, SelectionSlider, VBox

    from transferlab.widgets.live import live
    from transferlab.widgets.player import player

    state = state or first(data)
    compute(data, state)
    cases = {(case["images"], case["strategy"]): case for case in data}
    images = Dropdown(
        options=list(dict.fromkeys(i for i, _ in cases)), value=state.images, description="images"
    )
    strategy = Dropdown(
        options=_strategies(cases, state.images), value=state.strategy, description="strategy"
    )
    rounds = SelectionSlider(
        options=_rounds(cases[state.images, state.strategy]), value=state.round, description="after",
        continuous_update=False, layout=Layout(width="420px"),
    )  # fmt: skip
    play, clock = player(rounds, "play the rounds from here; at the end, from the beginning", interval=1500)
    chosen = {"images": state.images}

    def now() -> State:
        """What the controls say, after they have been fitted to the images."""
        if chosen["images"] != images.value:
            chosen["images"] = images.value
            kept, offered = strategy.value, _strategies(cases, images.value)
            strategy.options = offered
            strategy.value = kept if kept in offered else offered[0]
        options = _rounds(cases[images.value, strategy.value])
        if tuple(rounds.options) != tuple(options):
            kept = min(rounds.value, len(options) - 1)
            rounds.options = options
            rounds.value, clock.max = kept, len(options) - 1
        return State(images.value, strategy.value, rounds.value)

    picture = live([images, strategy, rounds], lambda: static(data, now()))
    return VBox([HBox([images, strategy]), HBox([play, rounds, clock]), picture])


def _strategies(cases: Mapping[tuple[str, str], Mapping], images: str) -> list[str]:
    return [strategy for name, strategy in cases if name == images]


def _rounds(case: Mapping) -> list[tuple[str, int]]:
    totals = np.cumsum([0, *map(len, case["batches"])])
    return [(count(int(total), "label"), place) for place, total in enumerate(totals)]
