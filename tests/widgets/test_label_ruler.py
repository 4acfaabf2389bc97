"""The label-budget ruler: what it reads follows from the curves, and where nothing is saved it says so."""

import copy
import json

import numpy as np
import pytest

from transferlab.errors import UserError
from transferlab.evaluation.labels_saved import labels_needed
from transferlab.evaluation.results import Evaluation, Row
from transferlab.widgets import label_ruler
from transferlab.widgets.label_ruler import State

BUDGETS, N, SEEDS = (2, 8, 32), 200, (0, 1, 2)
BETTER, WORSE, EQUAL = (0.6, 0.8, 0.9), (0.2, 0.4, 0.7), (0.6, 0.8, 0.9)


def evaluation(budget, accuracies):
    """An evaluation whose methods answer the first images rightly, with some luck for each seed."""
    truth = np.zeros(N, int)
    probabilities = {}
    for name, accuracy in accuracies.items():
        right = np.stack(
            [np.random.default_rng([len(name), s, budget]).permutation(N) < accuracy * N for s in SEEDS]
        )
        probabilities[name] = np.stack([right, ~right], -1).astype(float)
    rows = tuple(
        Row(name, None, accuracies[name], 0.0, 1.0, "made up", [accuracies[name]] * 3, N, 3, 1.0, None, budget, {})
        for name in accuracies
    )  # fmt: skip
    return Evaluation(rows, truth, probabilities, SEEDS, 1, rows[0].name)


def made(**methods):
    return [
        evaluation(k, {name: a[i] for name, a in methods.items() if a[i] is not None})
        for i, k in enumerate(BUDGETS)
    ]


@pytest.fixture(scope="module")
def data():
    return [
        label_ruler.curves("saves", made(pixels=WORSE, scratch=WORSE, fine_tuning=BETTER)),
        label_ruler.curves("saves none", made(pixels=BETTER, scratch=BETTER, fine_tuning=EQUAL)),
        label_ruler.curves("costs", made(pixels=BETTER, scratch=BETTER, fine_tuning=WORSE)),
    ]


def read(data, task, percent):
    return label_ruler.compute(data, State(task, "fine_tuning", "scratch", percent / 100))


@pytest.mark.parametrize("percent", [30, 40, 55, 65, 70])
def test_labels_needed_are_where_the_curves_meet_the_ruler(data, percent):
    reading, budgets = read(data, "saves", percent), np.array(BUDGETS, float)
    wanted = np.array([percent / 100])
    assert reading.needed[0] == pytest.approx(labels_needed(budgets, wanted, np.array(BETTER))[0], abs=0.01)
    assert reading.rival_needed[0] == pytest.approx(
        labels_needed(budgets, wanted, np.array(WORSE))[0], abs=0.01
    )
    assert reading.saved[0] == pytest.approx(reading.rival_needed[0] - reading.needed[0], abs=0.02)
    for middle, low, high in (reading.needed, reading.rival_needed, reading.saved):
        assert low <= middle <= high


def test_the_ruler_says_what_was_saved_and_when_nothing_was(data):
    assert read(data, "saves", 65).verdict == "saved"
    assert "labels a class saved" in label_ruler.said(read(data, "saves", 65))
    assert read(data, "saves none", 75).verdict == "none"
    assert "no labels saved that chance" in label_ruler.said(read(data, "saves none", 75))
    assert read(data, "costs", 65).verdict == "cost"
    assert "saved none, it cost" in label_ruler.said(read(data, "costs", 65))
    assert read(data, "saves", 99).verdict == "out of reach"
    assert "neither fine-tuning from a later stage nor from scratch" in label_ruler.said(
        read(data, "saves", 99)
    )


def test_beyond_the_budgets_only_bounds_are_told(data):
    beyond = label_ruler.said(read(data, "saves", 85))
    assert "from scratch more than 32" in beyond and beyond.startswith("Saves at 85 %: more than ")
    below = label_ruler.said(read(data, "saves", 50))
    assert "2 or fewer" in below and "at least" in below
    assert "n = 200 test images, 3 seeds" in below


def test_curves_are_plain_and_small(data):
    text = json.dumps(data, allow_nan=False)
    assert len(text) < 90_000
    again = json.loads(text)
    assert read(again, "saves", 65) == read(data, "saves", 65)
    assert [a[0] for a in data[0]["methods"]["fine_tuning"]["accuracy"]] == pytest.approx(BETTER)


def test_a_method_may_lack_budgets():
    one = label_ruler.curves("t", made(scratch=(None, 0.4, 0.7), feature_extraction=BETTER))
    assert one["methods"]["scratch"]["labels"] == [8, 32]
    reading = label_ruler.compute([one], State("t", "feature_extraction", "scratch", 0.3))
    assert reading.rival_needed[0] == 8 and reading.least == (2, 8)


@pytest.mark.parametrize(
    "state",
    [
        State("other", "fine_tuning", "scratch", 0.5),
        State("saves", "scratch", "pixels", 0.5),
        State("saves", "fine_tuning", "fine_tuning", 0.5),
        State("saves", "fine_tuning", "scratch", 0.0),
        State("saves", "fine_tuning", "scratch", 1.2),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(data, state):
    with pytest.raises(UserError):
        label_ruler.compute(data, state)


@pytest.mark.parametrize("key", ["n", "seeds", "methods", "saved"])
def test_a_target_without_a_field_is_refused(data, key):
    broken = copy.deepcopy(data)
    del broken[0][key]
    with pytest.raises(UserError, match=f"has no '{key}'"):
        read(broken, "saves", 50)


def test_evaluations_must_belong_together():
    good = made(scratch=WORSE, fine_tuning=BETTER)
    with pytest.raises(UserError, match="for each of some label budgets"):
        label_ruler.curves("t", [])
    other = Evaluation(good[1].rows, good[1].truth, good[1].probabilities, (5, 6, 7), 1, "scratch")
    with pytest.raises(UserError, match="same seeds"):
        label_ruler.curves("t", [good[0], other])


def test_the_card_has_the_ruler_and_says_the_reading(data):
    state = State("saves", "fine_tuning", "scratch", 0.65)
    card = label_ruler.static(data, state)
    assert card.finding == label_ruler.said(label_ruler.compute(data, state))
    assert any("ruler 65 %" in t.get_text() for t in card.axes[0].texts)
    assert label_ruler.static(data).png()[1:4] == b"PNG"


def test_the_view_follows_its_controls(data):
    menus, ruler, picture = label_ruler.view(data).children
    task, mine, rival = menus.children
    assert all(c.description for c in (task, mine, rival, ruler))
    before = picture.value
    ruler.value = 99
    assert picture.value != before and "neither" in picture.value
    ruler.value = 65
    task.value = "costs"
    assert "it cost" in picture.value
    rival.value = "fine_tuning"
    assert 'role="alert"' in picture.value
    rival.value = "pixels"
    assert "raw pixels" in picture.value
