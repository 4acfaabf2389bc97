"""The source picker: nothing is known before it is paid for, and the truth is that of the data."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferlab.errors import UserError
from transferlab.evaluation import wilson
from transferlab.widgets import source_picker
from transferlab.widgets.source_picker import State

SOURCES = ["good", "middling", "bad", "no-labels"]


def trial(target, n=200):
    accuracy = [0.9, 0.7, 0.5, 0.72]
    return {
        "target": target, "sources": SOURCES, "seeds": [0, 1, 2], "n_test": n,
        "scores": {
            "probe": [[0.8 + d, 0.6 + d, 0.4, 0.5] for d in (-0.02, 0.0, 0.02)],
            "LEEP": [[-1.0, -1.5, -2.0, None]] * 3,
        },
        "truth": {"frozen": [[a + d for a in accuracy] for d in (-0.01, 0.0, 0.01)]},
    }  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return source_picker.candidates([trial("digits"), trial("faces", 80)], "frozen")


def test_what_was_not_probed_is_hidden_and_all_truth_before_the_bet(data):
    found = source_picker.compute(data, State("digits", "probe", ("bad", "good")))
    assert [c.score is None for c in found.candidates] == [False, True, False, True]
    assert all(c.truth is None for c in found.candidates)
    assert found.left == 2 and found.best is None and found.behind is None
    said = source_picker.said(found)
    assert "good leads so far" in said and "n = 200 test images, 3 seeds" in said
    assert "nothing is known yet" in source_picker.said(source_picker.compute(data, State("digits", "probe")))


@given(st.sets(st.sampled_from(SOURCES)), st.sampled_from([None, *SOURCES]))
def test_no_game_tells_more_than_was_paid_for(probed, bet):
    games = source_picker.candidates([trial("digits")], "frozen")
    found = source_picker.compute(games, State("digits", "probe", tuple(probed), bet))
    for one in found.candidates:
        assert (one.score is not None) == (one.name in probed)
        assert (one.truth is not None) == (bet is not None)


def test_the_bet_is_measured_against_the_best_and_against_a_draw_by_lot(data):
    found = source_picker.compute(data, State("digits", "probe", ("middling",), "middling"))
    assert found.best == "good" and found.behind == pytest.approx(20) and found.told_apart
    assert found.average_behind == pytest.approx(100 * (0.9 - np.mean([0.9, 0.7, 0.5, 0.72])))
    assert "good reaches 90 %, 20 points more;" in source_picker.said(found)
    best = source_picker.compute(data, State("digits", "probe", (), "good"))
    assert best.behind == 0 and "no source is better" in source_picker.said(best)


def test_an_undefined_score_is_shown_as_such_after_a_probe(data):
    found = source_picker.compute(data, State("digits", "LEEP", ("no-labels",)))
    assert found.candidates[3].undefined and found.candidates[3].score is None
    assert not source_picker.compute(data, State("digits", "LEEP", ("bad",))).candidates[3].undefined
    shown = [t.get_text() for a in source_picker.static(data, found.state).axes for t in a.texts]
    assert "–" in shown and "?" in shown


def test_close_sources_are_not_told_apart():
    close = trial("digits", 50)
    close["truth"] = {"frozen": [[0.80, 0.78, 0.5, 0.5]] * 3}
    games = source_picker.candidates([close], "frozen")
    found = source_picker.compute(games, State("digits", "probe", (), "middling"))
    assert not found.told_apart and "not to be told apart" in source_picker.said(found)


def test_intervals_hold_wilsons_and_widen_with_the_spread_of_seeds():
    def spread(values):
        one = {**trial("t", 100), "truth": {"frozen": [[v] * 4 for v in values]}}
        return source_picker.candidates([one], "frozen")[0]["truth"][0]

    ends = wilson(80, 100)
    assert spread([0.8, 0.8, 0.8]) == pytest.approx([0.8, ends.low, ends.high])
    wide = spread([0.6, 0.8, 1.0])
    assert wide[1] < ends.low and wide[2] > ends.high
    assert spread([1.0, 1.0])[2] == 1.0 and spread([0.0, 0.0])[1] == 0.0


@pytest.mark.parametrize(
    "state",
    [
        State("cats", "probe"),
        State("digits", "nothing"),
        State("digits", "probe", ("cat",)),
        State("digits", "probe", (), "cat"),
        State("digits", "probe", ("good", "bad"), budget=1),
    ],
)
def test_moves_that_are_not_in_the_game_are_refused_in_a_sentence(data, state):
    with pytest.raises(UserError):
        source_picker.compute(data, state)


@pytest.mark.parametrize("key", ["n", "seeds", "sources", "scores", "truth"])
def test_data_without_a_field_is_refused(data, key):
    broken = copy.deepcopy(data)
    del broken[0][key]
    with pytest.raises(UserError, match=f"has no '{key}'"):
        source_picker.compute(broken, State("digits", "probe"))


def test_the_static_figure_is_a_whole_game(data):
    state = source_picker.example(data, budget=2)
    assert state.probed == ("good", "middling") and state.bet == "good"
    card = source_picker.static(data, budget=2)
    assert "you bet on good" in card.finding and card.png()[1:4] == b"PNG"


def test_the_view_keeps_the_rules(data):
    menus, _, buttons, bets, picture = source_picker.view(data, budget=2).children
    target, score = menus.children
    bet, again = bets.children
    probes = {b.description: b for b in buttons.children}
    assert list(probes) == SOURCES and all(c.description for c in (target, score, bet, again))
    probes["bad"].value = True
    assert "bad leads so far" in picture.value and probes["bad"].disabled and not probes["good"].disabled
    probes["good"].value = True
    assert "good leads so far" in picture.value and all(b.disabled for b in probes.values())
    bet.value = "bad"
    assert "you bet on bad" in picture.value and bet.disabled
    again.value = True
    assert not again.value and not bet.disabled and "nothing is known yet" in picture.value
    assert not any(b.value or b.disabled for b in probes.values())
    probes["good"].value = True
    target.value = "faces"
    assert "Faces, 0 probes of 2" in picture.value and not probes["good"].value
    score.value = "LEEP"
    assert "by LEEP" in picture.value
