"""How long a study takes: estimated before it starts, corrected as it goes."""

from __future__ import annotations

import sys
import time

from transferlab.backbones import load_backbone
from transferlab.training.estimate import A_FIT, seconds_a_pass, seconds_left
from transferlab.training.progress import spoken


class Clock:
    """Time left of a study, from the work done so far and the expected work of each fit.

    Parameters
    ----------
    arms : what is fitted with every seed; their ``cost`` counts passes through their backbone
    images : how many images each label budget trains on
    names : of the label budgets, in words
    seeds : how many
    """

    def __init__(self, arms: list, images: list[int], names: list[str], seeds: int, device: str):
        passes = {
            name: seconds_a_pass(load_backbone(name), device) for name in {a.backbone for a in arms} - {None}
        }
        mean = sum(passes.values()) / len(passes)
        one_seed = [[A_FIT + n * arm.cost * passes.get(arm.backbone, mean) for arm in arms] for n in images]
        self._costs = [costs * seeds for costs in one_seed]
        self._total = sum(map(sum, self._costs))
        self._names, self._start = names, time.monotonic()

    @property
    def announcement(self) -> str:
        """The estimate, for before the start; early stopping makes it too long rather than too short."""
        return f"{sum(map(len, self._costs))} fits, about {spoken(self._total)} on this machine; progress follows."

    def at_budget(self, index: int):
        """What :func:`transferlab.evaluation.fit_all` calls at the budget of that position."""
        before = sum(sum(costs) for costs in self._costs[:index])

        def tell(done: int, total: int, name: str) -> None:
            if not name:
                return
            work = before + sum(self._costs[index][:done])
            left = seconds_left(self._total, work, time.monotonic() - self._start)
            print(
                f"{work / self._total:4.0%} done, about {spoken(left)} left: {name}, {self._names[index]}",
                file=sys.stderr,
                flush=True,
            )

        return tell
