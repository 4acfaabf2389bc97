"""What a check says of an answer, and the mark that makes a function one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Right:
    """The answer holds; ``why`` in a sentence."""

    why: str


@dataclass(frozen=True)
class Wrong:
    """The answer does not hold: why, and hints from a nudge to nearly the answer."""

    why: str
    hints: tuple[str, ...] = ()


Verdict = Right | Wrong


def exercise(*, required: bool = False) -> Callable:
    """Mark a function of one answer as a check; its docstring's first line says what is wanted.

    Examples
    --------
    >>> @exercise(required=True)
    ... def two(answer):
    ...     return Right("it is") if answer == 2 else Wrong("it is not 2", hints=("count again",))
    >>> two.required, two(3).hints
    (True, ('count again',))
    """

    def marked(function: Callable) -> Callable:
        function.required = required
        return function

    return marked
