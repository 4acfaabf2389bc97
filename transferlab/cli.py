"""The command ``transferlab``. Heavy imports wait until a command needs them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from transferlab.cli_course import course_app, interruptible
from transferlab.cli_report import Backbone, Device, Labelled, WhereToRun, report_app
from transferlab.errors import UserError

app = typer.Typer(
    help="Learn and do transfer learning for convolutional networks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
active_app = typer.Typer(help="Label images where labels teach most.", no_args_is_help=True)
models_app = typer.Typer(help="The networks that come with transferlab.", no_args_is_help=True)
app.add_typer(report_app, name="report")
app.add_typer(course_app, name="course")
app.add_typer(models_app, name="models")
app.add_typer(active_app, name="active")


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="The model folder of a report.")],
    images: Annotated[Path, typer.Argument(help="A folder of images, or one image.")],
    out: Annotated[Path | None, typer.Option(help="CSV file to write; printed when left out.")] = None,
    device: WhereToRun = Device.auto,
) -> None:
    """Write path, label and probability of each image as CSV."""
    from transferlab.reports.predict import write_predictions

    write_predictions(model, images, out, str(device))


@active_app.callback()
def active() -> None:
    """Label images where labels teach most."""


@active_app.command("next")
def active_next(  # noqa: PLR0917 (typer calls it by name)
    images: Labelled,
    unlabelled: Annotated[Path, typer.Option(help="Folder of the images to choose from.")],
    n: Annotated[int, typer.Option(min=1, help="Images to choose.")] = 20,
    strategy: Annotated[
        str, typer.Option(help="How to choose; an unknown name lists them.")
    ] = "typical-then-uncertain",
    labels: Annotated[Path | None, typer.Option(help="Label file with answers about these images.")] = None,
    backbone: Backbone = "tiny",
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn, and of ties.")] = 0,
    device: WhereToRun = Device.auto,
    out: Annotated[Path, typer.Option(help="Folder for next.csv and next.html.")] = Path("next-images"),
) -> None:
    """Choose the next images to label; writes next.csv to fill in and next.html to look at."""
    from transferlab.reports.next_images import (
        check_labels,
        check_place,
        check_strategy,
        next_images,
        write_next,
    )

    check_strategy(strategy)
    check_place(out, unlabelled)
    if labels is not None:
        check_labels(labels, unlabelled)
    with interruptible():
        found = next_images(
            images, unlabelled, n=n, strategy=strategy, labels=labels, backbone=backbone, seed=seed,
            device=str(device),
        )  # fmt: skip
        page = write_next(found, unlabelled, out)
    print(f"{len(found.names)} images to label are in {page.with_suffix('.csv').resolve()}")
    print(f"Look at them in {page.resolve()}")


@app.command()
def lab(
    folder: Annotated[Path, typer.Argument(help="Where the lessons are copied to.")] = Path(
        "transferlab-lessons"
    ),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser.")] = True,
    port: Annotated[int, typer.Option(min=1024, max=65535, help="The next free one from here on.")] = 8888,
) -> None:
    """Copy the lessons to a folder, never over your edits, and open JupyterLab there."""
    from transferlab.course.copies import copy_lessons
    from transferlab.course.lab import open_lab

    for line in copy_lessons(folder):
        print(line)
    with interruptible("JupyterLab has ended, and your lessons are kept"):
        open_lab(folder, port=port, browser=browser)


@models_app.callback()
def models() -> None:
    """The networks that come with transferlab."""


@models_app.command("list")
def models_list() -> None:
    """List the bundled networks with their size, accuracy and licence."""
    from transferlab.reports.models import model_lines

    for line in model_lines():
        print(line)


@models_app.command("score")
def models_score(  # noqa: PLR0917 (typer calls it by name)
    images: Annotated[str, typer.Argument(help="A folder, a CSV file, a bundled set or torchvision/NAME.")],
    backbone: Annotated[
        list[str] | None,
        typer.Option(
            help="timm/NAME, torchvision/NAME or FILE.safetensors beside the bundled ones; repeatable."
        ),
    ] = None,
    labels_per_class: Annotated[int, typer.Option(min=0, help="Labels a class to use; 0: at most 20.")] = 0,
    device: WhereToRun = Device.auto,
    group_regex: Annotated[str, typer.Option(help="First capture group names what belongs together.")] = "",
    mirror: Annotated[str, typer.Option(help="Folder with torchvision's data sets, for use offline.")] = "",
) -> None:
    """Rank networks for your images before anything is trained; test labels stay sealed."""
    from transferlab.reports.source_scores import score_lines

    with interruptible():
        lines = score_lines(
            images, backbone or [], labels_per_class=labels_per_class, device=str(device),
            group_regex=group_regex, mirror=mirror, tell=lambda line: print(line, file=sys.stderr, flush=True),
        )  # fmt: skip
    for line in lines:
        print(line)


@app.command()
def doctor() -> None:
    """Say in ten lines what is installed, which device there is, and what will work."""
    from transferlab.doctor import doctor_lines

    for line in doctor_lines():
        print(line)


def main() -> None:
    """Run the command line; an ordinary mistake ends in one sentence and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"transferlab: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # ``| head`` has read enough
        sys.stderr.close()
        sys.exit(0)
