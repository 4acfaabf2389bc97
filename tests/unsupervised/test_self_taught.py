"""Self-taught learning: patches, whitening, codes and pooling against loops; what it refuses."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import sparse_encode
from sklearn.exceptions import NotFittedError

from transferlab.errors import UserError
from transferlab.unsupervised import SelfTaughtLearning
from transferlab.unsupervised.self_taught import dense_patches, levelled, pooled, zca

SMALL = {"atoms": 6, "patch_size": 4, "patches": 300, "input_size": 16}


def test_dense_patches_equal_the_loops():
    pictures = np.random.default_rng(0).normal(size=(2, 7, 9))
    loops = [
        pictures[n, i : i + 3, j : j + 3].ravel()
        for n in range(2)
        for i in range(0, 5, 2)
        for j in range(0, 7, 2)
    ]
    np.testing.assert_array_equal(dense_patches(pictures, 3, 2), loops)


def test_levelled_patches_know_neither_brightness_nor_contrast():
    patches = np.random.default_rng(0).normal(size=(5, 16)) * 50
    np.testing.assert_allclose(levelled(patches, 0) * 1.0, levelled(3 * patches + 40, 0), atol=1e-10)
    np.testing.assert_allclose(levelled(patches, 0).std(1), 1)


def test_whitened_patches_have_the_identity_as_covariance():
    rng = np.random.default_rng(0)
    patches = rng.normal(size=(400, 5)) @ rng.normal(size=(5, 5)) + 3
    mean, matrix = zca(patches, 0)
    white = (patches - mean) @ matrix
    np.testing.assert_allclose(np.cov(white, rowvar=False, bias=True), np.eye(5), atol=1e-8)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-10)  # zero-phase: as near the patches as can be
    softened = (patches - mean) @ zca(patches, 0.1)[1]
    assert np.linalg.eigvalsh(np.cov(softened, rowvar=False)).max() < 1


def test_a_direction_without_variance_is_not_blown_up():
    patches = np.random.default_rng(0).normal(size=(100, 4))
    patches[:, 3] = patches[:, :3].sum(1)
    assert np.isfinite(zca(patches, 0.01)[1]).all() and np.abs(zca(patches, 0.01)[1]).max() < 20


def test_pooling_equals_the_loops():
    codes = np.random.default_rng(0).normal(size=(2, 5, 5, 3))
    expected = []
    for image in codes:
        parts = [image[i][:, j] for i in (slice(0, 3), slice(3, 5)) for j in (slice(0, 3), slice(3, 5))]
        expected.append(
            [
                np.mean([max(0, sign * v) for v in part[..., k].ravel()])
                for part in parts
                for sign in (1, -1)
                for k in range(3)
            ]
        )
    np.testing.assert_allclose(pooled(codes, 2), expected, rtol=1e-6)


def test_the_l1_codes_satisfy_their_optimality_conditions(stripes):
    model = SelfTaughtLearning(**SMALL, coding="lasso_cd", alpha=0.3).fit(stripes)
    patches = dense_patches(stripes.images[:3, 0].astype(float), 4, 4)
    white = (levelled(patches) - model.mean_) @ model.whitener_
    codes = model._codes(patches)
    pull = (white - codes @ model.dictionary_) @ model.dictionary_.T
    assert (codes != 0).any() and (codes == 0).any()
    np.testing.assert_allclose(pull[codes != 0], 0.3 * np.sign(codes[codes != 0]), atol=2e-2)
    assert np.abs(pull).max() < 0.3 + 2e-2


def test_threshold_codes_are_shrunk_products(stripes):
    model = SelfTaughtLearning(**SMALL, alpha=0.3).fit(stripes)
    patches = dense_patches(stripes.images[:3, 0].astype(float), 4, 4)
    products = (levelled(patches) - model.mean_) @ model.whitener_ @ model.dictionary_.T
    np.testing.assert_allclose(
        model._codes(patches), np.sign(products) * (np.abs(products) - 0.3).clip(0), atol=1e-10
    )


@pytest.mark.parametrize("coding", ["threshold", "lasso_cd", "omp"])
def test_features_of_other_images_and_the_same_ones_again(coding, stripes):
    model = SelfTaughtLearning(**SMALL, coding=coding)
    found = clone(model).fit(stripes[:24]).transform(stripes[24:])
    again = clone(model).fit(stripes[:24].without_labels()).transform(stripes[24:])
    assert found.shape == (24, 2 * 6 * 4) and found.dtype == np.float32 and (found >= 0).all() and found.any()
    np.testing.assert_array_equal(found, again)
    other = clone(model).set_params(random_state=1).fit(stripes[:24]).transform(stripes[24:])
    assert np.abs(found - other).max() > 1e-3


def test_features_do_not_depend_on_the_block_they_came_in(stripes, monkeypatch):
    model = SelfTaughtLearning(**SMALL).fit(stripes)
    whole = model.transform(stripes)
    monkeypatch.setattr("transferlab.unsupervised.self_taught.BLOCK", 1)
    np.testing.assert_allclose(model.transform(stripes), whole, atol=1e-6)
    assert model.transform(stripes[:0]).shape == (0, 48)


def test_brighter_images_have_the_same_features(stripes):
    model = SelfTaughtLearning(**SMALL).fit(stripes)
    np.testing.assert_allclose(
        model.transform(stripes.images + np.uint8(20)), model.transform(stripes), atol=1e-5
    )


def test_colour_and_other_sizes_go_in(stripes):
    model = SelfTaughtLearning(**SMALL).fit(stripes)
    colour = np.random.default_rng(0).integers(0, 255, (2, 3, 20, 25), np.uint8)
    assert model.transform(colour).shape == (2, 48)
    grey = np.repeat(stripes.images, 3, axis=1)
    np.testing.assert_allclose(model.transform(grey), model.transform(stripes), atol=1e-6)


def test_the_dictionary_describes_better_than_a_random_one(stripes):
    model = SelfTaughtLearning(**SMALL).fit(stripes)
    patches = dense_patches(stripes.images[:10, 0].astype(float), 4, 3)
    white = (levelled(patches) - model.mean_) @ model.whitener_
    random = np.random.default_rng(0).normal(size=model.dictionary_.shape)
    random *= np.linalg.norm(model.dictionary_, axis=1, keepdims=True) / np.linalg.norm(
        random, axis=1, keepdims=True
    )

    def cost(dictionary):
        codes = sparse_encode(white, dictionary, algorithm="lasso_cd", alpha=0.5)
        return np.square(white - codes @ dictionary).sum() / 2 + 0.5 * np.abs(codes).sum()

    assert cost(model.dictionary_) < 0.95 * cost(random)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"coding": "magic"}, r"coding 'magic' is not known; use 'threshold'"),
        ({"atoms": 0}, "atoms must be a whole number of at least 1"),
        ({"patches": 5}, "patches must be a whole number of at least 6"),
        ({"alpha": 0}, "alpha must be above 0"),
        ({"whitening": -1}, "whitening must be above 0"),
        ({"patch_size": 20}, "hold 0 patches of 20 a side"),
        ({"cells": 9}, "fewer than 9 cells"),
        ({"stride": 0}, "stride must be"),
    ],
)
def test_bad_settings_are_named(settings, sentence, stripes):
    with pytest.raises(UserError, match=sentence):
        SelfTaughtLearning(**(SMALL | settings)).fit(stripes)


def test_bad_images_are_refused(stripes):
    model = SelfTaughtLearning(**SMALL)
    with pytest.raises(NotFittedError, match="call fit first"):
        model.transform(stripes)
    with pytest.raises(UserError, match="X has one image"):
        model.fit(stripes[:1])
    with pytest.raises(UserError, match="all images are the same"):
        model.fit(np.zeros((5, 1, 16, 16), np.uint8))
    flat = np.stack([np.full((1, 16, 16), level, np.uint8) for level in (10, 20, 30)])
    with pytest.raises(UserError, match="only 0 of 300 patches show anything"):
        model.fit(flat)
    with pytest.raises(UserError, match="learns without labels"):
        model.fit(stripes, stripes.labels)
