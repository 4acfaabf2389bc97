"""Neighbours: they are counted right, labels upstream are marked, and what there is not is refused."""

import copy

import numpy as np
import pytest

from transferlab.errors import UserError
from transferlab.widgets import neighbours
from transferlab.widgets.neighbours import State


def case(name="dots"):
    rng = np.random.default_rng(0)
    labels = np.array([0, 0, 0, 1, 1, 1])
    good = np.array([[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]])
    bad = np.array([[3, 1], [3, 4], [4, 5], [0, 4], [1, 3], [2, 0]])
    return {
        "images": name, "pictures": rng.integers(0, 255, (6, 1, 8, 8), np.uint8), "labels": labels,
        "classes": ["cat", "a dog with a very long name"], "nearest": {"good": good, "bad": bad},
        "upstream": ["bad"],
    }  # fmt: skip


@pytest.fixture
def data():
    return [case(), case("moved dots")]


def test_neighbours_are_counted_for_the_image_and_for_all(data):
    found = neighbours.compute(data, State("dots", 0))
    assert found.name == "cat" and found.n == 6
    assert (found.same("good"), found.same("bad")) == (2, 1)
    assert (found.first_right["good"].estimate, found.first_right["bad"].estimate) == (1, 0)
    assert np.array_equal(found.neighbours["bad"][0], data[0]["pictures"][3])
    words = neighbours.sentence(found)
    assert "2 by good, 1 by bad" in words and "100 % by good, 0 % by bad" in words and "n = 6 images" in words


def test_at_most_seven_are_shown(data):
    data[0]["nearest"]["good"] = np.tile([1], (6, 30))
    assert len(neighbours.compute(data, State("dots", 0)).names["good"]) == neighbours.SHOWN


def test_right_and_wrong_are_told_apart_without_colour(data):
    card = neighbours.static(data, State("dots", 0))
    marks = [axes.get_xlabel() for axes in card.axes[1:]]
    assert [mark[0] for mark in marks] == ["✓", "✓", "✗", "✓"]
    texts = " ".join(text.get_text().replace("\n", " ") for axes in card.axes for text in axes.texts)
    assert "bad, labels used upstream" in texts and "good, labels" not in texts
    assert card.png()[1:4] == b"PNG"


@pytest.mark.parametrize("state", [State("cats", 0), State("dots", 6), State("dots", -1)])
def test_what_there_is_not_is_refused_in_a_sentence(data, state):
    with pytest.raises(UserError, match=r"the neighbours are of dots \(0 to 5\)"):
        neighbours.compute(data, state)


@pytest.mark.parametrize("key", ["pictures", "nearest", "upstream"])
def test_a_set_without_a_field_is_refused(data, key):
    broken = copy.deepcopy(data)
    del broken[1][key]
    with pytest.raises(UserError, match=f"has no '{key}'"):
        neighbours.compute(broken, State("dots", 0))
    with pytest.raises(UserError, match="no set of images"):
        neighbours.compute([], State("dots", 0))


def test_the_view_follows_its_controls(data):
    controls, picture = neighbours.view(data).children
    menu, place = controls.children
    assert all(control.description for control in (menu, place))
    assert "this &#x27;cat&#x27;" in picture.value
    place.value = 4
    assert "a dog with" in picture.value
    menu.value = "moved dots"
    assert 'alt="moved dots' in picture.value and "alert" not in picture.value
