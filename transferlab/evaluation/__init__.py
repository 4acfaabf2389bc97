"""Estimators and a task in, accuracies with intervals and comparisons out. Never a choice on test labels."""

from transferlab.evaluation.comparison import Comparison, holm, paired_difference
from transferlab.evaluation.evaluate import Fitted, evaluate, fit_all, open_all
from transferlab.evaluation.intervals import Interval, bootstrap_seeds_images, wilson
from transferlab.evaluation.results import Evaluation, Row

__all__ = [
    "Comparison",
    "Evaluation",
    "Fitted",
    "Interval",
    "Row",
    "bootstrap_seeds_images",
    "evaluate",
    "fit_all",
    "holm",
    "open_all",
    "paired_difference",
    "wilson",
]
