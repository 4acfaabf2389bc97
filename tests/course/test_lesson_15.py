"""Lesson 15: typical images win at first, odd images cost k-centre, and what was asked is no sample."""

import numpy as np
import pytest

from transferlab import load_task
from transferlab.course import lesson15, lesson15_cards, lesson15_map, lesson15_oracles, lesson15_own
from transferlab.course.lesson15 import K_CENTRE, MARGIN, RANDOM, STARTED, TYPICAL
from transferlab.course.lesson15_oracles import OWN, SILENT, STABLE, WRONG
from transferlab.course.lesson15_plane import BORDER, ODD, border_at, plane, plane_trial, unseen_points
from transferlab.widgets import query_map
from transferlab.widgets.query_map import State

SEEDS = range(3)


@pytest.fixture(scope="module")
def first():
    ways = [RANDOM, MARGIN, K_CENTRE, TYPICAL, STARTED]
    return lesson15.loops_trial("materials", ways, SEEDS, budgets=(1, 2, 3))


@pytest.fixture(scope="module")
def odd():
    return plane_trial(ODD, SEEDS)


@pytest.fixture(scope="module")
def border():
    return plane_trial(BORDER, SEEDS, (RANDOM, MARGIN, K_CENTRE, TYPICAL))


def test_typical_images_lead_at_first(first):
    for budget in (12, 24, 36):
        assert np.mean(first.gain(TYPICAL, budget)) > 5
    assert np.mean(first.gain(STARTED, 24, over=MARGIN)) > 2
    assert first.gain(MARGIN, 12) == [0, 0, 0], (
        "all but the typical and the far-off begin with the same batch"
    )
    assert first.gain(STARTED, 12, over=TYPICAL) == [0, 0, 0]


def test_the_verdict_is_the_intervals(first):
    assert first.verdict(TYPICAL, 24) == "ahead" and first.verdict(RANDOM, 24, over=TYPICAL) == "behind"
    assert first.verdict(MARGIN, 12) == "not told apart"


def test_k_centre_asks_what_is_far_off(first):
    assert (first.remote[K_CENTRE] > first.remote[RANDOM] + 15).all()
    line = np.arange(30.0)[:, None] ** 2
    assert lesson15.remoteness(line)[-1] == 100


def test_pools_differ_by_seed_and_hold_three_quarters():
    pools = [set(lesson15.drawn("digits", s).tolist()) for s in SEEDS]
    assert {len(p) for p in pools} == {450} and pools[0] != pools[1]
    assert lesson15.drawn("digits", 0).max() < len(lesson15.images("digits"))


def test_mistakes_found_are_counted_on_what_was_asked_next(first):
    way = lesson15.WAYS[MARGIN]
    loop = lesson15.one_loop("materials", way, 0, [12, 12, 12])
    truth = lesson15.images("materials").labels[lesson15.drawn("materials", 0)]
    by_hand = [
        np.mean([loop.rounds[r].predictions[p] != truth[p] for p in loop.rounds[r + 1].positions])
        for r in range(2)
    ]
    assert first.wrong[MARGIN][0].tolist() == by_hand


def test_odd_images_cost_k_centre(odd):
    assert (odd.asked_odd[K_CENTRE] > odd.asked_odd[RANDOM] + 0.2).all()
    assert np.mean(odd.gain(K_CENTRE, 2)) < -10
    assert odd.spread(TYPICAL, 0)[0] > 0.95
    made, test = plane(ODD, 0), unseen_points(ODD)
    assert 0.05 < made.odd.mean() < 0.15 and not test.odd.any()
    assert "k-centre" in lesson15_cards.asked_card(odd).finding


def test_the_clean_border_has_no_error(border):
    made = plane(BORDER, 4)
    assert np.array_equal(made.labels, made.points[:, 1] > border_at(made.points[:, 0]))
    assert np.mean(border.gain(MARGIN)) > 0
    assert f"n = {border.n} test points, 3 seeds" in lesson15_cards.asked_card(border).finding


def test_wrong_answers_cost_more_than_missing_ones():
    trials = lesson15_oracles.oracles_trial("materials", range(2), (RANDOM, TYPICAL), labels=5)
    assert lesson15_oracles.wrong_less_missing(trials).mean() > 2
    assert trials[WRONG].seeds == 2 and trials[SILENT].budgets == (12, 24, 36, 60)
    assert "wrong answers cost" in lesson15_cards.oracles_card(trials).finding


def test_a_loop_by_margin_believes_too_little_of_itself():
    trial = lesson15_oracles.stopping_trial("materials", range(2), (RANDOM, MARGIN), most=12)
    assert (trial.misjudged(MARGIN, 120) > 5).all() and (trial.misjudged(RANDOM, 120) < 5).all()
    card = lesson15_cards.own_card(trial, 120)
    assert "With 120 labels" in card.finding and "2 seeds" in card.finding
    assert len(lesson15_cards.stops_lines(trial)) == 1 + 2 * 2
    for rule in (OWN, STABLE):
        for way in trial.right:
            ends = trial.ends[way, rule]
            right = trial.right[way]
            assert trial.lost(way, rule)[0] == pytest.approx(100 * (right[0, -1] - right[0, ends[0]]))
            assert set(trial.labels(way, rule)) <= set(trial.asked)


def test_a_rule_ends_a_loop_where_it_would_have_ended_it():
    loop = lesson15.one_loop(
        "digits", lesson15.WAYS[RANDOM], 1, [10] * 15, watched=("held_out", "predictions")
    )
    end = lesson15_oracles.ended(loop, STABLE)
    rule = lesson15_oracles.RULES[STABLE]
    assert end == 14 or rule(loop.rounds[: end + 1])
    assert all(rule(loop.rounds[: k + 1]) is None for k in range(end))


def test_the_maps_loops_are_those_of_the_trial(odd, border):
    cases = lesson15_map.plane_cases(odd) + lesson15_map.plane_cases(border)
    assert [c["strategy"] for c in cases[:5]] == list(lesson15_map.ORDER)
    found = query_map.compute(cases, State(ODD, MARGIN, 4))
    asked = [q.answer.position for q in odd.loops[MARGIN][0].queries]
    assert found.labelled.tolist() == asked[:10] and found.asked.tolist() == asked[10:12]
    assert found.labels.tolist() == plane(ODD, 0).labels[asked[:10]].tolist()
    assert found.unsure.shape == (400,) and found.border.shape[0] == found.border.shape[1]
    assert found.unsure[found.asked].min() >= np.delete(found.unsure, asked[:12]).max(), (
        "margin asks the least sure"
    )
    assert found.totals[-1] == 20 and len(found.accuracy) == 9


def test_own_images_are_compared_and_can_be_labelled(tmp_path):
    task = load_task("faces", progress=False)
    lines = lesson15_own.own_lines(task, "tiny", seeds=2)
    assert task.test.looks == 1 and "2 seeds" in lines[0] and "with 4 labels: random" in lines[1]
    view, card = lesson15_own.to_label(task, "tiny", 3, str(tmp_path / "labels.csv"))
    assert "3 images of faces" in card.finding
    for _ in range(3):
        view.answer("label", view.shown["classes"][0] if "classes" in view.shown else task.classes[0])
    assert "agree with those of the set" in view.shown["round"]
