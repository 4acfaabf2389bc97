"""The figure of scores keeps its order, its range and its rows."""

import pytest

from transferlab import viz
from transferlab.errors import UserError


def test_rows_are_ordered_and_cut_at_the_ends():
    rows = {"low": (-0.4, -1.6, 0.8), "high": (0.9, 0.7, 1.3), "size": (0.1, -0.2, 0.4)}
    card = viz.score_agreement(rows, {"high": [0.8, 1.0]}, "high leads (2 targets)", baselines=["size"])
    axes = card.axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["high", "size", "low"]
    for line in axes.lines:
        assert all(-1.05 <= x <= 1.05 for x in line.get_xdata())
    assert card.png()[1:4] == b"PNG" and card.finding == "high leads (2 targets)"


def test_nothing_to_show_is_said():
    with pytest.raises(UserError, match="at least one row"):
        viz.score_agreement({}, {}, "nothing")
