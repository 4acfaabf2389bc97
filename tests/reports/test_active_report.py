"""The active report through the command line on a folder, killed on the way; what it says of known answers."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace

import jsonschema
import numpy as np
import psutil
import pytest
from PIL import Image

from transferlab.data import SealedTest
from transferlab.reports import active_study as study
from transferlab.reports import active_text as text
from transferlab.reports.active_request import Request
from transferlab.reports.active_results import active_schema

HOSTILE = "broad <b>"
ASKED = ("report", "active", "images", "--profile", "smoke", "--target", "0.6", "--fixed-cost", "frozen=7")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes of stripes, one with a hostile name, and a broken file."""
    root, rng = tmp_path_factory.mktemp("active"), np.random.default_rng(0)
    for level, name in enumerate((HOSTILE, "narrow")):
        (root / "images" / name).mkdir(parents=True)
        for i in range(30):
            wave = np.sin(np.arange(24) * (0.3 + level) + rng.uniform(0, 6))[:, None] * np.ones(24)
            pixels = 128 + 50 * wave[..., None] + rng.normal(0, 25, (24, 24, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / "images" / name / f"{i}.png")
    (root / "images" / "narrow" / "<i>broken.png").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def killed(folder, cache):
    """Cells that a run had done when it was killed with all its processes: name to time of writing."""
    env = {**os.environ, "TRANSFERLAB_CACHE": str(cache)}
    command = [sys.executable, "-m", "transferlab", *ASKED, "--out", "r"]
    process = subprocess.Popen(
        command, cwd=folder, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    while len(list((cache / "active").glob("cell-*.npz"))) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for one in family:
        one.kill()
    process.wait()
    assert not (folder / "r").exists()
    return {path.name: path.stat().st_mtime_ns for path in (cache / "active").glob("cell-*.npz")}


@pytest.fixture(scope="module")
def report(folder, killed, run):
    done = run(*ASKED, "--out", "r", cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    told = re.search(r"10 cells, (\d+) done before; about .* for the others here", done.stderr)
    assert int(told[1]) == len(killed) >= 2
    assert sum("% done, about" in line for line in done.stderr.splitlines()) == 10 - len(killed)
    return folder / "r"


@pytest.fixture(scope="module")
def content(report):
    return json.loads((report / "results.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def plan(folder, report):
    task, images = study.load_active_images(str(folder / "images"))
    return study.make_active_plan(
        task, images, Request(profile="smoke", target=0.6, fixed_costs=["frozen=7"])
    )


def test_what_was_done_before_the_kill_was_not_done_again(report, killed, cache):
    after = {path.name: path.stat().st_mtime_ns for path in (cache / "active").glob("cell-*.npz")}
    assert len(after) == 10 and all(after[name] == at for name, at in killed.items())


def test_all_parts_are_there_and_follow_the_schema(report, content, folder):
    assert {p.name for p in report.iterdir()} == {"report.html", "report.ipynb", "results.json"}
    jsonschema.validate(content, active_schema())
    assert (content["kind"], content["test_looks"]) == ("active", 1)
    rows = content["results"]
    assert len(rows) == 10 * 2 and {r["budget"] for r in rows} == {2, 4}
    assert {r["picker_features"] for r in rows} == {"none", "own", "pretrained"}
    assert {r["strategy"] for r in rows} == {"random", "margin"} and {r["seed"] for r in rows} == {0, 1}
    assert content["study"]["fixed_costs"] == {"frozen": 7.0}
    assert [q["path"] for q in content["audit"]["quarantined"]] == ["narrow/<i>broken.png"]
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<b>" not in page and "<i>" not in page
    assert "&lt;i&gt;broken.png" in page
    assert str(folder) not in page


def test_numbers_of_the_page_are_those_of_the_file(report, content):
    page = (report / "report.html").read_text(encoding="utf-8")
    chosen = content["recommendation"]
    assert chosen["advice"] in page and f"<strong>{chosen['test']['accuracy']:.1%}</strong>" in page
    own = [r for r in content["results"] if (r["arm"], r["strategy"]) == (chosen["arm"], chosen["strategy"])]
    own = [r["accuracy"] for r in own if r["budget"] == chosen["test"]["budget"]]
    assert np.mean(own) == pytest.approx(chosen["test"]["accuracy"])
    assert all(warning.split(":")[0] in page for warning in content["warnings"])
    assert any("2 seeds" in warning for warning in content["warnings"])


def test_the_schema_refuses_what_is_no_report(content):
    for key, value in (("accuracy", 64.0), ("strategy", "magic"), ("budget", -1), ("picker_features", None)):
        broken = json.loads(json.dumps(content))
        broken["results"][0][key] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, active_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "test_looks": 2}, active_schema())


def test_test_labels_do_not_move_the_recommendation(plan, content, cache, monkeypatch):
    monkeypatch.setenv("TRANSFERLAB_CACHE", str(cache))
    fits = study.run_active(plan)
    opened = study.open_active(plan, fits)
    rng = np.random.default_rng(1)
    blind = plan.images.test.image_set
    other = replace(blind, labels=rng.permutation(np.arange(len(blind)) % 2))
    moved = replace(plan, images=replace(plan.images, test=SealedTest(other, printing=False)))
    again = study.run_active(moved)
    assert text.choice(moved, again) == text.choice(plan, fits)
    assert again.choice == fits.choice and fits.choice.advice == content["recommendation"]["advice"]
    curve = fits.choice.curve
    assert not np.array_equal(study.open_active(moved, again).correct[curve], opened.correct[curve])
