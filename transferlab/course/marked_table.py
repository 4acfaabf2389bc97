"""A generated table between two markers of a page; everything else on the page stays."""

from __future__ import annotations

from pathlib import Path

from transferlab.errors import UserError
from transferlab.whole_file import write_text

END = "<!-- end of table -->"


def begin(name: str) -> str:
    """The marker before the table of that name.

    Examples
    --------
    >>> begin("sources")
    '<!-- table: sources -->'
    """
    return f"<!-- table: {name} -->"


def with_table(page: str, name: str, table: str) -> str:
    r"""``page`` with ``table``, which ends with a line's end, in the place of the old one.

    Raises
    ------
    UserError
        when the page has no place, or no single one, for this table.

    Examples
    --------
    >>> with_table("a\n<!-- table: x -->\nold\n<!-- end of table -->\nb\n", "x", "new\n")
    'a\n<!-- table: x -->\nnew\n<!-- end of table -->\nb\n'
    """
    before, _, rest = page.partition(f"{begin(name)}\n")
    old, found, after = rest.partition(END)
    if page.count(begin(name)) != 1 or not found or "<!-- table: " in old:
        raise UserError(
            f"the page has no place for a table; put {begin(name)} and {END} into it, a line each, once."
        )
    return f"{before}{begin(name)}\n{table}{END}{after}"


def write_table(page: Path, name: str, table: str) -> None:
    """The same in a file, which is written whole or not at all."""
    new = with_table(page.read_text(encoding="utf-8"), name, table)
    write_text(page, new)
