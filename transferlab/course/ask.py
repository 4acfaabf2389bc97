"""Questions in a lesson: warm-up, guesses before a result and beside it, exit quiz. Answers are kept."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from transferlab.course.progress import note, noted
from transferlab.course.questions import EXIT, WARM_UP, questions_of
from transferlab.errors import UserError
from transferlab.widgets.question import Option, Question, compute, static_html, static_text, view

GUESSES = "guesses"


def warm_up(lesson: str) -> None:
    """Show two questions on the lesson before, by the number of this one."""
    _show_part(lesson, WARM_UP)


def quiz(lesson: str) -> None:
    """Show the four exit questions of a lesson, by its number."""
    _show_part(lesson, EXIT)


def predict(name: str, question: str, options: Sequence[str]) -> None:
    """Ask for a guess before the result is there, and keep it for :func:`reveal`.

    Parameters
    ----------
    name : ``"L05.inverted"``: the lesson, and what is guessed
    question : one sentence
    options : at least two answers to choose from
    """
    lesson, key = _split(name)
    if len(set(options)) < 2:
        raise UserError(f"predict({name!r}) needs at least two different options.")
    asked = Question(question, tuple(Option(text) for text in options))

    def keep(place: int) -> str:
        note(lesson, GUESSES, key, options[place])
        return f"Your guess is kept: {options[place]}. Now run on."

    before = noted(lesson, GUESSES, key)
    chosen = list(options).index(before) if before in options else None
    _show([asked], [view(asked, 1, chosen, keep)])


def reveal(name: str, found: str) -> None:
    """Show what was found beside the guess that :func:`predict` kept under the same name."""
    from IPython.display import display

    lesson, key = _split(name)
    guess = noted(lesson, GUESSES, key)
    lines = ["You made no guess." if guess is None else f"Your guess: {guess}.", f"This run found: {found}."]
    if guess is not None:
        lines.append("They agree." if guess == found else "They differ: what did you expect, and why?")
    page = "<br>".join(escape(line) for line in lines)
    display({"text/plain": " ".join(lines), "text/html": f'<div role="status">{page}</div>'}, raw=True)


def _show_part(lesson: str, part: str) -> None:
    questions = questions_of(lesson, part)
    views = [view(q, i + 1, on_choice=_keeper(lesson[:2], part, i, q)) for i, q in enumerate(questions)]
    _show(questions, views)


def _keeper(lesson: str, part: str, place: int, question: Question):
    """Keeps whether the first choice was right: later ones are for learning."""

    def keep(chosen: int) -> str:
        said = compute(question, chosen)
        if noted(lesson, part, str(place)) is None:
            note(lesson, part, str(place), said.right)
        return said.text

    return keep


def _show(questions: Sequence[Question], views: list) -> None:
    from ipywidgets import VBox

    from transferlab.widgets import show

    show(VBox(views), html=static_html(questions), text=static_text(questions))


def _split(name: str) -> tuple[str, str]:
    number, _, key = name.partition(".")
    if not (number.startswith("L") and number[1:].isdigit() and key):
        raise UserError(f"{name!r} is no name of a question; write for example 'L05.inverted'.")
    return number[1:], key
