"""Adaptation on arrays, measured in small: every number of a run reaches the table, and the table its page."""

import json

from benchmarks import adaptation
from transferlab.course.marked_table import END, begin


def test_a_small_run_is_kept_and_put_into_the_readme(tmp_path, monkeypatch, capsys):
    file, page = tmp_path / "runs.json", tmp_path / "README.md"
    assert adaptation.main(["--quick", "--rows", "CORAL", "DensityRatio", "--json", str(file)]) == 0
    results = json.loads(file.read_text())
    ours = [run for run in results["runs"] if run["tool"] == adaptation.OURS]
    assert {(run["row"], run["samples"]) for run in ours} == {
        (row, n) for row in ("CORAL", "DensityRatio") for n in (300, 3000)
    }
    assert all(run["peak"] > run["imports"] > 0 and run["seconds"]["wall"] > 0 for run in ours)
    page.write_text(f"before\n{begin(adaptation.TABLE)}\n{END}\nafter\n")
    monkeypatch.setattr(adaptation, "README", page)
    assert adaptation.main(["--table", str(file)]) == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    assert f"| {ours[0]['peak']:.0f}" in text or f"transferlab {ours[0]['peak']:.0f}" in text
    assert results["date"] in text and "scikit-learn" in text


def test_the_readme_has_a_place_for_it_and_a_bad_file_is_one_line(tmp_path, capsys):
    assert adaptation.README.read_text(encoding="utf-8").count(begin(adaptation.TABLE)) == 1
    for text in ("{", "{}", "[]", None):
        file = tmp_path / f"{text}.json"
        if text:
            file.write_text(text)
        assert adaptation.main(["--table", str(file)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4 and all(line.startswith("benchmarks.adaptation: ") for line in lines)
