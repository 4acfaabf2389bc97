"""Lesson 11 on one's own images: trained on some, adapted to others, dark and faint, without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transferlab import load_backbone
from transferlab.adaptation import SHOT, AdaBN, DeepSourceOnly, ImageAdapter
from transferlab.course.dark_target import choice_lines, dark, dark_target
from transferlab.course.glyph_transfer import SIDE
from transferlab.course.lesson11_images import CENTROIDS, SOURCE, STATISTICS
from transferlab.data import Task
from transferlab.errors import UserError


@dataclass(frozen=True)
class _OfDark:
    """A fitted method that is asked about images in the target's look."""

    model: ImageAdapter

    def predict_proba(self, images) -> np.ndarray:
        return self.model.predict_proba(dark(images.images))


def own_lines(task: Task, backbone: str, seed: int = 0, device: str = "auto", epochs: int = 4) -> list[str]:
    """What was chosen without target labels, and what it brought on the test, in the target's look."""
    made, net = dark_target(task, 15, seed, 300), load_backbone(backbone).with_input_size(SIDE)
    common = {
        "trainable_from": len(net.stages) // 2, "source_epochs": epochs, "views": 1, "random_state": seed,
        "device": device,
    }  # fmt: skip
    arms = {
        SOURCE: DeepSourceOnly(net, **common),
        STATISTICS: AdaBN(net, **common),
        CENTROIDS: SHOT(net, rounds=1, **common | {"epochs": epochs}),
    }
    models, lines = {}, list(made.notes)
    for name, arm in arms.items():
        try:
            models[name] = arm.fit(made.train, None, made.images, start=models.get(SOURCE))
        except UserError as refused:  # such as AdaBN of a network without BatchNorm
            lines.append(f"without {name}: {refused}")
    asked = {name: _OfDark(model) for name, model in models.items()}
    return [*lines, *choice_lines(task, models, made.images, asked, SOURCE)]
