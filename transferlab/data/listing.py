"""A folder of images to a list of files with class, declared split and group; nothing is opened."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from transferlab.errors import UserError

SPLITS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
_SYSTEM = {"thumbs.db", "desktop.ini", "__macosx", "icon\r"}
_SUFFIXES = {".bmp", ".dib", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True)
class Entry:
    """One listed file: where it lies, its name for people, class, declared split and group."""

    file: str
    name: str
    label: str
    split: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Listing:
    """What a folder or a CSV file declares; ``quarantined`` are dicts of ``path`` and ``reason``."""

    name: str
    entries: list[Entry]
    quarantined: list[dict] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def shown(path: str) -> str:
    """A path as valid text with forward slashes: bytes that are no UTF-8 become replacement characters.

    Examples
    --------
    >>> shown("caf\\udce9/1.png")
    'caf\\ufffd/1.png'
    """
    return os.fsencode(path).decode("utf-8", "replace").replace(os.sep, "/")


def image_files(root: str | Path) -> Iterator[tuple[str, ...]]:
    """Relative paths, as parts and in sorted order, of all files below ``root`` but hidden ones.

    Links to folders are followed, loops are not.
    """
    return _walk(Path(root), (), frozenset())


def _walk(folder: Path, parts: tuple[str, ...], above: frozenset) -> Iterator[tuple[str, ...]]:
    here = folder.stat()
    identity = (here.st_dev, here.st_ino)
    if identity in above:
        return
    with os.scandir(folder) as scan:
        items = sorted(scan, key=lambda item: item.name)
    for item in items:
        if item.name.startswith(".") or item.name.lower() in _SYSTEM:
            continue
        inside = (*parts, item.name)
        if not os.path.isdir(item.path):  # False for a link to itself, where item.is_dir() raises
            yield inside
            continue
        try:
            yield from _walk(Path(item.path), inside, above | {identity})
        except PermissionError:
            yield inside  # decoding names the reason


def list_folder(root: str | Path) -> Listing:
    """The files of ``class/image`` or ``train|val|test/class/image`` below ``root``.

    The folder is read as declared splits when a folder directly inside is named like a split (any
    case; ``valid``, ``validation``, ``training`` and ``testing`` too), holds folders, and holds no image
    itself. A class may have folders inside; its name is the first one.

    Raises
    ------
    UserError
        when ``root`` is no folder, or no file lies in a class folder.
    """
    root = Path(root)
    here = f"folder {shown(str(root))!r}"
    try:
        files = list(image_files(root))
    except PermissionError:
        raise UserError(f"{here} cannot be read: no permission; ask its owner for it.") from None
    split_dirs = _split_dirs(files)
    depth = 2 if split_dirs else 1
    entries, quarantined = [], []
    for parts in files:
        name = shown(os.path.join(*parts))
        if len(parts) <= depth or (split_dirs and parts[0] not in split_dirs):
            unread = os.path.isdir(os.path.join(root, *parts))
            reason = "a folder that cannot be read" if unread else "lies outside every class folder"
            quarantined.append({"path": name, "reason": reason})
            continue
        split = split_dirs.get(parts[0])
        entries.append(Entry(os.path.join(root, *parts), name, shown(parts[depth - 1]), split))
    if not entries:
        if any(_looks_like_image(parts[-1]) for parts in files):
            raise UserError(f"{here} holds images but no class folders; sort them into CLASS/IMAGE folders.")
        raise UserError(f"{here} holds no images; it needs CLASS/IMAGE or train|val|test/CLASS/IMAGE files.")
    return Listing(shown(root.resolve().name), entries, quarantined, warnings=_overlooked(root, files))


def _overlooked(root: Path, files: list[tuple[str, ...]]) -> list[str]:
    """Folders directly inside that give no class, though a person may think so."""
    with os.scandir(root) as scan:
        names = sorted(
            item.name for item in scan if os.path.isdir(item.path) and item.name.lower() not in _SYSTEM
        )
    hidden = [name for name in names if name.startswith(".") and _holds_images(root / name)]
    used = {parts[0] for parts in files}
    empty = [name for name in names if not name.startswith(".") and name not in used]
    said = [
        f"the hidden folder {shown(name)!r} holds images that were not read: rename it." for name in hidden
    ]
    return said + [f"the folder {shown(name)!r} holds no files and is no class." for name in empty]


def _holds_images(folder: Path) -> bool:
    with contextlib.suppress(OSError), os.scandir(folder) as scan:
        return any(_looks_like_image(item.name) for item in scan)
    return False


def _split_dirs(files: list[tuple[str, ...]]) -> dict[str, str]:
    named = {parts[0] for parts in files if len(parts) > 2 and parts[0].lower() in SPLITS}
    classes = {parts[0] for parts in files if len(parts) == 2 and _looks_like_image(parts[1])}
    return {name: SPLITS[name.lower()] for name in sorted(named - classes)}


def _looks_like_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in _SUFFIXES


def with_groups(listing: Listing, group_regex: str) -> Listing:
    r"""The listing with the first capture group of ``group_regex``, searched in each name, as the group.

    An image that does not match is a group of its own, and a warning counts those.

    Raises
    ------
    UserError
        when the expression is wrong, has no capture group, or matches no image.

    Examples
    --------
    >>> files = [Entry("a/p1_3.png", "a/p1_3.png", "a"), Entry("b/p1_4.png", "b/p1_4.png", "b")]
    >>> [e.group for e in with_groups(Listing("x", files), r"(p\d+)_").entries]
    ['p1', 'p1']
    """
    try:
        pattern = re.compile(group_regex)
    except re.error as error:
        raise UserError(f"group regex {group_regex!r} is not a regular expression ({error}).") from None
    if pattern.groups < 1:
        raise UserError(
            f"group regex {group_regex!r} has no part in parentheses; put them round what names the group."
        )
    if any(e.group is not None for e in listing.entries):
        raise UserError("the CSV has a group column already; give either that or a group regex, not both.")
    matches = [pattern.search(e.name) for e in listing.entries]
    found = [m is not None and m.group(1) is not None for m in matches]
    if not any(found):
        raise UserError(
            f"group regex {group_regex!r} matches no image; it is searched in paths such as "
            f"{listing.entries[0].name!r}."
        )
    entries = [
        replace(e, group=m.group(1) if ok else None)
        for e, m, ok in zip(listing.entries, matches, found, strict=True)
    ]
    missed = found.count(False)
    note = [f"{missed} image(s) do not match the group regex: each is a group of its own."] if missed else []
    return replace(listing, entries=entries, warnings=[*listing.warnings, *note])
