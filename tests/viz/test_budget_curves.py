"""Curves over budgets, and labels needed with what lies beyond what was tried."""

import numpy as np
import pytest

from transferlab import viz
from transferlab.errors import UserError

LINES = {
    "random": [(10, 0.2, 0.1, 0.3), (40, 0.4, 0.3, 0.5)],
    "margin": [(10, 0.2, 0.1, 0.3), (40, 0.6, 0.5, 0.7)],
}


def test_points_stand_where_they_are_and_names_look_alike_in_all_panels():
    other = {"margin": [(10, 0.9, 0.8, 1.0)]}
    card = viz.budget_curves({"a": LINES, "b": other}, "x (n = 9)", grey=("random",), levels={"chance": 0.1})
    first, second = card.axes
    drawn = {tuple(line.get_ydata()): line for line in first.lines}
    np.testing.assert_allclose(drawn[0.2, 0.6].get_xdata(), np.log2([10, 40]))
    assert drawn[0.2, 0.6].get_color() == second.lines[0].get_color() != drawn[0.2, 0.4].get_color()
    assert drawn[0.1, 0.1] and first.get_ylim() == second.get_ylim()
    assert [t.get_text() for t in first.get_xticklabels()] == ["10", "40"]
    names = [t.get_text() for key in card.legends for t in key.get_texts()]
    assert names == ["random", "margin", "chance"]


def test_every_name_of_many_is_in_the_key_and_none_is_twice_alike():
    lines = {f"a rather long name of a strategy {i}": [(1, 0.1 * i, 0, 1)] for i in range(10)}
    card = viz.budget_curves({"a": lines}, "x (n = 9)")
    assert len([t for key in card.legends for t in key.get_texts()]) == 10
    looks = [(line.get_color(), line.get_marker()) for line in card.axes[0].lines]
    assert len(set(looks)) == 10


def test_labels_beyond_what_was_tried_have_an_arrow_and_no_dot():
    ways = [viz.Need("a", 30, 20, 45, "30"), viz.Need("b", 90, 60, np.inf, "90"),
            viz.Need("c", np.inf, 110, np.inf, "unknown")]  # fmt: skip
    axes = viz.labels_needed(ways, 120, "x (n = 9)").axes[0]
    dots = {line.get_ydata()[0]: line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"}
    arrows = {line.get_ydata()[0] for line in axes.lines if line.get_marker() == ">"}
    assert dots == {0: 30, 1: 90} and arrows == {1, 2}
    assert {"30", "90", "unknown"} <= {t.get_text() for t in axes.texts}


def test_nothing_to_draw_is_said():
    for panels in ({}, {"a": {}}, {"a": {"b": []}}):
        with pytest.raises(UserError, match="one panel"):
            viz.budget_curves(panels, "nothing")
    with pytest.raises(UserError, match="one way"):
        viz.labels_needed([], 10, "nothing")
