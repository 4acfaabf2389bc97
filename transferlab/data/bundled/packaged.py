"""Files that lie inside installed packages, found without importing or downloading anything."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

from transferlab.errors import UserError

_FOLDERS = {"scikit-image": ("skimage", "data"), "scikit-learn": ("sklearn", "datasets/images")}


def packaged_file(package: str, name: str) -> Path:
    """A data file inside ``"scikit-image"`` or ``"scikit-learn"``.

    Raises
    ------
    UserError
        where the package is not there, or has no such file.

    Examples
    --------
    >>> packaged_file("scikit-learn", "china.jpg").name
    'china.jpg'
    """
    module, folder = _FOLDERS[package]
    found = importlib.util.find_spec(module)
    file = None if found is None or found.origin is None else Path(found.origin).parent / folder / name
    if file is None or not file.is_file():
        raise UserError(f"the installed {package} has no file {name!r}; reinstall {package} from its wheel.")
    return file


def packaged_from(*packages: str) -> str:
    """The packages with their versions, for a provenance.

    Examples
    --------
    >>> packaged_from("scikit-learn").startswith("scikit-learn 1.")
    True
    """
    return " and ".join(f"{p} {importlib.metadata.version(p)}" for p in packages)
