"""The stored factorial: it comes back whole, fits its study, and its cells can be done anew."""

from dataclasses import replace

import numpy as np
import pytest

from transferlab.active.factorial import Bench
from transferlab.active.study_plan import Cell, CellResult, cells, study_of
from transferlab.course import grid16


@pytest.fixture(scope="module")
def images():
    return grid16.study_images()


def made_result(cell, rng):
    budgets = np.array(grid16.STUDY.budgets)
    answers = rng.integers(0, 12, (len(budgets), 9))
    asked = rng.permutation(456)[: budgets[-1]]
    return CellResult(cell, budgets, answers, budgets, budgets.astype(float), asked, 1.25, ("a note",))


def test_what_is_packed_comes_back(images):
    rng, bench = np.random.default_rng(0), Bench(grid16.STUDY, images)
    results = [made_result(cell, rng) for cell in cells(grid16.STUDY)[:5]]
    found = grid16.unpacked(grid16.packed(bench, results))
    assert list(found) == [bench.key(r.cell) for r in results]
    for was, now in zip(results, found.values(), strict=True):
        assert (was.cell, was.seconds, was.notes) == (now.cell, now.seconds, now.notes)
        for name in ("budgets", "predictions", "labelled", "spent", "positions"):
            np.testing.assert_array_equal(getattr(was, name), getattr(now, name))


def test_the_grid_holds_all_cells_of_its_study_on_these_images(images):
    found = grid16.released_cells()
    assert [r.cell for r in found.values()] == cells(grid16.STUDY)
    bench = Bench(grid16.STUDY, images, released=found)
    assert all(bench.load(cell).cell == cell for cell in cells(grid16.STUDY))
    assert {len(r.positions) for r in found.values()} == {grid16.STUDY.budgets[-1]}
    assert all(len(set(r.positions.tolist())) == len(r.positions) for r in found.values())


def test_the_lesson_profile_finds_its_cells_there(images):
    study = study_of("lesson", 12, len(images.pool))
    assert study == replace(grid16.STUDY, seeds=study.seeds)
    bench = Bench(study, images, released=grid16.released_cells())
    assert all(bench.load(cell) is not None for cell in cells(study))


def test_a_cell_done_anew_is_the_stored_one():
    cell = Cell("frozen", "typiclust", "pretrained", 3)
    (stored,) = (r for r in grid16.stored_results([3]) if r.cell == cell)
    again = grid16.rerun(cell)
    assert (stored.positions == again.positions).mean() > 0.9  # the last bits of features differ by processor
    assert (stored.predictions == again.predictions).mean() > 0.9
