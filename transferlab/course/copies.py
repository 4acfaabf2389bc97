"""Copies of the lessons in a learner's folder, and never over what a learner wrote."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from transferlab.course.lessons import lesson_sources
from transferlab.errors import UserError
from transferlab.resources import notebook_folder
from transferlab.whole_file import write_whole

MANIFEST = ".transferlab-lessons.json"


def shipped_lessons() -> dict[str, Path]:
    """File name to built notebook of every lesson."""
    folder = notebook_folder()
    files = {f"{name}.ipynb": folder / f"{name}.ipynb" for name in lesson_sources()}
    return {name: path for name, path in files.items() if path.is_file()}


def copy_lessons(folder: Path, shipped: dict[str, Path] | None = None) -> list[str]:
    """Bring ``folder`` up to date; a line for each lesson that was copied, renewed or left alone.

    A file that is not as it was copied is the learner's and stays. If its lesson has changed since, the new
    version is put beside it under another name. The manifest of what was copied may be lost: then every
    file that differs from the shipped one counts as the learner's.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{str(folder)!r} is not a folder; name a new one.")
    folder.mkdir(parents=True, exist_ok=True)
    copied = _read_manifest(folder / MANIFEST)
    said = []
    for name, path in (shipped_lessons() if shipped is None else shipped).items():
        new, mine = path.read_bytes(), folder / name
        digest = hashlib.sha256(new).hexdigest()
        there = hashlib.sha256(mine.read_bytes()).hexdigest() if mine.is_file() else None
        if there is None and not mine.exists():
            _write(mine, new)
            said.append(f"{name}: copied")
        elif there == digest:
            pass
        elif there is not None and there == copied.get(name):
            _write(mine, new)
            said.append(f"{name}: renewed")
        elif copied.get(name) == digest:
            said.append(f"{name}: yours, left as it is")
        else:
            beside = folder / f"{path.stem}-new-{digest[:8]}.ipynb"
            if not beside.exists():
                _write(beside, new)
            said.append(f"{name}: yours, left as it is; the new version is {beside.name}")
        copied[name] = digest
    _write(folder / MANIFEST, (json.dumps(copied, indent=1) + "\n").encode())
    return said


def _read_manifest(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, content: bytes) -> None:
    write_whole(path, lambda temporary: Path(temporary).write_bytes(content))
