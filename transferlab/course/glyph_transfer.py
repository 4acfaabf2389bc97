"""Small networks and printed characters: what several lessons on transfer between glyphs share."""

from __future__ import annotations

import numpy as np

from transferlab.backbones import Architecture, Backbone, Preprocessing
from transferlab.data import ImageSet, SealedTest, Task, draw_task
from transferlab.data.bundled import load_bundled
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


def printed_digits() -> Task:
    """Printed digits of the fonts for development that no source here learnt from; the test has fonts of its own."""
    return sealed_task("printed digits", fonts("printed-digits", 1), load_bundled("printed-digits").test)
