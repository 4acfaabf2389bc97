"""Run a notebook in a kernel of its own, and see what it took."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
import psutil
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from transferlab.errors import UserError


@dataclass(frozen=True)
class Spent:
    """Wall time of the notebook and of its slowest cell in seconds; the most memory held, in bytes."""

    seconds: float
    slowest_cell: float
    peak_bytes: int

    def __str__(self) -> str:
        return f"{self.seconds:6.0f} s  slowest cell {self.slowest_cell:4.0f} s  {self.peak_bytes / 2**30:5.1f} GiB"


class NotebookError(Exception):
    """A cell failed: one sentence that names it."""


def execute(source: Path, out: Path, parameters: dict, *, cwd: Path | None = None) -> Spent:
    """Execute ``source`` into ``out`` with ``parameters``; what cells write to stderr is passed on.

    Raises
    ------
    UserError
        when a cell met bad input, in the words of the cell, or the kernel died.
    NotebookError
        when a cell failed otherwise.
    """
    watch = _MemoryWatch()
    start = time.monotonic()
    try:
        papermill.execute_notebook(
            str(source),
            str(out),
            parameters,
            kernel_name="python3",
            progress_bar=False,
            stderr_file=sys.stderr,
            cwd=None if cwd is None else str(cwd),
            kernel_manager_class=_manager(watch),
        )
    except KeyboardInterrupt:
        # tasks that waited for the kernel would report its death after whatever is said last
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        raise
    except PapermillExecutionError as error:
        if error.ename == "UserError":
            raise UserError(error.evalue) from None
        first = error.source.strip().splitlines()[0] if error.source.strip() else "an empty cell"
        raise NotebookError(f"cell {error.exec_count} ({first!r}): {error.ename}: {error.evalue}") from error
    except DeadKernelError as error:
        raise UserError(
            "the kernel died; often memory ran out: close other programs, or ask for less."
        ) from error
    finally:
        watch.stop()
    return Spent(time.monotonic() - start, _slowest_cell(out), watch.peak)


def _slowest_cell(executed: Path) -> float:
    cells = nbformat.read(executed, as_version=4).cells
    return max((cell.metadata.get("papermill", {}).get("duration") or 0.0 for cell in cells), default=0.0)


def _manager(watch: _MemoryWatch) -> type[AsyncKernelManager]:
    class QuietKernelManager(AsyncKernelManager):
        """Lets nothing of the kernel's own log through; what cells write comes by another way."""

        async def _async_launch_kernel(self, kernel_cmd, **kwargs):
            await super()._async_launch_kernel(kernel_cmd, **{**kwargs, "stderr": subprocess.DEVNULL})
            watch.start(self.provisioner.pid)

    return QuietKernelManager


class _MemoryWatch:
    """Looks at a process and its children a few times a second."""

    def __init__(self):
        self.peak = 0
        self._ended = threading.Event()

    def start(self, pid: int) -> None:
        threading.Thread(target=self._watch, args=(pid,), daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def _watch(self, pid: int) -> None:
        while not self._ended.wait(0.1):
            try:
                kernel = psutil.Process(pid)
                family = [kernel, *kernel.children(recursive=True)]
                self.peak = max(self.peak, sum(_resident(p) for p in family))
            except psutil.NoSuchProcess:
                return


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:  # a child that has just ended
        return 0
