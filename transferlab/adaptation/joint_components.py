"""JDA: components in which the domains, and the classes in them, have the same means."""

from __future__ import annotations

import numpy as np

from transferlab.adaptation.base import class_probabilities
from transferlab.adaptation.kernel_components import TCA, domain_difference
from transferlab.adaptation.kernels import blocks, check_number


class JDA(TCA):
    """Joint distribution adaptation (Long, Wang, Ding, Sun and Yu 2013).

    As :class:`TCA`, with the difference of means within each class added: tr(Wᵀ K (Σ M_c) K W) + μ tr(Wᵀ W). Target
    classes are guessed by the classifier in the components of the step before, the first of which is TCA's; this
    goes on until the guesses stay, or for ``iterations`` guesses. A class that no target sample is guessed to be of
    has no such difference.

    Parameters
    ----------
    n_components, mu, kernel, landmarks, classifier, random_state : as of :class:`TCA`
    iterations : how often target classes are guessed, at most

    Attributes: ``steps_``, one :class:`Eigenproblem` a step; ``pseudo_labels_`` (M,), the last guess.

    Raises
    ------
    UserError
        on ``fit``, as :class:`TCA`, and for ``iterations`` below 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(80) % 2
    >>> source = rng.normal(size=(80, 4)) + 6 * y[:, None]
    >>> target = rng.normal(size=(80, 4)) + 6 * y[:, None] + np.array([4.0, 0, 0, 0])
    >>> JDA(n_components=2).fit(source, y, target).score(target, y)
    1.0
    """

    def __init__(
        self,
        *,
        n_components=None,
        mu=1.0,
        kernel="linear",
        iterations=10,
        landmarks=1000,
        classifier=None,
        random_state=0,
    ):
        super().__init__(
            n_components=n_components,
            mu=mu,
            kernel=kernel,
            landmarks=landmarks,
            classifier=classifier,
            random_state=random_state,
        )
        self.iterations = iterations

    def _check(self, source, target):
        super()._check(source, target)
        check_number("iterations", self.iterations, 1)

    def _adapt(self, source, codes, target, *, domains=None, X_few=None, few=None):
        rows = self._kernel_rows(source, target)
        marginal = domain_difference(*rows)
        of_source = class_means(rows[0], codes, len(self.classes_))
        known = None if few is None else (self.features_(X_few), few)
        self._solve([marginal])
        guessed = None
        for _ in range(self.iterations):
            before, guessed = guessed, self._guess(rows, codes, known)
            if before is not None and (before == guessed).all():
                break
            differences = of_source - class_means(rows[1], guessed, len(self.classes_))
            self._solve([marginal, *differences[np.isfinite(differences).all(1)]])
        self.pseudo_labels_ = self.classes_[guessed]

    def _guess(self, rows, codes, known) -> np.ndarray:
        """Codes (M,) of the target by a classifier on the source, and the few labelled, in the present components."""
        source, target = (self._components(table) for table in rows)
        if known is not None:
            source, codes = (
                np.concatenate([source, self._components(known[0])]),
                np.concatenate([codes, known[1]]),
            )
        classifier = self._new_classifier().fit(source, codes)
        return class_probabilities(classifier, target, len(self.classes_)).argmax(1)


def class_means(rows: np.ndarray, codes: np.ndarray, classes: int) -> np.ndarray:
    """float64 (classes, q): the mean row of each class, NaN where there is none.

    Examples
    --------
    >>> class_means(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 2]), 3).ravel().tolist()
    [2.0, nan, 5.0]
    """
    sums = np.zeros((classes, rows.shape[1]))
    for part, block in blocks(rows, classes):
        sums += np.eye(classes)[codes[part]].T @ block
    with np.errstate(invalid="ignore"):
        return sums / np.bincount(codes, minlength=classes)[:, None]
