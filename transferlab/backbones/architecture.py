"""Networks built from a library, a name and settings, always without weights."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import timm
import torch
from torch import nn
from torchvision import models as tv

from transferlab.backbones.bundled import build_small_resnet
from transferlab.backbones.mobilenetv1 import build_mobilenetv1
from transferlab.backbones.pixels import Pixels
from transferlab.errors import UserError

# Settings that would fetch or read other files, or give something that is not one network.
REFUSED = {
    "pretrained",
    "pretrained_cfg",
    "pretrained_cfg_overlay",
    "checkpoint_path",
    "cache_dir",
    "weights",
    "weights_backbone",
    "progress",
    "features_only",
    "out_indices",
    "scriptable",
    "exportable",
    "no_jit",
}


@dataclass(frozen=True)
class Architecture:
    """What a network is, apart from its weights.

    library : ``"timm"``, ``"torchvision"`` or ``"transferlab"``; name : the library's name for it;
    kwargs : settings of its constructor, numbers and text only.

    Examples
    --------
    >>> net = Architecture("transferlab", "small_resnet", {"num_classes": 5}).build(seed=0)
    >>> net.num_classes
    5
    """

    library: str
    name: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def build(self, seed: int = 0) -> nn.Module:
        """A freshly initialised network, the same for the same ``seed``; the caller's generator is kept."""
        if self.library not in BUILDERS:
            raise UserError(f"library {self.library!r} is unknown; use {', '.join(BUILDERS)}.")
        refused = REFUSED & set(self.kwargs)
        if refused:
            raise UserError(f"the setting {min(refused)!r} of {self.name!r} is not allowed; leave it out.")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return BUILDERS[self.library](self.name, dict(self.kwargs))


def _timm(name: str, kwargs: dict) -> nn.Module:
    known = name.partition(".")[0]
    if not timm.is_model(known):
        raise UserError(f"timm has no network {name!r}; {_meant(known, timm.list_models())}")
    return _called(name, lambda: timm.create_model(name, pretrained=False, **kwargs))


def _torchvision(name: str, kwargs: dict) -> nn.Module:
    known = tv.list_models(module=tv)
    if name not in known:
        raise UserError(f"torchvision has no network {name!r}; {_meant(name, known)}")
    if name == "inception_v3":
        kwargs = {"init_weights": True, **kwargs}
    return _called(name, lambda: tv.get_model(name, weights=None, **kwargs))


def _transferlab(name: str, kwargs: dict) -> nn.Module:
    if name not in OURS:
        raise UserError(f"transferlab has no architecture {name!r}; use {' or '.join(OURS)}.")
    return _called(name, lambda: OURS[name](**kwargs))


def _called(name: str, build) -> nn.Module:
    try:
        return build()
    except (TypeError, AssertionError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"{name!r} cannot be built with these settings ({reason}); correct its kwargs."
        ) from error


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=3)
    return f"did you mean {' or '.join(close)}?" if close else "see the library's list of models."


OURS = {"small_resnet": build_small_resnet, "mobilenetv1": build_mobilenetv1, "pixels": Pixels}
BUILDERS = {"timm": _timm, "torchvision": _torchvision, "transferlab": _transferlab}
