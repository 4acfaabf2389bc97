"""Estimators and a task in, accuracies with intervals and comparisons out. Never a choice on test labels."""

from transferlab.evaluation.calibration import Reliability, reliability
from transferlab.evaluation.comparison import Comparison, holm, paired_difference
from transferlab.evaluation.evaluate import Fitted, evaluate, fit_all, open_all
from transferlab.evaluation.intervals import Interval, bootstrap_seeds_images, wilson
from transferlab.evaluation.label_errors import Suspect, label_errors
from transferlab.evaluation.labels_saved import LabelsSaved, labels_saved
from transferlab.evaluation.learning_curve import CurveEstimate, learning_curve_estimate
from transferlab.evaluation.recall import recalls
from transferlab.evaluation.results import Evaluation, Row
from transferlab.evaluation.selective import CoverageCurve, confidence_threshold, coverage_curve

__all__ = [
    "Comparison",
    "CoverageCurve",
    "CurveEstimate",
    "Evaluation",
    "Fitted",
    "Interval",
    "LabelsSaved",
    "Reliability",
    "Row",
    "Suspect",
    "bootstrap_seeds_images",
    "confidence_threshold",
    "coverage_curve",
    "evaluate",
    "fit_all",
    "holm",
    "label_errors",
    "labels_saved",
    "learning_curve_estimate",
    "open_all",
    "paired_difference",
    "recalls",
    "reliability",
    "wilson",
]
