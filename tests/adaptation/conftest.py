"""Two made domains: classes that both have, a shift between them."""

import numpy as np
import pytest


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
