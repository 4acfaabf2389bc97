"""One source of a lesson to its two editions: with exercises for learners, and with their solutions."""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
from nbformat import NotebookNode

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def read_source(path: Path) -> NotebookNode:
    """The source as a notebook with all cells; its cells' ids follow from their place."""
    notebook = jupytext.read(path)
    number = re.sub(r"\W", "", path.stem)[:2]
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"lesson-{number}-{place:03d}"
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(KERNEL), language_info=NotebookNode(name="python")
    )
    return notebook


def tags(cell: NotebookNode) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", ()))


def learner_edition(source: NotebookNode) -> NotebookNode:
    """Exercises stay as they are, solutions are left out."""
    return _with_cells(source, [c for c in source.cells if "solution" not in tags(c)])


def solution_edition(source: NotebookNode) -> NotebookNode:
    """Each exercise gives way to its solution."""
    return _with_cells(source, [c for c in source.cells if "exercise" not in tags(c)])


EDITIONS = {"learner": learner_edition, "solution": solution_edition}


def _with_cells(source: NotebookNode, cells: list[NotebookNode]) -> NotebookNode:
    return NotebookNode(
        nbformat=4, nbformat_minor=5, metadata=source.metadata, cells=[c.copy() for c in cells]
    )


def differences(built: NotebookNode, committed: NotebookNode) -> list[str]:
    """Where the cells of two notebooks differ in kind, source or tags; outputs do not count."""
    found = []
    if len(built.cells) != len(committed.cells):
        found.append(f"{len(committed.cells)} cells instead of {len(built.cells)}")
    for place, (new, old) in enumerate(zip(built.cells, committed.cells, strict=False)):
        for what, one, other in (
            ("kind", new.cell_type, old.cell_type),
            ("source", new.source, old.source),
            ("tags", tags(new), tags(old)),
        ):
            if one != other:
                found.append(f"cell {place + 1} differs in its {what}")
    return found
