"""How lessons live: contract, two editions, building, validating, running, copying."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from a_lesson import LESSON
from hypothesis import given
from hypothesis import strategies as st

from transferlab.course import build as building
from transferlab.course import by_profile, chosen_profile
from transferlab.course.build import executed, out_of_step, stripped, write_notebook
from transferlab.course.contract import contract_problems, output_problems
from transferlab.course.copies import MANIFEST, copy_lessons
from transferlab.course.editions import differences, learner_edition, read_source, solution_edition, tags
from transferlab.course.run import run_lessons
from transferlab.errors import UserError


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A checkout's folder of notebooks with one small lesson in it."""
    folder = tmp_path / "notebooks"
    (folder / "source").mkdir(parents=True)
    (folder / "source" / "99_a_lesson.py").write_text(LESSON)
    for module in ("transferlab.course.lessons", "transferlab.course.build", "transferlab.course.copies"):
        monkeypatch.setattr(f"{module}.notebook_folder", lambda: folder)
    monkeypatch.delenv("TRANSFERLAB_PROFILE", raising=False)
    return folder


def source_of(text, tmp_path):
    path = tmp_path / "99_x.py"
    path.write_text(text)
    return read_source(path)


def test_a_good_lesson_keeps_the_contract(tmp_path):
    assert contract_problems(source_of(LESSON, tmp_path)) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seed: int = 0", "seed: int = 2 * 3", "no literal"),
        ("seed: int = 0", "seeds: int = 0", "the parameters are"),
        ("seed: int = 0", "seed = 0", "more than annotated names"),
        ('tags=["parameters"]', 'tags=["x"]', "0 cells tagged parameters"),
        ('tags=["solution"]', 'tags=["x"]', "not followed by its solution"),
        ('tags=["exercise"]', 'tags=["x"]', "follows no exercise"),
        ('print("plain")', "print(answer)", "uses 'answer', which an exercise binds"),
        ('print("plain")', 'answer = [answer for _ in "ab"]', "uses 'answer'"),
        ('print("plain")', "answer += 1", "uses 'answer'"),
        ('print("plain")', "print('plain'", "is no Python"),
        ('print("three")', "\n".join(f"print({i})" for i in range(26)), "26 lines"),
        ('tags=["nbval-check-output"]\nprint("four")', '\nprint("four")', "4 cells are tagged"),
        ('jupyter={"source_hidden": true} ', "", "not folded"),
        ("transferlab course run", "run", "own folder"),
    ],
)
def test_each_broken_promise_is_named(tmp_path, old, new, says):
    assert old in LESSON
    problems = contract_problems(source_of(LESSON.replace(old, new), tmp_path))
    assert any(says in p for p in problems), problems


def test_an_answer_bound_anew_may_be_used(tmp_path):
    text = LESSON.replace('print("plain")', "answer = 3\nprint(answer)")
    assert contract_problems(source_of(text, tmp_path)) == []


def test_editions_differ_in_the_exercise_alone(tmp_path):
    source = source_of(LESSON, tmp_path)
    learner, solution = learner_edition(source), solution_edition(source)
    assert not any("solution" in tags(c) for c in learner.cells)
    assert not any("exercise" in tags(c) for c in solution.cells)
    assert len(learner.cells) == len(solution.cells)
    assert sum(a.source != b.source for a, b in zip(learner.cells, solution.cells, strict=True)) == 1
    nbformat.validate(learner)
    assert [c.id for c in learner_edition(source_of(LESSON, tmp_path)).cells] == [c.id for c in learner.cells]


