"""Networks ranked for a target before training: plain lines, a figure, and escaped HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from transferlab import viz
from transferlab.backbones import bundled_names
from transferlab.data import Task
from transferlab.evaluation import wilson
from transferlab.reports.transfer_study import load_report_task
from transferlab.transfer import RankedSource, Ranking, rank_sources

_MOST_LABELS = 20  # a class, where none was asked for
_REPORT_LABELS, _REPORT_IMAGES = 10, 500  # a class, and in all, of a report's ranking
_AS_ACCURACY = ("linear probe", "kNN")


def score_lines(
    images: str,
    backbones: Sequence[str],
    *,
    labels_per_class: int = 0,
    device: str = "auto",
    group_regex: str = "",
    mirror: str = "",
    tell: Callable[[str], object] = lambda line: None,
) -> list[str]:
    """A table of the bundled networks and ``backbones`` on ``images``, best first, as lines of text.

    Parameters
    ----------
    images : a folder, a CSV file, a bundled set or torchvision/NAME; its test stays sealed
    labels_per_class : labels a class to use, 0 for all up to 20
    tell : called with a line before each network

    Raises
    ------
    UserError
        for images that make no task, an unknown network, or more labels than there are.
    """
    names = candidates(backbones)
    task = load_report_task(images, names, group_regex=group_regex, mirror=mirror)
    labels = labels_per_class or min(_MOST_LABELS, task.labels_available)
    ranking = rank_sources(
        names, task.draw(labels, 0), device=device, progress=lambda name: tell(f"… {name}")
    )
    return table_lines(ranking, Path(images).name or images)


def candidates(backbones: Sequence[str]) -> list[str]:
    """``backbones`` and then the bundled networks, each once.

    Examples
    --------
    >>> candidates(["tiny"])[:2]
    ['tiny', 'tiny-ssl']
    """
    return list(dict.fromkeys([*backbones, *bundled_names()]))


def table_lines(ranking: Ranking, target: str) -> list[str]:
    """The ranking as aligned text; a dash is a score that is not defined, with the reason below."""
    scores = list(ranking.sources[0].scores)
    heads = ["source", *scores, "parameters", "source top-1", "seconds"]
    rows = [heads, *(_cells(source, scores) for source in ranking.sources)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    lines = ["  ".join(_aligned(cell, w, i) for i, (cell, w) in enumerate(zip(row, widths, strict=True))).rstrip()
             for row in rows]  # fmt: skip
    start = (
        f"{target}: {ranking.n} labelled images of {ranking.classes} classes, none of the test; "
        f"best first by {ranking.by}."
    )
    return [start, "", *lines, "", *(f"– {line}" for line in undefined(ranking))]


def undefined(ranking: Ranking) -> list[str]:
    """One sentence a reason: which scores of which sources are not defined, and why."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for source in ranking.sources:
        for score, reason in source.reasons.items():
            scores, names = found.setdefault(reason, ([], []))
            scores += [] if score in scores else [score]
            names += [] if source.name in names else [source.name]
    return [f"{', '.join(scores)} of {', '.join(names)}: {why}" for why, (scores, names) in found.items()]


def _cells(source: RankedSource, scores: Sequence[str]) -> list[str]:
    return [
        source.name,
        *(_shown(name, source.scores[name]) for name in scores),
        f"{source.parameters:,}",
        "–" if source.accuracy is None else f"{source.accuracy:.1%}",
        f"{source.seconds:.1f}",
    ]


def _shown(score: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if score in _AS_ACCURACY else f"{value:.3f}"


def _aligned(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column == 0 else cell.rjust(width)


def rank_for_report(task: Task, backbones: Sequence[str], *, seed: int = 0, device: str = "auto") -> Ranking:
    """The report's networks and the bundled ones on few labels of ``task``, for any number of classes."""
    most = max(2, _REPORT_IMAGES // len(task.classes))
    labels = min(_REPORT_LABELS, most, task.labels_available)
    return rank_sources(candidates(backbones), task.draw(labels, seed), device=device)


def ranking_figure(ranking: Ranking) -> viz.Card:
    """Accuracies on left-out labelled images with Wilson's intervals, in the order of the ranking."""
    shown = [s for s in _AS_ACCURACY if any(row.scores.get(s) is not None for row in ranking.sources)]
    titles = {"linear probe": "linear probe, cross-validated", "kNN": "nearest neighbours, left out"}
    panels = {
        titles[s]: {row.name: _spread(row.scores[s], ranking.n) for row in ranking.sources} for s in shown
    }
    first = ranking.sources[0]
    value, low, high = _spread(first.scores[shown[0]], ranking.n)
    finding = (
        f"{first.name} ranks first of {len(ranking.sources)} sources before training: {viz.percent(value)} by "
        f"{shown[0]} (95 % interval {viz.percent(low, '')} to {viz.percent(high, '')}, n = {ranking.n} labelled "
        "images, none of the test)"
    )
    return viz.dot_panels(panels, finding, foot="bar: 95 % interval (Wilson)", chance=1 / ranking.classes)


def _spread(value: float | None, n: int) -> tuple[float, float, float]:
    found = wilson(round((value or 0.0) * n), n)
    return found.estimate, found.low, found.high


def ranking_html(ranking: Ranking, backbones: Sequence[str]) -> str:
    """Where the report's own networks stand, and all scores in a folded table."""
    names = [source.name for source in ranking.sources]
    places = "; ".join(f"<strong>{escape(b)}</strong> is number {names.index(b) + 1}" for b in backbones)
    scores = list(ranking.sources[0].scores)
    heads = "".join(
        f"<th>{escape(h)}</th>" for h in ("source", *scores, "parameters", "source top-1", "seconds")
    )
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(source, scores)) + "</tr>"
        for source in ranking.sources
    )
    notes = "".join(f"<li>{escape(line)}</li>" for line in undefined(ranking))
    better = names[0] not in backbones
    advice = (
        f" To try the first one, run again with <code>--backbone {escape(names[0])}</code>." if better else ""
    )
    return (
        f"<p>Of {len(names)} sources, by {escape(ranking.by)} on {ranking.n} labelled images: {places}. Neighbours in "
        f"the order whose intervals overlap are not told apart.{advice}</p>"
        f"<details><summary>All scores</summary><table><tr>{heads}</tr>{body}</table>"
        f"<p>A dash is a score that is not defined:</p><ul>{notes}</ul></details>"
    )


def ranking_content(ranking: Ranking) -> dict:
    """What results.json keeps of it."""
    return {
        "by": ranking.by,
        "n": ranking.n,
        "sources": [
            {
                "name": s.name,
                "parameters": s.parameters,
                "scores": dict(s.scores),
                "undefined": dict(s.reasons),
                "seconds": s.seconds,
            }
            for s in ranking.sources
        ],
    }
