"""A training state in one safetensors file with its JSON in the header."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from transferlab.whole_file import write_whole


def save_state(path: Path, tensors: dict[str, torch.Tensor], facts: dict) -> None:
    """Write tensors and JSON-able ``facts`` as one safetensors file, whole or not at all."""
    plain = {
        name: t.detach().cpu().clone(memory_format=torch.contiguous_format) for name, t in tensors.items()
    }
    write_whole(path, lambda temporary: save_file(plain, temporary, metadata={"json": json.dumps(facts)}))


def load_state(path: Path) -> tuple[dict[str, torch.Tensor], dict] | None:
    """What :func:`save_state` wrote, or None where there is no file."""
    if not Path(path).exists():
        return None
    with safe_open(path, framework="pt") as f:
        tensors = {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118 (not a dict)
        return tensors, json.loads(f.metadata()["json"])


def flatten_optimizer(optimizer: torch.optim.Optimizer) -> tuple[dict[str, torch.Tensor], dict]:
    """Optimizer state as named tensors and JSON-able rest."""
    tensors, rest = {}, {}
    for index, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            if torch.is_tensor(value):
                tensors[f"optimizer.{index}.{key}"] = value
            elif value is not None:
                rest[f"{index}.{key}"] = value
    return tensors, rest


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor], rest: dict) -> None:
    """Put back what :func:`flatten_optimizer` took; parameter groups stay as they are."""
    state: dict[int, dict] = {}
    named = {k.removeprefix("optimizer."): v for k, v in tensors.items() if k.startswith("optimizer.")}
    for name, value in {**named, **rest}.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
