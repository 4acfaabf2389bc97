"""A task: few labels to learn from, a pool without labels, and a sealed test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from transferlab.data.imageset import ImageSet
from transferlab.data.metrics import counted_metrics
from transferlab.data.splits import hold_out
from transferlab.errors import UserError

# Test labels lie here and not in the test object, so that none of its attributes leads to them.
_SEALED: WeakKeyDictionary[SealedTest, _Seal] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class TestScores:
    """What one look at the sealed test showed.

    truth : int64 (N,); groups : array (N,) or None; probabilities : model name to float (N, K);
    metrics : model name to the dict of :func:`transferlab.data.counted_metrics`;
    paths : names of the images or None; look : the how-manieth look at this test this was.
    """

    __test__ = False  # not a pytest class
    truth: np.ndarray
    probabilities: dict[str, np.ndarray]
    metrics: dict[str, dict]
    look: int
    groups: np.ndarray | None = None
    paths: tuple[str, ...] | None = None


@dataclass
class _Seal:
    labels: np.ndarray
    paths: tuple[str, ...] | None
    looks: int = 0


class SealedTest:
    """Test images that anyone may read, and labels that only :meth:`score` meets.

    Paths are sealed as well: a folder's paths hold the class. ``image_set`` has neither.

    Examples
    --------
    >>> from transferlab.data import load_task
    >>> test = load_task("digits", labels_per_class=10).test
    >>> test.images.dtype, test.looks
    (dtype('uint8'), 0)
    """

    __slots__ = ("__weakref__", "image_set", "printing")

    def __init__(self, labelled: ImageSet, printing: bool = True):
        if labelled.labels is None or not len(labelled):
            raise UserError("a test needs at least one labelled image; give the test split labels.")
        _SEALED[self] = _Seal(labelled.labels, labelled.paths)
        self.image_set = labelled.without_labels()
        self.printing = printing

    def __repr__(self):
        return f"SealedTest(n={len(self)}, looks={self.looks})"

    @property
    def looks(self) -> int:
        """How often :meth:`score` was called."""
        return _SEALED[self].looks

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
        seal = _SEALED[self]
        seal.looks += 1
        if self.printing:
            print(f"test look {self.looks}: {len(models)} model(s), n = {len(self)}")
        return TestScores(
            truth=seal.labels.copy(),
            probabilities=probabilities,
            metrics={name: counted_metrics(seal.labels, p) for name, p in probabilities.items()},
            look=seal.looks,
            groups=self.image_set.groups,
            paths=seal.paths,
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
        """Whether groups (people, patients, bursts) were declared; linked near duplicates do not count."""
        found = self.audit.get("groups", {}).get("from") == "duplicates"
        return self.train.groups is not None and not found

    @property
    def labels_available(self) -> int:
        """The most labels a class that every class can give."""
        return int(_counts(self._development, self._validation).sum(axis=0).min())

    def draw(self, labels_per_class: int | None, seed: int) -> Task:
        """The same task with ``labels_per_class`` labels (None: all) drawn by ``seed``."""
        return draw_task(
            self.name,
            self._development,
            self._validation,
            self.test,
            labels_per_class,
            seed,
            card=self.card,
            audit=self.audit,
        )


def draw_task(  # noqa: PLR0917
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
    labels on. A given ``validation`` set gives that share where it has as many; without one, validation
    is taken out of the draw, whole groups together. What is not drawn becomes the unlabelled pool.

    Raises
    ------
    UserError
        when ``labels_per_class`` is no whole number from 1 on, or more than a class has.
    """
    k = labels_per_class
    rng = np.random.default_rng([seed, 20_241])
    from_development, from_validation = _shares(development, validation, k, validation_fraction)
    picks = _pick(development, from_development, rng)
    pool = np.setdiff1d(np.arange(len(development)), picks)
    if validation is not None:
        train, val = picks, validation[_pick(validation, from_validation, rng)]
    else:
        drawn = development[picks]
        held = hold_out(drawn.labels, drawn.groups, len(drawn.classes), validation_fraction, rng)
        train, val = picks[~held], drawn[held]
    val = val if len(val) else None
    return Task(
        name, development[train], val, development[pool].without_labels(), test, k, seed,
        card or {}, audit or {}, development, validation,
    )  # fmt: skip


def _counts(development: ImageSet, validation: ImageSet | None) -> np.ndarray:
    """int64 (2, K): images of each class in development and in validation."""
    k = len(development.classes)
    given = np.zeros(k, int) if validation is None else np.bincount(validation.labels, minlength=k)
    return np.stack([np.bincount(development.labels, minlength=k), given])


def _shares(
    development: ImageSet, validation: ImageSet | None, k: int | None, fraction: float
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """How many labels of each class to draw from either set; None: all."""
    if k is None:
        return None, None
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise UserError(f"labels per class must be a whole number of at least 1, not {k!r}.")
    in_development, in_validation = _counts(development, validation)
    total = in_development + in_validation
    if k > total.min():
        scarce = development.classes[int(total.argmin())]
        raise UserError(
            f"class {scarce!r} has {total.min()} labelled images outside the test, fewer than the {k} labels "
            f"a class asked for; ask for at most {total.min()}."
        )
    share = max(1, math.floor(k * fraction + 0.5)) if k >= 2 else 0
    from_validation = np.minimum(np.maximum(share, k - in_development), in_validation)
    return k - from_validation, from_validation


def _pick(labelled: ImageSet, wanted: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Positions of ``wanted`` (K,) images of each class (all where it is None), sorted."""
    if wanted is None:
        return np.arange(len(labelled))
    picks = [rng.permutation(np.flatnonzero(labelled.labels == c))[:n] for c, n in enumerate(wanted)]
    return np.sort(np.concatenate(picks))
