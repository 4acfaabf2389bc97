"""Shape, stride and receptive field of each stage, from one pass without data."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from transferlab.backbones.stages import Step

aten = torch.ops.aten


@dataclass(frozen=True)
class Extent:
    """What one stage gives.

    output_shape : (C, H, W); (C, 1, 1) once flattened
    stride : pixels between neighbouring cells of the map; the input size where there is one cell
    receptive_field : side in pixels of the square that a cell depends on, along the longest path and
        beyond the picture's edge if need be; ``"global"`` once the whole map has been pooled
    """

    output_shape: tuple[int, int, int]
    stride: int
    receptive_field: int | Literal["global"]


def measure(stages: Iterable[Iterable[Step]], pool: Iterable[Step], input_size: int) -> tuple[list[Extent], int]:
    """The extent of each stage and the number of pooled features, at ``input_size`` pixels.

    The field of a layer of kernel k, dilation d is r + (k - 1) d j, where r and j are the field and the
    stride of its input (Araujo et al. 2019); where paths meet, the largest counts. Operations are
    followed as they run on tensors without data, so branches and residual sums need no description.

    Examples
    --------
    >>> extents, width = measure([[("c", nn.Conv2d(3, 8, 3, 2))]], [("f", nn.Flatten(1))], 9)
    >>> extents[0], width
    (Extent(output_shape=(8, 4, 4), stride=2, receptive_field=3), 128)
    """
    extents = []
    with torch.no_grad(), _Followed():
        x = torch.empty(1, 3, input_size, input_size, device="meta")
        for steps in stages:
            x = _run(steps, x)
            field, stride = _known(x)
            shape = tuple(int(n) for n in (*x.shape[1:], 1, 1)[:3])
            extents.append(
                Extent(
                    shape,
                    input_size if shape[1:] == (1, 1) else stride,
                    "global" if math.isinf(field) else int(field),
                )
            )
        return extents, int(_run(pool, x).shape[1])


def _run(steps: Iterable[Step], x: torch.Tensor) -> torch.Tensor:
    for _, module in steps:
        x = _without_data(module)(x)
    return x


def _without_data(module: nn.Module) -> nn.Module:
    """A copy on the meta device; the weights themselves are not copied."""
    memo = {id(p): nn.Parameter(p.to("meta"), requires_grad=False) for p in module.parameters()}
    memo |= {id(b): b.to("meta") for b in module.buffers()}
    return copy.deepcopy(module, memo).eval()


def _known(tensor: torch.Tensor) -> tuple[float, int]:
    return getattr(tensor, "_field_and_stride", (1, 1))


class _Followed(TorchDispatchMode):
    """Carries (field, stride) from the inputs of every operation to its outputs."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        inputs = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        known = [_known(t) for t in inputs]
        field, stride = (max(values) for values in zip(*known, strict=True)) if known else (1, 1)
        shape_before = inputs[0].shape if inputs else ()  # an operation in place may change it
        out = func(*args, **(kwargs or {}))
        window, step = _WINDOWS.get(func.overloadpacket, _no_window)(args, shape_before, out)
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                tensor._field_and_stride = (field + (window - 1) * stride, stride * step)
        return out


def _first(value) -> int:
    return max(value) if isinstance(value, list | tuple) else value


def _no_window(args, before, out) -> tuple[float, int]:
    return 1, 1


def _convolution(args, before, out) -> tuple[float, int]:
    kernel, stride, dilation = args[1].shape[2:], args[3], args[5]
    return (max(kernel) - 1) * _first(dilation) + 1, _first(stride)


def _pooling(args, before, out) -> tuple[float, int]:
    kernel = _first(args[1])
    stride = _first(args[2]) if len(args) > 2 and args[2] else kernel
    dilation = _first(args[4]) if len(args) > 4 and isinstance(args[4], list | tuple) else 1
    return (kernel - 1) * dilation + 1, stride


def _adaptive(args, before, out) -> tuple[float, int]:
    result = out[0] if isinstance(out, tuple) else out
    size, wanted = max(before[-2:]), max(result.shape[-2:])
    if wanted == 1 and size > 1:
        return math.inf, 1
    return max(1, math.ceil(size / wanted)), max(1, size // wanted)


def _reduction(args, before, out) -> tuple[float, int]:
    """Sums over rows and columns are global; a sum over one axis is over channels."""
    dims = next((a for a in args[1:] if isinstance(a, list | tuple)), range(len(before)))
    crossed = math.prod(before[d] for d in dims) if len(dims) > 1 and len(before) == 4 else 1
    return (math.inf if crossed > 1 else 1), 1


def _group_norm(args, before, out) -> tuple[float, int]:
    return math.inf, 1


def _reshaping(args, before, out) -> tuple[float, int]:
    """Flattening a map mixes its positions in whatever reads the result."""
    flattened = len(before) == 4 and out.ndim == 2 and out.shape[0] == before[0]
    return (max(before[2:]) if flattened else 1), 1


_WINDOWS = {
    aten.convolution: _convolution,
    aten.max_pool2d_with_indices: _pooling,
    aten.avg_pool2d: _pooling,
    aten._adaptive_avg_pool2d: _adaptive,
    aten.adaptive_max_pool2d: _adaptive,
    aten.mean: _reduction,
    aten.sum: _reduction,
    aten.amax: _reduction,
    aten.var_mean: _reduction,
    aten.linalg_vector_norm: _reduction,
    aten.native_group_norm: _group_norm,
    aten.view: _reshaping,
    aten._unsafe_view: _reshaping,
}
