"""``python -m benchmarks.adaptation``: seconds and memory of adaptation on feature arrays, beside other tools."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import date
from importlib import import_module
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.separate import in_a_process, installed_version, peak_memory, read_results
from benchmarks.tools.adapters import OURS, ROWS, Clocked, now, since
from transferlab.course.marked_table import write_table
from transferlab.errors import UserError
from transferlab.whole_file import write_text

README, TABLE = Path(__file__).with_name("README.md"), "adaptation"
PACKAGES = ("scikit-learn", "scipy", "pot", "skada", "numpy", "transferlab")
MEMORY = 2048  # MiB that the large problem may take, everything counted
CLASSES = 10
CLOCKS = ("wall", "processor")


def made_domains(samples: int, features: int) -> tuple[np.ndarray, ...]:
    """X_source, y_source, X_target, y_target: float32, correlated noise around classes, the target turned and moved."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLASSES, features))
    mix = rng.normal(size=(features, features)) / np.sqrt(features) * np.logspace(0, -1, features)[:, None]
    turn = np.eye(features) + 0.2 * rng.normal(size=(features, features)) / np.sqrt(features)
    shift = 0.5 * rng.normal(size=features)
    domains = []
    for last in ("source", "target"):
        y = rng.integers(CLASSES, size=samples)
        X = np.empty((samples, features), np.float32)
        for start in range(0, samples, 2000):
            part = slice(start, min(start + 2000, samples))
            block = 0.3 * centres[y[part]] + 2 * rng.normal(size=(len(y[part]), features)) @ mix
            X[part] = block if last == "source" else block @ turn + shift
        domains += [X, y]
    return tuple(domains)


def one(row: str, tool: str, samples: int, features: int) -> dict:
    """A single run in this process: seconds from float32 arrays to a fitted classifier, and peak memory in MiB."""
    run = ROWS[row][1][tool]
    if run.needs:
        import_module(run.needs)  # not on the clock
    imported = peak_memory()
    domains = made_domains(samples, features)
    X, y, target, _ = domains
    Clocked().fit(X[:50, :5], y[:50])
    start = now()
    accuracy = run(X, y, target, domains[3])
    seconds = since(start)  # predictions for the target take part
    return {
        "seconds": dict(zip(CLOCKS, seconds, strict=True)),
        "classifier_seconds": dict(zip(CLOCKS, Clocked.spent[-1], strict=True)),
        "accuracy": float(accuracy),
        "peak": peak_memory(),
        "imports": imported,
        "inputs": 2 * X.nbytes / 2**20,
    }


def apart(row: str, tool: str, samples: int, features: int, asked) -> dict:
    """:func:`one` in a process of its own; what went wrong is in ``"missing"``."""
    needs = ROWS[row][1][tool].needs
    known = {"row": row, "tool": tool, "samples": samples, "features": features}
    return known | in_a_process(
        "benchmarks.adaptation",
        ["--one", row, tool, str(samples), str(features)],
        needs=[needs] if needs else [],
        threads=asked.threads,
        limit=asked.limit,
    )


def measure(asked: argparse.Namespace) -> dict:
    """All runs; tools take turns, so that what disturbs the machine disturbs all of them."""
    runs = []
    for samples, features, repeats, peers in (
        (asked.samples, asked.features, asked.repeats, True),
        (asked.large_samples, asked.large_features, 1, False),
    ):
        for repeat in range(repeats):
            for row in asked.rows:
                tools = [tool for tool in ROWS[row][1] if peers or tool == OURS]
                for tool in tools[repeat % len(tools) :] + tools[: repeat % len(tools)]:
                    key = {"row": row, "tool": tool, "samples": samples, "features": features}
                    if any("missing" in run and key.items() <= run.items() for run in runs):
                        continue  # it failed in an earlier round
                    runs.append(apart(row, tool, samples, features, asked))
                    print(_told(runs[-1]), file=sys.stderr, flush=True)
    return {
        "date": date.today().isoformat(),
        "machine": {"processor": platform.processor() or platform.machine(), "threads": asked.threads},
        "versions": {name: installed_version(name) for name in PACKAGES}
        | {"python": platform.python_version()},
        "clock": asked.clock,
        "small": [asked.samples, asked.features],
        "large": [asked.large_samples, asked.large_features],
        "runs": runs,
    }


