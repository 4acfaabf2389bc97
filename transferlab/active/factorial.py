"""The factorial: arms of transfer × strategies × what picks × budgets × seeds, each cell kept when it is done."""

from __future__ import annotations

import hashlib
import json
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from transferlab.active.arms import (
    StudyImages,
    answers_without_labels,
    make_learners,
    training_passes,
)
from transferlab.active.loop import run_loop
from transferlab.active.oracles import HiddenLabels
from transferlab.active.study_plan import Cell, CellResult, Study, cells, curve_name, first_of
from transferlab.backbones import Backbone, load_backbone
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.training.estimate import A_FIT, seconds_a_pass, seconds_left
from transferlab.training.progress import spoken
from transferlab.whole_file import write_whole

_ARRAYS = ("budgets", "predictions", "labelled", "spent", "positions")


class Bench:
    """A study with its images at hand: runs cells, and keeps them in ``folder``.

    ``released``, of :meth:`key` to result, are cells done elsewhere; one is taken where images, network and settings
    are the same. Features are extracted when the first cell runs.
    """

    def __init__(
        self,
        study: Study,
        images: StudyImages,
        folder: str | Path | None = None,
        *,
        released: Mapping[str, CellResult] | None = None,
    ):
        if study.budgets[-1] > len(images.pool):
            raise UserError(
                f"the pool has {len(images.pool)} images, fewer than the largest budget of {study.budgets[-1]}; "
                f"give budgets up to {len(images.pool)}."
            )
        if study.without_labels and images.source is None:
            raise UserError(
                f"the arm {study.without_labels[0]!r} needs a source; give one, or leave the arm out."
            )
        self.study, self.images = study, images
        self.folder = None if folder is None else Path(folder)
        self.released = released or {}
        self.backbone: Backbone = load_backbone(study.backbone)
        self.cache = BoundaryCache()
        self._learners, self._adapted = None, {}
        what = (images.pool.digest, images.pool.labels.tolist(), images.unseen.digest, self.backbone.digest)
        source = None if images.source is None else (images.source.digest, images.source.labels.tolist())
        settings = {k: v for k, v in asdict(study.settings).items() if k != "device"}
        self._depends = repr(
            (what, source, sorted(settings.items()), study.budgets, study.noise, study.abstention)
        )

    def run_cell(self, cell: Cell) -> CellResult:
        """One arm, strategy, picker and seed over all budgets, from the folder where it is there."""
        found = self.load(cell)
        if found is None:
            start = time.perf_counter()
            found = self._without_labels(cell) if cell.strategy == "none" else self._loop(cell)
            found = replace(found, seconds=time.perf_counter() - start)
            self._store(found)
        return found

    def _loop(self, cell: Cell) -> CellResult:
        study, pool = self.study, self.images.pool
        if self._learners is None:
            self._learners = make_learners(study.arms, self.images, self.backbone, study.settings, self.cache)
        loop = run_loop(
            self._learners[cell.arm],
            HiddenLabels(
                pool.labels,
                noise=study.noise,
                abstention=study.abstention,
                seed=cell.seed,
                classes=len(pool.classes),
            ),
            np.diff([0, *study.budgets]).tolist(),
            strategy=cell.strategy,
            first=first_of(cell.strategy),
            picker=self._learners["pretrained"] if cell.picker == "pretrained" else None,
            seed=cell.seed,
        )
        if len(loop.rounds) < len(study.budgets):
            raise UserError(f"the loop of {cell.arm}, {cell.strategy} ended early: {loop.stopped}.")
        asked = [q.answer for q in loop.queries]
        return CellResult(
            cell,
            np.array(study.budgets),
            np.stack([r.unseen.argmax(1) for r in loop.rounds]),
            np.array([r.labelled for r in loop.rounds]),
            np.array([r.spent for r in loop.rounds]),
            np.array([a.position for a in asked], np.int64),
            0.0,
            tuple(f"{r.asked} labels: {r.note}" for r in loop.rounds if r.note),
        )

    def _without_labels(self, cell: Cell) -> CellResult:
        if cell.seed not in self._adapted:
            names = self.study.without_labels
            self._adapted = {
                cell.seed: answers_without_labels(
                    names, self.images, self.backbone, self.study.settings, seed=cell.seed, cache=self.cache
                )
            }
        answers = self._adapted[cell.seed][cell.arm].argmax(1)[None]
        zero, none = np.zeros(1), np.zeros(0, np.int64)
        return CellResult(cell, np.zeros(1, np.int64), answers, zero.astype(np.int64), zero, none, 0.0)

    def key(self, cell: Cell) -> str:
        """A hash of all that the cell's result depends on: images, labels, network, settings, budgets."""
        return hashlib.blake2b((self._depends + repr(cell)).encode(), digest_size=16).hexdigest()

    def _path(self, cell: Cell) -> Path | None:
        return None if self.folder is None else self.folder / f"cell-{self.key(cell)}.npz"

    def load(self, cell: Cell) -> CellResult | None:
        """The cell as it is released or kept, or None."""
        if (found := self.released.get(self.key(cell))) is not None:
            return found
        path = self._path(cell)
        if path is None or not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as arrays:
                kept = {name: arrays[name] for name in _ARRAYS}
                told = json.loads(str(arrays["told"]))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None  # not whole: done again
        return CellResult(cell, seconds=told["seconds"], notes=tuple(told["notes"]), **kept)

    def _store(self, found: CellResult) -> None:
        path = self._path(found.cell)
        if path is None:
            return
        arrays = {name: getattr(found, name) for name in _ARRAYS}
        told = {"cell": asdict(found.cell), "seconds": found.seconds, "notes": found.notes}

        def write(temporary: str) -> None:
            with open(temporary, "wb") as file:
                np.savez_compressed(file, told=np.array(json.dumps(told)), **arrays)

        write_whole(path, write)


