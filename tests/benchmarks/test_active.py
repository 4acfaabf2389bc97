"""Choosing images, measured in small: tools solve one problem, numbers reach the table, and the table its page."""

import json
import re
from importlib.util import find_spec
from itertools import takewhile

import numpy as np
import pytest

from benchmarks import active
from benchmarks.tools.queries import MODAL, PEER, ROWS, made_problem, potential
from transferlab.active import STRATEGIES, query
from transferlab.course.marked_table import END, begin


def test_every_strategy_is_measured():
    assert set(ROWS) == set(STRATEGIES)
    assert all(next(iter(tools)) == active.OURS for _, tools in ROWS.values())


def test_a_small_run_is_kept_and_put_into_the_readme(tmp_path, monkeypatch, capsys):
    file, page = tmp_path / "runs.json", tmp_path / "README.md"
    assert active.main(["--quick", "--rows", "k-centre", "--sizes", "100", "--json", str(file)]) == 0
    results = json.loads(file.read_text())
    (large,) = (run for run in results["runs"] if run["tool"] == active.OURS and run["size"] == 1000)
    assert large["peak"] >= large["imports"] > 0 and large["seconds"]["wall"] > 0
    problem = made_problem(1000, 16, 5, 10, 10)
    wanted = query("k-centre", features=problem.features, labelled=problem.labelled, n=10)
    assert large["picks"] == wanted.tolist()
    for run in results["runs"]:
        module = {PEER: "skactiveml", MODAL: "modAL", active.OURS: "transferlab"}[run["tool"]]
        assert run.get("missing") == (None if find_spec(module) else "not installed")
    page.write_text(f"before\n{begin(active.TABLE)}\n{END}\nafter\n")
    monkeypatch.setattr(active, "README", page)
    assert active.main(["--table", str(file)]) == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    assert f"| k-centre | {large['seconds']['wall']:.1f} | {large['peak']:.0f} |" in text
    assert results["date"] in text and "scikit-activeml" in text


def made_run(tool, size, seed=0, seconds=1.0, **more):
    return {
        "row": "badge", "tool": tool, "size": size, "seed": seed, "seconds": {"wall": seconds, "processor": 9.0},
        "peak": 1000.0, "imports": 500.0, "inputs": 10.0, "picks": [seed + 2, 1], "potential": 2.0,
    } | more  # fmt: skip


def made_results(runs):
    shape = {"features": 8, "classes": 3, "labelled": 2, "n": 2}
    machine = {"processor": "x", "threads": 2, "memory": 4000}
    settings = {"date": "2026-01-01", "versions": {"numpy": "2"}, "clock": "wall", "limit": 60, "large": 9000}
    return {"runs": runs, "shape": shape, "machine": machine} | settings


def test_tools_are_compared_at_the_largest_pool_that_the_other_finished():
    runs = [
        made_run(PEER, 100, seconds=0.1),
        *(made_run(PEER, 200, seed, seconds=50.0 + seed, potential=3.0, peak=3000.0) for seed in range(3)),
        {"row": "badge", "tool": PEER, "size": 300, "seed": 0, "missing": "out of memory"},
        *(made_run(active.OURS, 200, seed, seconds=0.5, potential=2.0) for seed in range(3)),
        made_run(active.OURS, 9000, seconds=4.0),
    ]
    text = active.tables(made_results(runs))
    (beside,) = (line for line in text.splitlines() if line.startswith(f"| badge | {PEER}"))
    cells = [cell.strip() for cell in beside.strip("|").split("|")]
    assert cells[2:] == [
        "200", "out of memory", "51.00", "0.500", "102.0", "50", "2 of 2, in order",
        "1.500 (1.50 to 1.50, 3 seeds)", "3000", "1000",
    ]  # fmt: skip
    assert "| badge | 4.0 | 1000 | 510 | 2048 |" in text


