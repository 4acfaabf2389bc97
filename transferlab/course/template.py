"""The shape that all lessons share: what a learner meets, and in which order."""

from __future__ import annotations

import ast
import itertools
import re

from nbformat import NotebookNode

from transferlab.course.checks import exercises_of
from transferlab.course.editions import tags
from transferlab.course.questions import question_problems
from transferlab.errors import UserError

#: Headings in their order; those of ``REPEATED`` may come again before the next one that is not.
HEADINGS = (
    "You will be able to",
    "Warm-up",
    "The idea",
    "Predict",
    "Experiment",
    "Reveal",
    "Investigate",
    "Exercises",
    "On your own images",
    "What would change this conclusion",
    "Exit quiz",
    "Three things to take away",
    "References",
)
REPEATED = ("Predict", "Experiment", "Reveal")
_MOST_WORDS_OF_IDEA = 150


def template_problems(source: NotebookNode, number: str) -> list[str]:
    """Sentences on where a lesson's source leaves the template; none where it keeps to it.

    Parameters
    ----------
    source : the lesson with all of its cells
    number : two digits
    """
    return [
        *_title_problems(source, number),
        *_heading_problems(source),
        *_idea_problems(source),
        *_list_problems(source),
        *_call_problems(source, number),
        *_exercise_problems(source, number),
        *_reference_problems(source),
    ]


def sections(source: NotebookNode) -> list[tuple[str, list[NotebookNode]]]:
    """(heading of level two, cells from it to the next) in order; the title's section has the heading ""."""
    found: list[tuple[str, list[NotebookNode]]] = [("", [])]
    for cell in source.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            found.append((cell.source.splitlines()[0][3:].strip(), []))
        found[-1][1].append(cell)
    return found


def _section(source, heading: str) -> list[NotebookNode]:
    return [cell for name, cells in sections(source) if _kind(name) == heading for cell in cells]


def _prose(cells) -> str:
    return "\n".join(c.source for c in cells if c.cell_type == "markdown")


def _kind(heading: str) -> str:
    """The template's heading that one begins with, such as "Predict" for "Predict: handwritten digits"."""
    return next((name for name in HEADINGS if heading == name or heading.startswith(f"{name}:")), heading)


def _title_problems(source, number: str) -> list[str]:
    title = source.cells[0].source if source.cells and source.cells[0].cell_type == "markdown" else ""
    found = [] if title.startswith(f"# {number} ") else [f"the first cell is not titled '# {number} …'"]
    found += [
        f"the first cell does not say **{word}**" for word in ("Time", "Memory") if f"**{word}**" not in title
    ]
    return found + ([] if re.search(r"\d+ minutes", title) else ["the first cell names no minutes"])


def _heading_problems(source) -> list[str]:
    headings = [name for name, _ in sections(source)][1:]
    kinds = [_kind(name) for name in headings]
    unknown = [
        f"the heading {h!r} is none of the template"
        for h, k in zip(headings, kinds, strict=True)
        if k not in HEADINGS
    ]
    missing = [f"there is no heading {name!r}" for name in HEADINGS if name not in kinds]
    if unknown or missing:
        return unknown + missing
    once = [k for k in kinds if k not in REPEATED]
    twice = sorted({k for k in once if once.count(k) > 1})
    if twice:
        return [f"the heading {name!r} comes twice" for name in twice]
    return [f"{b!r} comes after {a!r}" for a, b in itertools.pairwise(kinds) if not _may_follow(a, b)]


def _may_follow(first: str, second: str) -> bool:
    """Forwards by one section, or from a reveal back to the next guess or experiment."""
    a, b = HEADINGS.index(first), HEADINGS.index(second)
    if first in REPEATED and second in REPEATED:
        return b > a or first == "Reveal"
    return b == a + 1


