"""Lesson 10 on one's own images: a half of them, dark on light and faint, is the target that has no labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from transferlab import load_backbone
from transferlab.adaptation import FeatureAdapter, select
from transferlab.course.compared import said
from transferlab.course.glyph_transfer import SIDE
from transferlab.course.lesson10 import SOURCE
from transferlab.course.lesson10_features import looked, methods
from transferlab.data import Task
from transferlab.evaluation import paired_difference

_MOST = 500  # target images
_FEWEST = 20


@dataclass(frozen=True)
class _Aligned:
    """A fitted method that is asked about images of the target's look."""

    model: FeatureAdapter
    features: np.ndarray

    def predict_proba(self, images) -> np.ndarray:
        return self.model.predict_proba(self.features)


def own_lines(task: Task, backbone: str, seed: int = 0, device: str = "cpu") -> list[str]:
    """What was chosen without target labels, and what it brought on the test, in the target's look."""
    drawn = task.draw(min(20, task.labels_available), seed)
    net = load_backbone(backbone).with_input_size(SIDE)
    pool = drawn.unlabelled.images if len(drawn.unlabelled) >= _FEWEST else task.test.images
    source = net.features(drawn.train.images, device=device)
    target = net.features(looked(pool[:_MOST], "dark"), device=device)
    unseen = net.features(looked(task.test.images, "dark"), device=device)
    models = {name: m.fit(source, drawn.train.labels, target) for name, m in methods().items()}
    choice = select(models, X_target=target)
    scores = task.test.score({name: _Aligned(model, unseen) for name, model in models.items()})
    right = {name: (p.argmax(1) == scores.truth)[None] for name, p in scores.probabilities.items()}
    best = max(right, key=lambda name: right[name].mean())
    found = paired_difference(right[choice.chosen], right[SOURCE], scores.groups)
    lines = [f"{task.name}: chosen without labels: {choice.chosen}; best on the test: {best}"]
    if choice.chosen == SOURCE:
        return lines
    return [*lines, said(replace(found, a=choice.chosen, b=SOURCE), task.name)]
