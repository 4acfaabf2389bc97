"""``transferlab report``: a folder with a page, a notebook and all numbers."""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from transferlab.cli_course import ProfileName, interruptible

report_app = typer.Typer(help="Run a report on images.", no_args_is_help=True)


_LEFT = {"active": "no report was written; curves that were done are kept for the next call"}


class Device(StrEnum):
    """Where it runs."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


Backbone = Annotated[str, typer.Option(help="tiny, timm/NAME, torchvision/NAME or FILE.safetensors.")]
Labelled = Annotated[
    str, typer.Argument(help="Labelled images: a folder, a CSV file, a bundled set or torchvision/NAME.")
]
WhereToRun = Annotated[Device, typer.Option(help="Where to run.")]
HowMuch = Annotated[ProfileName, typer.Option(help="How much to do.")]
Seeds = Annotated[int, typer.Option(min=0, help="Repetitions; 0 takes the profile's number.")]
Groups = Annotated[
    str, typer.Option(help="First capture group names what no split may straddle (patient, burst).")
]
Mirror = Annotated[str, typer.Option(help="Folder with torchvision's data sets, for use offline.")]
Out = Annotated[Path, typer.Option(help="Folder of the report.")]
Parameters = Annotated[
    list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="Any parameter of the notebook.")
]


@report_app.callback()
def report() -> None:
    """Run a report on images."""


@report_app.command("transfer")
def report_transfer(  # noqa: PLR0917 (typer calls it by name)
    images: Annotated[
        str, typer.Argument(help="A folder, a CSV file, a bundled set or torchvision/NAME.")
    ] = "materials",
    backbone: Annotated[
        list[str] | None,
        typer.Option(help="tiny, timm/NAME, torchvision/NAME or FILE.safetensors; may be repeated. [tiny]"),
    ] = None,
    labels_per_class: Annotated[
        list[int] | None, typer.Option(help="Labels a class, validation included; may be repeated.")
    ] = None,
    profile: HowMuch = ProfileName.lesson,
    device: WhereToRun = Device.auto,
    seeds: Seeds = 0,
    group_regex: Groups = "",
    mirror: Mirror = "",
    out: Out = Path("transfer-report"),
    parameter: Parameters = None,
) -> None:
    """Compare ways to transfer on images and recommend one; writes a folder with report.html."""
    parameters = {
        "task": images, "backbones": backbone or ["tiny"], "labels_per_class": labels_per_class or [],
        "profile": str(profile), "device": str(device), "seeds": seeds, "group_regex": group_regex, "mirror": mirror,
    }  # fmt: skip
    _report("transfer", parameters, [images], out, parameter)


@report_app.command("adaptation")
def report_adaptation(  # noqa: PLR0917 (typer calls it by name)
    source: Labelled,
    target: Annotated[
        str, typer.Argument(help="Images to adapt to: the same, or a folder without class folders.")
    ],
    backbone: Backbone = "tiny",
    profile: HowMuch = ProfileName.lesson,
    device: WhereToRun = Device.auto,
    seeds: Seeds = 0,
    resolution: Annotated[
        int, typer.Option(min=0, help="Pixels a side for both domains; 0 takes the smaller of their own.")
    ] = 0,
    group_regex: Groups = "",
    mirror: Mirror = "",
    out: Out = Path("adaptation-report"),
    parameter: Parameters = None,
) -> None:
    """Adapt a model from labelled SOURCE to TARGET, whose labels choose nothing; writes a folder with report.html."""
    from transferlab.reports.adaptation_domains import check_domains
    from transferlab.reports.run import check_out

    check_out(out)
    check_domains(source, target)  # before a kernel starts
    parameters = {
        "source": source, "target": target, "backbone": backbone, "profile": str(profile), "device": str(device),
        "seeds": seeds, "resolution": resolution, "group_regex": group_regex, "mirror": mirror,
    }  # fmt: skip
    _report("adaptation", parameters, [source, target], out, parameter)


@report_app.command("active")
def report_active(  # noqa: PLR0917 (typer calls it by name)
    images: Labelled = "materials",
    source: Annotated[
        str,
        typer.Option(help="Labelled images of the same classes from elsewhere; arms without labels join."),
    ] = "",
    backbone: Backbone = "tiny",
    profile: HowMuch = ProfileName.lesson,
    strategy: Annotated[
        list[str] | None,
        typer.Option(help="How to choose images; may be repeated; an unknown name lists them."),
    ] = None,
    arm: Annotated[
        list[str] | None, typer.Option(help="scratch, frozen, last-stage or all; may be repeated.")
    ] = None,
    budget: Annotated[list[int] | None, typer.Option(help="Labels in all; may be repeated.")] = None,
    seeds: Seeds = 0,
    target: Annotated[
        float, typer.Option(help="Accuracy to reach, such as 0.8; 0 takes one from validation images.")
    ] = 0.0,
    label_price: Annotated[float, typer.Option(help="What a label costs, in any unit.")] = 1.0,
    fixed_cost: Annotated[
        list[str] | None,
        typer.Option(metavar="ARM=PRICE", help="What an arm costs whatever is labelled; may be repeated."),
    ] = None,
    device: WhereToRun = Device.auto,
    group_regex: Groups = "",
    mirror: Mirror = "",
    out: Out = Path("active-report"),
    parameter: Parameters = None,
) -> None:
    """Label more, label cleverer, or transfer better: measure all three on images; writes a folder with report.html."""
    from transferlab.reports.active_request import check_request

    asked = {
        "backbone": backbone, "profile": str(profile), "strategies": strategy or [], "arms": arm or [],
        "budgets": budget or [], "seeds": seeds, "target": target, "label_price": label_price,
        "fixed_costs": fixed_cost or [], "device": str(device),
    }  # fmt: skip
    check_request(images, source, **asked)  # before a kernel starts
    parameters = {"images": images, "source": source, **asked, "group_regex": group_regex, "mirror": mirror}
    _report("active", parameters, [images], out, parameter)


def _report(kind: str, parameters: dict, names: list[str], out: Path, extra: list[str] | None) -> None:
    """Run the template of a kind of report on images of these names, and say where it lies."""
    from transferlab.reports.run import check_out, run_report

    check_out(out)
    title = " to ".join(Path(name).name or name for name in names)
    print(f"Report on {title}, profile {parameters['profile']}; progress follows.", file=sys.stderr)
    with interruptible(_LEFT.get(kind, "nothing was written")):
        page = run_report(
            f"reports/{kind}_report",
            parameters,
            out,
            title=f"{kind.capitalize()} report: {title}",
            extra=extra or [],
            command=shlex.join(["transferlab", *sys.argv[1:]]),
        )
    print(f"The report is in {page.resolve()}")
