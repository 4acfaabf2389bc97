"""Lesson 00: intervals keep their promise over images, break it over seeds alone, and batches must be counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from transferlab.course import lesson00
from transferlab.evaluation import wilson
from transferlab.evaluation.claims import direction, equivalent, make_claim

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def tables():
    return [lesson00.answers("zoo-all", seed, device="cpu") for seed in SEEDS]


def test_no_model_learns_from_the_world():
    known = {image.tobytes() for image in lesson00.load_bundled("digits").development.images}
    world = [image.tobytes() for part in lesson00.world() for image in part.images]
    assert len(world) > lesson00.LARGE and not known & set(world)


def test_models_differ_and_know_something(tables):
    assert all(table.shape == (lesson00.MODELS, 1196) for table in tables)
    rows = np.concatenate(tables)
    assert len({row.tobytes() for row in rows}) == len(rows)
    assert 0.4 < rows.mean() < 0.99


@pytest.mark.parametrize("n", [75, 1000])
def test_intervals_over_images_hold_what_they_promise(tables, n):
    values = [100 * (lesson00.coverage(row, n) - 0.95) for table in tables for row in table[:4]]
    assert make_claim("L00.cover", values, "points", equivalent(2)).holds


def test_coverage_by_draws_is_that_of_the_binomial():
    right, n = np.arange(1000) < 830, 75
    counts = np.arange(n + 1)
    low, high = lesson00.wilson_ends(counts, n).T
    exact = stats.binom.pmf(counts, n, 0.83)[(low <= 0.83) & (high >= 0.83)].sum()
    assert lesson00.coverage(right, n, draws=20_000) == pytest.approx(exact, abs=0.01)


def test_more_images_narrow_the_interval(tables):
    for table in tables:
        ratio = lesson00.mean_width(table[0], 75) / lesson00.mean_width(table[0], 1000)
        assert 3 < ratio < 4


def test_seeds_alone_miss_the_truth(tables):
    values = [100 * (0.95 - lesson00.coverage_of_seeds_alone(table, 75)) for table in tables]
    assert make_claim("L00.miss", values, "points", direction).holds
    assert min(values) > 10


def test_more_seeds_alone_miss_more_often(tables):
    few, many = ([lesson00.coverage_of_seeds_alone(table[:k], 75) for table in tables] for k in (4, 10))
    assert make_claim("L00.more", 100 * np.subtract(few, many), "points", direction).holds


def test_seeds_alone_are_enough_where_models_err_on_images_of_their_own():
    rng = np.random.default_rng(0)
    shares = rng.uniform(0.6, 0.9, 10)
    table = rng.random((10, 4000)) < shares[:, None]
    assert lesson00.coverage_of_seeds_alone(table, 75) > 0.95


@given(st.lists(st.booleans(), min_size=1, max_size=90), st.integers(1, 40))
def test_counting_does_not_depend_on_batches(answers, size):
    right = np.array(answers)
    parts = lesson00.batches(right, size)
    assert lesson00.counted(parts) == pytest.approx(right.mean())
    assert sum(map(len, parts)) == len(right)
    if len(right) % size == 0:
        assert lesson00.averaged(parts) == pytest.approx(right.mean())


def test_averaging_batches_moves_the_accuracy(tables):
    values = [lesson00.batch_gap(table[0], seed=i) for i, table in enumerate(tables)]
    assert make_claim("L00.gap", values, "points", direction).holds
    assert all(0.5 < value < 5 for value in values)
    assert lesson00.batch_gap(tables[0][0], n=64) == pytest.approx(0, abs=1e-9)


def test_two_draws_of_labels_are_not_told_apart_by_construction(tables):
    both = [
        lesson00.second_less_first(table[order], seed=1) for table in tables for order in ([0, 1], [1, 0])
    ]
    assert sum(both) == pytest.approx(0)


def test_guesses_have_one_nearest_option():
    assert lesson00.nearest(2.4, lesson00.GAPS) == "by a point or two"
    assert lesson00.nearest(55, lesson00.HELD) == "fewer than 80 times of 100"


def test_cards_say_what_they_show():
    right = np.arange(1000) < 800
    card = lesson00.repeated_card(right, [75, 1000], draws=40)
    assert card.finding.startswith("95 % intervals hold the true 80 %") and "n = 1,000 images" in card.finding
    missed = 80 - sum(
        int(w) for w in card.finding.replace(" of 40", "").split() if w.isdigit() and 30 <= int(w) <= 40
    )
    thick = [line for axes in card.axes for line in axes.lines if line.get_linewidth() > 2]
    assert len(thick) == missed
    one, ends = lesson00.interval_card(0.8, 75), wilson(60, 75)
    assert (
        "60 of 75 right" in one.finding and f"{100 * ends.low:.0f} and {100 * ends.high:.0f} %" in one.finding
    )


def test_the_slider_moves_the_picture():
    right, images, picture = lesson00.interval_slider().children
    assert right.description and images.description
    assert "60 of 75 right" in picture.value
    images.value = 1000
    assert "800 of 1,000 right" in picture.value
    right.value = 100
    assert "1,000 of 1,000 right" in picture.value


def test_the_environment_is_told_without_paths():
    lines = lesson00.environment()
    assert len(lines) == 7 and all("/" not in line for line in lines)
    assert lines[-1].split() == ["bundled", "ok"]


def test_a_broken_environment_is_pointed_at(monkeypatch):
    monkeypatch.setattr(lesson00, "doctor_lines", lambda: [f"{name} MISSING" for name in lesson00._NEEDED])
    assert all(line.endswith("see transferlab doctor") for line in lesson00.environment())
