"""The card that every figure is drawn on: own light ground, so that it reads on light and dark pages."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from transferlab.viz.lettering import MARGIN, TITLE_SIZE, lettered, wrapped
from transferlab.viz.words import visible

GROUND, INK, FAINT, RULE = "#fcfcfa", "#20242b", "#5c6470", "#d9dbdf"
# After Okabe and Ito (2008), darkened until small text in them is legible on the card; told apart under
# the common colour blindnesses.
COLOURS = ("#0072b2", "#c24e00", "#00604a", "#b53a72", "#1c1c1c")
BLUE, VERMILION, GREY = COLOURS[0], COLOURS[1], "#6b727c"

WIDTH = 8.0  # inches, shown at 100 pixels an inch
_SHOWN_DPI, _DPI = 100, 150

# Scripts that matplotlib's own font lacks, where the system has a font for them.
_MORE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Hiragino Sans", "PingFang SC",
    "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "WenQuanYi Micro Hei", "Noto Sans Devanagari",
    "Nirmala UI", "Noto Sans Thai", "Noto Emoji", "Segoe UI Emoji", "Arial Unicode MS",
)  # fmt: skip


@cache
def _fonts() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return ("DejaVu Sans", *(name for name in _MORE_FONTS if name in installed))


@contextmanager
def style() -> Iterator[None]:
    """Our settings instead of the user's, for making and for drawing; afterwards theirs are back.

    A character that no font has is drawn as a box, without a warning.
    """
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcdefaults()
        mpl.rcParams.update({
            "font.family": list(_fonts()), "font.size": 9.5, "text.color": INK, "axes.labelcolor": FAINT,
            "xtick.color": FAINT, "ytick.color": FAINT, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
            "axes.edgecolor": RULE, "axes.facecolor": "none", "axes.spines.top": False,
            "axes.spines.right": False, "axes.axisbelow": True, "grid.color": RULE, "grid.linewidth": 0.7,
            "xtick.major.size": 0, "ytick.major.size": 0, "figure.facecolor": GROUND, "figure.dpi": _SHOWN_DPI,
        })  # fmt: skip
        yield


class Card(Figure):
    """A matplotlib figure with a finding for its title that shows itself in a notebook, without pyplot.

    Parameters
    ----------
    finding : the title, and the picture's alternative text
    body : height in inches of what stands under the title

    Examples
    --------
    >>> card = Card("Half of the answers are right (n = 20)", 2.0)
    >>> card.finding, card.png()[1:4]
    ('Half of the answers are right (n = 20)', b'PNG')
    """

    def __init__(self, finding: str, body: float):
        finding = visible(finding)
        with style():
            lines = wrapped(finding, 72 * (WIDTH - 2 * MARGIN), TITLE_SIZE, lines=4, weight="bold")
            self.title_height = MARGIN + len(lines) * TITLE_SIZE * 1.32 / 72 + 0.12
            super().__init__(figsize=(WIDTH, self.title_height + body), facecolor=GROUND, dpi=_SHOWN_DPI)
            FigureCanvasAgg(self)
            self.finding = finding
            title = "\n".join(map(lettered, lines))
            top = 1 - MARGIN * 0.8 / self.get_figheight()
            self.text(
                MARGIN / WIDTH, top, title,
                size=TITLE_SIZE, weight="bold", va="top", ha="left", linespacing=1.25,
            )  # fmt: skip

    def panel(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at ``left`` and ``top`` (under the title) with ``width`` and ``height``, all in inches."""
        tall = self.get_figheight()
        bottom = tall - self.title_height - top - height
        return self.add_axes((left / WIDTH, bottom / tall, width / WIDTH, height / tall))

    def png(self) -> bytes:
        """The figure as a PNG file, half again as fine as it is shown."""
        file = io.BytesIO()
        with style():
            self.savefig(file, format="png", dpi=_DPI, facecolor=GROUND, bbox_inches=None)
        return file.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        size = {"width": round(WIDTH * _SHOWN_DPI), "height": round(self.get_figheight() * _SHOWN_DPI)}
        picture = base64.b64encode(self.png()).decode("ascii")
        data = {"image/png": picture, "text/plain": self.finding}
        return data, {"image/png": {"alt": self.finding, **size}}

    def _ipython_display_(self):
        # Goes before the printer that ``%matplotlib inline`` registers for every Figure, which would crop the card.
        from IPython.display import publish_display_data

        data, metadata = self._repr_mimebundle_()
        publish_display_data(data, metadata)
