"""Figures: arrays and results in, a matplotlib figure out whose title states the finding. Never a model."""

from transferlab.viz.balance import class_balance
from transferlab.viz.confusion import confusion
from transferlab.viz.curves import learning_curves
from transferlab.viz.dots import arms
from transferlab.viz.figure import Card
from transferlab.viz.pictures import examples, worst_mistakes
from transferlab.viz.words import METHOD_NAMES, method_name

__all__ = [
    "METHOD_NAMES",
    "Card",
    "arms",
    "class_balance",
    "confusion",
    "examples",
    "learning_curves",
    "method_name",
    "worst_mistakes",
]