@given(st.integers(0, 8), st.sampled_from(["source", "tags", "kind"]))
def test_any_changed_cell_is_out_of_step(place, what):
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        one, other = (learner_edition(source_of(LESSON, Path(folder))) for _ in range(2))
    assert differences(one, other) == []
    cell = other.cells[place]
    if what == "source":
        cell.source += " "
    elif what == "tags":
        cell.metadata = {"tags": [*tags(cell), "new"]}
    else:
        cell.cell_type = "raw"
    assert differences(one, other) == [f"cell {place + 1} differs in its {what}"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The small lesson, executed once."""
    folder = tmp_path_factory.mktemp("built")
    notebook, spent = executed(learner_edition(source_of(LESSON, folder)))
    write_notebook(notebook, folder / "99_a_lesson.ipynb")
    assert spent.peak_bytes > 10 * 2**20
    return folder / "99_a_lesson.ipynb"


def test_building_keeps_outputs_and_counts_and_drops_the_rest(built):
    notebook = nbformat.read(built, as_version=4)
    nbformat.validate(notebook)
    assert output_problems(notebook) == []
    text = built.read_text()
    assert "LESSON 0" in text
    assert "papermill" not in text and 'execution"' not in text and "version" not in text
    assert stripped(notebook) == nbformat.read(built, as_version=4)


def validate(path, folder):
    """Run nbval as continuous integration does."""
    options = ["--nbval-lax", "--nbval-cell-timeout=120", "-q", "-p", "no:cacheprovider"]
    # whoever runs these tests may show other lines of a summary than are counted here
    env = {**os.environ, "TRANSFERLAB_PROFILE": "smoke", "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, path],
        cwd=folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_validation_passes_in_another_profile_and_falls_with_one_false_output(built, tmp_path):
    good = tmp_path / "good.ipynb"
    good.write_text(built.read_text())
    done = validate(good, tmp_path)
    assert done.returncode == 0, done.stdout
    notebook = nbformat.read(built, as_version=4)
    false = next(c for c in notebook.cells if c.get("source") == "print(2 + 2)")
    false.outputs[0].text = "5\n"
    nbformat.write(notebook, tmp_path / "bad.ipynb")
    done = validate(tmp_path / "bad.ipynb", tmp_path)
    assert done.returncode == 1
    assert done.stdout.count("FAILED") == 1
    assert "1 failed" in done.stdout
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert re.findall(r"FAILED bad.ipynb::Cell (\d+)", done.stdout) == [str(code.index(false))]


def test_build_writes_both_editions_and_check_finds_what_changed(course):
    assert out_of_step([]) == {"99_a_lesson": ["it was never built"]}
    said = []
    building.build(["99"], said.append)
    assert (course / "99_a_lesson.ipynb").is_file() and (course / "solutions" / "99_a_lesson.ipynb").is_file()
    assert out_of_step([]) == {}
    source = course / "source" / "99_a_lesson.py"
    source.write_text(LESSON.replace("three", "drei"))
    assert out_of_step([]) == {"99_a_lesson": ["cell 6 differs in its source"]}
    source.write_text(LESSON.replace("seed: int = 0", "seed: int = len('')"))
    before = (course / "99_a_lesson.ipynb").read_bytes()
    with pytest.raises(UserError, match="breaks its contract"):
        building.build([])
    assert (course / "99_a_lesson.ipynb").read_bytes() == before
    source.write_text(LESSON.replace('print("four")', "1 / 0"))
    with pytest.raises(UserError, match=r"99_a_lesson was not built: .*1 / 0.*ZeroDivisionError"):
        building.build([], said.append)
    assert (course / "99_a_lesson.ipynb").read_bytes() == before


def test_an_installed_package_builds_nothing(course, monkeypatch):
    inside = course.rename(course.parent / "_notebooks")
    for module in ("lessons", "build"):
        monkeypatch.setattr(f"transferlab.course.{module}.notebook_folder", lambda: inside)
    with pytest.raises(UserError, match="in a checkout"):
        building.build([])


def test_counts_are_needed_for_validation_to_compare_anything(built):
    notebook = nbformat.read(built, as_version=4)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    code[1].execution_count = None
    code[3].outputs = []
    assert len(output_problems(notebook)) == 2


def test_running_takes_parameters_and_a_failure_stops_no_other_lesson(course, tmp_path):
    (course / "source" / "98_bad.py").write_text(
        LESSON.replace('print("four")', 'raise ValueError("no four")')
    )
    outcomes = run_lessons([], {"profile": "smoke", "seed": 7}, out=tmp_path / "out", tell=lambda line: None)
    assert [o.lesson for o in outcomes] == ["98_bad", "99_a_lesson"]
    assert "no four" in outcomes[0].failed and "raise ValueError" in outcomes[0].failed
    assert outcomes[1].spent.seconds > 0 and not outcomes[1].failed
    assert "SMOKE 7" in (tmp_path / "out" / "99_a_lesson.ipynb").read_text()
    assert (tmp_path / "out" / "98_bad.ipynb").is_file()


def test_the_solution_edition_runs_too(course, tmp_path):
    [outcome] = run_lessons(["99"], {}, out=tmp_path / "out", edition="solution", tell=lambda line: None)
    assert not outcome.failed
    assert "solved 42" in (tmp_path / "out" / "99_a_lesson.ipynb").read_text()


def test_a_dead_kernel_is_one_sentence(course):
    source = course / "source" / "99_a_lesson.py"
    source.write_text(LESSON.replace('print("four")', "import os; os._exit(9)"))
    [outcome] = run_lessons([], {}, tell=lambda line: None)
    assert outcome.failed.startswith("the kernel died")


def test_a_folder_is_meant_from_where_the_caller_is(course, tmp_path, monkeypatch):
    source = course / "source" / "99_a_lesson.py"
    source.write_text(LESSON.replace('print("four")', "print(f'TASK {task}')"))
    monkeypatch.chdir(tmp_path)
    for place, (task, meant) in enumerate({"mine": str(tmp_path / "mine"), "digits": "digits"}.items()):
        (tmp_path / task).mkdir()  # a bundled name stays one, as everywhere
        run_lessons([], {"task": task}, out=tmp_path / str(place), tell=lambda line: None)
        assert f"TASK {meant}\\n" in (tmp_path / str(place) / "99_a_lesson.ipynb").read_text()


def test_no_file_is_written_over(course, tmp_path):
    (tmp_path / "99_a_lesson.ipynb").write_text("my work")
    for out, says in ((tmp_path, "already holds"), (tmp_path / "99_a_lesson.ipynb", "not a folder")):
        with pytest.raises(UserError, match=says):
            run_lessons([], {}, out=out, tell=lambda line: pytest.fail("something ran"))
    assert (tmp_path / "99_a_lesson.ipynb").read_text() == "my work"


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_ctrl_c_ends_the_command_and_its_kernel(tmp_path):
    command = [sys.executable, "-m", "transferlab", "course", "run", "01", "--profile", "smoke"]
    running = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert "(1 of 1)" in running.stderr.readline()
    while not (kernels := psutil.Process(running.pid).children()) and running.poll() is None:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, said = running.communicate(timeout=120)
    assert running.returncode == 130 and not out
    assert said.strip().splitlines()[-1] == "transferlab: interrupted; nothing was written."
    assert kernels and not any(k.is_running() and k.status() != psutil.STATUS_ZOMBIE for k in kernels)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["77"], "no lesson '77'; choose from 00_setup_and_reading_a_claim"),
        (["01", "-p", "epochs=3"], "no parameter 'epochs'; use one of"),
        (["01", "-p", "profile=quick"], "profile 'quick' is not known"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, says, tmp_path):
    command = [sys.executable, "-m", "transferlab", "course", "run", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode in {1, 2}
    assert says in done.stdout + done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("lessons", "parameters", "says"),
    [
        (["77"], {}, "no lesson '77'; choose from 99_a_lesson"),
        ([], {"epochs": 3}, "no parameter 'epochs'; use one of backbone, device, profile, seed, task"),
        ([], {"seed": "x"}, "takes a whole number"),
    ],
)
def test_mistakes_are_one_sentence_before_anything_runs(course, lessons, parameters, says):
    with pytest.raises(UserError, match=says):
        run_lessons(lessons, parameters, tell=lambda line: pytest.fail("something ran"))


def test_the_environment_overrides_the_profile(monkeypatch):
    monkeypatch.setenv("TRANSFERLAB_PROFILE", "smoke")
    assert chosen_profile("report") == "smoke"
    monkeypatch.setenv("TRANSFERLAB_PROFILE", "quick")
    with pytest.raises(UserError, match="smoke, lesson, report"):
        chosen_profile("lesson")
    with pytest.raises(UserError):
        by_profile("quick", smoke=1, lesson=2, report=3)


# What may happen to a learner's copy between two calls of ``transferlab lab``.
@given(
    edited=st.booleans(),
    shipped_changed=st.booleans(),
    manifest_lost=st.booleans(),
    deleted=st.booleans(),
    twice=st.booleans(),
)
def test_nothing_that_a_learner_wrote_is_ever_lost(edited, shipped_changed, manifest_lost, deleted, twice):
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        root = Path(name)
        shipped, folder = root / "01_x.ipynb", root / "mine"
        shipped.write_text("one")
        lessons = {"01_x.ipynb": shipped}
        copy_lessons(folder, lessons)
        mine = folder / "01_x.ipynb"
        assert mine.read_text() == "one"
        if edited:
            mine.write_text("my work")
        if shipped_changed:
            shipped.write_text("two")
        if manifest_lost:
            (folder / MANIFEST).unlink()
        if deleted:
            mine.unlink()
        for _ in range(1 + twice):
            copy_lessons(folder, lessons)
        texts = [p.read_text() for p in folder.glob("*.ipynb")]
        if edited and not deleted:
            assert mine.read_text() == "my work"
        assert shipped.read_text() in texts or (edited and not shipped_changed and not manifest_lost)
        assert len(texts) <= 2


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(UserError, match="not a folder"):
        copy_lessons(tmp_path / "taken", {})
    assert (tmp_path / "taken").read_text() == "x"


def test_a_damaged_manifest_costs_nothing(tmp_path):
    shipped = tmp_path / "01_x.ipynb"
    shipped.write_text("one")
    copy_lessons(tmp_path / "mine", {"01_x.ipynb": shipped})
    (tmp_path / "mine" / "01_x.ipynb").write_text("my work")
    (tmp_path / "mine" / MANIFEST).write_text("{broken")
    copy_lessons(tmp_path / "mine", {"01_x.ipynb": shipped})
    assert (tmp_path / "mine" / "01_x.ipynb").read_text() == "my work"
    assert json.loads((tmp_path / "mine" / MANIFEST).read_text())
