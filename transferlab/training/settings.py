"""Estimators whose subclasses hand settings on: each names its own alone, and all stand in its signature."""

from __future__ import annotations

import inspect


class InheritedSettings:
    """A subclass whose ``__init__`` takes ``**settings`` gets the signature of its own and its parent's settings.

    ``help``, ``get_params`` and ``sklearn.base.clone`` then know all of them, and none is written twice.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> class Parent(InheritedSettings, BaseEstimator):
    ...     def __init__(self, *, epochs=5):
    ...         self.epochs = epochs
    >>> class Child(Parent):
    ...     def __init__(self, *, weight=1.0, **settings):
    ...         super().__init__(**settings)
    ...         self.weight = weight
    >>> Child(epochs=2).get_params()
    {'epochs': 2, 'weight': 1.0}
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        own = inspect.signature(cls.__init__).parameters
        if "__init__" not in vars(cls) or not any(p.kind is p.VAR_KEYWORD for p in own.values()):
            return
        inherited = inspect.signature(super(cls, cls).__init__).parameters
        named = {k: p for k, p in own.items() if p.kind is not p.VAR_KEYWORD}
        more = {k: p for k, p in inherited.items() if k not in named}
        cls.__init__.__signature__ = inspect.Signature([*named.values(), *more.values()])
