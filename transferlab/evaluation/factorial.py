"""Half fractions of two-level factorials: a design, and its main and two-factor effects over seeds."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from transferlab.errors import UserError
from transferlab.evaluation.claims import Claim, make_claim, unresolved
from transferlab.evaluation.comparison import holm


@dataclass(frozen=True, eq=False)
class Design:
    """Which factor is high (+1) or low (-1) in which run: ``signs`` is int8 (runs, factors)."""

    factors: tuple[str, ...]
    signs: np.ndarray

    def levels(self, run: int) -> dict[str, bool]:
        """Factor to whether it is high in a run."""
        return dict(zip(self.factors, (self.signs[run] > 0).tolist(), strict=True))


def half_fraction(factors: Sequence[str]) -> Design:
    """Half of all combinations: the last factor's sign is the product of the others' (Box and Hunter 1961).

    With five factors (2^(5-1), resolution V) main effects mix only with effects of four factors, those of
    two factors only with effects of three.

    Raises
    ------
    UserError
        for fewer than three factors or two of one name.

    Examples
    --------
    >>> design = half_fraction(["a", "b", "c"])
    >>> design.signs.tolist()
    [[-1, -1, 1], [-1, 1, -1], [1, -1, -1], [1, 1, 1]]
    >>> design.levels(0)
    {'a': False, 'b': False, 'c': True}
    """
    names = tuple(factors)
    if len(names) < 3 or len(set(names)) < len(names):
        raise UserError("half_fraction() needs three factors or more, each with a name of its own.")
    free = np.array(list(itertools.product((-1, 1), repeat=len(names) - 1)), np.int8)
    return Design(names, np.column_stack([free, free.prod(1, dtype=np.int8)]))


def contrasts(design: Design) -> dict[str, np.ndarray]:
    """Name to its column of signs (runs,): each factor, then each pair of factors as ``a × b``.

    Raises
    ------
    UserError
        where two columns are not orthogonal, so that their effects cannot be told apart.

    Examples
    --------
    >>> columns = contrasts(half_fraction(list("abcde")))
    >>> len(columns), columns["a × b"].tolist()[:6]
    (15, [1, 1, 1, 1, -1, -1])
    """
    columns = {name: design.signs[:, i].astype(int) for i, name in enumerate(design.factors)}
    for a, b in itertools.combinations(design.factors, 2):
        columns[f"{a} × {b}"] = columns[a] * columns[b]
    table = np.column_stack([np.ones(len(design.signs), int), *columns.values()])
    if not np.array_equal(table.T @ table, len(table) * np.eye(table.shape[1], dtype=int)):
        raise UserError(
            f"with {len(design.factors)} factors in {len(table)} runs some effects cannot be told apart; use a "
            "half fraction of five factors or more."
        )
    return columns


def effects(design: Design, responses: np.ndarray) -> dict[str, np.ndarray]:
    """Each effect in each seed: mean of the runs where its sign is + less mean of those where it is -.

    For a pair this is half of what one factor does where the other is high, less what it does where it is low.

    Parameters
    ----------
    responses : float (S, runs), what was measured, in the unit of the effects

    Returns
    -------
    name to float (S,)

    Examples
    --------
    >>> design = half_fraction(list("abcde"))
    >>> found = effects(design, 50 + 4 * design.signs[None, :, 0] - design.signs[None, :, 1])
    >>> found["a"].tolist(), found["b"].tolist(), found["a × b"].tolist()
    ([8.0], [-2.0], [0.0])
    """
    y = np.asarray(responses, float)
    if y.ndim != 2 or y.shape[1] != len(design.signs):
        raise UserError(f"responses must be (seeds, {len(design.signs)} runs), not of shape {y.shape}.")
    return {name: 2 * (y @ column) / len(column) for name, column in contrasts(design).items()}


def with_intervals(found: Mapping[str, np.ndarray], unit: str = "points") -> dict[str, Claim]:
    """Each effect with its estimate and 95 % interval, seeds as the unit of sampling."""
    return {name: make_claim(name, values, unit, unresolved) for name, values in found.items()}


def resolved(found: Mapping[str, np.ndarray], error_rate: float = 0.05) -> list[str]:
    """Effects that are told from zero when all are looked at together (paired t-tests, Holm 1979)."""
    p = [_p_value(np.asarray(values, float)) for values in found.values()]
    return [name for name, adjusted in zip(found, holm(p), strict=True) if adjusted < error_rate]


def _p_value(values: np.ndarray) -> float:
    if values.min() == values.max():
        return float(values[0] == 0)
    return float(stats.ttest_1samp(values, 0).pvalue)
