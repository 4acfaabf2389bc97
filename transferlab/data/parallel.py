"""Work on many items with all cores, in order, with the time left on stderr."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    function: Callable[[Item], Result], items: Sequence[Item], progress: bool = True
) -> Iterator[Result]:
    """``function`` of each item, in order, computed in threads: decoders let go of Python's lock.

    Warnings are silenced while it runs; an error in ``function`` ends the iteration.

    Examples
    --------
    >>> list(map_in_order(abs, [-2, 3], progress=False))
    [2, 3]
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("reading images"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    terminal = sys.stderr.isatty()
    console = Console(stderr=True, force_jupyter=False)
    bar = Progress(*columns, console=console, transient=True, disable=not (progress and terminal))
    lines = progress_lines("reading images", len(items))
    tell = lines if progress and not terminal else lambda done: None
    workers = _workers()
    with warnings.catch_warnings(), ThreadPoolExecutor(workers) as pool, bar:
        warnings.simplefilter("ignore")
        task = bar.add_task("", total=len(items))
        remaining = iter(items)
        # A bounded window, so that results do not pile up faster than they are taken.
        window = deque(pool.submit(function, item) for item in islice(remaining, 8 * workers))
        for done in count(1):
            if not window:
                return
            yield window.popleft().result()
            window.extend(pool.submit(function, item) for item in islice(remaining, 1))
            bar.advance(task)
            tell(done)


def progress_lines(doing: str, total: int, every: float = 5.0) -> Callable[[int], None]:
    """For logs and notebooks: call with the number done; a plain line on stderr every few seconds."""
    start = last = time.monotonic()

    def tell(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= every:
            last = now
            left = (now - start) / done * (total - done)
            print(f"{doing}: {done:,} of {total:,}, about {left:.0f} s left", file=sys.stderr, flush=True)

    return tell


def _workers() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
