"""Outlines of characters from the fonts that come inside matplotlib, as polygons in font units.

The font files are read as they are, without hinting or a rasterizer, so that the polygons are exact
numbers that do not depend on a FreeType version.
"""

from __future__ import annotations

import contextlib
import logging
from functools import cache
from pathlib import Path

import numpy as np

from transferlab.errors import UserError

DEVELOPMENT_FONTS = (
    "DejaVuSans",
    "DejaVuSans-Oblique",
    "DejaVuSans-Bold",
    "DejaVuSans-BoldOblique",
    "DejaVuSansMono",
    "DejaVuSansMono-Oblique",
    "DejaVuSansMono-Bold",
    "DejaVuSansMono-BoldOblique",
    "DejaVuSerif",
    "DejaVuSerif-Italic",
    "DejaVuSerif-Bold",
    "DejaVuSerif-BoldItalic",
    "cmr10",
    "cmti10",
    "cmb10",
)
TEST_FONTS = ("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol", "STIXGeneralBolIta", "cmss10", "cmtt10")
BOLD = frozenset(f for f in DEVELOPMENT_FONTS + TEST_FONTS if "Bol" in f or f == "cmb10")
CURVE_POINTS = 8


@cache
def outlines(font: str, characters: str) -> dict[str, tuple[np.ndarray, ...]]:
    """Closed polygons of each of ``characters`` in a font of matplotlib.

    Parameters
    ----------
    font : file name without ``.ttf``
    characters : each must be in the font

    Returns
    -------
    character to a tuple of float64 arrays (P, 2), x and y in font units, y upwards; an area is inside
    where the polygons wind round it (non-zero rule)

    Raises
    ------
    UserError
        where this matplotlib has no such font, or the font no such character.

    Examples
    --------
    >>> len(outlines("DejaVuSans", "08")["8"])
    3
    """
    import matplotlib
    from fontTools.ttLib import TTFont

    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    if not file.is_file():
        raise UserError(
            f"matplotlib {matplotlib.__version__} has no font {font!r}; reinstall it with its fonts."
        )
    with _quiet_dates(), TTFont(file) as opened:
        names, glyphs = opened.getBestCmap(), opened.getGlyphSet()
        missing = [c for c in characters if ord(c) not in names]
        if missing:
            raise UserError(f"font {font!r} has no character {missing[0]!r}; leave that character out.")
        return {c: _polygons(glyphs, names[ord(c)]) for c in characters}


def _polygons(glyphs, name: str) -> tuple[np.ndarray, ...]:
    from fontTools.pens.basePen import BasePen

    polygons: list[list] = []

    class Flatten(BasePen):
        def _moveTo(self, point):
            polygons.append([point])

        def _lineTo(self, point):
            polygons[-1].append(point)

        def _qCurveToOne(self, control, end):
            polygons[-1].extend(_quadratic(polygons[-1][-1], control, end))

    glyphs[name].draw(Flatten(glyphs))
    return tuple(np.array(p, np.float64) for p in polygons)


def _quadratic(start, control, end) -> list[tuple[float, ...]]:
    """Points of a quadratic Bézier curve without its start; exact, as t is a multiple of 1/8."""
    steps = [k / CURVE_POINTS for k in range(1, CURVE_POINTS + 1)]
    axes = list(zip(start, control, end, strict=True))
    return [tuple((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c for a, b, c in axes) for t in steps]


@contextlib.contextmanager
def _quiet_dates():
    """Some of these fonts carry impossible dates, of which fontTools warns on every read."""
    log = logging.getLogger("fontTools.ttLib.tables._h_e_a_d")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
