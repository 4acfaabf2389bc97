"""How each family of networks is cut into an ordered list of named stages.

An adapter takes a network and names the modules of each stage in the order of its own forward pass;
nothing is copied. Pooling has no parameters: whatever learns between the last map and the final
classifier (VGG's hidden layers, MobileNetV3's and ConvNeXt's head) is a stage of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from timm.layers.classifier import NormMlpClassifierHead
from timm.models.convnext import ConvNeXt
from timm.models.densenet import DenseNet
from timm.models.efficientnet import EfficientNet
from timm.models.inception_v3 import InceptionV3
from timm.models.mobilenetv3 import MobileNetV3
from timm.models.resnet import ResNet
from timm.models.vgg import VGG
from timm.models.xception import Xception
from torch import nn
from torchvision import models as tv
from torchvision.models import convnext as tv_convnext
from torchvision.models import inception as tv_inception

from transferlab.backbones.pixels import Pixels
from transferlab.errors import UserError

Step = tuple[str, nn.Module]  # path inside the network (or a name of ours where nothing learns), module


@dataclass(frozen=True)
class Split:
    """Stages in order, and the pooling from the last of them to features (N, D)."""

    stages: tuple[tuple[str, tuple[Step, ...]], ...]
    pool: tuple[Step, ...]


class ChannelShift(nn.Module):
    """Scales and shifts each channel; torchvision's Inception does it to its input."""

    def __init__(self, scale: Iterable[float], shift: Iterable[float]):
        super().__init__()
        self.register_buffer("scale", torch.tensor(list(scale)).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("shift", torch.tensor(list(shift)).view(1, -1, 1, 1), persistent=False)

    def forward(self, x):
        return x * self.scale + self.shift


def split(net: nn.Module) -> Split:
    """Cut ``net`` into stages by the adapter of its class.

    Raises
    ------
    UserError
        for a class that no adapter knows; names the families that are supported.

    Examples
    --------
    >>> import timm
    >>> [name for name, _ in split(timm.create_model("resnet18")).stages]
    ['stem', 'layer1', 'layer2', 'layer3', 'layer4']
    """
    adapter = ADAPTERS.get(type(net))
    if adapter is None:
        raise UserError(
            f"networks of the class {type(net).__name__} cannot be cut into stages; use one of the families "
            f"{', '.join(FAMILIES)}."
        )
    return adapter(net)


def _flatten() -> Step:
    return "flatten", nn.Flatten(1)


def _average() -> Step:
    return "average", nn.AdaptiveAvgPool2d(1)


def _steps(net: nn.Module, *paths: str) -> tuple[Step, ...]:
    """The modules at ``paths``, without those that do nothing."""
    found = [(path, net.get_submodule(path)) for path in paths]
    return tuple(step for step in found if not isinstance(step[1], nn.Identity))


def _children(net: nn.Module, path: str) -> list[Step]:
    return [(f"{path}.{name}", module) for name, module in net.get_submodule(path).named_children()]


def _built(stages: Iterable[tuple[str, Iterable[Step]]], *pool: Step) -> Split:
    kept = ((name, tuple(steps)) for name, steps in stages)
    return Split(tuple((name, steps) for name, steps in kept if steps), pool)


def _cut_after(steps: Iterable[Step], last: Callable[[Step], bool]) -> list[list[Step]]:
    groups: list[list[Step]] = [[]]
    for step in steps:
        groups[-1].append(step)
        if last(step):
            groups.append([])
    return [group for group in groups if group]


def _cut_before(steps: Iterable[Step], first: Callable[[Step], bool]) -> list[list[Step]]:
    groups: list[list[Step]] = [[]]
    for step in steps:
        if first(step) and groups[-1]:
            groups.append([])
        groups[-1].append(step)
    return groups


def _numbered(groups: Iterable[Iterable[Step]], start: int = 1) -> list[tuple[str, Iterable[Step]]]:
    return [(f"stage{i}", group) for i, group in enumerate(groups, start)]


def _is_max_pool(step: Step) -> bool:
    return isinstance(step[1], nn.MaxPool2d)


def _has_stride(step: Step) -> bool:
    return any(isinstance(m, nn.Conv2d) and max(m.stride) > 1 for m in step[1].modules())


def _resnet(net, activation: str, pool: tuple[Step, ...]) -> Split:
    layers = [name for name, _ in net.named_children() if name.startswith("layer")]
    stem = ("stem", _steps(net, "conv1", "bn1", activation, "maxpool"))
    return _built([stem, *((name, _steps(net, name)) for name in layers)], *pool)


def _timm_resnet(net) -> Split:
    return _resnet(net, "act1", _steps(net, "global_pool"))


def _torchvision_resnet(net) -> Split:
    return _resnet(net, "relu", (*_steps(net, "avgpool"), _flatten()))


def _timm_vgg(net) -> Split:
    maps = _numbered(_cut_after(_children(net, "features"), _is_max_pool))
    return _built(
        [*maps, ("hidden", _steps(net, "pre_logits"))], *_steps(net, "head.global_pool", "head.flatten")
    )


def _torchvision_vgg(net) -> Split:
    maps = _numbered(_cut_after(_children(net, "features"), _is_max_pool))
    # Dropout between the two hidden layers stays, that before the classifier belongs to the classifier.
    hidden = (*_steps(net, "avgpool"), _flatten(), *_children(net, "classifier")[:-2])
    return _built([*maps, ("hidden", hidden)])


_INCEPTION_MIXED = {"mixed5": "bcd", "mixed6": "abcde", "mixed7": "abc"}


def _inception(net, pools: tuple[str, str], before: tuple[Step, ...], pool: tuple[Step, ...]) -> Split:
    stem = _steps(net, "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", pools[0])
    stem2 = _steps(net, "Conv2d_3b_1x1", "Conv2d_4a_3x3", pools[1])
    mixed = [
        (name, _steps(net, *(f"Mixed_{name[-1]}{letter}" for letter in letters)))
        for name, letters in _INCEPTION_MIXED.items()
    ]
    return _built([("stem", (*before, *stem)), ("stem2", stem2), *mixed], *pool)


def _timm_inception(net) -> Split:
    return _inception(net, ("Pool1", "Pool2"), (), _steps(net, "global_pool"))


def _torchvision_inception(net) -> Split:
    before = ()
    if net.transform_input:  # the weights expect mean and std 0.5; the caller gives ImageNet's
        mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        shift = ChannelShift((s / 0.5 for s in std), ((m - 0.5) / 0.5 for m in mean))
        before = (("transform_input", shift),)
    return _inception(net, ("maxpool1", "maxpool2"), before, (*_steps(net, "avgpool"), _flatten()))


def _timm_xception(net) -> Split:
    stem = _steps(net, "conv1", "bn1", "act1", "conv2", "bn2", "act2")
    entry = [(f"block{i}", _steps(net, f"block{i}")) for i in (1, 2, 3)]
    middle = _steps(net, *(f"block{i}" for i in range(4, 12)))
    last = _steps(net, "block12", "conv3", "bn3", "act3", "conv4", "bn4", "act4")
    return _built([("stem", stem), *entry, ("middle", middle), ("exit", last)], *_steps(net, "global_pool"))


def _timm_efficientnet(net) -> Split:
    blocks = _numbered([step] for step in _children(net, "blocks"))
    stem, head = _steps(net, "conv_stem", "bn1"), _steps(net, "conv_head", "bn2")
    return _built([("stem", stem), *blocks, ("head", head)], *_steps(net, "global_pool"))


def _timm_mobilenetv3(net) -> Split:
    blocks = _numbered([step] for step in _children(net, "blocks"))
    head = _steps(net, "global_pool", "conv_head", "norm_head", "act2")
    return _built(
        [("stem", _steps(net, "conv_stem", "bn1")), *blocks, ("head", head)], *_steps(net, "flatten")
    )


def _torchvision_blocks(net) -> list[tuple[str, Iterable[Step]]]:
    """Stem, inverted residuals in groups of one resolution, the last convolution."""
    first, *blocks, last = _children(net, "features")
    return [("stem", [first]), *_numbered(_cut_before(blocks, _has_stride)), ("head", [last])]


def _torchvision_mobilenetv2(net) -> Split:
    return _built(_torchvision_blocks(net), _average(), _flatten())


def _torchvision_mobilenetv3(net) -> Split:
    hidden = (*_steps(net, "avgpool"), _flatten(), *_children(net, "classifier")[:-2])
    return _built([*_torchvision_blocks(net), ("hidden", hidden)])


def _torchvision_efficientnet(net) -> Split:
    first, *blocks, last = _children(net, "features")
    stages = [("stem", [first]), *_numbered([step] for step in blocks), ("head", [last])]
    return _built(stages, *_steps(net, "avgpool"), _flatten())


def _torchvision_squeezenet(net) -> Split:
    stem, *groups = _cut_after(_children(net, "features"), _is_max_pool)
    return _built([("stem", stem), *_numbered(groups)], _average(), _flatten())


def _densenet(net, last: tuple[Step, ...], pool: tuple[Step, ...]) -> Split:
    stem, *groups = _cut_after(_children(net, "features"), lambda s: "pool0" in s[0] or "transition" in s[0])
    groups[-1].extend(last)
    return _built([("stem", stem), *((f"denseblock{i}", g) for i, g in enumerate(groups, 1))], *pool)


def _timm_densenet(net) -> Split:
    return _densenet(net, (), _steps(net, "global_pool"))


def _torchvision_densenet(net) -> Split:
    return _densenet(net, (("last_relu", nn.ReLU()),), (_average(), _flatten()))


def _timm_convnext(net) -> Split:
    stages = [("stem", _steps(net, "stem")), *_numbered([step] for step in _children(net, "stages"))]
    if isinstance(net.head, NormMlpClassifierHead):
        head = (
            "head",
            (*_steps(net, "head.global_pool", "head.norm"), _flatten(), *_steps(net, "head.pre_logits")),
        )
        return _built([*stages, head])
    pool = _steps(net, "head.global_pool", "head.flatten")
    return _built([*stages, ("head", _steps(net, "norm_pre"))], *pool)


def _torchvision_convnext(net) -> Split:
    def is_downsampling(step: Step) -> bool:
        first = next(step[1].children())
        return isinstance(first, tv_convnext.LayerNorm2d)

    stem, *groups = _children(net, "features")
    stages = [("stem", [stem]), *_numbered(_cut_before(groups, is_downsampling))]
    return _built([*stages, ("head", _steps(net, "avgpool", "classifier.0"))], _flatten())


FAMILIES = (
    "VGG",
    "ResNet",
    "Inception v3",
    "Xception",
    "MobileNet",
    "SqueezeNet (torchvision)",
    "DenseNet",
    "EfficientNet",
    "ConvNeXt",
)


# Exact classes only: a subclass may run its modules in another order.
def _pixels(net) -> Split:
    return Split((("pixels", (("image", net.image),)),), _steps(net, "flatten"))


ADAPTERS: dict[type[nn.Module], Callable[[nn.Module], Split]] = {
    VGG: _timm_vgg,
    ResNet: _timm_resnet,
    InceptionV3: _timm_inception,
    Xception: _timm_xception,
    EfficientNet: _timm_efficientnet,
    MobileNetV3: _timm_mobilenetv3,
    DenseNet: _timm_densenet,
    ConvNeXt: _timm_convnext,
    tv.VGG: _torchvision_vgg,
    tv.ResNet: _torchvision_resnet,
    tv_inception.Inception3: _torchvision_inception,
    tv.MobileNetV2: _torchvision_mobilenetv2,
    tv.MobileNetV3: _torchvision_mobilenetv3,
    tv.SqueezeNet: _torchvision_squeezenet,
    tv.DenseNet: _torchvision_densenet,
    tv.EfficientNet: _torchvision_efficientnet,
    tv.ConvNeXt: _torchvision_convnext,
    Pixels: _pixels,
}
