"""Whether a laptop is ready for the lessons: a line for each thing that a workshop needs, and what to do."""

from __future__ import annotations

import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import psutil

from transferlab.course.copies import copy_lessons, shipped_lessons
from transferlab.course.measured import read_measured
from transferlab.errors import UserError
from transferlab.resources import notebook_folder

DISK, MEMORY = 2 * 10**9, 2 * 2**30  # bytes: lessons, their cache and a report; one kernel and JupyterLab
_EXTENSIONS = {"ipywidgets": "@jupyter-widgets/jupyterlab-manager", "anywidget": "anywidget"}
_KERNEL_PATIENCE = 120.0  # seconds
_EXPECTED_FEATURES = 0.2697  # mean feature of ``tiny`` for the ramp of _networks
_REFERENCE_SECONDS = 0.29  # of the training in _pace, on the two quiet cores that the table was measured on


class NotReady(Exception):
    """Something that a workshop needs is not there; ``remedy`` says what to do."""

    def __init__(self, found: str, remedy: str):
        super().__init__(found)
        self.remedy = remedy


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``remedy`` is empty where it is as it should be."""

    what: str
    found: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        return not self.remedy

    @property
    def line(self) -> str:
        """As it is printed.

        Examples
        --------
        >>> Finding("memory", "0.5 GiB free", "close other programs").line
        'not ok  memory      0.5 GiB free. What to do: close other programs.'
        """
        told = "" if self.ok else f". What to do: {self.remedy}."
        return f"{'ok' if self.ok else 'not ok':<7} {self.what:<11} {self.found}{told}"


def check_laptop(folder: Path) -> bool:
    """Print what is found, a line each, and what is lacking; whether the machine is ready."""
    lacking = []
    for finding in laptop_findings(folder):
        print(finding.line, flush=True)
        lacking += [] if finding.ok else [finding.what]
    if lacking:
        print(f"Not ready: {', '.join(lacking)}.")
    return not lacking


def laptop_findings(
    folder: Path, checks: Mapping[str, Callable[[Path], str]] | None = None
) -> Iterator[Finding]:
    """Look at one thing after the other; a check that breaks is a finding, too.

    Parameters
    ----------
    folder : where the lessons are or will be; nothing is left there
    checks : name to a function of the folder that says what it found or raises :class:`NotReady`
    """
    for what, look in (CHECKS if checks is None else checks).items():
        try:
            yield Finding(what, look(folder))
        except NotReady as lacking:
            yield Finding(what, str(lacking), lacking.remedy)
        except Exception as error:  # what is broken here is what this is to find out
            said = " ".join(str(error).split())[:200]
            yield Finding(
                what,
                f"{type(error).__name__}: {said}",
                "show this line and `transferlab doctor` to your host",
            )


def _python(folder: Path) -> str:
    # pip installs transferlab on no Python that is too old
    return f"Python {platform.python_version()} at {sys.executable}"


def _packages(folder: Path) -> str:
    try:
        wanted = [line for line in requires("transferlab") or [] if "extra ==" not in line]
    except PackageNotFoundError:
        raise NotReady("transferlab is not installed here", "run pip install . in its folder") from None
    lacking = [found for found in map(_lacking, wanted) if found]
    if lacking:
        raise NotReady(
            ", ".join(lacking), "run pip install --upgrade with the folder or wheel of transferlab"
        )
    return f"{len(wanted)} packages, all as new as needed"


def _lacking(requirement: str) -> str:
    """What is wrong with a requirement such as ``numpy>=2.0``; empty where it is met."""
    name, least = re.fullmatch(r"([\w.-]+)\s*(?:>=\s*([\d.]+))?.*", requirement).groups()
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"{name} is missing"
    return f"{name} {found} is older than {least}" if least and _numbers(found) < _numbers(least) else ""


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.split("+", maxsplit=1)[0])[:3])


def _disk(folder: Path) -> str:
    place = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < DISK:
        raise NotReady(f"{free / 1e9:.1f} GB free at {place}", f"make room: {DISK / 1e9:.0f} GB are needed")
    return f"{free / 1e9:.0f} GB free"


def _memory(folder: Path) -> str:
    free = psutil.virtual_memory().available
    if free < MEMORY:
        raise NotReady(
            f"{free / 2**30:.1f} GiB free", f"close other programs: {MEMORY / 2**30:.0f} GiB are needed"
        )
    return f"{free / 2**30:.1f} GiB free"


def _networks(folder: Path) -> str:
    import numpy as np

    from transferlab.backbones import bundled_names, load_backbone

    again = "install transferlab anew: its files are damaged"
    names = bundled_names()
    try:
        for name in names:
            load_backbone(name)  # checks the hash of the file
    except UserError as error:
        raise NotReady(str(error), again) from None
    ramp = np.broadcast_to(np.arange(0, 256, 4, dtype=np.uint8), (1, 3, 64, 64))
    answer = float(load_backbone("tiny").features(ramp).mean())
    if abs(answer - _EXPECTED_FEATURES) > 0.01 * _EXPECTED_FEATURES:
        raise NotReady(f"tiny answers {answer:.4f} and not {_EXPECTED_FEATURES:.4f}", again)
    return f"{len(names)} networks load, their hashes hold, and tiny answers as it should"


def _jupyterlab(folder: Path) -> str:
    try:
        return f"JupyterLab {version('jupyterlab')}"
    except PackageNotFoundError:
        raise NotReady("no JupyterLab", "run pip install jupyterlab in this environment") from None


def _kernel(folder: Path) -> str:
    from jupyter_client.manager import start_new_kernel

    remedy = "run python -m ipykernel install --sys-prefix in this environment"
    try:
        manager, client = start_new_kernel(startup_timeout=_KERNEL_PATIENCE, kernel_name="python3")
    except Exception as error:  # no such kernel, no port, a process that died
        raise NotReady(f"no kernel starts: {type(error).__name__}: {error}", remedy) from None
    try:
        reply = client.execute("import transferlab", reply=True, timeout=_KERNEL_PATIENCE)["content"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["status"] != "ok":
        raise NotReady(f"the kernel python3 says {reply.get('ename')}: {reply.get('evalue')}", remedy)
    return "the kernel python3 starts, answers and finds transferlab"


def _widgets(folder: Path) -> str:
    from jupyter_core.paths import jupyter_path

    places = [Path(place) for place in jupyter_path("labextensions")]
    lacking = [
        package
        for package, name in _EXTENSIONS.items()
        if not any((place / name / "package.json").is_file() for place in places)
    ]
    if lacking:
        again = f"run pip install --force-reinstall {' '.join(lacking)} jupyterlab_widgets"
        raise NotReady(f"JupyterLab has no extension of {' and '.join(lacking)}", again)
    return f"JupyterLab's extensions of {' and '.join(_EXTENSIONS)} are there"


def _lessons(folder: Path) -> str:
    if folder.exists() and not folder.is_dir():
        raise NotReady(f"{str(folder)!r} is a file", "name another folder for the lessons")
    place = folder if folder.is_dir() else folder.absolute().parent
    names = shipped_lessons()
    if not names:
        raise NotReady("no lessons came with transferlab", "install it anew from a whole checkout or wheel")
    try:
        with tempfile.TemporaryDirectory(prefix=".transferlab-check-", dir=place) as trial:
            copy_lessons(Path(trial))
            for name in names:
                with Path(trial, name).open("r+b"):
                    pass
    except OSError as error:
        raise NotReady(
            f"lessons cannot be written to {place} ({error.strerror})", "choose a folder of yours"
        ) from None
    return f"{len(names)} lessons can be copied to {place} and written to"


def _pace(folder: Path) -> str:
    from transferlab import FineTuning, load_task

    few = load_task("digits", labels_per_class=5).train
    FineTuning("zoo-all", epochs=1, device="cpu").fit(few)  # the first one also loads what is needed
    start = time.perf_counter()
    FineTuning("zoo-all", epochs=5, device="cpu").fit(few)
    seconds = time.perf_counter() - start
    ratio = seconds / _REFERENCE_SECONDS
    minutes = {
        name[:2]: ratio * of["lesson"]["seconds"] / 60
        for name, of in read_measured(notebook_folder()).items()
        if "lesson" in of
    }
    told = ", ".join(f"{number} {max(1, round(m))}" for number, m in sorted(minutes.items()))
    return f"a small training takes {seconds:.1f} s" + (
        f"; minutes to run each lesson: {told}" if told else ""
    )


CHECKS: dict[str, Callable[[Path], str]] = {
    "python": _python,
    "packages": _packages,
    "disk": _disk,
    "memory": _memory,
    "networks": _networks,
    "jupyterlab": _jupyterlab,
    "kernel": _kernel,
    "widgets": _widgets,
    "lessons": _lessons,
    "pace": _pace,
}