def _idea_problems(source) -> list[str]:
    cells = _section(source, "The idea")
    words = len(re.sub(r"^#+ .*$", "", _prose(cells), flags=re.MULTILINE).split())
    found = (
        []
        if words <= _MOST_WORDS_OF_IDEA
        else [f"the idea has {words} words, more than {_MOST_WORDS_OF_IDEA}"]
    )
    if not any(cell.cell_type == "code" for cell in cells):
        found.append("the idea shows no figure")
    return found


def _list_problems(source) -> list[str]:
    found = []
    for heading in ("You will be able to", "Three things to take away"):
        items = re.findall(r"^\d+\. ", _prose(_section(source, heading)), flags=re.MULTILINE)
        if len(items) != 3:
            found.append(f"{heading!r} lists {len(items)} things, not three")
    return found


def _call_problems(source, number: str) -> list[str]:
    """Warm-up and quiz are shown, every guess is revealed after it was made, and claims are recorded."""
    calls = [call for cell in source.cells if cell.cell_type == "code" for call in _calls(cell.source)]
    names = [name for name, _ in calls]
    found = [
        f"{name}({number!r}) is not called once"
        for name in ("warm_up", "quiz")
        if calls.count((name, number)) != 1
    ]
    guesses = [first for name, first in calls if name == "predict"]
    revealed = [first for name, first in calls if name == "reveal"]
    if not guesses or guesses != list(dict.fromkeys(guesses)):
        found.append("predict() is to be called, once with each name")
    if sorted(guesses) != sorted(revealed):
        found.append("every predict() needs one reveal() of its name, and the other way round")
    for name in set(guesses) & set(revealed):
        if calls.index(("predict", name)) > calls.index(("reveal", name)):
            found.append(f"{name} is revealed before it is guessed")
    found += [
        f"{n!r} is not of lesson {number}"
        for n in [*guesses, *revealed]
        if not str(n).startswith(f"L{number}.")
    ]
    if ".record" not in names:
        found.append("no claim is recorded")
    return found


def _calls(code: str) -> list[tuple[str, object]]:
    """(function or .method, first literal argument or None) of each call, in the order of the text."""
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    nodes.sort(key=lambda node: (node.lineno, node.col_offset))
    return [(_called(node.func), _literal(node.args[:1])) for node in nodes]


def _called(function: ast.expr) -> str:
    return (
        getattr(function, "id", "") or f".{getattr(function, 'attr', '')}"
    )  # ``model.predict()`` asks nobody


def _literal(arguments: list[ast.expr]):
    return arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else None


def _exercise_problems(source, number: str) -> list[str]:
    exercises = exercises_of(number)
    found = [] if len(exercises) == 3 else [f"there are {len(exercises)} checks, not three"]
    required = [function.required for function in exercises.values()]
    if not required or required != sorted(required, reverse=True) or sum(required) not in (1, 2):
        found.append("the first exercise, or the first two, are to be required")
    for tag in ("exercise", "solution"):
        cells = [cell.source for cell in source.cells if tag in tags(cell)]
        for name in exercises:
            asked = sum(f"check.L{number}_{name}(" in text for text in cells)
            if asked != 1:
                found.append(f"{asked} cells tagged {tag} ask check.L{number}_{name}, not one")
    headings = re.findall(r"^### Exercise .*$", _prose(_section(source, "Exercises")), flags=re.MULTILINE)
    wanted = [r"\(required, \d+ minutes\)" if must else r"\(optional\)" for must in required]
    if len(headings) != len(wanted) or not all(
        re.search(w, h) for w, h in zip(wanted, headings, strict=True)
    ):
        found.append("each exercise needs a heading '### Exercise N (required, N minutes)' or '(optional)'")
    try:
        return found + question_problems(number)
    except UserError as error:
        return [*found, str(error)]


def _reference_problems(source) -> list[str]:
    lines = [
        line for line in _prose(_section(source, "References")).splitlines() if line.startswith(("- ", "* "))
    ]
    found = [
        f"the reference {line[2:40]!r} has no year"
        for line in lines
        if not re.search(r"\b(1[89]|20)\d\d\b", line)
    ]
    return found if lines else ["no reference is listed with '- '"]
