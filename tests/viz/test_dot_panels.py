"""Panels of dots: what is largest stands out, hostile names are drawn as letters, unequal rows are refused."""

import pytest
from matplotlib.colors import same_color

from transferlab import viz
from transferlab.errors import UserError
from transferlab.viz.figure import GREY, VERMILION

ROWS = {"low": (0.2, 0.1, 0.3), "high": (0.9, 0.8, 1.0), "reference": (0.95, 0.9, 1.0)}


def numbers(card):
    return [text for axes in card.axes for text in axes.texts if text.get_text().endswith("%")]


def test_every_value_is_written_and_the_largest_that_counts_stands_out():
    card = viz.dot_panels({"one": ROWS, "two": ROWS}, "finding", hollow=["reference"])
    shown = numbers(card)
    assert [t.get_text() for t in shown] == ["20 %", "90 %", "95 %"] * 2
    assert [t.get_weight() for t in shown] == ["normal", "bold", "normal"] * 2
    dots = [line for line in card.axes[0].lines if line.get_marker() == "o"]
    assert [same_color(d.get_color(), c) for d, c in zip(dots[1:], (VERMILION, GREY), strict=True)] == [
        True
    ] * 2


def test_bars_end_where_the_interval_ends():
    bars = [line for line in viz.dot_panels({"one": ROWS}, "f").axes[0].lines if line.get_marker() == "None"]
    assert [[round(x) for x in bar.get_xdata()] for bar in bars] == [[10, 30], [80, 100], [90, 100]]


def test_hostile_names_are_letters():
    card = viz.dot_panels({"$x_1$": {"<b>\n": (0.5, 0.4, 0.6), "W" * 80: (0.1, 0.0, 0.2)}}, "$a$", chance=0.1)
    assert card.png()[1:4] == b"PNG"
    assert r"\$x_1\$" in card.axes[0].get_title(loc="left")


@pytest.mark.parametrize("panels", [{}, {"one": {}}, {"one": ROWS, "two": dict(list(ROWS.items())[:2])}])
def test_unequal_or_missing_rows_end_in_a_sentence(panels):
    with pytest.raises(UserError, match="same rows"):
        viz.dot_panels(panels, "finding")
