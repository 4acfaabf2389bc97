"""Lesson 08: a cheap score orders sources, and a source that pools what the target tells apart harms when frozen."""

import math

import numpy as np
import pytest

from transferlab.course import grid08, lesson08
from transferlab.course.grids import stored_grid
from transferlab.transfer import SCORES, over_targets

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def grid():
    return stored_grid("08_truth")


@pytest.fixture(scope="module")
def faces():
    return grid08.measure(
        "faces", SEEDS, sources=["zoo-untrained", "tiny-ssl", "zoo-all"], tuned=False, device="cpu"
    )


@pytest.fixture(scope="module")
def against():
    return lesson08.harm_trial(SEEDS, settings=1, labels_per_class=30, device="cpu")


def numbers(found):
    if isinstance(found, dict):
        found = list(found.values())
    return [n for each in found for n in numbers(each)] if isinstance(found, list) else [found]


def test_the_grid_is_whole_and_nothing_undefined_is_a_number(grid):
    assert [trial["target"] for trial in grid] == list(grid08.TARGETS)
    for trial in grid:
        assert trial["sources"] == grid08.sources_of(trial["target"])
        shape = (len(grid08.SEEDS), len(trial["sources"]))
        for table in (*trial["scores"].values(), *trial["truth"].values()):
            assert np.shape(table) == shape
        assert set(trial["scores"]) == set(SCORES) and set(trial["truth"]) == {grid08.FROZEN, grid08.TUNED}
        assert not any(isinstance(n, float) and math.isnan(n) for n in numbers(trial["scores"]))
        assert set(trial["undefined"]) >= {"tiny-ssl", "zoo-untrained"}
        column = trial["sources"].index("tiny-ssl")
        assert {row[column] for row in trial["scores"]["LEEP"]} == {None}
        accuracies = numbers(trial["truth"])
        assert min(accuracies) > 0 and max(accuracies) <= 1


def test_no_source_is_judged_on_images_it_has_seen():
    assert "zoo-letters" not in grid08.sources_of("letters")
    assert "zoo-letters" in grid08.sources_of("digits")


def test_the_probe_orders_sources_over_targets(grid):
    for truth in (grid08.FROZEN, grid08.TUNED):
        found = over_targets(lesson08.tau_by_target(grid, "linear probe", truth))
        assert found.low > 0 and found.targets == len(grid)


def test_a_cell_of_the_grid_comes_out_again(grid):
    again = grid08.measure("faces", [0], sources=["zoo-early"], device="cpu")
    stored = next(t for t in grid if t["target"] == "faces")
    column = stored["sources"].index("zoo-early")
    for method, table in again["truth"].items():
        assert table[0][0] == pytest.approx(stored["truth"][method][0][column], abs=0.08)
    for score, table in again["scores"].items():
        assert table[0][0] == pytest.approx(stored["scores"][score][0][column], abs=0.02)
    assert "zoo-early on faces" in lesson08.rerun_sentence(grid, "faces", "zoo-early", "cpu")


def test_cards_say_what_they_rest_on(grid):
    card = lesson08.agreement_card(grid)
    assert f"6 targets, {len(grid08.SEEDS)} seeds" in card.finding and "weighted tau" in card.finding
    card = lesson08.truth_card(grid[:2])
    assert f"n = 80 and 300 test images, {len(grid08.SEEDS)} seeds" in card.finding
    assert "times as long" in lesson08.cost_sentence(grid)


def made_up(scores, truth, parameters=(5, 5, 5), accuracy=(0.1, None, 0.3)):
    return {
        "target": "made up", "sources": ["a", "b", "c"], "seeds": [0], "n_test": 50,
        "parameters": list(parameters), "accuracy": list(accuracy),
        "scores": {"kNN": [scores]}, "truth": {grid08.FROZEN: [truth]},
    }  # fmt: skip


def test_tau_gain_and_pick_on_made_up_targets():
    good, bad = made_up([1, 2, 3], [0.2, 0.4, 0.9]), made_up([3, 2, 1], [0.2, 0.4, 0.9])
    assert lesson08.tau_by_seed([good, bad], "kNN") == pytest.approx([0.0], abs=1e-9)
    assert lesson08.tau_by_target([good, bad], "kNN") == pytest.approx([1.0, -1.0])
    assert lesson08.tau_by_target([good], lesson08.SIZE) == []
    assert lesson08.gain_by_seed([good], "kNN") == pytest.approx([40.0])
    assert lesson08.picked(good, 0, lesson08.SIZE) == pytest.approx(0.5)  # all tie
    assert lesson08.picked(good, 0, lesson08.SOURCE_ACCURACY) == 0.9


def test_a_score_that_ties_somewhere_is_not_named_best():
    def trial(kinder):
        scores = {name: [[1, 2, 3]] if name == "kNN" else [[3, 2, 1]] for name in SCORES}
        return {**made_up([1, 2, 3], [0.2, 0.4, 0.9], (7, 6, 5)), "scores": {**scores, "H-score": [kinder]}}

    worse = {**trial([1, 1, 1]), "truth": {grid08.FROZEN: [[0.4, 0.2, 0.9]]}}
    card = lesson08.agreement_card([trial([1, 2, 3]), worse], grid08.FROZEN)
    assert card.finding.startswith("KNN orders sources best")
    level = [
        {
            **made_up([1, 2, 3], [0.2, 0.4, 0.9], accuracy=(0.1, 0.1, 0.1)),
            "scores": {score: [[1, 2, 3]] for score in SCORES},
        }
    ] * 2
    assert "no baseline does on every target" in lesson08.agreement_card(level, grid08.FROZEN).finding


def test_measure_scores_on_labels_and_reports_the_test(faces):
    assert faces["n_test"] == 80 and faces["seeds"] == [0, 1]
    assert faces["undefined"]["tiny-ssl"].keys() == {"NCE", "LEEP"}
    assert faces["accuracy"][1] is None and set(faces["truth"]) == {grid08.FROZEN}


def test_a_frozen_source_that_pools_classes_harms_and_is_warned_of(against):
    found = against[lesson08.HARMFUL]
    assert found.comparison.difference < -0.05 and all(value < 0 for value in found.per_seed)
    assert all(w.warns for w in found.warnings)


def test_a_source_that_was_told_all_names_does_not_harm(against):
    found = against[lesson08.HELPFUL]
    assert all(value > 0 for value in found.per_seed)
    assert not any(w.warns for w in found.warnings)
    assert lesson08.alarm_points(against) == [100.0, 100.0]


def test_words_and_card_follow_from_the_intervals(against):
    words = lesson08.harm_words(against)
    assert words in lesson08.HARMS
    card = lesson08.harm_card(against)
    assert card.finding.startswith("Against scratch, with as many settings tried")
    assert "2 seeds" in card.finding


def test_the_harmful_source_has_learnt_its_own_task():
    for names in (lesson08.TEN_NAMES, lesson08.ODD_OR_EVEN):
        assert lesson08.source_is_right(lesson08.glyph_source(names, 0, device="cpu")) > 0.95
