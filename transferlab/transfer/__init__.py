"""Inductive transfer: estimators that learn a target task from few labels. Images in, models out."""

from transferlab.transfer.base import ImageClassifier, shared_cache
from transferlab.transfer.feature_extraction import FeatureExtraction, RandomFrozen
from transferlab.transfer.fine_tuning import FineTuning, FromScratch
from transferlab.transfer.heads import HEADS, RidgeHead, as_linear, make_head
from transferlab.transfer.layer_choice import relative_gradient_norms
from transferlab.transfer.model_files import SavedModel, as_saved, load_model, save_model
from transferlab.transfer.onnx_file import write_onnx
from transferlab.transfer.out_of_fold import out_of_fold
from transferlab.transfer.shortcuts import Shortcuts
from transferlab.transfer.surgical import SurgicalFineTuning

__all__ = [
    "HEADS",
    "FeatureExtraction",
    "FineTuning",
    "FromScratch",
    "ImageClassifier",
    "RandomFrozen",
    "RidgeHead",
    "SavedModel",
    "Shortcuts",
    "SurgicalFineTuning",
    "as_linear",
    "as_saved",
    "load_model",
    "make_head",
    "out_of_fold",
    "relative_gradient_norms",
    "save_model",
    "shared_cache",
    "write_onnx",
]
