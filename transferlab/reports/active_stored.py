"""Cells of the grid that comes with transferlab: taken where all is the same, and one of them run anew."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from transferlab.active.arms import StudyImages
from transferlab.active.factorial import Bench
from transferlab.active.study_plan import CellResult, Study, cells, curve_name
from transferlab.training.progress import spoken
from transferlab.viz.words import count, percent


@dataclass(frozen=True)
class Again:
    """A stored cell that was run anew, and how the two agree.

    name : of its curve; alike : share of equal answers; accuracies with the most labels, on validation images
    """

    name: str
    seed: int
    seconds: float
    alike: float
    answers: int
    here: float
    stored: float
    budget: int
    n: int

    def sentence(self, taken: int, of: int) -> str:
        """How many curves were taken, and what the one run anew says."""
        return (
            f"{taken} of {count(of, 'curve')} were taken from the grid that comes with transferlab. One of them, "
            f"{self.name}, seed {self.seed}, was run here again in {self.seconds:.0f} s: {percent(self.alike)} of its "
            f"{self.answers:,} answers are the same, and with {self.budget} labels {percent(self.here)} of the "
            f"validation images are right here, {percent(self.stored)} there (n = {self.n}). Another processor rounds "
            "in other places."
        )


def released_for(task: str, study: Study) -> dict[str, CellResult]:
    """The stored cells by key, or none where the grid is of other images or another study."""
    from transferlab.course import grid16  # unpacks its answers when asked

    mine = replace(study, seeds=grid16.STUDY.seeds, settings=replace(study.settings, device="auto"))
    return grid16.released_cells() if (task, mine) == (grid16.TASK, grid16.STUDY) else {}


def whole_seeds(study: Study, released: Mapping[str, CellResult]) -> tuple[int, ...]:
    """Seeds of which every cell of ``study`` is stored."""
    have = {found.cell for found in released.values()}
    once = cells(replace(study, seeds=(0,)))
    return tuple(s for s in sorted({c.seed for c in have}) if all(replace(c, seed=s) in have for c in once))


def taken(study: Study, images: StudyImages, released: Mapping[str, CellResult]) -> list[CellResult]:
    """The stored cells that belong to a study of these very images."""
    if not released:
        return []
    bench = Bench(study, images)
    return [released[key] for key in map(bench.key, cells(study)) if key in released]


def run_again(study: Study, images: StudyImages, stored: list[CellResult]) -> Again | None:
    """The cell of a trained network that took least time, done anew; None where none was stored."""
    trained = [found for found in stored if found.cell.arm != "frozen"]
    if not trained:
        return None
    there = min(trained, key=lambda found: found.seconds)
    told = f"one of the stored curves is run again, about {spoken(there.seconds)}"
    print(f"{told}: {curve_name(there.cell.curve)}, seed {there.cell.seed}", file=sys.stderr, flush=True)
    here = Bench(study, images).run_cell(there.cell)
    n = len(images.validation)
    right = [float((r.predictions[-1, :n] == images.validation.labels).mean()) for r in (here, there)]
    return Again(
        curve_name(there.cell.curve), there.cell.seed, here.seconds,
        float((here.predictions == there.predictions).mean()), here.predictions.size, *right,
        int(there.budgets[-1]), n,
    )  # fmt: skip
