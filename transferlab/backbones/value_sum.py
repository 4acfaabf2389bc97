"""How one value of a map came about: weights times inputs over the last kernel, and all that was added."""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional as F

from transferlab.backbones.backbone import Backbone
from transferlab.errors import UserError

_NOTHING = (nn.Identity, nn.Dropout, nn.Dropout2d)  # in eval mode
_ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SiLU, nn.GELU, nn.Hardswish, nn.Sigmoid, nn.Tanh)


@dataclass(frozen=True, eq=False)
class ValueSum:
    """One value as ``activation(scale * (sum of weights * inputs + bias) + shift + added)``.

    weights, inputs : float64 (C, k, k), the kernel of the stage's last convolution and what lay under it
        (zeros beyond the edge)
    bias : of the convolution
    scale, shift : what its BatchNorm does with running statistics; 1 and 0 where there is none
    added : what came in by the shortcut; None where there is none
    activation : its name, or ``""``
    value : what came out
    place : (row, column) of the convolution's own map; another than was asked for where a max pool follows
    """

    weights: np.ndarray
    inputs: np.ndarray
    bias: float
    scale: float
    shift: float
    added: float | None
    activation: str
    value: float
    place: tuple[int, int]

    @property
    def products(self) -> np.ndarray:
        """Weights times inputs, float64 (C, k, k)."""
        return self.weights * self.inputs

    @property
    def parts(self) -> dict[str, float]:
        """What adds up to :attr:`total`, by name; parts that the network does not have are left out."""
        found = {"products": self.scale * float(self.products.sum())}
        if self.bias:
            found["bias"] = self.scale * self.bias
        if (self.scale, self.shift) != (1, 0):
            found["BatchNorm's shift"] = self.shift
        if self.added is not None:
            found["shortcut"] = self.added
        return found

    @property
    def total(self) -> float:
        """The sum before the activation."""
        return sum(self.parts.values())


def value_sum(
    backbone: Backbone, stage: str, image: np.ndarray, *, channel: int, place: tuple[int, int]
) -> ValueSum:
    """The sum behind the value of ``channel`` at a place of ``stage``.

    Parameters
    ----------
    image : uint8 (C, H, W)
    place : (row, column) of the stage's map

    Raises
    ------
    UserError
        when the stage does not end in a convolution (then BatchNorm, shortcut, activation, max pool), or has
        no such place.

    Examples
    --------
    >>> from transferlab.backbones import load_backbone, stage_maps
    >>> net, image = load_backbone("zoo-early"), np.full((3, 64, 64), 99, np.uint8)
    >>> found = value_sum(net, "layer1", image, channel=3, place=(5, 5))
    >>> found.products.shape, list(found.parts)
    ((16, 3, 3), ['products', "BatchNorm's shift", 'shortcut'])
    >>> bool(abs(found.value - stage_maps(net, image[None], "layer1")[0, 3, 5, 5]) < 1e-5)
    True
    """
    boundary, (row, column) = backbone.boundary(stage), place
    shape = backbone.stages[boundary - 1].output_shape
    if boundary == 0 or not all(0 <= i < n for i, n in zip((channel, row, column), shape, strict=True)):
        raise UserError(
            f"{stage} of {backbone.name} has {shape[0]} channels of {shape[1]}×{shape[2]} places; "
            f"channel {channel}, row {row}, column {column} is none of them."
        )
    ending = _ending(backbone, boundary)
    with torch.inference_mode():
        x = backbone.preprocess(image[None]).to(backbone.device)
        seen = _Watched(ending).run(backbone.forward(x, 0, boundary - 1))
        if ending.pool is not None:
            row, column = _winner(ending.pool, seen[ending.pooled][0, channel], row, column)
        return _summed(ending, seen, channel, row, column)


@dataclass(frozen=True, eq=False)
class _Ending:
    """The last steps of a stage, found by walking back from its output to a convolution."""

    traced: fx.GraphModule
    convolution: nn.Conv2d
    reads: fx.Node  # what the convolution sees
    norm: nn.BatchNorm2d | None
    added: tuple[fx.Node, ...]
    activation: nn.Module | None
    pool: nn.MaxPool2d | None
    pooled: fx.Node | None  # what the max pool sees


