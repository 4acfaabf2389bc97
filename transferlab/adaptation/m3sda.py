"""Moment matching for several sources: one head a source, one space for all domains."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from transferlab.adaptation.deep_base import ImageAdapter
from transferlab.adaptation.domains import several_sources
from transferlab.adaptation.gradient_reversal import ramp
from transferlab.adaptation.image_domains import LabelledImages, arrays
from transferlab.adaptation.kernels import check_number
from transferlab.adaptation.losses import moment_distance
from transferlab.training.inputs import in_batches


class M3SDA(ImageAdapter):
    """Moment matching for multi-source adaptation (Peng et al. 2019), with a head for each source.

    The first two moments of all sources and of the target are brought together, pair by pair. A target image's
    answer is the mean of all heads', each weighted by how well the *other* sources' images are answered by it: a
    source whose labels contradict the others counts little.

    Parameters
    ----------
    weight : of the distance between moments
    settings : see :class:`~transferlab.adaptation.deep_base.ImageAdapter`

    Attributes: ``head_weights_`` (dict of source to its weight, sum 1).
    """

    def __init__(self, backbone="tiny", *, weight: float = 0.1, **settings):
        super().__init__(backbone, **settings)
        self.weight = weight

    def _adapt(self, source: LabelledImages, target: np.ndarray, few: LabelledImages | None) -> None:
        names = np.unique(source.domains).tolist()
        self.module_.requires_grad_(True)
        heads = nn.ModuleList(copy.deepcopy(self.module_.head) for _ in names)
        module = _ManyHeads(self.module_.body, heads)
        parts = [np.flatnonzero(source.domains == name) for name in names]
        data = (source.images, source.codes, target, np.unique(source.domains, return_inverse=True)[1])
        data += arrays(few)
        batch = self._batches(source, parts, target, few)
        self._train(
            "adaptation", module, batch, max(len(source.codes), len(target)), self._loss, self.epochs, data
        )
        self._measure("source", source.images)
        self.head_weights_ = dict(zip(names, self._agreement(heads, source, parts), strict=True))
        self.module_.head = _MeanHead(heads, list(self.head_weights_.values()))
        self._measure("target", target)

    def _check_settings(self):
        super()._check_settings()
        check_number("weight", self.weight, 0, whole=False)

    def _check(self, backbone, boundary, source, few):
        several_sources(source.domains, "use DAN or DeepCORAL")

    def _batches(self, source, parts, target, few):
        inputs, codes, others = (
            self._inputs(source.images),
            torch.from_numpy(source.codes),
            self._inputs(target),
        )
        pools = [torch.from_numpy(part) for part in parts]
        labelled = self._draws(few)

        def drawn(n, size, generator):
            return torch.randint(n, (size,), generator=generator)

        def batch(indices, epoch, generator):
            size = max(4, len(indices) // len(pools))
            picks = [pool[drawn(len(pool), size, generator)] for pool in pools]
            progress = torch.tensor((epoch + 0.5) / self.epochs)
            seen = [others(indices % len(others), epoch, generator), progress]
            for pick in picks:
                seen += [inputs(pick, epoch, generator), codes[pick]]
            return seen + labelled(size, epoch, generator)

        return batch

    def _loss(self, module: nn.Module, batch) -> torch.Tensor:
        x_target, progress, *rest = batch
        images, labels = rest[::2], rest[1::2]
        n, count = len(x_target), len(getattr(module, "module", module).heads)
        few = images[count:]  # labelled target images pass with the others of their domain
        features, logits = module(torch.cat([x_target, *few]), *images[:count])
        value = sum(
            F.cross_entropy(logits[i + 1][i], labels[i], label_smoothing=self.label_smoothing)
            for i in range(count)
        )
        if few:
            value = value + sum(F.cross_entropy(z[n:], labels[count]) for z in logits[0])
        distance = moment_distance(features[0][:n], features[1:])
        return value / count + self.weight * ramp(float(progress)) * distance

    def _agreement(self, heads, source: LabelledImages, parts) -> list[float]:
        """Weight of each head: its accuracy above chance on the other sources' images, squared; alike where none is."""
        self._set_domain("source")
        features = in_batches(self.module_.body, self._rows(source.images)).clone()
        chance, scores = 1 / len(self.classes_), []
        for head, own in zip(heads, parts, strict=True):
            others = np.setdiff1d(np.arange(len(source.codes)), own)
            with torch.no_grad():
                answers = head.cpu()(features[others]).argmax(1).numpy()
            scores.append(max(0.0, float((answers == source.codes[others]).mean()) - chance) ** 2)
        total = sum(scores)
        return [score / total if total else 1 / len(scores) for score in scores]


class _ManyHeads(nn.Module):
    """One body, several heads: the target's and each source's batch pass by themselves, for BatchNorm."""

    def __init__(self, body: nn.Module, heads: nn.ModuleList):
        super().__init__()
        self.body, self.heads = body, heads

    def forward(self, x_target: torch.Tensor, *more: torch.Tensor):
        if not more:
            return self.heads[0](self.body(x_target))
        features = [self.body(x).float() for x in (x_target, *more)]
        logits = [[head(f).float() for head in self.heads] for f in features]
        return features, logits


class _MeanHead(nn.Module):
    """Log of the weighted mean of the heads' probabilities: (N, D) to (N, K)."""

    def __init__(self, heads: nn.ModuleList, weights: list[float]):
        super().__init__()
        self.heads = heads
        self.register_buffer("weights", torch.tensor(weights))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        answers = torch.stack([head(features).float().softmax(1) for head in self.heads])
        return (answers * self.weights[:, None, None]).sum(0).clamp_min(1e-12).log()
