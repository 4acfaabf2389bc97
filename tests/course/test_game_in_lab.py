"""The labelling game in the real JupyterLab: a game by keys alone, in both themes.

``TRANSFERLAB_SCREENSHOTS`` names a folder for pictures.
"""

import json

import nbformat
import pytest
from a_lab import UNNAMED, choose_theme, open_notebook, run_all, save_picture

CELL = """
from transferlab import load_task
from transferlab.active.arms import study_images
from transferlab.course.lesson16_game import board
from transferlab.widgets.label_game import LabelGame
LabelGame(board(study_images(load_task("materials", progress=False)), draws=5, plays=1))
"""


class Game:
    """The game in the open page."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".jp-NotebookPanel:visible .tl-game")

    def head(self, words):
        self.root.locator(f".tl-game-head:has-text('{words}')").wait_for(timeout=60_000)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def at(self):
        return self.root.evaluate(
            "e => [...e.querySelectorAll('.tl-game-tile')].indexOf(document.activeElement)"
        )

    def status(self):
        return self.root.locator(".tl-game-status").inner_text()

    def play_a_round(self):
        """The first twelve images that are free, by keys."""
        for _ in range(12):
            self.root.locator(".tl-game-tile[aria-pressed=false]").first.focus()
            self.press("Enter")

    def marks(self):
        return self.root.locator(".tl-game-mark:not(:empty)").all_inner_texts()


@pytest.fixture
def game(lab, page):
    address, folder, *_ = lab
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(CELL)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    (folder / "game.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    open_notebook(page, address, "game.ipynb")
    run_all(page, 1)
    shown = Game(page)
    shown.root.wait_for(timeout=120_000)
    return shown


@pytest.mark.browser
@pytest.mark.slow
def test_keys_move_pick_and_take_back(game):
    assert not game.root.evaluate(UNNAMED)
    game.root.evaluate(
        "e => { const a = document.createElement('a'); a.href = '#'; e.before(a); a.focus(); }"
    )
    game.press("Tab")
    assert game.at() == 0, "one press of Tab reaches the images"
    assert game.root.locator(".tl-game-tile:focus").evaluate("e => getComputedStyle(e).outlineWidth") == "3px"
    game.press("ArrowLeft", "ArrowUp")
    assert game.at() == 0, "at the edge the focus stays"
    game.press("ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp")
    assert game.at() == 2
    game.press("Enter", "ArrowRight", "Space")
    game.head("2 of 12 picked")
    assert game.marks() == ["1", "2"]
    game.press("r")
    game.root.locator(".tl-game-trouble:has-text('pick 10 more images first')").wait_for(timeout=60_000)
    game.press("Space")
    game.head("1 of 12 picked")
    game.press("u", "u")
    game.head("0 of 12 picked")
    assert "no pick of this round" in game.status()


@pytest.mark.browser
@pytest.mark.slow
def test_a_whole_game_in_both_themes(game, page):
    game.play_a_round()
    game.head("12 of 12 picked, reveal their labels")
    save_picture(game.root, "game-picked-light")
    game.press("ArrowDown", "Enter")
    assert "The round is full" in game.status()
    game.press("r")
    game.head("Round 2 of 3: 0 of 12 picked")
    figure = game.root.locator(".tl-game-figure")
    assert figure.get_attribute("alt").startswith("12 labels: you ") and len(game.marks()) == 12
    assert not any(mark.isdigit() for mark in game.marks()), "classes stand where the numbers were"
    assert game.at() >= 0, "the focus stays among the images"
    game.press("u")
    assert "no pick of this round" in game.status(), "what is paid for cannot be taken back"
    save_picture(game.root, "game-round-light")
    choose_theme(page, "Dark")
    game.play_a_round()
    game.press("r")
    game.head("Round 3 of 3")
    game.play_a_round()
    save_picture(game.root, "game-picked-dark")
    game.press("r")
    game.head("The game is over")
    assert figure.get_attribute("alt").startswith("You: ") and len(game.marks()) == 36
    assert "One game is one seed" in game.root.locator(".tl-game-end").inner_text()
    save_picture(game.root, "game-end-dark")
    page.set_viewport_size({"width": 700, "height": 1000})
    page.wait_for_timeout(500)
    save_picture(game.root, "game-end-narrow")
    page.set_viewport_size({"width": 1300, "height": 1000})
    choose_theme(page, "Light")
    assert not page.locator("[data-mime-type='application/vnd.jupyter.error']").count()
