"""The ledger that a lesson writes its claims to, and the sentence that a reader sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path

from transferlab.course.lessons import chosen_lessons
from transferlab.course.released import FOLDER, ClaimsFile, released_of, write_claims
from transferlab.course.source_hash import lesson_hash
from transferlab.errors import UserError
from transferlab.evaluation.claims import Claim, Kind, make_claim, said

UNRELEASED = "never released: no run of all seeds stands beside it"


@dataclass(frozen=True)
class Recorded:
    """A claim of this run beside the released one."""

    claim: Claim
    released: Claim | None

    @property
    def lines(self) -> tuple[str, str, str]:
        """The claim in words, this run, the released run."""
        words = self.claim.name.split(".", 1)[1].replace("-", " ")
        mine = f"this run: {said(self.claim)}"
        if self.released is None:
            return words, mine, UNRELEASED
        return words, mine, f"released: {said(self.released)}, {_verdict(self.released)}"

    def __repr__(self):
        return "\n  ".join(self.lines)

    def _repr_html_(self) -> str:
        words, *lines = (escape(line) for line in self.lines)
        return f"<div><b>{words}</b><br>{'<br>'.join(lines)}</div>"


def _verdict(claim: Claim) -> str:
    if claim.kind.name == "unresolved":
        return "so the sign is not resolved" if claim.holds else "so the sign is resolved after all"
    if claim.kind.name == "equivalent":
        margin = f"{claim.kind.margin:g} {claim.unit} of zero"
        return f"so it lies within {margin}" if claim.holds else f"which may lie outside {margin}"
    return "so it holds" if claim.holds else "so it is not shown"


@dataclass
class Ledger:
    """The claims of this run; each call of :meth:`record` writes the file anew, whole."""

    lesson: str
    profile: str
    path: Path
    released: Mapping[str, Claim]
    source: str
    claims: dict[str, Claim] = field(default_factory=dict)

    def record(self, name: str, values: Sequence[float], unit: str, kind: Kind) -> Recorded:
        """Note a claim; what is returned shows this run beside the released one.

        Parameters
        ----------
        name : ``"L05.inverted-needs-layer1"``: the lesson, and what is claimed
        values : one number a seed, in ``unit``, positive where they are as ``name`` says
        unit : ``"points"``, ``"labels"`` or the like
        kind : ``direction``, ``equivalent(margin)`` or ``unresolved`` of :mod:`transferlab.evaluation.claims`

        Raises
        ------
        UserError
            when the name is not of this lesson, or the values are not a finite number for each of two seeds.
        """
        number, separator, words = name.partition(".")
        if number != f"L{self.lesson[:2]}" or not separator or not words:
            raise UserError(
                f"the claim {name!r} of lesson {self.lesson[:2]} starts with 'L{self.lesson[:2]}.'."
            )
        claim = make_claim(name, values, unit, kind)
        self.claims[name] = claim
        write_claims(self.path, ClaimsFile(self.lesson, self.profile, self.source, dict(self.claims)))
        stored = self.released.get(name)
        if stored is not None and stored.kind != kind:
            stored = replace(stored, kind=kind)
        return Recorded(claim, stored)


def open_ledger(lesson: str, profile: str) -> Ledger:
    """The ledger of this run of a lesson, by its number.

    It is written to the folder ``claims`` beside the notebook. Released claims are only read: a run of the
    command ``transferlab course run --profile report`` replaces them.
    """
    [(name, source)] = chosen_lessons([lesson]).items()
    path = Path(FOLDER) / f"{name[:2]}.json"
    return Ledger(name, profile, path, released_of(name), lesson_hash(source))
