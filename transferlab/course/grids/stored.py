"""``NN_name.json``: what ``grid_name`` of ``gridNN.py`` or ``lessonNN.py`` gave, and the hash of that module."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from transferlab.course.source_hash import code_hash
from transferlab.errors import UserError
from transferlab.whole_file import write_text

_FOLDER = Path(__file__).resolve().parent
_NAME = re.compile(r"(\d\d)_(\w+)")


def grid_names() -> list[str]:
    """Names of all stored grids."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def stored_grid(name: str):
    """What was computed, as plain lists and dicts.

    Raises
    ------
    UserError
        when there is no such grid.
    """
    path = _FOLDER / f"{name}.json"
    if not path.is_file():
        raise UserError(f"there is no grid {name!r}; choose from {', '.join(grid_names()) or 'none'}.")
    return json.loads(path.read_text(encoding="utf-8"))["data"]


def make_grid(name: str, tell: Callable[[str], object] = print) -> Path:
    """Compute a grid anew and store it; for those who write lessons.

    Raises
    ------
    UserError
        when no function makes it.
    """
    module = _maker(name)
    data = getattr(module, _function(name))(tell)
    stored = {"made_by": f"{module.__name__}.{_function(name)}", "code": _hash(module), "data": data}
    path = _FOLDER / f"{name}.json"
    text = json.dumps(stored, separators=(",", ":")) + "\n"
    write_text(path, text)
    return path


def grid_problems() -> list[str]:
    """Sentences on grids that another version of their module made."""
    found = []
    for name in grid_names():
        stored = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        if stored["code"] != _hash(_maker(name)):
            found.append(f"the grid {name} is older than its code: transferlab course grid {name}")
    return found


def _maker(name: str) -> ModuleType:
    found = _NAME.fullmatch(name)
    for kind in ("grid", "lesson") if found else ():
        where = f"transferlab.course.{kind}{found[1]}"
        if importlib.util.find_spec(where) is None:
            continue
        module = importlib.import_module(where)
        if hasattr(module, _function(name)):
            return module
    raise UserError(
        f"nothing makes a grid {name!r}; name one of {', '.join(grid_names()) or 'those there are'}."
    )


def _function(name: str) -> str:
    return f"grid_{name[3:]}"


def _hash(module: ModuleType) -> str:
    return code_hash([Path(module.__file__).read_text(encoding="utf-8")])
