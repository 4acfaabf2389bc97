"""A task: few labels to learn from, a pool without labels, and a sealed test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from transferlab.data.imageset import ImageSet
from transferlab.data.metrics import counted_metrics
from transferlab.errors import UserError


@dataclass(frozen=True, eq=False)
class TestScores:
    """What one look at the sealed test showed.

    truth : int64 (N,); groups : array (N,) or None; probabilities : model name to float (N, K);
    metrics : model name to the dict of :func:`transferlab.data.counted_metrics`;
    look : the how-manieth look at this test this was.
    """

    __test__ = False  # not a pytest class
    truth: np.ndarray
    probabilities: dict[str, np.ndarray]
    metrics: dict[str, dict]
    look: int
    groups: np.ndarray | None = None


class SealedTest:
    """Test images that anyone may read, and labels that only :meth:`score` meets.

    Examples
    --------
    >>> from transferlab.data import load_task
    >>> test = load_task("digits", labels_per_class=10).test
    >>> test.images.dtype, test.looks
    (dtype('uint8'), 0)
    """

    __slots__ = ("__labels", "image_set", "looks", "printing")

    def __init__(self, labelled: ImageSet, printing: bool = True):
        if labelled.labels is None or not len(labelled):
            raise UserError("a test needs at least one labelled image; give the test split labels.")
        self.__labels = labelled.labels
        self.image_set = labelled.without_labels()
        self.looks = 0
        self.printing = printing

    @property
    def images(self) -> np.ndarray:
        """uint8 array (N, C, H, W)."""
        return self.image_set.images

    def __len__(self):
        return len(self.image_set)

    def score(self, models: Mapping[str, object]) -> TestScores:
        """Open the seal once for all of ``models`` (name to fitted estimator); counts one look.

        Give all models in one call: a choice made between two calls is a choice on test labels.
        """
        if not isinstance(models, Mapping) or not models:
            raise UserError("score() takes a dict of name to fitted model; put all models in one call.")
        probabilities = {name: np.asarray(m.predict_proba(self.image_set)) for name, m in models.items()}
        k = len(self.image_set.classes)
        for name, p in probabilities.items():
            if p.shape != (len(self), k):
                raise UserError(
                    f"model {name!r} gave probabilities of shape {p.shape}, expected {(len(self), k)}; "
                    "fit it with labels of this task."
                )
        self.looks += 1
        if self.printing:
            print(f"test look {self.looks}: {len(models)} model(s), n = {len(self)}")
        return TestScores(
            truth=self.__labels.copy(),
            probabilities=probabilities,
            metrics={name: counted_metrics(self.__labels, p) for name, p in probabilities.items()},
            look=self.looks,
            groups=self.image_set.groups,
        )

    def __reduce__(self):
        raise TypeError("a sealed test is not pickled: its labels would travel in the open")


@dataclass(frozen=True, eq=False)
class Task:
    """Train, validation, unlabelled pool and sealed test of one problem.

    ``labels_per_class`` counts every label that a method may see, validation included.
    Made by :func:`transferlab.data.load_task`; :meth:`draw` gives another label draw on the same test.
    """

    name: str
    train: ImageSet
    validation: ImageSet | None
    unlabelled: ImageSet
    test: SealedTest
    labels_per_class: int | None = None
    seed: int = 0
    card: dict = field(default_factory=dict)
    audit: dict = field(default_factory=dict)
    _development: ImageSet | None = None
    _validation: ImageSet | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        return self.train.classes

    @property
    def grouped(self) -> bool:
        """Whether images carry a group that no split may straddle."""
        return self.train.groups is not None

    @property
    def labels_available(self) -> int:
        """The most labels a class that every class can give."""
        return int(np.bincount(self._all_labels(), minlength=len(self.classes)).min())

    def _all_labels(self) -> np.ndarray:
        given = self._development.labels
        return given if self._validation is None else np.concatenate([given, self._validation.labels])

    def draw(self, labels_per_class: int | None, seed: int) -> Task:
        """The same task with ``labels_per_class`` labels (None: all) drawn by ``seed``."""
        return draw_task(
            self.name, self._development, self._validation, self.test, labels_per_class, seed,
            card=self.card, audit=self.audit,
        )


def draw_task(
    name: str,
    development: ImageSet,
    validation: ImageSet | None,
    test: SealedTest,
    labels_per_class: int | None,
    seed: int,
    *,
    card: dict | None = None,
    audit: dict | None = None,
    validation_fraction: float = 0.2,
) -> Task:
    """Draw labels from ``development`` (labelled) and split them into train and validation.

    The labels a class include those that go to validation: a fifth of them, at least one from two
    labels on. A given ``validation`` set is drawn from in the same share. What is not drawn becomes
    the unlabelled pool. Groups never straddle train and validation: a group goes where its first
    drawn image goes, and its other drawn images follow.
    """
    rng = np.random.default_rng([seed, 20_241])
    k = labels_per_class
    if k is not None and (not isinstance(k, (int, np.integer)) or k < 1):
        raise UserError(f"labels per class must be a whole number of at least 1, not {k!r}.")
    if validation is not None and k is not None and k >= 2:
        n_val = max(1, math.floor(k * validation_fraction + 0.5))
        val_picks = _pick(validation, n_val, rng)
        train_picks = _pick(development, k - n_val, rng)
        train, val = train_picks, validation[val_picks]
        rest = np.setdiff1d(np.arange(len(development)), train)
        return Task(name, development[train], val, development[rest].without_labels(), test, k, seed,
                    card or {}, audit or {}, development, validation)
    picks = _pick(development, k, rng)
    rest = np.setdiff1d(np.arange(len(development)), picks)
    if validation is not None:
        train, val = picks, (validation if k is None else None)
    else:
        is_val = _validation_share(development[picks], validation_fraction, rng)
        train = picks[~is_val]
        val = development[picks[is_val]] if is_val.any() else None
    return Task(name, development[np.sort(train)], val, development[rest].without_labels(), test, k, seed,
                card or {}, audit or {}, development, validation)


def _pick(labelled: ImageSet, k: int | None, rng) -> np.ndarray:
    """Positions of k images of each class (all where k is None), sorted."""
    if k is None:
        return np.arange(len(labelled))
    picks = []
    for c, name in enumerate(labelled.classes):
        members = np.flatnonzero(labelled.labels == c)
        if len(members) < k:
            counts = np.bincount(labelled.labels, minlength=len(labelled.classes))
            raise UserError(
                f"class {name!r} has {len(members)} labelled images outside the test, fewer than the "
                f"{k} labels a class asked for; ask for at most {counts.min()}."
            )
        picks.append(rng.permutation(members)[:k])
    return np.sort(np.concatenate(picks))


def _validation_share(drawn: ImageSet, fraction: float, rng) -> np.ndarray:
    """Mask over ``drawn``: about ``fraction`` of each class for validation, whole groups together.

    Every class keeps at least one training image; a group is only moved when it leaves one behind.
    """
    labels = drawn.labels
    k = len(drawn.classes)
    total = np.bincount(labels, minlength=k)
    want = np.where(total >= 2, np.maximum(1, np.floor(total * fraction + 0.5)), 0).astype(int)
    groups = np.arange(len(drawn)) if drawn.groups is None else np.unique(drawn.groups, return_inverse=True)[1]
    moved = np.zeros(len(drawn), bool)
    have = np.zeros(k, int)
    order = rng.permutation(int(groups.max()) + 1 if len(groups) else 0)
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])
    for g in order:
        rows = members[g]
        gain = np.bincount(labels[rows], minlength=k)
        useful = (np.minimum(want - have, gain).clip(0)).sum()
        overshoot = (have + gain - want).clip(0).sum()
        if useful > overshoot and (have + gain < total)[gain > 0].all():
            moved[rows] = True
            have += gain
    return moved
