"""Where the lessons and report templates lie, in an installed wheel and in a checkout alike."""

from __future__ import annotations

from pathlib import Path

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
    """The notebook called ``name``, such as ``"reports/transfer_report"``, as ``.py`` (percent) or ``.ipynb``.

    Raises
    ------
    UserError
        when there is no such notebook; the sentence names those there are.
    """
    found = _found()
    wanted = name.removesuffix(".py").removesuffix(".ipynb")
    if wanted not in found:
        raise UserError(f"there is no notebook {name!r}; choose from {', '.join(sorted(found)) or 'none'}.")
    return found[wanted]


def notebook_names() -> list[str]:
    """Names of all notebooks, sorted, without their suffix; solutions that were built do not count."""
    return sorted(_found())


def _found() -> dict[str, Path]:
    folder = notebook_folder()
    paths = [p for suffix in (".py", ".ipynb") for p in folder.rglob(f"*{suffix}")]
    inside = {p.relative_to(folder).with_suffix("").as_posix(): p for p in paths}
    hidden = {name for name in inside if any(s.startswith(".") or s == "solutions" for s in name.split("/"))}
    return {name: path for name, path in inside.items() if name not in hidden}
