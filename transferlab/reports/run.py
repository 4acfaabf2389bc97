"""Run a parametrized notebook and put the whole report in place at once."""

from __future__ import annotations

import ast
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from papermill.exceptions import PapermillExecutionError

from transferlab.errors import UserError
from transferlab.reports.html import export_html
from transferlab.resources import notebook

CONTENTS = {"report.html", "report.ipynb", "results.json", "model"}


def run_report(template: str, parameters: dict, out: Path, *, title: str, extra: list[str] = ()) -> Path:
    """Execute ``template`` with ``parameters`` and write the report folder ``out``, whole or not at all.

    Parameters
    ----------
    template : name of a notebook, such as ``"reports/transfer_report"``
    parameters : values of its parameters; checked before anything runs
    out : absent, empty, or an earlier report, which is then replaced
    extra : further parameters as ``NAME=VALUE``

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
        values = checked_parameters(source, {**parameters, **parse_pairs(extra)})
        _execute(source, staging, values)
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
            raise UserError(f"-p {pair!r} is not NAME=VALUE; write for example -p seeds=3.")
        try:
            values[name.strip()] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            values[name.strip()] = text
    return values


def checked_parameters(notebook_file: Path, given: dict) -> dict:
    """``given`` if the notebook has every name and the types are those of its annotations."""
    known = papermill.inspect_notebook(str(notebook_file))
    types = {"str": str, "int": int, "float": (int, float), "list": list, "bool": bool}
    for name, value in given.items():
        if name == "out" or name not in known:
            names = ", ".join(sorted(set(known) - {"out"}))
            raise UserError(f"there is no parameter {name!r}; use one of {names}.")
        wanted = known[name]["inferred_type_name"]
        right = isinstance(value, types[wanted]) and (wanted == "bool" or not isinstance(value, bool))
        if not right:
            raise UserError(f"parameter {name} takes {_article(wanted)}, not {value!r}.")
    return given


def _article(kind: str) -> str:
    words = {"str": "text", "int": "a whole number", "float": "a number", "list": "a list such as [5, 10]"}
    return words.get(kind, "True or False")


class _QuietKernelManager(AsyncKernelManager):
    """Lets nothing of the kernel's own log through; what cells write comes by another way."""

    async def _async_launch_kernel(self, kernel_cmd, **kwargs):
        await super()._async_launch_kernel(kernel_cmd, **{**kwargs, "stderr": subprocess.DEVNULL})


def _execute(source: Path, staging: Path, parameters: dict) -> None:
    try:
        papermill.execute_notebook(
            str(source),
            str(staging / "report.ipynb"),
            {**parameters, "out": str(staging)},
            kernel_name="python3",
            progress_bar=False,
            stderr_file=sys.stderr,
            kernel_manager_class=_QuietKernelManager,
        )
    except PapermillExecutionError as error:
        if error.ename == "UserError":
            raise UserError(error.evalue) from None
        raise


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
