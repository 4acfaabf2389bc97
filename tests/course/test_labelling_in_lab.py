"""A person labels images in the real JupyterLab: by keys alone, over a restart of the kernel, in both themes.

``TRANSFERLAB_SCREENSHOTS`` names a folder for pictures.
"""

import json
import re

import nbformat
import numpy as np
import pytest
from a_lab import UNNAMED, choose_theme, open_notebook, run_all, save_picture
from PIL import Image, ImageDraw

from transferlab.active.label_file import LabelFile

CLASSES = ["circle", "square", "triangle"]
N = 30
FOLDER_CELL = """
from transferlab.active.label_file import LabelFile
from transferlab.widgets.label_folder import label_folder
label_folder("{name}", LabelFile("labels/{name}.csv", {classes}, who="ann"), round_size=10)
"""
CELL = """
from pathlib import Path
from transferlab.active.label_file import LabelFile
from transferlab.widgets.label_images import LabelImages
names = sorted(p.name for p in Path("{name}").iterdir())
LabelImages([Path("{name}", n) for n in names], LabelFile("labels/{name}.csv", {classes}, who="ann"),
            names=names, round_size=10, on_round=lambda labels, past: f"{{len(labels)}} labels")
"""


def draw_shapes(folder):
    """Photos of one shape each; the shape's place among the classes is returned for each."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    kinds = rng.integers(3, size=N)
    for k, kind in enumerate(kinds):
        image = Image.new("RGB", (320, 240), tuple(map(int, rng.integers(150, 255, 3))))
        pen, (x, y) = ImageDraw.Draw(image), rng.integers(40, 130, 2)
        colour = tuple(map(int, rng.integers(0, 120, 3)))
        box = (int(x), int(y), int(x) + 90, int(y) + 90)
        if kind == 0:
            pen.ellipse(box, fill=colour)
        elif kind == 1:
            pen.rectangle(box, fill=colour)
        else:
            pen.regular_polygon((int(x) + 45, int(y) + 45, 50), 3, fill=colour)
        image.save(folder / f"{k:02}.png")
    return kinds


class Labelling:
    """The widget in the open page."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".jp-NotebookPanel:visible .tl-label")

    def wait(self, done, total=N):
        self.root.locator(f".tl-label-progress span:text-is('{done} of {total}')").wait_for(timeout=60_000)

    def press(self, key, done, total=N):
        self.page.keyboard.press(key)
        self.wait(done, total)

    def reach_by_tab(self):
        """The focus, from above the widget, by the Tab key alone."""
        self.page.locator(".jp-NotebookPanel:visible .jp-Notebook").click(position={"x": 3, "y": 3})
        self.root.evaluate(
            "e => { const a = document.createElement('a'); a.href = '#'; e.before(a); a.focus(); }"
        )
        self.page.keyboard.press("Tab")
        assert self.root.evaluate("e => e === document.activeElement")
        assert self.root.evaluate("e => getComputedStyle(e).outlineWidth") == "3px", "the focus can be seen"


