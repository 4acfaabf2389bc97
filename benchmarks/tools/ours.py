"""transferlab, by its public names, each time with an empty cache that is filled on the clock."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.problem import Mark, Predict, Problem, log_probabilities, new_head
from transferlab import FeatureExtraction, FineTuning
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.training.loop import Recipe, train


def fit(problem: Problem, mark: Mark) -> Predict:
    """The same optimizer and epochs as the other training tools."""
    cache = BoundaryCache()
    if problem.head_only:
        return fit_head(problem, mark, cache)
    model = FineTuning(
        problem.backbone,
        trainable_from=problem.boundary,
        head_first=False,
        source_statistics=False,  # batch statistics where weights train, as in the other tools
        epochs=problem.epochs,
        batch_size=problem.batch_size,
        learning_rate=problem.learning_rate,
        weight_decay=0.0,
        patience=None,
        augmentation=problem.augmentation,
        flip=bool(problem.augmentation),
        views=problem.views,
        cache=cache,
        on_epoch=lambda record: mark(),
        device="cpu",
        random_state=problem.seed,
    ).fit(problem.train)
    return lambda images: log_probabilities(model.predict_proba(images))


def fit_head(problem: Problem, mark: Mark, cache: BoundaryCache) -> Predict:
    """A linear head by AdamW on cached features."""
    backbone, last = problem.backbone, problem.boundary
    x = cache.activations(backbone, last, problem.train, device="cpu").all()
    y = torch.from_numpy(problem.train.labels)
    recipe = Recipe(
        epochs=problem.epochs,
        batch_size=problem.batch_size,
        learning_rate=problem.learning_rate,
        weight_decay=0.0,
        clip_norm=problem.clip_norm,
    )
    head: nn.Module = new_head(problem)
    train(
        head,
        lambda positions, epoch, generator: (x[positions], y[positions]),
        len(y),
        lambda module, batch: F.cross_entropy(module(batch[0]), batch[1]),
        recipe,
        on_epoch=lambda record: mark(),
        device="cpu",
        seed=problem.seed,
    )

    def predict(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            features = cache.activations(backbone, last, images, device="cpu").all()
            return head(features).double().log_softmax(1).numpy()

    return predict


def fit_logistic(
    problem: Problem, mark: Mark, cache: BoundaryCache | None = None, head="logistic"
) -> Predict:
    """Feature extraction with a head of scikit-learn's kind."""
    cache = cache or BoundaryCache()
    model = FeatureExtraction(problem.backbone, head=head, cache=cache, device="cpu").fit(problem.train)
    mark()
    return lambda images: log_probabilities(model.predict_proba(images))
