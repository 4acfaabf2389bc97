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


def rows_of(title):
    """Rows of the stored table whose header starts so, as column name to text."""
    text = adaptation.README.read_text(encoding="utf-8")
    lines = text[text.index("<!-- table: adaptation -->") :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(title))
    names = [cell.strip() for cell in lines[start].strip("|").split("|")]
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append(dict(zip(names, (cell.strip() for cell in line.strip("|").split("|")), strict=True)))
    return found


def test_the_stored_seconds_are_within_what_is_wanted():
    rows = rows_of("| method | transferlab, s |")
    assert len(rows) == 6
    for row in rows:
        assert float(row["transferlab, s"].split()[0]) <= float(row["wanted, s"]), row["method"]


def test_the_stored_memory_is_within_what_is_wanted():
    rows = rows_of("| method | s | of it final classifier")
    assert len(rows) == 6
    for row in rows:
        assert float(row["peak, MiB"]) <= float(row["wanted"]) == 2048, row["method"]
