"""Lesson 07: what the remedies, half turns and backgrounds do, on several seeds with intervals."""

import numpy as np
import pytest

from transferlab.course import grid07, lesson07, lesson07_background, lesson07_costs
from transferlab.course.grids import stored_grid
from transferlab.data.bundled import load_bundled
from transferlab.evaluation.claims import direction, make_claim
from transferlab.evaluation.factorial import half_fraction
from transferlab.transfer import FineTuning, FromScratch

SEEDS = 4


@pytest.fixture(scope="module")
def turns():
    return lesson07.turn_trial(range(SEEDS), device="cpu")


@pytest.fixture(scope="module")
def bias():
    return lesson07_background.background_trial(range(SEEDS), device="cpu")


def test_the_stored_grid_is_of_the_design_and_the_start_decides_by_the_images():
    grid = stored_grid("07_factorial")
    assert [(f["data"], f["epochs"]) for f in grid] == list(grid07.SETTINGS)
    for factorial in grid:
        assert np.array_equal(grid07.stored_design(factorial).signs, half_fraction(grid07.FACTORS).signs)
        assert np.shape(factorial["accuracy"]) == (grid07.SEEDS, 16)
    short, long, digits = grid
    for factorial in (short, long):
        found = lesson07.factorial_effects(factorial)
        assert make_claim("L07.start", found[grid07.START], "points", direction).holds
        assert lesson07.largest_factor(factorial) == grid07.START
        assert lesson07.better_start(factorial) == lesson07.STARTS[0]
    assert lesson07.better_start(digits) == lesson07.STARTS[2]
    for stopping, sign in ((False, 1), (True, -1)):
        claim = make_claim(
            "L07.start", sign * lesson07.start_effect(digits, stopping=stopping), "points", direction
        )
        assert claim.holds
    assert all(len(values) == 3 for values in lesson07.factorial_effects(short, 3).values())
    assert grid07.START in lesson07.effects_card(short).finding
    assert "no pair told from zero" in lesson07.pairs_sentence(short)
    assert "pretrained start × early stopping" in lesson07.pairs_sentence(digits)
    assert "digits, 40 epochs" in lesson07.main_effects_card(grid).finding


def test_equal_starts_are_not_told_apart_and_a_run_comes_out_again():
    factorial = stored_grid("07_factorial")[0]
    level = {**factorial, "accuracy": np.random.default_rng(0).normal(0.5, 0.01, (10, 16)).tolist()}
    assert lesson07.better_start(level) == lesson07.STARTS[2]
    words = lesson07.rerun_sentence(factorial)
    now, before = (int(part.split(" %")[0].split()[-1]) for part in words.split(" now,"))
    assert abs(now - before) <= 3, words


def test_the_start_is_compared_where_stopping_is_on_and_where_it_is_off():
    factorial = stored_grid("07_factorial")[2]
    columns = np.array(factorial["signs"])
    start, stopped = (columns[:, grid07.FACTORS.index(f)] for f in (grid07.START, grid07.STOPPING))
    accuracy = 100 * np.array(factorial["accuracy"])
    for on in (-1, 1):
        means = [accuracy[:, (start == s) & (stopped == on)].mean(1) for s in (1, -1)]
        assert np.allclose(lesson07.start_effect(factorial, stopping=on == 1), means[0] - means[1])


def test_every_setting_reaches_the_fit_and_labels_are_given_back():
    task = grid07.seed_task("digits", 5, 0)
    both = len(task.train) + len(task.validation)
    seen = {}

    class Watching:
        def __init__(self, *args, **settings):
            seen.update(settings)

        def fit(self, images, validation=None):
            seen.update(n=len(images), held=0 if validation is None else len(validation))
            return self

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid07, "FineTuning", Watching)
        grid07.fit_run(task, dict.fromkeys(grid07.FACTORS, True), 3, epochs=1)
        high = dict(seen)
        grid07.fit_run(task, {**dict.fromkeys(grid07.FACTORS, False), grid07.START: True}, 3, epochs=1)
    assert (high["augmentation"], high["dropout"], high["weight_decay"], high["patience"]) == (
        0.5,
        0.5,
        0.1,
        3,
    )
    assert high["n"] == len(task.train) and high["held"] == len(task.validation)
    assert (seen["augmentation"], seen["dropout"], seen["weight_decay"], seen["patience"]) == (0, 0, 0, None)
    assert seen["n"] == both and seen["held"] == 0 and seen["random_state"] == 3


