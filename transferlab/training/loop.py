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
from transferlab.training.checkpoint import flatten_optimizer, load_state, restore_optimizer, save_state
from transferlab.training.devices import FORMATS, faster_memory_format, make_fabric
from transferlab.training.freezing import set_train_mode


@dataclass(frozen=True)
class Recipe:
    """How to train: everything that changes the result besides data, module and seed.

    learning_rate is the peak; it rises linearly over ``warmup`` (a fraction of all steps) and falls
    as a cosine to zero. ``patience`` epochs without a better validation loss stop the training
    (None: never); the best weights are kept, those at the start included.
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
    """What happened: one dict an epoch (``train_loss``, ``validation_loss``, ``seconds``).

    ``start_loss`` is the validation loss before training; ``best_epoch`` is None where no epoch was better.
    """

    epochs: list[dict] = field(default_factory=list)
    start_loss: float | None = None
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
        on from its last whole epoch and, on the same machine's CPU, ends bit for bit the same. It is
        refused for another recipe, seed or ``n``; that the data are the same is the caller's to see to
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
    with torch.random.fork_rng(devices=[]):
        run = _Run(make_fabric(device, precision), module, batch, n, loss, recipe, seed)
        run.start(groups, validate, load_state(checkpoint) if checkpoint else None, str(checkpoint))
        while not run.finished:
            record = run.epoch(validate)
            if checkpoint and run.fabric.is_global_zero:
                run.save(checkpoint)
            if on_epoch:
                on_epoch(record)
        return run.finish()


class _Run:
    """One training run: all of its state, and one method a step of its life."""

    def __init__(self, fabric, module, batch, n, loss, recipe, seed):  # noqa: PLR0917 (made in one place)
        self.fabric, self.module, self.batch, self.n = fabric, module, batch, n
        self.loss, self.recipe, self.seed = loss, recipe, seed
        self.history = History()
        self.best: dict[str, torch.Tensor] = {}
        self.size = recipe.batch_size * fabric.world_size

    def start(self, groups, validate, saved, checkpoint: str) -> None:
        """Prepare module and optimizer, from a saved state where there is one."""
        if saved and saved[1]["made_for"] != self._made_for():
            raise UserError(
                f"{checkpoint} was written for another recipe, seed or number of samples; remove it or give "
                "another file."
            )
        self.module.to(self.fabric.device)
        if saved:
            self.history = History(**saved[1]["history"])
        else:
            self.history.memory_format = self._probe_memory_format()
        self.module.to(memory_format=FORMATS[self.history.memory_format])
        optimizer = make_optimizer(self.module, self.recipe, groups)
        self.net, self.optimizer = self.fabric.setup(self.module, optimizer)
        if saved:
            tensors, facts = saved
            self.module.load_state_dict(_below(tensors, "model."))
            self.best = _below(tensors, "best.")
            restore_optimizer(self.optimizer.optimizer, tensors, facts["optimizer"])
        elif validate is not None:
            self.history.start_loss = self._validation_loss(validate)
            self._keep_weights()

    def _validation_loss(self, validate) -> float:
        self.module.eval()
        with torch.no_grad():
            return float(self.fabric.broadcast(validate(self.module)))

    def _keep_weights(self) -> None:
        self.best = {k: v.detach().cpu().clone() for k, v in self.module.state_dict().items()}

    def _probe_memory_format(self) -> str:
        generator = torch.Generator().manual_seed(self.seed)
        first = self.batch(torch.arange(min(self.n, self.recipe.batch_size)), 0, generator)[0]
        if not _is_heavy(self.module, first):
            return "contiguous"
        return faster_memory_format(self.module, first.to(self.fabric.device))

    @property
    def finished(self) -> bool:
        return self.history.stopped_early or len(self.history.epochs) >= self.recipe.epochs

    def epoch(self, validate) -> dict:
        """Train one epoch, validate, and remember the best weights; gives the epoch's record."""
        clock = time.perf_counter()
        epoch = len(self.history.epochs)
        train_loss = self._train_epoch(epoch)
        record = {"epoch": epoch, "train_loss": train_loss, "validation_loss": None, "seconds": 0.0}
        if validate is not None:
            record["validation_loss"] = self._validation_loss(validate)
            if not self._best_loss <= record["validation_loss"]:  # also where that at the start was no number
                self.history.best_epoch = epoch
                self._keep_weights()
            if self.recipe.patience is not None:
                best = -1 if self.history.best_epoch is None else self.history.best_epoch
                self.history.stopped_early = epoch - best >= self.recipe.patience
        record["seconds"] = time.perf_counter() - clock
        self.history.epochs.append(record)
        return record

    @property
    def _best_loss(self) -> float:
        best = self.history.best_epoch
        return self.history.start_loss if best is None else self.history.epochs[best]["validation_loss"]

    def _train_epoch(self, epoch: int) -> float:
        """Mean loss over all samples; order, views and dropout follow from seed and epoch alone."""
        rank, world = self.fabric.global_rank, self.fabric.world_size
        torch.manual_seed(epoch_seed(self.seed, epoch, rank))
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, epoch))
        chunks = merged_chunks(torch.randperm(self.n, generator=generator), self.size, least=2 * world)
        steps = self.recipe.epochs * len(chunks)
        set_train_mode(self.module)
        total = torch.zeros((), device=self.fabric.device)
        for step, chunk in enumerate(chunks):
            self._set_rate((epoch * len(chunks) + step) / steps)
            tensors = [t.to(self.fabric.device) for t in self.batch(chunk[rank::world], epoch, generator)]
            if tensors[0].ndim == 4:
                tensors[0] = tensors[0].to(memory_format=FORMATS[self.history.memory_format])
            total += self._step(tensors) * len(tensors[0])
        train_loss = float(self.fabric.all_reduce(total, reduce_op="sum")) / self.n
        if not math.isfinite(train_loss):
            raise UserError(
                f"the training loss became {train_loss} in epoch {epoch + 1}; try a learning rate below "
                f"{self.recipe.learning_rate:g}, or look for constant or broken images."
            )
        return train_loss

    def _set_rate(self, done: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * group["scale"] * schedule(done, self.recipe.warmup)

    def _step(self, tensors: list[torch.Tensor]) -> torch.Tensor:
        try:
            value = self.loss(self.net, tensors)
            self.fabric.backward(value)
            if self.recipe.clip_norm:
                self.fabric.clip_gradients(
                    self.net, self.optimizer, max_norm=self.recipe.clip_norm, error_if_nonfinite=False
                )
            self.optimizer.step()
            self.optimizer.zero_grad()
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            known = ("not enough memory", "out of memory", "allocate memory")
            if type(error) is RuntimeError and not any(text in str(error) for text in known):
                raise
            shape = "×".join(map(str, tensors[0].shape[1:]))
            raise UserError(
                f"memory does not suffice for a batch of {len(tensors[0])} inputs of {shape}; "
                "try a smaller batch size, smaller images, or freezing more stages."
            ) from error
        return value.detach()

    def save(self, path: Path) -> None:
        """Write everything that the next epoch depends on."""
        tensors, rest = flatten_optimizer(self.optimizer.optimizer)
        tensors.update({f"model.{k}": v for k, v in self.module.state_dict().items()})
        tensors.update({f"best.{k}": v for k, v in self.best.items()})
        facts = {"made_for": self._made_for(), "history": asdict(self.history), "optimizer": rest}
        save_state(path, tensors, facts)

    def _made_for(self) -> dict:
        return {**asdict(self.recipe), "seed": self.seed, "n": self.n}

    def finish(self) -> History:
        """Put the best weights in place; the module ends in eval mode on the CPU."""
        if self.best:
            self.module.load_state_dict(self.best)
        self.module.to("cpu", memory_format=torch.contiguous_format).eval()
        return self.history


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
        return torch.optim.AdamW(split, lr=recipe.learning_rate, fused=True)  # one pass over the weights
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


def merged_chunks(order: torch.Tensor, size: int, least: int = 2) -> list[torch.Tensor]:
    """Batches of ``size``; a last one below ``least`` joins the one before (BatchNorm needs two samples)."""
    chunks = list(order.split(size))
    if len(chunks) > 1 and len(chunks[-1]) < least:
        chunks[-2:] = [torch.cat(chunks[-2:])]
    return chunks


def _is_heavy(module: nn.Module, inputs: torch.Tensor) -> bool:
    """Whether probing pays: images or maps through a net of some size."""
    return inputs.ndim == 4 and inputs[0].numel() * sum(p.numel() for p in module.parameters()) > 5e9


def epoch_seed(seed: int, epoch: int, rank: int = 0) -> int:
    """Seed of an epoch in one process; that of rank 0 draws the order of samples."""
    return (seed * 1_000_003 + epoch * 10_007 + rank) % 2**31


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
