"""The work behind the transfer report: fit every arm at every budget, recommend, open the test once."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from dataclasses import dataclass, fields
from importlib.metadata import version
from importlib.resources import files as package_files
from pathlib import Path

import numpy as np
import torch

from transferlab.backbones import load_backbone
from transferlab.data import Task, load_task
from transferlab.data.cache import cache_dir
from transferlab.evaluation import Evaluation, Fitted, fit_all, open_all
from transferlab.reports.arms import Arm, make_arms
from transferlab.reports.profiles import get_profile, label_budgets
from transferlab.reports.recommendation import Recommendation, recommend
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.training.checkpoint import write_whole
from transferlab.training.devices import pick_device
from transferlab.training.progress import spoken
from transferlab.transfer import save_model

VERSIONED = ("torch", "torchvision", "timm", "scikit-learn", "numpy", "pillow")


@dataclass(frozen=True, eq=False)
class Plan:
    """What will be done: task, arms, label budgets (None: all) and seeds."""

    task: Task
    arms: list[Arm]
    budgets: list[int | None]
    seeds: tuple[int, ...]
    device: str


@dataclass(frozen=True, eq=False)
class Fits:
    """Every arm fitted at every budget, and the recommendation; the test is still sealed."""

    fitted: list[Fitted]
    recommendation: Recommendation


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
    return Plan(
        task,
        make_arms(backbones, chosen, cache, device),
        label_budgets(chosen, task.labels_available, list(labels_per_class or [])),
        tuple(range(seed, seed + (seeds or chosen.seeds))),
        pick_device(device),
    )


def run(plan: Plan) -> Fits:
    """Fit everything; progress with time left goes to stderr, a line a fit."""
    estimators = {arm.name: arm.estimator for arm in plan.arms}
    clock = _Clock(plan)
    fitted = [
        fit_all(estimators, plan.task, plan.seeds, labels_per_class=k, keep=1, progress=clock.at_budget(i))
        for i, k in enumerate(plan.budgets)
    ]
    n_validation = [len(plan.task.draw(k, plan.seeds[0]).validation or ()) for k in plan.budgets]
    return Fits(fitted, recommend(plan.arms, fitted, n_validation))


class _Clock:
    """Time left, from the work done so far and the expected work of each fit."""

    def __init__(self, plan: Plan):
        images = [len(plan.task.draw(k, plan.seeds[0]).train) for k in plan.budgets]
        self._plan, self._start = plan, time.monotonic()
        self._costs = [[n * arm.cost for _ in plan.seeds for arm in plan.arms] for n in images]
        self._total = sum(map(sum, self._costs))

    def at_budget(self, index: int):
        before = sum(sum(costs) for costs in self._costs[:index])

        def tell(done: int, total: int, name: str) -> None:
            work = before + sum(self._costs[index][:done])
            elapsed = time.monotonic() - self._start
            known = work > 0.01 * self._total  # too little says nothing about the rest
            left = f", about {spoken(elapsed * (self._total - work) / work)} left" if known else ""
            k = self._plan.budgets[index]
            labels = "all labels" if k is None else f"{k} labels a class"
            if name:
                print(f"{work / self._total:4.0%} done{left}: {name}, {labels}", file=sys.stderr, flush=True)

        return tell


def open_test(plan: Plan, fits: Fits) -> list[Evaluation]:
    """All models of all budgets in one look at the sealed test; one evaluation a budget."""
    return open_all(fits.fitted, plan.task)


def results(plan: Plan, fits: Fits, evaluations: list[Evaluation]) -> dict:
    """The content of results.json; accuracies are fractions."""
    task, audit = plan.task, plan.task.audit
    chosen = fits.recommendation
    return {
        "kind": "transfer",
        "task": {
            "name": task.name,
            "classes": list(task.classes),
            "n_train": len(task.draw(None, plan.seeds[0]).train),
            "n_test": len(task.test),
            "grouped": task.grouped,
        },
        "audit": {"read": _labelled_count(task), "quarantined": [], "duplicates": [], **audit},
        "results": [
            _result(arm, row)
            for evaluation in evaluations
            for arm, row in zip(plan.arms, evaluation.rows, strict=True)
        ],
        "recommendation": {
            "method": chosen.arm.method,
            "backbone": chosen.arm.backbone,
            "trainable_from": chosen.arm.trainable_from,
            "labels_per_class": plan.budgets[chosen.fitted],
            "reason": chosen.reason,
        },
        "test_looks": task.test.looks,
        "environment": environment(plan.device),
    }


def class_counts(task: Task) -> dict[str, int]:
    """Labelled images of each class outside the test."""
    everything = task.draw(None, 0)
    labels = [everything.train.labels, *([everything.validation.labels] if everything.validation else [])]
    counts = np.bincount(np.concatenate(labels), minlength=len(task.classes))
    return dict(zip(task.classes, counts.tolist(), strict=True))


def _labelled_count(task: Task) -> int:
    everything = task.draw(None, 0)
    return len(everything.train) + len(everything.validation or ()) + len(task.test)


def _result(arm: Arm, row) -> dict:
    keys = set(schema()["properties"]["results"]["items"]["required"]) & {f.name for f in fields(row)}
    facts = {"method": arm.method, "backbone": arm.backbone, "trainable_from": arm.trainable_from}
    return facts | {key: getattr(row, key) for key in sorted(keys)}


def environment(device: str) -> dict:
    """What the numbers were made with; names no user and no folder."""
    return {
        "transferlab": version("transferlab"),
        "python": platform.python_version(),
        **{name: version(name) for name in VERSIONED},
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
    }


def schema() -> dict:
    """The JSON schema of results.json."""
    return json.loads(
        package_files("transferlab.reports").joinpath("transfer_results.schema.json").read_text()
    )


def write_results(out: Path, content: dict) -> Path:
    """Check ``content`` against the schema and write ``out/results.json``."""
    import jsonschema

    jsonschema.validate(content, schema())
    path = Path(out) / "results.json"
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(path, lambda temporary: Path(temporary).write_text(text, encoding="utf-8"))
    return path


def write_model(out: Path, plan: Plan, fits: Fits, content: dict) -> Path:
    """The recommended arm, fitted with the first seed at its budget, into ``out/model``."""
    chosen = fits.recommendation
    rows = [
        r
        for r in content["results"]
        if all(
            r[k] == content["recommendation"][k]
            for k in ("method", "backbone", "trainable_from", "labels_per_class")
        )
    ]
    card = {
        "task": plan.task.name,
        "method": chosen.arm.name,
        "reason": chosen.reason,
        "labels_per_class": plan.budgets[chosen.fitted],
        "seed": plan.seeds[0],
        "test": {
            k: rows[0][k] for k in ("accuracy", "ci_low", "ci_high", "interval_method", "n_test", "seeds")
        },
        "licence": "a model that contains bundled weights falls under their WEIGHTS_LICENSE",
    }
    run = fits.fitted[chosen.fitted].runs[chosen.arm.name][0]
    size = plan.task.test.images.shape[-1]
    return save_model(run.model, Path(out) / "model", classes=plan.task.classes, image_size=size, card=card)
