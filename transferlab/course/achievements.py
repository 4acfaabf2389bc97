"""What ``transferlab course progress`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from transferlab.course.checks import exercises_of
from transferlab.course.lessons import lesson_sources
from transferlab.course.progress import progress_file, read_progress
from transferlab.course.questions import COUNTS, EXIT


def progress_lines(folder: Path) -> list[str]:
    """A line for each lesson: exercises solved, and exit questions right at the first choice."""
    done = read_progress(progress_file(folder))
    lines = [_line(name, done.get(name[:2], {})) for name in lesson_sources()]
    if not done:
        lines.append(f"Nothing is noted in {folder} yet; lessons note there what you answer.")
    return lines


def _line(lesson: str, done: Mapping) -> str:
    exercises = exercises_of(lesson)
    solved = [n for n in exercises if _right(done.get("exercises", {}).get(n))]
    required = [n for n, function in exercises.items() if function.required]
    answers = done.get(EXIT, {})
    mark = "done" if required and set(required) <= set(solved) else "open"
    return (
        f"{lesson:<36} {mark}   exercises {len(solved)} of {len(exercises)}   quiz "
        f"{sum(v is True for v in answers.values())} of {COUNTS[EXIT]} right, {len(answers)} answered"
    )


def _right(noted) -> bool:
    return isinstance(noted, Mapping) and noted.get("right") is True
