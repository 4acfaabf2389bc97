"""A question with a few answers: as radio buttons, and as a page that unfolds where nothing can move.

>>> question = Question("One and one?", (Option("two", "it is", right=True), Option("three", "one too many")))
>>> compute(question, 1)
Feedback(right=False, text='✗ Not right: one too many')
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import ipywidgets as w

# Radio buttons of ipywidgets cut long lines; colours follow JupyterLab's theme.
_STYLE = """<style>
.tl-question .widget-radio-box {padding: 4px}
.tl-question .widget-radio-box label {display: flex; align-items: flex-start; white-space: normal; height: auto;
  line-height: 20px; margin-bottom: 4px}
.tl-question .widget-radio-box label input {flex: none; margin: 3px 8px 0 0; order: -1; width: 14px; height: 14px}
.tl-question .widget-html-content {color: var(--jp-ui-font-color1); line-height: 1.4; white-space: normal}
.tl-question input:focus-visible {outline: 3px solid var(--jp-brand-color1, #1976d2); outline-offset: 2px}
</style>"""


@dataclass(frozen=True)
class Option:
    """An answer to choose, and why it is right or not."""

    text: str
    why: str = ""
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A sentence and its options; none is marked as right where a guess is asked for."""

    text: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Feedback:
    """What choosing an option says."""

    right: bool
    text: str


def compute(question: Question, chosen: int) -> Feedback:
    """Right or wrong and why, for the option at a place."""
    option = question.options[chosen]
    return Feedback(option.right, f"{'✓ Right' if option.right else '✗ Not right'}: {option.why}")


def static_html(questions: Sequence[Question]) -> str:
    """The same without a kernel: each option unfolds to its explanation, by mouse and by keyboard."""
    return "".join(
        f"<p><b>{place}. {escape(q.text)}</b></p>"
        + "".join(
            f"<details><summary>{escape(o.text)}</summary>{escape(compute(q, i).text)}</details>"
            if o.why
            else f"<div>– {escape(o.text)}</div>"
            for i, o in enumerate(q.options)
        )
        for place, q in enumerate(questions, 1)
    )


def static_text(questions: Sequence[Question]) -> str:
    """The same as plain text, without what is right."""
    return "\n".join(
        f"{place}. {q.text}\n" + "\n".join(f"   {chr(97 + i)}) {o.text}" for i, o in enumerate(q.options))
        for place, q in enumerate(questions, 1)
    )


def view(
    question: Question, number: int, chosen: int | None = None, on_choice: Callable[[int], str] | None = None
) -> w.Widget:
    """Radio buttons; ``on_choice(place)`` is told, and what it gives back is shown.

    Without it :func:`compute` answers. Errors in it are shown in the place of the answer.
    """
    answer = w.HTML()
    answer.add_class("tl-answer")
    buttons = w.RadioButtons(
        options=[(option.text, place) for place, option in enumerate(question.options)],
        value=chosen,
        layout=w.Layout(width="auto"),
    )
    react = on_choice or (lambda place: compute(question, place).text)

    def choose(change) -> None:
        try:
            said = react(change["new"])
        except Exception as error:  # shown, not swallowed
            said = f"This failed: {type(error).__name__}: {error}"
        answer.value = f'<div role="status">{escape(said)}</div>'

    buttons.observe(choose, "value")
    title = w.HTML(f"<b>{number}. {escape(question.text)}</b>")
    box = w.VBox([w.HTML(_STYLE), title, buttons, answer])
    box.add_class("tl-question")
    return box
