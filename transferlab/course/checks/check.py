"""Answers to exercises: find the check, ask it, and show what it says."""

from __future__ import annotations

import dis
import hashlib
import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from types import FunctionType

from transferlab.course.checks.verdict import Right, Wrong
from transferlab.course.progress import note, noted

_NAME = re.compile(r"L(\d\d)_(\w+)")
SECTION = "exercises"


def exercises_of(lesson: str) -> dict[str, Callable]:
    """Name to check of every exercise of a lesson, by its number, in order; empty where it has none."""
    where = f"transferlab.course.checks.lesson_{lesson[:2]}"
    if importlib.util.find_spec(where) is None:
        return {}
    module = importlib.import_module(where)
    return {name: value for name, value in vars(module).items() if hasattr(value, "required")}


@dataclass(frozen=True)
class Said:
    """What a learner sees: a word, a sentence and perhaps a hint."""

    state: str  # right, wrong, not yet or unreadable
    why: str
    hint: str = ""

    @property
    def lines(self) -> list[str]:
        head = {
            "right": "✓ Right.",
            "wrong": "✗ Not right.",
            "not yet": "… Not yet.",
            "unreadable": "? Unclear.",
        }
        return [f"{head[self.state]} {self.why}", *([f"Hint: {self.hint}"] if self.hint else [])]

    def __repr__(self):
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        colour = {"right": "#1a8754", "wrong": "#c24e00"}.get(self.state, "#6b727c")
        text = "<br>".join(escape(line) for line in self.lines)
        return f'<div role="status" style="border-left:4px solid {colour};padding:2px 10px">{text}</div>'


class Check:
    """Every exercise as a method: ``check.L05_freeze(answer)``. Calling one never raises."""

    def __getattr__(self, name: str) -> Callable[..., Said]:
        found = _NAME.fullmatch(name)
        exercises = exercises_of(found[1]) if found else {}
        if not found or found[2] not in exercises:
            raise AttributeError(
                f"there is no exercise {name!r}; the cell that came with the lesson names it"
            )
        return lambda *answer: answered(found[1], found[2], exercises[found[2]], answer)

    def __repr__(self):
        return "check.L05_freeze(answer) tells at once whether an answer to that exercise is right"


check = Check()


def answered(lesson: str, name: str, function: Callable, given: tuple) -> Said:
    """Ask ``function`` about what was given, and keep how often it was answered wrongly."""
    if len(given) != 1:
        return Said("unreadable", f"This check takes one answer, and {len(given)} were given.")
    answer = given[0]
    before = noted(lesson, SECTION, name)
    before = before if isinstance(before, dict) else {}
    if untouched(answer):
        return Said(
            "not yet", f"Replace the dots with your answer, then run the cell again. {wanted(function)}"
        )
    try:
        verdict = function(answer)
    except Exception as error:  # a learner's answer may be anything
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return Said("unreadable", f"The answer could not be read ({reason}). {wanted(function)}")
    if isinstance(verdict, Right):
        note(lesson, SECTION, name, {**before, "right": True})
        return Said("right", verdict.why)
    attempts = _attempts(before, answer)
    note(lesson, SECTION, name, {"right": bool(before.get("right")), **attempts})
    return Said("wrong", verdict.why, hint_of(verdict, attempts["attempts"]))


def wanted(function: Callable) -> str:
    """What the exercise wants: the first line of the check's docstring."""
    lines = (function.__doc__ or "").strip().splitlines()
    return f"Wanted: {lines[0].rstrip('.')}." if lines else ""


def hint_of(verdict: Wrong, attempts: int) -> str:
    """The hint for the ``attempts``-th different wrong answer, from 1 on; the last one stays."""
    return verdict.hints[min(attempts, len(verdict.hints)) - 1] if verdict.hints else ""


def _attempts(before: Mapping, answer) -> dict:
    """How many different wrong answers came one after another; the same one twice counts once."""
    digest = hashlib.sha256(repr(answer).encode(errors="replace")).hexdigest()[:16]
    count = before.get("attempts", 0)
    count = count if isinstance(count, int) else 0
    return {"attempts": count + (digest != before.get("last")), "last": digest}


def untouched(answer) -> bool:
    """Whether the stub's dots are still there: alone, inside a collection, or as a function's body."""
    if answer is None or answer is ...:
        return True
    if isinstance(answer, list | tuple | set | frozenset):
        return any(untouched(each) for each in answer)
    if isinstance(answer, Mapping):
        return any(untouched(each) for each in answer.values())
    return isinstance(answer, FunctionType) and _does_nothing(answer)


def _does_nothing(function: FunctionType) -> bool:
    """Whether a function's body is dots or a docstring alone."""
    steps = [step for step in dis.get_instructions(function) if step.opname != "RESUME"]
    return all(step.opname in _NOTHING for step in steps) and all(step.argval is None for step in steps)


_NOTHING = {"LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
