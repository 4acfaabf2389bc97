"""Lesson 16 on one's own images: on frozen features, how many labels, and is it worth choosing them?"""

from __future__ import annotations

import io
from collections.abc import Sequence

from transferlab.active.arms import ArmSettings, study_images
from transferlab.active.factorial import run_study
from transferlab.active.factorial_summary import (
    opened_answers,
    recommend,
    saved,
    usual_target,
    validation_answers,
)
from transferlab.active.study_plan import Study, study_of
from transferlab.course.lesson16 import FROZEN, MARGIN, RANDOM, TYPICAL, way
from transferlab.data import Task
from transferlab.viz.words import count, needed_said, range_said


def own_lines(task: Task, backbone: str, seeds: Sequence[int], device: str = "auto") -> list[str]:
    """What validation images recommend for the frozen arm, what the test says of it, and labels that picks save."""
    images = study_images(task)
    study: Study = study_of(
        "lesson", len(task.classes), len(images.pool), arms=(FROZEN,), strategies=(RANDOM, MARGIN, TYPICAL),
        pickers=("pretrained",), backbone=backbone, seeds=tuple(seeds), settings=ArmSettings(device=device),
    )  # fmt: skip
    results = run_study(study, images, stream=io.StringIO())
    held = validation_answers(results, images)
    choice = recommend(held, usual_target(held))
    lines = [
        f"{task.name}: a pool of {count(len(images.pool), 'image')}, {count(held.n, 'validation image')}, budgets "
        f"{', '.join(map(str, study.budgets))}, {count(len(study.seeds), 'seed')}",
        choice.sentence(opened_answers(results, images)),
    ]
    for strategy in (MARGIN, TYPICAL):
        for each in saved(held, way(FROZEN, strategy), way(FROZEN, RANDOM)):
            lines.append(_saved(strategy, each))
    return lines


def _saved(strategy: str, found) -> str:
    needed = needed_said(found.needed, found.most)
    ends = range_said(found.low, found.high, found.most)
    return f"{strategy:9} with {found.labels:4.0f} labels: random needs {needed} (95 % interval {ends})"
