"""Unsupervised transfer: no labels on either side. Images or features in, features, clusters or pictures out.

Features are learned on images of any origin (a dictionary of patches, or a backbone trained on a task that the
images themselves set) and serve others; where a network that saw labels is used, the row says so. Labels come in
for the scores alone, after clustering.
"""

from transferlab.unsupervised.base import LABELS_UPSTREAM, FeatureLearner
from transferlab.unsupervised.cluster_scores import (
    ClusterScores,
    cluster_scores,
    matched,
    matched_accuracy,
    silhouettes,
)
from transferlab.unsupervised.clustering import METHODS, cluster
from transferlab.unsupervised.contrastive import SimCLR, nt_xent
from transferlab.unsupervised.denoising import DenoisingAutoencoder, mask_noise
from transferlab.unsupervised.pretraining import PretextLearner, uses_labels
from transferlab.unsupervised.projection import PROJECTIONS, project
from transferlab.unsupervised.rotations import RotationPrediction, four_rotations
from transferlab.unsupervised.self_taught import SelfTaughtLearning
from transferlab.unsupervised.side_by_side import FeatureRow, SideBySide, side_by_side
from transferlab.unsupervised.stability import pairwise_agreement, stability
from transferlab.unsupervised.vicreg import VICReg, vicreg_loss, vicreg_terms

__all__ = [
    "LABELS_UPSTREAM",
    "METHODS",
    "PROJECTIONS",
    "ClusterScores",
    "DenoisingAutoencoder",
    "FeatureLearner",
    "FeatureRow",
    "PretextLearner",
    "RotationPrediction",
    "SelfTaughtLearning",
    "SideBySide",
    "SimCLR",
    "VICReg",
    "cluster",
    "cluster_scores",
    "four_rotations",
    "mask_noise",
    "matched",
    "matched_accuracy",
    "nt_xent",
    "pairwise_agreement",
    "project",
    "side_by_side",
    "silhouettes",
    "stability",
    "uses_labels",
    "vicreg_loss",
    "vicreg_terms",
]
