"""A problem that takes seconds: small windows, two epochs, the real network."""

import numpy as np
import pytest

from benchmarks.images import photograph_windows
from benchmarks.problem import Problem
from transferlab import load_backbone
from transferlab.data import ImageSet


def smaller(images: ImageSet, side: int = 32) -> ImageSet:
    return ImageSet(np.ascontiguousarray(images.images[:, :, :side, :side]), images.labels, images.classes)


@pytest.fixture(scope="session")
def problem() -> Problem:
    train, test = photograph_windows(3, 1)
    backbone = load_backbone("timm/resnet18", pretrained=False).with_input_size(32)
    return Problem(backbone, 0, smaller(train), smaller(test), epochs=2, batch_size=12)