@pytest.mark.parametrize("why", ["not installed", "more than 60 s"])
def test_a_tool_that_finished_nothing_is_named(why):
    runs = [{"row": "badge", "tool": PEER, "size": 100, "seed": 0, "missing": why}]
    runs += [made_run(active.OURS, 9000) | {"missing": "out of memory"}]
    text = active.tables(made_results(runs))
    assert f"| badge | {PEER} | none | {why} |" in text
    assert "| badge | out of memory |" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("| badge | scikit")}
    assert widths == {13}


def test_the_readme_has_a_place_for_it_and_a_bad_file_is_one_line(tmp_path, capsys):
    assert active.README.read_text(encoding="utf-8").count(begin(active.TABLE)) == 1
    for text in ("{", "{}", "[]", None):
        file = tmp_path / f"{text}.json"
        if text:
            file.write_text(text)
        assert active.main(["--table", str(file)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4 and all(line.startswith("benchmarks.active: ") for line in lines)


@pytest.mark.parametrize(
    "row, tool", [(row, tool) for row, (_, tools) in ROWS.items() for tool in list(tools)[1:]]
)
def test_other_tools_get_the_same_problem(row, tool):
    run = ROWS[row][1][tool]
    module = run.needs[0].split(".")[0]
    pytest.importorskip(module, reason=f"{module} is part of the bench-active extra")
    problem = made_problem(120, 8, 4, 6, 5)
    picks, ours = run(problem, 0), ROWS[row][1][active.OURS](problem, 0)
    assert len(set(picks.tolist())) == 5 and not set(picks.tolist()) & set(problem.labelled.tolist())
    if row == "k-centre":
        assert picks.tolist() == ours.tolist()
    if row == "margin":
        assert set(picks.tolist()) == set(ours.tolist())


def test_the_potential_is_that_of_the_gradients():
    problem = made_problem(40, 5, 3, 4, 6)
    picks = query(
        "badge",
        features=problem.features,
        probabilities=problem.probabilities,
        labelled=problem.labelled,
        n=6,
    )
    p = problem.probabilities.astype(float)
    g = np.einsum("nk,nd->nkd", p - np.eye(3)[p.argmax(1)], problem.features).reshape(40, -1)
    wanted = np.mean([min(((g[i] - g[j]) ** 2).sum() for j in picks) for i in problem.free])
    assert potential(problem, picks) == pytest.approx(wanted, rel=1e-4)
    assert potential(problem, picks[:2]) > wanted


def stored_rows(title):
    """Rows of the stored table whose header starts so, as column name to text."""
    text = active.README.read_text(encoding="utf-8")
    text = text[text.index(begin(active.TABLE)) :]
    if "Not measured yet." in text:
        pytest.skip("the table has not been measured yet")
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(title))
    names = [cell.strip() for cell in lines[start].strip("|").split("|")]
    rows = takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    return [dict(zip(names, (c.strip() for c in row.strip("|").split("|")), strict=True)) for row in rows]


def test_the_stored_speed_potential_and_picks_are_what_is_wanted():
    rows = {(row["strategy"], row["other tool"]): row for row in stored_rows("| strategy | other tool |")}
    for name in ("badge", "k-centre"):
        row = rows[name, PEER]
        assert float(row["times as fast"]) >= float(row["wanted"])
    said = rows["badge", PEER]["its potential over ours"]
    ratio, high = re.match(r"([\d.]+) \(.* to ([\d.]+), \d+ seeds\)", said).groups()
    assert float(high) >= 1 and float(ratio) > 0.98  # both draw by chance: not told to be worse
    for tool in (PEER, MODAL):
        assert rows["k-centre", tool]["same picks"] == "100 of 100, in order"


def test_the_stored_memory_is_within_what_is_wanted():
    rows = stored_rows("| strategy | s | peak, MiB |")
    assert {row["strategy"] for row in rows} == set(STRATEGIES)
    for row in rows:
        assert float(row["peak, MiB"]) <= float(row["wanted"]) == 2048, row["strategy"]
