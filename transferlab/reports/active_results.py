"""results.json of an active report."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files as package_files
from pathlib import Path

import numpy as np

from transferlab.active.factorial_summary import Answers, rows
from transferlab.active.study_plan import Curve, curve_name
from transferlab.reports.active_costs import way_cost
from transferlab.reports.active_findings import Findings
from transferlab.reports.active_study import ActiveFits, ActivePlan
from transferlab.reports.active_text import opened_warnings, reason, warnings
from transferlab.reports.results_file import environment, write_checked
from transferlab.training.devices import pick_device


def active_results(
    plan: ActivePlan, fits: ActiveFits, found: Findings, test: Answers, command: str = ""
) -> dict:
    """The content of results.json; accuracies are fractions, and None is what was not reached."""
    images, study, request = plan.images, plan.study, plan.request
    content = {
        "kind": "active",
        "task": {
            "name": plan.task.name,
            "source": plan.source_name or None,
            "classes": list(plan.task.classes),
            "n_pool": len(images.pool),
            "n_validation": len(images.validation),
            "n_test": len(images.test),
            "n_source": 0 if images.source is None else len(images.source),
            "grouped": plan.task.grouped,
        },
        "audit": {"read": None, "quarantined": [], "duplicates": [], **plan.task.audit},
        "study": {
            "profile": request.profile,
            "backbone": study.backbone,
            "arms": [*study.arms, *study.without_labels],
            "strategies": list(study.strategies),
            "pickers": list(study.pickers),
            "budgets": list(study.budgets),
            "seeds": list(study.seeds),
            "settings": {k: v for k, v in asdict(study.settings).items() if k != "device"},
            "label_price": request.label_price,
            "fixed_costs": request.fixed,
        },
        "results": rows(fits.cells, fits.validation, test),
        "curves": found.curves,
        "effects": _effects(found, test),
        "picking": [{"arm": p.arm, "strategy": p.strategy, **asdict(p.points)} for p in found.picking],
        "labels_to_target": [
            {**_curve(c), **asdict(need), "cost": way_cost(plan, c, need.needed)}
            for c, need in found.needed.items()
        ],
        "labels_saved": [
            {"by": _curve(fits.choice.curve), "rival": _curve(rival), **asdict(row)}
            for rival, saved in found.saved.items()
            for row in saved
        ]
        + [
            {"by": _curve((arm, "none", "none")), "rival": _curve(found.asking), **asdict(row)}
            for arm, row in found.free.items()
        ],
        "comparisons": [{"budget": budget, **asdict(c)} for budget, c in found.compared],
        "recommendation": _recommendation(fits, test),
        "warnings": [*warnings(plan, fits), *opened_warnings(fits, found, test)],
        "stored": {"cells": fits.stored, "run_again": None if fits.again is None else asdict(fits.again)},
        "test_looks": images.test.looks,
        "environment": environment(pick_device(request.device)),
        "command": command,
    }
    return _finite(content)


def _recommendation(fits: ActiveFits, test: Answers) -> dict:
    chosen = fits.choice
    budget, interval = chosen.tested(test)
    return {
        **_curve(chosen.curve),
        "name": curve_name(chosen.curve),
        "budget": chosen.budget,
        "target": chosen.target,
        "reached": chosen.reached,
        "cost": chosen.cost,
        "advice": chosen.advice,
        "reason": reason(fits),
        "n_validation": fits.validation.n,
        "test": {
            "budget": budget, "accuracy": interval.estimate, "ci_low": interval.low, "ci_high": interval.high,
            "n": interval.n, "seeds": interval.seeds,
        },
    }  # fmt: skip


def _effects(found: Findings, test: Answers) -> list[dict]:
    return [
        {
            "arm": c.arm,
            "strategy": c.strategy,
            "log_odds": [
                {"budget": budget, **{name: asdict(effect) for name, effect in by.items()}}
                for budget, by in zip(test.budgets, c.by_budget, strict=True)
            ],
            "labels_to_target": {
                name: None if effect is None else asdict(effect) for name, effect in c.in_labels.items()
            },
        }
        for c in found.crossed
    ]


def _curve(curve: Curve) -> dict:
    return dict(zip(("arm", "strategy", "picker_features"), curve, strict=True))


def _finite(value):
    """The same with None for what is infinite, which JSON has not."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def active_schema() -> dict:
    """The JSON schema of results.json."""
    return json.loads(package_files("transferlab.reports").joinpath("active_results.schema.json").read_text())


def write_active_results(out: Path, content: dict) -> Path:
    """Check ``content`` against the schema and write ``out/results.json``."""
    return write_checked(out, content, active_schema())
