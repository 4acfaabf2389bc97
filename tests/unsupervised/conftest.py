"""Small images with structure, and a backbone small enough to train in a second."""

import numpy as np
import pytest

from transferlab.backbones import Architecture, Backbone, Preprocessing
from transferlab.data import ImageSet


@pytest.fixture(scope="session")
def backbone():
    architecture = Architecture(
        "transferlab", "small_resnet", {"channels": [8, 8, 16, 16], "layers": [1, 1, 1, 1], "num_classes": 5}
    )
    return Backbone(architecture.build(0), architecture, Preprocessing((0.5,) * 3, (0.25,) * 3, 16), "small")


@pytest.fixture(scope="session")
def stripes():
    """48 grey images of two kinds that no mean tells apart: stripes across and stripes along."""
    rng = np.random.default_rng(0)
    labels = np.arange(48) % 2
    images = rng.integers(0, 60, (48, 1, 16, 16))
    for i, label in enumerate(labels):
        bars = 150 * ((np.arange(16) + rng.integers(4)) // 2 % 2)
        images[i] += bars[:, None] if label else bars
    return ImageSet(images.astype(np.uint8), labels, ("along", "across"))
