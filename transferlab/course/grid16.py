"""The grid behind lesson 16: arms of transfer × strategies × what picks × label budgets × seeds, on materials.

What is stored are answers to every validation and test image, so that a lesson or a report computes all it says anew.
"""

from __future__ import annotations

import base64
import lzma
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict

import numpy as np

from transferlab.active import arms
from transferlab.active.arms import StudyImages
from transferlab.active.factorial import Bench, run_study
from transferlab.active.study_plan import Cell, CellResult, Study, study_of
from transferlab.course.grids import stored_grid
from transferlab.data import load_task
from transferlab.data.cache import cache_dir

TASK, SEEDS = "materials", tuple(range(10))
STUDY: Study = study_of("lesson", 12, 456, seeds=SEEDS)


def study_images() -> StudyImages:
    """The materials as the grid took them: 456 images to ask about, 120 for validation, 576 sealed for the test."""
    return arms.study_images(load_task(TASK, progress=False))


def grid_factorial(tell: Callable[[str], object]) -> dict:
    """Every cell of :data:`STUDY`; cells are kept on the way, so that it goes on where it was broken off."""
    images = study_images()
    tell(f"cells are kept in {kept_in()}")
    return packed(Bench(STUDY, images), run_study(STUDY, images, kept_in(), sys.stdout))


def kept_in():
    """Folder of cells that are done while the grid is not."""
    return cache_dir() / "active"


def released_cells() -> dict[str, CellResult]:
    """Key (:meth:`transferlab.active.factorial.Bench.key`) to cell, as stored."""
    return unpacked(stored_grid("16_factorial"))


def stored_results(seeds: Collection[int] | None = None) -> list[CellResult]:
    """The stored cells, those of ``seeds`` alone where given."""
    return [r for r in released_cells().values() if seeds is None or r.cell.seed in seeds]


def rerun(cell: Cell) -> CellResult:
    """A cell of the grid, done anew."""
    return Bench(STUDY, study_images()).run_cell(cell)


def packed(bench: Bench, results: Sequence[CellResult]) -> dict:
    """Results as text: what differs from cell to cell, and answers and positions of all cells in two long numbers."""
    first = results[0]
    return {
        "budgets": first.budgets.tolist(),
        "cells": [
            {
                "key": bench.key(r.cell),
                **asdict(r.cell),
                "seconds": round(r.seconds, 2),
                "notes": list(r.notes),
            }
            for r in results
        ],
        "answers": _text(np.stack([r.predictions for r in results]).astype(np.uint8)),
        "positions": _text(np.stack([r.positions for r in results]).astype("<u2")),
    }


def unpacked(stored: dict) -> dict[str, CellResult]:
    """What :func:`packed` made, by key; no oracle of the grid erred, and a label has the price 1."""
    budgets, told = np.array(stored["budgets"], np.int64), stored["cells"]
    answers = _numbers(stored["answers"], np.uint8).reshape(len(told), len(budgets), -1)
    positions = _numbers(stored["positions"], "<u2").reshape(len(told), -1)
    found = {}
    for each, predicted, asked in zip(told, answers, positions, strict=True):
        cell = Cell(each["arm"], each["strategy"], each["picker"], each["seed"])
        spent, notes = budgets.astype(float), tuple(each["notes"])
        found[each["key"]] = CellResult(
            cell, budgets, predicted, budgets, spent, asked, each["seconds"], notes
        )
    return found


def _text(numbers: np.ndarray) -> str:
    return base64.b64encode(lzma.compress(numbers.tobytes(), preset=9)).decode()


def _numbers(text: str, dtype) -> np.ndarray:
    return np.frombuffer(lzma.decompress(base64.b64decode(text)), dtype).astype(np.int64)
