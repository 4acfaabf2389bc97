"""Shift dials: what is computed, said and drawn, and what the sliders do."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferlab.errors import UserError
from transferlab.widgets import shift_dials
from transferlab.widgets.shift_dials import State

COVARIATE, LABEL, CONCEPT = (0, 2), (1, 10), (0, 40)


def row(covariate, label):
    far = covariate > 0
    return {
        "covariate": covariate, "label": label, "n": 400, "n_scored": 2000, "seeds": 5, "concept": list(CONCEPT),
        "distance": [1.4, 1.3, 1.5] if far else [0.0, -0.1, 0.1],
        "effective": [40.0, 30.0, 50.0] if far else [395.0, 390.0, 400.0],
        "accuracy": {
            "not weighted": [[0.6, 0.5, 0.7], [0.55, 0.5, 0.6]],
            "weighted by sample": [[0.9, 0.88, 0.92] if far else [0.6, 0.5, 0.7], [0.55, 0.5, 0.6]],
        },
        "said": {"shift detected": 5 if far else 0, "class proportions changed": 2},
        "labels_needed": 101,
        "points": {"source": [[-1.5, 0.0, 0, 0.1], [-1.0, 1.0, 1, 0.9]],
                   "target": [[covariate - 1.5, 0.0, 0, 0.1], [covariate - 1.0, 1.0, 1, 0.9]]},
    }  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return [row(c, k) for c in COVARIATE for k in LABEL]


def test_the_setting_is_found_and_said_with_what_it_rests_on(data):
    found = shift_dials.compute(data, State(2, 1, 0))
    assert found.distance == (1.4, 1.3, 1.5) and found.effective[0] == 40
    words = shift_dials.said(found)
    assert "proxy A-distance 1.40 (95 % interval 1.30 to 1.50), 40 of 400 samples effective" in words
    assert "weighted by sample is most accurate" in words
    assert "n = 2,000 target samples, 5 draws" in words
    assert "no weights are more accurate than none" in shift_dials.said(
        shift_dials.compute(data, State(0, 1, 0))
    )


@given(st.sampled_from(COVARIATE), st.sampled_from(LABEL), st.sampled_from(CONCEPT))
def test_the_concept_dial_changes_accuracy_and_names_alone(covariate, label, concept):
    rows = [row(c, k) for c in COVARIATE for k in LABEL]
    found, plain = (shift_dials.compute(rows, State(covariate, label, c)) for c in (concept, 0))
    for key in ("distance", "effective", "said", "labels_needed", "source", "n", "seeds"):
        assert getattr(found, key) == getattr(plain, key)
    assert shift_dials.diagnosis(found) == shift_dials.diagnosis(plain)
    assert [(p.across, p.up) for p in found.target] == [(p.across, p.up) for p in plain.target]
    exchanged = [a.label != b.label for a, b in zip(found.target, plain.target, strict=True)]
    assert exchanged == [concept > 10, False]


def test_the_diagnosis_says_how_often_and_what_it_cannot_see(data):
    lines = shift_dials.diagnosis(shift_dials.compute(data, State(2, 10, 40)))
    assert lines[0] == "shift detected: in 5 of 5 draws"
    assert "not seen" in lines[-1] and "101 target labels" in lines[-1]


@pytest.mark.parametrize("state", [State(1, 1, 0), State(0, 2, 0), State(0, 1, 7), State("far", 1, 0)])
def test_settings_between_the_steps_are_refused_in_a_sentence(data, state):
    with pytest.raises(UserError, match="stand"):
        shift_dials.compute(data, state)


@pytest.mark.parametrize("key", ["distance", "effective", "accuracy", "said", "points", "concept", "label"])
def test_data_without_a_field_is_refused(data, key):
    broken = copy.deepcopy(data)
    del broken[0][key]
    with pytest.raises(UserError, match=f"has no '{key}'"):
        shift_dials.compute(broken, State(0, 1, 0))


def test_without_data_there_is_a_sentence():
    with pytest.raises(UserError, match="nothing to show"):
        shift_dials.static([])


def test_the_static_figure_shows_every_number(data):
    card = shift_dials.static(data, State(2, 1, 40))
    assert card.png()[1:4] == b"PNG" and "40 % of names exchanged" in card.finding
    texts = {t.get_text() for axes in card.axes for t in axes.texts}
    assert {"1.40", "40 / 400", "55 %", "shift detected: in 5 of 5 draws"} <= texts


def test_the_dials_turn(data):
    covariate, label, concept, picture = shift_dials.view(data).children
    assert all(dial.description for dial in (covariate, label, concept))
    assert "Moved by 2, odds of B × 1, 0 %" in picture.value
    covariate.value = 0
    assert "Moved by 0" in picture.value
    label.value, concept.value = 10, 40
    assert "odds of B × 10, 40 % of names exchanged" in picture.value
