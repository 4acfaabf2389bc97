import os
import uuid
from pathlib import Path

import pytest
import torch

from transferlab.backbones import bundled, register_bundled
from transferlab.backbones.weights_file import write_weights

TINY = {
    "library": "transferlab",
    "architecture": "small_resnet",
    "kwargs": {"channels": [8, 8, 16, 16], "layers": [1, 1, 1, 1], "num_classes": 3},
    "mean": [0.4, 0.5, 0.6],
    "std": [0.2, 0.3, 0.4],
    "input_size": 32,
    "interpolation": "bilinear",
    "classes": ["a", "b", "c"],
    "card": {"data": "none", "limits": "untrained"},
}


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The test material; its weights lie in ``weights`` beside it."""
    place = os.environ.get("TRANSFERLAB_TEST_DATA")
    if not place:
        pytest.skip("TRANSFERLAB_TEST_DATA is not set: no real images or weights to test with")
    return Path(place)


def write_small(folder: Path, name: str, seed: int = 0, **changes) -> Path:
    """A small untrained network as a float16 weights file."""
    described = TINY | changes
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = bundled.build_small_resnet(**described["kwargs"])
    state = {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    return write_weights(folder / f"{name}.safetensors", state, described)


@pytest.fixture(scope="session")
def tiny_description() -> dict:
    return TINY


@pytest.fixture
def small_file(tmp_path) -> Path:
    return write_small(tmp_path, "small")


@pytest.fixture
def bundled_file(tmp_path, monkeypatch) -> Path:
    """The only bundled network, in a folder in the place of the package's; its name is new each time."""
    monkeypatch.setattr(bundled, "WEIGHTS", tmp_path)
    path = write_small(tmp_path, f"test-{uuid.uuid4().hex[:8]}")
    register_bundled()
    return path
