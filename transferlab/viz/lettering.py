"""Text in figures: names from outside shown letter by letter, and wrapped by their measured width."""

from __future__ import annotations

import re
from functools import cache

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from transferlab.viz.words import visible

MARGIN = 0.22  # inches
TITLE_SIZE = 11.5  # points


def lettered(text: str) -> str:
    """``text`` so that matplotlib draws its letters and never reads it as mathematics."""
    return visible(text).replace("$", r"\$")


@cache
def _renderer() -> RendererAgg:
    return RendererAgg(16, 16, 72)


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width of one line in points, at ``size`` points in the font of the current settings."""
    font = FontProperties(size=size, weight=weight)
    return _renderer().get_text_width_height_descent(text, font, False)[0]


def wrapped(name: object, width: float, size: float, lines: int = 2, weight: str = "normal") -> list[str]:
    """``name`` in at most ``lines`` lines of at most ``width`` points; an ellipsis stands for the rest.

    Lines break after spaces, underscores, slashes and hyphens, and within a word that is too long.
    Not yet ready for matplotlib: see :func:`lettered`.
    """
    rest, found = visible(name).strip() or " ", []
    while rest and len(found) < lines:
        fits = _fitting(rest, width, size, weight)
        if fits == len(rest):
            return [*found, rest]
        if len(found) == lines - 1:
            fits = _fitting(rest, width - text_width("…", size, weight), size, weight)
            return [*found, rest[:fits].rstrip() + "…"]
        breaks = [m.end() for m in re.finditer(r"[\s_/-]+", rest[: fits + 1]) if m.end() <= fits + 1]
        cut = breaks[-1] if breaks and breaks[-1] > fits / 3 else fits
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return found


def block(name: object, width: float, size: float, lines: int = 2) -> str:
    """``name`` wrapped by :func:`wrapped` and ready for matplotlib."""
    return "\n".join(map(lettered, wrapped(name, width, size, lines)))


def _fitting(text: str, width: float, size: float, weight: str) -> int:
    """How many letters of ``text`` fit into ``width``, at least one."""
    low, high = 1, min(len(text), 1 + int(4 * width / size))
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle].rstrip(), size, weight) <= width:
            low = middle
        else:
            high = middle - 1
    return low
