"""Released claims: what the ``report`` profile found, kept beside the lessons in ``claims/NN.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from transferlab.course.lessons import lesson_sources
from transferlab.course.source_hash import lesson_hash
from transferlab.errors import UserError
from transferlab.evaluation.claims import Claim, contradicted, from_json, said, to_json, unsupported
from transferlab.resources import notebook_folder
from transferlab.whole_file import write_text

FOLDER = "claims"


@dataclass(frozen=True)
class ClaimsFile:
    """The claims of one run of a lesson, the profile it ran in, and the hash of the code that made them."""

    lesson: str
    profile: str
    source: str
    claims: Mapping[str, Claim]


def read_claims(path: Path) -> ClaimsFile:
    """What :func:`write_claims` wrote.

    Raises
    ------
    UserError
        when the file is not one of claims.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        claims = {name: from_json(name, each) for name, each in stored["claims"].items()}
        return ClaimsFile(stored["lesson"], stored["profile"], stored["source"], claims)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path.name} holds no claims ({error}); restore it, or run its lesson again."
        ) from None


def write_claims(path: Path, file: ClaimsFile) -> None:
    """Write ``path``, whole or not at all."""
    stored = {
        "lesson": file.lesson, "profile": file.profile, "source": file.source,
        "claims": {name: to_json(claim) for name, claim in file.claims.items()},
    }  # fmt: skip
    text = json.dumps(stored, indent=1) + "\n"
    write_text(path, text)


def released_claims() -> dict[str, ClaimsFile]:
    """Number of a lesson to what was released of it."""
    return {path.stem: read_claims(path) for path in sorted((notebook_folder() / FOLDER).glob("*.json"))}


def released_of(lesson: str) -> Mapping[str, Claim]:
    """The released claims of a lesson by its number; none where it was never released."""
    path = notebook_folder() / FOLDER / f"{lesson[:2]}.json"
    return read_claims(path).claims if path.is_file() else {}


def is_checkout() -> bool:
    """Whether the lessons here are the repository's own, to be written to."""
    return not notebook_folder().name.startswith("_")


def release(file: ClaimsFile) -> Path:
    """Put the claims of a ``report`` run in a checkout in the place of the released ones."""
    path = notebook_folder() / FOLDER / f"{file.lesson[:2]}.json"
    write_claims(path, file)
    return path


def claim_problems() -> list[str]:
    """Sentences on released claims that are out of date, missing, or not supported by their evidence."""
    files, sources = released_claims(), lesson_sources()
    names = {name[:2]: name for name in sources}
    found = [f"lesson {name} has no released claims" for number, name in names.items() if number not in files]
    for number, file in files.items():
        if number not in names:
            found.append(f"claims/{number}.json belongs to no lesson")
        elif file.source != lesson_hash(sources[names[number]]):
            found.append(
                f"claims/{number}.json is older than its lesson: transferlab course run {number} --profile report"
            )
    every = [claim for file in files.values() for claim in file.claims.values()]
    return found + [f"{name}: {sentence}" for name, sentence in unsupported(every).items()]


def sign_problems(run: Path) -> list[str]:
    """Large released directions that a smaller run sees the other way round."""
    file = read_claims(run)
    found = contradicted(file.claims, released_of(file.lesson))
    return [f"{name}: {sentence}" for name, sentence in found.items()]


def claim_lines() -> list[str]:
    """All released claims, a line each, with what their evidence says."""
    files = released_claims()
    missing = unsupported([claim for file in files.values() for claim in file.claims.values()])
    width = max((len(name) for file in files.values() for name in file.claims), default=0)
    return [
        f"{name:<{width}} {claim.kind!s:<16} {'not shown' if name in missing else 'shown':<10} {said(claim)}"
        for file in files.values()
        for name, claim in file.claims.items()
    ]