def open_labelling(lab, page, name, classes=CLASSES, *, cell=CELL, total=N):
    """The widget on new images, each one's class as a place, and the label file."""
    address, folder, *_ = lab
    kinds = draw_shapes(folder / name)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.format(name=name, classes=classes))],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    (folder / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    open_notebook(page, address, f"{name}.ipynb")
    run_all(page, 1)
    shown = Labelling(page)
    shown.root.wait_for(timeout=120_000)
    shown.wait(0, total)
    assert not shown.root.evaluate(UNNAMED) and shown.root.get_attribute("aria-label")
    return shown, kinds, folder / "labels" / f"{name}.csv"


def restart_kernel(page):
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator(".lm-Menu-item[data-command='kernelmenu:restart']").click()
    page.locator(".jp-Dialog button:has-text('Restart')").click()
    page.locator(".jp-Dialog").wait_for(state="detached")


@pytest.mark.browser
@pytest.mark.slow
def test_twenty_by_keys_then_a_restart_and_on(lab, page):
    shown, kinds, path = open_labelling(lab, page, "restart")
    shown.reach_by_tab()
    for k in range(20):
        shown.press(str(kinds[k] + 1), k + 1)
        if k == 11:
            shown.press("u", 11)
            shown.press("Backspace", 10)
            shown.press(str(kinds[10] + 1), 11)
            shown.press(str(kinds[11] + 1), 12)
    assert "20 labels" in shown.root.locator(".tl-label-round").inner_text()
    save_picture(shown.root, "labelling-light")
    wanted = {f"{k:02}.png": CLASSES[kinds[k]] for k in range(20)}
    assert LabelFile(path).labels() == wanted

    restart_kernel(page)
    page.wait_for_timeout(3000)
    shown.root.focus()
    page.keyboard.press("1")  # into the widget whose kernel is gone
    shown.root.locator(".tl-label-trouble:has-text('run this cell again')").wait_for(timeout=60_000)
    assert LabelFile(path).labels() == wanted

    run_all(page, 1)
    shown.wait(20)
    shown.reach_by_tab()
    assert "20.png" in shown.root.locator(".tl-label-name").inner_text()
    shown.press(str(kinds[20] + 1), 21)
    assert LabelFile(path).labels() == wanted | {"20.png": CLASSES[kinds[20]]}
    rows = LabelFile(path).rows()
    assert [r.answer for r in rows].count("undo") == 2 and {r.who for r in rows} == {"ann"}


@pytest.mark.browser
@pytest.mark.slow
def test_a_folder_is_labelled_in_rounds(lab, page):
    shown, kinds, path = open_labelling(lab, page, "rounds", cell=FOLDER_CELL, total=10)
    choose_theme(page, "Dark")
    shown.reach_by_tab()
    for k in range(20):
        name = shown.root.locator(".tl-label-name").inner_text()
        shown.press(str(kinds[int(name[:2])] + 1), k + 1, min(N, 10 * ((k + 1) // 10 + 1)))
    said = shown.root.locator(".tl-label-round").inner_text()
    assert re.search(r"After 20 answers: \d+ % of (20|19|18) labelled images told right by a head", said)
    assert shown.root.evaluate("e => e === document.activeElement"), "keys go on without a click"
    save_picture(shown.root, "labelling-rounds-dark")
    assert len(LabelFile(path).labels()) == 20


@pytest.mark.browser
@pytest.mark.slow
def test_trouble_is_one_sentence_and_costs_no_label(lab, page):
    shown, _, path = open_labelling(lab, page, "trouble")
    choose_theme(page, "Dark")
    shown.root.focus()
    shown.press("1", 1)
    shown.press("s", 2)
    shown.press("n", 3)
    save_picture(shown.root, "labelling-dark")
    (lab[1] / "trouble" / "04.png").unlink()
    shown.press("1", 4, N - 1)
    assert "'04.png' is left out: no such file" in shown.root.locator("[role=alert]").inner_text()
    save_picture(shown.root, "labelling-dark-gone")
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])
    page.keyboard.press("2")
    shown.root.locator("[role=alert]:has-text('line 5')").wait_for(timeout=60_000)
    assert path.read_bytes() == whole[:-4]
    save_picture(shown.root, "labelling-dark-broken")
    path.write_bytes(whole)
    for k in range(5, N):
        shown.press("3", k, N - 1)
    assert "could not be shown" in shown.root.locator(".tl-label-end").inner_text()
    page.set_viewport_size({"width": 700, "height": 1000})
    page.wait_for_timeout(500)
    save_picture(shown.root, "labelling-dark-end")
    shown.press("u", N - 2, N - 1)
    page.wait_for_timeout(500)
    save_picture(shown.root, "labelling-dark-narrow")
    assert not page.locator("[data-mime-type='application/vnd.jupyter.error']").count()
    wanted = {"00.png": "circle", "03.png": "circle"} | {f"{k:02}.png": "triangle" for k in range(5, N - 1)}
    assert LabelFile(path).labels() == wanted
    page.set_viewport_size({"width": 1300, "height": 1000})
    choose_theme(page, "Light")


@pytest.mark.browser
@pytest.mark.slow
def test_many_classes_are_searched_and_buttons_can_be_clicked(lab, page):
    classes = [f"kind {k}" for k in range(30)] + ["catfish", "cat", "<b>bold</b>"]
    shown, _, path = open_labelling(lab, page, "many", classes)
    shown.root.focus()
    shown.press("3", 1)
    page.keyboard.press("/")
    page.keyboard.type("cat")
    save_picture(shown.root, "labelling-search")
    shown.press("Enter", 2)
    page.keyboard.press("/")
    page.keyboard.type("nothing like it")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    shown.press("s", 3)
    shown.root.get_by_role("button", name="<b>bold</b>").click()
    shown.wait(4)
    save_picture(shown.root, "labelling-many")
    shown.root.get_by_role("button", name="Skip, key s").focus()
    shown.press("Enter", 5)
    page.keyboard.down("9")
    shown.wait(6)
    page.keyboard.down("9")  # still held: no second answer
    page.wait_for_timeout(1000)
    page.keyboard.up("9")
    shown.press("n", 7)
    rows = LabelFile(path).rows()
    assert [r.label for r in rows] == ["kind 2", "cat", None, "<b>bold</b>", None, "kind 8", None]
