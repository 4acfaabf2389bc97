"""Label files of several people as one: what they agree on, where they differ, and how much beyond chance."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from transferlab.active.label_file import LabelFile
from transferlab.active.label_rows import Row, latest, write_row
from transferlab.data.listing import shown
from transferlab.errors import UserError
from transferlab.evaluation.intervals import Interval, percentile_ends, wilson
from transferlab.whole_file import write_whole


@dataclass(frozen=True)
class Conflict:
    """An image on which people differ: person to label, None for "none of these"."""

    image: str
    said: Mapping[str, str | None]


@dataclass(frozen=True)
class Agreement:
    """How far two people agree on the ``n`` images that both answered.

    raw : share of equal answers with Wilson's interval, None where ``n`` is 0
    kappa : agreement beyond chance (Cohen 1960), with the percentile interval ``low`` to ``high`` of a bootstrap over
        images; NaN where it is not defined: no common image, or one and the same answer throughout
    """

    people: tuple[str, str]
    n: int
    raw: Interval | None
    kappa: float
    low: float
    high: float


@dataclass(frozen=True)
class Merged:
    """Several people's answers as one.

    labels : image to label, where everyone who did not skip says the same (one person alone, too)
    conflicts : the other images; none : images that are none of the classes, as everyone says
    agreements : one a pair of people; rows : the rows that ``labels`` and ``none`` make in a label file
    """

    labels: Mapping[str, str]
    conflicts: tuple[Conflict, ...]
    none: tuple[str, ...]
    agreements: tuple[Agreement, ...]
    rows: tuple[Row, ...]


def merge(files: Sequence[LabelFile | str | os.PathLike], *, draws: int = 2000, seed: int = 0) -> Merged:
    """Put label files together.

    Of each person in each file the last answer that stands counts. A skip says nothing; "none of these" is an answer
    like a label. A person is called as in the column ``who``, or as the file where that is empty; one who answers in
    two files counts as two, which tells how far they agree with themselves.

    Parameters
    ----------
    files : label files or their paths, at least one; draws, seed : of the bootstrap of kappa

    Raises
    ------
    UserError
        when a file is not there, is named twice or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> for who, labels in {"ann": "ccd", "ben": "cdd"}.items():
    ...     file = LabelFile(f"{folder}/{who}.csv", who=who)
    ...     for image, label in enumerate(labels):
    ...         file.add(f"{image}.png", label)
    >>> merged = merge([f"{folder}/ann.csv", f"{folder}/ben.csv"])
    >>> dict(merged.labels), merged.conflicts
    ({'0.png': 'c', '2.png': 'd'}, (Conflict(image='1.png', said={'ann': 'c', 'ben': 'd'}),))
    >>> round(merged.agreements[0].kappa, 3), merged.agreements[0].n
    (0.4, 3)
    """
    people = _people([f if isinstance(f, LabelFile) else LabelFile(f) for f in files])
    images = dict.fromkeys(image for said in people.values() for image in said)
    labels, conflicts, none, rows = {}, [], [], []
    for image in images:
        said = {person: answers[image] for person, answers in people.items() if image in answers}
        if len({row.label for row in said.values()}) > 1:
            conflicts.append(Conflict(image, {person: row.label for person, row in said.items()}))
            continue
        rows.append(_joined(said))
        if rows[-1].label is None:
            none.append(image)
        else:
            labels[image] = rows[-1].label
    agreements = tuple(
        _agreement(pair, people[pair[0]], people[pair[1]], draws, seed) for pair in combinations(people, 2)
    )
    return Merged(labels, tuple(conflicts), tuple(none), agreements, tuple(rows))


def write_merged(merged: Merged, path: str | os.PathLike) -> None:
    """Write what people agree on as a new label file, whole; images in conflict are left out, to be asked again.

    ``who`` names everyone who said so, ``when`` the last of them, ``price`` what all of them cost.

    Raises
    ------
    UserError
        when there is such a file already, or it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "both.csv"
    >>> row = Row("1.png", "cat", "label", "ann & ben", "2025-01-01T12:00:00Z", 2.0)
    >>> write_merged(Merged({"1.png": "cat"}, (), (), (), (row,)), path)
    >>> LabelFile(path).labels()
    {'1.png': 'cat'}
    """
    path, name = Path(path), shown(str(path))
    if os.path.lexists(path):
        raise UserError(f"{name!r} is there already and was not changed; name another file to merge into.")
    content = write_row() + b"".join(map(write_row, merged.rows))
    try:
        write_whole(path, lambda temporary: Path(temporary).write_bytes(content))
    except OSError as error:
        raise UserError(
            f"{name!r} cannot be written ({error.strerror or error}); name another file."
        ) from None


def cohen_kappa(
    first: Sequence, second: Sequence, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """Cohen's kappa (1960) of two people's answers, and the ends of its percentile bootstrap interval over images.

    (observed - expected) / (1 - expected), where expected is the agreement of independent answers with each person's
    own shares. Draws without a kappa are left out. Where people always agree the interval is a point, and says less
    than that of the raw agreement.

    Returns
    -------
    kappa, low, high; all NaN where both give one and the same answer throughout, or there is none.

    Examples
    --------
    >>> kappa, low, high = cohen_kappa(list("aabb") * 9, list("aaba") * 9)
    >>> kappa, low < kappa < high
    (0.5, True)
    """
    pairs = Counter(zip(first, second, strict=True))
    if not pairs:
        return (np.nan,) * 3
    answers = {answer: place for place, answer in enumerate(dict.fromkeys(a for pair in pairs for a in pair))}
    left, right = (np.array([answers[pair[side]] for pair in pairs]) for side in (0, 1))
    counts, one_hot = np.array(list(pairs.values())), np.eye(len(answers))
    estimate = float(_kappas(counts[None], left, right, one_hot)[0])
    drawn = np.random.default_rng(seed).multinomial(counts.sum(), counts / counts.sum(), size=draws)
    kappas = _kappas(drawn, left, right, one_hot)
    kappas = kappas[np.isfinite(kappas)]
    if np.isnan(estimate) or not len(kappas):
        return estimate, np.nan, np.nan
    return estimate, *percentile_ends(kappas, estimate, level)


def _kappas(counts, left, right, one_hot) -> np.ndarray:
    """Kappa of each row of ``counts``, how often each kind of pair was drawn; NaN where chance alone agrees."""
    n = counts.sum(1)
    observed = counts @ (left == right)
    expected = ((counts @ one_hot[left]) * (counts @ one_hot[right])).sum(
        1
    )  # whole numbers, so compared exactly
    with np.errstate(invalid="ignore"):
        return np.where(expected == n * n, np.nan, (n * observed - expected) / (n * n - expected))


def _agreement(pair, first, second, draws: int, seed: int) -> Agreement:
    common = [image for image in first if image in second]
    left, right = ([said[image].label for image in common] for said in (first, second))
    equal = sum(a == b for a, b in zip(left, right, strict=True))
    kappa, low, high = cohen_kappa(left, right, draws=draws, seed=seed)
    return Agreement(pair, len(common), wilson(equal, len(common)) if common else None, kappa, low, high)


def _people(files: Sequence[LabelFile]) -> dict[str, dict[str, Row]]:
    """Person to image to the answer that stands, without skips; names are made different."""
    paths = [file.path for file in files]
    for file in files:
        name = shown(str(file.path))
        if paths.count(file.path) > 1:
            raise UserError(f"the label file {name!r} is named twice; name each file once.")
        if not file.path.is_file():
            raise UserError(f"there is no label file {name!r}; name the files to merge.")
    if not files:
        raise UserError("there is no label file to merge; name at least one.")
    found: dict[tuple[Path, str], dict[str, Row]] = {}
    for file in files:
        for (who, image), row in latest(file.rows()).items():
            if row.answer != "skip":
                found.setdefault((file.path, who), {})[image] = row
    called = Counter(who or path.stem for path, who in found)
    return {
        (name if called[name := who or path.stem] == 1 else f"{name} ({shown(str(path))})"): said
        for (path, who), said in found.items()
    }


def _joined(said: Mapping[str, Row]) -> Row:
    rows = list(said.values())
    return replace(
        rows[0],
        who=" & ".join(said),
        when=max(row.when for row in rows),
        price=sum(row.price for row in rows),
    )
