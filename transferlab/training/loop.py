"""The one training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import nn

from transferlab.errors import UserError
from transferlab.training import checkpoint as files
from transferlab.training.devices import FORMATS, faster_memory_format, make_fabric
from transferlab.training.freezing import set_train_mode


@dataclass(frozen=True)
class Recipe:
    """How to train: everything that changes the result besides data, module and seed.

    learning_rate is the peak; it rises linearly over ``warmup`` (a fraction of all steps) and falls
    as a cosine to zero. ``patience`` epochs without a better validation loss stop the training
    (None: never); the best epoch's weights are kept.
    """

    epochs: int = 20
    batch_size: int = 32
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup: float = 0.1
    patience: int | None = None
    clip_norm: float | None = 5.0


@dataclass
class History:
    """What happened: one dict an epoch (``train_loss``, ``validation_loss``, ``seconds``)."""

    epochs: list[dict] = field(default_factory=list)
    best_epoch: int | None = None
    stopped_early: bool = False
    memory_format: str = "contiguous"


Batch = Callable[[torch.Tensor, int, torch.Generator], tuple[torch.Tensor, ...]]


def train(
    module: nn.Module,
    batch: Batch,
    n: int,
    loss: Callable[[nn.Module, tuple], torch.Tensor],
    recipe: Recipe,
    *,
    groups: list[dict] | None = None,
    validate: Callable[[nn.Module], float] | None = None,
    checkpoint: Path | None = None,
    on_epoch: Callable[[dict], None] | None = None,
    device: str = "auto",
    precision: str = "auto",
    seed: int = 0,
) -> History:
    """Train ``module`` in place and leave it in eval mode on the CPU.

    Parameters
    ----------
    module : what trains; parts with ``requires_grad=False`` stay as they are, in eval mode
    batch : ``batch(indices, epoch, generator)`` gives the tensors of those samples (CPU), input first
    n : number of samples
    loss : ``loss(module, tensors)`` gives a scalar
    groups : optimizer groups, dicts with ``params`` and ``scale`` (times the learning rate) and
        optionally ``weight_decay``; all trainable parameters when None
    validate : ``validate(module)`` gives the validation loss, smaller is better
    checkpoint : file that is written after each epoch and resumed from; a run that was killed goes
        on from its last whole epoch and, on the same machine's CPU, ends bit for bit the same
    on_epoch : called with each epoch's dict (progress, curves)

    Raises
    ------
    UserError
        when the loss is no number any more, or memory does not suffice; says what to try.

    Examples
    --------
    >>> import torch
    >>> x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0)); y = (x[:, 0] > 0).long()
    >>> net = torch.nn.Linear(3, 2)
    >>> history = train(net, lambda i, epoch, g: (x[i], y[i]), 64,
    ...                 lambda m, b: torch.nn.functional.cross_entropy(m(b[0]), b[1]),
    ...                 Recipe(epochs=5, learning_rate=0.1), device="cpu")
    >>> len(history.epochs), history.epochs[-1]["train_loss"] < history.epochs[0]["train_loss"]
    (5, True)
    """
    fabric = make_fabric(device, precision)
    with torch.random.fork_rng(devices=[]):
        return _train(fabric, module, batch, n, loss, recipe, groups, validate, checkpoint, on_epoch, seed)


def _train(fabric, module, batch, n, loss, recipe, groups, validate, checkpoint, on_epoch, seed) -> History:
    saved = files.load_state(checkpoint) if checkpoint else None
    if saved and saved[1]["recipe"] != asdict(recipe):
        raise UserError(f"{checkpoint} was written by another recipe; remove it or give another file.")
    history = History(**saved[1]["history"]) if saved else History()
    module.to(fabric.device)
    if not saved:
        first = batch(torch.arange(min(n, recipe.batch_size)), 0, torch.Generator().manual_seed(seed))[0]
        if _is_heavy(module, first):
            history.memory_format = faster_memory_format(module, first.to(fabric.device))
    memory_format = FORMATS[history.memory_format]
    module.to(memory_format=memory_format)
    optimizer = make_optimizer(module, recipe, groups)
    net, optimizer = fabric.setup(module, optimizer)
    best: dict[str, torch.Tensor] = {}
    if saved:
        tensors, facts = saved
        _load(module, tensors, "model.")
        files.restore_optimizer(optimizer.optimizer, tensors, facts["optimizer"])
        best = {k.removeprefix("best."): v for k, v in tensors.items() if k.startswith("best.")}
    steps = math.ceil(n / (recipe.batch_size * fabric.world_size))
    start = len(history.epochs)
    if history.stopped_early:
        start = recipe.epochs
    for epoch in range(start, recipe.epochs):
        clock = time.perf_counter()
        torch.manual_seed(_mix(seed, epoch, fabric.global_rank))
        generator = torch.Generator().manual_seed(_mix(seed, epoch, 0))
        order = torch.randperm(n, generator=generator)
        chunks = merged_chunks(order, recipe.batch_size * fabric.world_size)
        set_train_mode(module)
        total = torch.zeros((), device=fabric.device)
        for step, chunk in enumerate(chunks):
            mine = chunk[fabric.global_rank :: fabric.world_size]
            scale = schedule((epoch * steps + step) / (recipe.epochs * steps), recipe.warmup)
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * group["scale"] * scale
            tensors = [t.to(fabric.device) for t in batch(mine, epoch, generator)]
            if tensors[0].ndim == 4:
                tensors[0] = tensors[0].to(memory_format=memory_format)
            value = _step(fabric, net, optimizer, loss, tensors, recipe)
            total += value * len(mine)
        record = {
            "epoch": epoch,
            "train_loss": float(fabric.all_reduce(total, reduce_op="sum")) / n,
            "validation_loss": None,
            "seconds": 0.0,
        }
        if not math.isfinite(record["train_loss"]):
            raise UserError(
                f"the training loss became {record['train_loss']} in epoch {epoch + 1}; try a learning "
                f"rate below {recipe.learning_rate:g}, or look for constant or broken images."
            )
        if validate is not None:
            module.eval()
            with torch.no_grad():
                record["validation_loss"] = float(fabric.broadcast(validate(module)))
            if history.best_epoch is None or _better(record, history):
                history.best_epoch = epoch
                best = {k: v.detach().cpu().clone() for k, v in module.state_dict().items()}
        record["seconds"] = time.perf_counter() - clock
        history.epochs.append(record)
        patient = recipe.patience is None or validate is None
        history.stopped_early = not patient and epoch - history.best_epoch >= recipe.patience
        if checkpoint and fabric.is_global_zero:
            _save(checkpoint, module, optimizer.optimizer, best, history, recipe)
        if on_epoch:
            on_epoch(record)
        if history.stopped_early:
            break
    if best:
        module.load_state_dict(best)
    module.to("cpu", memory_format=torch.contiguous_format).eval()
    return history


def _step(fabric, net, optimizer, loss, tensors, recipe) -> torch.Tensor:
    try:
        value = loss(net, tensors)
        fabric.backward(value)
        if recipe.clip_norm:
            fabric.clip_gradients(net, optimizer, max_norm=recipe.clip_norm, error_if_nonfinite=False)
        optimizer.step()
        optimizer.zero_grad()
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise UserError(_no_memory(tensors)) from error
    except RuntimeError as error:
        if not any(text in str(error) for text in ("not enough memory", "out of memory", "allocate memory")):
            raise
        raise UserError(_no_memory(tensors)) from error
    return value.detach()


def _no_memory(tensors) -> str:
    shape = "×".join(map(str, tensors[0].shape[1:]))
    return (
        f"memory does not suffice for a batch of {len(tensors[0])} inputs of {shape}; "
        "try a smaller batch size, smaller images, or freezing more stages."
    )


def make_optimizer(module: nn.Module, recipe: Recipe, groups: list[dict] | None) -> torch.optim.Optimizer:
    """AdamW, or SGD with Nesterov momentum 0.9; biases and norms are not decayed."""
    groups = groups or [{"params": [p for p in module.parameters() if p.requires_grad], "scale": 1.0}]
    split = []
    for group in groups:
        for decays in (True, False):
            members = [p for p in group["params"] if p.requires_grad and (p.ndim > 1) == decays]
            if members:
                decay = group.get("weight_decay", recipe.weight_decay) if decays else 0.0
                split.append({"params": members, "scale": group["scale"], "weight_decay": decay})
    if not split:
        raise UserError("nothing trains: every stage is frozen and there is no head; unfreeze a stage.")
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(split, lr=recipe.learning_rate)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(split, lr=recipe.learning_rate, momentum=0.9, nesterov=True)
    raise UserError(f"optimizer {recipe.optimizer!r} is not known; use adamw or sgd.")


def schedule(done: float, warmup: float) -> float:
    """Share of the peak learning rate after ``done`` (0 to 1) of all steps: linear rise, cosine fall.

    Examples
    --------
    >>> schedule(0.05, 0.1), schedule(0.1, 0.1), round(schedule(0.55, 0.1), 3)
    (0.5, 1.0, 0.5)
    """
    if done < warmup:
        return max(done / warmup, 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (done - warmup) / max(1 - warmup, 1e-9)))


def merged_chunks(order: torch.Tensor, size: int) -> list[torch.Tensor]:
    """Batches of ``size``; a last batch of one joins the one before (BatchNorm needs two)."""
    chunks = list(order.split(size))
    if len(chunks) > 1 and len(chunks[-1]) == 1:
        chunks[-2:] = [torch.cat(chunks[-2:])]
    return chunks


def _is_heavy(module: nn.Module, inputs: torch.Tensor) -> bool:
    """Whether probing pays: images or maps through a net of some size."""
    return inputs.ndim == 4 and inputs[0].numel() * sum(p.numel() for p in module.parameters()) > 5e9


def _better(record: dict, history: History) -> bool:
    return record["validation_loss"] < history.epochs[history.best_epoch]["validation_loss"]


def _mix(seed: int, epoch: int, rank: int) -> int:
    return (seed * 1_000_003 + epoch * 10_007 + rank) % 2**31


def _load(module: nn.Module, tensors: dict, prefix: str) -> None:
    module.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})


def _save(path, module, optimizer, best, history, recipe) -> None:
    tensors, rest = files.flatten_optimizer(optimizer)
    tensors.update({f"model.{k}": v for k, v in module.state_dict().items()})
    tensors.update({f"best.{k}": v for k, v in best.items()})
    files.save_state(path, tensors, {"recipe": asdict(recipe), "history": asdict(history), "optimizer": rest})
