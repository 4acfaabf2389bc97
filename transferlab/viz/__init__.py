"""Figures: arrays and results in, a matplotlib figure out whose title states the finding. Never a model."""

from transferlab.viz.balance import class_balance
from transferlab.viz.budget_curves import budget_curves
from transferlab.viz.confidence import coverage, reliability
from transferlab.viz.confusion import confusion
from transferlab.viz.costs import costs
from transferlab.viz.curve_estimate import curve_estimate
from transferlab.viz.curves import learning_curves
from transferlab.viz.depth import depth_curves
from transferlab.viz.dot_panels import dot_panels
from transferlab.viz.dots import arms
from transferlab.viz.effects import effects
from transferlab.viz.figure import Card
from transferlab.viz.heat_maps import heat_maps
from transferlab.viz.labels_needed import Need, labels_needed
from transferlab.viz.maps import effective_fields, feature_maps, filters, patches
from transferlab.viz.pictures import captioned, examples, suspected_labels, worst_mistakes
from transferlab.viz.recalls import recalls
from transferlab.viz.score_agreement import score_agreement
from transferlab.viz.times import accuracy_over_time
from transferlab.viz.words import METHOD_NAMES, method_name, percent, sentence

__all__ = [
    "METHOD_NAMES",
    "Card",
    "Need",
    "accuracy_over_time",
    "arms",
    "budget_curves",
    "captioned",
    "class_balance",
    "confusion",
    "costs",
    "coverage",
    "curve_estimate",
    "depth_curves",
    "dot_panels",
    "effective_fields",
    "effects",
    "examples",
    "feature_maps",
    "filters",
    "heat_maps",
    "labels_needed",
    "learning_curves",
    "method_name",
    "patches",
    "percent",
    "recalls",
    "reliability",
    "score_agreement",
    "sentence",
    "suspected_labels",
    "worst_mistakes",
]
