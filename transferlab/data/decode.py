"""An image file to the picture a person sees, as a square of pixels."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from transferlab.data.parallel import map_in_order
from transferlab.errors import UserError

# Pillow's own line between a large picture and a decompression bomb.
MAX_PIXELS = 89_478_485
# Other formats stay out: some (EPS) start programs, none is common for photographs.
FORMATS = ("BMP", "DIB", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
THUMB = 32
#: What a file tells beside the picture; the format is its position in ``FORMATS``.
FILE_FACTS = ("width", "height", "bytes", "bytes a pixel", "format", "channels", "has EXIF")
_DRAFT_FROM = 1024
_WHITE = (255, 255, 255, 255)


@dataclass(frozen=True)
class Picture:
    """A decoded image.

    pixels : uint8 (3, S, S); digest : 32 hex digits that equal pictures share (size and RGB pixels
    before cropping); thumb : uint8 (32, 32), the whole picture in grey; animated : whether the file
    holds more than the one frame or page that was read; facts : numbers in the order of ``FILE_FACTS``.
    """

    pixels: np.ndarray
    digest: str
    thumb: np.ndarray
    animated: bool
    facts: tuple[float, ...]


def to_rgb(image: Image.Image) -> Image.Image:
    """An RGB image as a person sees it, from any of Pillow's modes.

    Transparency is laid over white. 16-bit grey is divided by 257. Whole numbers beyond 16 bits and
    floats outside [0, 255] are stretched from their least to their greatest value; floats within
    [0, 1] are multiplied by 255.

    Raises
    ------
    ValueError
        when no pixel is finite, or Pillow knows no way to RGB.

    Examples
    --------
    >>> import numpy as np
    >>> from PIL import Image
    >>> to_rgb(Image.fromarray(np.full((1, 1), 65535, np.uint16))).getpixel((0, 0))
    (255, 255, 255)
    >>> to_rgb(Image.new("RGBA", (1, 1), (255, 0, 0, 0))).getpixel((0, 0))
    (255, 255, 255)
    """
    if image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.float32) / 257
    elif image.mode in ("I", "F"):
        grey = _grey_levels(np.asarray(image).astype(np.float64), image.mode)
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image).convert("RGB")
    else:
        return image.convert("RGB")
    return Image.fromarray(np.rint(grey).astype(np.uint8)).convert("RGB")


def _grey_levels(values: np.ndarray, mode: str) -> np.ndarray:
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise ValueError("no pixel has a finite value")
    low, high = finite.min(), finite.max()
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    if low >= 0:
        known = (65535,) if mode == "I" else (1, 255)
        for top in known:
            if high <= top:
                return values * (255 / top)
    return (values - low) * (255 / max(high - low, np.finfo(np.float64).tiny))


def fit_square(image: Image.Image, size: int) -> Image.Image:
    """The centre square of ``image``, ``size`` pixels a side, antialiased.

    Examples
    --------
    >>> from PIL import Image
    >>> fit_square(Image.new("RGB", (90, 40)), 16).size
    (16, 16)
    """
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    # Crop and resize in one step: a 1 x 80,000,000 picture must not be enlarged before it is cropped.
    return image.resize(
        (size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side), reducing_gap=3.0
    )


def decode(path: str | Path, size: int) -> Picture:
    """Read one image file: JPEG, PNG, WebP, BMP, TIFF, GIF (first frame or page), PPM.

    EXIF orientation is applied. JPEGs with a short side from 1,024 pixels on are decoded at half, a
    quarter or an eighth of their size, never below four times ``size``.

    Raises
    ------
    UserError
        when the file is no picture that can be shown; the message is the reason alone.
    """
    Image.init()  # else Pillow knows only its five commonest formats
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise UserError("a folder that cannot be read")
        if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
            raise UserError("not a regular file")
        if os.path.getsize(path) == 0:
            raise UserError("empty file")
        with open(path, "rb") as file, Image.open(file, formats=FORMATS) as image:
            return _picture(image, size, os.path.getsize(path))
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError("broken link" if os.path.islink(path) else "no such file") from None
    except PermissionError:
        raise UserError("no permission to read it") from None
    except UnidentifiedImageError:
        raise UserError("not an image (or a format that is not read)") from None
    except Image.DecompressionBombError:
        raise UserError(f"more than {2 * MAX_PIXELS:,} pixels, refused as a decompression bomb") from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}" if error.errno else _reason(error)) from None
    except Exception as error:  # a hostile file can make a decoder raise anything
        raise UserError(_reason(error)) from None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:200] or type(error).__name__
    return f"damaged or truncated: {text}"


def _picture(image: Image.Image, size: int, file_bytes: int) -> Picture:
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise UserError(f"{pixels:,} pixels, more than {MAX_PIXELS:,}: refused as a decompression bomb")
    # A phone's MPO holds previews and depth maps behind the picture: no one misses those.
    animated = image.format != "MPO" and _has_more_frames(image)
    facts = _facts(image, file_bytes)
    if min(image.size) >= _DRAFT_FROM:
        image.draft(None, (max(4 * size, _DRAFT_FROM // 2),) * 2)
    image.load()
    rgb = to_rgb(_upright(image))
    digest = hashlib.blake2b(repr(rgb.size).encode() + rgb.tobytes(), digest_size=16).hexdigest()
    thumb = rgb.convert("L").resize((THUMB, THUMB), Image.Resampling.BOX, reducing_gap=3.0)
    square = np.asarray(fit_square(rgb, size)).transpose(2, 0, 1)
    return Picture(np.ascontiguousarray(square), digest, np.asarray(thumb).copy(), animated, facts)


def _facts(image: Image.Image, file_bytes: int) -> tuple[float, ...]:
    known = FORMATS.index(image.format) if image.format in FORMATS else len(FORMATS)
    density = file_bytes / max(1, image.width * image.height)
    exif = bool(image.info.get("exif"))
    numbers = (*image.size, file_bytes, density, known, len(image.getbands()), exif)
    return tuple(map(float, numbers))


def _has_more_frames(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # damage behind the first frame does not spoil the first
        return False


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block does not spoil the picture
        return image


def decode_many(paths: Sequence[str | Path], size: int, progress: bool = True) -> Iterator[Picture | str]:
    """Decode ``paths`` on all cores, in order: a picture each, or the reason why there is none."""

    def attempt(path):
        try:
            return decode(path, size)
        except UserError as reason:
            return str(reason)

    return map_in_order(attempt, paths, progress)
