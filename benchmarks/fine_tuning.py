"""``python -m benchmarks.fine_tuning``: fine-tuning by transferlab and by the tools people use today."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import torch

from benchmarks.images import SIDE, photograph_windows
from benchmarks.measure import OURS, PLAIN, ROWS, Row, available, compare, reuse, rounds, warm_up
from benchmarks.problem import Problem
from benchmarks.separate import installed_version
from benchmarks.table import tables, update
from transferlab import load_backbone
from transferlab.errors import UserError
from transferlab.training.progress import spoken
from transferlab.whole_file import write_text

BACKBONE = "timm/resnet18"
PACKAGES = ("torch", "torchvision", "timm", "scikit-learn", "lightning", "fastai", "numpy", "transferlab")
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
README = Path(__file__).with_name("README.md")


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        if asked.table:
            update(README, _results(asked.table))
            return 0
        results = measure(asked)
        if asked.json:
            text = json.dumps(results, indent=1)
            write_text(asked.json, text)
        print(tables(results))
    except (UserError, OSError, ValueError) as error:
        print(f"benchmarks.fine_tuning: {error}", file=sys.stderr)
        return 1
    return 0


def measure(asked: argparse.Namespace) -> dict:
    """Everything that the tables say, and all raw times."""
    torch.set_num_threads(asked.threads)
    rows = [ROWS[name] for name in asked.rows]
    train, test = photograph_windows(2 if asked.quick else 22, 1 if asked.quick else 8)
    base = Problem(
        backbone=load_backbone(BACKBONE, pretrained=asked.pretrained).with_input_size(SIDE),
        boundary=0,
        train=train,
        test=test,
        epochs=2 if asked.quick else asked.epochs,
    )
    repeats = 1 if asked.quick else asked.repeats
    missing = available(rows)[1]
    for tool, reason in missing.items():
        _say(f"without {tool}: {reason}")
    _say("warming up")
    warm_up(rows, base)
    runs, equality = _run(rows, base, repeats)
    return {
        "date": date.today().isoformat(),
        "machine": {"processor": _processor(), "cpus": os.cpu_count(), "threads": asked.threads},
        "versions": {name: installed_version(name) for name in PACKAGES}
        | {"python": platform.python_version()},
        "settings": {
            "backbone": BACKBONE + (", pretrained" if asked.pretrained else ", weights drawn by seed 0"),
            "images": len(train),
            "test_images": len(test),
            "side": SIDE,
            "classes": len(train.classes),
            "epochs": base.epochs,
            "stated_epochs": asked.stated_epochs or base.epochs,
            "batch_size": base.batch_size,
            "repeats": repeats,
            "views": base.views,
            "clock": asked.clock,
        },
        "wanted": {row.name: row.wanted for row in rows},
        "missing": missing,
        "runs": runs,
        "equality": equality,
        "reuse": reuse(
            replace(base, epochs=asked.stated_epochs or base.epochs), repeats, CLOCKS[asked.clock]
        ),
    }


def _run(rows: list[Row], base: Problem, repeats: int) -> tuple[list[dict], dict[str, dict]]:
    """All runs, and how far transferlab and the plain loop lie apart in the first round."""
    plan = sum(len([t for t in row.tools if (row.name, t) in available(rows)[0]]) for row in rows) * repeats
    runs, scores, started = [], {}, time.perf_counter()
    for run, logits in rounds(rows, base, repeats):
        runs.append(asdict(run))
        scores.setdefault((run.row, run.tool), logits)
        passed = time.perf_counter() - started
        left = passed / len(runs) * (plan - len(runs))
        _say(f"{len(runs)} of {plan}: {run.row}, {run.tool}: {run.seconds:.1f} s; about {spoken(left)} left")
    alike = [row.name for row in rows if not row.augmentation and {OURS, PLAIN} <= set(row.tools)]
    return runs, {name: compare(scores[name, OURS], scores[name, PLAIN]) for name in alike}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.fine_tuning", description=__doc__)
    add = parser.add_argument
    add("--json", type=Path, metavar="FILE", help="keep all raw times, versions and settings")
    add("--table", type=Path, metavar="FILE", help="measure nothing; put the tables of FILE into the README")
    add("--quick", action="store_true", help="a smoke run: 24 pictures, 2 epochs, one round")
    add("--epochs", type=_positive, default=25)
    add(
        "--stated-epochs",
        type=_positive,
        help="state seconds for so many epochs, where --epochs are fewer: the cost of an epoch is measured, "
        "and the missing ones are added",
    )
    add("--repeats", type=_positive, default=3, help="rounds; the tables show medians")
    add("--rows", nargs="+", choices=list(ROWS), default=list(ROWS))
    add(
        "--clock",
        choices=list(CLOCKS),
        default="wall",
        help="what the tables state; processor seconds, with --threads 1, where others use the machine",
    )
    add("--threads", type=_positive, default=os.cpu_count())
    add(
        "--pretrained",
        action="store_true",
        help="timm's weights in place of drawn ones; may need the network",
    )
    return parser


def _results(file: Path) -> dict:
    found = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or "runs" not in found:
        raise UserError(f"{file} holds no results; give a file that --json has written.")
    return found


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
