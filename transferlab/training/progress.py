"""Progress of long training, a line an epoch, with time left."""

from __future__ import annotations

import sys
import time


def epoch_progress(epochs: int, stream=None):
    """A callback for ``on_epoch`` that prints loss and time left to ``stream`` (stderr when None).

    Examples
    --------
    >>> import sys
    >>> tell = epoch_progress(2, stream=sys.stdout)
    >>> tell({"epoch": 1, "train_loss": 0.25, "validation_loss": None, "seconds": 1.0})
    epoch 2 of 2: loss 0.2500, 0 s left
    """
    start, done = time.monotonic(), 0

    def tell(record: dict) -> None:
        nonlocal done
        done += 1  # epochs of this process: a resumed run did not spend time on the earlier ones
        left = (time.monotonic() - start) / done * (epochs - 1 - record["epoch"])
        validation = record["validation_loss"]
        held_out = "" if validation is None else f", validation {validation:.4f}"
        print(
            f"epoch {record['epoch'] + 1} of {epochs}: loss {record['train_loss']:.4f}{held_out}, "
            f"{spoken(left)} left",
            file=stream or sys.stderr,
            flush=True,
        )

    return tell


def spoken(seconds: float) -> str:
    """A duration as a person says it.

    Examples
    --------
    >>> spoken(42), spoken(600), spoken(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
