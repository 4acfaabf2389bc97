"""Every lesson's widget in the real JupyterLab, moved by key and by mouse, in both themes.

``TRANSFERLAB_SCREENSHOTS`` names a folder for pictures of each widget in each theme.
"""

import ast
import json
import re

import nbformat
import pytest
from a_lab import UNNAMED, choose_theme, open_notebook, run_all, save_picture

from transferlab.course.editions import EDITIONS, read_source, tags
from transferlab.course.lessons import lesson_sources

WIDGET = "widget"


def widget_lessons():
    """Names of the lessons with a cell tagged widget; a search of the text, to keep collection quick."""
    tagged = re.compile(rf'^# %%.*tags=\[[^\]]*"{WIDGET}"', re.MULTILINE)
    return [n for n, path in lesson_sources().items() if tagged.search(path.read_text(encoding="utf-8"))]


def names_bound(tree):
    """Names that a cell gives a meaning to, by assignment, import, loop or definition."""
    found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(a.asname or a.name).split(".")[0] for a in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
    return found


def names_read(tree):
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def up_to_widget(notebook):
    """The notebook cut to its first widget and the cells that it draws on, most of a lesson left out."""
    code = [c for c in notebook.cells if c.cell_type == "code"]
    last = next(i for i, c in enumerate(code) if WIDGET in tags(c))
    wanted, kept = names_read(ast.parse(code[last].source)), [code[last]]
    for cell in reversed(code[:last]):
        tree = ast.parse(cell.source)
        if "exercise" not in tags(cell) and names_bound(tree) & wanted:
            wanted |= names_read(tree)
            kept.insert(0, cell)
    return nbformat.v4.new_notebook(cells=kept, metadata=notebook.metadata)


def test_lessons_have_widgets():
    assert widget_lessons(), "no lesson has a cell tagged widget"


def test_what_a_widget_draws_on_is_found():
    def cell(source, *tagged):
        return nbformat.v4.new_code_cell(source, metadata={"tags": list(tagged)})

    cells = [cell("import numpy as np"), cell("seed: int = 0"), cell("print('long')"), cell("x = [seed]"),
             cell("x = 1", "exercise"), cell("for y in x: pass"), cell("show(y)", WIDGET), cell("y = 2")]  # fmt: skip
    kept = up_to_widget(nbformat.v4.new_notebook(cells=cells)).cells
    assert [c.source for c in kept] == ["seed: int = 0", "x = [seed]", "for y in x: pass", "show(y)"]


PICTURE = """cell => [...cell.querySelectorAll(
    '.widget-html-content, .tl-game-mark, .jp-OutputArea-output img, svg, canvas')]
  .map(e => e.tagName === 'IMG' ? e.src : e.tagName === 'CANVAS' ? e.toDataURL() : e.innerHTML).join('|')"""
TROUBLE = (
    "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr'], "
    ".jupyter-widgets [role=alert]"
)
KEYS = (  # what can be moved, and the keys that move it, there and back
    (".transferlab-places", ("ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp")),
    ("[role=slider]", ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown")),
    ("select", ("ArrowDown", "ArrowUp")),
    ("input[type=radio]", ("ArrowDown", "Space")),
    ("input[type=checkbox]", ("Space",)),
    ("button", ("Enter",)),
)


class Shown:
    """The widget's cell in the open page."""

    def __init__(self, page):
        self.page = page
        self.cell = page.locator(".jp-NotebookPanel:visible .jp-CodeCell").last

    @property
    def picture(self):
        return self.cell.evaluate(PICTURE)

    def changed(self, before, patience=20.0):
        """Whether the picture becomes another one, and rests there."""
        for _ in range(int(patience / 0.25)):
            self.page.wait_for_timeout(250)
            if self.picture != before:
                self.page.wait_for_timeout(1000)
                return True
        return False

    def controls(self, selector):
        found = self.cell.locator(f".jupyter-widgets {selector}")
        return [c for c in (found.nth(i) for i in range(found.count())) if c.is_visible() and c.is_enabled()]

    def moved_by_key(self):
        """The first control that changes the picture when it has the focus and a key is pressed."""
        for selector, keys in KEYS:
            for control in self.controls(selector)[:4]:
                for key in keys[:2]:
                    before = self.picture
                    control.focus()
                    self.page.keyboard.press(key)
                    if self.changed(before, 6):
                        return selector, key
        return None

    def plays(self):
        """Whether the play button moves the picture twice by itself, from the start; None where there is none."""
        play = [b for b in self.controls("button") if "play" in b.inner_text()]
        if not play:
            return None
        self.controls("[role=slider]")[0].press("Home")
        self.page.wait_for_timeout(2000)
        before = self.picture
        play[0].click()
        return self.changed(before) and self.changed(self.picture)

    def moved_by_mouse(self):
        """The first control that changes the picture when it is clicked."""
        spots = ((".transferlab-places", 0.3), (".transferlab-places", 0.7), (".noUi-target", 0.3),
                 (".noUi-target", 0.8), ("input[type=radio]", 0.5), ("button", 0.5),
                 ("input[type=checkbox]", 0.5))  # fmt: skip
        for selector, share in spots:
            for control in self.controls(selector)[:4]:
                before, area = self.picture, control.bounding_box()
                control.click(position={"x": share * area["width"], "y": share * area["height"]})
                if self.changed(before, 6):
                    return selector
        return None


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("lesson", widget_lessons())
def test_the_widget_moves_in_both_themes(lab, page, lesson):
    address, folder, *_ = lab
    base = address.split("/lab?token=")[0]
    cut = up_to_widget(EDITIONS["learner"](read_source(lesson_sources()[lesson])))
    (folder / f"widget-{lesson}.ipynb").write_text(json.dumps(cut), encoding="utf-8")
    elsewhere = []
    page.on(
        "request", lambda r: None if r.url.startswith((base, "data:", "blob:")) else elsewhere.append(r.url)
    )
    open_notebook(page, address, f"widget-{lesson}.ipynb")
    run_all(page, len(cut.cells))
    shown = Shown(page)
    shown.cell.locator(".jupyter-widgets").first.wait_for(timeout=120_000)
    shown.cell.scroll_into_view_if_needed()
    assert shown.picture and not page.locator(TROUBLE).count()
    assert not shown.cell.evaluate(UNNAMED), "every control has a name that a screen reader can say"
    for scheme in ("Light", "Dark"):
        choose_theme(page, scheme)
        assert shown.moved_by_key(), f"no key moves the widget ({scheme})"
        assert shown.moved_by_mouse(), f"no click moves the widget ({scheme})"
        assert not page.locator(TROUBLE).count()
        save_picture(shown.cell, f"{lesson}-{scheme.lower()}")
    assert shown.plays() is not False, "the play button does not move the widget by itself"
    assert elsewhere == []
