"""Effects around zero, and costs side by side."""

import pytest

from transferlab import viz
from transferlab.errors import UserError


def drawn_dots(axes):
    return [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]


def test_every_effect_is_drawn_where_it_is():
    rows = {"a": (3.0, 1.0, 5.0), "b": (-2.0, -4.0, 0.5)}
    card = viz.effects(rows, "a helps (n = 9)", marked=["a"])
    axes = card.axes[0]
    assert drawn_dots(axes) == [3.0, -2.0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b"]
    colours = [line.get_color() for line in axes.lines if line.get_marker() == "o"]
    assert colours[0] != colours[1]
    assert {"+3.0", "-2.0"} <= {t.get_text() for t in axes.texts}


def test_costs_have_three_panels_and_say_where_there_are_no_weights():
    rows = [
        {"name": "x", "parameters": 1000, "milliseconds": 2.0, "accuracy": (0.5, 0.4, 0.6)},
        {"name": "y", "parameters": 2_000_000, "milliseconds": 1.0, "accuracy": None},
    ]
    card = viz.costs(rows, "x reaches 50 % (n = 9)")
    accuracy, parameters, time = card.axes
    assert drawn_dots(accuracy) == [50.0]
    assert drawn_dots(parameters) == [1000, 2_000_000] and drawn_dots(time) == [2.0, 1.0]
    assert "no weights here" in {t.get_text() for t in accuracy.texts}


def test_nothing_to_draw_is_said():
    with pytest.raises(UserError, match="one effect"):
        viz.effects({}, "nothing")
    with pytest.raises(UserError, match="one network"):
        viz.costs([], "nothing")
