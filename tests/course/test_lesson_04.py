"""Lesson 04: each direction that its prose claims, on several seeds, and the functions it calls."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from transferlab import FeatureExtraction, evaluate, load_backbone, load_task
from transferlab.course import lesson04
from transferlab.course.compared import points
from transferlab.course.contract import contract_problems
from transferlab.course.editions import read_source
from transferlab.evaluation import Comparison, Evaluation, paired_difference
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.transfer import HEADS, RandomFrozen

SOURCE = Path(__file__).parents[2] / "notebooks" / "source" / "04_feature_extraction.py"
SEEDS = (0, 1, 2)


def quiet(name):
    task = load_task(name)
    task.test.printing = False
    return task


@pytest.fixture(scope="module")
def materials():
    return quiet("materials")


def wins(comparison: Comparison) -> bool:
    return comparison.low > 0


def test_source_keeps_the_contract():
    assert contract_problems(read_source(SOURCE)) == []


@pytest.fixture(scope="module")
def on_materials(materials):
    arms = lesson04.frozen_arms("tiny")
    scratch = lesson04.scratch_arm(materials, 20)
    return lesson04.sweep(materials, arms, [1, 5, 20, 48], SEEDS, scratch=scratch, scratch_budgets=[5, 20])


def test_pretrained_leads_on_materials_at_every_budget(on_materials):
    for evaluation in on_materials:
        for rival in [row.name for row in evaluation.rows if row.name != "feature_extraction"]:
            assert wins(evaluation.compare("feature_extraction", rival)), rival


def test_raw_pixels_are_near_chance_on_materials(on_materials):
    row = lesson04.at(on_materials, 5)["pixels"]
    assert row.ci_low < 1 / 12 + 0.03 and row.ci_high < 0.2


def test_half_is_reached_frozen_and_not_from_scratch(on_materials):
    at_twenty = lesson04.at(on_materials, 20)
    assert at_twenty["scratch"].ci_high < 0.5 < at_twenty["feature_extraction"].ci_low


def test_all_budgets_of_a_sweep_are_one_look(on_materials):
    assert len({e.look for e in on_materials}) == 1
    assert [row["labels_per_class"] for row in lesson04.rows(on_materials)] == [1] * 4 + [5] * 5 + [
        20
    ] * 5 + [48] * 4


def test_pretraining_wins_nothing_on_digits():
    digits = quiet("digits")
    arms = {n: a for n, a in lesson04.frozen_arms("tiny").items() if n != "statistics"}
    scratch = lesson04.scratch_arm(digits, 30)
    five, twenty = lesson04.sweep(digits, arms, [5, 20], SEEDS, scratch=scratch, scratch_budgets=[5])
    for evaluation in (five, twenty):
        pixels = evaluation.compare("pixels", "feature_extraction")
        assert pixels.difference > 0 and pixels.low > -0.02
        assert not wins(evaluation.compare("feature_extraction", "random_frozen"))
    assert not wins(five.compare("feature_extraction", "scratch"))


def test_colour_is_a_shortcut_that_the_network_takes_too(on_materials, materials):
    task = quiet("materials-colour")
    assert task.draw(5, 0).train.paths == materials.draw(5, 0).train.paths, "the same patches, so paired"
    arms = lesson04.frozen_arms("tiny")
    pair = {name: arms[name] for name in ("statistics", "feature_extraction")}
    colour, grey = lesson04.sweep(task, pair, [5], SEEDS)[0], lesson04.at(on_materials, 5)
    assert np.array_equal(colour.truth, grey.truth)
    for name in pair:
        assert wins(paired_difference(colour.correct(name), grey.correct(name)))


def test_linear_heads_lead_with_many_labels_but_not_with_one(materials):
    heads = {head: FeatureExtraction("tiny", head=head) for head in HEADS}
    one, many = lesson04.sweep(materials, heads, [1, 48], SEEDS)
    for head in ("nearest-neighbour", "nearest-centroid"):
        assert wins(many.compare("logistic", head))
        assert not wins(one.compare("logistic", head))


def test_wrong_preprocessing_costs_and_costs_more_in_use_alone(materials):
    prices = evaluate(lesson04.preprocessing_arms("tiny"), materials, SEEDS, labels_per_class=20)
    for name in ("not divided by 255", "no mean, no std"):
        assert wins(prices.compare("as trained", f"{name}, always"))
        assert wins(prices.compare(f"{name}, always", f"{name}, in use alone"))


def test_wrong_preprocessing_changes_what_goes_in_and_no_weight():
    tiny = load_backbone("tiny")
    variants = lesson04.wrong_preprocessings(tiny)
    white = np.full((1, 3, 64, 64), 255, np.uint8)
    reds = {name: float(b.preprocess(white)[0, 0].mean()) for name, b in variants.items()}
    mean, std = tiny.preprocessing.mean[0], tiny.preprocessing.std[0]
    assert reds == pytest.approx({
        "as trained": (1 - mean) / std, "not divided by 255": (255 - mean) / std,
        "no mean, no std": 1.0, "half the size": (1 - mean) / std,
    }, rel=1e-4)  # fmt: skip
    assert {b.weights_digest for b in variants.values()} == {tiny.weights_digest}
    assert len({b.digest for b in variants.values()}) == 4, "the cache must tell them apart"


def test_served_by_the_same_backbone_changes_nothing(materials):
    drawn = materials.draw(5, 0)
    images = materials.test.images[:40]
    plain = FeatureExtraction("tiny").fit(drawn.train).predict_proba(images)
    assert np.array_equal(lesson04.ServedBy("tiny", "tiny").fit(drawn.train).predict_proba(images), plain)
    other = lesson04.ServedBy("tiny", load_backbone("tiny").with_input_size(32)).fit(drawn.train)
    assert not np.allclose(other.predict_proba(images), plain)


def test_timed_counts_the_pass_through_the_network_of_every_seed(materials, monkeypatch):
    caches = []
    monkeypatch.setattr(lesson04, "BoundaryCache", lambda: caches.append(BoundaryCache()) or caches[-1])
    rows = lesson04.timed(materials, "tiny", labels_per_class=5, epochs=[1, 2], seeds=[0, 1], device="cpu")
    assert [row["method"] for row in rows] == ["feature_extraction", "scratch", "scratch"]
    assert all(row["fit_seconds"] > 0 and row["seeds"] == 2 and row["n_test"] == 576 for row in rows)
    assert len(caches) == 2 and all(cache.computed > 4 * 12 for cache in caches)


def test_budgets_that_no_class_can_give_are_left_out(materials):
    assert lesson04.affordable(materials, [1, 20, 49]) == [1, 20]
    assert lesson04.affordable(materials, [500]) == [48]


def test_pretraining_without_labels_also_beats_random_features(materials):
    arms = {"ssl": FeatureExtraction("tiny-ssl"), "random": RandomFrozen("tiny")}
    assert wins(evaluate(arms, materials, SEEDS, labels_per_class=5).compare("ssl", "random"))


@pytest.mark.parametrize("kind", ["flowers5"])
def test_arms_work_on_a_folder(kind, test_data):
    task = load_task(test_data / kind, progress=False)
    task.test.printing = False
    assert lesson04.scratch_arm(task, 1).backbone.preprocessing.input_size == 64
    arms = {n: a for n, a in lesson04.frozen_arms("tiny").items() if n != "random_frozen"}
    found = lesson04.sweep(task, arms, [5], [0])[0]
    assert found.correct("feature_extraction").shape == (1, len(task.test))


def made_up(**correct):
    """An evaluation of two classes in which the given images are answered rightly, a tuple for each seed."""
    tables = {name: np.array(rows, bool) for name, rows in correct.items()}
    truth = np.zeros(next(iter(tables.values())).shape[1], int)
    answers = {name: np.stack([table, ~table], -1).astype(float) for name, table in tables.items()}
    rows = tuple(SimpleNamespace(name=name, accuracy=table.mean()) for name, table in tables.items())
    return Evaluation(rows, truth, answers, (0, 1), 1, next(iter(tables)))


def test_guesses_are_answered_from_the_evaluation():
    found = made_up(
        statistics=[(1, 0, 0, 0), (1, 1, 1, 0)], pixels=[(1, 1, 0, 0), (0, 0, 0, 0)],
        feature_extraction=[(1, 1, 1, 1), (1, 1, 0, 0)],
    )  # fmt: skip
    assert lesson04.best(found, lesson04.RIVALS) == "six intensity numbers"
    assert lesson04.best(found, lesson04.ON_DIGITS) == "the pretrained network, frozen"
    assert lesson04.least(found) == "pixels"
    assert lesson04.lead(found) == [50, -25], "the best rival of each seed counts"
    assert points(found.correct("pixels"), found.correct("statistics")) == [25, -75]


@pytest.mark.parametrize(("six", "says"), [(1, 0), (2, 1), (4, 2)])
def test_six_numbers_in_colour_are_set_beside_both_in_grey(six, says):
    grey = made_up(statistics=[(1, 0, 0, 0)] * 2, feature_extraction=[(1, 1, 1, 0)] * 2)
    colour = made_up(statistics=[tuple(i < six for i in range(4))] * 2)
    assert lesson04.in_colour_against(colour, grey) == lesson04.IN_COLOUR[says]


def test_the_dearest_mistake_is_the_least_accurate_in_use_alone():
    reached = {
        "not divided by 255": (1, 0, 0, 0),
        "no mean, no std": (1, 1, 0, 0),
        "half the size": (1, 1, 1, 0),
    }
    prices = made_up(**{f"{name}, in use alone": [row] * 2 for name, row in reached.items()})
    assert lesson04.dearest(prices) == "not divided by 255"


@pytest.mark.parametrize(
    ("frozen", "scratch", "ends"),
    [
        ((0.7, 1), (0.4, 9), 0), ((0.7, 1), (0.6, 9), 1), ((0.7, 9), (0.6, 1), 2),
        ((0.4, 1), (0.6, 9), 3), ((0.4, 1), (0.4, 9), 4),
    ],
)  # fmt: skip
def test_a_race_ends_as_accuracy_and_seconds_say(frozen, scratch, ends):
    race = [
        {"method": name, "accuracy": accuracy, "fit_seconds": seconds}
        for name, (accuracy, seconds) in (("feature_extraction", frozen), ("scratch", scratch))
    ]
    assert lesson04.arrival(race, 0.5) == lesson04.ARRIVALS[ends]
