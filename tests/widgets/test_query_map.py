"""The query map: each round is shown as it was stored, nothing of the next one leaks, and controls move one another."""

import copy

import numpy as np
import pytest

from transferlab.errors import UserError
from transferlab.widgets import query_map
from transferlab.widgets.player import PAUSE, PLAY
from transferlab.widgets.query_map import State
from transferlab.widgets.query_map_card import short_names

BATCHES = {"plane": [[3, 1], [7], [0, 5]], "photos": [[2], [4]]}


def loop(images="plane", strategy="margin", classes=("a", "b"), grid=True):
    rng = np.random.default_rng(len(strategy))
    batches = BATCHES[images]
    rounds = len(batches)
    return {
        "images": images, "strategy": strategy, "points": rng.normal(size=(9, 2)), "frame": ((-3, 3), (-2, 2)),
        "labels": [k % len(classes) for k in range(9)], "classes": list(classes), "batches": batches,
        "unsure": rng.random((rounds, 9)), "borders": rng.integers(0, 2, (rounds, 5, 5)) if grid else None,
        "accuracy": [(0.5 + 0.1 * r, 0.4, 1.1) for r in range(rounds)], "rival": "random",
        "rival_accuracy": [(0.4 + 0.1 * r, 0.3, 0.6) for r in range(rounds)], "n": 500, "seeds": 3,
    }  # fmt: skip


@pytest.fixture
def data():
    names = [f"{k} name" for k in "abcdefg"]
    return [
        loop(), loop(strategy="random"), loop("photos", "random", names, False), loop("photos", "badge", names, False)
    ]  # fmt: skip


def test_each_round_shows_what_was_labelled_by_then_and_what_comes_next(data):
    for place, (labelled, asked) in enumerate(
        [([], [3, 1]), ([3, 1], [7]), ([3, 1, 7], [0, 5]), ([3, 1, 7, 0, 5], [])]
    ):
        found = query_map.compute(data, State("plane", "margin", place))
        assert found.labelled.tolist() == labelled and found.asked.tolist() == asked
        assert found.labels.tolist() == [k % 2 for k in labelled]
        if place:
            assert np.array_equal(found.unsure, data[0]["unsure"][place - 1])
            assert np.array_equal(found.border, data[0]["borders"][place - 1])
    assert query_map.compute(data, State("plane", "margin", 0)).unsure is None, "no model before a label"


def test_labels_that_were_not_asked_for_change_nothing(data):
    state = State("plane", "margin", 2)
    before = query_map.static(data, state).png()
    data[0]["labels"] = [k % 2 if k in (3, 1, 7) else 1 - k % 2 for k in range(9)]
    assert query_map.static(data, state).png() == before


def test_the_sentence_has_the_rival_and_what_it_rests_on(data):
    said = query_map.sentence(query_map.compute(data, State("plane", "margin", 2)))
    assert "3 labels of 1 of 2 classes" in said and "60 % (40 to 100), random in 50 % (30 to 60)" in said
    assert "n = 500 test images, 3 seeds" in said
    alone = query_map.sentence(query_map.compute(data, State("plane", "random", 1)))
    assert "random in" not in alone and "right in 50 %" in alone
    assert "nothing is labelled yet" in query_map.sentence(
        query_map.compute(data, State("plane", "margin", 0))
    )


@pytest.mark.parametrize(
    "state", [State("sea", "margin", 0), State("plane", "badge", 0), State("plane", "margin", 4)]
)
def test_what_is_not_stored_is_refused_in_a_sentence(data, state):
    with pytest.raises(UserError, match=r"the query map has margin on plane \(0 to 3 rounds\)"):
        query_map.compute(data, state)


@pytest.mark.parametrize("key", ["points", "batches", "unsure", "rival", "n"])
def test_a_loop_without_a_field_is_refused(data, key):
    broken = copy.deepcopy(data)
    del broken[1][key]
    with pytest.raises(UserError, match=f"lacks {key}"):
        query_map.compute(broken, State("plane", "margin", 0))


def test_nothing_to_show_is_refused():
    with pytest.raises(UserError, match="no loop"):
        query_map.compute([], State("plane", "margin", 0))


def test_every_round_can_be_drawn(data):
    data[0]["borders"][1] = 0  # one class everywhere: no border
    for case in data:
        for place in range(len(case["batches"]) + 1):
            assert query_map.static(data, State(case["images"], case["strategy"], place)).png()[1:4] == b"PNG"


def test_names_are_told_apart_by_as_few_letters_as_possible():
    assert short_names(["coins", "coffee", "cat", "c"]) == ["coi", "cof", "ca", "c"]


def test_the_view_follows_its_controls(data):
    menus, moves, picture = query_map.view(data).children
    (images, strategy), (play, rounds, clock) = menus.children, moves.children
    assert all(control.description for control in (images, strategy, rounds, play))
    assert "plane, margin: 2 labels" in picture.value
    rounds.value = 3
    assert "5 labels" in picture.value and clock.value == 3
    images.value = "photos"
    assert "photos, random: 2 labels" in picture.value, "a loop with fewer rounds is shown at its end"
    assert clock.max == 2 and strategy.options == ("random", "badge")
    strategy.value = "badge"
    clock.value = 0
    assert "photos, badge: nothing is labelled yet" in picture.value
    images.value = "plane"
    assert "plane, margin: nothing" in picture.value and clock.max == 3 and "alert" not in picture.value


def test_play_starts_the_clock_and_begins_anew_at_the_end(data):
    _, moves, picture = query_map.view(data).children
    play, rounds, clock = moves.children
    rounds.value = clock.max
    play.value = True
    assert clock.playing and play.description == PAUSE and clock.value == 0 and "nothing" in picture.value
    clock.playing = False  # as the browser does at the end
    assert not play.value and play.description == PLAY
