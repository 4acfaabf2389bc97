"""Two made domains of features, and three digits in print and by hand with a small network."""

import numpy as np
import pytest

from transferlab.adaptation import DeepSourceOnly
from transferlab.backbones import Architecture, Backbone, Preprocessing
from transferlab.data.bundled import load_bundled

#: Settings with which a small network learns three digits in a second.
FAST = {"source_epochs": 25, "epochs": 1, "learning_rate": 3e-3, "device": "cpu"}


def made_domains(seed=0, n=120, m=100, *, d=6, classes=3, shift=1.0):
    """X_source, y_source, X_target, y_target: classes 4 apart, the target turned a little and shifted."""
    rng = np.random.default_rng(seed)
    centres = 4 * np.eye(classes, d)
    y_source, y_target = np.arange(n) % classes, np.arange(m) % classes
    q, r = np.linalg.qr(np.eye(d) + 0.1 * rng.normal(size=(d, d)))
    turn = q * np.sign(np.diag(r))
    source = rng.normal(size=(n, d)) + centres[y_source]
    target = (rng.normal(size=(m, d)) + centres[y_target]) @ turn + shift * rng.normal(size=d)
    return source, y_source, target, y_target


@pytest.fixture
def domains():
    return made_domains()


@pytest.fixture(scope="session")
def backbone():
    kwargs = {"channels": [8, 16, 16, 24], "layers": [1, 1, 1, 1], "num_classes": 5}
    architecture = Architecture("transferlab", "small_resnet", kwargs)
    return Backbone(architecture.build(0), architecture, Preprocessing((0.5,) * 3, (0.25,) * 3, 32), "small")


@pytest.fixture(scope="session")
def source():
    printed = load_bundled("printed-digits").development
    return printed[np.flatnonzero(np.isin(printed.labels, (0, 1, 7)))[::5]]


@pytest.fixture(scope="session")
def target():
    written = load_bundled("digits").development
    return written[np.flatnonzero(np.isin(written.labels, (0, 1, 7)))[::2]]


@pytest.fixture(scope="session")
def started(backbone, source):
    return DeepSourceOnly(backbone, **FAST, random_state=3).fit(source, None, source)
