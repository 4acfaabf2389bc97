"""Which lessons there are, and where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from transferlab.errors import UserError
from transferlab.resources import notebook_folder

_NAME = re.compile(r"\d\d_\w+")


def lesson_sources() -> dict[str, Path]:
    """Name to source of every lesson, in order.

    Examples
    --------
    >>> all(path.suffix == ".py" for path in lesson_sources().values())
    True
    """
    found = sorted((notebook_folder() / "source").glob("*.py"))
    return {path.stem: path for path in found if _NAME.fullmatch(path.stem)}


def chosen_lessons(wanted: Sequence[str]) -> dict[str, Path]:
    """The lessons whose names or numbers are ``wanted``; all of them when none is named.

    Raises
    ------
    UserError
        when there is no such lesson; the sentence lists those there are.
    """
    known = lesson_sources()
    if not wanted:
        return known
    by_number = {name[:2]: name for name in known}
    names = [by_number.get(w.zfill(2), w.removesuffix(".ipynb").removesuffix(".py")) for w in wanted]
    for given, name in zip(wanted, names, strict=True):
        if name not in known:
            raise UserError(f"there is no lesson {given!r}; choose from {', '.join(known) or 'none'}.")
    return {name: known[name] for name in known if name in names}
