"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_whole(path: str | os.PathLike, write: Callable[[str], object]) -> None:
    """Let ``write(temporary_path)`` make a file beside ``path``, then put it in place at once.

    Folders that are missing are made. Where ``write`` fails, ``path`` stays what it was.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_whole(folder / "a" / "numbers.bin", lambda temporary: Path(temporary).write_bytes(b"123"))
    >>> [path.name for path in (folder / "a").iterdir()]
    ['numbers.bin']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        write(temporary)
        os.chmod(temporary, 0o644)  # a temporary file is readable by its owner alone
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8, whole or not at all.

    Examples
    --------
    >>> path = Path(tempfile.mkdtemp()) / "note.txt"
    >>> write_text(path, "18 µm")
    >>> path.read_text(encoding="utf-8")
    '18 µm'
    """
    write_whole(path, lambda temporary: Path(temporary).write_text(text, encoding="utf-8"))
