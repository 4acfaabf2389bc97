"""Parameters, time and accuracy of several networks, for lesson 07."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import timm
import torch
from torch import nn

from transferlab import viz
from transferlab.backbones import load_backbone
from transferlab.data import Task
from transferlab.evaluation import Evaluation, fit_all
from transferlab.transfer import FeatureExtraction

NETWORKS = ("tiny", "tiny-ssl", "zoo-all", "zoo-letters", "zoo-untrained")
WITHOUT_WEIGHTS = ("mobilenetv3_small_100", "resnet18", "efficientnet_b0")
SIDE = 64


@dataclass(frozen=True, eq=False)
class CostTrial:
    """What networks reach under a linear head, and rows for :func:`transferlab.viz.costs`."""

    opened: Evaluation
    rows: list[dict]


def parameters(name: str) -> int:
    """Numbers in a network's body; timm's architectures are built without weights or classifier.

    Examples
    --------
    >>> parameters("resnet18")
    11176512
    """
    if name in WITHOUT_WEIGHTS:
        return sum(p.numel() for p in _bare(name).parameters())
    return sum(stage.parameters for stage in load_backbone(name).stages)


def cost_trial(task: Task, seeds: Sequence[int], labels_per_class: int, device: str = "auto") -> CostTrial:
    """A linear head on each bundled network; timm's architectures have no weights, so only their costs."""
    arms = {name: FeatureExtraction(name, device=device) for name in NETWORKS}
    opened = fit_all(arms, task, seeds, labels_per_class=labels_per_class, keep=0).open(task)
    rows = []
    for name in (*NETWORKS, *WITHOUT_WEIGHTS):
        known = name in NETWORKS
        row = opened[name] if known else None
        rows.append({
            "name": name, "parameters": parameters(name),
            "milliseconds": milliseconds(load_backbone(name).forward if known else _bare(name)),
            "accuracy": (row.accuracy, row.ci_low, row.ci_high) if known else None,
        })  # fmt: skip
    return CostTrial(opened, sorted(rows, key=lambda r: -(r["accuracy"] or (-1,))[0]))


def _bare(name: str) -> nn.Module:
    return timm.create_model(name, pretrained=False, num_classes=0).eval()


def milliseconds(forward, images: int = 16, repeats: int = 5) -> float:
    """Median time of one image of 64 by 64 pixels, on this processor, in a batch of ``images``."""
    batch = torch.zeros(images, 3, SIDE, SIDE)
    taken = []
    with torch.inference_mode():
        forward(batch)  # the first call also allocates
        for _ in range(repeats):
            start = time.perf_counter()
            forward(batch)
            taken.append(time.perf_counter() - start)
    return 1000 * float(np.median(taken)) / images


def cost_card(trial: CostTrial, name: str) -> viz.Card:
    """All networks; the title compares a large one with a small one."""
    size = {row["name"]: row["parameters"] for row in trial.rows}
    gap, one = trial.opened.compare("tiny", "zoo-all"), trial.opened["tiny"]
    finding = (
        f"{name}: tiny has {size['tiny'] / size['zoo-all']:.0f} times the parameters of zoo-all; its accuracy differs "
        f"by {100 * gap.difference:+.0f} points (95 % interval {100 * gap.low:+.0f} to {100 * gap.high:+.0f}; "
        f"n = {one.n_test} test images, {one.seeds} seeds)"
    )
    foot = (
        f"linear head, {one.labels_per_class} labels a class; bar: 95 % interval; grey: timm's architecture "
        "without weights"
    )
    return viz.costs(trial.rows, finding, foot=foot)
