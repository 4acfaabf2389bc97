"""The networks that come with the package: their architecture, cards and timm names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from timm.models import build_model_with_cfg, generate_default_cfgs, is_model, register_model
from timm.models.resnet import BasicBlock, ResNet
from torch import nn

from transferlab.backbones.weights_file import read_description, read_tensors
from transferlab.errors import UserError

#: Where the bundled weights lie: NAME.safetensors (float16) and NAME.json.
WEIGHTS = Path(__file__).parent / "weights"

default_cfgs: dict[str, Any] = {}  # timm looks for pretrained settings under this name


def build_small_resnet(
    channels: Sequence[int] = (32, 64, 128, 256),
    layers: Sequence[int] = (2, 2, 2, 2),
    num_classes: int = 200,
    **kwargs,
) -> ResNet:
    """A ResNet (He et al. 2016) for 64-pixel images: no max pool, so that the last map keeps 4 x 4.

    Parameters
    ----------
    channels : width of each of the four stages; the 7 x 7 stem of stride 2 has the first, which is even
    layers : number of basic blocks in each of the four stages
    num_classes : outputs of the classifier; 0 leaves it out
    kwargs : further settings of ``timm.models.resnet.ResNet`` such as ``drop_rate``, ``drop_path_rate``,
        ``in_chans``

    Returns
    -------
    untrained network, input float32 (N, 3, H, W); 64 pixels give maps of 32, 32, 16, 8 and 4

    Raises
    ------
    UserError
        when there are not four widths and four numbers of blocks, or the first width is odd.

    Examples
    --------
    >>> net = build_small_resnet((8, 8, 16, 16), (1, 1, 1, 1), num_classes=3)
    >>> [(i["module"], i["reduction"]) for i in net.feature_info]
    [('act1', 2), ('layer1', 2), ('layer2', 4), ('layer3', 8), ('layer4', 16)]
    """
    channels, layers = tuple(channels), tuple(layers)
    if len(channels) != 4 or len(layers) != 4 or channels[0] % 2:
        raise UserError(
            f"channels {channels} and layers {layers} do not make a small ResNet; give four of each, the "
            "first width even."
        )
    width = channels[0]
    # timm's plain stem is always 64 wide; its deep stem takes a width, and its convolutions are replaced.
    net = ResNet(
        BasicBlock,
        layers,
        num_classes,
        channels=channels,
        stem_type="deep",
        stem_width=width // 2,
        zero_init_last=False,  # untrained residual branches do something: a fair random control
        **kwargs,
    )
    net.conv1 = nn.Conv2d(net.in_chans, width, 7, stride=2, padding=3, bias=False)
    nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")
    net.maxpool = nn.Identity()
    net.feature_info = [{**info, "reduction": max(2, info["reduction"] // 2)} for info in net.feature_info]
    return net


def bundled_names() -> list[str]:
    """Names of the bundled backbones, sorted.

    Examples
    --------
    >>> all(isinstance(name, str) for name in bundled_names())
    True
    """
    return sorted(path.stem for path in WEIGHTS.glob("*.json") if path.with_suffix(".safetensors").is_file())


def bundled_file(name: str) -> Path:
    """The weights file of a bundled backbone."""
    if name not in bundled_names():
        raise UserError(f"there is no bundled backbone {name!r}; use one of {', '.join(bundled_names())}.")
    return WEIGHTS / f"{name}.safetensors"


def backbone_card(name: str) -> dict[str, Any]:
    """The card of a bundled backbone: data, recipe, seed, curves, accuracy, limits."""
    return dict(read_description(bundled_file(name)).get("card", {}))


def register_bundled() -> None:
    """Make ``timm.create_model("transferlab_NAME")`` know every bundled backbone of this architecture."""
    for name in bundled_names():
        described = read_description(bundled_file(name))
        timm_name = "transferlab_" + name.replace("-", "_")
        if described["architecture"] == "small_resnet" and not is_model(timm_name):
            config = _timm_config(bundled_file(name), described)
            default_cfgs.update(generate_default_cfgs({timm_name: config}))
            register_model(_entry_point(timm_name, bundled_file(name), described))


def _timm_config(path: Path, described: dict[str, Any]) -> dict[str, Any]:
    return {
        "file": str(path),
        "input_size": (3, described["input_size"], described["input_size"]),
        "mean": tuple(described["mean"]),
        "std": tuple(described["std"]),
        "interpolation": described["interpolation"],
        "crop_pct": 1.0,
        "num_classes": described.get("kwargs", {}).get("num_classes", 200),
        "first_conv": "conv1",
        "classifier": "fc",
        "license": "other",
    }


def _entry_point(timm_name: str, path: Path, described: dict[str, Any]) -> Callable[..., nn.Module]:
    settings = described.get("kwargs", {})

    def create(pretrained: bool = False, **kwargs) -> nn.Module:
        if pretrained:
            read_tensors(path, described.get("sha256"))  # timm does not check the SHA-256 of a file
        return build_model_with_cfg(
            build_small_resnet,
            timm_name,
            pretrained,
            **{**settings, **kwargs},
        )

    create.__name__ = create.__qualname__ = timm_name
    create.__doc__ = f"Bundled backbone, see transferlab.backbones.backbone_card({path.stem!r})."
    return create
