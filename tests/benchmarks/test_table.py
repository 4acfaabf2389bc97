"""Tables say what the JSON holds, and the README keeps the rest of its text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import fine_tuning
from benchmarks.table import TABLE, ratio, stated_seconds, summary, tables, update
from transferlab.course.marked_table import END, begin
from transferlab.errors import UserError

BEGIN = begin(TABLE)


def run(row, tool, seconds, epoch_ends=(), accuracy=0.5):
    return {
        "row": row,
        "tool": tool,
        "seconds": seconds,
        "epoch_ends": list(epoch_ends),
        "processor_seconds": 2 * seconds,
        "processor_epoch_ends": [2 * end for end in epoch_ends],
        "accuracy": accuracy,
    }


@pytest.fixture
def results():
    return {
        "date": "2026-01-02",
        "machine": {"processor": "a processor", "cpus": 4, "threads": 2},
        "versions": {"torch": "2.x", "fastai": None},
        "settings": {
            "backbone": "timm/resnet18, weights drawn by seed 0",
            "images": 264,
            "test_images": 96,
            "side": 128,
            "classes": 12,
            "epochs": 25,
            "stated_epochs": 25,
            "batch_size": 32,
            "repeats": 3,
            "views": 4,
            "clock": "wall",
        },
        "wanted": {"head only": 20.0},
        "missing": {"fastai": "fastai is not installed"},
        "runs": [
            *(run("head only", "transferlab", s) for s in (1.0, 9.0, 2.0)),
            *(run("head only", "plain PyTorch", s) for s in (50.0, 40.0, 60.0)),
            *(run("head only", "Lightning", s) for s in (70.0, 44.0, 10.0)),
        ],
        "equality": {"head only": {"largest_difference": 1e-6, "agreement": 1.0, "n": 96}},
        "reuse": [{"second seed": 0.25}],
    }


def test_the_ratio_is_against_the_fastest_other_by_medians(results):
    medians = summary(results, "head only")
    assert medians["transferlab"]["seconds"] == 2.0
    assert ratio(medians) == 22.0
    assert ratio({"transferlab": {"seconds": 1.0}}) is None


@given(once=st.floats(0, 100), each=st.floats(0.01, 10), ran=st.integers(2, 30), asked=st.integers(2, 60))
def test_epochs_not_run_are_added_at_the_cost_of_one(once, each, ran, asked):
    ends = [once + each * (i + 1) for i in range(ran)]
    found = stated_seconds({"seconds": ends[-1], "epoch_ends": ends}, asked)
    assert found == pytest.approx(once + each * asked)


def test_a_fit_without_epochs_is_taken_as_it_is():
    assert stated_seconds({"seconds": 7.0, "epoch_ends": [6.0]}, 25) == 7.0


def test_processor_seconds_are_taken_and_said_when_asked(results):
    results["settings"]["clock"] = "processor"
    assert summary(results, "head only")["transferlab"]["seconds"] == 4.0
    assert "the processor spent" in tables(results)


def test_tables_hold_figures_missing_peers_and_machine(results):
    text = tables(results)
    for said in (
        "2.00",
        "50.00",
        "22.00",
        "2 of 4 cores",
        "Without fastai",
        "100% of 96",
        "0.25",
        "264 training",
    ):
        assert said in text
    assert "Only" not in text


def test_epochs_that_were_not_run_are_owned_up_to(results):
    results["settings"]["epochs"] = 3
    assert "Only 3 epochs were run" in tables(results)


def test_update_changes_nothing_outside_the_markers_and_twice_is_once(results, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    update(readme, results)
    first = readme.read_text()
    assert first.startswith(f"before\n{BEGIN}\n")
    assert first.endswith(f"\n{END}\nafter\n")
    assert "old" not in first
    update(readme, results)
    assert readme.read_text() == first


@pytest.mark.parametrize(
    "text",
    ["", f"{BEGIN}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{BEGIN}\n{END}", f"{BEGIN}\n{begin('other')}\n{END}"],
)
def test_a_readme_without_markers_is_left_alone(results, tmp_path, text):
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(UserError, match="no place for a table"):
        update(readme, results)
    assert readme.read_text() == text


def test_the_readme_here_takes_tables(results, monkeypatch, tmp_path):
    copy = tmp_path / "README.md"
    copy.write_text(fine_tuning.README.read_text(encoding="utf-8"), encoding="utf-8")
    file = tmp_path / "results.json"
    file.write_text(json.dumps(results))
    monkeypatch.setattr(fine_tuning, "README", copy)
    assert fine_tuning.main(["--table", str(file)]) == 0
    assert tables(results) in copy.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '"runs"'])
def test_a_file_that_is_no_result_ends_in_a_line(text, tmp_path, capsys):
    file = tmp_path / "results.json"
    file.write_text(text)
    assert fine_tuning.main(["--table", str(file)]) == 1
    assert fine_tuning.main(["--table", str(tmp_path / "none.json")]) == 1
    assert all(line.startswith("benchmarks.fine_tuning: ") for line in capsys.readouterr().err.splitlines())


@pytest.mark.parametrize(
    "arguments", [["--epochs", "0"], ["--repeats", "-1"], ["--rows", "nothing"], ["--threads", "x"]]
)
def test_wrong_settings_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        fine_tuning.main(arguments)
    assert refused.value.code == 2
    assert arguments[0] in capsys.readouterr().err
