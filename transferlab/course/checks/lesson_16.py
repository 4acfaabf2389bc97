"""What the exercises of lesson 16 accept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from transferlab.course.checks.verdict import Right, Wrong, exercise

Curves = dict[str, np.ndarray]
_BUDGETS = np.array([10, 20, 40, 80])
#: Validation and test curves, and the budget asked about. Each case shows other mistakes.
_CASES: tuple[tuple[dict, dict, int], ...] = (
    # the test prefers the other strategy
    ({"a": [0.30, 0.52, 0.60, 0.74], "b": [0.22, 0.40, 0.56, 0.66]},
     {"a": [0.30, 0.38, 0.50, 0.60], "b": [0.28, 0.47, 0.62, 0.70]}, 20),
    # the rival dips and never gets there
    ({"a": [0.31, 0.45, 0.50, 0.61], "b": [0.35, 0.58, 0.55, 0.72]},
     {"a": [0.30, 0.44, 0.51, 0.60], "b": [0.36, 0.57, 0.59, 0.70]}, 80),
    # the better one dips at the budget, the rival's curve dips before it gets there
    ({"a": [0.20, 0.54, 0.48, 0.70], "b": [0.25, 0.42, 0.36, 0.66]},
     {"a": [0.21, 0.52, 0.55, 0.70], "b": [0.24, 0.41, 0.42, 0.64]}, 40),
    # the rival is there with its first budget
    ({"a": [0.62, 0.71, 0.75, 0.80], "b": [0.64, 0.70, 0.73, 0.78]},
     {"a": [0.60, 0.70, 0.76, 0.80], "b": [0.61, 0.66, 0.70, 0.75]}, 10),
)  # fmt: skip
_HINTS = (
    "Which of the two you would use is a choice, and choices are made on validation images. The test is for the "
    "report that comes afterwards.",
    "np.maximum.accumulate(curve) makes a curve monotone. The better strategy's height at the budget is what the rival "
    "has to reach; if its last height is lower, the answer is infinite.",
    "Where it gets there: np.interp(height, rival, budgets) gives the rival's labels. Divide them by the budget.",
)


def _better(curves: Curves, budget: int, monotone: bool = True) -> str:
    at, rise = _BUDGETS.tolist().index(budget), np.maximum.accumulate if monotone else np.asarray
    return max(curves, key=lambda name: rise(curves[name])[at])


def _needed(curves: Curves, budget: int, better: str, monotone: bool = True) -> float:
    """Labels that the other one needs for what ``better`` has at the budget; infinite where it never gets there."""
    rise = np.maximum.accumulate if monotone else np.asarray
    height = rise(curves[better])[_BUDGETS.tolist().index(budget)]
    curve = next(rise(curve) for name, curve in curves.items() if name != better)
    reached = np.flatnonzero(curve >= height - 1e-12)
    if not len(reached):
        return np.inf
    k = slice(max(0, reached[0] - 1), reached[0] + 1)
    return float(np.interp(height, curve[k], _BUDGETS[k]))


@exercise(required=True)
def labels_saved(answer):
    """A function of budgets, validation and test curves, and a budget: the better strategy and the rival's factor."""
    if not callable(answer):
        return Wrong("This is no function: two other curves have to be read as well.", hints=_HINTS)
    for validation, test, budget in _CASES:
        found = _mistake(answer, {n: np.array(c) for n, c in validation.items()},
                         {n: np.array(c) for n, c in test.items()}, budget)  # fmt: skip
        if found:
            return Wrong(found, hints=_HINTS)
    return Right(
        "Chosen on validation, monotone, never continued beyond the last budget, and in labels: that can be paid for."
    )


def _mistake(answer: Callable, validation: Curves, test: Curves, budget: int) -> str:
    """What is wrong with the answer to one case; nothing where it is right."""
    given_curves = {name: curve.copy() for name, curve in validation.items()}
    given = answer(_BUDGETS.copy(), given_curves, test, budget)
    if not isinstance(given, tuple | list) or len(given) != 2:
        return "Two things are to come out: the name of the better strategy, and the rival's factor."
    if any(not np.array_equal(given_curves[n], validation[n]) for n in validation):
        return "It changes the curves that it was given; take copies."
    name, better = given[0], _better(validation, budget)
    if name != better:
        return _wrong_name(name, validation, test, budget)
    if not isinstance(given[1], int | float | np.number) or np.isnan(given[1]):
        return "The factor is a number: how many times the budget the rival needs, infinite where it never gets there."
    needed = _needed(validation, budget, better)
    if not np.isclose(given[1], needed / budget, atol=1e-6):
        wrong = _never_there if np.isinf(needed) else _wrong_factor
        return wrong(float(given[1]), validation, test, budget)
    praised = {
        name: 0 * curve + (name != better) for name, curve in test.items()
    }  # the test praises the rival
    again = answer(_BUDGETS.copy(), validation, praised, budget)
    return "" if again[0] == name and np.isclose(again[1], given[1]) else _PEEKS


