"""Embedding morph: move the source towards the target, watch both domains, and see what it does to the answers.

In lesson 10 (the cases come from ``lesson10_morph.cases``):

>>> from transferlab.widgets import embedding_morph, show
>>> show(embedding_morph.view(cases), embedding_morph.static(cases))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.errors import UserError
from transferlab.viz import Card, percent
from transferlab.viz.words import count
from transferlab.widgets.morph_card import draw

_KEYS = (
    "pair", "method", "strengths", "classes", "source", "aligned", "target", "source_labels", "target_labels",
    "accuracy", "gain", "n", "seeds",
)  # fmt: skip
Spread = tuple[float, float, float]


@dataclass(frozen=True)
class State:
    """Which pair of domains and method; ``step`` is the place of the chosen strength among those of the case."""

    pair: str
    method: str
    step: int


@dataclass(frozen=True, eq=False)
class Findings:
    """Both domains at one strength, and the accuracies at all.

    source, target : float (N, 2), (M, 2), where the points are drawn; frame : (low, high) of each axis, the same
        at every strength; source_names, target_names : the class of each point
    accuracy : (estimate, low, high) at every strength, fractions; gain : the same of the difference to strength 0
    n : test images
    """

    state: State
    strengths: tuple[float, ...]
    source: np.ndarray
    target: np.ndarray
    frame: tuple[tuple[float, float], tuple[float, float]]
    source_names: tuple[str, ...]
    target_names: tuple[str, ...]
    accuracy: tuple[Spread, ...]
    gain: tuple[Spread, ...]
    n: int
    seeds: int

    @property
    def strength(self) -> float:
        """0: the source as it is, 1: aligned."""
        return self.strengths[self.state.step]


def compute(data: Sequence[Mapping], state: State) -> Findings:
    """Both domains in two dimensions at the chosen strength.

    Parameters
    ----------
    data : one dict a case: ``pair``, ``method``, ``strengths`` (from 0 to 1), ``classes`` (names); ``source`` and
        ``aligned`` (N, D), features of the same source samples before and after; ``target`` (M, D);
        ``source_labels``, ``target_labels``; ``accuracy`` and ``gain`` ([estimate, low, high] at each strength, the
        gain against strength 0), ``n`` test images, ``seeds``

    Raises
    ------
    UserError
        when a case lacks a field, or there is no such pair, method or step.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(4, 3))
    >>> case = {"pair": "p", "method": "m", "strengths": [0, 1], "classes": ["a", "b"], "source": x, "aligned": x + 1,
    ...         "target": x + 1, "source_labels": [0, 1, 0, 1], "target_labels": [0, 1, 0, 1], "n": 9, "seeds": 2,
    ...         "accuracy": [[0.5, 0.4, 0.6]] * 2, "gain": [[0.0, 0.0, 0.0]] * 2}
    >>> bool(np.allclose(*[getattr(compute([case], State("p", "m", 1)), d) for d in ("source", "target")]))
    True
    """
    lacking = [key for case in data for key in _KEYS if key not in case]
    if lacking or not data:
        raise UserError(
            f"a case of the embedding morph has no {lacking[0]!r}; make the cases anew."
            if lacking
            else "the embedding morph has no case to show; give at least one."
        )
    case = next((c for c in data if (c["pair"], c["method"]) == (state.pair, state.method)), None)
    if case is None or not 0 <= state.step < len(case["strengths"]):
        known = ", ".join(f"{c['method']} on {c['pair']}" for c in data)
        raise UserError(
            f"the embedding morph has {known}, each with a step for every strength, not {state.method} on "
            f"{state.pair} with step {state.step}."
        )
    n, steps = len(case["source"]), paths(case)
    both = np.concatenate(steps)
    margin = 0.04 * np.ptp(both, axis=0)
    frame = tuple(
        (float(a), float(b)) for a, b in zip(both.min(0) - margin, both.max(0) + margin, strict=True)
    )
    names = [tuple(case["classes"][k] for k in case[f"{d}_labels"]) for d in ("source", "target")]
    return Findings(
        state, tuple(case["strengths"]), steps[state.step][:n], steps[state.step][n:], frame, *names,
        tuple(map(tuple, case["accuracy"])), tuple(map(tuple, case["gain"])), case["n"], case["seeds"],
    )  # fmt: skip


def paths(case: Mapping) -> list[np.ndarray]:
    """Source and target (N + M, 2) at every strength: two principal components of both, kept steady by the target."""
    before, after, target = (np.asarray(case[key], float) for key in ("source", "aligned", "target"))
    tables = [np.concatenate([(1 - t) * before + t * after, target]) for t in case["strengths"]]
    return steady([_two_components(table) for table in tables], np.arange(len(target)) + len(before))


def steady(steps: Sequence[np.ndarray], anchors: np.ndarray | None = None) -> list[np.ndarray]:
    """Each picture moved, turned and, where needed, mirrored onto the one before (Procrustes; Schönemann 1966).

    Principal components have no sign, and near ties they turn; so the picture would jump where the data do not.
    Nothing is stretched: distances within a step stay what they were.

    Parameters
    ----------
    steps : (N, 2) each, the same points in the same order
    anchors : rows that are to keep their places as well as they can; all when None

    Examples
    --------
    >>> triangle = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    >>> bool(np.allclose(steady([triangle, -triangle[:, ::-1] + 5])[1], triangle))
    True
    """
    rows = slice(None) if anchors is None else anchors
    found = [np.asarray(steps[0], float)] if len(steps) else []
    for step in steps[1:]:
        here, there = np.asarray(step, float), found[-1]
        a, b = here[rows].mean(0), there[rows].mean(0)
        u, _, v = np.linalg.svd((here[rows] - a).T @ (there[rows] - b))
        found.append((here - a) @ (u @ v) + b)
    return found


def _two_components(table: np.ndarray) -> np.ndarray:
    centred = table - table.mean(0)
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T


def sentence(found: Findings) -> str:
    """What the chosen strength does to the accuracy on the target, against the source as it is."""
    start = found.accuracy[0]
    pair, method = found.state.pair, found.state.method
    ground = f"n = {count(found.n, 'test image')}, {count(found.seeds, 'seed')}"
    if not found.strength:
        ends = f"95 % interval {percent(start[1], '')} to {percent(start[2], '')}"
        return f"{pair}, source as it is: {percent(start[0])} right on the target ({ends}; {ground})"
    d, low, high = (100 * value for value in found.gain[found.state.step])
    verdict = "better" if low > 0 else "worse" if high < 0 else "not told apart"
    return (
        f"{pair}, {method} at strength {found.strength:g}: {percent(found.accuracy[found.state.step][0])} right on the "
        f"target against {percent(start[0])} as it is, {verdict} ({d:+.0f} points, 95 % interval {low:+.0f} to "
        f"{high:+.0f}; {ground})"
    )


def first(data: Sequence[Mapping]) -> State:
    """Where the view begins: the first case, as it is."""
    return State(data[0]["pair"], data[0]["method"], 0)


def static(data: Sequence[Mapping], state: State | None = None) -> Card:
    """The figure at one strength; of the first case, aligned, when ``state`` is None."""
    if state is None:
        start = first(data)
        state = State(start.pair, start.method, len(data[0]["strengths"]) - 1)
    found = compute(data, state)
    return draw(found, sentence(found))


def view(data: Sequence[Mapping], state: State | None = None):
    """The morph as a widget: strength by drag, click or arrow keys, pair and method by menus."""
    from ipywidgets import Dropdown, HBox, Layout, SelectionSlider, VBox

    from transferlab.widgets.live import live

    state = state or first(data)
    compute(data, state)
    strengths = data[0]["strengths"]
    names = [f"{t:g}{' (as it is)' if not t else ' (aligned)' if t == 1 else ''}" for t in strengths]
    pairs, methods = (list(dict.fromkeys(case[key] for case in data)) for key in ("pair", "method"))
    wide = Layout(width="420px")
    pair = Dropdown(options=pairs, value=state.pair, description="domains", layout=wide)
    method = Dropdown(options=methods, value=state.method, description="method")
    strength = SelectionSlider(
        options=[(name, i) for i, name in enumerate(names)], value=state.step, description="strength",
        continuous_update=False, layout=wide,
    )  # fmt: skip
    picture = live(
        [pair, method, strength], lambda: static(data, State(pair.value, method.value, strength.value))
    )
    return VBox([HBox([pair, method]), strength, picture])
