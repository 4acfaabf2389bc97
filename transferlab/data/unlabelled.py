"""A folder of images without labels, read whole; what cannot be read and what is there twice is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from transferlab.data.decode import decode_many
from transferlab.data.imageset import ImageSet
from transferlab.data.listing import image_files, shown
from transferlab.errors import UserError


def read_unlabelled(
    root: Path, size: int, progress: bool = True, *, what: str = "target", by_name: bool = False
) -> tuple[ImageSet, dict]:
    """All images below ``root``, whatever its folders, ``size`` pixels a side; equal pictures once. And the audit.

    Parameters
    ----------
    root : the folder; what : how sentences call it
    by_name : images are opened and labelled by their ``paths`` later: files whose name is no valid text are left out

    Returns
    -------
    an unlabelled set of uint8 (N, 3, size, size), whose ``paths`` are relative to ``root``, and what was read:
    ``read``, ``quarantined`` (path and reason) and ``duplicates`` (paths of equal pictures)

    Raises
    ------
    UserError
        when the folder or fewer than two different images of it can be read.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> root = Path(tempfile.mkdtemp())
    >>> for grey in (0, 99):
    ...     Image.new("RGB", (20, 10), (grey,) * 3).save(root / f"{grey}.png")
    >>> images, audit = read_unlabelled(root, 8, progress=False)
    >>> images.images.shape, images.paths, audit["read"]
    ((2, 3, 8, 8), ('0.png', '99.png'), 2)
    """
    here = f"the {what} {shown(str(root))!r}"
    try:
        names = ["/".join(parts) for parts in image_files(root)]
    except PermissionError:
        raise UserError(f"{here} cannot be read: no permission; ask its owner for it.") from None
    kept, quarantined, equal = [], [], {}
    pictures = decode_many([root / name for name in names], size, progress)
    for name, picture in zip(names, pictures, strict=True):
        reason = "its name is no valid text; rename it" if by_name and shown(name) != name else picture
        if isinstance(reason, str):
            quarantined.append({"path": shown(name), "reason": reason})
            continue
        equal.setdefault(picture.digest, []).append(shown(name))
        if len(equal[picture.digest]) == 1:
            kept.append((shown(name), picture))
    if len(kept) < 2:
        raise UserError(
            f"{here} has {_too_few(equal, quarantined)}; give at least two different ones, better a hundred."
        )
    images = ImageSet(
        np.stack([picture.pixels for _, picture in kept]),
        None,
        (),
        domain=root.resolve().name,
        paths=tuple(name for name, _ in kept),
        file_facts=np.array([picture.facts for _, picture in kept]),
    )
    duplicates = [{"paths": paths} for paths in equal.values() if len(paths) > 1]
    return images, {"read": len(names), "quarantined": quarantined, "duplicates": duplicates}


def _too_few(equal: dict, quarantined: list[dict]) -> str:
    first = f" ({quarantined[0]['path']!r}: {quarantined[0]['reason']})" if quarantined else ""
    copies = len(next(iter(equal.values()))) if equal else 0
    if copies > 1:
        return f"{copies} readable images, all of them equal{first}"
    return f"{'one readable image' if copies else 'no readable images'}{first}"
