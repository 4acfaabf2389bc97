"""The domain replay: every step is shown as it was stored, scales stay, and controls move one another."""

import copy

import numpy as np
import pytest

from transferlab.errors import UserError
from transferlab.widgets import domain_replay
from transferlab.widgets.domain_replay import State
from transferlab.widgets.player import PAUSE, PLAY

STEPS = [0, 10, 20]


def case(shift="turned", how="reversed", size=1.0):
    rng = np.random.default_rng(0)
    scores = [size * rng.normal(size=(30, 2)) for _ in STEPS]
    return {
        "shift": shift, "how": how, "steps": STEPS, "frame": ((-2.0, 2.0), (-1.0, 1.0)),
        "field": [rng.normal(size=(9, 9)) + k for k in range(3)],
        "source": rng.normal(size=(20, 2)), "target": rng.normal(size=(10, 2)),
        "source_labels": [0, 1] * 10, "target_labels": [0, 1] * 5,
        "source_scores": [s[:20] for s in scores], "target_scores": [s[20:] for s in scores],
        "domain_accuracy": [(0.5, 0.4, 0.6), (0.8, 0.7, 0.9), (0.6, 0.5, 1.2)],
        "accuracy": [(0.5, 0.4, 0.6), (0.7, 0.6, 0.8), (0.9, 0.8, 0.95)], "n": 500, "seeds": 3,
    }  # fmt: skip


@pytest.fixture
def data():
    return [
        case(s, h, 5.0 if h == "watched" else 1.0) for s in ("turned", "cue") for h in ("watched", "reversed")
    ]


def test_each_place_shows_its_own_step(data):
    for place, step in enumerate(STEPS):
        found = domain_replay.compute(data, State("cue", "watched", place))
        assert found.step == step and np.array_equal(found.field, data[2]["field"][place])
        assert np.array_equal(found.source_scores, data[2]["source_scores"][place])


def test_scales_are_the_same_for_all_steps_and_both_treatments(data):
    reaches = {
        domain_replay.compute(data, State("turned", how, place)).reach
        for how in ("watched", "reversed")
        for place in range(3)
    }
    assert len(reaches) == 1


def test_the_sentence_has_both_accuracies_with_intervals_and_n(data):
    said = domain_replay.sentence(domain_replay.compute(data, State("turned", "reversed", 2)))
    assert "60 % (50 to 100)" in said and "90 % (80 to 95)" in said
    assert "n = 500 test points, 3 seeds" in said and "after 20 steps" in said


@pytest.mark.parametrize(
    "state", [State("moved", "reversed", 0), State("cue", "both", 0), State("cue", "watched", 3)]
)
def test_what_is_not_stored_is_refused_in_a_sentence(data, state):
    with pytest.raises(UserError, match="the domain replay has watched on turned"):
        domain_replay.compute(data, state)


@pytest.mark.parametrize("key", ["field", "steps", "accuracy", "n"])
def test_a_case_without_a_field_is_refused(data, key):
    broken = copy.deepcopy(data)
    del broken[1][key]
    with pytest.raises(UserError, match=f"lacks {key}"):
        domain_replay.compute(broken, State("turned", "watched", 0))


def test_nothing_to_replay_is_refused():
    with pytest.raises(UserError, match="no case"):
        domain_replay.compute([], State("turned", "watched", 0))


def test_a_border_outside_of_the_frame_is_no_error(data):
    for value in (-1.0, 1.0, 0.0):
        data[0]["field"] = [np.full((9, 9), value)] * 3
        assert domain_replay.static(data, State("turned", "watched", 1)).png()[1:4] == b"PNG"


def test_the_static_figure_is_the_last_case_at_its_end(data):
    assert "cue, reversed, after 20 steps" in domain_replay.static(data).finding


def test_the_view_follows_its_controls(data):
    menus, moves, picture = domain_replay.view(data).children
    (shift, how), (play, step, clock) = menus.children, moves.children
    assert all(control.description for control in (shift, how, step, play))
    assert "turned, watched, after 0 steps" in picture.value
    step.value = 2
    assert "after 20 steps" in picture.value and clock.value == 2
    clock.value = 1
    assert "after 10 steps" in picture.value and step.value == 1
    how.value, shift.value = "reversed", "cue"
    assert "cue, reversed, after 10 steps" in picture.value and "alert" not in picture.value


def test_play_starts_the_clock_and_begins_anew_at_the_end(data):
    _, moves, picture = domain_replay.view(data).children
    play, step, clock = moves.children
    play.value = True
    assert clock.playing and play.description == PAUSE
    clock.playing = False  # as the browser does at the end
    assert not play.value and play.description == PLAY
    step.value = clock.max
    play.value = True
    assert clock.playing and clock.value == 0 and "after 0 steps" in picture.value
