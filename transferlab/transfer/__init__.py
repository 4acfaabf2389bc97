"""Inductive transfer: estimators that learn a target task from few labels. Images in, models out."""

from transferlab.evaluation.rank_agreement import Agreement, over_targets, weighted_tau
from transferlab.training.boundary_cache import shared_cache
from transferlab.training.heads import HEADS, RidgeHead, as_linear, make_head
from transferlab.transfer.base import ImageClassifier
from transferlab.transfer.feature_extraction import FeatureExtraction, RandomFrozen
from transferlab.transfer.feature_scores import knn_score, linear_probe_score
from transferlab.transfer.fine_tuning import FineTuning, FromScratch
from transferlab.transfer.h_score import h_score, shrunken_h_score
from transferlab.transfer.label_scores import leep, nce
from transferlab.transfer.layer_choice import relative_gradient_norms
from transferlab.transfer.logme import logme
from transferlab.transfer.model_files import SavedModel, as_saved, load_model, save_model
from transferlab.transfer.negative_transfer import AgainstScratch, HarmWarning, against_scratch, harm_warning
from transferlab.transfer.onnx_file import write_onnx
from transferlab.transfer.out_of_fold import out_of_fold
from transferlab.transfer.rank_sources import SCORES, RankedSource, Ranking, rank_sources
from transferlab.transfer.shortcuts import Shortcuts
from transferlab.transfer.surgical import SurgicalFineTuning

__all__ = [
    "HEADS",
    "SCORES",
    "AgainstScratch",
    "Agreement",
    "FeatureExtraction",
    "FineTuning",
    "FromScratch",
    "HarmWarning",
    "ImageClassifier",
    "RandomFrozen",
    "RankedSource",
    "Ranking",
    "RidgeHead",
    "SavedModel",
    "Shortcuts",
    "SurgicalFineTuning",
    "against_scratch",
    "as_linear",
    "as_saved",
    "h_score",
    "harm_warning",
    "knn_score",
    "leep",
    "linear_probe_score",
    "load_model",
    "logme",
    "make_head",
    "nce",
    "out_of_fold",
    "over_targets",
    "rank_sources",
    "relative_gradient_norms",
    "save_model",
    "shared_cache",
    "shrunken_h_score",
    "weighted_tau",
    "write_onnx",
]
