"""A small untrained backbone and a small task on real patches: enough to break things quickly."""

import pytest

from transferlab.backbones import Architecture, Backbone, Preprocessing
from transferlab.data import load_task


@pytest.fixture(scope="session")
def backbone():
    architecture = Architecture(
        "transferlab", "small_resnet", {"channels": [8, 16, 16, 24], "layers": [1, 1, 1, 1], "num_classes": 5}
    )
    return Backbone(architecture.build(0), architecture, Preprocessing((0.5,) * 3, (0.25,) * 3, 32), "small")


@pytest.fixture
def task():
    return load_task("materials", labels_per_class=5)