_PEEKS = (
    "Other test curves change what comes out: this chooses, or counts, by the test. Then the test no longer tells "
    "anything, since it took part."
)
_ACCURACY = (
    "This is a difference of accuracies. Near the ceiling a small one can be worth many labels; read along the labels, "
    "not along the accuracy."
)
_DIPS = "The curves are not made monotone: a dip makes the labels too many or the height too low."


def _wrong_name(name, validation: Curves, test: Curves, budget: int) -> str:
    if name not in validation:
        return f"The better strategy is one of {' and '.join(validation)}, not {name!r}."
    if _better(test, budget) == name:
        return (
            "The better strategy was chosen by the test. That leaks: the test says which one, and then praises it. "
            "Choose on validation."
        )
    if _better(validation, budget, monotone=False) == name:
        return "This compares the curves before they are monotone: a dip at the budget decides."
    if _better(validation, int(_BUDGETS[-1])) == name:
        return "This is the better one at the last budget, not at the one asked about."
    return "On validation, at this budget, the other one is better."


def _ahead(validation: Curves, budget: int) -> float:
    """By how much the better one is more accurate at the budget."""
    at = _BUDGETS.tolist().index(budget)
    return float(abs(np.diff([np.maximum.accumulate(curve)[at] for curve in validation.values()])[0]))


def _never_there(factor: float, validation: Curves, test: Curves, budget: int) -> str:
    most = _BUDGETS[-1] / budget
    if np.isclose(factor, most):
        return (
            "The rival never gets there, and the last budget is no answer: say infinite, more than was tried."
        )
    if factor > most:
        return "This continues the rival's curve beyond its last budget, where nobody measured; say infinite."
    if np.isclose(factor % 1, _ahead(validation, budget)):
        return _ACCURACY
    return "The rival never reaches it with the budgets tried: the factor is infinite."


def _wrong_factor(factor: float, validation: Curves, test: Curves, budget: int) -> str:
    better = _better(validation, budget)
    needed = _needed(validation, budget, better)
    known = {
        "The ratio is turned round: the rival's labels stand above the fraction line.": budget / needed,
        "These are labels; divide them by the budget.": needed,
        "These are labels saved, a difference; the factor is asked for.": needed - budget,
        _ACCURACY: _ahead(validation, budget),
        "This counts by the test's curves; the test has no part in it.": _needed(test, budget, better)
        / budget,
        "This is the first budget that is enough; between two budgets, interpolate.": (
            _BUDGETS[np.searchsorted(_BUDGETS, needed)] / budget
        ),
        _DIPS: _needed(validation, budget, better, monotone=False) / budget,
    }
    for why, value in known.items():
        if np.isclose(factor, value, atol=1e-6) or (why == _ACCURACY and np.isclose(factor, 100 * value)):
            return why
    return "This is not the rival's labels, interpolated linearly between two budgets, over the budget."


@exercise()
def interaction(answer):
    """A function of four counts of right answers and n: the gain from choosing with transfer less without, log odds."""
    hints = (
        "Four numbers become four log odds first; differences come afterwards.",
        "Log odds of k right of n: log((k + 0.5) / (n - k + 0.5)). The 0.5 keeps 0 and n finite.",
        "(transferred, chosen - transferred, random) - (scratch, chosen - scratch, random), all four in log odds.",
    )
    if not callable(answer):
        return Wrong("This is no function: other counts have to go in as well.", hints=hints)
    for counts, n in (((200, 320, 640, 720), 800), ((30, 45, 80, 90), 100), ((10, 10, 50, 60), 60)):
        given = float(answer(*counts, n))
        if not np.isclose(given, _contrast(_odds(np.array(counts), n)), atol=1e-6):
            return Wrong(_interaction_mistake(given, np.array(counts, float), n), hints=hints)
    return Right(
        "In log odds a gain near the ceiling counts as much as one in the middle: the ceiling fakes no interaction."
    )


