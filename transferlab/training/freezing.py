"""Freezing with a BatchNorm policy: what does not train runs in eval mode."""

from __future__ import annotations

import hashlib

from torch import nn


def freeze(module: nn.Module, frozen: bool = True) -> nn.Module:
    """Switch gradients of ``module`` off (or on again) and, when frozen, put it into eval mode."""
    module.requires_grad_(not frozen)
    if frozen:
        module.eval()
    return module


def set_train_mode(module: nn.Module) -> None:
    """Train mode for what trains; eval mode for every part whose parameters are all frozen.

    ``requires_grad=False`` alone does not stop BatchNorm from moving its running statistics, nor
    dropout from dropping: a part without a trainable parameter runs in eval mode as a whole.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Sequential(nn.BatchNorm2d(3), nn.Linear(3, 2))
    >>> _ = freeze(net[0]); set_train_mode(net)
    >>> net[0].training, net[1].training
    (False, True)
    """
    own = list(module.parameters())
    if getattr(module, "holds_statistics", False) or (own and not any(p.requires_grad for p in own)):
        module.eval()
        return
    module.training = True
    for child in module.children():
        set_train_mode(child)


def hold_statistics(module: nn.Module) -> nn.Module:
    """Let every BatchNorm below ``module`` go on normalising by its running statistics while its weights train.

    What was fitted on features in eval mode, such as a head, then still fits them in train mode. Obeyed by
    :func:`set_train_mode`.

    Examples
    --------
    >>> from torch import nn
    >>> net = hold_statistics(nn.Sequential(nn.BatchNorm2d(3), nn.Linear(3, 2)))
    >>> set_train_mode(net)
    >>> net[0].training, net[0].weight.requires_grad, net[1].training
    (False, True, True)
    """
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.holds_statistics = True
    return module


def state_hash(module: nn.Module) -> str:
    """SHA-256 (hex) over all parameters and buffers, BatchNorm statistics included."""
    h = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        h.update(name.encode())
        h.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return h.hexdigest()


def count_trainable(module: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
