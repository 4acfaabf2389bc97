"""Images to label: each has a name of its own and a picture that is shown whole."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from transferlab.data import ImageSet
from transferlab.data.decode import FORMATS, decode, to_rgb
from transferlab.data.listing import shown
from transferlab.errors import UserError

LONGEST = 800  # pixels of a shown picture's longer side


def named_images(images, names: Sequence[str] | None = None) -> tuple[list, tuple[str, ...]]:
    """Images as a list of arrays or paths, with a name for each.

    Parameters
    ----------
    images : an ImageSet, or a list of uint8 arrays (C, H, W) with 1 or 3 channels and paths of image files
    names : one an image; where None, the set's paths, the paths given, or "image 0", "image 1", …

    Raises
    ------
    UserError
        when there are no images, names do not fit them, or two images have the same name.

    Examples
    --------
    >>> named_images([np.zeros((3, 4, 4), np.uint8), "photos/1.png"])[1]
    ('image 0', 'photos/1.png')
    """
    listed = list(images.images if isinstance(images, ImageSet) else images)
    if names is None and isinstance(images, ImageSet):
        names = images.paths
    if names is None:
        names = [f"image {k}" if isinstance(x, np.ndarray) else shown(str(x)) for k, x in enumerate(listed)]
    names = tuple(map(str, names))
    if not listed or len(names) != len(listed):
        raise UserError(f"there are {len(names)} names for {len(listed)} images to label; give one an image.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"two images to label are called {twice!r}; give each a name of its own.")
    return listed, names


def picture(image) -> np.ndarray:
    """What a person sees: uint8 (3, H, W), a file's picture whole and at most 800 pixels long.

    Raises
    ------
    UserError
        when the file is gone or shows no picture, or the array is none; the message is the reason alone.

    Examples
    --------
    >>> picture(np.zeros((1, 4, 6), np.uint8)).shape
    (3, 4, 6)
    """
    if not isinstance(image, np.ndarray):
        return _file(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[0] not in (1, 3):
        raise UserError(f"not a picture of uint8 (C, H, W) but {image.dtype} {image.shape}")
    return np.broadcast_to(image, (3, *image.shape[1:]))


def _file(path: str | os.PathLike) -> np.ndarray:
    decode(path, 1)  # has a reason for each way in which a file is no picture
    try:
        with open(path, "rb") as file, Image.open(file, formats=FORMATS) as opened:
            opened.draft(None, (LONGEST, LONGEST))
            image = opened
            with contextlib.suppress(Exception):  # a broken EXIF block does not spoil the picture
                image = ImageOps.exif_transpose(opened)
            image = to_rgb(image)
            image.thumbnail((LONGEST, LONGEST))
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}") from None
    return np.asarray(image).transpose(2, 0, 1)