def _odds(k: np.ndarray, n: int, added: float = 0.5) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(k + added) - np.log(n - k + added)


def _contrast(four: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):
        return float(four[3] - four[2] - (four[1] - four[0]))


def _interaction_mistake(given: float, k: np.ndarray, n: int) -> str:
    odds, share = _odds(k, n), k / n
    with np.errstate(divide="ignore", invalid="ignore"):
        known = {
            "This is the interaction on plain accuracy: the ceiling alone makes it negative.": _contrast(
                share
            ),
            "This is the interaction in points of accuracy: the ceiling alone makes it negative.": _contrast(
                100 * share
            ),
            "This is the interaction of counts; take log odds first.": _contrast(k),
            "The sign is turned: with transfer comes first, without is taken off.": -_contrast(odds),
            "These are logs of accuracies, not of odds; wrong answers count as well.": _contrast(
                np.log(share)
            ),
            "Without 0.5 added the log odds are infinite where all or none are right, and a little off elsewhere.": (
                _contrast(_odds(k, n, 0.0))
            ),
            "These are odds without their logarithm.": _contrast((k + 0.5) / (n - k + 0.5)),
            "These are logarithms to base 2 or 10; take natural ones.": _contrast(odds) / np.log(2),
            "This is the gain from choosing with transfer alone; take off the gain without it.": odds[3]
            - odds[2],
            "Both gains are added; the interaction is their difference.": odds[3]
            - odds[2]
            + odds[1]
            - odds[0],
            "This is the gain from transfer with chosen images alone.": odds[3] - odds[1],
        }
        known_ten = _contrast(odds) / np.log(10)
    for why, value in known.items():
        if given == value or np.isclose(given, value, atol=1e-6, equal_nan=True):
            return why
    if np.isclose(given, known_ten, atol=1e-6):
        return "These are logarithms to base 2 or 10; take natural ones."
    return "This is not the difference between the two gains in log odds."


@exercise()
def crossover(answer):
    """A function of labels and fixed costs of two ways: the price of a label at which both cost the same, or None."""
    hints = (
        "Each way costs its labels times the price, and its fixed costs.",
        "Set the two sums equal and solve for the price. It must be above 0 and known.",
        "(fixed_b - fixed_a) / (labels_a - labels_b), None where that is not above 0, or labels are equal or infinite.",
    )
    if not callable(answer):
        return Wrong("This is no function: other labels and costs have to go in as well.", hints=hints)
    for a, fixed_a, b, fixed_b in ((240, 0.0, 40, 30.0), (60, 50.0, 100, 10.0)):
        given = answer(a, fixed_a, b, fixed_b)
        price = (fixed_b - fixed_a) / (a - b)
        if given is None or not np.isclose(float(given), price, atol=1e-6):
            return Wrong(_price_mistake(given, (a, fixed_a, b, fixed_b)), hints=hints)
    for case, why in (
        (
            (100, 10.0, 40, 5.0),
            "One way needs fewer labels and less besides: it is never the dearer, so None.",
        ),
        (
            (100, 5.0, 40, 5.0),
            "With equal fixed costs the way with fewer labels is never the dearer, so None.",
        ),
        (
            (60, 0.0, 60, 30.0),
            "With as many labels no price of a label makes up for the fixed costs, so None.",
        ),
        (
            (np.inf, 0.0, 40, 30.0),
            "One way never gets there: its labels are not known, so neither is the price.",
        ),
    ):
        if answer(*case) is not None:
            return Wrong(why, hints=hints)
    return Right("Above that price the way with fewer labels is the cheaper one; below it, the other.")


def _price_mistake(given, case: tuple) -> str:
    a, fixed_a, b, fixed_b = case
    if given is None:
        return "Here the two lines do cross at a price above 0."
    known = {
        "The sign is turned: a price is above 0.": (fixed_b - fixed_a) / (b - a),
        "The fraction is turned round: money over labels.": (a - b) / (fixed_b - fixed_a),
        "These are the total costs or the like; the price of one label is asked for.": fixed_b - fixed_a,
        "The labels are added; what counts is how many more one way needs.": (fixed_b - fixed_a) / (a + b),
        "The fixed costs are added; what counts is how much more one way costs.": (fixed_b + fixed_a)
        / (a - b),
    }
    for why, value in known.items():
        if np.isclose(float(given), value, atol=1e-6):
            return why
    return "At this price the two ways do not cost the same; put it into both sums and see."
