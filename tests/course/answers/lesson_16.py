"""Answers to the exercises of lesson 16: right ones, and mistakes that learners make."""

import numpy as np


def saved(judge="validation", count="validation", monotone=True, at_last=False, end=None):
    """Labels saved with choices of its own at each step, as learners make them."""

    def answer(budgets, validation, test, budget):
        rise = np.maximum.accumulate if monotone else np.asarray
        curves = {"validation": validation, "test": test}
        at = -1 if at_last else list(budgets).index(budget)
        judged = {name: rise(curve) for name, curve in curves[judge].items()}
        better, rival = sorted(judged, key=lambda name: -judged[name][at])
        used = {name: rise(curve) for name, curve in curves[count].items()}
        height, curve = used[better][list(budgets).index(budget)], used[rival]
        if height > curve.max():
            needed = np.inf if end is None else end(budgets, curve, height)
        else:
            k = int(np.argmax(curve >= height))
            needed = np.interp(height, curve[k - 1 : k + 1], budgets[k - 1 : k + 1]) if k else budgets[0]
        return better, needed / budget

    return answer


def by_interp(budgets, validation, test, budget):
    at = list(budgets).index(budget)
    curves = {name: np.maximum.accumulate(curve) for name, curve in validation.items()}
    better, rival = sorted(curves, key=lambda name: -curves[name][at])
    height, curve = curves[better][at], curves[rival]
    needed = np.interp(height, curve, budgets) if height <= curve[-1] else np.inf
    return better, needed / budget


def straight_on(budgets, curve, height):
    """The last two points, continued."""
    rise = max((curve[-1] - curve[-2]) / (budgets[-1] - budgets[-2]), 1e-3)
    return budgets[-1] + (height - curve[-1]) / rise


def changed(change):
    def answer(budgets, validation, test, budget):
        name, factor = by_interp(budgets, validation, test, budget)
        return name, change(factor, budget)

    return answer


def accuracies(budgets, validation, test, budget):
    at = list(budgets).index(budget)
    (a, x), (b, y) = validation.items()
    return (a, x[at] - y[at]) if x[at] > y[at] else (b, y[at] - x[at])


def next_budget(budgets, validation, test, budget):
    name, factor = by_interp(budgets, validation, test, budget)
    return name, factor if np.isinf(factor) else budgets[np.searchsorted(budgets, factor * budget)] / budget


def in_place(budgets, validation, test, budget):
    for curve in validation.values():
        np.maximum.accumulate(curve, out=curve)
    return by_interp(budgets, validation, test, budget)


def decides_by_test(budgets, validation, test, budget):
    """Right on the checks' curves, but the test has a say: it peeks where it prefers the other by a lot."""
    name, factor = by_interp(budgets, validation, test, budget)
    other = next(n for n in validation if n != name)
    at = list(budgets).index(budget)
    return (other if test[other][at] > test[name][at] + 0.15 else name), factor


def odds(k, n, added=0.5):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(k + added) - np.log(n - k + added)


def contrast(score):
    def answer(a, b, c, d, n):
        a, b, c, d = (score(float(k), n) for k in (a, b, c, d))
        return d - c - (b - a)

    return answer


def by_table(*given):
    *four, n = given
    return np.diff(np.diff(odds(np.reshape(four, (2, 2)), n)).ravel())[0]


def price(a, fixed_a, b, fixed_b):
    if not np.isfinite([a, b]).all() or a == b:
        return None
    found = (fixed_b - fixed_a) / (a - b)
    return found if found > 0 else None


def plain(formula):
    def answer(*case):
        return None if price(*case) is None else formula(*case)

    return answer


ANSWERS = {
    "labels_saved": {
        "right": [saved(), by_interp],
        "wrong": [
            (saved(judge="test"), "chosen by the test"),
            (saved(judge="test", count="test"), "chosen by the test"),
            (saved(count="test"), "by the test's curves"),
            (saved(end=straight_on), "beyond its last budget"),
            (saved(end=lambda budgets, curve, height: budgets[-1]), "last budget is no answer"),
            (saved(monotone=False), "monotone"),
            (saved(at_last=True), "at the last budget"),
            (changed(lambda factor, budget: 1 / factor), "turned round"),
            (changed(lambda factor, budget: factor * budget), "divide them by the budget"),
            (changed(lambda factor, budget: (factor - 1) * budget), "labels saved, a difference"),
            (changed(lambda factor, budget: np.nan), "is a number"),
            (changed(lambda factor, budget: "many"), "is a number"),
            (changed(lambda factor, budget: 1.234), "not the rival's labels"),
            (accuracies, "difference of accuracies"),
            (next_budget, "first budget that is enough"),
            (in_place, "changes the curves"),
            (decides_by_test, "took part"),
            (lambda budgets, validation, test, budget: 1.5, "Two things"),
            (lambda budgets, validation, test, budget: ("c", 1.5), "is one of a and b"),
            (("a", 1.5), "no function"),
        ],
    },
    "interaction": {
        "right": [contrast(odds), by_table],
        "wrong": [
            (contrast(lambda k, n: k / n), "plain accuracy"),
            (contrast(lambda k, n: 100 * k / n), "points of accuracy"),
            (contrast(lambda k, n: k), "counts"),
            (contrast(lambda k, n: -odds(k, n)), "sign is turned"),
            (contrast(lambda k, n: np.log(k / n)), "logs of accuracies"),
            (contrast(lambda k, n: odds(k, n, 0.0)), "Without 0.5"),
            (contrast(lambda k, n: np.exp(odds(k, n))), "without their logarithm"),
            (contrast(lambda k, n: odds(k, n) / np.log(2)), "natural"),
            (contrast(lambda k, n: odds(k, n) / np.log(10)), "natural"),
            (lambda a, b, c, d, n: odds(d, n) - odds(c, n), "with transfer alone"),
            (lambda a, b, c, d, n: odds(d, n) - odds(c, n) + odds(b, n) - odds(a, n), "added"),
            (lambda a, b, c, d, n: odds(d, n) - odds(b, n), "gain from transfer"),
            (lambda a, b, c, d, n: 0.0, "not the difference"),
            (0.3, "no function"),
        ],
    },
    "crossover": {
        "right": [price],
        "wrong": [
            (lambda a, fa, b, fb: (fb - fa) / (a - b) if a != b else None, "never the dearer"),
            (lambda a, fa, b, fb: None if a == b else abs((fb - fa) / (a - b)), "never the dearer"),
            (lambda a, fa, b, fb: None if a == b or (fb - fa) / (a - b) < 0 else (fb - fa) / (a - b), "equal fixed"),
            (lambda a, fa, b, fb: price(a, fa, b, fb) if a != b else 0.0, "as many labels"),
            (lambda a, fa, b, fb: price(a, fa, b, fb) if np.isfinite(a) else 0.0, "never gets there"),
            (plain(lambda a, fa, b, fb: (fb - fa) / (b - a)), "sign is turned"),
            (plain(lambda a, fa, b, fb: (a - b) / (fb - fa)), "money over labels"),
            (plain(lambda a, fa, b, fb: fb - fa), "total costs"),
            (plain(lambda a, fa, b, fb: (fb - fa) / (a + b)), "labels are added"),
            (plain(lambda a, fa, b, fb: 7.7), "do not cost the same"),
            (lambda a, fa, b, fb: None, "do cross"),
            (0.15, "no function"),
        ],
    },
}  # fmt: skip
