"""From the name of a backbone, or a weights file, to a :class:`Backbone`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import timm
import torch
from torch import nn
from torchvision import models as tv

from transferlab.backbones.architecture import Architecture
from transferlab.backbones.backbone import Backbone
from transferlab.backbones.bundled import bundled_file, bundled_names
from transferlab.backbones.pixels import Pixels
from transferlab.backbones.preprocessing import Preprocessing
from transferlab.backbones.weights_file import HEAD_PREFIX, PICKLE_SUFFIXES, read_description, read_tensors
from transferlab.errors import UserError

PIXELS = Preprocessing((0.0,) * 3, (1.0,) * 3, 32)
HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def load_backbone(spec: str | os.PathLike | Backbone, *, pretrained: bool = True, seed: int = 0) -> Backbone:
    """The backbone that ``spec`` names.

    Parameters
    ----------
    spec : a bundled name such as ``"tiny"`` (see :func:`bundled_names`), ``"timm/NAME"``,
        ``"torchvision/NAME"``, ``"FILE.safetensors"`` with ``FILE.json`` beside it, or ``"pixels"``, which
        is no network: its features are the pixels of the image at 32 x 32. A backbone is given back
    pretrained : False gives freshly initialised weights; nothing is then downloaded
    seed : of that initialisation

    Raises
    ------
    UserError
        for an unknown name, an unsupported architecture, a damaged file, or no network.

    Examples
    --------
    >>> backbone = load_backbone("torchvision/squeezenet1_0", pretrained=False)
    >>> backbone.feature_dim, backbone.preprocessing.input_size
    (512, 224)
    """
    if isinstance(spec, Backbone):
        return spec
    text = os.fspath(spec)
    library, _, name = text.partition("/")
    if library in LIBRARIES and name:
        return LIBRARIES[library](name, pretrained, seed)
    if Path(text).suffix in (".safetensors", *PICKLE_SUFFIXES):
        return _from_file(Path(text), Path(text).stem, pretrained, seed)
    if text == "pixels":
        return Backbone(Pixels(), Architecture("transferlab", "pixels"), PIXELS, text)
    if text in bundled_names():
        return _from_file(bundled_file(text), text, pretrained, seed)
    raise UserError(
        f"there is no backbone {text!r}; use {_bundled_list()}timm/NAME, torchvision/NAME or "
        "FILE.safetensors."
    )


def random_backbone(backbone: Backbone, seed: int) -> Backbone:
    """The same architecture and preprocessing with freshly initialised weights: the untrained control.

    Examples
    --------
    >>> net = load_backbone("torchvision/squeezenet1_0", pretrained=False)
    >>> random_backbone(net, 1).digest == random_backbone(net, 2).digest
    False
    """
    return replace(
        backbone, _net=backbone.architecture.build(seed), name=f"{backbone.name} untrained, seed {seed}"
    )


def _timm(name: str, pretrained: bool, seed: int) -> Backbone:
    architecture = Architecture("timm", name)
    net = architecture.build(seed)
    config = timm.data.resolve_model_data_config(net)
    mode = config["interpolation"] if config["interpolation"] in ("bilinear", "bicubic") else "bilinear"
    preprocessing = Preprocessing(config["mean"], config["std"], config["input_size"][-1], mode)
    backbone = Backbone(net, architecture, preprocessing, f"timm/{name}")
    if not pretrained:
        return backbone
    if not timm.models.is_model_pretrained(name):
        raise UserError(
            f"timm has no pretrained weights for {name!r}; pass pretrained=False or another name."
        )
    trained = _fetch(backbone.name, lambda: _timm_trained(name, net.pretrained_cfg))
    return replace(backbone, _net=trained)


def _timm_trained(name: str, config: Mapping) -> nn.Module:
    """timm's own loader; weights in the Hugging Face cache are taken without asking the network first."""
    from huggingface_hub import HfApi, try_to_load_from_cache

    repository = config.get("hf_hub_id")
    downloaded = Path(torch.hub.get_dir(), "checkpoints", Path(config.get("url") or "-").name)
    if not repository or config.get("file") or downloaded.is_file():
        return timm.create_model(name, pretrained=True)
    files = [config.get("hf_hub_filename")] if config.get("hf_hub_filename") else HUB_FILES
    cached = [
        path for path in (try_to_load_from_cache(repository, file) for file in files) if isinstance(path, str)
    ]
    if cached:
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay={"file": cached[0]})
    HfApi().model_info(repository, timeout=10)  # fails at once where the download would retry for a minute
    return timm.create_model(name, pretrained=True)


def _torchvision(name: str, pretrained: bool, seed: int) -> Backbone:
    architecture = Architecture("torchvision", name)
    net = architecture.build(seed)
    weights = tv.get_model_weights(name).DEFAULT
    steps = weights.transforms()
    preprocessing = Preprocessing(steps.mean, steps.std, steps.crop_size[0], steps.interpolation.value)
    backbone = Backbone(
        net, architecture, preprocessing, f"torchvision/{name}", tuple(weights.meta["categories"])
    )
    if pretrained:
        state = _fetch(
            f"torchvision/{name}", lambda: weights.get_state_dict(check_hash=True, weights_only=True)
        )
        # DenseNet's files are older than the rule that a module's name has no dot.
        renamed = {
            re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.", r"\1\2.", k): v for k, v in state.items()
        }
        _fill(net, renamed, backbone.name)
    return backbone


def _fetch(name: str, get):
    try:
        return get()
    except Exception as error:  # every library of theirs has its own errors for "no network"
        raise UserError(
            f"the weights of {name} are not in the cache and could not be fetched ({type(error).__name__}); "
            f"connect to the network once, or use {_bundled_list()}a FILE.safetensors."
        ) from error


def _from_file(path: Path, name: str, pretrained: bool, seed: int) -> Backbone:
    if path.suffix in PICKLE_SUFFIXES or not path.exists():
        read_tensors(path)  # refuses before a JSON is asked for
    described = read_description(path)
    architecture = Architecture(described["library"], described["architecture"], described.get("kwargs", {}))
    preprocessing = Preprocessing(
        described["mean"], described["std"], described["input_size"], described["interpolation"]
    )
    net = architecture.build(seed)
    if pretrained:
        tensors = read_tensors(path, described.get("sha256"))
        _fill(net, {k: v for k, v in tensors.items() if not k.startswith(HEAD_PREFIX)}, name)
    classes = described.get("classes")
    classes = tuple(classes) if isinstance(classes, list) else classes
    return Backbone(net, architecture, preprocessing, name, classes, described.get("card", {}))


def _fill(net: nn.Module, state: Mapping[str, torch.Tensor], name: str) -> None:
    """Load ``state`` strictly; what differs is named."""
    own = net.state_dict()
    wrong = [
        f"{len(keys)} {what} such as {min(keys)!r}"
        for what, keys in (
            ("missing", own.keys() - state.keys()),
            ("unexpected", state.keys() - own.keys()),
            ("of another shape", {k for k in own.keys() & state.keys() if own[k].shape != state[k].shape}),
        )
        if keys
    ]
    if wrong:
        raise UserError(
            f"the weights of {name} do not fit the architecture named beside them: {', '.join(wrong)}; "
            "correct the architecture or its kwargs."
        )
    net.load_state_dict(state)


def _bundled_list() -> str:
    """Bundled names for a message, ending in a comma."""
    names = bundled_names()
    return f"{', '.join(names)} (bundled), " if names else ""


LIBRARIES = {"timm": _timm, "torchvision": _torchvision}