def tables(results: dict) -> str:
    """Markdown: seconds of all tools on the small problem, seconds and memory of ours on the large one."""
    clock, (n, d) = results["clock"], results["small"]
    machine, tools = results["machine"], (f"{name} {each}" for name, each in results["versions"].items())
    lines = [
        f"{results['date']}, {machine['processor']}, {machine['threads']} threads. {n:,} samples in each domain, {d} "
        f"features; medians of {clock} seconds, in brackets with the final classifier. Versions: {', '.join(tools)}.",
        "",
        "| method | transferlab, s | others, s | times as fast | wanted, s | accuracy | peak, MiB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in dict.fromkeys(run["row"] for run in results["runs"]):
        lines.append(
            _small_line(
                row,
                [r for r in results["runs"] if r["row"] == row and [r["samples"], r["features"]] == [n, d]],
                clock,
            )
        )
    n, d = results["large"]
    lines += ["", f"{n:,} samples in each domain, {d} features, float32; peak of the whole process.", ""]
    lines += [
        "| method | s | of it final classifier | peak, MiB | of it imports and inputs | wanted |",
        "|" + " --- |" * 6,
    ]
    for run in results["runs"]:
        if [run["samples"], run["features"]] == [n, d]:
            if "missing" in run:
                lines.append(f"| {run['row']} | {run['missing']} | | | | |")
                continue
            lines.append(
                f"| {run['row']} | {run['seconds'][clock]:.1f} | {run['classifier_seconds'][clock]:.1f} | "
                f"{run['peak']:.0f} | "
                f"{run['imports'] + run['inputs']:.0f} | {MEMORY} |"
            )
    return "\n".join(lines)


def _small_line(row: str, runs: list[dict], clock: str) -> str:
    wanted, tools = ROWS[row]
    found, told = {}, {}
    for tool in tools:
        mine = [run for run in runs if run["tool"] == tool and "missing" not in run]
        if not mine:
            told[tool] = next((run["missing"] for run in runs if run["tool"] == tool), "not run")
            continue
        found[tool] = median(run["seconds"][clock] - run["classifier_seconds"][clock] for run in mine)
        told[tool] = f"{found[tool]:.2f} ({median(run['seconds'][clock] for run in mine):.2f})"
    peers = [tool for tool in tools if tool != OURS]
    ratio = [found[tool] / found[OURS] for tool in peers if tool in found and OURS in found]
    mine = {tool: [r for r in runs if r["tool"] == tool and "missing" not in r] for tool in tools}
    return " | ".join(
        [
            f"| {row}",
            told[OURS],
            ", ".join(f"{tool} {told[tool]}" for tool in peers),
            f"{min(ratio):.1f}" if ratio else "",
            "" if wanted is None else f"{wanted:g}",
            ", ".join(f"{tool} {r[0]['accuracy']:.2f}" for tool, r in mine.items() if r),
            ", ".join(f"{tool} {max(run['peak'] for run in r):.0f}" for tool, r in mine.items() if r) + " |",
        ]
    )


def _told(run: dict) -> str:
    what = (
        run.get("missing")
        or f"{run['seconds']['wall']:.1f} s, processor {run['seconds']['processor']:.1f} s, {run['peak']:.0f} MiB"
    )
    return f"{run['row']}, {run['tool']}, {run['samples']} × {run['features']}: {what}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.adaptation", description=__doc__)
    add = parser.add_argument
    add("--json", type=Path, metavar="FILE", help="keep all raw numbers, versions and settings")
    add("--quick", action="store_true", help="a smoke run: 300 and 3,000 samples, 16 features, one round")
    add("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    add("--repeats", type=int, default=3, help="rounds on the small problem; the table shows medians")
    add("--samples", type=int, default=5000, help="of each domain")
    add("--features", type=int, default=256)
    add("--large-samples", type=int, default=50_000)
    add("--large-features", type=int, default=512)
    add("--threads", type=int, default=os.cpu_count())
    add("--clock", choices=CLOCKS, default="wall", help="what the tables state; processor on a busy machine")
    add(
        "--table",
        type=Path,
        metavar="FILE",
        help="put the tables of such a file into the README, and measure nothing",
    )
    add("--limit", type=int, default=300, help="seconds after which a run is given up")
    add("--one", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.one:
        row, tool, samples, features = asked.one
        print(json.dumps(one(row, tool, int(samples), int(features))))
        return 0
    if asked.quick:
        asked.samples, asked.features, asked.large_samples, asked.large_features = 300, 16, 3000, 16
        asked.repeats = 1
    try:
        if asked.table:
            write_table(README, TABLE, f"{tables(read_results(asked.table, tables))}\n")
            return 0
        results = measure(asked)
        if asked.json:
            write_text(asked.json, json.dumps(results, indent=1))
        print(tables(results))
    except (UserError, OSError) as error:
        print(f"benchmarks.adaptation: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
