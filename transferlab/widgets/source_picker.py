"""Source picker: spend a budget of probes on candidate sources, place a bet, then see the truth.

In lesson 08 (the grid comes from ``transferlab course grid 08_truth``; its trials are taken as they are):

>>> from transferlab.widgets import show, source_picker
>>> data = source_picker.candidates(stored_grid("08_truth"), "fine-tuned")  # doctest: +SKIP
>>> show(source_picker.view(data, budget=4), source_picker.static(data, budget=4))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from transferlab.errors import UserError
from transferlab.viz import Card, percent, sentence
from transferlab.viz.words import count
from transferlab.widgets.picker_card import draw

BUDGET = 4
NOT_YET = "not yet"
Spread = tuple[float, float, float]


@dataclass(frozen=True)
class State:
    """Which target and score, the sources ``probed`` so far, and the ``bet`` (None: not yet placed)."""

    target: str
    score: str
    probed: tuple[str, ...] = ()
    bet: str | None = None
    budget: int = BUDGET


@dataclass(frozen=True)
class Candidate:
    """A source as the player knows it: ``score`` after a probe, ``truth`` after the bet; None while hidden.

    score : (mean, low, high) over draws of labels; ``undefined`` when the probe shows that it has no such score
    truth : (accuracy, low, high) on the test, fractions
    """

    name: str
    score: Spread | None
    truth: Spread | None
    undefined: bool = False


@dataclass(frozen=True)
class Findings:
    """The game as it stands.

    left : probes that can still be made; best : the source with the highest accuracy, once the bet is placed
    behind : points by which the bet is behind ``best``; average_behind : the same of a source drawn by lot
    told_apart : whether the intervals of bet and best do not overlap
    """

    state: State
    candidates: tuple[Candidate, ...]
    left: int
    best: str | None
    behind: float | None
    average_behind: float | None
    told_apart: bool
    n: int
    seeds: int


def candidates(trials: Sequence[Mapping], truth: str) -> list[dict]:
    """What the picker plays with, from trials as the grid of lesson 08 has them.

    Parameters
    ----------
    trials : one dict a target: ``target``, ``sources``, ``seeds``, ``n_test``, ``scores`` (name to seeds by sources,
        None where undefined) and ``truth`` (method to seeds by sources, accuracies)
    truth : the method whose accuracy is the truth, such as ``"fine-tuned"``

    Returns
    -------
    list of dicts: ``target``, ``n``, ``seeds``, ``sources``, ``scores`` (name to [mean, low, high] or None for each
    source, over seeds) and ``truth`` ([accuracy, low, high] for each source, over seeds and test images)

    Examples
    --------
    >>> trial = {"target": "t", "sources": ["a", "b"], "seeds": [0, 1], "n_test": 100,
    ...          "scores": {"probe": [[0.5, None], [0.5, None]]}, "truth": {"frozen": [[0.5, 1.0], [0.5, 1.0]]}}
    >>> [found] = candidates([trial], "frozen")
    >>> found["scores"], [[round(v, 2) for v in row] for row in found["truth"]]
    ({'probe': [[0.5, 0.5, 0.5], None]}, [[0.5, 0.4, 0.6], [1.0, 0.96, 1.0]])
    """
    return [
        {
            "target": t["target"], "n": t["n_test"], "seeds": len(t["seeds"]), "sources": list(t["sources"]),
            "scores": {
                name: [_over_seeds([row[i] for row in table]) for i in range(len(t["sources"]))]
                for name, table in t["scores"].items()
            },
            "truth": [_accuracy([row[i] for row in t["truth"][truth]], t["n_test"]) for i in range(len(t["sources"]))],
        }
        for t in trials
    ]  # fmt: skip


def compute(data: Sequence[Mapping], state: State) -> Findings:
    """The game as it stands: what was not probed is hidden, and all truth until the bet is placed.

    Parameters
    ----------
    data : one dict a target, as :func:`candidates` makes them

    Raises
    ------
    UserError
        when a target lacks a field, there is no such target, score or source, or more was probed than the budget.

    Examples
    --------
    >>> data = [{"target": "t", "n": 100, "seeds": 3, "sources": ["a", "b"],
    ...          "scores": {"probe": [[0.3, 0.2, 0.4], [0.6, 0.5, 0.7]]},
    ...          "truth": [[0.4, 0.3, 0.5], [0.9, 0.85, 0.95]]}]
    >>> [c.score for c in compute(data, State("t", "probe", ("b",))).candidates]
    [None, (0.6, 0.5, 0.7)]
    >>> found = compute(data, State("t", "probe", ("b",), "a"))
    >>> found.best, round(found.behind), found.told_apart
    ('b', 50, True)
    """
    found = _target(data, state.target)
    sources, probed = found["sources"], set(state.probed)
    _check(found, state)
    open_ = state.bet is not None
    shown = tuple(
        Candidate(
            name,
            tuple(score) if name in probed and score is not None else None,
            tuple(truth) if open_ else None,
            name in probed and score is None,
        )
        for name, score, truth in zip(sources, found["scores"][state.score], found["truth"], strict=True)
    )
    left = state.budget - len(probed)
    if not open_:
        return Findings(state, shown, left, None, None, None, False, found["n"], found["seeds"])
    truth = dict(zip(sources, found["truth"], strict=True))
    best = max(sources, key=lambda name: truth[name][0])
    top, mine = truth[best], truth[state.bet]
    average = float(np.mean([row[0] for row in truth.values()]))
    return Findings(
        state, shown, left, best, 100 * (top[0] - mine[0]), 100 * (top[0] - average), mine[2] < top[1],
        found["n"], found["seeds"],
    )  # fmt: skip


def said(found: Findings) -> str:
    """The game in a sentence, with what it rests on."""
    s, ground = found.state, f"n = {count(found.n, 'test image')}, {count(found.seeds, 'seed')}"
    start = f"{sentence(s.target)}, {count(len(set(s.probed)), 'probe')} of {s.budget} by {s.score}"
    if s.bet is None:
        known = {c.name: c.score[0] for c in found.candidates if c.score is not None}
        lead = f"{max(known, key=known.get)} leads so far" if known else "nothing is known yet"
        return f"{start}: {lead} among {count(len(found.candidates), 'source')} ({ground})"
    truth = {c.name: c.truth for c in found.candidates}
    bet = f"you bet on {s.bet}, {percent(truth[s.bet][0])}"
    by_lot = f"a source drawn by lot is {found.average_behind:.0f} points behind"
    if s.bet == found.best:
        return f"{start}: {bet}, and no source is better; {by_lot} ({ground})"
    told = "" if found.told_apart else ", not to be told apart by their intervals"
    return (
        f"{start}: {bet}; {found.best} reaches {percent(truth[found.best][0])}, {found.behind:.0f} points more{told}; "
        f"{by_lot} ({ground})"
    )


def static(data: Sequence[Mapping], state: State | None = None, *, budget: int = BUDGET) -> Card:
    """The figure of a game; without ``state`` that of a whole one, played by :func:`example`."""
    found = compute(data, state or example(data, budget=budget))
    return draw(found, said(found))


def first(data: Sequence[Mapping], *, budget: int = BUDGET) -> State:
    """A game that has not begun: the first target and its first score."""
    found = _target(data, data[0].get("target") if data else None)
    return State(found["target"], next(iter(found["scores"])), budget=budget)


def example(data: Sequence[Mapping], *, budget: int = BUDGET) -> State:
    """A whole game without cunning: the first sources are probed, and the best of those is the bet."""
    state = first(data, budget=budget)
    found = _target(data, state.target)
    state = replace(state, probed=tuple(found["sources"][:budget]))
    known = [(c.score[0], c.name) for c in compute(data, state).candidates if c.score is not None]
    return replace(state, bet=max(known)[1] if known else found["sources"][0])


def view(data: Sequence[Mapping], state: State | None = None, *, budget: int = BUDGET):
    """The game as a widget: a button for each source to probe it, a menu for the bet, and one to start again.

    All of it works with Tab, Space and the arrow keys. What is probed stays known; after the bet nothing moves
    until the game is started again.
    """
    from transferlab.widgets.picker_view import Game

    state = state or first(data, budget=budget)
    compute(data, state)
    return Game(data, state).box


def _check(found: Mapping, state: State) -> None:
    named = [*state.probed, *([] if state.bet is None else [state.bet])]
    unknown = [name for name in named if name not in found["sources"]]
    if unknown:
        raise UserError(f"{state.target} has the sources {', '.join(found['sources'])}, not {unknown[0]}.")
    if state.score not in found["scores"]:
        raise UserError(f"{state.target} has the scores {', '.join(found['scores'])}, not {state.score!r}.")
    if len(set(state.probed)) > state.budget:
        raise UserError(
            f"the budget is {count(state.budget, 'probe')}; {len(set(state.probed))} were asked for."
        )


def _target(data: Sequence[Mapping], target: str | None) -> Mapping:
    found = next((each for each in data if each.get("target") == target), None)
    if found is None:
        known = ", ".join(str(each.get("target")) for each in data) or "none"
        raise UserError(f"the picker has the targets {known}, not {target!r}.")
    lacking = [key for key in ("n", "seeds", "sources", "scores", "truth") if not found.get(key)]
    if lacking:
        raise UserError(f"the picker's target {target} has no {lacking[0]!r}; make its data anew.")
    return found


def _over_seeds(values: Sequence[float | None]) -> list[float] | None:
    """Mean and Student's 95 % interval over draws of labels; None where one has no score."""
    if any(v is None for v in values):
        return None
    mean = float(np.mean(values))
    if len(values) < 2:
        return [mean] * 3
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)
    return [mean, mean - half, mean + half]


def _accuracy(values: Sequence[float], n: int) -> list[float]:
    """Mean accuracy over seeds on the same ``n`` images, with a 95 % interval.

    The score interval of Wilson (1927), with the variance of seeds counted as images that are missing.
    """
    p = float(np.mean(values))
    over_seeds = float(np.var(values, ddof=1) / len(values)) if len(values) > 1 else 0.0
    over_images = p * (1 - p) / n
    worth = n if over_images == 0 else n * over_images / (over_images + over_seeds)
    z = stats.norm.ppf(0.975)
    middle = (p + z**2 / (2 * worth)) / (1 + z**2 / worth)
    half = z / (1 + z**2 / worth) * np.sqrt(p * (1 - p) / worth + z**2 / (4 * worth**2))
    return [p, float(min(p, max(0.0, middle - half))), float(max(p, min(1.0, middle + half)))]
