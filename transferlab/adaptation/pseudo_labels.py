"""Self-training on guessed labels, with the same share of each class."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from transferlab.adaptation.kernels import check_number
from transferlab.adaptation.source_free import SourceFree


class PseudoLabels(SourceFree):
    """Class-balanced self-training, after Zou, Yu, Kumar and Wang (2018), in a source-free and simpler form: classes
    are the likeliest ones, and the share within each class stands in for the paper's class-wise thresholds.

    In each round the surest share of every guessed class is trained on, and the share grows: easy images first, and
    no class is lost because its answers are less sure.

    Parameters
    ----------
    rounds : how often labels are guessed anew
    first_share, last_share : of each guessed class, in the first and in the last round
    settings : see :class:`~transferlab.adaptation.deep_base.ImageAdapter`; ``epochs`` are those of a round
    """

    def __init__(
        self,
        backbone="tiny",
        *,
        rounds: int = 4,
        first_share: float = 0.3,
        last_share: float = 0.9,
        epochs: int = 5,
        **settings,
    ):
        super().__init__(backbone, epochs=epochs, **settings)
        self.rounds = rounds
        self.first_share = first_share
        self.last_share = last_share

    def _check_settings(self):
        super()._check_settings()
        check_number("rounds", self.rounds, 1)
        for name in ("first_share", "last_share"):
            check_number(name, getattr(self, name), 0, 1, whole=False, above=True)

    def _adapt_network(self, target, few):
        for turn, share in enumerate(np.linspace(self.first_share, self.last_share, self.rounds)):
            if turn:
                self._measure("target", target)
            probabilities = self._target_outputs(target)[1].softmax(1).numpy()
            picks = surest(probabilities, share)
            guessed = torch.from_numpy(probabilities[picks].argmax(1))
            self.module_.requires_grad_(True)
            self._train_on_target(
                f"round {turn + 1}", target[picks], few, guessed, F.cross_entropy, self.epochs
            )


def surest(probabilities: np.ndarray, share: float) -> np.ndarray:
    """Positions, sorted, of the surest ``share`` (at least one) of the samples guessed to be of each class.

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.4, 0.6]])
    >>> surest(p, 0.5).tolist()
    [0, 2]
    """
    guessed, sureness = probabilities.argmax(1), probabilities.max(1)
    picks = []
    for c in np.unique(guessed):
        members = np.flatnonzero(guessed == c)
        order = members[np.argsort(-sureness[members], kind="stable")]
        picks.append(order[: max(1, round(share * len(members)))])
    return np.sort(np.concatenate(picks))
