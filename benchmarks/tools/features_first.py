"""The honest rival for a head alone: features by timm once, then scikit-learn. No training tool at all."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.problem import Mark, Predict, Problem, log_probabilities, timm_network


def fit(problem: Problem, mark: Mark) -> Predict:
    net = timm_network(problem).eval()

    def features(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.concatenate(
                [
                    net(problem.backbone.preprocess(images[i : i + 64])).numpy()
                    for i in range(0, len(images), 64)
                ]
            )

    head = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    head.fit(features(problem.train.images), problem.train.labels)
    mark()
    return lambda images: log_probabilities(head.predict_proba(features(images)))
