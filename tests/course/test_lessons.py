"""The real lessons: in step with their sources, run in both editions, validated."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from transferlab.course.build import out_of_step
from transferlab.course.checks import exercises_of
from transferlab.course.editions import EDITIONS
from transferlab.course.lessons import lesson_sources
from transferlab.course.progress import read_progress
from transferlab.course.released import read_claims, released_of, sign_problems
from transferlab.course.run import run_lessons
from transferlab.resources import notebook_folder

LESSONS = list(lesson_sources())


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_is_in_step_with_its_source(lesson):
    assert out_of_step([lesson]) == {}, f"run: transferlab course build {lesson[:2]}"


@pytest.mark.slow
@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_runs_in_both_editions(lesson, edition, tmp_path, monkeypatch):
    monkeypatch.delenv("TRANSFERLAB_PROFILE", raising=False)
    monkeypatch.setenv("TRANSFERLAB_CACHE", str(tmp_path / "cache"))
    progress = tmp_path / "progress.json"
    monkeypatch.setenv("TRANSFERLAB_PROGRESS", str(progress))
    [outcome] = run_lessons(
        [lesson], {"profile": "smoke"}, out=tmp_path, edition=edition, tell=lambda line: None
    )
    assert not outcome.failed
    notebook = nbformat.read(tmp_path / f"{lesson}.ipynb", as_version=4)
    assert all(c.execution_count for c in notebook.cells if c.cell_type == "code" and c.source)
    claims = tmp_path / "claims" / f"{lesson[:2]}.json"
    assert sign_problems(claims) == []
    assert set(read_claims(claims).claims) == set(released_of(lesson))
    noted = read_progress(progress).get(lesson[:2], {}).get("exercises", {})
    solved = {name: said["right"] for name, said in noted.items()}
    assert solved == (dict.fromkeys(exercises_of(lesson), True) if edition == "solution" else {})


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_is_valid_in_another_profile(lesson, tmp_path):
    """What is tagged depends on neither profile nor machine."""
    shutil.copy(notebook_folder() / f"{lesson}.ipynb", tmp_path)
    env = {**os.environ, "TRANSFERLAB_PROFILE": "smoke", "TRANSFERLAB_CACHE": str(tmp_path / "cache")}
    command = ["-m", "pytest", "--nbval-lax", "--nbval-cell-timeout=300", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, *command, f"{lesson}.ipynb"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
