"""What a learner has done, in one file beside the lessons; nothing of it leaves the machine."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

from transferlab.whole_file import write_text

FILE = ".transferlab-progress.json"
#: Names another file than the one in the folder that a lesson runs in.
VARIABLE = "TRANSFERLAB_PROGRESS"


def progress_file(folder: Path | None = None) -> Path:
    """The file of ``folder``; of the working folder, or what TRANSFERLAB_PROGRESS names, without one."""
    if folder is not None:
        return folder / FILE
    return Path(os.environ.get(VARIABLE) or FILE)


def read_progress(path: Path) -> dict[str, dict]:
    """Number of a lesson to what was done in it; empty where there is no file.

    A file that cannot be read is set aside under another name, never written over.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        found = None
    if isinstance(found, dict) and all(isinstance(each, dict) for each in found.values()):
        return found
    with contextlib.suppress(OSError):
        path.replace(path.with_name(f"{path.name}.unreadable"))
    return {}


def note(lesson: str, section: str, name: str, value) -> None:
    """Keep ``value`` (JSON-able) under a lesson's number, a section and a name."""
    path = progress_file()
    progress = read_progress(path)
    progress.setdefault(lesson, {}).setdefault(section, {})[name] = value
    text = json.dumps(progress, indent=1, sort_keys=True) + "\n"
    try:
        write_text(path, text)
    except OSError as error:
        print(f"Your progress could not be kept in {path}: {error.strerror or error}.", file=sys.stderr)


def noted(lesson: str, section: str, name: str):
    """What :func:`note` kept, or None."""
    return read_progress(progress_file()).get(lesson, {}).get(section, {}).get(name)
