"""Parameters of a notebook: what was given is checked against its annotations before anything runs."""

from __future__ import annotations

import ast
from pathlib import Path

from transferlab.errors import UserError

_TYPES = {"str": str, "int": int, "float": (int, float), "list": list, "bool": bool}
_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "list": "a list such as [5, 10]"}


def parse_pairs(pairs: list[str]) -> dict:
    """``NAME=VALUE`` texts to values; what is no Python literal is text.

    Examples
    --------
    >>> parse_pairs(["seeds=2", "task=digits", "labels_per_class=[5, 10]"])
    {'seeds': 2, 'task': 'digits', 'labels_per_class': [5, 10]}
    """
    values = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator or not name:
            raise UserError(f"-p {pair!r} is not NAME=VALUE; write for example -p seed=3.")
        try:
            values[name.strip()] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            values[name.strip()] = text
    return values


def checked_parameters(notebook_file: Path, given: dict, hidden: tuple[str, ...] = ()) -> dict:
    """``given`` if the notebook has every name but ``hidden`` ones and the types are those of its annotations."""
    import papermill

    known = papermill.inspect_notebook(str(notebook_file))
    for name, value in given.items():
        if name in hidden or name not in known:
            names = ", ".join(sorted(set(known) - set(hidden)))
            raise UserError(f"there is no parameter {name!r}; use one of {names}.")
        wanted = known[name]["inferred_type_name"]
        right = isinstance(value, _TYPES[wanted]) and (wanted == "bool" or not isinstance(value, bool))
        if not right:
            raise UserError(f"parameter {name} takes {_WORDS.get(wanted, 'True or False')}, not {value!r}.")
    return given
