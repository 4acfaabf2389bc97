"""BatchNorm statistics of a domain: collected from its images, kept, and put back."""

from __future__ import annotations

import torch
from torch import nn

from transferlab.training.boundary_cache import Rows

Statistics = dict[str, torch.Tensor]
_KINDS = nn.modules.batchnorm._BatchNorm


def has_statistics(module: nn.Module) -> bool:
    """Whether any part of ``module`` normalises by running statistics."""
    return any(isinstance(part, _KINDS) and part.running_mean is not None for part in module.modules())


def statistics(module: nn.Module) -> Statistics:
    """A copy of every running mean and variance below ``module``, on the CPU."""
    return {
        f"{name}.{kind}": getattr(part, kind).detach().cpu().clone()
        for name, part in module.named_modules()
        if isinstance(part, _KINDS) and part.running_mean is not None
        for kind in ("running_mean", "running_var")
    }


def use_statistics(module: nn.Module, kept: Statistics) -> None:
    """Put ``kept`` back, in place."""
    for name, value in kept.items():
        path, _, kind = name.rpartition(".")
        getattr(module.get_submodule(path), kind).copy_(value)


def collect_statistics(module: nn.Module, rows: Rows, *, batch_size: int = 64, seed: int = 0) -> None:
    """Give every BatchNorm below ``module`` the mean and variance that ``rows`` have there, in place.

    Averaged over batches drawn in random order: in the order of a folder a batch holds one class, and what lies
    between classes would be missing from the variance. Nothing else runs in train mode, and no weight changes.
    """
    parts = [part for part in module.modules() if isinstance(part, _KINDS) and part.running_mean is not None]
    kept = [part.momentum for part in parts]
    module.eval()
    for part in parts:
        part.reset_running_stats()
        part.momentum = None  # an average over all batches
        part.training = True
    device = next(module.parameters()).device
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    chunks = list(order.split(batch_size))
    if len(chunks) > 1 and len(chunks[-1]) < batch_size:
        chunks.pop()  # a small batch would count as much as a whole one
    with torch.no_grad():
        for chunk in chunks:
            module(rows[chunk.numpy()].to(device))
    for part, momentum in zip(parts, kept, strict=True):
        part.momentum, part.training = momentum, False
