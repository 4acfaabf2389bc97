"""``NN.toml``: the warm-up and exit questions of each lesson, with an explanation for every answer."""

from __future__ import annotations

import tomllib
from pathlib import Path

from transferlab.errors import UserError
from transferlab.widgets.question import Option, Question

_FOLDER = Path(__file__).resolve().parent
WARM_UP, EXIT = "warm_up", "exit"
COUNTS = {WARM_UP: 2, EXIT: 4}


def questions_of(lesson: str, part: str) -> tuple[Question, ...]:
    """The questions of ``part`` (``"warm_up"`` or ``"exit"``) of a lesson, by its number.

    Raises
    ------
    UserError
        when the lesson has none.
    """
    path = _FOLDER / f"{lesson[:2]}.toml"
    if not path.is_file():
        raise UserError(f"lesson {lesson!r} has no questions.")
    stored = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Question(each["question"], tuple(Option(**option) for option in each["options"]))
        for each in stored[part]
    )


def question_problems(lesson: str) -> list[str]:
    """Sentences on what the questions of a lesson lack."""
    found = []
    for part, count in COUNTS.items():
        questions = questions_of(lesson, part)
        if len(questions) != count:
            found.append(f"{part} has {len(questions)} questions, not {count}")
        for question in questions:
            if sum(option.right for option in question.options) != 1 or not 3 <= len(question.options) <= 4:
                found.append(f"{question.text!r} needs three or four options and exactly one that is right")
            if not all(option.why.strip() for option in question.options):
                found.append(f"{question.text!r} does not explain every answer")
    return found
