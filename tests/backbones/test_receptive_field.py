"""Receptive fields against published values and against the gradient."""

import pytest
import torch
from torch import nn

from transferlab.backbones import build_small_resnet, load_backbone
from transferlab.backbones.receptive_field import measure
from transferlab.backbones.stages import split

# Araujo, Norris, Sim (2019), "Computing Receptive Fields of Convolutional Neural Networks", Distill, and
# the hand-computed values of ResNet-18.
KNOWN = {
    "timm/vgg16": {"stage5": 212},
    "torchvision/resnet18": {"stem": 11, "layer1": 43, "layer2": 99, "layer3": 211, "layer4": 435},
    "timm/mobilenetv1_100": {"stage5": 315},
    "timm/inception_v3": {"mixed7": 1311},
    "timm/efficientnet_b0": {"stem": 3, "stage1": "global", "head": "global"},
    "timm/seresnet18": {"stem": 11, "layer1": "global"},
    "timm/convnext_atto": {"stem": 4, "head": "global"},
}


@pytest.mark.parametrize("spec", KNOWN)
def test_known_values(spec):
    found = {s.name: s.receptive_field for s in load_backbone(spec, pretrained=False).stages}
    assert {name: found[name] for name in KNOWN[spec]} == KNOWN[spec]


def positive(net: nn.Module) -> nn.Module:
    """Weights that let every path through, so that a gradient is zero only where nothing is seen."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    return net.double().eval()


@pytest.mark.parametrize("layers", [(1, 1, 1, 1), (2, 1, 1, 1), (1, 2, 1, 1)])
def test_field_is_what_the_gradient_reaches(layers):
    net = positive(build_small_resnet((4, 6, 8, 8), layers, 2))
    cut = split(net)
    size = 512
    extents, _ = measure([steps for _, steps in cut.stages], cut.pool, size)
    image = torch.ones(1, 3, size, size, dtype=torch.float64, requires_grad=True)
    x = image
    for (_, steps), extent in zip(cut.stages, extents, strict=True):
        for _, module in steps:
            x = module(x)
        cell = x.shape[-1] // 2
        (gradient,) = torch.autograd.grad(x[0, :, cell, cell].sum(), image, retain_graph=True)
        reached = gradient[0].abs().sum(0).nonzero()
        assert (reached.max(0).values - reached.min(0).values + 1).tolist() == [extent.receptive_field] * 2
        assert extent.stride == size // x.shape[-1]


def test_the_largest_path_counts_and_a_dilated_kernel_is_wide():
    class Fork(nn.Module):
        def __init__(self):
            super().__init__()
            self.near, self.far = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 3, padding=4, dilation=4)

        def forward(self, x):
            return torch.cat([self.near(x), self.far(x)], 1)

    (extent,), width = measure([[("fork", Fork())]], [("flat", nn.Flatten(1))], 12)
    assert (extent.receptive_field, extent.output_shape, width) == (9, (4, 12, 12), 4 * 144)


def test_rows_and_columns_are_followed_apart():
    steps = [("a", nn.Conv2d(3, 3, (1, 7))), ("b", nn.Conv2d(3, 3, (5, 1)))]
    (extent,), _ = measure([steps], [("flat", nn.Flatten(1))], 16)
    assert extent.receptive_field == 7
