"""Stored grids: made by a command, and out of date with their code."""

import json

import pytest

from transferlab.course.grids import grid_names, grid_problems, make_grid, stored, stored_grid
from transferlab.errors import UserError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "_FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def maker(tmp_path, monkeypatch):
    """A module that makes a grid, which can be rewritten."""
    file = tmp_path / "grid77.py"

    def write(text):
        file.write_text(text)

        class Module:
            __name__, __file__ = "grid77", str(file)
            grid_truth = staticmethod(lambda tell: {"rows": [1, 2]})

        monkeypatch.setattr(stored, "_maker", lambda name: Module)

    write("x = 1")
    return write


def test_the_grids_that_come_with_the_lessons_are_current():
    assert grid_problems() == []


@pytest.mark.parametrize("name", grid_names())
def test_grids_are_small(name):
    assert len(json.dumps(stored_grid(name))) < (250_000 if name == "16_factorial" else 100_000)


def test_a_grid_comes_back_and_is_old_when_its_code_changes(folder, maker):
    path = make_grid("77_truth", print)
    assert stored_grid("77_truth") == {"rows": [1, 2]}
    assert grid_problems() == []
    maker('"""Said otherwise."""\nx = 1  # why')
    assert grid_problems() == []
    maker("x = 2")
    assert grid_problems() == ["the grid 77_truth is older than its code: transferlab course grid 77_truth"]
    assert path.parent == folder


@pytest.mark.parametrize("name", ["nothing", "99_truth", "05_nothing", "../x"])
def test_an_unknown_grid_ends_in_a_sentence(name):
    with pytest.raises(UserError, match="there is no grid"):
        stored_grid(name)
    with pytest.raises(UserError, match="nothing makes a grid"):
        make_grid(name, print)
