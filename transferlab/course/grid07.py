"""The factorial behind lesson 07: five ways against overfitting with few labels, in half of all combinations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from transferlab.backbones import load_backbone
from transferlab.data import ImageSet, SealedTest, Task, draw_task
from transferlab.data.bundled import load_bundled
from transferlab.evaluation.factorial import Design, half_fraction
from transferlab.transfer import FineTuning, FromScratch, ImageClassifier

START, AUGMENTED, DROPOUT, DECAY, STOPPING = (
    "pretrained start", "augmentation", "dropout", "weight decay", "early stopping",
)  # fmt: skip
FACTORS = (START, AUGMENTED, DROPOUT, DECAY, STOPPING)
SEEDS, BUDGET, SIDE, RATE = 10, 10, 32, 1e-3
HIGH = {AUGMENTED: 0.5, DROPOUT: 0.5, DECAY: 0.1, STOPPING: 3}  # strength, share, AdamW's, patience in epochs
#: Images and epochs of each factorial: a short and a long training, and images that need no source.
SETTINGS = (("materials", 12), ("materials", 40), ("digits", 40))
BACKBONE = "zoo-all"


def grid_factorial(tell: Callable[[str], object]) -> list[dict]:
    """Test accuracy of each run of the design and each seed, with images of its own, for each setting.

    About twenty minutes of one processor core.
    """
    design, grid = half_fraction(FACTORS), []
    for data, epochs in SETTINGS:
        accuracy = []
        for seed in range(SEEDS):
            tell(f"{data}, {epochs} epochs: seed {seed + 1} of {SEEDS}")
            runs = range(len(design.signs))
            accuracy.append([round(run_accuracy(design, run, seed, data, epochs), 6) for run in runs])
        grid.append({
            "data": data, "epochs": epochs, "factors": list(FACTORS), "signs": design.signs.tolist(),
            "accuracy": accuracy, "labels_per_class": BUDGET, "n_test": len(seed_task(data, BUDGET, 0).test),
        })  # fmt: skip
    return grid


def stored_design(grid: dict) -> Design:
    """The design of a stored factorial."""
    return Design(tuple(grid["factors"]), np.array(grid["signs"], np.int8))


def run_accuracy(
    design: Design, run: int, seed: int, data: str, epochs: int, *, device: str = "cpu"
) -> float:
    """Test accuracy, a fraction, of one run of the design with one seed."""
    task = seed_task(data, BUDGET, seed)
    model = fit_run(task, design.levels(run), seed, epochs, device)
    return task.test.score({"run": model}).metrics["run"]["accuracy"]


def seed_task(name: str, labels_per_class: int, seed: int) -> Task:
    """A bundled set's development images in two halves drawn by ``seed``: one to draw labels from, one to test.

    Whole groups (fonts) stay in one half. The set's own test stays sealed.
    """
    images = load_bundled(name).development
    units = (
        np.arange(len(images)) if images.groups is None else np.unique(images.groups, return_inverse=True)[1]
    )
    order = np.random.default_rng([seed, 7]).permutation(units.max() + 1)
    tested = np.isin(units, order[: len(order) // 2])
    test = SealedTest(images[tested], printing=False)
    return draw_task(name, images[~tested], None, test, labels_per_class, seed)


def fit_run(
    task: Task, levels: dict[str, bool], seed: int, epochs: int, device: str = "cpu"
) -> ImageClassifier:
    """A model with the levels of one run; without early stopping the validation labels train as well.

    A pretrained start is the source's weights, its BatchNorm statistics, and a head fitted on its features.
    """
    method = FineTuning if levels[START] else FromScratch
    model = method(
        load_backbone(BACKBONE).with_input_size(SIDE),
        epochs=epochs,
        learning_rate=RATE,
        augmentation=HIGH[AUGMENTED] * levels[AUGMENTED],
        dropout=HIGH[DROPOUT] * levels[DROPOUT],
        weight_decay=HIGH[DECAY] * levels[DECAY],
        patience=HIGH[STOPPING] if levels[STOPPING] else None,
        device=device,
        random_state=seed,
    )
    if levels[STOPPING]:
        return model.fit(task.train, validation=task.validation)
    return model.fit(joined(task.train, task.validation))


def joined(a: ImageSet, b: ImageSet) -> ImageSet:
    """The images and labels of both."""
    return replace(
        a,
        images=np.concatenate([a.images, b.images]),
        labels=np.concatenate([a.labels, b.labels]),
        groups=None,
        paths=None,
        file_facts=None,
    )