def test_a_start_is_pretrained_or_not():
    task, off = grid07.seed_task("digits", 2, 0), dict.fromkeys(grid07.FACTORS, False)
    assert type(grid07.fit_run(task, off, 0, epochs=1)) is FromScratch
    assert type(grid07.fit_run(task, {**off, grid07.START: True}, 0, epochs=1)) is FineTuning


def test_every_seed_has_a_test_of_its_own_and_fonts_do_not_meet():
    a, b = (grid07.seed_task("printed-digits", 10, seed) for seed in (0, 1))
    assert a.test.image_set.digest != b.test.image_set.digest
    assert not set(a.train.groups) & set(a.test.image_set.groups)
    sealed = {image.tobytes() for image in load_bundled("printed-digits").test.images}
    assert not sealed & {image.tobytes() for image in a.test.images}


def test_half_turns_cost_six_and_nine_more_than_the_others(turns):
    assert make_claim("L07.turns", turns.extra(), "points", direction).holds
    assert lesson07.hardest_hit(turns) == "6 and 9"
    assert "6 and 9" in lesson07.turns_card(turns).finding


def test_extra_cost_is_counted():
    kept, turned = np.ones((2, 10)), np.ones((2, 10))
    turned[:, [6, 9]] = 0.5
    turned[:, 0] = 0.2
    trial = lesson07.TurnTrial(kept, turned, tuple("0123456789"), 10)
    assert trial.extra() == pytest.approx([40, 40])
    assert lesson07.hardest_hit(trial) == "0 and 6"
    assert lesson07.hardest_hit(lesson07.TurnTrial(kept, kept, tuple("0123456789"), 10)) == "none of them"


def test_the_other_background_costs_and_exchanging_mends(bias):
    assert make_claim("L07.gap", bias.gap, "points", direction).holds
    exchanged = bias.mended(lesson07_background.EXCHANGED)
    assert make_claim("L07.mended", exchanged, "points", direction).holds
    assert (exchanged > bias.mended(lesson07_background.BALANCED)).all()
    assert "Worst group" in lesson07_background.groups_card(bias).finding
    assert "of the heat" in lesson07_background.heat_card(bias).finding


def test_without_a_coincidence_the_background_costs_little(bias):
    fair = lesson07_background.background_trial(range(SEEDS), agreement=0.5, device="cpu")
    assert fair.gap.mean() < bias.gap.mean() / 2


def test_scenes_agree_as_often_as_said_and_hold_the_crop():
    train, exchanged = lesson07_background.collected(0, 0.95, 40)
    names, counts = np.unique(train.groups, return_counts=True)
    found = dict(zip(names, counts, strict=True))
    assert found == {"face on grass": 38, "face on gravel": 2, "other on gravel": 38, "other on grass": 2}
    box = lesson07_background.BOX
    assert np.array_equal(train.images[..., box, box], exchanged.images[..., box, box])
    assert not set(train.groups[:1]) & set(exchanged.groups[:1])
    test = lesson07_background.test_scenes(0)
    assert set(np.unique(test.groups, return_counts=True)[1]) == {40}
    assert np.array_equal(*np.split(test.images[..., box, box], 2))


def test_heat_outside_is_counted():
    maps = np.zeros((1, 64, 64))
    maps[0, 0, 0], maps[0, 32, 32] = 1, 3
    assert lesson07_background.outside(maps) == 0.25


def test_decay_alone_leaves_what_repeated_steps_leave():
    weight = 1.0
    for _ in range(48):
        weight -= 1e-3 * 0.1 * weight
    assert lesson07.shrinkage(0.1, 1e-3, 48) == pytest.approx(weight)


def test_costs_know_what_has_weights():
    task = grid07.seed_task("digits", 5, 0)
    trial = lesson07_costs.cost_trial(task, range(2), 5, "cpu")
    by_name = {row["name"]: row for row in trial.rows}
    assert {n for n, row in by_name.items() if row["accuracy"] is None} == set(lesson07_costs.WITHOUT_WEIGHTS)
    assert by_name["zoo-all"]["parameters"] == by_name["zoo-untrained"]["parameters"]
    assert all(row["milliseconds"] > 0 for row in trial.rows)
    assert "times the parameters" in lesson07_costs.cost_card(trial, "digits").finding
