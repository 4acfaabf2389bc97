"""Lesson 10: each alignment mends its own kind of shift, and all harm where class shares have changed."""

import numpy as np
import pytest

from transferlab.adaptation import select
from transferlab.course import lesson10, lesson10_cards, lesson10_features, lesson10_morph
from transferlab.course.lesson10 import (
    BY_MOMENTS,
    BY_PLAN,
    BY_PROJECTION,
    CUE,
    MOVED,
    SHARES,
    SHIFTS,
    SOURCE,
    STRETCHED,
    TURNED,
)
from transferlab.course.lesson10_features import FONTS, LETTERS, SKEWED
from transferlab.widgets import embedding_morph

SEEDS = range(2)


@pytest.fixture(scope="module")
def clouds():
    return lesson10.cloud_trial(range(3))


@pytest.fixture(scope="module")
def trial():
    return lesson10_features.align_trial(SEEDS, (LETTERS, FONTS, SKEWED))


def test_each_method_mends_the_shift_it_is_made_for(clouds):
    assert clouds.compare(MOVED, BY_MOMENTS).low > 0
    assert clouds.compare(STRETCHED, BY_PLAN, BY_MOMENTS).low > 0
    assert clouds.compare(CUE, BY_PROJECTION, BY_MOMENTS).low > 0


def test_no_method_mends_a_turn_and_other_class_shares_harm_all_three(clouds):
    for method in (BY_MOMENTS, BY_PLAN, BY_PROJECTION):
        assert clouds.accuracy(TURNED, method) < 0.7
        assert clouds.compare(SHARES, method).high < 0
    assert clouds.accuracy(SHARES, SOURCE) > 0.9


def test_test_points_are_the_same_for_all_seeds_and_clouds_are_not():
    one, two = (lesson10.clouds(MOVED, seed) for seed in (0, 1))
    assert np.array_equal(one.test, two.test) and not np.array_equal(one.source, two.source)
    assert np.array_equal(one.source, lesson10.clouds(MOVED, 0).source)


def test_coral_makes_both_moments_equal():
    assert max(lesson10.same_moments()) < 1e-9


def test_cards_say_what_they_rest_on(clouds):
    card = lesson10.trial_card(clouds)
    assert "n = 500 test points, 3 seeds" in card.finding and f"of {3 * len(SHIFTS)} cases" in card.finding
    card = lesson10.clouds_card(clouds, [STRETCHED, CUE])
    assert len(card.axes) == 8 and "one draw is shown" in card.finding
    shown = {line.get_markerfacecolor() for line in card.axes[0].lines}
    assert len(shown) == 2 and len({line.get_marker() for line in card.axes[0].lines}) == 3


def test_coral_helps_the_dark_letters_and_harms_where_shares_changed(trial):
    assert lesson10_cards.gain(trial, LETTERS, BY_MOMENTS).low > 0.1
    harm = lesson10_cards.gain_points(trial, SKEWED, BY_MOMENTS)
    control = lesson10_cards.gain_points(trial, FONTS, BY_MOMENTS)
    assert max(harm) < -5 and np.mean(harm) < np.mean(control) - 5


def test_the_diagnosis_names_the_changed_shares_and_nothing_else_there_alone(trial):
    for pair, alone in ((SKEWED, True), (FONTS, False), (LETTERS, False)):
        for d in trial.diagnoses[pair]:
            assert bool(d.proportions_changed and d.explained_by_label_shift) == alone
    assert lesson10_features.warnings_points(trial) == [100.0] * len(SEEDS)
    assert any("and nothing else 2 of 2" in line for line in lesson10_cards.warning_lines(trial))


def test_the_choice_is_made_without_labels_and_its_cost_is_told(trial):
    names = lesson10_features.chosen(trial, SKEWED)
    assert lesson10_cards.choice_cost(trial, SKEWED) == pytest.approx(
        [-lesson10_cards.gain_points(trial, SKEWED, name)[i] for i, name in enumerate(names)]
    )
    best = lesson10_features.right_of_oracle(trial, SKEWED).mean(1)
    for (pair, _), table in trial.correct.items():
        assert pair != SKEWED or (table.mean(1) <= best).all()
    assert SKEWED in lesson10_cards.worse_than_nothing(trial)
    card = lesson10_cards.choice_card(trial)
    assert SKEWED in card.finding and "2 seeds" in card.finding and "190" in card.finding


def test_no_method_sees_a_target_label_and_domains_share_no_font():
    d = lesson10_features.domains(SKEWED, 0)
    fonts = [set(part.groups) for part in (d.source, d.target, d.test)]
    assert not (fonts[0] & fonts[1] or fonts[0] & fonts[2] or fonts[1] & fonts[2])
    assert np.isin(d.target.labels, lesson10_features.COMMON).mean() > 0.75
    shuffled = lesson10_features.Domains(
        d.pair, d.source, d.held, lesson10_features.Part(d.target.features, d.target.labels[::-1]), d.test
    )
    answers = [
        {name: m.predict(d.test.features) for name, m in lesson10_features.fitted(each).items()}
        for each in (d, shuffled)
    ]
    assert all(np.array_equal(answers[0][name], answers[1][name]) for name in answers[0])
    models = lesson10_features.fitted(d)
    assert select(models, X_target=d.target.features).chosen in models


def test_the_morph_begins_at_source_only_and_ends_at_the_method(trial):
    [case] = lesson10_morph.cases([SKEWED], SEEDS, [BY_MOMENTS])
    ends = [trial.correct[SKEWED, name].mean() for name in (SOURCE, BY_MOMENTS)]
    assert [case["accuracy"][0][0], case["accuracy"][-1][0]] == pytest.approx(ends)
    assert case["gain"][0][0] == 0 and case["gain"][-1][2] < 0
    assert "worse" in embedding_morph.static([case]).finding
