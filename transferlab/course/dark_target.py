"""A target made of one's own images, light and dark exchanged and fainter: adapted to and chosen for without labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from transferlab.adaptation import select
from transferlab.course.compared import compared, said
from transferlab.data import ImageSet, Task

_FEWEST = 20  # target images


@dataclass(frozen=True, eq=False)
class DarkTarget:
    """Labelled images as they are, the target's, and sentences for the reader.

    train : an image set; images : uint8 (N, C, H, W)
    """

    train: ImageSet
    images: np.ndarray
    notes: tuple[str, ...]


def dark(images: np.ndarray) -> np.ndarray:
    """uint8 images, light and dark exchanged and fainter.

    Examples
    --------
    >>> dark(np.array([0, 255], np.uint8)).tolist()
    [230, 77]
    """
    return (230 - 0.6 * images).round().astype(np.uint8)


def dark_target(task: Task, labels_per_class: int, seed: int, most: int) -> DarkTarget:
    """A draw of labelled images, and at most ``most`` others of the task as the target.

    Where fewer than twenty are left, the test's images serve, without their labels, and a note says so.
    """
    drawn = task.draw(min(labels_per_class, task.labels_available), seed)
    left = drawn.unlabelled.images
    if len(left) >= _FEWEST:
        return DarkTarget(drawn.train, dark(left[:most]), ())
    note = (
        f"{len(left)} images are left for a target, too few: the test's images serve, without their labels."
    )
    return DarkTarget(drawn.train, dark(task.test.images[:most]), (note,))


def choice_lines(
    task: Task, models: Mapping[str, object], X_target, asked: Mapping[str, object], base: str
) -> list[str]:
    """What was chosen without target labels, and what it brought on the test against ``base``, which opens the test.

    ``models`` are fitted methods, ``asked`` the same as the test asks them, by images.
    """
    choice = select(models, X_target=X_target)
    scores = task.test.score(asked)
    right = {name: (p.argmax(1) == scores.truth)[None] for name, p in scores.probabilities.items()}
    best = max(right, key=lambda name: right[name].mean())
    line = f"{task.name}: chosen without labels: {choice.chosen}; best on the test: {best}"
    if choice.chosen == base:
        return [line]
    return [line, said(compared(right, choice.chosen, base, scores.groups), task.name)]
