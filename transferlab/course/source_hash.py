"""What code is, apart from how it is written: a hash that tells when stored results are out of date."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

from transferlab.course.editions import read_source, tags

_COURSE = Path(__file__).resolve().parent
_NOT_RUN = {"exercise", "solution", "widget", "plain-pytorch"}


def lesson_hash(source: Path) -> str:
    """SHA-256 over a lesson's code cells and its own modules; prose, comments and exercises do not count."""
    cells = [c.source for c in read_source(source).cells if c.cell_type == "code" and not tags(c) & _NOT_RUN]
    modules = sorted(_COURSE.glob(f"lesson{source.stem[:2]}*.py"))
    return code_hash([*cells, *(module.read_text(encoding="utf-8") for module in modules)])


def code_hash(texts: list[str]) -> str:
    """SHA-256 over what Python texts do: their syntax trees without docstrings.

    Examples
    --------
    >>> code_hash(["x = 1  # one"]) == code_hash(["x  =  1"]), code_hash(["x = 1"]) == code_hash(["x = 2"])
    (True, False)
    """
    h = hashlib.sha256()
    for text in texts:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            _drop_docstring(node)
        h.update(ast.unparse(tree).encode() + b"\0")
    return h.hexdigest()


def _drop_docstring(node: ast.AST) -> None:
    if isinstance(
        node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    ) and ast.get_docstring(node):
        node.body = node.body[1:] or [ast.Pass()]
