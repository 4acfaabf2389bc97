"""Where the lessons and report templates lie, in an installed wheel and in a checkout alike."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from transferlab.errors import UserError

_PACKAGE = Path(__file__).resolve().parent


def notebook_folder() -> Path:
    """The folder of notebooks: ``_notebooks`` inside a wheel, ``notebooks`` beside the package otherwise.

    Raises
    ------
    UserError
        when neither is there.

    Examples
    --------
    >>> notebook_folder().is_dir()
    True
    """
    inside, beside = _PACKAGE / "_notebooks", _PACKAGE.parent / "notebooks"
    if inside.is_dir():
        return inside
    if beside.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return beside
    raise UserError("the notebooks of transferlab are missing here; install the package anew with pip.")


def notebook(name: str) -> Path:
    """The notebook called ``name``, such as ``"reports/transfer_report"``; ``.ipynb`` may be left out.

    Raises
    ------
    UserError
        when there is no such notebook; the sentence names those there are.
    """
    folder = notebook_folder()
    known = notebook_names()
    wanted = PurePosixPath(name).as_posix().removesuffix(".ipynb")
    if wanted not in known:
        raise UserError(f"there is no notebook {name!r}; choose from {', '.join(known) or 'none'}.")
    return folder / f"{wanted}.ipynb"


def notebook_names() -> list[str]:
    """Names of all notebooks, sorted, without ``.ipynb``."""
    folder = notebook_folder()
    found = (path.relative_to(folder) for path in folder.rglob("*.ipynb"))
    return sorted(p.with_suffix("").as_posix() for p in found if not any(s.startswith(".") for s in p.parts))
