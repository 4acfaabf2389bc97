"""From the JSON of a run to the tables of the README."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from benchmarks.measure import OURS, PLAIN, RIVALS, TRAINERS
from transferlab.course.marked_table import write_table

TABLE = "fine-tuning"


def stated_seconds(run: dict, epochs: int, clock: str = "wall") -> float:
    """Seconds for ``epochs``: what was measured, and the epochs that were not run at the cost of one.

    The cost of an epoch is the mean of all but the first, which holds what happens once. A fit that does
    not train by epochs takes what it takes.

    Examples
    --------
    >>> stated_seconds({"seconds": 5.0, "epoch_ends": [3.0, 4.0, 5.0]}, 25)
    27.0
    """
    prefix = "" if clock == "wall" else f"{clock}_"
    seconds, ends = run[f"{prefix}seconds"], run[f"{prefix}epoch_ends"]
    if len(ends) < 2:
        return seconds
    return seconds + (epochs - len(ends)) * (ends[-1] - ends[0]) / (len(ends) - 1)


def summary(results: dict, row: str) -> dict[str, dict]:
    """Median seconds and accuracy by tool, for one row."""
    epochs, clock = results["settings"]["stated_epochs"], results["settings"]["clock"]
    found = {}
    for run in results["runs"]:
        if run["row"] == row:
            found.setdefault(run["tool"], []).append(run)
    return {
        tool: {
            "seconds": median(stated_seconds(run, epochs, clock) for run in runs),
            "accuracy": median(run["accuracy"] for run in runs),
        }
        for tool, runs in found.items()
    }


def ratio(medians: dict[str, dict]) -> float | None:
    """How many times as long the fastest of the others takes."""
    others = [m["seconds"] for tool, m in medians.items() if tool != OURS]
    return min(others) / medians[OURS]["seconds"] if others else None


def tables(results: dict) -> str:
    """Markdown: what was measured where, seconds by tool, and what the cache is worth afterwards."""
    lines = [_heading(results), ""]
    names = list(dict.fromkeys(run["row"] for run in results["runs"]))
    training = [name for name in names if PLAIN in summary(results, name)]
    lines += _table(results, training, list(TRAINERS)) if training else []
    rival = [name for name in names if name not in training]
    lines += ["", *_table(results, rival, list(RIVALS))] if rival else []
    return "\n".join([*lines, "", *_reuse(results)])


def _heading(results: dict) -> str:
    s, machine, versions = results["settings"], results["machine"], results["versions"]
    rounds = "one round" if s["repeats"] == 1 else f"medians of {s['repeats']} interleaved rounds"
    said = (
        f"{results['date']}, {machine['processor']}, {machine['threads']} of {machine['cpus']} cores. "
        f"{s['backbone']}; {s['images']} training and {s['test_images']} test pictures of {s['side']} pixels, "
        f"{s['classes']} classes; {s['stated_epochs']} epochs, batches of {s['batch_size']}; {rounds}."
    )
    if s["clock"] == "processor":
        said += " Seconds are those that the processor spent: others used the machine meanwhile."
    if s["stated_epochs"] != s["epochs"]:
        said += (
            f" Only {s['epochs']} epochs were run: the others are added at the measured cost of one, and "
            f"accuracies and differences are those after {s['epochs']}."
        )
    said += " Versions: " + ", ".join(f"{k} {v}" for k, v in versions.items() if v) + "."
    return said + "".join(f" Without {tool}: {reason}." for tool, reason in results["missing"].items())


def _table(results: dict, rows: list[str], tools: list[str]) -> list[str]:
    head = ["seconds for", *tools, "times as fast as the fastest other", "wanted", "accuracy", "equality"]
    lines = [_line(head), _line(["---"] * len(head))]
    for name in rows:
        medians = summary(results, name)
        times = [f"{medians[t]['seconds']:.2f}" if t in medians else "–" for t in tools]
        gain = ratio(medians)
        accuracy = " / ".join(f"{medians[t]['accuracy']:.2f}" if t in medians else "–" for t in tools)
        gained = "–" if gain is None else f"{gain:.2f}"
        wanted = f"{results['wanted'][name]:g}"
        lines.append(_line([name, *times, gained, wanted, accuracy, _equality(results, name)]))
    return lines


def _equality(results: dict, row: str) -> str:
    found = results["equality"].get(row)
    if not found:
        return "–"
    return f"{found['agreement']:.0%} of {found['n']} the same, {found['largest_difference']:.1g} apart"


def _reuse(results: dict) -> list[str]:
    lines = [_line(["head only, on one cache", "seconds"]), _line(["---", "---"])]
    runs = results["reuse"]
    return lines + [_line([name, f"{median(run[name] for run in runs):.2f}"]) for name in runs[0]]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def update(readme: Path, results: dict) -> None:
    """Put the tables between the markers of ``readme``; everything else stays."""
    write_table(readme, TABLE, f"{tables(results)}\n")
