"""The freeze slider: the numbers shown are the grid's, and what cannot be told apart is said so."""

import copy

import pytest

from transferlab.errors import UserError
from transferlab.widgets import freeze_slider
from transferlab.widgets.freeze_slider import State

STAGES = ["stem", "layer1"]


def point(task, budget, frozen, accuracy, gap):
    return {
        "task": task, "labels_per_class": budget, "frozen": frozen, "trained": 1000 - 300 * frozen,
        "seconds": 0.5 / (1 + frozen), "bytes": (3 - frozen) * 2**20,
        "accuracy": [accuracy, accuracy - 0.05, accuracy + 0.05], "less_head": [gap, gap - 0.04, gap + 0.04],
        "n": 540, "seeds": 6,
    }  # fmt: skip


@pytest.fixture
def grid():
    early = [point("inverted", k, f, 0.8 - 0.2 * f, 0.4 - 0.2 * f) for k in (2, 10) for f in (0, 1, 2)]
    return {"stages": STAGES, "points": [*early, *(point("named anew", 2, f, 0.7, 0.01) for f in (0, 1, 2))]}


def test_the_chosen_boundary_is_the_grids(grid):
    found = freeze_slider.compute(grid, State("inverted", 10, 1))
    row = next(r for r in grid["points"] if (r["labels_per_class"], r["frozen"]) == (10, 1))
    assert found.point.trained == row["trained"] and found.point.accuracy == tuple(row["accuracy"])
    assert [p.frozen for p in found.points] == [0, 1, 2] and found.stages == tuple(STAGES)


def test_a_difference_is_said_with_its_interval_and_none_where_there_is_none(grid):
    said = freeze_slider.static(grid, State("inverted", 2, 0)).finding
    assert said.startswith(
        "Nothing frozen: 1.0 k numbers train, 3.0 MB, accuracy 80 % (75 to 85), +40 points"
    )
    assert "against the head alone (+36 to +44)" in said and "n = 540 test images, 6 seeds" in said
    assert "not to be told" in freeze_slider.static(grid, State("named anew", 2, 1)).finding
    head = freeze_slider.static(grid, State("inverted", 2, 2)).finding
    assert head.startswith("Head alone trains:") and "points" not in head


def test_the_figure_shows_every_boundary(grid):
    card = freeze_slider.static(grid, State("inverted", 2, 1))
    shown = [t.get_text() for axes in card.axes for t in axes.texts]
    assert sum("frozen" in t for t in shown) == 1 and sum("trains" in t for t in shown) == 2
    assert {"80 %", "60 %", "40 %"} <= set(shown) and card.png()[1:4] == b"PNG"


@pytest.mark.parametrize("state", [State("upright", 2, 0), State("inverted", 3, 0), State("inverted", 2, 3),
                                   State("inverted", 2, -1), State("named anew", 10, 0)])  # fmt: skip
def test_what_the_grid_lacks_is_refused_in_a_sentence(grid, state):
    with pytest.raises(UserError, match="the grid has the targets"):
        freeze_slider.compute(grid, state)


@pytest.mark.parametrize("key", ["accuracy", "bytes", "frozen", "task"])
def test_a_grid_without_a_field_is_refused(grid, key):
    broken = copy.deepcopy(grid)
    del broken["points"][4][key]
    with pytest.raises(UserError, match=f"has no '{key}'"):
        freeze_slider.compute(broken, State("inverted", 2, 0))
    with pytest.raises(UserError, match="'points'"):
        freeze_slider.compute({"stages": STAGES}, State("inverted", 2, 0))


def test_the_view_follows_its_controls_and_says_what_is_missing(grid):
    menus, boundary, picture = freeze_slider.view(grid).children
    task, budget = menus.children
    assert all(c.description for c in (task, budget, boundary))
    assert 'alt="Nothing frozen' in picture.value
    boundary.value = 2
    assert 'alt="Head alone trains' in picture.value
    boundary.value = 1
    assert 'alt="Frozen up to stem' in picture.value
    budget.value = 10
    assert "10 labels a class" in picture.value
    task.value = "named anew"
    assert 'role="alert"' in picture.value and "the grid has the targets" in picture.value
    budget.value = 2
    assert "named anew, 2 labels a class" in picture.value
