"""Domain replay: a training with a domain classifier, played step by step, its gradient reversed or only watched.

In lesson 11 (the cases come from ``lesson11_replay.cases``):

>>> from transferlab.widgets import domain_replay, show
>>> show(domain_replay.view(cases), domain_replay.static(cases))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.errors import UserError
from transferlab.viz import Card, percent
from transferlab.viz.words import count
from transferlab.widgets.replay_card import draw

_KEYS = (
    "shift", "how", "steps", "frame", "field", "source", "target", "source_labels", "target_labels",
    "source_scores", "target_scores", "domain_accuracy", "accuracy", "n", "seeds",
)  # fmt: skip
Spread = tuple[float, float, float]


@dataclass(frozen=True)
class State:
    """What happened to the target, what is done with the gradient; ``place`` of the picture among those of the run."""

    shift: str
    how: str
    place: int


@dataclass(frozen=True, eq=False)
class Findings:
    """One picture of a training, and accuracies over all of it.

    step : how many steps were trained before this picture; steps : of all pictures
    field : float (G, G), the head's score for the second class over ``frame``, (low, high) of both axes
    source, target : float (N, 2), (M, 2), where points lie; source_labels, target_labels : 0 or 1
    source_scores, target_scores : float (N, 2), (M, 2): the head's score for the second class, the domain
        classifier's score for the source; reach : (largest absolute score of each kind) over all pictures
    domain_accuracy, accuracy : (estimate, low, high) at every picture, of the domain classifier and of the network
        on the target's test points
    n : test points
    """

    state: State
    step: int
    steps: tuple[int, ...]
    field: np.ndarray
    frame: tuple[tuple[float, float], tuple[float, float]]
    source: np.ndarray
    target: np.ndarray
    source_labels: np.ndarray
    target_labels: np.ndarray
    source_scores: np.ndarray
    target_scores: np.ndarray
    reach: tuple[float, float]
    domain_accuracy: tuple[Spread, ...]
    accuracy: tuple[Spread, ...]
    n: int
    seeds: int


def compute(data: Sequence[Mapping], state: State) -> Findings:
    """What the training looked like at the chosen picture.

    Parameters
    ----------
    data : one dict a case: ``shift``, ``how``, ``steps``; ``frame``, ``source``, ``target`` and their ``…_labels``;
        ``field`` and ``…_scores``, ``domain_accuracy`` and ``accuracy``, one for each step; ``n`` and ``seeds``
    state : a case of ``data`` and a place among its steps

    Raises
    ------
    UserError
        when there is no such case or step, or a case lacks something.
    """
    if not data:
        raise UserError("the domain replay has no case to show; give it one or more.")
    for case in data:
        missing = [key for key in _KEYS if key not in case]
        if missing:
            raise UserError(f"a case of the domain replay lacks {', '.join(missing)}; see compute().")
    case = next((c for c in data if (c["shift"], c["how"]) == (state.shift, state.how)), None)
    if case is None or not 0 <= state.place < len(case["steps"]):
        known = ", ".join(f"{c['how']} on {c['shift']}" for c in data)
        raise UserError(
            f"the domain replay has {known}, each with a place for every stored step, not {state.how} on "
            f"{state.shift} at place {state.place}."
        )
    scores = {key: np.asarray(case[key], float) for key in ("source_scores", "target_scores")}
    # one reach for watched and reversed runs alike, so that what looks smaller is smaller
    rivals = [c for c in data if c["shift"] == state.shift]
    every = np.concatenate(
        [np.abs(np.asarray(c[key], float)).reshape(-1, 2) for c in rivals for key in scores]
    )
    reach = tuple(float(1.08 * r) for r in np.quantile(every, 0.995, axis=0))
    return Findings(
        state, case["steps"][state.place], tuple(case["steps"]), np.asarray(case["field"][state.place], float),
        tuple(case["frame"]), np.asarray(case["source"], float), np.asarray(case["target"], float),
        np.asarray(case["source_labels"]), np.asarray(case["target_labels"]),
        scores["source_scores"][state.place], scores["target_scores"][state.place], reach,
        tuple(map(tuple, case["domain_accuracy"])), tuple(map(tuple, case["accuracy"])), case["n"], case["seeds"],
    )  # fmt: skip


def sentence(found: Findings) -> str:
    """How often the domain classifier and the network are right at this step."""
    at = found.state.place
    told, right = found.domain_accuracy[at], found.accuracy[at]
    return (
        f"{found.state.shift}, {found.state.how}, after {count(found.step, 'step')}: the domain classifier is right in "
        f"{_said(told)}, the network on the target in {_said(right)} (95 % intervals; n = "
        f"{count(found.n, 'test point')}, {count(found.seeds, 'seed')})"
    )


def _said(spread: Spread) -> str:
    middle, low, high = (min(max(value, 0.0), 1.0) for value in spread)
    return f"{percent(middle)} ({percent(low, '')} to {percent(high, '')})"


def first(data: Sequence[Mapping]) -> State:
    """Where the view begins: the first case, before any step."""
    return State(data[0]["shift"], data[0]["how"], 0)


def static(data: Sequence[Mapping], state: State | None = None) -> Card:
    """The figure at one step; of the last case at its end when ``state`` is None."""
    if state is None:
        last = data[-1]
        state = State(last["shift"], last["how"], len(last["steps"]) - 1)
    found = compute(data, state)
    return draw(found, sentence(found))


def view(data: Sequence[Mapping], state: State | None = None):
    """The replay as a widget: steps by a play button, drag, click or arrow keys, cases by menus."""
    from ipywidgets import Dropdown, HBox, Layout, SelectionSlider, VBox

    from transferlab.widgets.live import live
    from transferlab.widgets.player import player

    state = state or first(data)
    compute(data, state)
    shifts, hows = (list(dict.fromkeys(case[key] for case in data)) for key in ("shift", "how"))
    steps = data[0]["steps"]
    shift = Dropdown(options=shifts, value=state.shift, description="target", layout=Layout(width="380px"))
    how = Dropdown(options=hows, value=state.how, description="gradient")
    step = SelectionSlider(
        options=[(f"{n} steps", i) for i, n in enumerate(steps)], value=state.place, description="after",
        continuous_update=False, layout=Layout(width="420px"),
    )  # fmt: skip
    play, clock = player(step, "play the training from here; at its end, from the beginning")
    picture = live([shift, how, step], lambda: static(data, State(shift.value, how.value, step.value)))
    return VBox([HBox([shift, how]), HBox([play, step, clock]), picture])
