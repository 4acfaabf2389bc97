"""MobileNetV1 of any width; timm names two widths only."""

from __future__ import annotations

from functools import partial

from timm.models.efficientnet import EfficientNet, decode_arch_def, round_channels
from torch import nn

_STAGES = [
    ["dsa_r1_k3_s1_c64"],
    ["dsa_r2_k3_s2_c128"],
    ["dsa_r2_k3_s2_c256"],
    ["dsa_r6_k3_s2_c512"],
    ["dsa_r2_k3_s2_c1024"],
]


def build_mobilenetv1(
    channel_multiplier: float = 1.0,
    pad_type: str = "",
    bn_eps: float = 1e-5,
    num_classes: int = 1000,
) -> EfficientNet:
    """MobileNetV1 (Howard et al. 2017) as timm builds it, under timm's parameter names.

    Parameters
    ----------
    channel_multiplier : width as a share of the paper's; widths are rounded to multiples of 8
    pad_type : ``""`` or ``"same"`` (TensorFlow's, for weights that come from there)
    bn_eps : epsilon of BatchNorm; TensorFlow's weights use 1e-3

    Examples
    --------
    >>> build_mobilenetv1(0.25, num_classes=5).num_features
    256
    """
    return EfficientNet(
        block_args=decode_arch_def(_STAGES),
        num_classes=num_classes,
        num_features=0,
        stem_size=32,
        round_chs_fn=partial(round_channels, multiplier=channel_multiplier),
        norm_layer=partial(nn.BatchNorm2d, eps=bn_eps),
        act_layer=nn.ReLU6,
        pad_type=pad_type,
    )
