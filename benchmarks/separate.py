"""A benchmark's single runs, each in a process of its own, so that memory and what it has loaded are its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from transferlab.errors import UserError


def in_a_process(
    module: str, arguments: Sequence[str], *, needs: Sequence[str] = (), threads: int, limit: float
) -> dict:
    """The JSON that ``python -m module arguments`` prints last; what went wrong is in ``"missing"``.

    Parameters
    ----------
    needs : modules without which it is not started
    threads : of every library in it; limit : seconds after which it is given up
    """
    if any(find_spec(name.split(".")[0]) is None for name in needs):
        return {"missing": "not installed"}
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=os.environ | dict.fromkeys(names, str(threads)),
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"missing": f"more than {limit} s"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["killed, most likely out of memory"])[-1]
        return {"missing": "out of memory" if "MemoryError" in last else last[:200]}
    return json.loads(done.stdout.splitlines()[-1])


def peak_memory() -> float:
    """MiB of this process at its largest, imports and inputs included."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage also counts what the parent held when it started this process
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def installed_version(name: str) -> str | None:
    """Of a distribution; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def read_results(file: Path, tables: Callable[[dict], str]) -> dict:
    """What a benchmark wrote with --json, where ``tables`` can show it.

    Raises
    ------
    UserError
        when the file holds something else.
    """
    try:
        results = json.loads(file.read_text(encoding="utf-8"))
        tables(results)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{file.name} holds no results of this benchmark; --json writes such a file."
        ) from None
    return results
