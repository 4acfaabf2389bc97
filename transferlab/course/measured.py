"""What the lessons take, as a table between two markers of the files that show it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from transferlab.course.build import checkout_folder
from transferlab.course.marked_table import begin, write_table
from transferlab.course.run import Outcome
from transferlab.whole_file import write_text

FILE = "measured.json"
TABLE = "measured"
_COLUMNS = ("smoke", "lesson")


def record_measured(profile: str, outcomes: Sequence[Outcome]) -> None:
    """Keep what each lesson took in ``notebooks/measured.json``, and renew the tables that show it."""
    folder = checkout_folder()
    stored = read_measured(folder)
    for outcome in outcomes:
        spent = outcome.spent
        stored.setdefault(outcome.lesson, {})[profile] = {
            "seconds": round(spent.seconds), "slowest_cell": round(spent.slowest_cell),
            "peak_gib": round(spent.peak_bytes / 2**30, 1), "date": date.today().isoformat(),
        }  # fmt: skip
    text = json.dumps(dict(sorted(stored.items())), indent=1) + "\n"
    write_text(folder / FILE, text)
    for page in pages(folder):
        write_table(page, TABLE, measured_table(stored))


def read_measured(folder: Path) -> dict[str, dict]:
    """Lesson to profile to what it took."""
    path = folder / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def pages(folder: Path) -> list[Path]:
    """The files that show the table."""
    found = [path for path in (folder.parent / "README.md", folder / "INSTRUCTORS.md") if path.is_file()]
    return [path for path in found if begin(TABLE) in path.read_text(encoding="utf-8")]


def measured_table(stored: dict[str, dict]) -> str:
    """The table in Markdown: wall seconds, the slowest cell's, and the most memory, of each profile."""
    dates = sorted(each["date"] for of in stored.values() for each in of.values())
    if not dates:
        return "Not measured yet: `transferlab course run --record` does.\n"
    when = f"on {dates[0]}" if dates[0] == dates[-1] else f"from {dates[0]} to {dates[-1]}"
    lines = [
        f"Measured {when} on two CPU cores by `transferlab course run --record`; GiB is "
        "the most memory that the kernel held.",
        "",
        "| lesson | " + " | ".join(f"`{p}`: seconds (slowest cell), GiB" for p in _COLUMNS) + " |",
        "|---|" + "---|" * len(_COLUMNS),
    ]
    for lesson, of in sorted(stored.items()):
        lines.append(f"| {lesson} | " + " | ".join(_cell(of.get(profile)) for profile in _COLUMNS) + " |")
    return "\n".join(lines) + "\n"


def _cell(of: dict | None) -> str:
    return f"{of['seconds']} ({of['slowest_cell']}), {of['peak_gib']}" if of else "not measured"
