"""SHOT: the head stays, the features move until its answers are sure and use all classes."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from transferlab.adaptation.kernels import check_number
from transferlab.adaptation.losses import information_maximization
from transferlab.adaptation.source_free import SourceFree
from transferlab.training.freezing import freeze


class SHOT(SourceFree):
    """Source hypothesis transfer (Liang, Hu and Feng 2020).

    In each of ``rounds`` the target images are given the class of the nearest centroid, and the body is trained for
    ``epochs`` epochs on information maximization plus those labels.

    Parameters
    ----------
    rounds : how often labels are guessed anew
    pseudo_weight : weight of the guessed labels against information maximization
    settings : see :class:`~transferlab.adaptation.deep_base.ImageAdapter`; ``epochs`` are those of a round
    """

    def __init__(
        self, backbone="tiny", *, rounds: int = 4, pseudo_weight: float = 0.3, epochs: int = 5, **settings
    ):
        super().__init__(backbone, epochs=epochs, **settings)
        self.rounds = rounds
        self.pseudo_weight = pseudo_weight

    def _check_settings(self):
        super()._check_settings()
        check_number("rounds", self.rounds, 1)
        check_number("pseudo_weight", self.pseudo_weight, 0, whole=False)

    def _adapt_network(self, target, few):
        for turn in range(self.rounds):
            if turn:
                self._measure("target", target)
            features, logits = self._target_outputs(target)
            guessed = nearest_centroids(features, logits.softmax(1))
            self.module_.requires_grad_(True)
            freeze(self.module_.head)
            self._train_on_target(f"round {turn + 1}", target, few, guessed, self._loss, self.epochs)

    def _loss(self, logits: torch.Tensor, guessed: torch.Tensor) -> torch.Tensor:
        return information_maximization(logits) + self.pseudo_weight * F.cross_entropy(logits, guessed)


def nearest_centroids(features: torch.Tensor, probabilities: torch.Tensor, turns: int = 2) -> torch.Tensor:
    """Classes int64 (N,) by the nearest centroid (cosine); centroids weighted by answers, then by the guess itself.

    Parameters
    ----------
    features : (N, D); probabilities : (N, K); turns : how often centroids are made anew from the guess

    Examples
    --------
    >>> features = torch.tensor([[1.0, 0], [0.9, 0.1], [0, 1]])
    >>> nearest_centroids(features, torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.1, 0.9]])).tolist()
    [0, 0, 1]
    """
    features = F.normalize(features, dim=1)
    centroids = probabilities.T @ features
    for _ in range(turns + 1):
        guessed = (features @ F.normalize(centroids, dim=1).T).argmax(1)
        counts = F.one_hot(guessed, probabilities.shape[1]).to(features.dtype)
        fresh = counts.T @ features
        centroids = torch.where(counts.sum(0)[:, None] > 0, fresh, centroids)  # an empty class keeps its own
    return guessed
