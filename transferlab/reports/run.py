"""Run a parametrized notebook and put the whole report in place at once."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from pathlib import Path

import jupytext
import nbformat

from transferlab.course.execute import execute
from transferlab.course.parameters import checked_parameters, parse_pairs
from transferlab.errors import UserError
from transferlab.reports.html import export_html
from transferlab.resources import notebook

CONTENTS = {"report.html", "report.ipynb", "results.json", "model"}


def run_report(
    template: str, parameters: dict, out: Path, *, title: str, extra: list[str] = (), command: str = ""
) -> Path:
    """Execute ``template`` with ``parameters`` and write the report folder ``out``, whole or not at all.

    Parameters
    ----------
    template : name of a notebook, such as ``"reports/transfer_report"``
    parameters : values of its parameters; checked before anything runs
    out : absent, empty, or an earlier report, which is then replaced
    extra : further parameters as ``NAME=VALUE``
    command : the command line that asked for it, which the report states

    Returns
    -------
    path of ``report.html``

    Raises
    ------
    UserError
        for unknown or mistyped parameters, an ``out`` that holds something else, or bad input that the
        notebook met.
    """
    out = Path(out)
    check_out(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        source = staging / "source.ipynb"
        nbformat.write(jupytext.read(notebook(template)), source)
        values = checked_parameters(source, {**parameters, **parse_pairs(extra)}, hidden=("out", "command"))
        execute(source, staging / "report.ipynb", {**values, "command": command, "out": str(staging)})
        source.unlink()
        _forget_place(staging / "report.ipynb", staging)
        export_html(staging / "report.ipynb", staging / "report.html", title)
        _put_in_place(staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return out / "report.html"


def check_out(out: Path) -> None:
    """Refuse an ``out`` in which something would be lost."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UserError(f"--out {str(out)!r} is not a folder; name a new one.")
    inside = {p.name for p in out.iterdir()} if out.exists() else set()
    if inside and (not inside <= CONTENTS or not _is_report(out)):
        raise UserError(f"--out {str(out)!r} holds files that are no report; name a new or empty folder.")


def _is_report(folder: Path) -> bool:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return "kind" in json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return False


def _forget_place(notebook_file: Path, staging: Path) -> None:
    """The report lies elsewhere in the end: name no folder that will be gone."""
    text = notebook_file.read_text(encoding="utf-8")
    notebook_file.write_text(text.replace(json.dumps(str(staging))[1:-1], "."), encoding="utf-8")


def _put_in_place(staging: Path, out: Path) -> None:
    staging.chmod(0o755)
    if out.exists():
        old = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.old."))
        out.rename(old / out.name)
        try:
            staging.rename(out)
        except OSError:
            (old / out.name).rename(out)
            raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
    else:
        staging.rename(out)
