"""Clocks around the tools: rows, interleaved rounds, and what one run gives back."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.problem import Mark, Predict, Problem

Fit = Callable[[Problem, Mark], Predict]
OURS, PLAIN = "transferlab", "plain PyTorch"
TRAINERS = {
    OURS: ("ours", "fit"),
    PLAIN: ("plain", "fit"),
    "Lightning": ("with_lightning", "fit"),
    "fastai": ("with_fastai", "fit"),
}
RIVALS = {OURS: ("ours", "fit_logistic"), "timm, scikit-learn": ("features_first", "fit")}


@dataclass(frozen=True)
class Row:
    """What trains. ``trained`` counts the last stages beside the head; None: all of them."""

    name: str
    trained: int | None
    wanted: float  # times as fast as the fastest of the others
    augmentation: float = 0.0
    tools: dict = field(default_factory=lambda: TRAINERS)

    def problem(self, base: Problem) -> Problem:
        stages = len(base.backbone.stages)
        boundary = 0 if self.trained is None else stages - self.trained
        return replace(base, boundary=boundary, augmentation=self.augmentation)


ROWS = {
    "head": Row("head only", 0, 20.0),
    "features": Row("head only, logistic regression", 0, 1.0, tools=RIVALS),
    "last": Row("last stage + head", 1, 2.0),
    "views": Row("last stage + head, random views", 1, 1.0, augmentation=0.5),
    "last-two": Row("last two stages + head", 2, 1.2),
    "everything": Row("everything", None, 1.0),
}


@dataclass(frozen=True)
class Run:
    """One fit, from uint8 pictures in memory to a trained model; predictions come after the clock stops.

    Seconds by the clock on the wall, and by what the processor spent in all threads; the ends of epochs
    count from the start.
    """

    row: str
    tool: str
    seconds: float
    processor_seconds: float
    epoch_ends: list[float]
    processor_epoch_ends: list[float]
    accuracy: float


def available(rows: list[Row]) -> tuple[dict[tuple[str, str], Fit], dict[str, str]]:
    """Fit functions by row and tool, and why others are missing."""
    found, missing = {}, {}
    for row in rows:
        for tool, (module, function) in row.tools.items():
            try:
                found[row.name, tool] = getattr(
                    importlib.import_module(f"benchmarks.tools.{module}"), function
                )
            except ImportError as error:
                missing[tool] = f"{error.name or error} is not installed; pip install 'transferlab[bench]'"
    return found, missing


def rounds(rows: list[Row], base: Problem, repeats: int) -> Iterator[tuple[Run, np.ndarray]]:
    """Each run with its log-probabilities (N, K) on the test pictures. Tools take turns, so that what
    disturbs the machine disturbs all of them; the first of a round is another one each time."""
    found, _ = available(rows)
    for repeat in range(repeats):
        for row in rows:
            tools = [tool for tool in row.tools if (row.name, tool) in found]
            turned = tools[repeat % len(tools) :] + tools[: repeat % len(tools)]
            for tool in turned:
                yield one_run(row, tool, found[row.name, tool], base)


def one_run(row: Row, tool: str, fit: Fit, base: Problem) -> tuple[Run, np.ndarray]:
    problem, ends, processor_ends = row.problem(base), [], []
    wall, processor = time.perf_counter(), time.process_time()

    def mark() -> None:
        ends.append(time.perf_counter() - wall)
        processor_ends.append(time.process_time() - processor)

    predict = fit(problem, mark)
    seconds, used = time.perf_counter() - wall, time.process_time() - processor
    scores = predict(problem.test.images)
    accuracy = float((scores.argmax(1) == problem.test.labels).mean())
    return Run(row.name, tool, seconds, used, ends, processor_ends, accuracy), scores


def warm_up(rows: list[Row], base: Problem) -> None:
    """Two batches of everything: imports, kernels, and our choice of memory format are not on the clock."""
    for (name, _), fit in available(rows)[0].items():
        row = next(r for r in rows if r.name == name)
        fit(row.problem(base.small()), lambda: None)


def compare(a: np.ndarray, b: np.ndarray) -> dict:
    """How far two arrays of log-probabilities (N, K) lie apart.

    Examples
    --------
    >>> compare(np.log([[0.5, 0.5]]), np.log([[0.5, 0.5]]))
    {'largest_difference': 0.0, 'agreement': 1.0, 'n': 1}
    """
    same = a.argmax(1) == b.argmax(1)
    return {
        "largest_difference": float(np.abs(a - b).max()),
        "agreement": float(same.mean()),
        "n": len(a),
    }


def reuse(base: Problem, repeats: int, clock: Callable[[], float] = time.perf_counter) -> list[dict]:
    """Seconds on one cache: filled first, then another seed, head and label budget. No tool to compare with."""
    from benchmarks.tools.ours import fit_head, fit_logistic
    from transferlab.training.boundary_cache import BoundaryCache

    problem = replace(base, boundary=len(base.backbone.stages))
    half = replace(problem, train=problem.train[np.arange(len(problem.train)) % 2 == 0])
    runs = []
    for _ in range(repeats):
        cache, seconds = BoundaryCache(), {}
        for name, fit in {
            "filling the cache, head by AdamW": lambda cache: fit_head(problem, _nothing, cache),
            "second seed": lambda cache: fit_head(replace(problem, seed=1), _nothing, cache),
            "another head (ridge)": lambda cache: fit_logistic(problem, _nothing, cache, "ridge"),
            "half the labels": lambda cache: fit_head(half, _nothing, cache),
        }.items():
            start = clock()
            fit(cache)
            seconds[name] = clock() - start
        runs.append(seconds)
    return runs


def _nothing() -> None:
    pass
