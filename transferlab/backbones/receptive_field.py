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
Pair = tuple[float, float]  # rows, columns


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


def measure(
    stages: Iterable[Iterable[Step]], pool: Iterable[Step], input_size: int
) -> tuple[list[Extent], int]:
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
            field, stride = (max(pair) for pair in _known(x))
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


def _known(tensor: torch.Tensor) -> tuple[Pair, Pair]:
    return getattr(tensor, "_field_and_stride", ((1, 1), (1, 1)))


def _largest(pairs: Iterable[Pair]) -> Pair:
    rows, columns = zip(*pairs, strict=True)
    return max(rows), max(columns)


class _Followed(TorchDispatchMode):
    """Carries (field, stride), each by rows and columns, from an operation's inputs to its outputs."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        inputs = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        before = inputs[0].shape if inputs else ()  # an operation in place may change it
        out = func(*args, **(kwargs or {}))
        if inputs:
            fields, strides = zip(*(_known(t) for t in inputs), strict=True)
            field, stride = _largest(fields), _largest(strides)
            window, step = _WINDOWS.get(func.overloadpacket, _no_window)(args, before, out)
            field = tuple(f + (w - 1) * s for f, w, s in zip(field, window, stride, strict=True))
            stride = tuple(a * b for a, b in zip(stride, step, strict=True))
            for tensor in tree_leaves(out):
                if isinstance(tensor, torch.Tensor):
                    tensor._field_and_stride = (field, stride)
        return out


_ONE = (1, 1)
_ALL = (math.inf, math.inf)


def _pair(value) -> Pair:
    """torch's argument for both axes: a number, one number in a list, or two."""
    values = list(value) if isinstance(value, list | tuple | torch.Size) else [value]
    return values[0], values[-1]


def _no_window(args, before, out) -> tuple[Pair, Pair]:
    return _ONE, _ONE


def _convolution(args, before, out) -> tuple[Pair, Pair]:
    return _dilated(args[1].shape[2:], args[5]), _pair(args[3])


def _max_pool(args, before, out) -> tuple[Pair, Pair]:
    return _dilated(args[1], args[4] if len(args) > 4 else 1), _pool_stride(args)


def _average_pool(args, before, out) -> tuple[Pair, Pair]:
    return _pair(args[1]), _pool_stride(args)


def _dilated(kernel, dilation) -> Pair:
    (kh, kw), (dh, dw) = _pair(kernel), _pair(dilation)
    return (kh - 1) * dh + 1, (kw - 1) * dw + 1


def _pool_stride(args) -> Pair:
    return _pair(args[2] if len(args) > 2 and args[2] else args[1])


def _adaptive(args, before, out) -> tuple[Pair, Pair]:
    result = out[0] if isinstance(out, tuple) else out
    sizes = list(zip(before[-2:], result.shape[-2:], strict=True))
    window = tuple(math.inf if to == 1 and size > 1 else math.ceil(size / to) for size, to in sizes)
    return window, tuple(max(1, size // to) for size, to in sizes)


def _reduction(args, before, out) -> tuple[Pair, Pair]:
    """Sums over rows and columns are global; a sum over one axis is over channels."""
    axes = next((a for a in args[1:] if isinstance(a, list | tuple)), range(len(before)))
    crossed = math.prod(before[a] for a in axes) if len(axes) > 1 and len(before) == 4 else 1
    return (_ALL if crossed > 1 else _ONE), _ONE


def _group_norm(args, before, out) -> tuple[Pair, Pair]:
    return _ALL, _ONE


def _reshaping(args, before, out) -> tuple[Pair, Pair]:
    """Flattening a map mixes its positions in whatever reads the result."""
    flattened = len(before) == 4 and out.ndim == 2 and out.shape[0] == before[0]
    return (_pair(before[2:]) if flattened else _ONE), _ONE


_WINDOWS = {
    aten.convolution: _convolution,
    aten.max_pool2d_with_indices: _max_pool,
    aten.avg_pool2d: _average_pool,
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
