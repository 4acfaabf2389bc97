"""Subspace alignment: turn the source's principal directions into the target's."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from transferlab.adaptation.base import FeatureAdapter
from transferlab.errors import UserError

DEFAULT_COMPONENTS = 30


class SubspaceAlignment(FeatureAdapter):
    """Subspace alignment (Fernando et al. 2013): source PCA coordinates, mapped onto the target's.

    Each domain is centred. With Pₛ and Pₜ (D, d) its principal directions, a source sample x becomes xᵀ Pₛ Pₛᵀ Pₜ and
    a target sample xᵀ Pₜ.

    Parameters
    ----------
    n_components : directions that are kept; as many as both domains allow, at most 30, when None
    classifier : any scikit-learn classifier; standardized features and logistic regression when None
    random_state : seed of the randomized PCA that scikit-learn takes for large tables

    Attributes: ``source_``, ``target_`` (fitted ``PCA``), ``alignment_`` (d, d).

    Raises
    ------
    UserError
        on ``fit``, when the domains do not allow ``n_components``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(50, 5)), rng.normal(size=(40, 5))
    >>> SubspaceAlignment(n_components=2).fit(source, source[:, 0] > 0, target).transform(target).shape
    (40, 2)
    """

    def __init__(self, *, n_components: int | None = None, classifier=None, random_state=0):
        super().__init__(classifier=classifier)
        self.n_components = n_components
        self.random_state = random_state

    def _check(self, source, target):
        most = min(len(source) - 1, len(target) - 1, source.shape[1])
        self.n_components_ = components_wanted(self.n_components, most)

    def _adapt(self, source, codes, target, *, domains=None, X_few=None, few=None):
        self.source_, self.target_ = (
            PCA(self.n_components_, random_state=self.random_state).fit(X) for X in (source, target)
        )
        self.alignment_ = self.source_.components_ @ self.target_.components_.T

    def _map(self, X, domain):
        return (
            self.source_.transform(X) @ self.alignment_ if domain == "source" else self.target_.transform(X)
        )


def components_wanted(asked: int | None, most: int) -> int:
    """How many components to keep: what is ``asked``, or as many as there are, at most 30.

    Raises
    ------
    UserError
        when ``asked`` is no whole number from 1 to ``most``.

    Examples
    --------
    >>> components_wanted(None, 8), components_wanted(None, 80), components_wanted(5, 8)
    (8, 30, 5)
    """
    wanted = min(most, DEFAULT_COMPONENTS) if asked is None else asked
    if not isinstance(wanted, (int, np.integer)) or isinstance(wanted, bool) or not 1 <= wanted <= most:
        raise UserError(
            f"n_components is {asked!r}, but these domains allow 1 to {most}; there are no more directions than "
            "features, or than samples less one."
        )
    return int(wanted)
