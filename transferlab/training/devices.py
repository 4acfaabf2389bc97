"""Where training runs: device, precision, several processes, memory format."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import time
from pathlib import Path

import torch
from lightning_fabric import Fabric

from transferlab.data.cache import cache_dir
from transferlab.errors import UserError
from transferlab.whole_file import write_text


def pick_device(device: str = "auto") -> str:
    """``"cuda"`` or ``"cpu"``; ``"auto"`` takes the GPU where there is one."""
    if device not in ("auto", "cpu", "cuda"):
        raise UserError(f"device {device!r} is not known; use auto, cpu or cuda.")
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("there is no CUDA device here; use --device cpu, or auto.")
    return "cuda" if device == "auto" and torch.cuda.is_available() else device.replace("auto", "cpu")


def make_fabric(device: str = "auto", precision: str = "auto") -> Fabric:
    """A launched Fabric; under ``torchrun`` it joins the other processes.

    ``precision="auto"`` is float32 on a CPU and bfloat16 (mixed) on a GPU that can.
    """
    accelerator = pick_device(device)
    if precision == "auto":
        can = accelerator == "cuda" and torch.cuda.is_bf16_supported()
        precision = "bf16-mixed" if can else "32-true"
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    world = int(os.environ.get("WORLD_SIZE", "1"))
    fabric = Fabric(
        accelerator=accelerator,
        devices=local,
        num_nodes=max(1, world // local),
        precision=precision,
        strategy="ddp" if world > 1 else "auto",
    )
    fabric.launch()
    if world > 1:
        atexit.register(_leave_group)
    return fabric


def _leave_group() -> None:
    """Part from the other processes in order: a group that is torn down at exit may abort."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def faster_memory_format(module, inputs: torch.Tensor, steps: int = 2) -> str:
    """``"channels_last"`` or ``"contiguous"``: what trains ``module`` faster on inputs like these.

    The choice is stored in the cache folder, so that later runs compute in the same order. Weights and
    BatchNorm statistics are as before afterwards.
    """
    if inputs.ndim != 4:
        return "contiguous"
    sizes = [tuple(p.shape) for p in module.parameters()]
    described = repr((torch.__version__, inputs.device.type, tuple(inputs.shape), sizes))
    key = hashlib.sha256(described.encode()).hexdigest()[:16]
    file = cache_dir() / "memory_format.json"
    known = _read(file)
    if known.get(key) not in FORMATS:
        before = {k: v.clone() for k, v in module.state_dict().items()}
        seconds = {}
        for name, memory_format in FORMATS.items():
            net, x = module.to(memory_format=memory_format), inputs.to(memory_format=memory_format)
            taken = []
            for _ in range(steps + 1):
                start = time.perf_counter()
                net(x).float().square().mean().backward()
                _wait(inputs.device)
                taken.append(time.perf_counter() - start)
            seconds[name] = min(taken[1:])  # the first warms up; what disturbs only lengthens
        module.load_state_dict(before)
        module.zero_grad(set_to_none=True)
        known[key] = min(seconds, key=seconds.get)
        text = json.dumps(known, indent=0)
        with contextlib.suppress(OSError):  # a cache that cannot be written only costs the next probe
            write_text(file, text)
    return known[key]


def _read(file: Path) -> dict[str, str]:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(file.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
