"""results.json and model/: what a report leaves for programs."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, fields
from importlib.metadata import version
from importlib.resources import files as package_files
from pathlib import Path

import numpy as np
import torch

from transferlab.data import Task
from transferlab.reports.arms import Arm
from transferlab.reports.close_look import CloseLook
from transferlab.reports.source_scores import ranking_content
from transferlab.reports.transfer_study import Fits, Opened, Plan
from transferlab.transfer import Ranking, save_model, write_onnx
from transferlab.whole_file import write_text

VERSIONED = ("torch", "torchvision", "timm", "scikit-learn", "numpy", "pillow")


def results(  # noqa: PLR0917
    plan: Plan, fits: Fits, opened: Opened, look: CloseLook, command: str = "", ranking: Ranking | None = None
) -> dict:
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
        "results": result_rows(plan, opened),
        "recommendation": {
            "method": chosen.arm.method,
            "backbone": chosen.arm.backbone,
            "trainable_from": chosen.arm.trainable_from,
            "labels_per_class": plan.budgets[chosen.fitted],
            "reason": chosen.reason,
        },
        **({} if ranking is None else {"source_ranking": ranking_content(ranking)}),
        "close_look": _close_look(task, opened, look),
        "test_looks": task.test.looks,
        "environment": environment(plan.device),
        "command": command,
    }


def result_rows(plan: Plan, opened: Opened) -> list[dict]:
    """One dict for every arm at every budget, as under ``results``."""
    return [
        _result(arm, row)
        for evaluation in opened.evaluations
        for arm, row in zip(plan.arms, evaluation.rows, strict=True)
    ]


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


def _close_look(task: Task, opened: Opened, look: CloseLook) -> dict:
    shortcuts = {
        row.name: {k: getattr(row, k) for k in ("accuracy", "ci_low", "ci_high")}
        for row in opened.shortcuts.rows
    }
    recalls = [
        r and {"class": c, "recall": r.estimate, "ci_low": r.low, "ci_high": r.high, "n": r.n}
        for c, r in zip(task.classes, look.recalls, strict=True)
    ]
    suspects = [
        {
            "path": look.labelled.paths[s.index] if look.labelled.paths else None,
            "given": task.classes[s.given],
            "suggested": task.classes[s.suggested],
            "confidence": s.confidence,
        }
        for s in look.suspects or ()
    ]
    return {
        "shortcuts": shortcuts,
        "recalls": [r for r in recalls if r],
        "calibration": {k: getattr(look.reliability, k) for k in ("verdict", "error", "chance_error", "gap")},
        "coverage": {
            "area_under_risk": look.coverage.area,
            "surest_80_percent": look.coverage.at(0.8)[0],
        },
        "labels_saved": [_finite(asdict(s)) for s in look.saved],
        "more_labels": [asdict(g) for g in look.estimate.gains] if look.estimate else [],
        "suspected_labels": suspects,
        "size": asdict(look.size),
    }


def _finite(numbers: dict) -> dict:
    """JSON has no infinity: what was not reached is null."""
    return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in numbers.items()}


def environment(device: str) -> dict:
    """What the numbers were made with; names no user and no folder."""
    return {
        "transferlab": version("transferlab"),
        "python": platform.python_version(),
        **{name: version(name) for name in VERSIONED},
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
    }


def schema() -> dict:
    """The JSON schema of results.json."""
    return json.loads(
        package_files("transferlab.reports").joinpath("transfer_results.schema.json").read_text()
    )


def write_results(out: Path, content: dict) -> Path:
    """Check ``content`` against the schema and write ``out/results.json``."""
    return write_checked(out, content, schema())


def write_checked(out: Path, content: dict, wanted: dict) -> Path:
    """Write ``out/results.json`` whole, if ``content`` follows the JSON schema ``wanted``."""
    import jsonschema

    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=_plain) + "\n"
    jsonschema.validate(json.loads(text), wanted)
    path = Path(out) / "results.json"
    write_text(path, text)
    return path


def _plain(value):
    """numpy's numbers and arrays as Python's own."""
    return value.tolist()


def write_model(out: Path, plan: Plan, fits: Fits, look: CloseLook, content: dict) -> Path:
    """The recommended arm, fitted with the first seed at its budget, into ``out/model``; as ONNX too."""
    chosen = fits.recommendation
    wanted = content["recommendation"]
    keys = ("method", "backbone", "trainable_from", "labels_per_class")
    row = next(r for r in content["results"] if all(r[k] == wanted[k] for k in keys))
    card = {
        "task": plan.task.name,
        "method": chosen.arm.name,
        "reason": chosen.reason,
        "labels_per_class": wanted["labels_per_class"],
        "seed": plan.seeds[0],
        "test": {k: row[k] for k in ("accuracy", "ci_low", "ci_high", "interval_method", "n_test", "seeds")},
        "licence": "a model that contains bundled weights falls under their WEIGHTS_LICENSE",
    }
    folder = save_model(look.model, Path(out) / "model", card=card)
    write_onnx(look.model, folder / "model.onnx")
    return folder
