"""The grid behind lesson 05's freeze slider: what each boundary costs and brings on three targets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from sklearn.base import clone
from torch import nn

from transferlab.course.lesson05 import CHANGES, EVERYTHING, HEAD, target_task, train_source
from transferlab.data import ImageSet, Task
from transferlab.evaluation import bootstrap_seeds_images, fit_all, open_all, paired_difference
from transferlab.training.freezing import count_trainable
from transferlab.transfer import FeatureExtraction, SavedModel, SurgicalFineTuning

BUDGETS, SEEDS, EPOCHS, BATCH = (2, 10, 40), 6, 30, 32


def grid_freeze(tell: Callable[[str], object]) -> dict:
    """For each target, label budget and boundary: numbers that train, seconds, memory, accuracy.

    Every seed has a source network and a draw of labels of its own. Training starts from the source's
    classifier, all above the boundary trains, head included; with all stages frozen a new head is fitted.
    """
    sources = []
    for seed in range(SEEDS):
        tell(f"source network {seed + 1} of {SEEDS}")
        sources.append(train_source(seed, 15, "cpu"))
    points = []
    for change in CHANGES:
        for budget in BUDGETS:
            tell(f"{change}, {budget} labels a class")
            points += freeze_points(change, sources, budget)
    return {"stages": [stage.name for stage in sources[0].backbone.stages], "points": points}


def freeze_points(
    change: str, sources: Sequence[SavedModel], labels_per_class: int, epochs: int = EPOCHS
) -> list[dict]:
    """One dict a boundary, as :func:`transferlab.widgets.freeze_slider.compute` takes them."""
    task = target_task(change)
    fits = [
        fit_all(_arms(source, epochs), task, [seed], labels_per_class=labels_per_class)
        for seed, source in enumerate(sources)
    ]
    opened = open_all(fits, task)
    correct = {name: np.concatenate([one.correct(name) for one in opened]) for name in fits[0].runs}
    costs = _costs(sources[0], task, labels_per_class, _arms(sources[0], epochs))
    points = []
    for frozen, table in enumerate(correct.values()):
        spread = bootstrap_seeds_images(table, opened[0].groups)
        gap = paired_difference(table, correct[HEAD], opened[0].groups)
        points.append({
            "task": change, "labels_per_class": labels_per_class, "frozen": frozen, **costs[frozen],
            "accuracy": _rounded(spread.estimate, spread.low, spread.high),
            "less_head": _rounded(gap.difference, gap.low, gap.high),
            "n": spread.n, "seeds": spread.seeds,
        })  # fmt: skip
    return points


def _arms(source: SavedModel, epochs: int) -> dict:
    """A method for each boundary, from nothing frozen to the head alone."""
    names = [stage.name for stage in source.backbone.stages]
    tuned = {
        (f"frozen up to {names[k - 1]}" if k else EVERYTHING): SurgicalFineTuning(
            source, stages=[*names[k:], "head"], epochs=epochs, device="cpu"
        )
        for k in range(len(names))
    }
    return {**tuned, HEAD: FeatureExtraction(source.backbone, device="cpu")}


def _costs(source: SavedModel, task: Task, labels_per_class: int, arms: dict) -> list[dict]:
    """Numbers that train, processor seconds and bytes of each arm, for one draw of labels."""
    backbone, train = source.backbone, task.draw(labels_per_class, 0).train
    images = backbone.preprocess(train.images)
    found = []
    for boundary, arm in enumerate(arms.values()):
        head = nn.Linear(backbone.feature_dim, len(task.classes))
        if boundary < len(backbone.stages):
            module = nn.Sequential(backbone.trainable_copy(boundary), head)
            rows, seconds = backbone.forward(images, 0, boundary), _an_epoch(arm, train)
        else:
            module, rows, seconds = head, backbone.forward(images), _processor_seconds(arm, train)
        found.append({
            "trained": count_trainable(module),
            "seconds": float(f"{seconds:.2g}"),
            "bytes": training_bytes(module, rows[:BATCH].clone()) + rows[BATCH:].nbytes,
        })  # fmt: skip
    return found


def _an_epoch(arm, train: ImageSet, epochs: int = 10) -> float:
    """What one more epoch takes: the difference between a long fit and a short one."""
    long, short = (_processor_seconds(clone(arm).set_params(epochs=n), train) for n in (1 + epochs, 1))
    return max(long - short, 0.0) / epochs


def _processor_seconds(arm, train: ImageSet) -> float:
    """Of one fit: unlike the clock they do not depend on what else the machine does."""
    model = clone(arm)
    start = time.process_time()
    model.fit(train)
    return time.process_time() - start


def training_bytes(module: nn.Module, batch: torch.Tensor) -> int:
    """Memory of one training step with AdamW, in bytes, counted from tensors and the same on every machine.

    All weights; for those that train a gradient and two moments; the batch, and what the forward pass keeps
    for the backward pass.

    Examples
    --------
    >>> training_bytes(nn.Linear(3, 2), torch.zeros(5, 3)) == 4 * (4 * 8 + 5 * 3)
    True
    """
    weights = {t.untyped_storage().data_ptr() for t in module.state_dict().values()}
    kept: dict[int, int] = {batch.untyped_storage().data_ptr(): batch.nbytes}

    def remember(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    held = torch.autograd.graph.saved_tensors_hooks(remember, lambda tensor: tensor)
    with torch.enable_grad(), held:
        module.train()(batch)
    numbers = sum(t.nbytes for t in module.state_dict().values())
    learning = sum(p.nbytes for p in module.parameters() if p.requires_grad)
    return numbers + 3 * learning + sum(kept.values())


def _rounded(*fractions: float) -> list[float]:
    return [round(float(f), 4) for f in fractions]
