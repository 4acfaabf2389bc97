"""results.json and model/ of an adaptation report."""

from __future__ import annotations

import json
from importlib.resources import files as package_files
from pathlib import Path

import numpy as np

from transferlab.adaptation.study import SOURCE_ONLY
from transferlab.reports.adaptation_domains import Domains
from transferlab.reports.adaptation_look import Disagreements, Embedded
from transferlab.reports.adaptation_model import as_network
from transferlab.reports.adaptation_study import AdaptationFits, AdaptationPlan
from transferlab.reports.adaptation_text import reason, warnings
from transferlab.reports.results_file import environment, write_checked
from transferlab.transfer import save_model, write_onnx


def adaptation_rows(plan: AdaptationPlan, fits: AdaptationFits, opened: dict | None) -> list[dict]:
    """One dict for every method, as under ``results``; accuracies are None where the target has no labels."""
    return [_row(plan, fits, None if opened is None else opened["methods"][n], n) for n in plan.methods]


def _row(plan: AdaptationPlan, fits: AdaptationFits, counted: dict | None, name: str) -> dict:
    known = counted or {}
    return {
        "method": name,
        "backbone": plan.pair.backbone.name,
        "validator": fits.choice.validator,
        "score": fits.choice.mean(name),
        "scores": {v: [run.scores[v][name] for run in fits.runs] for v in fits.runs[0].scores},
        "oracle_accuracy": known.get("estimate"),
        "ci_low": known.get("low"),
        "ci_high": known.get("high"),
        "interval_method": known.get("method"),
        "per_seed": known.get("per_seed"),
        "n_test": known.get("n"),
        "seeds": len(plan.seeds),
        "fit_seconds": float(np.mean([run.seconds[name] for run in fits.runs])),
    }


def adaptation_results(  # noqa: PLR0917
    plan: AdaptationPlan,
    fits: AdaptationFits,
    opened: dict | None,
    look: Disagreements,
    found: dict[str, Embedded],
    command: str = "",
) -> dict:
    """The content of results.json; accuracies are fractions, and None where the target has no labels."""
    domains, choice = plan.domains, fits.choice
    rows = adaptation_rows(plan, fits, opened)
    known = {row["method"]: row["oracle_accuracy"] for row in rows}
    best = None if opened is None else max(known, key=lambda name: (known[name], name == choice.method))
    return {
        "kind": "adaptation",
        "task": {
            "source": domains.source_name,
            "target": domains.target_name,
            "classes": list(domains.classes),
            "n_source": len(domains.source),
            "n_target": len(domains.target),
            "n_test": None if domains.test is None else len(domains.test),
            "resolution": domains.resolution,
        },
        "audit": {"source": _audit(domains, "source"), "target": _audit(domains, "target")},
        "diagnosis": _diagnosis(fits),
        "validator": choice.validator,
        "results": rows,
        "recommendation": {
            "method": choice.method,
            "backbone": plan.pair.backbone.name,
            "score": choice.mean(choice.method),
            "source_only_score": choice.mean(SOURCE_ONLY),
            "seeds_better": choice.better_in,
            "oracle_accuracy": known[choice.method],
            "reason": reason(choice),
        },
        "warnings": warnings(fits),
        "oracle": best,
        "oracle_accuracy": None if best is None else known[best],
        "close_look": {
            "disagreements": len(look.index),
            "disagreement_share": look.share,
            "domains_told_apart": {name: e.told_apart for name, e in found.items()},
        },
        "test_looks": 0 if domains.test is None else domains.test.looks,
        "environment": environment(plan.device),
        "command": command,
    }


def _audit(domains: Domains, domain: str) -> dict:
    images, audit = getattr(domains, domain), getattr(domains, f"{domain}_audit")
    return {"read": len(images), "quarantined": [], "duplicates": [], **audit}


def _diagnosis(fits: AdaptationFits) -> dict:
    found = fits.diagnosis
    if isinstance(found, str):
        return {"detected": None, "proportions_changed": None, "a_distance": None, "sentences": [found]}
    distance = found.distance.a_distance
    return {
        "detected": found.detected,
        "proportions_changed": found.proportions_changed,
        "a_distance": {"estimate": distance.estimate, "low": distance.low, "high": distance.high},
        "sentences": list(found.sentences),
    }


def adaptation_schema() -> dict:
    """The JSON schema of results.json."""
    return json.loads(
        package_files("transferlab.reports").joinpath("adaptation_results.schema.json").read_text()
    )


def write_adaptation_results(out: Path, content: dict) -> Path:
    """Check ``content`` against the schema and write ``out/results.json``."""
    return write_checked(out, content, adaptation_schema())


def write_adaptation_model(out: Path, plan: AdaptationPlan, fits: AdaptationFits, content: dict) -> Path:
    """The chosen method of the first seed into ``out/model``, as one network; as ONNX too."""
    domains, chosen = plan.domains, content["recommendation"]
    model = as_network(
        fits.chosen,
        classes=domains.classes,
        image_size=min(domains.resolution, max(domains.target.images.shape[2:])),
        target=domains.target.images,
    )
    card = {
        "task": plan.pair.name,
        "method": chosen["method"],
        "reason": chosen["reason"],
        "warnings": content["warnings"],
        "seed": plan.seeds[0],
        "oracle_accuracy": chosen["oracle_accuracy"],
        "licence": "a model that contains bundled weights falls under their WEIGHTS_LICENSE",
    }
    folder = save_model(model, Path(out) / "model", card=card)
    write_onnx(model, folder / "model.onnx")
    return folder
