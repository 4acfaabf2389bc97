"""Rounds of labelling by a person: after each a head is fitted, says how good it is and picks what to ask next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from transferlab.active.learners import HeadFit, HeadLearner
from transferlab.active.strategies import DEFAULT_STRATEGY, STRATEGIES, checked_strategy, query, round_seed
from transferlab.adaptation.kernels import check_number
from transferlab.errors import UserError
from transferlab.evaluation.intervals import wilson
from transferlab.viz.words import count, percent


class HeadRounds:
    """Called with the labels so far, image to label: a sentence on how accurate a head is, and what to ask next.

    The accuracy is that of a ridge head which leaves out each labelled image in turn (closed form), without images
    that are alone in their class. Of images that were picked, it is no estimate for the others; with ``validation``
    it is one for images like those. Until labels are of two classes nothing is fitted; images are then picked as if
    all classes were equally likely.

    Parameters
    ----------
    features : float (N, D), of the images that may be asked
    names : one an image; classes : the labels that may be given
    strategy : a name of :data:`~transferlab.active.strategies.STRATEGIES`; n : images a round
    validation : float (M, D) features and int (M,) positions in ``classes``, of images that are never asked
    head : as :func:`~transferlab.training.heads.make_head` takes it; seed : of what is drawn, and of ties

    Raises
    ------
    UserError
        when names do not fit the features, a name of a class, strategy or head is not known, or labels of the
        validation are none.

    Examples
    --------
    >>> x = np.array([[0.0], [0.1], [5.0], [5.1], [2.6], [0.2]])
    >>> rounds = HeadRounds(x, "abcdef", ["cat", "dog"], strategy="margin", n=1)
    >>> rounds({"a": "cat", "b": "cat", "c": "dog", "d": "dog"})[1]
    [4]
    """

    def __init__(
        self,
        features,
        names: Sequence[str],
        classes: Sequence[str],
        *,
        strategy: str = DEFAULT_STRATEGY,
        n: int = 20,
        validation: tuple | None = None,
        head: str = "logistic",
        seed: int = 0,
    ):
        check_number("n", n, 1)
        self.names, self.classes, self.n, self.seed = tuple(names), tuple(classes), n, seed
        self.strategy = checked_strategy(strategy)
        unseen, self._truth = (
            (features, None) if validation is None else _checked(validation, len(self.classes))
        )
        self._learner = HeadLearner(features, unseen, len(self.classes), head)
        rows = len(self._learner.start_features)
        if len(set(self.names)) < len(self.names) or rows != len(self.names):
            raise UserError(
                f"there are {len(set(self.names))} names for {rows} rows of features; give each image one of its own."
            )

    def __call__(self, labels: Mapping[str, str], past: Collection[str] = ()) -> tuple[str, list[int]]:
        """The sentence, and positions of the next images, fewer than a round where fewer are left.

        Labelled images and those of ``past``, which were asked in vain, are not asked again.
        """
        known = [(k, self._code(labels[name])) for k, name in enumerate(self.names) if name in labels]
        positions, codes = np.array(known, np.int64).reshape(-1, 2).T
        fit = self._learner(positions, codes, self.seed) if len(np.unique(codes)) > 1 else None
        done = [k for k, name in enumerate(self.names) if name in labels or name in past]
        return self._sentence(fit, codes), self._picks(fit, done)

    def _code(self, label: str) -> int:
        if label not in self.classes:
            raise UserError(f"the label {label!r} is none of {', '.join(self.classes)}.")
        return self.classes.index(label)

    def _picks(self, fit: HeadFit | None, done: list[int]) -> list[int]:
        n = min(self.n, len(self.names) - len(done))
        if n < 1:
            return []
        return query(
            self.strategy,
            features=self._learner.start_features,
            probabilities=self._probabilities(fit),
            labelled=done,
            n=n,
            seed=round_seed(self.seed, len(done)),
        ).tolist()

    def _probabilities(self, fit: HeadFit | None) -> np.ndarray:
        draws = "draws" in STRATEGIES[self.strategy].needs
        if fit is not None:
            return fit.draws if draws else fit.pool
        equal = np.full((len(self.names), len(self.classes)), 1 / len(self.classes))
        return np.stack([equal, equal]) if draws else equal

    def _sentence(self, fit: HeadFit | None, codes: np.ndarray) -> str:
        if fit is None:
            return "labels of two classes are needed before anything can be learned."
        if self._truth is not None:
            right = int((fit.unseen.argmax(1) == self._truth).sum())
            return f"{_told(right, len(self._truth), 'validation image', 'the labels')}."
        alone = int((np.bincount(codes) == 1).sum())
        right, n = round(fit.held_out * len(codes)), len(codes) - alone
        if not n:
            return "two labels of a class are needed before a head can be scored."
        left_out = f" {count(alone, 'class', 'classes')} with one label left out." if alone else ""
        return f"{_told(right, n, 'labelled image', 'the others')}. They were picked: no estimate for all.{left_out}"


def _told(right: int, n: int, noun: str, learned: str) -> str:
    ends = wilson(right, n)
    return (
        f"{percent(right / n)} of {count(n, noun)} told right by a head that learned from {learned} (95 % interval "
        f"{percent(ends.low)} to {percent(ends.high)})"
    )


def _checked(validation: tuple, classes: int) -> tuple[np.ndarray, np.ndarray]:
    features, labels = validation
    labels = np.asarray(labels)
    if labels.shape != (len(features),) or not np.issubdtype(labels.dtype, np.integer) or not len(labels):
        raise UserError(
            "validation takes features (M, D) and a whole number (M,) for the class of each image."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise UserError(
            f"the classes of validation images go from 0 to {classes - 1}, see the order of classes."
        )
    return features, labels
