"""Text in figures: names from outside shown letter by letter, and wrapped by their measured width."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from transferlab.viz.words import left_to_right, visible

MARGIN = 0.22  # inches
TITLE_SIZE = 11.5  # points


def lettered(text: str) -> str:
    """``text`` so that matplotlib draws its letters and never reads it as mathematics."""
    return left_to_right(visible(text)).replace("$", r"\$")


@cache
def _renderer() -> RendererAgg:
    return RendererAgg(16, 16, 72)


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width of one line in points, at ``size`` points in the font of the current settings."""
    font = FontProperties(size=size, weight=weight)
    return _renderer().get_text_width_height_descent(text, font, False)[0]


def wrapped(name: object, width: float, size: float, lines: int = 2, weight: str = "normal") -> list[str]:
    """``name`` in at most ``lines`` lines of at most ``width`` points; an ellipsis stands for the rest.

    Lines break at spaces, else after underscores, slashes and hyphens, else within a word.
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
        cut = _break(rest, fits)
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return found


def block(name: object, width: float, size: float, lines: int = 2, weight: str = "normal") -> str:
    """``name`` wrapped by :func:`wrapped` and ready for matplotlib."""
    return "\n".join(map(lettered, wrapped(name, width, size, lines, weight)))


def _break(text: str, fits: int) -> int:
    """Where to break a line of at most ``fits`` letters; numbers keep their per cent and equals signs."""
    for pattern in (r"(?<!=) +(?![%→=])", r"[_/-]+"):
        ends = [m.end() for m in re.finditer(pattern, text[: fits + 2]) if m.end() <= fits + 1]
        if ends and ends[-1] > fits / 2:
            return ends[-1]
    return fits


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


def spread_labels(wanted: np.ndarray, heights: np.ndarray, low: float, high: float) -> np.ndarray:
    """Middles of labels of ``heights``, near the ``wanted`` ones, in their order and without overlap.

    Labels that touch are joined in a block around the mean of their wishes (pool adjacent violators,
    Ayer et al. 1955), and the whole is kept between ``low`` and ``high`` where it fits there.

    Examples
    --------
    >>> import numpy as np
    >>> spread_labels(np.array([5.0, 5.0]), np.array([2.0, 2.0]), 0.0, 10.0).tolist()
    [4.0, 6.0]
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(wanted, kind="stable")
    tall = heights[order]
    offsets = np.concatenate([[0.0], np.cumsum((tall[:-1] + tall[1:]) / 2)])
    shifted = isotonic_regression(wanted[order] - offsets).x
    bottom, top = low + tall[0] / 2, high - tall[-1] / 2 - offsets[-1]
    # Where there is not room for all, they stick out evenly.
    shifted = np.clip(shifted, *((bottom, top) if top >= bottom else [(bottom + top) / 2] * 2))
    spots = np.empty(len(wanted))
    spots[order] = shifted + offsets
    return spots
