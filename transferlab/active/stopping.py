"""When to stop asking: rules on the rounds so far, none of which sees a test label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.metrics import cohen_kappa_score

from transferlab.errors import UserError


@dataclass(frozen=True)
class BudgetSpent:
    """Stop once ``most`` is spent; the last batch may go over it.

    Examples
    --------
    >>> from types import SimpleNamespace as Round
    >>> BudgetSpent(10)([Round(spent=4.0)]), BudgetSpent(10)([Round(spent=4.0), Round(spent=12.0)])
    (None, 'the budget of 10 is spent (12)')
    """

    most: float
    needs = ""

    def __call__(self, rounds: Sequence) -> str | None:
        spent = rounds[-1].spent
        return f"the budget of {self.most:g} is spent ({spent:g})" if spent >= self.most else None


@dataclass(frozen=True)
class NoGain:
    """Stop when the best held-out accuracy has not risen by more than ``least`` in ``rounds`` rounds.

    The accuracy is on validation images or out of fold (``held_out`` of a round), never on the test.

    Raises
    ------
    UserError
        where the learner tells no held-out accuracy.

    Examples
    --------
    >>> from types import SimpleNamespace as Round
    >>> NoGain(2)([Round(held_out=a, classes_seen=2) for a in (0.5, 0.7, 0.7, 0.6)])
    'no gain on held-out images in 2 rounds (best 0.70)'
    """

    rounds: int = 3
    least: float = 0.0
    needs = "held_out"

    def __call__(self, rounds: Sequence) -> str | None:
        known = [r.held_out for r in rounds if r.classes_seen >= 2]
        if any(a is None for a in known):
            raise UserError(
                "this learner tells no held-out accuracy, which NoGain looks at; give it validation images or "
                "take StablePredictions."
            )
        if len(known) <= self.rounds:
            return None
        best = max(known[: -self.rounds])
        if max(known[-self.rounds :]) > best + self.least:
            return None
        return f"no gain on held-out images in {self.rounds} rounds (best {best:.2f})"


@dataclass(frozen=True)
class StablePredictions:
    """Stop when the answers to a fixed set of images settle (Bloodgood and Vijay-Shanker 2009).

    Cohen's kappa between the predictions of consecutive rounds has to average above ``level`` over the last
    ``rounds`` agreements. The set is the whole pool; no label is needed.

    Examples
    --------
    >>> from types import SimpleNamespace as Round
    >>> import numpy as np
    >>> same = [Round(predictions=np.array([0, 1, 1]), classes_seen=2)] * 4
    >>> StablePredictions()(same[:3]), StablePredictions()(same)
    (None, 'predictions are stable: mean agreement (kappa) 1.000 over 3 rounds')
    """

    level: float = 0.99
    rounds: int = 3
    needs = "predictions"

    def __call__(self, rounds: Sequence) -> str | None:
        known = [r.predictions for r in rounds if r.classes_seen >= 2][-self.rounds - 1 :]
        if len(known) <= self.rounds:
            return None
        mean = float(np.mean([kappa(a, b) for a, b in pairwise(known)]))
        if mean <= self.level:
            return None
        return f"predictions are stable: mean agreement (kappa) {mean:.3f} over {self.rounds} rounds"


def kappa(a: np.ndarray, b: np.ndarray) -> float:
    """Cohen's kappa (1960) of two arrays of predictions (N,); 1 where they are equal, of one class too.

    Examples
    --------
    >>> kappa(np.array([0, 0]), np.array([0, 0])), kappa(np.array([0, 1]), np.array([1, 0]))
    (1.0, -1.0)
    """
    return 1.0 if np.array_equal(a, b) else float(cohen_kappa_score(a, b))
