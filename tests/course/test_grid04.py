"""The ruler's grid: four methods measured on the same images, in the shape that the widget reads."""

import json

from transferlab import FeatureExtraction, load_task
from transferlab.course import grid04
from transferlab.course.grids import stored_grid
from transferlab.course.lesson04 import sweep
from transferlab.widgets import label_ruler


def test_a_small_grid_is_what_the_ruler_reads():
    found = grid04.measure("digits", [2, 3], [0, 1])
    assert set(found["methods"]) == {"pixels", "scratch", "feature_extraction", "full_fine_tuning"}
    assert all(method["labels"] == [2, 3] for method in found["methods"].values())
    assert (found["n"], found["seeds"]) == (300, 2)
    assert found["methods"]["feature_extraction"]["accuracy"][-1][0] > 0.3
    data = json.loads(json.dumps([found], allow_nan=False))
    assert label_ruler.static(data).finding.startswith("Digits at ")


def test_every_budget_leaves_labels_to_draw():
    for target, budgets in grid04.BUDGETS.items():
        known = grid04.load_bundled(target).development
        fewest = min(sum(known.labels == label) for label in range(len(known.classes)))
        assert list(budgets) == sorted(budgets) and budgets[-1] <= fewest


def test_the_stored_grid_has_all_methods_and_a_point_comes_out_again():
    for found in stored_grid("04_ruler"):
        assert set(found["methods"]) == set(grid04.METHODS)
        assert found["seeds"] == len(grid04.SEEDS)
    words = grid04.rerun_sentence("digits", 5, "pixels")
    now, before = (int(part.split(" %")[0].split()[-1]) for part in words.split(" now,"))
    assert abs(now - before) <= 1, words


def test_own_images_come_first_and_bundled_ones_once():
    stored = stored_grid("04_ruler")
    assert grid04.rulers("digits", []) == stored
    results = sweep(
        load_task("digits", progress=False), {"pixels": FeatureExtraction("pixels")}, [2, 5], [0, 1]
    )
    mine, *others = grid04.rulers("mine", results)
    assert mine["task"] == "mine" and mine["methods"]["pixels"]["labels"] == [2, 5] and others == stored
