"""Lesson 09: what each shift leaves alone, what is seen of it, and where weights mend, change nothing or harm."""

import math

import numpy as np
import pytest

from transferlab.course import grid09, lesson09
from transferlab.course import lesson09_figures as figures
from transferlab.course.grid09 import BY_CLASS, BY_SAMPLE, METHODS, SOURCE_ONLY, exchanged, plane
from transferlab.course.grids import stored_grid
from transferlab.course.lesson09 import (
    BENT,
    CONCEPT_SHIFT,
    COVARIATE_SHIFT,
    LABEL_SHIFT,
    NONE,
    SEEN,
    STRAIGHT,
)
from transferlab.errors import UserError

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def on_plane():
    return lesson09.plane_draws(SEEDS)


@pytest.fixture(scope="module")
def overlap():
    return lesson09.overlap_trial(SEEDS, (2, 5))


@pytest.fixture(scope="module")
def pool():
    """Ten clouds that overlap, with a brightness that is one of their coordinates."""
    rng = np.random.default_rng(0)
    y = np.tile(np.arange(10), 90)
    X = rng.normal(size=(900, 12)) + 3.0 * np.eye(10, 12)[y]
    return lesson09.Pool(X, y, X[:, 11], tuple("abcdefghij"))


@pytest.fixture(scope="module")
def grid():
    return stored_grid("09_dials")


def test_covariate_shift_keeps_the_rule_and_label_shift_the_places():
    rule, places = lesson09.what_moved(covariate=2)
    assert abs(rule) < 0.03 and abs(places) > 1
    rule, places = lesson09.what_moved(label=10)
    assert abs(rule) > 0.3 and abs(places) < 0.03


def test_concept_shift_moves_no_sample_and_exchanges_the_share_that_was_asked_for():
    (X, y), (Z, z) = (plane(4000, np.random.default_rng(1), concept=c) for c in (0, 40))
    assert np.array_equal(X, Z)
    assert abs((y != z).mean() - 0.4) < 0.03
    assert np.array_equal(exchanged(y, np.zeros(4000), 0), y)


def test_odds_of_a_class_grow_as_the_dial_says():
    before, after = (plane(100_000, np.random.default_rng(2), label=k)[1].mean() for k in (1, 10))
    assert math.isclose(after / (1 - after), 10 * before / (1 - before), rel_tol=0.05)


def test_exact_weights_between_normals_leave_the_share_of_the_formula():
    z = np.random.default_rng(0).normal(size=400_000)
    share = grid_share(np.exp(0.8 * z))
    assert share == pytest.approx(lesson09.exact_share(0.8), rel=0.03)


def grid_share(weights):
    return weights.sum() ** 2 / (weights**2).sum() / len(weights)


def test_samples_show_covariate_and_label_shift_and_not_concept_shift(on_plane):
    for shift in (COVARIATE_SHIFT, LABEL_SHIFT):
        assert all(draw.said[SEEN[0]] for draw in on_plane[shift])
    assert all(draw.said[SEEN[2]] for draw in on_plane[LABEL_SHIFT])
    assert not any(draw.said[SEEN[2]] for draw in on_plane[COVARIATE_SHIFT])
    none, concept = (on_plane[shift] for shift in (NONE, CONCEPT_SHIFT))
    assert [d.distance for d in none] == [d.distance for d in concept]
    assert [d.said for d in none] == [d.said for d in concept]
    assert figures.least_seen(on_plane) == CONCEPT_SHIFT
    assert min(lesson09.drop(none, concept)) > 20


def test_weights_suit_the_shift_whose_assumption_they_make(on_plane):
    assert min(lesson09.gains(on_plane[COVARIATE_SHIFT], BY_SAMPLE)) > 10
    assert min(lesson09.gains(on_plane[LABEL_SHIFT], BY_CLASS)) > 0
    assert max(map(abs, lesson09.gains(on_plane[NONE], BY_SAMPLE))) < 3


