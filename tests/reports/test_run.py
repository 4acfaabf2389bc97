"""Parameters and output folders are checked before anything runs; mistakes end in one sentence."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferlab.course.parameters import parse_pairs
from transferlab.errors import UserError
from transferlab.reports.profiles import PROFILES, get_profile, label_budgets
from transferlab.reports.run import check_out


def one_sentence(done):
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return lines[-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-folder"], "materials"),
        (["digits", "-p", "epochs=3"], "there is no parameter 'epochs'; use one of"),
        (["digits", "-p", "seeds=many"], "parameter seeds takes a whole number, not 'many'"),
        (["digits", "-p", "seeds=True"], "takes a whole number"),
        (["digits", "-p", "seeds"], "NAME=VALUE"),
        (["digits", "--labels-per-class", "5000"], "between 1 and"),
        (["digits", "--backbone", "nonsense"], "no backbone 'nonsense'"),
        (["torchvision/Flowers102", "--mirror", "."], "digits"),
    ],
)
def test_mistakes_end_in_one_sentence_and_leave_nothing(tmp_path, run, arguments, says):
    done = run("report", "transfer", *arguments, "--profile", "smoke", cwd=tmp_path)
    assert says in one_sentence(done)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("images", "says"),
    [("file", "is a file"), ("one", "images of one class only"), ("empty", "holds no images")],
)
def test_bad_folders_end_in_one_sentence(tmp_path, run, images, says):
    folder = tmp_path / "in" / images
    if images == "file":
        folder.parent.mkdir()
        folder.write_text("x")
    else:
        (folder / "only").mkdir(parents=True)
    if images == "one":
        from PIL import Image

        for i in range(4):
            Image.new("RGB", (20, 20), (i * 50, 0, 0)).save(folder / "only" / f"{i}.png")
    done = run("report", "transfer", folder, "--out", "r", cwd=tmp_path)
    assert says in one_sentence(done)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_out_with_something_else_in_it_is_left_alone(tmp_path, run):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "thesis.txt").write_text("mine")
    done = run("report", "transfer", "--out", "r", cwd=tmp_path)
    assert "holds files that are no report" in one_sentence(done)
    assert (tmp_path / "r" / "thesis.txt").read_text() == "mine"


def test_out_may_be_absent_empty_or_an_earlier_report(tmp_path, bundled_report):
    check_out(tmp_path / "absent")
    check_out(tmp_path)
    earlier = shutil.copytree(bundled_report, tmp_path / "earlier")
    check_out(earlier)
    (earlier / "notes.md").write_text("mine")
    with pytest.raises(UserError, match="no report"):
        check_out(earlier)
    (tmp_path / "pretender").mkdir()
    (tmp_path / "pretender" / "results.json").write_text(json.dumps([1]))
    with pytest.raises(UserError, match="no report"):
        check_out(tmp_path / "pretender")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="not a folder"):
        check_out(tmp_path / "file")


def test_pairs_keep_text_with_equal_signs():
    assert parse_pairs(["group_regex=a=(b)", "task=01"]) == {"group_regex": "a=(b)", "task": "01"}


@given(st.sampled_from(sorted(PROFILES)), st.integers(1, 3000))
def test_budgets_ascend_and_never_exceed_what_there_is(name, available):
    budgets = label_budgets(PROFILES[name], available, [])
    numbers = [available if k is None else k for k in budgets]
    assert numbers == sorted(set(numbers))
    assert max(numbers) <= available
    assert None not in budgets[:-1]


def test_asked_budgets_are_checked():
    with pytest.raises(UserError, match="between 1 and 40"):
        label_budgets(PROFILES["smoke"], 40, [5, 41])
    with pytest.raises(UserError, match="smoke"):
        get_profile("fast")


def test_doctor_and_models_answer(tmp_path, run):
    doctor = run("doctor", cwd=tmp_path)
    assert doctor.returncode == 0
    assert len(doctor.stdout.strip().splitlines()) == 10
    models = run("models", "list", cwd=tmp_path)
    assert models.returncode == 0
    assert "tiny " in models.stdout and "ImageNet" in models.stdout


def test_predict_without_a_model_or_images_ends_in_one_sentence(tmp_path, run, bundled_report):
    done = run("predict", tmp_path, tmp_path, cwd=tmp_path)
    assert "model.safetensors" in one_sentence(done)
    done = run("predict", bundled_report / "model", tmp_path, "--out", "p.csv", cwd=tmp_path)
    assert "no image that can be read" in one_sentence(done)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_report_leaves_everything_as_it_was(tmp_path, cache, bundled_report, ending):
    """A real process, stopped in the middle of its work, over an earlier report."""
    out = shutil.copytree(bundled_report, tmp_path / "r")
    before = {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}
    command = [sys.executable, "-m", "transferlab", "report", "transfer", "--profile", "report", "--out", "r"]
    env = {**os.environ, "TRANSFERLAB_CACHE": str(cache)}
    job = subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    seen = []
    for line in job.stderr:
        seen.append(line)
        if "% done" in line:
            break
    else:
        pytest.fail("".join(seen))
    job.send_signal(ending)
    _, rest = job.communicate(timeout=120)
    assert job.returncode == 130
    assert rest.strip().splitlines()[-1] == "transferlab: interrupted; nothing was written."
    assert "Traceback" not in rest
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["r"]
