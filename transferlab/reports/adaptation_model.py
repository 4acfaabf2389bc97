"""A fitted adaptation method as one network with a linear head, for ``transferlab predict``."""

from __future__ import annotations

import numpy as np

from transferlab.adaptation import ImageAdapter, OnFeatures
from transferlab.adaptation.batchnorm import use_statistics
from transferlab.errors import UserError
from transferlab.transfer import SavedModel

_TOLERANCE = 1e-3  # of log-probabilities


def as_network(
    model: ImageAdapter, *, classes: tuple[str, ...], image_size: int, target: np.ndarray
) -> SavedModel:
    """The network that answers for target images.

    Deep methods are one already, with the target's BatchNorm statistics in place. A method on features is folded
    into the head where its answers are a linear layer on the source network's features, as with every method of a
    study; that is checked on ``target`` images.

    Parameters
    ----------
    image_size : side in pixels at which images are to be decoded
    target : uint8 (M, C, H, W)

    Raises
    ------
    UserError
        when the answers of a method on features are no linear layer.
    """
    on_features = isinstance(model, OnFeatures)
    own = "source" if on_features else "target"
    use_statistics(model.module_.body, model.statistics_[own])
    backbone = model.backbone_.with_trained(model.boundary_, model.module_.body)
    if on_features:
        weight, bias = folded(model, ImageAdapter.transform(model, target, "source"))
    else:
        head = model.module_.head
        weight, bias = (t.detach().float().cpu().numpy().copy() for t in (head.weight, head.bias))
    return SavedModel(backbone, weight, bias, tuple(classes), image_size)


def folded(model: OnFeatures, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight (K, D) and bias (K,), float32, that give a feature method's answers on ``features`` (M, D).

    A map that is affine is known from what it does at one point and one step along each feature.
    """
    middle, step = features.mean(0, dtype=np.float64), features.std(0, dtype=np.float64).mean() + 1e-6
    points = np.vstack([middle, middle + step * np.eye(len(middle))])
    at = _scores(model, points)
    weight = (at[1:] - at[0]).T / step
    bias = at[0] - weight @ middle
    few = features[:: max(1, len(features) // 200)].astype(np.float64)
    if not np.allclose(few @ weight.T + bias, _scores(model, few), rtol=_TOLERANCE, atol=_TOLERANCE):
        raise UserError(
            f"{type(model.method_).__name__} with these settings is no linear layer on features and cannot be saved as "
            "a network; choose a linear kernel and a linear classifier."
        )
    full_weight = np.zeros((len(model.classes_), len(middle)), np.float32)
    full_bias = np.full(len(model.classes_), -30.0, np.float32)
    full_weight[model.method_.classes_], full_bias[model.method_.classes_] = weight, bias
    return full_weight, full_bias


def _scores(model: OnFeatures, features: np.ndarray) -> np.ndarray:
    """float64 (N, K'): scores whose softmax are the answers, for the classes that the classifier met."""
    method = model.method_
    scores = method.classifier_.decision_function(method.transform(features, "target"))
    return np.stack([-scores / 2, scores / 2], axis=1) if scores.ndim == 1 else scores
