"""The microscope's figure: image, map, influence, patches, the sum behind the value, and other maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab.viz import Card
from transferlab.viz.figure import BLUE, FAINT, GREY, INK, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN, block

GALLERY = 7  # maps in the last row
_TILE, _GAP = 1.77, 0.16  # inches
_KERNELS = 2  # input channels whose weights, inputs and products are shown
_SIGNED = "PuOr_r"  # told apart under the common colour blindnesses


def draw(found, name: str) -> Card:
    """The card of :class:`~transferlab.widgets.microscope.Findings` for the image called ``name``."""
    with style():
        card = Card(sentence(found), 6.0)
        _first_row(card, found, name)
        top = 2.35
        if found.sum is None:
            text = block(found.no_sum, 72 * (WIDTH - 2 * MARGIN), 9.5, 4)
            _bare(card.panel(MARGIN, top, WIDTH - 2 * MARGIN, 1.0)).text(0, 1, text, va="top")
        else:
            _kernels(card, found.sum, top)
            _bars(card, found, top)
        _gallery(card, found, 4.95)
    return card


def sentence(found) -> str:
    """What was found, in one sentence with the numbers that the figure shows."""
    s, parts = found.state, []
    if found.sum is not None:
        others = [name for name in found.sum.parts if name != "products"]
        what = " and ".join([", ".join([f"{found.sum.products.size} products", *others[:-1]]), *others[-1:]])
        parts.append(f"{what} add up to {found.sum.total:+.3f}")
        if found.sum.activation:
            kept = found.value == found.sum.total
            parts[-1] += (
                f", {found.sum.activation} {'leaves it so' if kept else f'makes it {found.value:.3f}'}"
            )
    if found.field is None:
        parts.append("no small change of a pixel moves it")
    else:
        within = "the image" if found.theoretical == "global" else f"the {found.theoretical} that could"
        parts.append(
            f"{100 * found.field.share:.0f} % of what moves it lies within {found.field.side} pixels of {within}"
        )
    return (
        f"Channel {s.channel} of {s.stage} is {found.value:.3f} at row {s.row}, column {s.column}: "
        f"{'; '.join(parts)} (n = 1 image; patches from {found.n})"
    )


def adding_up(values: Sequence[float], decimals: int = 3) -> list[float]:
    """``values`` rounded so that the rounded ones add up to the rounded sum (largest remainders).

    Examples
    --------
    >>> adding_up([0.0004, 0.0004, 0.0004])
    [0.001, 0.0, 0.0]
    """
    scaled = np.asarray(values, float) * 10**decimals
    floors = np.floor(scaled)
    short = int(np.rint(scaled.sum()) - floors.sum())
    raised = np.argsort(-(scaled - floors), kind="stable")[:short]
    floors[raised] += 1
    return (floors / 10**decimals).tolist()


def _first_row(card: Card, found, name: str) -> None:
    def tile(place, title):
        axes = _bare(card.panel(MARGIN + place * (_TILE + _GAP), 0.4, _TILE, _TILE))
        axes.set_title(block(title, 72 * _TILE, 8.5), loc="left", size=8.5, color=FAINT, pad=3)
        return axes

    size, (rows, columns) = found.image.shape[1], found.map.shape
    picture = _pixels(found.image)
    axes = tile(0, f"{name}: the place, and the square of influence")
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=(0, size, size, 0))
    if found.field is None:
        spot = (found.state.column + 0.5) * size / columns, (found.state.row + 0.5) * size / rows
        axes.plot(*spot, "+", color=VERMILION, markersize=9, markeredgewidth=2)
    axes.set(xlim=(0, size), ylim=(size, 0))
    axes = tile(1, f"channel {found.state.channel}: {rows}×{columns} places, dark to bright")
    axes.imshow(found.map, cmap="viridis", extent=(0, columns, rows, 0), interpolation="nearest")
    _square(axes, found.state.column, found.state.row, 1)
    if found.field is None:
        axes = tile(2, "influence of each pixel")
        axes.text(0.5, 0.5, "none: a small change\nof a pixel does nothing", ha="center", va="center")
        axes.set(xlim=(0, 1), ylim=(0, 1))
    else:
        gradient, side = found.field.gradient, found.field.side
        middle = [(gradient.sum(axis) * (np.arange(size) + 0.5)).sum() for axis in (0, 1)]
        _square(card.axes[0], middle[0] - side / 2, middle[1] - side / 2, side)
        axes = tile(2, f"influence of each pixel: {100 * found.field.share:.0f} % in {side}×{side}")
        axes.imshow(gradient**0.35, cmap="viridis", extent=(0, size, size, 0))
        _square(axes, middle[0] - side / 2, middle[1] - side / 2, side)
        field = found.theoretical if isinstance(found.theoretical, int) else size
        seen = min(size, max(side, field) + 4)  # a square window that stays inside the image
        left, high = (min(max(0, m - seen / 2), size - seen) for m in middle)
        axes.set(xlim=(left, left + seen), ylim=(high + seen, high))
    axes = tile(3, f"the channel answers most to these, of {found.n} images")
    for place, patch in enumerate(found.patches[:4]):
        row, column = divmod(place, 2)
        extent = (column, column + 0.95, row + 0.95, row)
        axes.imshow(_pixels(patch), cmap="gray", vmin=0, vmax=255, extent=extent)
    axes.set(xlim=(0, 1.95), ylim=(1.95, 0))


def _kernels(card: Card, total, top: float) -> None:
    """The input channels that weigh most: weights, inputs and their products."""
    by_channel = total.products.sum((1, 2))
    heaviest = np.argsort(-np.abs(by_channel), kind="stable")[:_KERNELS]
    side = 0.8
    for row, channel in enumerate(heaviest):
        found = (total.weights[channel], total.inputs[channel], total.products[channel])
        for column, values in enumerate(found):
            axes = _bare(
                card.panel(MARGIN + column * (side + 0.22), top + 0.28 + row * (side + 0.26), side, side)
            )
            most = max(abs(values).max(), 1e-12)
            axes.imshow(values, cmap=_SIGNED, vmin=-most, vmax=most)
            if row == 0:
                axes.annotate(("weights", "inputs", "products")[column], (0, 1), (0, 17), size=9, weight="bold",
                              xycoords="axes fraction", textcoords="offset points")  # fmt: skip
            if column == 0:
                said = f"input channel {channel}: products add {by_channel[channel]:+.3f}"
                axes.annotate(said, (0, 1), (0, 4), xycoords="axes fraction", textcoords="offset points",
                              size=8.5, color=FAINT)  # fmt: skip
            if len(values) <= 3:
                _numbers(axes, values, most)
            if column:
                sign = "×" if column == 1 else "="
                axes.annotate(sign, (0, 0.5), (-8, 0), xycoords="axes fraction", textcoords="offset points",
                              ha="center", va="center", size=11)  # fmt: skip


def _numbers(axes, values: np.ndarray, most: float) -> None:
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if abs(value) > 0.6 * most else INK
        axes.text(column, row, f"{round(value, 2) + 0.0:.2f}", ha="center", va="center", size=6, color=colour)


def _bars(card: Card, found, top: float) -> None:
    """The parts of the sum, and what the activation makes of it; the numbers shown add up."""
    total = found.sum
    names, amounts = list(total.parts), adding_up(list(total.parts.values()))
    names[0] = f"{total.products.size} products"
    if total.scale != 1:
        names[0] += f", × {total.scale:.2f} by BatchNorm"
    rows = [*zip(names, amounts, strict=True), ("sum", round(sum(amounts), 3))]
    if total.activation:
        rows.append((f"after {total.activation}", round(total.value, 3)))
    left, wide = 5.25, WIDTH - 5.25 - MARGIN - 0.62
    axes = card.panel(left, top + 0.28, wide, 0.29 * len(rows))
    colours = [BLUE] * len(amounts) + [INK] + [VERMILION] * bool(total.activation)
    axes.barh(range(len(rows)), [v for _, v in rows], color=colours, height=0.62)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(range(len(rows)), [block(n, 72 * 1.62, 8.5, 2) for n, _ in rows], size=8.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_title("the sum that made it", loc="left", size=9, weight="bold", pad=4)
    for place, (_, value) in enumerate(rows):
        axes.annotate(f"{value:+.3f}", (1, place), (46, 0), xycoords=("axes fraction", "data"), ha="right",
                      textcoords="offset points", va="center_baseline", size=9,
                      weight="bold" if place >= len(amounts) else "normal")  # fmt: skip


def _gallery(card: Card, found, top: float) -> None:
    side = (WIDTH - 2 * MARGIN - (GALLERY - 1) * 0.1) / GALLERY
    for place, (channel, values) in enumerate(found.others.items()):
        axes = _bare(card.panel(MARGIN + place * (side + 0.1), top, side, min(side, 0.95)))
        axes.imshow(values, cmap="viridis", interpolation="nearest", aspect="auto")
        said = f"channel {channel}" if place else f"varies most: {channel}"
        axes.set_title(said, loc="left", size=8.5, color=FAINT, pad=3)


def _pixels(image: np.ndarray) -> np.ndarray:
    """(C, H, W) as matplotlib takes it."""
    return image[0] if len(image) == 1 else image.transpose(1, 2, 0)


def _square(axes, left: float, top: float, side: float) -> None:
    from matplotlib.patches import Rectangle

    for colour, width in (("white", 3.2), (VERMILION, 1.8)):  # seen on dark and on bright pixels
        axes.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor=colour, linewidth=width))


def _bare(axes):
    axes.set_axis_off()
    return axes
