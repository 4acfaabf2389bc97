"""Claims: what a lesson asserts, as an estimate over seeds, and whether its interval says so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from transferlab.errors import UserError
from transferlab.evaluation.comparison import holm

LEVEL = 0.95


@dataclass(frozen=True)
class Kind:
    """What is claimed of a mean: that it is above zero, within ``margin`` of zero, or not resolved."""

    name: str
    margin: float | None = None

    def __str__(self):
        return self.name if self.margin is None else f"{self.name}({self.margin:g})"


direction = Kind("direction")
unresolved = Kind("unresolved")


def equivalent(margin: float) -> Kind:
    """The mean lies within ``margin`` of zero, in the claim's unit.

    Examples
    --------
    >>> str(equivalent(2))
    'equivalent(2)'
    """
    if not (isinstance(margin, int | float) and math.isfinite(margin) and margin > 0):
        raise UserError(f"equivalent({margin!r}) has no use for a margin that is not above zero; give one.")
    return Kind("equivalent", float(margin))


@dataclass(frozen=True)
class Claim:
    """``values``: one number a seed, in ``unit``, positive where they are as ``name`` says.

    Examples
    --------
    >>> claim = Claim("L00.example", (3.0, 4.0, 5.0), "points", direction)
    >>> claim.estimate, [round(end, 1) for end in claim.interval], claim.holds
    (4.0, [1.5, 6.5], True)
    """

    name: str
    values: tuple[float, ...]
    unit: str
    kind: Kind

    @property
    def n_seeds(self) -> int:
        return len(self.values)

    @property
    def estimate(self) -> float:
        """Mean over seeds."""
        return float(np.mean(self.values))

    @property
    def standard_error(self) -> float:
        """Of the mean over seeds; rounding keeps equal values from looking exact to the last bit."""
        return float(np.std(self.values, ddof=1) / math.sqrt(self.n_seeds))

    @property
    def interval(self) -> tuple[float, float]:
        """Student's 95 % interval of the mean, seeds as the unit of sampling (Student 1908)."""
        half = float(stats.t.ppf((1 + LEVEL) / 2, self.n_seeds - 1)) * self.standard_error
        return self.estimate - half, self.estimate + half

    @property
    def holds(self) -> bool:
        """Whether the 95 % interval says what the kind says; other claims are not considered."""
        low, high = self.interval
        if self.kind.name == "direction":
            return low > 0
        if self.kind.name == "equivalent":
            return -self.kind.margin < low and high < self.kind.margin
        return low <= 0 <= high

    @property
    def p_value(self) -> float | None:
        """Of what the kind denies: a mean not above zero, or outside the margin (two one-sided tests,
        Schuirmann 1987). None for ``unresolved``, which denies nothing."""
        if self.kind.name == "direction":
            return self._p_above(0.0)
        if self.kind.name == "equivalent":
            below = Claim(self.name, tuple(-v for v in self.values), self.unit, self.kind)
            return max(self._p_above(-self.kind.margin), below._p_above(-self.kind.margin))
        return None

    def _p_above(self, bound: float) -> float:
        """One-sided p-value of a mean that is not above ``bound``."""
        distance, error = self.estimate - bound, self.standard_error
        if error == 0:
            return 0.0 if distance > 0 else 1.0
        return float(stats.t.sf(distance / error, self.n_seeds - 1))


def make_claim(name: str, values: Sequence[float], unit: str, kind: Kind) -> Claim:
    """A checked :class:`Claim`.

    Raises
    ------
    UserError
        for fewer than two values, values that are no finite numbers, or a kind that is none.
    """
    try:
        numbers = tuple(float(v) for v in np.asarray(values, float).ravel())
    except (TypeError, ValueError):
        raise UserError(f"the claim {name} takes one number for each seed, not {values!r}.") from None
    if len(numbers) < 2 or not all(map(math.isfinite, numbers)):
        raise UserError(
            f"the claim {name} needs a finite number from each of at least two seeds, not {list(numbers)}."
        )
    if not isinstance(kind, Kind):
        raise UserError(
            f"the claim {name} is of kind direction, equivalent(margin) or unresolved, not {kind!r}."
        )
    return Claim(name, numbers, unit, kind)


def unsupported(claims: Iterable[Claim], error_rate: float = 0.05) -> dict[str, str]:
    """Name to a sentence for every claim whose evidence does not say what its kind says.

    Over all ``direction`` and ``equivalent`` claims together, one that is false passes with a probability of
    at most ``error_rate`` (Holm 1979).

    Examples
    --------
    >>> unsupported([Claim("L00.weak", (1.0, -1.0, 0.5), "points", direction)])
    {'L00.weak': 'direction is not shown: +0.2 points (95 % interval -2.4 to +2.8; 3 seeds)'}
    """
    claims = list(claims)
    tested = [c for c in claims if c.p_value is not None]
    adjusted = (
        dict(zip((c.name for c in tested), holm([c.p_value for c in tested]), strict=True)) if tested else {}
    )
    found = {}
    for claim in claims:
        if not claim.holds:
            found[claim.name] = f"{claim.kind} is not shown: {said(claim)}"
        elif adjusted.get(claim.name, 0.0) > error_rate:
            p = adjusted[claim.name]
            found[claim.name] = (
                f"{claim.kind} does not stand among {len(tested)} claims (p = {p:.2g}): {said(claim)}"
            )
    return found


def contradicted(
    run: Mapping[str, Claim], released: Mapping[str, Claim], errors: float = 3.0
) -> dict[str, str]:
    """Directions that a small run sees the other way round, though their released effect is larger than
    ``errors`` standard errors."""
    found = {}
    for name, claim in released.items():
        large = claim.kind.name == "direction" and claim.estimate > errors * claim.standard_error
        if large and name in run and run[name].estimate <= 0:
            found[name] = f"this run says {said(run[name])}, the released one {said(claim)}"
    return found


def said(claim: Claim) -> str:
    """The estimate in words, with as many digits as its interval is worth.

    Examples
    --------
    >>> said(Claim("L00.example", (30.0, 40.0, 50.0), "points", direction))
    '+40 points (95 % interval +15 to +65; 3 seeds)'
    """
    low, high = claim.interval
    width = high - low
    digits = 2 if width == 0 else max(0, min(6, 1 - math.floor(math.log10(width))))
    digits = digits if width < 10 else 0
    numbers = [f"{value:+.{digits}f}" for value in (claim.estimate, low, high)]
    return f"{numbers[0]} {claim.unit} (95 % interval {numbers[1]} to {numbers[2]}; {claim.n_seeds} seeds)"


def to_json(claim: Claim) -> dict:
    """What a claims file keeps; estimate and interval stand there to be read, and follow from the values."""
    return {
        "kind": claim.kind.name, "margin": claim.kind.margin, "unit": claim.unit,
        "estimate": claim.estimate, "interval": list(claim.interval), "n_seeds": claim.n_seeds,
        "values": list(claim.values),
    }  # fmt: skip


def from_json(name: str, stored: dict) -> Claim:
    """The claim that :func:`to_json` wrote."""
    return make_claim(name, stored["values"], stored["unit"], Kind(stored["kind"], stored["margin"]))
