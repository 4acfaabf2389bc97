"""A whole report through the command line, and what is in it."""

import csv
import io
import json
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest

from transferlab.data import load_task
from transferlab.reports.results_file import schema
from transferlab.transfer import load_model


def read(report):
    return json.loads((report / "results.json").read_text(encoding="utf-8"))


def test_report_has_all_its_parts_and_nothing_else(bundled_report):
    assert {p.name for p in bundled_report.iterdir()} == {
        "report.html",
        "report.ipynb",
        "results.json",
        "model",
    }
    assert {p.name for p in (bundled_report / "model").iterdir()} == {
        "model.safetensors",
        "model.json",
        "model.onnx",
    }
    assert not [p for p in bundled_report.parent.iterdir() if p != bundled_report]


def test_results_follow_the_schema(bundled_report, hostile_report):
    import jsonschema

    for report in (bundled_report, hostile_report):
        jsonschema.validate(read(report), schema())


def test_schema_refuses_percentages_and_unknown_methods(bundled_report):
    import jsonschema

    for key, value in (("accuracy", 64.0), ("method", "magic"), ("seeds", 0)):
        broken = read(bundled_report)
        broken["results"][0][key] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema())


def test_every_method_is_there_at_every_budget_and_the_test_was_opened_once(bundled_report):
    content = read(bundled_report)
    methods = {r["method"] for r in content["results"]}
    assert methods == {
        "pixels", "scratch", "random_frozen", "feature_extraction", "fine_tuning", "full_fine_tuning",
    }  # fmt: skip
    budgets = {r["labels_per_class"] for r in content["results"]}
    assert len(content["results"]) == len(methods) * len(budgets) and len(budgets) >= 2
    assert content["test_looks"] == 1


def test_intervals_hold_the_estimate_and_are_not_points(bundled_report):
    for row in read(bundled_report)["results"]:
        assert row["ci_low"] <= row["accuracy"] <= row["ci_high"]
        assert row["ci_high"] - row["ci_low"] > 0.01
        assert np.mean(row["per_seed"]) == pytest.approx(row["accuracy"])
        assert len(row["per_seed"]) == row["seeds"] == 2


def test_recommendation_is_one_of_the_rows_and_near_the_best_on_validation(bundled_report):
    content = read(bundled_report)
    chosen = content["recommendation"]
    keys = ("method", "backbone", "trainable_from", "labels_per_class")
    [row] = [r for r in content["results"] if all(r[k] == chosen[k] for k in keys)]
    same = [
        r["val_accuracy"] for r in content["results"] if r["labels_per_class"] == chosen["labels_per_class"]
    ]
    assert row["val_accuracy"] >= max(same) - 0.15


def test_saved_model_reaches_what_the_report_says(bundled_report):
    """Scored anew on the test: the accuracy of the first seed, exactly."""
    content, model = read(bundled_report), load_model(bundled_report / "model")
    task = load_task("materials")
    accuracy = task.test.score({"saved": model}).metrics["saved"]["accuracy"]
    chosen = content["recommendation"]
    keys = ("method", "backbone", "trainable_from", "labels_per_class")
    [row] = [r for r in content["results"] if all(r[k] == chosen[k] for k in keys)]
    assert accuracy == pytest.approx(row["per_seed"][0], abs=1 / len(task.test))


def test_notebook_holds_no_path_of_its_making(bundled_report):
    page = (bundled_report / "report.html").read_text(encoding="utf-8")
    text = (bundled_report / "report.ipynb").read_text(encoding="utf-8")
    assert str(bundled_report.parent) not in text + page
    cells = nbformat.reads(text, as_version=4).cells
    assert all(c.execution_count for c in cells if c.cell_type == "code")


def test_hostile_folder_is_audited(hostile_report):
    content = read(hostile_report)
    reasons = {q["path"].split("/")[-1]: q["reason"] for q in content["audit"]["quarantined"]}
    assert set(reasons) == {"truncated.jpg", "empty.png", "<img src=x onerror=hack()>.png", "notes.txt"}
    assert all(reasons.values())
    assert any("copy.jpg" in str(d) for d in content["audit"]["duplicates"])
    assert len(content["task"]["classes"]) == 3


def test_nothing_was_written_into_the_folder(hostile_report, hostile_folder):
    assert len(list(hostile_folder.rglob("*"))) == 3 + 3 * 16 + 5


