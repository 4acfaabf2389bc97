"""Lesson 10 on one's own images: a half of them, dark on light and faint, is the target that has no labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transferlab import load_backbone
from transferlab.adaptation import FeatureAdapter
from transferlab.course.dark_target import choice_lines, dark, dark_target
from transferlab.course.glyph_transfer import SIDE
from transferlab.course.lesson10 import SOURCE
from transferlab.course.lesson10_features import methods
from transferlab.data import Task


@dataclass(frozen=True)
class _Aligned:
    """A fitted method that is asked about images of the target's look."""

    model: FeatureAdapter
    features: np.ndarray

    def predict_proba(self, images) -> np.ndarray:
        return self.model.predict_proba(self.features)


def own_lines(task: Task, backbone: str, seed: int = 0, device: str = "cpu") -> list[str]:
    """What was chosen without target labels, and what it brought on the test, in the target's look."""
    made = dark_target(task, 20, seed, 500)
    net = load_backbone(backbone).with_input_size(SIDE)
    source, target, unseen = (
        net.features(images, device=device)
        for images in (made.train.images, made.images, dark(task.test.images))
    )
    models = {name: m.fit(source, made.train.labels, target) for name, m in methods().items()}
    asked = {name: _Aligned(model, unseen) for name, model in models.items()}
    return [*made.notes, *choice_lines(task, models, target, asked, SOURCE)]