def test_weights_mend_a_line_with_overlap_and_harm_it_without(overlap):
    assert min(overlap.gain(STRAIGHT, 2)) > 5
    assert max(overlap.gain(STRAIGHT, 5)) < -5
    assert abs(np.mean(overlap.gain(BENT, 2))) < 5
    assert overlap.effective[2].mean() < 100
    assert figures.far_words(overlap) == figures.FAR[2]


def test_the_diagnosis_in_words_never_claims_what_it_cannot_see():
    text = lesson09.plane_diagnosis(COVARIATE_SHIFT, 0)
    assert text.startswith("Shift detected")
    assert "not told apart without target labels" in text and "invisible without target labels" in text


def test_the_parts_of_a_pool_do_what_their_shift_says(pool):
    for shift in lesson09.SHIFTS:
        source, target, truth = lesson09.parted(pool, shift, 0)
        assert len(np.intersect1d(source, target)) == 0 and len(source) + len(target) == len(pool.y)
        changed = (truth != pool.y[target]).mean()
        assert (0.1 < changed < 0.3) if shift == CONCEPT_SHIFT else changed == 0
        moved = pool.bright[target].mean() - pool.bright[source].mean()
        assert (moved > 0.8) == (shift == COVARIATE_SHIFT)
        shares = np.bincount(pool.y[target], minlength=10) / np.bincount(pool.y)
        assert (np.ptp(shares) > 0.5) == (shift == LABEL_SHIFT)


def test_class_weights_mend_label_shift_of_a_pool(pool):
    draws = lesson09.image_draws(pool, SEEDS, (LABEL_SHIFT,))[LABEL_SHIFT]
    assert np.mean(lesson09.gains(draws, BY_CLASS)) > 0
    assert figures.best_weights(draws) in METHODS
    assert all(d.said[SEEN[0]] for d in draws)


def test_too_few_images_of_a_class_end_in_a_sentence(pool):
    few = lesson09.Pool(pool.X[:60], pool.y[:60], pool.bright[:60], pool.classes)
    with pytest.raises(UserError, match="at least 40 images a class"):
        lesson09.parted(few, LABEL_SHIFT, 0)


def test_cards_and_tables_say_what_they_rest_on(on_plane, overlap):
    assert "n = 60 samples of each domain" in figures.shifts_card().finding
    assert "n = 2,000 target samples, 2 seeds" in figures.overlap_card(overlap).finding
    assert "2 seeds" in figures.weights_card(on_plane).finding
    table = figures.seen_table(on_plane)
    assert len(table.rows) == 4 and all(len(row) == len(table.head) for row in table.rows)
    assert "2 of 2 draws" in repr(table)
    first, second, _ = figures.far_lines(on_plane[COVARIATE_SHIFT], "here", "there")
    assert first.startswith("Here to there: shift detected in 2 of 2 draws") and SOURCE_ONLY in second
    assert "e^-25" in figures.effective_lines(overlap)[-1]


def test_the_grid_is_whole_and_its_numbers_are_in_range(grid):
    assert [(row["covariate"], row["label"]) for row in grid] == [
        (c, k) for c in grid09.COVARIATE for k in grid09.LABEL
    ]
    for row in grid:
        assert row["seeds"] == len(grid09.SEEDS) and tuple(row["concept"]) == grid09.CONCEPT
        for low, high, (middle, a, b) in (
            (-2, 2, row["distance"]),
            (0, row["n"], row["effective"]),
            *((0, 1, spread) for steps in row["accuracy"].values() for spread in steps),
        ):
            assert low <= a <= middle <= b <= high


def test_a_cell_of_the_grid_comes_out_again(grid):
    again = [grid09.measure(seed, 1, 1) for seed in grid09.SEEDS]
    stored = next(row for row in grid if (row["covariate"], row["label"]) == (1, 1))
    for name in METHODS:
        found = np.mean([draw["accuracy"][name][0] for draw in again])
        assert found == pytest.approx(stored["accuracy"][name][0][0], abs=0.03)


def test_exchanged_names_change_accuracy_in_the_grid_and_nothing_else(grid):
    for row in grid:
        for steps in row["accuracy"].values():
            middle = [spread[0] for spread in steps]
            assert (middle[0] > 0.55) <= (middle[0] > middle[-1])
