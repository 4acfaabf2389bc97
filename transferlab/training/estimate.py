"""How long training will take on this machine, before it starts and as it goes."""

from __future__ import annotations

import time

import torch

from transferlab.backbones import Backbone
from transferlab.training.devices import pick_device

A_FIT = 0.3  # seconds of a fit that images do not explain: heads, set-up, answers
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


def seconds_left(total: float, done: float, elapsed: float) -> float:
    """Seconds left of work of ``total`` expected seconds: the estimate at first, and more and more what it took so far.

    Parameters
    ----------
    done : expected seconds of the work behind; elapsed : what that took

    Examples
    --------
    >>> seconds_left(100, 0, 0), seconds_left(100, 25, 50)
    (100.0, 112.5)
    """
    share, pace = done / total, elapsed / done if done else 1.0
    return float((total - done) * (share**0.5 * pace + 1 - share**0.5))
