"""Interactive views: a pure ``compute``, a figure for where nothing moves, and a thin view. Never a lesson's text."""

from transferlab.widgets.show import show

__all__ = ["show"]
