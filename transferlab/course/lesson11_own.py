"""Lesson 11 on one's own images: trained on some, adapted to others, dark and faint, without labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from transferlab import load_backbone
from transferlab.adaptation import SHOT, AdaBN, DeepSourceOnly, ImageAdapter, select
from transferlab.course.compared import said
from transferlab.course.glyph_transfer import SIDE
from transferlab.course.lesson11_images import CENTROIDS, SOURCE, STATISTICS
from transferlab.data import Task
from transferlab.errors import UserError
from transferlab.evaluation import paired_difference

_MOST = 300  # target images
_FEWEST = 20


def dark(images: np.ndarray) -> np.ndarray:
    """uint8 images, light and dark exchanged and fainter."""
    return (230 - 0.6 * images).round().astype(np.uint8)


@dataclass(frozen=True)
class _OfDark:
    """A fitted method that is asked about images in the target's look."""

    model: ImageAdapter

    def predict_proba(self, images) -> np.ndarray:
        return self.model.predict_proba(dark(images.images))


def own_lines(task: Task, backbone: str, seed: int = 0, device: str = "auto", epochs: int = 4) -> list[str]:
    """What was chosen without target labels, and what it brought on the test, in the target's look."""
    drawn = task.draw(min(15, task.labels_available), seed)
    net = load_backbone(backbone).with_input_size(SIDE)
    pool = drawn.unlabelled.images if len(drawn.unlabelled) >= _FEWEST else task.test.images
    target = dark(pool[:_MOST])
    common = {
        "trainable_from": len(net.stages) // 2, "source_epochs": epochs, "views": 1, "random_state": seed,
        "device": device,
    }  # fmt: skip
    arms = {
        SOURCE: DeepSourceOnly(net, **common),
        STATISTICS: AdaBN(net, **common),
        CENTROIDS: SHOT(net, rounds=1, **common | {"epochs": epochs}),
    }
    models, lines = {}, []
    for name, arm in arms.items():
        try:
            models[name] = arm.fit(drawn.train, None, target, start=models.get(SOURCE))
        except UserError as refused:  # such as AdaBN of a network without BatchNorm
            lines.append(f"without {name}: {refused}")
    choice = select(models, X_target=target)
    scores = task.test.score({name: _OfDark(model) for name, model in models.items()})
    right = {name: (p.argmax(1) == scores.truth)[None] for name, p in scores.probabilities.items()}
    best = max(right, key=lambda name: right[name].mean())
    lines.append(f"{task.name}: chosen without labels: {choice.chosen}; best on the test: {best}")
    if choice.chosen != SOURCE:
        found = paired_difference(right[choice.chosen], right[SOURCE], scores.groups)
        lines.append(said(replace(found, a=choice.chosen, b=SOURCE), task.name))
    return lines
