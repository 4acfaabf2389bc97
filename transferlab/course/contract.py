"""What every lesson keeps to, so that it can be parametrized, validated and learnt from."""

from __future__ import annotations

import ast
from statistics import median

from nbformat import NotebookNode

from transferlab.course.editions import tags
from transferlab.course.ledger import UNRELEASED

PARAMETERS = ("task", "backbone", "device", "profile", "seed")
CHECKED, PLAIN = "nbval-check-output", "plain-pytorch"
_LEAST_CHECKED, _MOST_LINES, _MEDIAN_LINES = 5, 25, 5


def contract_problems(source: NotebookNode) -> list[str]:
    """Sentences on what a lesson's source (with all cells) does not keep to; none where all is well."""
    broken = [f"cell {place} is no Python" for place, cell in enumerate(source.cells, 1) if not _parses(cell)]
    if broken:
        return broken
    return [
        *_parameter_problems(source),
        *_exercise_problems(source),
        *_answer_problems(source),
        *_length_problems(source),
        *_count_problems(source),
    ]


def output_problems(notebook: NotebookNode) -> list[str]:
    """What a built notebook lacks: without counts and outputs validation compares nothing."""
    found = []
    for place, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code":
            continue
        if cell.execution_count is None:
            found.append(f"cell {place} has no execution count")
        if CHECKED in tags(cell) and not any(_text(o) for o in cell.outputs):
            found.append(f"cell {place} is tagged {CHECKED} but has no output of text")
        if any(o.output_type == "error" for o in cell.outputs):
            found.append(f"cell {place} failed")
        if any(UNRELEASED in _text(o) for o in cell.outputs):
            found.append(f"cell {place} shows a claim without the released run; release it, then build")
    return found


def _text(output) -> str:
    return output.get("text", "") or output.get("data", {}).get("text/plain", "")


def _parses(cell) -> bool:
    try:
        return cell.cell_type != "code" or bool(ast.parse(cell.source))
    except SyntaxError:
        return False


def _code(source) -> list[NotebookNode]:
    return [cell for cell in source.cells if cell.cell_type == "code"]


def _parameter_problems(source) -> list[str]:
    cells = [cell for cell in _code(source) if "parameters" in tags(cell)]
    if len(cells) != 1:
        return [f"there are {len(cells)} cells tagged parameters, not one"]
    body = ast.parse(cells[0].source).body
    names = []
    for statement in body:
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            return ["the parameters cell holds more than annotated names"]
        try:
            ast.literal_eval(statement.value)
        except (ValueError, TypeError):
            return [f"the parameter {statement.target.id} is no literal"]
        names.append(statement.target.id)
    return (
        []
        if tuple(names) == PARAMETERS
        else [f"the parameters are {', '.join(names)}, not {', '.join(PARAMETERS)}"]
    )


def _exercise_problems(source) -> list[str]:
    cells, found, exercises = source.cells, [], 0
    for place, cell in enumerate(cells):
        after = tags(cells[place + 1]) if place + 1 < len(cells) else set()
        before = tags(cells[place - 1]) if place else set()
        if "exercise" in tags(cell):
            exercises += 1
            if "solution" not in after:
                found.append(f"the exercise in cell {place + 1} is not followed by its solution")
        if "solution" in tags(cell) and "exercise" not in before:
            found.append(f"the solution in cell {place + 1} follows no exercise")
    return found if exercises else [*found, "there is no exercise"]


def _answer_problems(source) -> list[str]:
    """No later cell may use a name that an exercise or its solution binds, unless it was bound anew."""
    answers, found = set(), []
    for place, cell in enumerate(source.cells, 1):
        if cell.cell_type != "code":
            continue
        if tags(cell) & {"exercise", "solution"}:
            answers |= {name for statement in ast.parse(cell.source).body for name in _bound(statement)}
            continue
        for statement in ast.parse(cell.source).body:
            used = _loaded(statement) & answers
            found += [f"cell {place} uses {name!r}, which an exercise binds" for name in sorted(used)]
            answers -= _bound(statement)
    return found


def _bound(statement) -> set[str]:
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return names


def _loaded(statement) -> set[str]:
    inside = {
        n.id
        for node in ast.walk(statement)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
        for c in node.generators
        for n in ast.walk(c.target)
        if isinstance(n, ast.Name)
    }
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    changed = {n.target.id for n in ast.walk(statement) if _changes_a_name(n)}  # ``answer += 1`` reads it too
    return (names - inside) | changed


def _changes_a_name(node) -> bool:
    return isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)


def _length_problems(source) -> list[str]:
    lengths = {
        place: len(cell.source.splitlines())
        for place, cell in enumerate(source.cells, 1)
        if cell.cell_type == "code" and PLAIN not in tags(cell)
    }
    found = [
        f"cell {place} has {n} lines, more than {_MOST_LINES}"
        for place, n in lengths.items()
        if n > _MOST_LINES
    ]
    if lengths and median(lengths.values()) > _MEDIAN_LINES:
        found.append(f"half of the code cells have more than {_MEDIAN_LINES} lines")
    return found


def _count_problems(source) -> list[str]:
    checked = sum(CHECKED in tags(cell) for cell in _code(source))
    plain = [cell for cell in _code(source) if PLAIN in tags(cell)]
    found = []
    if checked < _LEAST_CHECKED:
        found.append(f"{checked} cells are tagged {CHECKED}, fewer than {_LEAST_CHECKED}")
    if len(plain) != 1:
        found.append(f"there are {len(plain)} cells tagged {PLAIN}, not one")
    if any(not cell.metadata.get("jupyter", {}).get("source_hidden") for cell in plain):
        found.append(f"the cell tagged {PLAIN} is not folded")
    prose = "\n".join(cell.source for cell in source.cells if cell.cell_type == "markdown")
    if "transferlab course run" not in prose:
        found.append("no line says how to run it on one's own folder")
    return found
