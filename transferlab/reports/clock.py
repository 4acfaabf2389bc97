"""How long a study takes: estimated before it starts, corrected as it goes."""

from __future__ import annotations

import sys
import time

import torch

from transferlab.backbones import Backbone, load_backbone
from transferlab.training.devices import pick_device
from transferlab.training.progress import spoken

_A_FIT = 0.3  # seconds of a fit that images do not explain: heads, set-up, answers
_PROBE = 32  # images


def seconds_a_pass(backbone: Backbone, device: str) -> float:
    """Seconds that one image takes through all of ``backbone``, measured on a batch after a warm-up."""
    there = backbone.to(pick_device(device))
    size = backbone.preprocessing.input_size
    x = torch.zeros(_PROBE, 3, size, size, device=there.device)
    times = []
    with torch.inference_mode():
        for _ in range(3):
            start = time.perf_counter()
            there.forward(x).sum().item()  # .item() waits for a GPU
            times.append(time.perf_counter() - start)
    return min(times[1:]) / _PROBE


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
        one_seed = [[_A_FIT + n * arm.cost * passes.get(arm.backbone, mean) for arm in arms] for n in images]
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
            left = self._left(work, time.monotonic() - self._start)
            print(
                f"{work / self._total:4.0%} done, about {spoken(left)} left: {name}, {self._names[index]}",
                file=sys.stderr,
                flush=True,
            )

        return tell

    def _left(self, work: float, elapsed: float) -> float:
        """Seconds left: the estimate at first, and more and more what the work so far took."""
        share = work / self._total
        pace = elapsed / work if work else 1.0
        return (self._total - work) * (share**0.5 * pace + 1 - share**0.5)
