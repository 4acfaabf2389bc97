"""Small networks and printed characters: what several lessons on transfer between glyphs share."""

from __future__ import annotations

import numpy as np

from transferlab.backbones import Architecture, Backbone, Preprocessing
from transferlab.data import ImageSet, SealedTest, Task, draw_task
from transferlab.data.bundled import load_bundled
from transferlab.evaluation import Comparison
from transferlab.transfer import FromScratch, SavedModel, as_saved

SIDE = 32  # pixels
SHAPE = Architecture(
    "transferlab", "small_resnet", {"channels": [16, 16, 32, 64], "layers": [1, 1, 1, 1], "num_classes": 10}
)


def fonts(name: str, first: int) -> ImageSet:
    """Characters of every second font that is meant for development: the even ones (0) or the odd ones (1).

    Examples
    --------
    >>> set(fonts("letters", 0).groups) & set(fonts("printed-digits", 1).groups)
    set()
    """
    images = load_bundled(name).development
    return images[np.isin(images.groups, np.unique(images.groups)[first::2])]


def untrained(seed: int = 0, trained_on: str = "printed digits") -> Backbone:
    """A small ResNet of five stages for glyphs of 32 pixels, not trained yet."""
    half = (0.5,) * 3  # black is -1 and white is 1, so that exchanging them is a change of sign
    return Backbone(SHAPE.build(seed), SHAPE, Preprocessing(half, half, SIDE), trained_on)


def train_on(images: ImageSet, seed: int, epochs: int = 15, device: str = "auto") -> SavedModel:
    """A small network that was trained on ``images`` from scratch."""
    model = FromScratch(
        untrained(seed), epochs=epochs, learning_rate=2e-3, device=device, random_state=seed
    ).fit(images)
    return as_saved(model, classes=images.classes, image_size=SIDE)


def sealed_task(name: str, development: ImageSet, test: ImageSet) -> Task:
    """A task with all of its labels to draw from; draw few of them with :meth:`Task.draw`."""
    return draw_task(name, development, None, SealedTest(test, printing=False), None, 0)


def points(a: np.ndarray, b: np.ndarray) -> list[float]:
    """Difference of two tables bool (S, N) of right answers in points, for each seed."""
    return (100 * (a.mean(1) - b.mean(1))).tolist()


def said(found: Comparison, about: str = "") -> str:
    """A comparison as one sentence.

    Examples
    --------
    >>> print(said(Comparison(0.25, 0.1, 0.4, 0.001, 540, 3, "", "layer1", "head alone"), "inverted"))
    inverted: layer1 less head alone is +25 points (95 % interval +10 to +40; n = 540 images, 3 seeds)
    """
    ends = f"95 % interval {100 * found.low:+.0f} to {100 * found.high:+.0f}"
    ground = f"n = {found.n} images, {found.seeds} seed{'s' if found.seeds > 1 else ''}"
    start = f"{about}: " if about else ""
    return f"{start}{found.a} less {found.b} is {100 * found.difference:+.0f} points ({ends}; {ground})"
