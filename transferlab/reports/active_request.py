"""What a person asks an active report for, checked before anything heavy is imported."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from transferlab.errors import UserError


@dataclass(frozen=True)
class Request:
    """What a person asked for.

    budgets : labels in all; empty takes the profile's, and so do strategies, arms and 0 seeds
    target : accuracy, a fraction; 0 leaves it to validation images
    label_price : of a label; fixed_costs : ``ARM=PRICE``, what an arm costs whatever is labelled

    Raises
    ------
    UserError
        for a strategy or arm that is not known, a target that is no fraction, or a price below 0.

    Examples
    --------
    >>> Request(fixed_costs=("frozen=30",)).fixed
    {'frozen': 30.0}
    """

    backbone: str = "tiny"
    profile: str = "lesson"
    strategies: Sequence[str] = ()
    arms: Sequence[str] = ()
    budgets: Sequence[int] = ()
    seeds: int = 0
    seed: int = 0
    target: float = 0.0
    label_price: float = 1.0
    fixed_costs: Sequence[str] = ()
    device: str = "auto"

    def __post_init__(self):
        if self.strategies or self.arms:
            _check_names(self.strategies, self.arms)
        if not 0 <= self.target <= 1:
            raise UserError(
                f"the target accuracy is a fraction above 0 and up to 1, such as 0.8, not {self.target:g}; leave it "
                "out to take one from validation images."
            )
        if not 0 <= self.label_price < math.inf:
            raise UserError(f"the price of a label is a number from 0 on, not {self.label_price:g}.")
        if any(isinstance(b, bool) or not isinstance(b, int) or b < 1 for b in self.budgets):
            raise UserError(f"budgets are whole numbers of labels from 1 on, not {list(self.budgets)}.")
        _ = self.fixed

    @property
    def fixed(self) -> dict[str, float]:
        """Arm to what it costs whatever is labelled."""
        if not self.fixed_costs:
            return {}
        from transferlab.active.arms import ARMS, WITHOUT_LABELS

        found = {}
        for text in self.fixed_costs:
            arm, _, price = str(text).partition("=")
            try:
                found[arm] = float(price)
            except ValueError:
                found[arm] = -1.0
            if arm not in (*ARMS, *WITHOUT_LABELS) or not 0 <= found[arm] < math.inf:
                raise UserError(
                    f"the fixed cost {text!r} is not ARM=PRICE with a price from 0 on; write for example all=200, with "
                    f"an arm out of {', '.join((*ARMS, *WITHOUT_LABELS))}."
                )
        return found


def _check_names(strategies: Sequence[str], arms: Sequence[str]) -> None:
    from transferlab.active.arms import ARMS
    from transferlab.active.strategies import STRATEGIES

    for what, names, known in (("strategy", strategies, tuple(STRATEGIES)), ("arm", arms, ARMS)):
        unknown = [name for name in names if name not in known]
        if unknown:
            raise UserError(f"there is no {what} {unknown[0]!r}; choose from {', '.join(known)}.")


def check_request(images: str, source: str, **asked) -> None:
    """Refuse what can be refused before a kernel starts; ``asked`` as :class:`Request` takes it."""
    Request(**asked)
    if source:
        from transferlab.reports.adaptation_domains import check_domains

        check_domains(source, images)
