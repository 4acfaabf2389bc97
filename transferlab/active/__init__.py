"""Active learning: a pool of unlabelled images in, the images worth asking a person about out.

Strategies take bare arrays and give positions; they train nothing, read no labels and never ask about an image twice.
"""

from transferlab.active.strategies import STRATEGIES, Strategy, query

__all__ = ["STRATEGIES", "Strategy", "query"]
