"""The sum behind one value: exact where arithmetic is, and in every network that it claims to know."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from transferlab.backbones import (
    Architecture,
    Backbone,
    Preprocessing,
    load_backbone,
    random_backbone,
    stage_maps,
    value_sum,
)
from transferlab.errors import UserError

SIZE = 48
PHOTO = np.random.default_rng(0).integers(0, 255, (3, SIZE, SIZE), np.uint8)


def at_every_kind_of_place(shape):
    """Corner, edge and middle: where the kernel sticks out of the map and where it does not."""
    _, rows, columns = shape
    return {(0, 0), (0, columns // 2), (rows - 1, columns - 1), (rows // 2, columns // 3)}


@pytest.mark.parametrize("name", ["zoo-early", "tiny", "timm/resnet18", "timm/resnet26d", "torchvision/resnet50",
                                  "torchvision/vgg11", "torchvision/vgg11_bn"])  # fmt: skip
def test_the_sum_is_the_networks_own_value(name):
    pretrained = "/" not in name
    net = load_backbone(name) if pretrained else load_backbone(name, pretrained=False)
    net = net.with_input_size(SIZE)
    checked = 0
    for stage in net.stages:
        if stage.output_shape[1] < 2:
            continue
        maps = stage_maps(net, PHOTO[None], stage.name)[0]
        for channel in (0, stage.output_shape[0] - 1):
            for row, column in at_every_kind_of_place(stage.output_shape):
                found = value_sum(net, stage.name, PHOTO, channel=channel, place=(row, column))
                rounding = 1e-5 * (1 + np.abs(found.scale * found.products).sum() + abs(found.added or 0))
                assert abs(found.value - maps[channel, row, column]) < rounding
                assert found.total == sum(found.parts.values())
                checked += 1
    assert checked >= 16


@settings(max_examples=25)
@given(seed=st.integers(0, 50), row=st.integers(0, 5), column=st.integers(0, 5))
def test_whole_numbers_add_up_without_rounding(seed, row, column):
    """With small whole weights, powers of two in BatchNorm and pixels of 0 and 1 float32 has nothing to round."""
    net = whole_numbers(seed)
    image = np.random.default_rng(seed).choice(np.array([0, 255], np.uint8), (3, 12, 12))
    maps = stage_maps(net, image[None], "layer1")[0]
    for channel in range(4):
        found = value_sum(net, "layer1", image, channel=channel, place=(row, column))
        assert found.value == maps[channel, row, column]
        assert found.value == max(found.total, 0) and found.added is not None


def whole_numbers(seed):
    shape = Architecture(
        "transferlab", "small_resnet", {"channels": [4] * 4, "layers": [1] * 4, "num_classes": 2}
    )
    net, rng = shape.build(seed), torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data = torch.randint(-1, 2, module.weight.shape, generator=rng).float()
        elif isinstance(module, nn.BatchNorm2d):
            module.eps = 0.0
            module.running_var.fill_(4.0)
            module.running_mean = torch.randint(-3, 4, module.running_mean.shape, generator=rng).float()
            module.bias.data = torch.randint(-3, 4, module.bias.shape, generator=rng).float()
    raw = Preprocessing((0.0,) * 3, (1.0,) * 3, 12)
    return Backbone(net, shape, raw, "whole numbers")


def test_a_wrong_weight_would_be_noticed():
    net = load_backbone("zoo-early")
    found = value_sum(net, "layer2", PHOTO, channel=1, place=(3, 3))
    value = stage_maps(net, PHOTO[None], "layer2")[0, 1, 3, 3]
    other = replace(found, weights=found.weights * 1.01)
    assert abs(found.total - value) < 1e-4 or found.total < 0 == value
    assert other.total != found.total


def test_a_max_pool_points_to_the_place_that_won():
    net = random_backbone(load_backbone("timm/resnet18", pretrained=False), 0).with_input_size(64)
    photo = np.random.default_rng(1).integers(0, 255, (3, 64, 64), np.uint8)
    maps = stage_maps(net, photo[None], "stem")[0]
    found = value_sum(net, "stem", photo, channel=5, place=(4, 6))
    assert abs(found.value - maps[5, 4, 6]) < 1e-4
    assert abs(found.place[0] - 8) <= 1 and abs(found.place[1] - 12) <= 1
    assert found.products.shape == (3, 7, 7) and found.added is None


def test_a_grouped_convolution_reads_its_own_channels():
    net = load_backbone("zoo-early")
    grouped = nn.Conv2d(16, 16, 3, padding=1, groups=4, bias=True)
    mine = copy.deepcopy(net._net)
    mine.layer1[0].conv2 = grouped
    net = replace(net, _net=mine)
    maps = stage_maps(net, PHOTO[None], "layer1")[0]
    for channel in range(16):
        found = value_sum(net, "layer1", PHOTO, channel=channel, place=(3, 4))
        assert found.weights.shape == (4, 3, 3) and "bias" in found.parts
        assert abs(found.value - maps[channel, 3, 4]) < 1e-4


@pytest.mark.parametrize("name", ["timm/densenet121", "timm/convnext_atto"])
def test_what_is_no_single_sum_is_said_in_a_sentence(name):
    net = load_backbone(name, pretrained=False).with_input_size(64)
    with pytest.raises(UserError, match=r"no single sum|cannot be followed"):
        value_sum(net, net.stages[1].name, PHOTO, channel=0, place=(0, 0))


@pytest.mark.parametrize("place", [(99, 0, 0), (0, 99, 0), (0, 0, 99), (-1, 0, 0), (0, -1, 0)])
def test_a_place_that_is_none_is_refused(place):
    with pytest.raises(UserError, match="is none of them"):
        value_sum(load_backbone("zoo-early"), "layer1", PHOTO, channel=place[0], place=place[1:])
    with pytest.raises(UserError):
        value_sum(load_backbone("zoo-early"), "images", PHOTO, channel=0, place=(0, 0))
