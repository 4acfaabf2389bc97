"""Pictures as data addresses, which a page shows without asking for a file."""

from __future__ import annotations

import base64
import io

import numpy as np


def png_address(png: bytes) -> str:
    """The bytes of a PNG file in a data address.

    Examples
    --------
    >>> png_address(b"PNG")
    'data:image/png;base64,UE5H'
    """
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def as_address(picture: np.ndarray) -> str:
    """uint8 (3, H, W) as a PNG in a data address."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture.transpose(1, 2, 0))).save(file, format="PNG")
    return png_address(file.getvalue())
