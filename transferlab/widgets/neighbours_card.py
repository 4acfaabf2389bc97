"""The neighbours' figure: the chosen image, and a row of its nearest for each kind of features."""

from __future__ import annotations

from transferlab.viz import Card, percent
from transferlab.viz.figure import BLUE, FAINT, GREY, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN, block

_SIDE, _ROW, _NAMES, _NUMBER = 0.58, 0.9, 2.3, 0.75  # inches


def draw(found, finding: str) -> Card:
    """The card of :class:`~transferlab.widgets.neighbours.Findings`."""
    rows = list(found.neighbours)
    with style():
        card = Card(finding, _ROW * len(rows) + 0.45)
        picture = card.panel(MARGIN, 0.15, _SIDE * 1.3, _SIDE * 1.3)
        _picture(picture, found.picture, GREY)
        picture.set_xlabel(block(found.name, 72 * _SIDE * 1.5, 9), size=9, weight="bold", labelpad=4)
        for y, features in enumerate(rows):
            _row(card, found, features, 0.15 + y * _ROW)
        foot = "blue frame, ✓: of the same class   red frame, ✗: of another   %: nearest right, all images"
        card.text(MARGIN / WIDTH, 0.1 / card.get_figheight(), foot, size=8.5, color=FAINT)
    return card


def _row(card: Card, found, features: str, top: float) -> None:
    pictures, names = found.neighbours[features], found.names[features]
    left = MARGIN + _NAMES
    step = (WIDTH - MARGIN - _NUMBER - left) / len(pictures)
    for x, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        same = name == found.name
        axes = card.panel(left + x * step, top, _SIDE, _SIDE)
        _picture(axes, picture, BLUE if same else VERMILION)
        mark = f"{'✓' if same else '✗'} {name}"
        colour = BLUE if same else VERMILION
        axes.set_xlabel(block(mark, 72 * step - 2, 8, 1), size=8, color=colour, labelpad=2)
        if not x:
            note = f"{features}, labels used upstream" if features in found.upstream else features
            text = block(note, 72 * (_NAMES - _SIDE * 1.3) - 20, 9.5, 3)
            axes.annotate(
                text, (0, 0.5), (-12, 0), xycoords="axes fraction", textcoords="offset points",
                ha="right", va="center", size=9.5,
            )  # fmt: skip
    axes.annotate(
        percent(found.first_right[features].estimate), (1, 0.5), (50, 0), xycoords="axes fraction",
        textcoords="offset points", ha="right", va="center", size=9.5, weight="bold",
    )  # fmt: skip


def _picture(axes, picture, colour: str) -> None:
    axes.imshow(picture.transpose(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=2)
