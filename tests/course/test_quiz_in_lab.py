"""Questions in the real JupyterLab: answered by the keyboard alone, readable in both themes."""

import json

import nbformat
import pytest
from a_lab import choose_theme, open_notebook, run_all, save_picture

from transferlab.course.editions import KERNEL
from transferlab.course.progress import FILE
from transferlab.course.questions import EXIT, questions_of

CELLS = (
    "from transferlab.course import predict, quiz, reveal",
    'predict("L05.which", "Which of the two?", ["the first", "the second"])',
    'quiz("05")',
)


@pytest.mark.browser
@pytest.mark.slow
def test_questions_are_answered_by_key_in_both_themes(lab, page):
    address, folder, *_ = lab
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    (folder / "questions.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    open_notebook(page, address, "questions.ipynb")
    run_all(page, len(cells))
    questions = page.locator(".tl-question")
    questions.nth(4).wait_for(timeout=120_000)
    assert questions.count() == 5
    answer(questions.nth(0), "Your guess is kept: the first.")
    right = next(i for i, o in enumerate(questions_of("05", EXIT)[0].options) if o.right)
    answer(questions.nth(1), "✓ Right", downwards=right)
    for scheme in ("Light", "Dark"):
        choose_theme(page, scheme)
        assert contrast(questions.nth(1).locator(".tl-answer div[role=status]")) >= 4.5, scheme
        assert contrast(questions.nth(1).locator("label").first) >= 4.5, scheme
        save_picture(page.locator(".jp-NotebookPanel:visible .jp-CodeCell").last, f"quiz-{scheme.lower()}")
    assert not page.get_by_text("Jupyter news").count()
    kept = json.loads((folder / FILE).read_text())["05"]
    assert kept["guesses"] == {"which": "the first"} and kept[EXIT]["0"] is (right == 0)


def answer(question, says, downwards=0):
    """Choose by Tab and Space, the first option on the way, and wait for what is said."""
    question.locator("input[type=radio]").first.focus()
    question.page.keyboard.press("Space")
    question.locator(".tl-answer div[role=status]").wait_for(timeout=20_000)
    for _ in range(downwards):
        question.page.keyboard.press("Tab")
    question.page.keyboard.press("Space")
    question.locator(".tl-answer", has_text=says).wait_for(timeout=20_000)


def contrast(element):
    """WCAG contrast between an element's text and the ground that shows through behind it."""
    ink, ground = element.evaluate("""e => {
        const ink = getComputedStyle(e).color;
        for (let at = e; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (!/rgba\\(.*, 0\\)|transparent/.test(colour)) return [ink, colour];
        }
        return [ink, 'rgb(255, 255, 255)'];
    }""")
    lights = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def luminance(colour):
    numbers = colour[colour.index("(") + 1 : colour.index(")")].replace(",", " ").split()[:3]
    parts = [float(n) / 255 for n in numbers]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
