"""Run lessons one after the other, each in a kernel of its own, and say what they took."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from transferlab.course.build import write_notebook
from transferlab.course.editions import EDITIONS, read_source
from transferlab.course.execute import NotebookError, Spent, execute
from transferlab.course.lessons import chosen_lessons
from transferlab.course.parameters import checked_parameters
from transferlab.errors import UserError


@dataclass(frozen=True)
class Outcome:
    """What became of one lesson; ``failed`` is a sentence, or empty."""

    lesson: str
    spent: Spent | None
    failed: str = ""

    @property
    def line(self) -> str:
        """As a row of the table that is printed."""
        if self.spent is None:
            return f"{self.lesson:<28} failed: {self.failed}"
        return f"{self.lesson:<28} {self.spent}"


def run_lessons(
    wanted: Sequence[str],
    parameters: dict,
    *,
    out: Path | None = None,
    edition: str = "learner",
    tell: Callable[[str], object] = print,
) -> list[Outcome]:
    """Execute lessons with ``parameters``; a lesson that fails does not stop the others.

    Parameters
    ----------
    wanted : names or numbers; all lessons when there are none
    parameters : of every lesson, checked before the first one runs; a ``task`` that is a path is made absolute
    out : folder for the executed notebooks, kept also of a lesson that failed; None keeps nothing
    edition : ``"learner"`` or ``"solution"``
    tell : called with a line before and after each lesson
    """
    lessons = chosen_lessons(wanted)
    if not lessons:
        raise UserError("there are no lessons here; install the package anew with pip.")
    parameters = _rooted(parameters)
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, f"{name}.ipynb") for name in lessons}
        for name, path in lessons.items():
            write_notebook(EDITIONS[edition](read_source(path)), files[name])
            checked_parameters(files[name], parameters)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        for place, (name, file) in enumerate(files.items(), 1):
            tell(f"{name} ({place} of {len(files)})")
            made = Path(folder, f"{name}.out.ipynb")
            outcomes.append(_outcome(name, file, made, parameters, Path(folder)))
            if out is not None and made.is_file():
                (out / f"{name}.ipynb").write_bytes(made.read_bytes())
            tell(outcomes[-1].line)
    return outcomes


def _outcome(name: str, file: Path, made: Path, parameters: dict, cwd: Path) -> Outcome:
    try:
        return Outcome(name, execute(file, made, parameters, cwd=cwd))
    except (NotebookError, UserError) as error:
        return Outcome(name, None, str(error))


def _rooted(parameters: dict) -> dict:
    task = parameters.get("task")
    if isinstance(task, str) and Path(task).expanduser().exists():
        return {**parameters, "task": str(Path(task).expanduser().resolve())}
    return parameters
