"""Rounds of labelling by a person: after each a head is fitted, says how good it is and picks what to ask next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from transferlab.active.learners import HeadFit, HeadLearner
from transferlab.active.strategies import STRATEGIES, query
from transferlab.errors import UserError
from transferlab.evaluation.intervals import wilson
from transferlab.viz.words import count, percent


class HeadRounds:
    """Called with the labels so far, image name to label: a sentence on how accurate a head is, and what to ask next.

    The accuracy is that of a ridge head which leaves out each labelled image in turn (closed form): as the images
    were picked, it is a trend and no estimate for the folder. With ``validation``, images that are labelled already
    and never asked, it is one. Until labels are of two classes nothing is fitted; images are then picked as if all
    classes were equally likely.

    Parameters
    ----------
    features : float (N, D), of the images that may be asked
    names : one an image; classes : the labels that may be given
    strategy : a name of :data:`~transferlab.active.strategies.STRATEGIES`; n : images a round
    answered : gives the names of images that are not asked again, labelled or not, such as ``LabelFile.answered``
    validation : float (M, D) features and int (M,) positions in ``classes``
    head : as :func:`~transferlab.training.heads.make_head` takes it; seed : of what is drawn, and of ties

    Raises
    ------
    UserError
        when names do not fit the features, a name of a class, strategy or head is not known, or labels of the
        validation are none.

    Examples
    --------
    >>> x = np.array([[0.0], [0.1], [5.0], [5.1], [0.2]])
    >>> rounds = HeadRounds(x, "abcde", ["cat", "dog"], strategy="margin", n=1)
    >>> rounds({"a": "cat", "b": "cat", "c": "dog", "d": "dog"})[1]
    [4]
    """

    def __init__(
        self,
        features,
        names: Sequence[str],
        classes: Sequence[str],
        *,
        strategy: str = "typical-then-uncertain",
        n: int = 20,
        answered: Callable[[], Collection[str]] = tuple,
        validation: tuple | None = None,
        head: str = "logistic",
        seed: int = 0,
    ):
        self.names, self.classes, self.strategy, self.n, self.seed = (
            tuple(names),
            tuple(classes),
            strategy,
            n,
            seed,
        )
        unseen, self._truth = (
            (features, None) if validation is None else _checked(validation, len(self.classes))
        )
        self._learner = HeadLearner(features, unseen, len(self.classes), head)
        if len(self._learner.start_features) != len(self.names):
            raise UserError(
                f"there are {len(self.names)} names for {len(self._learner.start_features)} rows of features; "
                "give one an image."
            )
        if strategy not in STRATEGIES:
            raise UserError(f"the strategy {strategy!r} is not known; choose from {', '.join(STRATEGIES)}.")
        self._answered = answered
        self._accuracy: dict[int, float] = {}  # by the number of labels

    def __call__(self, labels: Mapping[str, str]) -> tuple[str, list[int]]:
        fit = self._fitted(labels)
        return self._sentence(fit, labels), self._picks(fit, labels, self.n)

    def next(self, labels: Mapping[str, str], n: int) -> list[int]:
        """Positions of ``n`` images to ask about after ``labels``, in order; fewer where fewer are left."""
        return self._picks(self._fitted(labels), labels, n)

    def _fitted(self, labels: Mapping[str, str]) -> HeadFit | None:
        known = [(k, labels[name]) for k, name in enumerate(self.names) if name in labels]
        for name in {label for _, label in known} - set(self.classes):
            raise UserError(f"the label {name!r} is none of {', '.join(self.classes)}.")
        if len({label for _, label in known}) < 2:
            return None
        positions, codes = zip(*((k, self.classes.index(label)) for k, label in known), strict=True)
        return self._learner(np.array(positions), np.array(codes), self.seed)

    def _picks(self, fit: HeadFit | None, labels: Mapping[str, str], n: int) -> list[int]:
        done = {*labels, *self._answered()}
        past = [k for k, name in enumerate(self.names) if name in done]
        n = min(n, len(self.names) - len(past))
        if n < 1:
            return []
        return query(
            self.strategy,
            features=self._learner.start_features,
            probabilities=self._probabilities(fit),
            labelled=past,
            n=n,
            seed=self.seed,
        ).tolist()

    def _probabilities(self, fit: HeadFit | None) -> np.ndarray:
        draws = "draws" in STRATEGIES[self.strategy].needs
        if fit is not None:
            return fit.draws if draws else fit.pool
        equal = np.full((len(self.names), len(self.classes)), 1 / len(self.classes))
        return np.stack([equal, equal]) if draws else equal

    def _sentence(self, fit: HeadFit | None, labels: Mapping[str, str]) -> str:
        if fit is None:
            return "labels of two classes are needed before anything can be learned."
        if self._truth is None:
            n, among = sum(name in labels for name in self.names), "labelled image"
            right = round(fit.held_out * n)
            how, limit = (
                "a head that learned from the others",
                " They were picked: a trend, no estimate for all.",
            )
        else:
            n, among = len(self._truth), "validation image"
            right = int((fit.unseen.argmax(1) == self._truth).sum())
            how, limit = "a head that learned from the labels", ""
        ends, before = wilson(right, n), [k for k in self._accuracy if k < len(labels)]
        since = f"; with {max(before)} labels {percent(self._accuracy[max(before)])}" if before else ""
        self._accuracy[len(labels)] = right / n
        return (
            f"{percent(right / n)} of {count(n, among)} told right by {how} (95 % interval {percent(ends.low)} to "
            f"{percent(ends.high)}{since}).{limit}"
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
