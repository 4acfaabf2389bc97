"""``python -m benchmarks.active``: seconds and memory of choosing images, beside scikit-activeml and modAL."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
from datetime import date
from importlib import import_module
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from benchmarks.adaptation import CLOCKS, MEMORY
from benchmarks.separate import in_a_process, installed_version, peak_memory, read_results
from benchmarks.tools.adapters import OURS, now, since
from benchmarks.tools.queries import MODAL, ROWS, made_problem, potential
from transferlab.course.marked_table import write_table
from transferlab.errors import UserError
from transferlab.whole_file import write_text

README, TABLE = Path(__file__).with_name("README.md"), "active"
PACKAGES = ("numpy", "scikit-learn", "scikit-activeml", "modAL-python", "transferlab")
SIZES = (1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
SHAPE = ("features", "classes", "labelled", "n")


def one(row: str, tool: str, size: int, seed: int, asked: argparse.Namespace) -> dict:
    """A single run in this process: seconds from arrays to picks, peak memory in MiB, and how good the picks are."""
    run = ROWS[row][1][tool]
    for module in run.needs:
        import_module(module)  # not on the clock
    imports = peak_memory()
    shape = [getattr(asked, name) for name in SHAPE]
    problem = made_problem(size, *shape, draws=row == "bald")
    run(made_problem(50, 5, 2, 1, 1, draws=row == "bald"), 0)  # what is loaded at first use is loaded now
    if tool != OURS and hasattr(
        resource, "RLIMIT_DATA"
    ):  # else the machine might be out of memory, not the tool
        resource.setrlimit(resource.RLIMIT_DATA, (asked.memory * 2**20,) * 2)
    start = now()
    picks = run(problem, seed)
    seconds = since(start)
    return {
        "seconds": dict(zip(CLOCKS, seconds, strict=True)),
        "peak": peak_memory(),
        "imports": imports,
        "inputs": (problem.features.nbytes + problem.probabilities.nbytes) / 2**20,
        "picks": picks.tolist(),
        "potential": potential(problem, picks) if row == "badge" else None,
    }


def apart(row: str, tool: str, size: int, seed: int, asked: argparse.Namespace) -> dict:
    """:func:`one` in a process of its own; what went wrong is in ``"missing"``."""
    arguments = ["--one", row, tool, str(size), str(seed)]
    for name in (*SHAPE, "memory"):
        arguments += [f"--{name}", str(getattr(asked, name))]
    needs = ROWS[row][1][tool].needs
    known = {"row": row, "tool": tool, "size": size, "seed": seed}
    return known | in_a_process(
        "benchmarks.active", arguments, needs=needs, threads=asked.threads, limit=asked.limit
    )


def measure(asked: argparse.Namespace) -> dict:
    """Each peer at ever larger pools up to where it ends, ours at the same size in turn; then ours at the largest."""
    runs = []

    def run(row, tool, size, seed):
        runs.append(apart(row, tool, size, seed, asked))
        print(_told(runs[-1]), file=sys.stderr, flush=True)
        return "missing" not in runs[-1]

    for row in asked.rows:
        for peer in list(ROWS[row][1])[1:]:
            largest = None
            for size in asked.sizes:
                if not run(row, peer, size, 0):
                    break
                largest = size
            for seed in range(asked.repeats if largest else 0):
                for tool in (OURS, peer)[:: 1 if seed % 2 else -1]:
                    key = {"row": row, "tool": tool, "size": largest, "seed": seed}
                    if not any(key.items() <= known.items() for known in runs):
                        run(row, tool, largest, seed)
        if not any(r["row"] == row and r["tool"] == OURS and r["size"] == asked.large for r in runs):
            run(row, OURS, asked.large, 0)
    return {
        "date": date.today().isoformat(),
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "threads": asked.threads,
            "memory": asked.memory,
        },
        "versions": {name: installed_version(name) for name in PACKAGES}
        | {"python": platform.python_version()},
        "clock": asked.clock,
        "limit": asked.limit,
        "shape": {name: getattr(asked, name) for name in SHAPE},
        "large": asked.large,
        "runs": runs,
    }


def tables(results: dict) -> str:
    """Markdown: each peer at the largest pool that it finished, and ours at the largest pool of all."""
    shape, machine = results["shape"], results["machine"]
    versions = ", ".join(f"{name} {each}" for name, each in results["versions"].items())
    lines = [
        f"{results['date']}, {machine['processor']}, {machine['threads']} threads. Batches of {shape['n']} from "
        f"pools of {shape['features']} features, {shape['classes']} classes, {shape['labelled']} labelled; medians of "
        f"{results['clock']} seconds; a run is given up after {results['limit']} s or {machine['memory']:,} MiB. "
        f"Versions: {versions}.",
        "",
        "| strategy | other tool | largest pool it finished | ended by | its s | transferlab, s | times as fast | "
        "wanted | same picks | its potential over ours | its peak, MiB | transferlab, MiB |",
        "|" + " --- |" * 12,
    ]
    for row in dict.fromkeys(run["row"] for run in results["runs"]):
        for tool in dict.fromkeys(
            r["tool"] for r in results["runs"] if r["row"] == row and r["tool"] != OURS
        ):
            lines.append(_beside(row, tool, results))
    lines += [
        "",
        f"{results['large']:,} images, float32; peak of the whole process.",
        "",
        "| strategy | s | peak, MiB | of it imports and inputs | wanted |",
        "|" + " --- |" * 5,
    ]
    for run in results["runs"]:
        if run["tool"] != OURS or run["size"] != results["large"] or run["seed"]:
            continue
        if "missing" in run:
            lines.append(f"| {run['row']} | {run['missing']} | | | {MEMORY} |")
            continue
        lines.append(
            f"| {run['row']} | {run['seconds'][results['clock']]:.1f} | {run['peak']:.0f} | "
            f"{run['imports'] + run['inputs']:.0f} | {MEMORY} |"
        )
    return "\n".join(lines)


def _beside(row: str, tool: str, results: dict) -> str:
    runs = [run for run in results["runs"] if run["row"] == row]
    ended = next((run["missing"] for run in runs if run["tool"] == tool and "missing" in run), "")
    done = [run for run in runs if run["tool"] == tool and "missing" not in run]
    if not done:
        return f"| {row} | {tool} | none | {ended} |" + " |" * 8
    size = max(run["size"] for run in done)
    theirs = {run["seed"]: run for run in done if run["size"] == size}
    mine = {r["seed"]: r for r in runs if r["tool"] == OURS and r["size"] == size and "missing" not in r}
    both = sorted(theirs.keys() & mine.keys())
    if not both:
        return f"| {row} | {tool} | {size:,} | {ended} |" + " |" * 8
    clock = results["clock"]
    seconds = [median(side[seed]["seconds"][clock] for seed in both) for side in (theirs, mine)]
    peaks = [max(side[seed]["peak"] for seed in both) for side in (theirs, mine)]
    pairs = [(theirs[seed]["picks"], mine[seed]["picks"]) for seed in both]
    same = f"{min(len({*a} & {*b}) for a, b in pairs)} of {results['shape']['n']}"
    same += ", in order" if all(a == b for a, b in pairs) else ""
    ratio = ""
    if row == "badge":
        ratio = _ratio(*([side[seed]["potential"] for seed in both] for side in (theirs, mine)))
    wanted = "" if ROWS[row][0] is None or tool == MODAL else f"{ROWS[row][0]:g}"
    return (
        f"| {row} | {tool} | {size:,} | {ended} | {seconds[0]:.2f} | {seconds[1]:.3f} | "
        f"{seconds[0] / seconds[1]:.1f} | {wanted} | {same} | {ratio} | {peaks[0]:.0f} | {peaks[1]:.0f} |"
    )


def _ratio(theirs: list[float], mine: list[float]) -> str:
    """Mean over mean, with a 95 % interval where there are several seeds; either tool draws by itself."""
    text = f"{sum(theirs) / sum(mine):.3f}"
    if len(mine) == 1:
        return text
    rng = np.random.default_rng(0)
    drawn = [rng.choice(side, (10_000, len(side))).mean(1) for side in (theirs, mine)]
    low, high = np.quantile(drawn[0] / drawn[1], [0.025, 0.975])
    return f"{text} ({low:.2f} to {high:.2f}, {len(mine)} seeds)"


def _told(run: dict) -> str:
    what = run.get("missing")
    if not what:
        what = f"{run['seconds']['wall']:.2f} s, processor {run['seconds']['processor']:.2f} s, {run['peak']:.0f} MiB"
    return f"{run['row']}, {run['tool']}, {run['size']:,} images, seed {run['seed']}: {what}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.active", description=__doc__)
    add = parser.add_argument
    add("--json", type=Path, metavar="FILE", help="keep all raw numbers, picks, versions and settings")
    add(
        "--quick",
        action="store_true",
        help="a smoke run: pools of 100, 200 and 1,000, 16 features, one round",
    )
    add("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    add("--repeats", type=int, default=3, help="seeds at the largest pool that another tool finished")
    add(
        "--sizes",
        nargs="+",
        type=int,
        default=list(SIZES),
        help="pools that other tools are tried on, in this order",
    )
    add("--large", type=int, default=100_000, help="the pool that is ours alone")
    add("--features", type=int, default=512)
    add("--classes", type=int, default=100)
    add("--labelled", type=int, default=100)
    add("--n", type=int, default=100, help="images to choose")
    add("--threads", type=int, default=os.cpu_count())
    add("--clock", choices=CLOCKS, default="wall", help="what the tables state; processor on a busy machine")
    add("--limit", type=int, default=600, help="seconds after which a run is given up")
    add(
        "--memory",
        type=int,
        default=int(0.75 * psutil.virtual_memory().total / 2**20),
        help="MiB that another tool may take, where the system can limit it",
    )
    add(
        "--table",
        type=Path,
        metavar="FILE",
        help="put the tables of such a file into the README, measure nothing",
    )
    add("--one", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.one:
        row, tool, size, seed = asked.one
        print(json.dumps(one(row, tool, int(size), int(seed), asked)))
        return 0
    if asked.quick:
        asked.sizes, asked.large, asked.repeats = [100, 200], 1000, 1
        asked.features, asked.classes, asked.labelled, asked.n = 16, 5, 10, 10
    try:
        if asked.table:
            write_table(README, TABLE, f"{tables(read_results(asked.table, tables))}\n")
            return 0
        results = measure(asked)
        if asked.json:
            write_text(asked.json, json.dumps(results))
        print(tables(results))
    except (UserError, OSError) as error:
        print(f"benchmarks.active: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
