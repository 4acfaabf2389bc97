"""The work behind the transfer report: fit every arm at every budget, recommend, open the test once."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from transferlab.backbones import load_backbone
from transferlab.data import Task, load_task
from transferlab.data.cache import cache_dir
from transferlab.evaluation import Evaluation, Fitted, fit_all, open_all
from transferlab.reports.arms import Arm, make_arms
from transferlab.reports.clock import Clock
from transferlab.reports.profiles import get_profile, label_budgets
from transferlab.reports.recommendation import Recommendation, recommend
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.training.devices import pick_device
from transferlab.transfer import Shortcuts
from transferlab.viz.words import labels


@dataclass(frozen=True, eq=False)
class Plan:
    """What will be done: task, arms, label budgets (None: all) and seeds.

    shortcuts : name to a baseline that sees no picture, fitted beside the recommended arm
    """

    task: Task
    arms: list[Arm]
    budgets: list[int | None]
    seeds: tuple[int, ...]
    device: str
    cache: BoundaryCache
    shortcuts: dict[str, Shortcuts]


@dataclass(frozen=True, eq=False)
class Fits:
    """Every arm fitted at every budget, and the recommendation; the test is still sealed."""

    fitted: list[Fitted]
    recommendation: Recommendation
    shortcuts: Fitted


@dataclass(frozen=True, eq=False)
class Opened:
    """What the one look at the test showed: an evaluation a budget, and that of the shortcuts."""

    evaluations: list[Evaluation]
    shortcuts: Evaluation


def load_report_task(
    name: str, backbones: list[str], *, group_regex: str = "", mirror: str = "", progress: bool = True
) -> Task:
    """The task at the largest input size that one of ``backbones`` needs."""
    size = max(load_backbone(b).preprocessing.input_size for b in backbones)
    return load_task(
        name, image_size=size, group_regex=group_regex or None, mirror=mirror or None, progress=progress
    )


def make_plan(
    task: Task,
    backbones: list[str],
    *,
    profile: str = "lesson",
    labels_per_class: list[int] | None = None,
    seeds: int = 0,
    seed: int = 0,
    device: str = "auto",
) -> Plan:
    """Arms, budgets and seeds of a profile; 0 ``seeds`` takes the profile's number."""
    chosen = get_profile(profile)
    cache = BoundaryCache(folder=cache_dir() / "boundary")
    kinds = ["colour"] if task.train.file_facts is None else ["colour", "file"]
    return Plan(
        task,
        make_arms(backbones, chosen, cache, device),
        label_budgets(chosen, task.labels_available, list(labels_per_class or [])),
        tuple(range(seed, seed + (seeds or chosen.seeds))),
        pick_device(device),
        cache,
        {kind: Shortcuts(kind) for kind in kinds},
    )


def run(plan: Plan) -> Fits:
    """Fit everything; an estimate, then progress with time left, a line a fit, go to stderr."""
    estimators = {arm.name: arm.estimator for arm in plan.arms}
    images = [len(plan.task.draw(k, plan.seeds[0]).train) for k in plan.budgets]
    clock = Clock(plan.arms, images, list(map(labels, plan.budgets)), len(plan.seeds), plan.device)
    print(clock.announcement, file=sys.stderr, flush=True)
    fitted = [
        fit_all(estimators, plan.task, plan.seeds, labels_per_class=k, keep=1, progress=clock.at_budget(i))
        for i, k in enumerate(plan.budgets)
    ]
    n_validation = [len(plan.task.draw(k, plan.seeds[0]).validation or ()) for k in plan.budgets]
    recommendation = recommend(plan.arms, fitted, n_validation)
    budget = plan.budgets[recommendation.fitted]
    shortcuts = fit_all(plan.shortcuts, plan.task, plan.seeds, labels_per_class=budget, keep=0)
    return Fits(fitted, recommendation, shortcuts)


def open_test(plan: Plan, fits: Fits) -> Opened:
    """All models of all budgets, and the shortcuts, in one look at the sealed test."""
    *evaluations, shortcuts = open_all([*fits.fitted, fits.shortcuts], plan.task)
    return Opened(evaluations, shortcuts)
