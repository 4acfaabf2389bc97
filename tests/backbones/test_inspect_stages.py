"""Filters, maps, fields and patches: closed forms, and agreement with what the backbone says of itself."""

import numpy as np
import pytest
import torch

from transferlab.backbones import (
    effective_field,
    first_filters,
    load_backbone,
    stage_maps,
    stage_means,
    strongest_patches,
)
from transferlab.data.bundled.photographs import photographs
from transferlab.errors import UserError


@pytest.fixture(scope="module")
def net():
    return load_backbone("zoo-early").with_input_size(128)


@pytest.fixture(scope="module")
def views():
    return photographs(128)


def test_means_are_those_of_the_maps_and_end_in_the_features(net, views):
    means = stage_means(net, views.images, batch_size=5)
    assert list(means) == ["images", *(s.name for s in net.stages)]
    for stage in net.stages:
        maps = stage_maps(net, views.images, stage.name)
        np.testing.assert_allclose(means[stage.name], maps.mean((2, 3)), atol=1e-4)
    np.testing.assert_allclose(list(means.values())[-1], net.features(views.images), atol=1e-4)


def test_first_filters_are_the_weights_of_the_first_convolution(net):
    weights = first_filters(net)
    assert weights.shape[1] == 3
    assert any(torch.equal(torch.from_numpy(weights), t) for t in net.tensors().values())
    with pytest.raises(UserError, match="no filters"):
        first_filters(load_backbone("pixels"))


def test_no_influence_comes_from_outside_the_theoretical_field(net, views):
    for stage in net.stages:
        found = effective_field(net, stage.name, views.images[:3])
        assert found.gradient.sum() == pytest.approx(1)
        if isinstance(found.theoretical, int) and found.theoretical < 128:
            rows = np.flatnonzero(found.gradient.sum(1))
            assert rows[-1] - rows[0] + 1 <= found.theoretical
            assert found.side <= found.theoretical + 1


def test_a_larger_share_needs_a_larger_square(net, views):
    sides = [effective_field(net, "stem", views.images[:2], share).side for share in (0.3, 0.6, 0.9, 0.999)]
    assert sides == sorted(sides)


def test_the_strongest_patch_holds_the_strongest_place(net, views):
    stage = net.stages[1]
    [rows] = strongest_patches(net, stage.name, [2], views.images, most=3)
    assert rows.shape == (3, 3, stage.receptive_field, stage.receptive_field)
    maps = stage_maps(net, views.images, stage.name)[:, 2]
    order = np.argsort(-maps.reshape(len(maps), -1).max(1), kind="stable")
    for patch, i in zip(rows, order, strict=False):
        r, c = np.unravel_index(maps[i].argmax(), maps[i].shape)
        centre = views.images[i][:, int((r + 0.5) * stage.stride), int((c + 0.5) * stage.stride)]
        assert (patch.reshape(3, -1) == centre[:, None]).all(0).any()
    with pytest.raises(UserError, match="128 pixels"):
        strongest_patches(net, stage.name, [0], views.images[:, :, :64, :64])
