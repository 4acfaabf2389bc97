"""The adaptation report through the command line, on two folders of files."""

import csv
import io
import json
import re

import jsonschema
import numpy as np
import pytest
from PIL import Image

from transferlab.reports.adaptation_results import adaptation_schema


def write_pictures(folder, level, n, contrast):
    rng = np.random.default_rng([level, n])
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        wave = np.sin(np.arange(24) * (0.3 + level) + rng.uniform(0, 6))[:, None] * np.ones(24)
        pixels = 128 + contrast * wave[..., None] + rng.normal(0, 10, (24, 24, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{level}-{i}.png")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("two domains")
    for level, name in enumerate(("broad <b>", "narrow")):
        write_pictures(root / "source" / name, level, 30, 90)
        write_pictures(root / "target", level, 20, 30)
    (root / "target" / "<b>broken.jpg").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def report(folders, run):
    done = run(
        "report",
        "adaptation",
        "source",
        "target",
        "--profile",
        "smoke",
        "--seeds",
        "1",
        "--out",
        "r",
        cwd=folders,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = done.stderr.splitlines()
    assert re.search(r"4 fits, about .* on this machine", done.stderr)
    assert sum("% done, about" in line for line in told) == 4
    return folders / "r"


def test_all_parts_are_there_and_follow_the_schema(report):
    assert {p.name for p in report.iterdir()} == {"report.html", "report.ipynb", "results.json", "model"}
    content = json.loads((report / "results.json").read_text(encoding="utf-8"))
    jsonschema.validate(content, adaptation_schema())
    assert (content["kind"], content["validator"]) == ("adaptation", "information-maximization")
    assert content["oracle_accuracy"] is None and content["test_looks"] == 0
    assert [r["method"] for r in content["results"]] == ["source-only", "CORAL", "AdaBN", "SHOT"]
    assert content["audit"]["target"]["quarantined"] == [{"path": "<b>broken.jpg", "reason": "empty file"}]
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<b>" not in page
    assert "&lt;b&gt;broken.jpg" in page
    assert str(report.parent) not in page


def test_predict_reads_the_model(report, folders, run):
    done = run("predict", report / "model", folders / "target", cwd=folders)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 40 and {r["label"] for r in rows} <= {"broad <b>", "narrow"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["target", "source"], "wrong order"),
        (["source", "./source"], "one folder"),
        (["source", "nowhere"], "neither a bundled set"),
        (["printed-digits", "digits", "-p", "epochs=3"], "there is no parameter 'epochs'"),
    ],
)
def test_mistakes_end_in_one_sentence_and_leave_nothing(folders, run, arguments, says):
    before = {p.name for p in folders.iterdir()}
    done = run("report", "adaptation", *arguments, "--out", "bad", cwd=folders)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert says in done.stderr.strip().splitlines()[-1]
    assert {p.name for p in folders.iterdir()} == before
