"""Run lessons one after the other, each in a kernel of its own, and say what they took."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from transferlab.course.build import write_notebook
from transferlab.course.editions import EDITIONS, read_source
from transferlab.course.execute import NotebookError, Spent, execute
from transferlab.course.lessons import chosen_lessons
from transferlab.course.parameters import checked_parameters
from transferlab.course.released import FOLDER, is_checkout, read_claims, release, write_claims
from transferlab.data.bundled import BUNDLED
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
    out : folder for the executed notebooks, kept also of a lesson that failed, and never put over a file
        that is there; None keeps nothing
    edition : ``"learner"`` or ``"solution"``
    tell : called with a line before each lesson

    Raises
    ------
    UserError
        before anything runs: for an unknown lesson or parameter, or an ``out`` where a file is in the way.
    """
    lessons = chosen_lessons(wanted)
    if not lessons:
        raise UserError("there are no lessons here; install the package anew with pip.")
    _check_out(out, lessons)
    parameters = _rooted(parameters)
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, f"{name}.ipynb") for name in lessons}
        for name, path in lessons.items():
            write_notebook(EDITIONS[edition](read_source(path)), files[name])
            checked_parameters(files[name], parameters)
        for place, (name, file) in enumerate(files.items(), 1):
            tell(f"{name} ({place} of {len(files)})")
            made = Path(folder, f"{name}.out.ipynb")
            outcome = _outcome(name, file, made, parameters, Path(folder))
            outcomes.append(outcome)
            if out is not None and made.is_file():
                write_notebook(nbformat.read(made, as_version=4), out / f"{name}.ipynb")
            _keep_claims(Path(folder) / FOLDER / f"{name[:2]}.json", out, outcome, parameters)
    return outcomes


def _keep_claims(written: Path, out: Path | None, outcome: Outcome, parameters: dict) -> None:
    """Claims go beside the notebook that made them; those of a whole ``report`` run are released."""
    if not written.is_file():
        return
    claims = read_claims(written)
    if out is not None:
        write_claims(out / FOLDER / written.name, claims)
    if set(parameters) == {"profile"} and claims.profile == "report" and not outcome.failed and is_checkout():
        release(claims)


def _outcome(name: str, file: Path, made: Path, parameters: dict, cwd: Path) -> Outcome:
    try:
        return Outcome(name, execute(file, made, parameters, cwd=cwd))
    except (NotebookError, UserError) as error:
        return Outcome(name, None, str(error))


def _check_out(out: Path | None, lessons) -> None:
    if out is None:
        return
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {str(out)!r} is not a folder; name a new one.")
    there = [name for name in lessons if (out / f"{name}.ipynb").exists()]
    if there:
        raise UserError(f"--out {str(out)!r} already holds {there[0]}.ipynb; name a new or empty folder.")


def _rooted(parameters: dict) -> dict:
    """Lessons run elsewhere than the caller, whose folders may have names relative to where they are."""
    task = parameters.get("task")
    if isinstance(task, str) and task not in BUNDLED and Path(task).expanduser().exists():
        return {**parameters, "task": str(Path(task).expanduser().resolve())}
    return parameters
