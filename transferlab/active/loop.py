"""The loop of active learning: pick, ask, train, record; it goes on where a kill left it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from transferlab.active.oracles import Answer, checked_prices
from transferlab.active.query_log import Query, QueryLog
from transferlab.active.rounds import Learner, LoopResult, Oracle, Round, State
from transferlab.active.strategies import STRATEGIES, checked_strategy, query, round_seed
from transferlab.errors import UserError

_SILENCE = 20  # abstentions in a row after which nobody is there


def run_loop(
    learner: Learner,
    oracle: Oracle,
    batches: Sequence[int],
    *,
    strategy: str = "margin",
    first: str = "random",
    picker: Learner | None = None,
    stopping: Sequence[Callable] = (),
    prices=None,
    folder: str | Path | None = None,
    seed: int = 0,
) -> LoopResult:
    """Ask for labels in batches, learn after each, and record; the test stays sealed.

    The first batch is picked by ``first``, which sees no label. As long as the labels are of fewer than two classes
    no learner can be fitted: answers are then the shares of the labels so far, and images are picked by ``first``.
    An image on which the oracle abstained counts as asked and is not asked again.

    Parameters
    ----------
    learner : what is trained and recorded, see :class:`~transferlab.active.rounds.Learner`
    oracle : who is asked, such as :class:`~transferlab.active.oracles.HiddenLabels`
    batches : how many images each round asks for, the first labelled set included
    strategy, first : names of :data:`~transferlab.active.strategies.STRATEGIES`; ``first`` is given equal probabilities
    picker : what picks, where that is another than ``learner``
    stopping : rules of :mod:`transferlab.active.stopping`, asked after each round
    prices : float (N,), what the strategy is told of prices; the oracle's answers say what was paid
    folder : where queries and rounds are kept; the same loop, started again after a kill, goes on there

    Raises
    ------
    UserError
        when the pool is smaller than what is to be asked, a name is not known, the oracle's answers do not fit, or
        the folder holds another loop.

    Examples
    --------
    >>> from transferlab.active.learners import HeadLearner
    >>> from transferlab.active.oracles import HiddenLabels
    >>> x = np.random.default_rng(0).normal(size=(80, 2)); y = (x[:, 0] > 0).astype(int)
    >>> found = run_loop(HeadLearner(x[:60], x[60:], 2), HiddenLabels(y[:60]), [4, 4, 4], strategy="margin")
    >>> [r.asked for r in found.rounds], found.rounds[-1].unseen.shape
    ([4, 8, 12], (20, 2))
    """
    plan = _checked_plan(batches, len(oracle), strategy, first)
    known_prices = None if prices is None else checked_prices(prices, len(oracle))
    settings = _settings(oracle, strategy, first, learner, picker, known_prices, seed)
    log = QueryLog(folder, settings)
    _check_log(log, plan)
    state = State(learner, learner if picker is None else picker, oracle.classes, seed)
    rounds: list[Round] = []
    wanted = {rule.needs for rule in stopping}
    for number, n in enumerate(plan):
        note = _ask(log, oracle, state, number, n, strategy if number else first, first, known_prices)
        state.learn(log.until(number))
        rounds.append(_round(log, state, number, wanted, note))
        why = _nobody_there(log.until(number), number) or next(
            (s for rule in stopping if (s := rule(rounds))), ""
        )
        if why:
            return LoopResult(tuple(rounds), tuple(log.queries), why)
    why = "" if rounds[-1].labelled else f"the oracle gave no label for {rounds[-1].asked} images"
    return LoopResult(tuple(rounds), tuple(log.queries), why)


def _ask(log, oracle, state, number, n, name, first, prices) -> str:  # noqa: PLR0917
    """Ask what this round still lacks; what went another way than planned, in words."""
    note = ""
    if number and state.classes_seen < 2 and name != first:
        name, note = (
            first,
            f"labels of {state.classes_seen} class so far: picked by {first}, nothing can be fitted",
        )
    if "features" in STRATEGIES[name].needs and not _can_features(state, number):
        name, note = "random", f"no features before the first fit: picked at random instead of by {name}"
    have = [a.position for a in log.of_round(number)]
    if len(have) == n:
        return note
    asked = np.array([q.answer.position for q in log.until(number - 1)], np.int64)
    picks = _picks(state, name, asked, n, prices, number, len(oracle))
    if have != picks[: len(have)].tolist():
        raise UserError(f"the log in {str(log.folder)!r} was not written by this loop; use another folder.")
    for position in picks[len(have) :]:
        log.add(number, _answer(oracle, int(position)))
    return note


def _can_features(state: State, number: int) -> bool:
    return state.classes_seen >= 2 or state.picker.start_features is not None


def _picks(state, name, asked, n, prices, number, size) -> np.ndarray:  # noqa: PLR0917
    needs = STRATEGIES[name].needs
    given = {"labelled": asked, "n": n, "prices": prices, "seed": round_seed(state.seed, number)}
    fitted = state.classes_seen >= 2
    if "features" in needs:
        given["features"] = state.fit(state.picker).features if fitted else state.picker.start_features
    if "draws" in needs:
        given["probabilities"] = state.fit(state.picker).draws
    elif "probabilities" in needs:
        equal = np.full((size, state.classes), 1 / state.classes)
        given["probabilities"] = state.fit(state.picker).pool if fitted else equal
    if not needs:
        given["features"] = np.zeros((size, 1))  # says how large the pool is
    return query(name, **given)


def _answer(oracle: Oracle, position: int) -> Answer:
    found = oracle.ask([position])
    if len(found) != 1 or found[0].position != position:
        raise UserError(f"the oracle was asked for image {position} and answered something else.")
    label = found[0].label
    if label is not None and not 0 <= label < oracle.classes:
        raise UserError(
            f"the oracle gave image {position} the label {label}, which is none of {oracle.classes} classes."
        )
    return found[0]


def _round(log: QueryLog, state: State, number: int, wanted: set[str], note: str) -> Round:
    kept = log.stored(number) or {}
    if not kept or not {"predictions"} & wanted <= kept.keys() or not {"held_out"} & wanted <= kept.keys():
        kept = _learnt(state, wanted)
        log.store(number, kept)
    paid = [q.answer.price for q in log.until(number)]
    return Round(
        number,
        np.array([a.position for a in log.of_round(number)], np.int64),
        len(paid),
        len(state.labels),
        float(sum(paid)),
        kept["unseen"],
        kept.get("predictions"),
        None if np.isnan(kept.get("held_out", np.nan)) else float(kept["held_out"]),
        state.classes_seen,
        note,
    )


def _learnt(state: State, wanted: set[str]) -> dict[str, np.ndarray]:
    if state.classes_seen < 2:
        unseen = np.tile(state.shares, (state.learner.n_unseen, 1))
        rest = {"predictions": np.zeros(0, np.int64), "held_out": np.array(np.nan)}
        return {"unseen": unseen, **{name: value for name, value in rest.items() if name in wanted}}
    fit = state.fit(state.learner)
    kept = {"unseen": np.asarray(fit.unseen)}
    if "predictions" in wanted:
        kept["predictions"] = np.asarray(fit.pool).argmax(1)
    if "held_out" in wanted:
        kept["held_out"] = np.array(np.nan if fit.held_out is None else fit.held_out)
    return kept


def _nobody_there(queries: Sequence[Query], number: int) -> str:
    last = [q for i, q in enumerate(queries) if i >= len(queries) - _SILENCE or q.round == number]
    if len(last) >= _SILENCE and all(q.answer.label is None for q in last):
        return f"the oracle abstained on the last {len(last)} images; ask somebody else"
    return ""


def _checked_plan(batches, n: int, strategy: str, first: str) -> list[int]:
    plan = list(batches)
    if not plan or not all(isinstance(b, (int, np.integer)) and b >= 1 for b in plan):
        raise UserError(
            "batches say how many images each round asks for: whole numbers from 1 on, one or more."
        )
    if sum(plan) > n:
        raise UserError(
            f"the pool has {n} images, fewer than the {sum(plan)} to be asked; ask for at most {n}."
        )
    for name in (strategy, first):
        checked_strategy(name)
    if "draws" in STRATEGIES[first].needs:
        raise UserError(
            f"nothing is fitted yet when the first images are picked; {first!r} needs that, use random."
        )
    return [int(b) for b in plan]


def _settings(oracle, strategy, first, learner, picker, prices, seed) -> dict:  # noqa: PLR0917
    return {
        "strategy": strategy, "first": first, "seed": int(seed), "pool": len(oracle), "classes": int(oracle.classes),
        "learner": learner.key, "picker": "" if picker is None else picker.key,
        "prices": None if prices is None else prices.tolist(),
    }  # fmt: skip


def _check_log(log: QueryLog, plan: Sequence[int]) -> None:
    """Every round but the last of a log has to be as long as planned."""
    counts = np.bincount(np.array([q.round for q in log.queries], np.int64), minlength=1)
    good = len(counts) <= len(plan) and counts[:-1].tolist() == list(plan[: len(counts) - 1])
    if not good or counts[-1] > plan[len(counts) - 1]:
        raise UserError(
            f"the log in {str(log.folder)!r} has other batches than {list(plan)}; give those it was started with, "
            "or use another folder."
        )
