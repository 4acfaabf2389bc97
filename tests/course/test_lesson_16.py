"""Lesson 16: the factorial is read as it was stored, choices are made on validation, and scales are kept apart."""

from dataclasses import replace

import numpy as np
import pytest

from transferlab import load_task
from transferlab.active.arms import StudyImages
from transferlab.active.factorial_effects import crossover
from transferlab.active.study_plan import Cell, CellResult
from transferlab.course import grid16, lesson16, lesson16_cards, lesson16_gains, lesson16_money
from transferlab.course.lesson16 import FROZEN, MARGIN, OWN, PRETRAINED, RANDOM, SCRATCH, TYPICAL, way
from transferlab.course.lesson16_money import BETTER, BOTH, CLEVERER, MORE
from transferlab.course.lesson16_own import own_lines
from transferlab.data import ImageSet, SealedTest

N_HELD, N_TEST, BUDGETS = 100, 900, (12, 24, 60)
#: Shares of right answers on the test at each budget; on validation the same unless told otherwise.
SHARES = {
    way(SCRATCH, RANDOM): (0.2, 1 / 3, 0.4),
    way(SCRATCH, TYPICAL): (0.2, 0.5, 0.5),
    way(SCRATCH, TYPICAL, PRETRAINED): (0.2, 0.4, 0.6),
    way(SCRATCH, MARGIN): (0.2, 1 / 3, 0.4),
    way(SCRATCH, MARGIN, PRETRAINED): (0.2, 1 / 3, 0.5),
    way(FROZEN, RANDOM): (0.45, 5 / 6, 0.9),
    way(FROZEN, TYPICAL): (0.6, 10 / 11, 0.9),
    way(FROZEN, MARGIN): (0.45, 5 / 6, 0.95),
}


def labelled(n, seed=0):
    rng = np.random.default_rng(seed)
    return ImageSet(rng.integers(0, 255, (n, 1, 4, 4)).astype(np.uint8), np.zeros(n, np.int64), ("a", "b"))


def made(shares=SHARES, held=None, seeds=3):
    """A study with those shares of right answers, each seed wrong on other images."""
    images = StudyImages(labelled(80), labelled(N_HELD), SealedTest(labelled(N_TEST), printing=False))
    results = []
    for curve, share in shares.items():
        for seed in range(seeds):
            answers = np.ones((len(BUDGETS), N_HELD + N_TEST), np.int64)  # 1 is wrong: all are of class 0
            for b, (h, t) in enumerate(zip((held or shares)[curve], share, strict=True)):
                order = np.random.default_rng([seed, b]).permutation
                answers[b, order(N_HELD)[: round(h * N_HELD)]] = 0
                answers[b, N_HELD + order(N_TEST)[: round(t * N_TEST)]] = 0
            budgets = np.array(BUDGETS)
            positions = np.random.default_rng(seed).permutation(80)[:60]
            results.append(
                CellResult(Cell(*curve, seed), budgets, answers, budgets, budgets * 1.0, positions, 0.1)
            )
    return results, images


@pytest.fixture(scope="module")
def toy():
    return lesson16.factorial(*made())


@pytest.fixture(scope="module")
def study():
    return lesson16.factorial(grid16.stored_results(), grid16.study_images())


def test_gains_are_differences_of_shares_in_points(toy):
    assert toy.gain(way(FROZEN, RANDOM), way(SCRATCH, RANDOM), 24) == pytest.approx([50, 50, 50])
    assert toy.gain(way(FROZEN, RANDOM), way(SCRATCH, TYPICAL), 12, than=60) == pytest.approx(
        [-5] * 3, abs=0.1
    )
    c = toy.compare(way(FROZEN, RANDOM), way(SCRATCH, RANDOM), 24)
    assert c.difference == pytest.approx(0.5, abs=1e-3) and c.low > 0.4 and (c.n, c.seeds) == (N_TEST, 3)


def test_doubled_odds_interact_in_points_and_not_in_log_odds(toy):
    odds, points = (toy.interaction(TYPICAL, 24, odds=odds) for odds in (True, False))
    assert odds == pytest.approx([0] * 3, abs=0.01)
    assert points == pytest.approx([-9.1] * 3, abs=0.1)
    assert "in points of accuracy at" in lesson16_gains.scales_card(toy, TYPICAL).finding
    gains = [line.split("points, ")[1] for line in lesson16_gains.ceiling_lines()]
    assert len(set(gains)) == 1 and len({line.split(":")[1] for line in lesson16_gains.ceiling_lines()}) == 4


def test_choices_follow_validation_and_never_the_test():
    held = {**SHARES, way(FROZEN, MARGIN): (0.9, 0.9, 0.99), way(SCRATCH, RANDOM): (0.2, 0.4, 0.63)}
    found, plain = lesson16.factorial(*made(held=held)), lesson16.factorial(*made())
    assert lesson16.best_strategy(plain, FROZEN, (TYPICAL, MARGIN)) == TYPICAL
    assert lesson16.best_strategy(found, FROZEN, (TYPICAL, MARGIN)) == MARGIN
    assert lesson16_money.within_reach(plain, SCRATCH) == pytest.approx(0.4)
    assert lesson16_money.within_reach(found, SCRATCH) == pytest.approx(0.6)


