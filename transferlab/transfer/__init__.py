"""Inductive transfer: estimators that learn a target task from few labels. Images in, models out."""

from transferlab.transfer.base import ImageClassifier, shared_cache
from transferlab.transfer.feature_extraction import FeatureExtraction, RandomFrozen
from transferlab.transfer.fine_tuning import FineTuning, FromScratch
from transferlab.transfer.heads import HEADS, RidgeHead, as_linear, make_head

__all__ = [
    "HEADS",
    "FeatureExtraction",
    "FineTuning",
    "FromScratch",
    "ImageClassifier",
    "RandomFrozen",
    "RidgeHead",
    "as_linear",
    "make_head",
    "shared_cache",
]
