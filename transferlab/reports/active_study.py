"""The work behind the active report: run the factorial, choose on validation images, open the test once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from transferlab.active.arms import ARMS, WITHOUT_LABELS, StudyImages, study_images
from transferlab.active.factorial import run_study
from transferlab.active.factorial_summary import (
    Answers,
    Recommendation,
    opened_answers,
    recommend,
    usual_target,
    validation_answers,
)
from transferlab.active.study_plan import CellResult, Study, study_of
from transferlab.data import ImageSet, Task
from transferlab.data.cache import cache_dir
from transferlab.data.load import load_labelled
from transferlab.errors import UserError
from transferlab.reports.active_request import Request
from transferlab.reports.active_stored import Again, released_for, run_again, taken, whole_seeds
from transferlab.reports.adaptation_domains import same_classes
from transferlab.reports.transfer_study import load_report_task


@dataclass(frozen=True, eq=False)
class ActivePlan:
    """What will be done: images, their study, and what was asked for.

    source_name : empty where there is no source; released : key to a cell that was done elsewhere
    """

    task: Task
    images: StudyImages
    study: Study
    request: Request
    source_name: str = ""
    released: Mapping[str, CellResult] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ActiveFits:
    """Every cell of the study, its answers to validation images, and the choice; the test is still sealed.

    stored : how many cells came from the stored grid; again : one of those, run anew
    """

    cells: list[CellResult]
    validation: Answers
    choice: Recommendation
    stored: int = 0
    again: Again | None = None


def load_active_images(
    images: str, source: str = "", backbone: str = "tiny", *, group_regex: str = "", mirror: str = ""
) -> tuple[Task, StudyImages]:
    """The labelled images as a task, and as a pool with validation images, a sealed test and the source, if any.

    Raises
    ------
    UserError
        when they cannot be read, are too few, or the source has other classes.
    """
    task = load_report_task(images, [backbone], group_regex=group_regex, mirror=mirror)
    return task, study_images(task, _source(source, task, mirror) if source else None)


def _source(name: str, task: Task, mirror: str) -> ImageSet:
    size = max(task.test.images.shape[2:])
    known = load_labelled(name, max(8, size), mirror=mirror or None)
    same_classes(known.development.classes, task.classes, ", or leave the source out")
    return known.development if known.validation is None else known.development.joined(known.validation)


def make_active_plan(
    task: Task, images: StudyImages, request: Request, *, source_name: str = ""
) -> ActivePlan:
    """The study of a profile, with what was asked for in place of the profile's own.

    Raises
    ------
    UserError
        for budgets beyond the pool, or a pool of less than one image a class.
    """
    changes: dict = {"backbone": request.backbone}
    if request.strategies:  # picks at random are what every strategy has to beat
        changes["strategies"] = tuple(dict.fromkeys(("random", *request.strategies)))
    if request.arms:
        changes["arms"] = tuple(name for name in ARMS if name in request.arms)
    if request.budgets:
        changes["budgets"] = tuple(sorted(set(request.budgets)))
    if images.source is not None:
        changes["without_labels"] = WITHOUT_LABELS
    study = study_of(request.profile, len(task.classes), len(images.pool), **changes)
    if study.budgets[-1] > len(images.pool):
        raise UserError(
            f"the largest budget is {study.budgets[-1]} labels, but {len(images.pool)} images are left to ask about "
            f"once test and validation are set aside; give budgets up to {len(images.pool)}."
        )
    study = replace(study, settings=replace(study.settings, device=request.device))
    released = released_for(task.name, study)
    seeds = range(request.seed, request.seed + (request.seeds or len(study.seeds)))
    if not request.seeds and len(whole := whole_seeds(study, released)) > len(seeds):
        seeds = whole  # more of them cost nothing
    study = replace(study, seeds=tuple(seeds))
    return ActivePlan(task, images, study, request, source_name, released)


def run_active(plan: ActivePlan) -> ActiveFits:
    """Every cell, kept in the cache folder as it is done; an estimate, then progress, go to stderr."""
    found = run_study(plan.study, plan.images, cache_dir() / "active", released=plan.released)
    validation = validation_answers(found, plan.images)
    stored = taken(plan.study, plan.images, plan.released)
    again = run_again(plan.study, plan.images, stored)
    return ActiveFits(found, validation, choose(plan, validation), len(stored), again)


def choose(plan: ActivePlan, validation: Answers) -> Recommendation:
    """The recommendation, made on validation images alone."""
    request = plan.request
    return recommend(
        validation,
        request.target or usual_target(validation),
        label_price=request.label_price,
        fixed=request.fixed,
    )


def open_active(plan: ActivePlan, fits: ActiveFits) -> Answers:
    """The one look at the test, after the choice."""
    return opened_answers(fits.cells, plan.images)
