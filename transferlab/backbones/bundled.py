"""The networks that come with the package: their architecture, cards and timm names."""

from __future__ import annotations

from collections.abc import Sequence

from timm.models.resnet import BasicBlock, ResNet
from torch import nn

from transferlab.errors import UserError


def build_small_resnet(
    channels: Sequence[int] = (32, 64, 128, 256),
    layers: Sequence[int] = (2, 2, 2, 2),
    num_classes: int = 200,
    **kwargs,
) -> ResNet:
    """A ResNet (He et al. 2016) for 64-pixel images: no max pool, so that the last map keeps 4 x 4.

    Parameters
    ----------
    channels : width of each stage; the 7 x 7 stem of stride 2 has the width of the first, which is even
    layers : number of basic blocks in each stage
    num_classes : outputs of the classifier; 0 leaves it out
    kwargs : further settings of ``timm.models.resnet.ResNet`` such as ``drop_rate``, ``drop_path_rate``,
        ``in_chans``

    Returns
    -------
    untrained network, input float32 (N, 3, H, W); 64 pixels give maps of 32, 32, 16, 8 and 4

    Raises
    ------
    UserError
        when channels and layers do not fit together.

    Examples
    --------
    >>> net = build_small_resnet((8, 16), (1, 1), num_classes=3)
    >>> [(i["module"], i["reduction"]) for i in net.feature_info]
    [('act1', 2), ('layer1', 2), ('layer2', 4)]
    """
    channels, layers = tuple(channels), tuple(layers)
    if not channels or len(channels) != len(layers) or channels[0] % 2:
        raise UserError(
            f"channels {channels} and layers {layers} do not fit together; give one number of blocks a "
            "stage and an even first width."
        )
    width = channels[0]
    # timm's plain stem is always 64 wide; its deep stem takes a width, and its convolutions are replaced.
    net = ResNet(
        BasicBlock, layers, num_classes, channels=channels, stem_type="deep", stem_width=width // 2, **kwargs
    )
    net.conv1 = nn.Conv2d(net.in_chans, width, 7, stride=2, padding=3, bias=False)
    nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")
    net.maxpool = nn.Identity()
    net.feature_info = [
        {**info, "reduction": max(2, info["reduction"] // 2)} for info in net.feature_info
    ]
    return net
