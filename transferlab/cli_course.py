"""``transferlab course``: what learners, teachers and authors of lessons do with them."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

course_app = typer.Typer(help="Run and check the lessons, and see what is done.", no_args_is_help=True)


class ProfileName(StrEnum):
    """How much a run does."""

    smoke = "smoke"
    lesson = "lesson"
    report = "report"


@contextmanager
def interruptible(left: str = "nothing was written"):
    """Ctrl-C, and the polite ways to end a process, clean up and say what is left."""

    def stop(number, frame):
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", None)):
        if number is not None:
            signal.signal(number, stop)
    try:
        yield
    except KeyboardInterrupt:
        print(f"transferlab: interrupted; {left}.", file=sys.stderr)
        raise typer.Exit(130) from None


@course_app.command("build")
def course_build(
    lessons: Annotated[list[str] | None, typer.Argument(help="Numbers or names; all when left out.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is out of step.")] = False,
) -> None:
    """Make the notebooks of lessons from their sources, executed; for those who write lessons."""
    from transferlab.course.build import build, out_of_step

    if not check:
        with interruptible("lessons that were done are kept"):
            build(lessons or [])
        return
    found = out_of_step(lessons or [])
    for name, problems in found.items():
        print(f"{name}: {'; '.join(problems)}. Run: transferlab course build {name[:2]}", file=sys.stderr)
    if found:
        raise typer.Exit(1)
    print("All lessons are in step with their sources.")


@course_app.command("run")
def course_run(  # noqa: PLR0917
    lessons: Annotated[list[str] | None, typer.Argument(help="Numbers or names; all when left out.")] = None,
    profile: Annotated[ProfileName, typer.Option(help="How much to do.")] = ProfileName.lesson,
    out: Annotated[Path | None, typer.Option(help="Folder for the executed notebooks.")] = None,
    solutions: Annotated[bool, typer.Option("--solutions", help="With the exercises solved.")] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="task, backbone, device or seed of the lessons."),
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Put what it took into the README's table.")
    ] = False,
) -> None:
    """Run lessons from top to bottom and print wall time and peak memory of each.

    In a checkout, --profile report without other parameters also renews the released claims.
    """
    from transferlab.course.measured import record_measured
    from transferlab.course.parameters import parse_pairs
    from transferlab.course.run import run_lessons

    with interruptible("lessons that were done are kept" if out else "nothing was written"):
        outcomes = run_lessons(
            lessons or [],
            {"profile": str(profile), **parse_pairs(parameter or [])},
            out=out,
            edition="solution" if solutions else "learner",
            tell=lambda line: print(line, file=sys.stderr, flush=True),
        )
    for outcome in outcomes:
        print(outcome.line)
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(1)
    if record:
        record_measured(str(profile), outcomes)


@course_app.command("progress")
def course_progress(
    folder: Annotated[Path, typer.Argument(help="Where your lessons are.")] = Path("transferlab-lessons"),
) -> None:
    """Show which exercises and quizzes are done; the file stays in your folder."""
    from transferlab.course.achievements import progress_lines

    for line in progress_lines(folder):
        print(line)


@course_app.command("claims")
def course_claims(
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is out of date or not shown.")
    ] = False,
) -> None:
    """Print every claim of the lessons with its evidence."""
    from transferlab.course.released import claim_lines, claim_problems

    for line in [] if check else claim_lines():
        print(line)
    problems = claim_problems()
    for line in problems:
        print(line, file=sys.stderr)
    if problems:
        raise typer.Exit(1)


@course_app.command("grid")
def course_grid(
    names: Annotated[
        list[str] | None, typer.Argument(help="Such as 08_truth; those stored when left out.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is out of date.")] = False,
) -> None:
    """Compute stored results anew; for those who write lessons."""
    from transferlab.course.grids import grid_names, grid_problems, make_grid

    if not check:
        with interruptible("grids that were done are kept"):
            for name in names or grid_names():
                print(make_grid(name, lambda line: print(line, file=sys.stderr, flush=True)))
        return
    problems = grid_problems()
    for line in problems:
        print(line, file=sys.stderr)
    if problems:
        raise typer.Exit(1)


@course_app.command("check")
def course_check(
    folder: Annotated[Path, typer.Argument(help="Where the lessons are to lie.")] = Path(
        "transferlab-lessons"
    ),
) -> None:
    """Say whether this machine is ready for the lessons, part by part; before a workshop."""
    from transferlab.course.laptop import check_laptop

    if not check_laptop(folder):
        raise typer.Exit(1)
    print("Ready.")
