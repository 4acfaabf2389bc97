"""Losses of deep adaptation on batches of features and logits; every one has a gradient."""

from __future__ import annotations

import torch
from torch.nn import functional as F

WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the mean squared distance, as in Long et al. 2015


def mmd_loss(source: torch.Tensor, target: torch.Tensor, widths: tuple[float, ...] = WIDTHS) -> torch.Tensor:
    """Squared maximum mean discrepancy of float (N, D) and (M, D) under a mean of Gaussian kernels.

    k(x, y) is the mean over w of exp(-|x - y|² / (w s)), with s the mean squared distance of all pairs of different
    samples, held constant for the gradient. The biased estimate: the mean of all kernel values within the source
    and within the target less twice that between them; never negative (Gretton et al. 2012; Long et al. 2015).

    Examples
    --------
    >>> x = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    >>> bool(mmd_loss(x, x).abs() < 1e-6), bool(mmd_loss(x, x + 2) > 0.1)
    (True, True)
    """
    both = torch.cat([source, target])
    n = len(source)
    squared = torch.cdist(both, both, compute_mode="donot_use_mm_for_euclid_dist").square()
    scale = squared.detach().sum() / max(len(both) * (len(both) - 1), 1)
    kernel = torch.stack([torch.exp(-squared / (w * scale + 1e-12)) for w in widths]).mean(0)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


def coral_loss(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Squared Frobenius distance of the covariances of (N, D) and (M, D), over 4 D² (Sun and Saenko 2016).

    Examples
    --------
    >>> x = torch.tensor([[0.0], [2.0]])  # variance 2
    >>> float(coral_loss(x, 2 * x))  # (8 - 2)² / 4
    9.0
    """
    difference = torch.cov(source.T) - torch.cov(target.T)
    return difference.square().sum() / (4 * source.shape[1] ** 2)


def entropy(logits: torch.Tensor) -> torch.Tensor:
    """Entropy in nats of each row's softmax: float (N, K) to (N,).

    Examples
    --------
    >>> round(float(entropy(torch.zeros(1, 4))[0]), 4)  # log 4
    1.3863
    """
    logs = F.log_softmax(logits, 1)
    return -(logs.exp() * logs).sum(1)


def information_maximization(logits: torch.Tensor) -> torch.Tensor:
    """Mean entropy less the entropy of the mean prediction: sure answers, all classes in use.

    The negative mutual information of image and answer (Krause et al. 2010; Liang et al. 2020): from -log K,
    which is best, to 0.

    Examples
    --------
    >>> sure = 50 * torch.eye(4)
    >>> round(float(information_maximization(sure)), 4), round(float(information_maximization(sure[:1])), 4)
    (-1.3863, 0.0)
    """
    mean = logits.softmax(1).mean(0)
    return entropy(logits).mean() + (mean * mean.clamp_min(1e-12).log()).sum()


def mcc_loss(logits: torch.Tensor, temperature: float = 2.5) -> torch.Tensor:
    """Minimum class confusion (Jin et al. 2020) of target logits (N, K): from 0 to 1.

    Softened predictions, weighted by their certainty, are correlated class by class; what lies beside the
    diagonal of the table (rows sum to 1) is confusion, averaged over classes.

    Examples
    --------
    >>> bool(mcc_loss(100 * torch.eye(3)) < 1e-6), round(float(mcc_loss(torch.zeros(6, 3))), 4)
    (True, 0.6667)
    """
    probabilities = (logits / temperature).softmax(1)
    certainty = 1 + torch.exp(-entropy(logits / temperature)).detach()
    weights = len(logits) * certainty / certainty.sum()
    table = (probabilities * weights[:, None]).T @ probabilities
    table = table / table.sum(1, keepdim=True).clamp_min(1e-12)
    return (table.sum() - table.trace()) / logits.shape[1]


def certainty_weights(logits: torch.Tensor) -> torch.Tensor:
    """1 + e^(-entropy) of each row, brought to mean 1 and held constant (CDAN+E, Long et al. 2018): (N, K) to (N,).

    Examples
    --------
    >>> w = certainty_weights(torch.tensor([[9.0, 0.0], [0.0, 0.0]]))
    >>> bool(w[0] > w[1]), float(w.mean())
    (True, 1.0)
    """
    weights = 1 + torch.exp(-entropy(logits)).detach()
    return weights / weights.mean()


def conditioned(features: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """Outer product of each sample's features (N, D) and class probabilities: (N, K·D) (CDAN, Long et al. 2018).

    Probabilities are held constant, as the authors do.

    Examples
    --------
    >>> conditioned(torch.ones(2, 3), torch.zeros(2, 5)).shape
    torch.Size([2, 15])
    """
    probabilities = logits.softmax(1).detach()
    return (probabilities[:, :, None] * features[:, None, :]).flatten(1)


def moment_distance(target: torch.Tensor, sources: list[torch.Tensor]) -> torch.Tensor:
    """How far the first two moments of several sources and a target lie apart (Peng et al. 2019).

    For the means and for the means of squares: the mean distance of a source to the target plus the mean distance of
    two sources to each other.

    Parameters
    ----------
    target : float (M, D); sources : float (N_i, D), one a source

    Examples
    --------
    >>> float(moment_distance(torch.zeros(4, 2), [torch.tensor([[3.0, 4.0]])]))  # 5 + ‖(9, 16)‖
    23.357559204101562
    """
    total = target.new_zeros(())
    for power in (1, 2):
        there, means = (target**power).mean(0), [(source**power).mean(0) for source in sources]
        total = total + torch.stack([(mean - there).norm() for mean in means]).mean()
        pairs = [(a - b).norm() for i, a in enumerate(means) for b in means[i + 1 :]]
        total = total + torch.stack(pairs).mean() if pairs else total
    return total