def expected_seconds(bench: Bench, todo: Sequence[Cell]) -> list[float]:
    """What each cell is expected to take, from the time of a forward pass measured on this machine.

    Features are extracted once, in the first cell.
    """
    study, images = bench.study, bench.images
    n, unseen = len(images.pool), len(images.validation) + len(images.test)
    a_pass = seconds_a_pass(bench.backbone, study.settings.device)
    found = []
    for cell in todo:
        if cell.strategy == "none":
            passes = (
                3 * study.settings.source_epochs * len(images.source) + 12 * study.settings.adapt_epochs * n
            )
            found.append(A_FIT + a_pass * passes / len(study.without_labels))
            continue
        passes = sum(training_passes(cell.arm, b, bench.backbone, study.settings) for b in study.budgets)
        if cell.arm != "frozen":
            passes += len(study.budgets) * (unseen + n * (cell.picker == "own"))
        found.append(A_FIT * len(study.budgets) + a_pass * passes)
    if found:
        found[0] += a_pass * (n + unseen)
    return found


def run_study(
    study: Study,
    images: StudyImages,
    folder: str | Path | None = None,
    stream=None,
    *,
    released: Mapping[str, CellResult] | None = None,
) -> list[CellResult]:
    """Every cell of a study; what ``folder`` holds or is ``released`` (see :class:`Bench`) is not done again.

    An estimate of the run time, then a line a cell with the time left, go to ``stream`` (stderr when None).
    """
    bench, stream = Bench(study, images, folder, released=released), stream or sys.stderr
    found = {cell: bench.load(cell) for cell in cells(study)}
    todo = [cell for cell, kept in found.items() if kept is None]
    costs = expected_seconds(bench, todo)
    total = sum(costs)
    print(
        f"{len(found)} cells, {len(found) - len(todo)} done before; about {spoken(total)} for the others here.",
        file=stream,
        flush=True,
    )
    start, spent = time.monotonic(), 0.0
    for cell, cost in zip(todo, costs, strict=True):
        left = seconds_left(total, spent, time.monotonic() - start)
        print(
            f"{spent / total:4.0%} done, about {spoken(left)} left: {curve_name(cell.curve)}, seed {cell.seed}",
            file=stream,
            flush=True,
        )
        found[cell] = bench.run_cell(cell)
        spent += cost
    return list(found.values())
