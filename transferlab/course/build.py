"""Build the notebooks of lessons from their sources, and see whether they are in step."""

from __future__ import annotations

import base64
import io
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from transferlab.course.contract import contract_problems, output_problems
from transferlab.course.editions import differences, learner_edition, read_source, solution_edition
from transferlab.course.execute import NotebookError, Spent, execute
from transferlab.course.lessons import chosen_lessons
from transferlab.errors import UserError
from transferlab.resources import notebook_folder
from transferlab.whole_file import write_text

SOLUTIONS = "solutions"
MOST_BYTES = 1_000_000
_BIG_PICTURE = 40_000  # bytes


def build(wanted: Sequence[str], tell: Callable[[str], object] = print) -> None:
    """Write ``notebooks/NN_name.ipynb`` for learners, executed, and ``notebooks/solutions/NN_name.ipynb``.

    Raises
    ------
    UserError
        in an installed package, or where a lesson breaks its contract, fails or grows too large.
    """
    folder = checkout_folder()
    lessons = chosen_lessons(wanted)
    for place, (name, path) in enumerate(lessons.items(), 1):
        source = read_source(path)
        problems = contract_problems(source)
        if problems:
            raise UserError(f"lesson {name} breaks its contract: {'; '.join(problems)}.")
        tell(f"{name} ({place} of {len(lessons)}): executing in the lesson profile")
        try:
            notebook, spent = executed(learner_edition(source))
        except (NotebookError, UserError) as error:
            raise UserError(f"lesson {name} was not built: {error}") from error
        text = nbformat.writes(notebook)
        if len(text.encode()) > MOST_BYTES:
            raise UserError(
                f"lesson {name} would be {len(text.encode()):,} bytes, more than {MOST_BYTES:,}; show fewer pictures."
            )
        write_notebook(notebook, folder / f"{name}.ipynb")
        (folder / SOLUTIONS).mkdir(exist_ok=True)
        write_notebook(solution_edition(source), folder / SOLUTIONS / f"{name}.ipynb")
        tell(f"{name}: {spent}  {len(text.encode()) / 1e6:.2f} MB")


def out_of_step(wanted: Sequence[str]) -> dict[str, list[str]]:
    """Lesson to what is wrong with its committed notebook, or its source; empty where all is well."""
    folder = notebook_folder()
    found = {}
    for name, path in chosen_lessons(wanted).items():
        source, file = read_source(path), folder / f"{name}.ipynb"
        problems = contract_problems(source)
        if not file.is_file():
            problems.append("it was never built")
        else:
            committed = nbformat.read(file, as_version=4)
            problems += differences(learner_edition(source), committed)
            problems += output_problems(committed)
            if file.stat().st_size > MOST_BYTES:
                problems.append(f"its notebook has more than {MOST_BYTES:,} bytes")
        if problems:
            found[name] = problems
    return found


def checkout_folder() -> Path:
    """The folder of notebooks in a checkout; an installed package's are not to be written."""
    folder = notebook_folder()
    if folder.name.startswith("_"):
        raise UserError("lessons are built in a checkout of the repository, not in an installed package.")
    return folder


def executed(notebook: NotebookNode) -> tuple[NotebookNode, Spent]:
    """``notebook`` with its outputs in the profile that it names, without what differs from run to run."""
    kept = os.environ.pop("TRANSFERLAB_PROFILE", None)
    try:
        with tempfile.TemporaryDirectory() as folder:
            source, out = Path(folder, "lesson.ipynb"), Path(folder, "out.ipynb")
            write_notebook(notebook, source)
            spent = execute(source, out, {}, cwd=Path(folder))
            return stripped(nbformat.read(out, as_version=4)), spent
    finally:
        if kept is not None:
            os.environ["TRANSFERLAB_PROFILE"] = kept


def stripped(notebook: NotebookNode) -> NotebookNode:
    """Outputs, counts and ids stay; times, versions, widgets and stderr go; large pictures get a palette."""
    notebook.metadata = NotebookNode({
        "kernelspec": notebook.metadata["kernelspec"],
        "language_info": NotebookNode(name="python"),
    })  # fmt: skip
    for cell in notebook.cells:
        for key in ("execution", "papermill"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
            for output in cell.outputs:
                _drop_view(output)
                picture = output.get("data", {}).get("image/png")
                if picture and len(picture) > _BIG_PICTURE:
                    output["data"]["image/png"] = _with_palette(picture)
    return notebook


def _drop_view(output: NotebookNode) -> None:
    """A widget whose kernel is gone shows as an error; its picture or page stands in its place."""
    data = output.get("data", {})
    if len(data) > 1:
        data.pop("application/vnd.jupyter.widget-view+json", None)


def _with_palette(png: str) -> str:
    """The same picture in 256 colours where that is smaller."""
    from PIL import Image

    file = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    small = base64.b64encode(file.getvalue()).decode("ascii")
    return small if len(small) < len(png) else png


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write ``path``, whole or not at all."""
    text = nbformat.writes(notebook) + "\n"
    write_text(path, text)