def _ending(backbone: Backbone, boundary: int) -> _Ending:
    name, steps = backbone._split.stages[boundary - 1]
    try:
        traced = fx.symbolic_trace(nn.Sequential(*(module for _, module in steps)))
    except Exception as error:  # whatever a network's own code does when it is traced
        raise UserError(f"{name} of {backbone.name} cannot be followed step by step ({error}).") from error
    modules = dict(traced.named_modules())
    node = next(n for n in traced.graph.nodes if n.op == "output").args[0]
    found: dict = {"norm": None, "activation": None, "pool": None, "pooled": None}
    added: list[fx.Node] = []
    while isinstance(node, fx.Node) and node.op != "placeholder":
        module = modules.get(node.target) if node.op == "call_module" else None
        before = node.args[0]
        if (
            type(module) is nn.Conv2d
            and module.padding_mode == "zeros"
            and not isinstance(module.padding, str)
        ):
            return _Ending(traced, module, before, added=tuple(added), **found)
        if node.op == "call_function" and _adds(node) and not found["norm"]:
            added.append(node.args[1])
        elif isinstance(module, nn.MaxPool2d) and not (found["pool"] or found["activation"] or added):
            found |= {"pool": module, "pooled": before}
        elif isinstance(module, _ACTIVATIONS) and not (found["activation"] or found["norm"] or added):
            found["activation"] = module
        elif isinstance(module, nn.BatchNorm2d) and not found["norm"]:
            found["norm"] = module
        elif not isinstance(module, _NOTHING):
            break
        node = before
    raise UserError(
        f"{name} of {backbone.name} does not end in a convolution with at most BatchNorm, shortcut, activation "
        "and max pool behind it, so that no single sum makes its values; take another stage or a ResNet."
    )


def _adds(node: fx.Node) -> bool:
    return node.target in (operator.add, operator.iadd) and isinstance(node.args[1], fx.Node)


class _Watched(fx.Interpreter):
    """Runs a traced stage and gives what each step made, as it was before later steps wrote over it."""

    def __init__(self, ending: _Ending):
        super().__init__(ending.traced)
        self._wanted = {ending.reads, ending.pooled, *ending.added}

    def run(self, x: torch.Tensor) -> dict[fx.Node, torch.Tensor]:
        self.seen: dict[fx.Node, torch.Tensor] = {}
        super().run(x)
        return self.seen

    def run_node(self, node: fx.Node):
        out = super().run_node(node)
        if node in self._wanted:
            self.seen[node] = out.clone()
        return out


def _winner(pool: nn.MaxPool2d, values: torch.Tensor, row: int, column: int) -> tuple[int, int]:
    """The place whose value a max pool took for (row, column)."""
    _, winners = F.max_pool2d(
        values[None, None], pool.kernel_size, pool.stride, pool.padding, pool.dilation, pool.ceil_mode, True
    )
    return divmod(int(winners[0, 0, row, column]), values.shape[1])


def _summed(ending: _Ending, seen, channel: int, row: int, column: int) -> ValueSum:
    conv = ending.convolution
    weights = conv.weight[channel].double()
    first = channel // (conv.out_channels // conv.groups) * len(weights)
    (down, right), (high, wide), (dh, dw) = conv.padding, weights.shape[1:], conv.dilation
    around = F.pad(seen[ending.reads][0, first : first + len(weights)], (right, right, down, down)).double()
    top, left = row * conv.stride[0], column * conv.stride[1]
    inputs = around[:, top : top + (high - 1) * dh + 1 : dh, left : left + (wide - 1) * dw + 1 : dw]
    scale, shift = (1.0, 0.0) if ending.norm is None else _scale_and_shift(ending.norm, channel)
    found = ValueSum(
        weights.cpu().numpy(),
        inputs.cpu().numpy(),
        0.0 if conv.bias is None else float(conv.bias[channel]),
        scale,
        shift,
        sum(float(seen[n][0, channel, row, column]) for n in ending.added) if ending.added else None,
        "" if ending.activation is None else type(ending.activation).__name__,
        0.0,
        (row, column),
    )
    total = torch.tensor(found.total, dtype=torch.float64)
    value = total if ending.activation is None else ending.activation(total)
    return replace(found, value=float(value))


def _scale_and_shift(norm: nn.BatchNorm2d, channel: int) -> tuple[float, float]:
    weight, bias = (1.0, 0.0) if norm.weight is None else (norm.weight[channel], norm.bias[channel])
    scale = float(weight) / float(norm.running_var[channel].double() + norm.eps) ** 0.5
    return scale, float(bias) - float(norm.running_mean[channel]) * scale