def test_labels_to_a_target_are_bounded_by_the_budgets(toy):
    needed = {name: n.needed for name, n in lesson16_money.labels_each(toy, TYPICAL, 0.55).items()}
    assert needed[MORE] == needed[CLEVERER] == np.inf and needed[BOTH] == 12
    assert 12 < needed[BETTER] < 24
    card = lesson16_money.needed_card(toy, lesson16_money.labels_each(toy, TYPICAL, 0.55), 0.55)
    assert "label more over 60" in card.finding and "n = 100 validation images, 3 seeds" in card.finding


def test_the_cheapest_way_changes_where_two_ways_cost_the_same(toy):
    needed = lesson16_money.labels_each(toy, TYPICAL, 0.4)
    fixed = {MORE: 0.0, CLEVERER: 50.0, BETTER: 10.0, BOTH: 60.0}
    price = crossover(needed[MORE].needed, 0.0, needed[BETTER].needed, 10.0)
    labels = {name: n.needed for name, n in needed.items()}
    assert lesson16_money.cheapest(labels, fixed, price * 0.99) == MORE
    assert lesson16_money.cheapest(labels, fixed, price * 1.3) != MORE
    finding = lesson16_money.money_card(toy, needed, fixed, 0.4).finding
    assert finding.startswith("Cheapest to 40 %: label more, from ")


def test_a_leader_is_ahead_of_every_other_strategy(toy):
    assert [lesson16_cards.leader(toy, FROZEN, b) for b in BUDGETS] == [TYPICAL, TYPICAL, MARGIN]
    assert lesson16_cards.leader(toy, SCRATCH, 12) == ""


def test_picks_are_compared_on_one_and_the_same_network(toy):
    found = lesson16_cards.picks_of(toy)
    assert sorted(found) == [
        "margin, 24 labels",
        "margin, 60 labels",
        *(f"typiclust, {b} labels" for b in BUDGETS),
    ]
    assert found["margin, 60 labels"].difference == pytest.approx(0.1, abs=1e-3)
    assert found["typiclust, 24 labels"].difference == pytest.approx(-0.1, abs=1e-3)
    assert "better in 2 of 5 cases, worse in 1, not told apart in 2" in lesson16_cards.picks_card(toy).finding


def test_the_stored_grid_is_that_of_the_lesson(study):
    assert study.budgets == (12, 24, 60, 120) and study.test.n == 576 and study.validation.n == 120
    assert {SCRATCH, FROZEN, lesson16.TUNED} <= set(study.arms)
    assert {RANDOM, MARGIN, TYPICAL} <= set(study.strategies)
    assert np.mean(study.gain(way(FROZEN, TYPICAL), way(FROZEN, RANDOM), 24)) > 5
    assert np.mean(study.gain(way(FROZEN, RANDOM), way(SCRATCH, RANDOM), 24)) > 10
    for strategy in (MARGIN,):  # the first images are drawn, the same for all
        assert study.gain(way(FROZEN, strategy), way(FROZEN, RANDOM), 12) == [0.0] * study.seeds


def test_a_cell_done_anew_is_as_stored():
    cell = Cell(FROZEN, MARGIN, PRETRAINED, 0)
    [stored] = [r for r in grid16.stored_results([0]) if r.cell == cell]
    agree = lesson16.agreement(stored, grid16.rerun(cell))
    assert min(agree.values()) > 0.95
    other = replace(stored, predictions=1 - stored.predictions, positions=stored.positions + 456)
    assert lesson16.agreement(stored, other) == {"images asked": 0.0, "answers": 0.0}
    assert "answers 50 % the same" in lesson16_cards.anew_line({"answers": 0.5}, 3.2, "a")


def test_cards_say_what_they_rest_on(study):
    ground = f"n = 576 test images, {study.seeds} seeds"
    for card in (
        lesson16_cards.curves_card(study),
        lesson16_cards.choosing_card(study, (12, 120)),
        lesson16_gains.effects_card(study, TYPICAL),
    ):
        assert ground in card.finding
    line = " ".join(lesson16_cards.corrected_lines(study))
    assert "frozen, typiclust on pretrained features ahead of random with 12, 24" in line and ground in line
    asked = lesson16_cards.asked_card(study.results, study.images)
    assert f"mean of {study.seeds} seeds" in asked.finding and len(asked.axes) == 3 * 12


def test_one_s_own_images_get_a_recommendation_and_labels_saved(capsys):
    lines = own_lines(load_task("digits", progress=False), "tiny", range(2), "cpu")
    assert lines[0].startswith("digits: a pool of") and "2 seeds" in lines[0]
    assert "of the test images are right" in lines[1]
    assert sum(line.startswith((MARGIN, TYPICAL)) for line in lines) == len(lines) - 2
    assert OWN not in " ".join(lines[2:])
