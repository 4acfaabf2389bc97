"""Projections against closed forms; what they refuse."""

import builtins
import sys
from types import ModuleType

import numpy as np
import pytest

from transferlab.errors import UserError
from transferlab.unsupervised import PROJECTIONS, project


def blobs(n=60, d=5):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    return rng.normal(size=(n, d)) + 20 * np.eye(3, d)[y], y


def test_principal_components_are_those_of_the_singular_values():
    x, _ = blobs()
    found = project("pca", x, 3)
    centred = x - x.mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(found), np.abs(u[:, :3] * s[:3]), rtol=1e-3, atol=1e-4)
    assert found.dtype == np.float32


@pytest.mark.parametrize("name", ["pca", "t-sne"])
def test_far_groups_stay_apart(name):
    x, y = blobs()
    found = project(name, x, seed=1)
    centres = np.stack([found[y == c].mean(0) for c in range(3)])
    nearest = np.linalg.norm(found[:, None] - centres, axis=2).argmin(1)
    assert found.shape == (60, 2) and (nearest == y).all()
    np.testing.assert_array_equal(found, project(name, x, seed=1))


@pytest.mark.parametrize("x", [np.arange(4.0)[:, None], np.random.default_rng(0).normal(size=(5, 300))])
def test_t_sne_takes_few_samples_one_feature_and_more_features_than_samples(x):
    found = project("t-sne", x)
    assert found.shape == (len(x), 2) and np.isfinite(found).all()


def test_umap_without_its_library_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest):
        if name == "umap":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UserError, match="pip install umap-learn, or use t-sne"):
        project("umap", blobs()[0])


def test_umap_goes_to_its_library_with_settings_that_fit(monkeypatch):
    asked = {}

    class UMAP:
        def __init__(self, **settings):
            asked.update(settings)

        def fit_transform(self, x):
            return x[:, :2]

    library = ModuleType("umap")
    library.UMAP = UMAP
    monkeypatch.setitem(sys.modules, "umap", library)
    assert project("umap", blobs(n=9)[0], seed=5).shape == (9, 2)
    assert asked == {"n_components": 2, "n_neighbors": 8, "random_state": 5, "n_jobs": 1}
    with pytest.raises(UserError, match="umap needs at least four samples"):
        project("umap", np.eye(3))


@pytest.mark.parametrize(
    ("name", "x", "count", "sentence"),
    [
        ("mds", np.eye(3), 2, "there is no projection 'mds'; use one of pca"),
        ("pca", np.eye(3), 4, "have 3 principal components, not 4"),
        ("t-sne", np.eye(3), 2, "t-sne needs at least four samples"),
        ("t-sne", np.eye(9), 4, "draws in 2 or 3 dimensions"),
        ("pca", np.eye(3), 0, "n_components must be a whole number of at least 1"),
        *[(name, np.ones((9, 4)), 2, "have the same features") for name in PROJECTIONS],
        *[(name, np.full((9, 4), np.nan), 2, "holds NaN") for name in PROJECTIONS],
        *[(name, np.ones((1, 4)), 2, "has one sample") for name in PROJECTIONS],
    ],
)
def test_what_cannot_be_drawn_is_said(name, x, count, sentence):
    with pytest.raises(UserError, match=sentence):
        project(name, x, count)


def test_umap_by_its_library_keeps_far_groups_apart():
    pytest.importorskip("umap", reason="umap-learn is not installed (pip install 'transferlab[umap]')")
    x, y = blobs()
    found = project("umap", x, seed=1)
    centres = np.stack([found[y == c].mean(0) for c in range(3)])
    assert (np.linalg.norm(found[:, None] - centres, axis=2).argmin(1) == y).all()