def test_names_are_escaped_in_the_page(hostile_report):
    page = (hostile_report / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_predictions_equal_the_model_in_memory(hostile_report, hostile_folder, tmp_path, run):
    done = run("predict", hostile_report / "model", hostile_folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = {r["path"]: r for r in csv.DictReader(io.StringIO(done.stdout))}
    assert len(rows) == 3 * 16 + 1
    assert "truncated.jpg" in done.stderr
    model = load_model(hostile_report / "model")
    from transferlab.data.decode import decode

    for path in list(rows)[::7]:
        p = model.predict_proba(decode(hostile_folder / path, model.image_size).pixels[None])[0]
        assert rows[path]["label"] == model.classes[p.argmax()]
        assert float(rows[path]["probability"]) == pytest.approx(p.max(), abs=1e-4)


def test_prediction_file_is_written_whole(hostile_report, hostile_folder, tmp_path, run):
    image = hostile_folder / "ok" / "a b 2.webp"
    done = run("predict", hostile_report / "model", image, "--out", "p.csv", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]
    assert (tmp_path / "p.csv").read_text().splitlines()[0] == "path,label,probability"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_opens_offline_without_a_request_or_a_script(browser, hostile_report, bundled_report, scheme):
    for report in (hostile_report, bundled_report):
        context = browser.new_context(color_scheme=scheme, viewport={"width": 400, "height": 800})
        tried, problems = [], []

        def gate(route, tried=tried):
            if route.request.url.startswith(("file:", "data:")):
                return route.continue_()
            tried.append(route.request.url)
            return route.abort()

        context.route("**/*", gate)
        page = context.new_page()
        page.on("console", lambda m, p=problems: p.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e, p=problems: p.append(str(e)))
        page.goto((report / "report.html").as_uri())
        assert tried == problems == []
        assert page.evaluate("window.hacked") is None
        images = page.locator("figure img")
        assert images.count() >= 6
        for i in range(images.count()):
            assert images.nth(i).evaluate("i => i.complete && i.naturalWidth > 200")
            assert len(images.nth(i).get_attribute("alt")) > 10
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        light, text = (
            page.evaluate(f"getComputedStyle(document.body).{k}") for k in ("backgroundColor", "color")
        )
        brightness = [sum(map(int, c[4:-1].split(","))) for c in (light, text)]
        assert (brightness[0] > brightness[1]) == (scheme == "light")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        context.close()


def test_onnx_of_the_report_answers_as_predict_does(hostile_report, hostile_folder, tmp_path, run):
    import onnxruntime

    from transferlab.data.decode import decode

    done = run("predict", hostile_report / "model", hostile_folder, cwd=tmp_path)
    rows = {r["path"]: r for r in csv.DictReader(io.StringIO(done.stdout))}
    session = onnxruntime.InferenceSession(
        str(hostile_report / "model" / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    facts = session.get_modelmeta().custom_metadata_map
    classes = json.loads(facts["classes"])
    for path in list(rows)[::5]:
        pixels = decode(hostile_folder / path, int(facts["input_size"])).pixels[None]
        [p] = session.run(None, {"images": pixels})[0]
        assert classes[p.argmax()] == rows[path]["label"]
        assert p.max() == pytest.approx(float(rows[path]["probability"]), abs=1e-3)


def test_shortcuts_of_files_and_of_colours_are_found(hostile_report, bundled_report):
    """Its classes differ in brightness by construction; bundled images come from no files."""
    found = read(hostile_report)["close_look"]["shortcuts"]
    assert found["colour"]["accuracy"] > 0.9
    assert set(found) == {"colour", "file"}
    assert set(read(bundled_report)["close_look"]["shortcuts"]) == {"colour"}
    page = (hostile_report / "report.html").read_text(encoding="utf-8")
    assert "A network can do the same" in page


def test_close_look_is_counted_from_the_same_answers(bundled_report):
    content = read(bundled_report)
    look = content["close_look"]
    keys = ("method", "backbone", "trainable_from", "labels_per_class")
    [row] = [r for r in content["results"] if all(r[k] == content["recommendation"][k] for k in keys)]
    recalls = look["recalls"]
    assert sum(r["n"] for r in recalls) == content["task"]["n_test"]
    assert np.average([r["recall"] for r in recalls], weights=[r["n"] for r in recalls]) == pytest.approx(
        row["accuracy"]
    )
    assert look["coverage"]["surest_80_percent"] > row["accuracy"]
    assert all(g["low"] <= g["gain"] <= g["high"] for g in look["more_labels"])
    budgets = sorted({r["labels_per_class"] for r in content["results"]})
    assert [s["labels"] for s in look["labels_saved"]] == budgets


def test_report_says_how_it_was_made_and_what_to_try_next(bundled_report):
    content = read(bundled_report)
    assert content["command"].startswith("transferlab report transfer --profile smoke")
    page = (bundled_report / "report.html").read_text(encoding="utf-8")
    assert content["command"] in page
    assert "--backbone timm/resnet50" in page
    assert (bundled_report / "report.html").stat().st_size < 8e6


def test_every_figure_states_a_finding_with_n(bundled_report, hostile_report):
    for report in (bundled_report, hostile_report):
        cells = nbformat.read(report / "report.ipynb", as_version=4).cells
        titles = [
            o.metadata["image/png"]["alt"]
            for c in cells
            for o in c.get("outputs", ())
            if "image/png" in o.get("data", {})
        ]
        assert len(titles) >= 9
        assert all(re.search(r"n = |of \d+ labels", title) for title in titles), titles


def test_prediction_streams(hostile_report, tmp_path, monkeypatch):
    """No more than one chunk of pictures is decoded ahead of what was taken."""
    from PIL import Image

    from transferlab.reports import predict

    for i in range(40):
        Image.new("RGB", (20, 20), (6 * i, 0, 0)).save(tmp_path / f"{i:03d}.png")
    taken = []
    real = predict.decode_many
    monkeypatch.setattr(
        predict, "decode_many", lambda paths, *a, **k: taken.extend(paths) or real(paths, *a, **k)
    )
    stream = predict.predictions(hostile_report / "model", tmp_path, chunk=8)
    next(stream)
    assert len(taken) == 8
    assert len(list(stream)) == 39


def test_a_reader_that_stops_early_ends_predict_quietly(hostile_report, hostile_folder, tmp_path, cache):
    command = (
        f"{sys.executable} -m transferlab predict '{hostile_report / 'model'}' '{hostile_folder}' | head -n 2"
    )
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path
    )
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in done.stderr
