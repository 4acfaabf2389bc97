"""Metrics, counted over all images at once and never averaged over batches."""

from __future__ import annotations

import numpy as np


def counted_metrics(truth: np.ndarray, probabilities: np.ndarray) -> dict:
    """Accuracy, balanced accuracy, macro F1, Brier score, log loss and recall of each class.

    Parameters
    ----------
    truth : int64 array (N,)
    probabilities : float array (N, K), rows sum to 1

    Returns
    -------
    dict of floats (``accuracy``, ``balanced_accuracy``, ``macro_f1``: fractions; ``brier``: mean
    squared error summed over classes, 0 to 2, Brier 1950; ``log_loss`` in nats, probabilities
    clipped at 1e-12) and ``recall``: list of K fractions, None for a class that is absent.

    Examples
    --------
    >>> import numpy as np
    >>> counted_metrics(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]]))["accuracy"]
    0.5
    """
    n, k = probabilities.shape
    predicted = probabilities.argmax(1)
    confusion = np.zeros((k, k), np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    hits, support, called = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    present = support > 0
    f1 = 2 * hits / np.maximum(support + called, 1)
    onehot = np.eye(k)[truth]
    picked = np.clip(probabilities[np.arange(n), truth], 1e-12, 1.0)
    return {
        "accuracy": float(hits.sum() / n),
        "balanced_accuracy": float((hits[present] / support[present]).mean()),
        "macro_f1": float(f1[present].mean()),
        "brier": float(((probabilities - onehot) ** 2).sum(1).mean()),
        "log_loss": float(-np.log(picked).mean()),
        "recall": [float(h / s) if s else None for h, s in zip(hits, support, strict=True)],
    }
