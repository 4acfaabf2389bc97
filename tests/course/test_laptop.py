"""The check of a laptop: ready here, and each thing that may lack is found and told how to mend."""

import re
from collections import namedtuple
from contextlib import nullcontext
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from transferlab.cli_course import course_check
from transferlab.course import laptop
from transferlab.course.laptop import CHECKS, NotReady, laptop_findings
from transferlab.errors import UserError

Usage = namedtuple("Usage", "total used free")


def looked(name, folder):
    [finding] = laptop_findings(folder, {name: CHECKS[name]})
    return finding


@pytest.mark.parametrize(
    "name", ["python", "packages", "jupyterlab", "kernel", "widgets", "lessons", "networks"]
)
def test_this_machine_is_ready(name, tmp_path):
    finding = looked(name, tmp_path / "lessons")
    assert finding.ok, finding.line
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_the_pace_tells_minutes_of_measured_lessons(tmp_path, monkeypatch):
    slow = {"lesson": {"seconds": 600}}
    monkeypatch.setattr(
        laptop, "read_measured", lambda folder: {"05_x": slow, "04_y": {"smoke": {"seconds": 9}}}
    )
    monkeypatch.setattr(laptop, "_REFERENCE_SECONDS", 1e9)
    assert re.search(r"minutes to run each lesson: 05 1$", looked("pace", tmp_path).line), (
        "never less than one"
    )
    monkeypatch.setattr(laptop, "read_measured", lambda folder: {})
    assert "minutes" not in looked("pace", tmp_path).line


def test_a_package_that_is_missing_or_old_is_named(tmp_path, monkeypatch):
    def installed(name):
        if name == "ipywidgets":
            raise PackageNotFoundError(name)
        return "0.9.1" if name == "numpy" else "999.0"

    monkeypatch.setattr(laptop, "version", installed)
    finding = looked("packages", tmp_path)
    assert not finding.ok
    assert "ipywidgets is missing" in finding.found and "numpy 0.9.1 is older than 2.0" in finding.found
    assert "torch" not in finding.found and "pip install" in finding.remedy


@pytest.mark.parametrize(
    ("requirement", "found", "says"),
    [
        ("torch>=2.11", "2.9.1", "older"),
        ("torch>=2.11", "2.11.0+cpu", ""),
        ("numpy>=2.0", "2.0.0rc1", ""),
        ("scipy", "0.1", ""),
    ],
)
def test_versions_are_compared_as_numbers(monkeypatch, requirement, found, says):
    monkeypatch.setattr(laptop, "version", lambda name: found)
    assert bool(says) == bool(laptop._lacking(requirement))
    assert says in laptop._lacking(requirement)


def test_too_little_room_is_told_in_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(laptop.shutil, "disk_usage", lambda place: Usage(10**10, 0, 10**9))
    monkeypatch.setattr(laptop.psutil, "virtual_memory", lambda: SimpleNamespace(available=2**29))
    disk, memory = looked("disk", tmp_path / "not" / "there"), looked("memory", tmp_path)
    assert not disk.ok and "1.0 GB free" in disk.found and "2 GB" in disk.remedy
    assert not memory.ok and "0.5 GiB free" in memory.found and "close other programs" in memory.remedy


def test_damaged_networks_and_other_answers_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(laptop, "_EXPECTED_FEATURES", 2 * laptop._EXPECTED_FEATURES)
    assert "and not" in looked("networks", tmp_path).found

    def damaged(name):
        raise UserError(f"{name} is damaged.")

    monkeypatch.setattr("transferlab.backbones.load_backbone", damaged)
    finding = looked("networks", tmp_path)
    assert not finding.ok and "is damaged" in finding.found and "anew" in finding.remedy


def test_no_extension_no_kernel_no_lessons(tmp_path, monkeypatch):
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(tmp_path)])
    finding = looked("widgets", tmp_path)
    assert not finding.ok and "ipywidgets and anywidget" in finding.found

    def dead(**settings):
        raise RuntimeError("Kernel died")

    monkeypatch.setattr("jupyter_client.manager.start_new_kernel", dead)
    finding = looked("kernel", tmp_path)
    assert not finding.ok and "Kernel died" in finding.found and "ipykernel install" in finding.remedy
    monkeypatch.setattr(laptop, "shipped_lessons", dict)
    assert not looked("lessons", tmp_path).ok


def test_a_kernel_of_another_environment_is_found(tmp_path, monkeypatch):
    ended = []
    reply = {
        "content": {
            "status": "error",
            "ename": "ModuleNotFoundError",
            "evalue": "No module named 'transferlab'",
        }
    }
    client = SimpleNamespace(execute=lambda code, **k: reply, stop_channels=lambda: ended.append("client"))
    manager = SimpleNamespace(shutdown_kernel=lambda now: ended.append("kernel"))
    monkeypatch.setattr("jupyter_client.manager.start_new_kernel", lambda **k: (manager, client))
    finding = looked("kernel", tmp_path)
    assert not finding.ok and "No module named 'transferlab'" in finding.found
    assert ended == ["client", "kernel"]


def test_a_folder_that_cannot_hold_lessons_is_found(tmp_path, monkeypatch):
    taken = tmp_path / "file"
    taken.write_text("mine")
    assert "is a file" in looked("lessons", taken).found and taken.read_text() == "mine"

    def read_only(folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(laptop, "copy_lessons", read_only)
    finding = looked("lessons", tmp_path / "lessons")
    assert not finding.ok and "Permission denied" in finding.found and list(tmp_path.iterdir()) == [taken]


def test_a_check_that_breaks_is_a_finding_and_the_next_one_still_runs(tmp_path):
    def broken(folder):
        raise ZeroDivisionError("by\nzero")

    first, second = laptop_findings(tmp_path, {"one": broken, "two": lambda folder: "fine"})
    assert not first.ok and "ZeroDivisionError: by zero" in first.found and second.ok


@pytest.mark.parametrize("lacks", [False, True])
def test_the_command_says_each_line_and_ends_with_its_verdict(monkeypatch, capsys, tmp_path, lacks):
    def memory(folder: Path):
        if lacks:
            raise NotReady("0.1 GiB free", "close other programs")
        return "8.0 GiB free"

    monkeypatch.setattr(laptop, "CHECKS", {"disk": lambda folder: f"at {folder}", "memory": memory})
    with pytest.raises(typer.Exit) if lacks else nullcontext() as ended:
        course_check(tmp_path / "here")
    first, second, verdict = capsys.readouterr().out.splitlines()
    assert first == f"ok      disk        at {tmp_path / 'here'}"
    assert second.startswith("not ok  memory" if lacks else "ok      memory")
    assert ("What to do: close other programs." in second) == lacks
    assert verdict == ("Not ready: memory." if lacks else "Ready.")
    assert not lacks or ended.value.exit_code == 1
