"""What every tool is given: pictures, network, what trains, and the recipe, down to the order of batches."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import timm
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from transferlab.backbones import Backbone
from transferlab.data import ImageSet
from transferlab.training.augmentation import augment
from transferlab.training.loop import epoch_seed, merged_chunks, schedule

Predict = Callable[[np.ndarray], np.ndarray]  # uint8 (N, C, H, W) to log-probabilities, float64 (N, K)
Mark = Callable[[], None]  # called at the end of each epoch


@dataclass(frozen=True, eq=False)
class Problem:
    """``boundary`` stages are frozen; with ``augmentation`` each epoch sees random views.

    AdamW without weight decay, the rate rising over a tenth of the steps and falling as a cosine, gradients
    clipped at norm 5. Frozen stages run in eval mode, BatchNorm statistics included.
    """

    backbone: Backbone
    boundary: int
    train: ImageSet
    test: ImageSet
    epochs: int
    augmentation: float = 0.0
    views: int = 4
    batch_size: int = 32
    learning_rate: float = 1e-3
    clip_norm: float = 5.0
    seed: int = 0

    @property
    def head_only(self) -> bool:
        return self.boundary == len(self.backbone.stages)

    @property
    def steps(self) -> int:
        return self.epochs * len(self.chunks(0))

    def chunks(self, epoch: int) -> list[torch.Tensor]:
        """Positions of each batch of an epoch, in the order in which all tools take them."""
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, epoch))
        return merged_chunks(torch.randperm(len(self.train), generator=generator), self.batch_size)

    def rate(self, step: int) -> float:
        """Share of the peak learning rate at a step."""
        return schedule(step / self.steps, 0.1)

    def small(self) -> Problem:
        """Two batches, one epoch: to warm up."""
        few = np.random.default_rng(0).permutation(len(self.train))[: 2 * self.batch_size]
        return replace(self, train=self.train[few], epochs=1)


def new_head(problem: Problem) -> nn.Linear:
    """The head that all tools start from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(problem.seed)
        return nn.Linear(problem.backbone.feature_dim, len(problem.train.classes))


def timm_network(problem: Problem) -> nn.Module:
    """timm's own network, without its classifier, with the backbone's weights."""
    net = timm.create_model(problem.backbone.architecture.name, pretrained=False, num_classes=0)
    tensors = problem.backbone.tensors()
    net.load_state_dict({name: tensors[name] for name in net.state_dict()})
    return net


def whole_network(problem: Problem) -> nn.Sequential:
    """:func:`timm_network` and a new head, with ``requires_grad`` off for what is frozen."""
    body = timm_network(problem)
    trained = dict(problem.backbone.trainable_copy(problem.boundary).named_parameters())
    for name, parameter in body.named_parameters():
        parameter.requires_grad_(name in trained)
    return nn.Sequential(OrderedDict(body=body, head=new_head(problem)))


def trainable(net: nn.Module) -> list[nn.Parameter]:
    return [p for p in net.parameters() if p.requires_grad]


def loader(problem: Problem) -> DataLoader:
    """Whole batches, gathered at once from memory: the cheapest way to feed a loop."""
    return DataLoader(Pictures(problem), sampler=_Order(problem), batch_size=None)


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Logarithms that stay finite where a probability was rounded to zero."""
    return np.log(np.maximum(probabilities.astype(np.float64), 1e-300))


class Pictures(Dataset):
    """``pictures[positions]`` is a batch: preprocessed once, or new views each time.

    Contiguous, as torch's own collation makes batches; a tool that computes in another order arranges it.
    """

    def __init__(self, problem: Problem):
        self.problem = problem
        self.images = torch.from_numpy(problem.train.images)
        self.labels = torch.from_numpy(problem.train.labels)
        self.ready = None if problem.augmentation else problem.backbone.preprocess(self.images).contiguous()
        self.generator = torch.Generator().manual_seed(problem.seed)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.ready is not None:
            return self.ready[positions], self.labels[positions]
        strength = self.problem.augmentation
        x = augment(self.images[positions], self.generator, strength=strength, flip=True)
        x = self.problem.backbone.preprocess((x * 255).round().to(torch.uint8))
        return x.contiguous(), self.labels[positions]


class _Order:
    """The batches of the next epoch, each time it is asked."""

    def __init__(self, problem: Problem):
        self.problem, self.epoch = problem, 0

    def __len__(self):
        return len(self.problem.chunks(0))

    def __iter__(self) -> Iterator[torch.Tensor]:
        self.epoch += 1
        return iter(self.problem.chunks(self.epoch - 1))


def predictor(net: nn.Module, problem: Problem) -> Predict:
    """Log-probabilities by a plain forward through the whole network."""

    def predict(images: np.ndarray) -> np.ndarray:
        net.eval()
        with torch.inference_mode():
            parts = [
                net(problem.backbone.preprocess(images[i : i + 64])).double().log_softmax(1).numpy()
                for i in range(0, len(images), 64)
            ]
        return np.concatenate(parts)

    return predict
