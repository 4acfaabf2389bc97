"""The arms of the factorial: how far a network is transferred, from not at all to all of its stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.active.learners import HeadLearner, ImageLearner, epochs_for
from transferlab.active.rounds import Learner
from transferlab.adaptation.study import DomainPair, fit_methods
from transferlab.backbones import Backbone
from transferlab.data import ImageSet, SealedTest, Task
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.transfer import FineTuning, FromScratch

ARMS = ("scratch", "frozen", "last-stage", "all")
_BATCH = 32
#: Arms that see no label of the target, by the names of :mod:`transferlab.adaptation.study`.
WITHOUT_LABELS = ("source-only", "SHOT")


@dataclass(frozen=True, eq=False)
class StudyImages:
    """What a study works on.

    pool : labelled images, whose labels an oracle reveals; validation : labelled images that are never asked and
    that a recommendation may look at; test : sealed; source : labelled images of another domain with the same classes,
    or None
    """

    pool: ImageSet
    validation: ImageSet
    test: SealedTest
    source: ImageSet | None = None

    def __post_init__(self):
        if self.source is not None and self.source.classes != self.pool.classes:
            raise UserError(
                "the source has other classes than the pool; arms without labels need the same ones."
            )

    @property
    def unseen(self) -> ImageSet:
        """Validation and then test images, without labels."""
        return self.validation.without_labels().joined(self.test.image_set)


def study_images(task: Task, source: ImageSet | None = None) -> StudyImages:
    """All labelled images of ``task`` as a pool, a fifth of them held out as validation.

    Raises
    ------
    UserError
        when there are too few to hold any out, or the source has other classes.

    Examples
    --------
    >>> from transferlab.data import load_task
    >>> images = study_images(load_task("digits", labels_per_class=1))
    >>> len(images.unseen) == len(images.validation) + len(images.test)
    True
    """
    drawn = task.draw(None, 0)
    if drawn.validation is None:
        raise UserError(
            f"{task.name!r} has too few labelled images to hold some out; add images of each class."
        )
    return StudyImages(drawn.train, drawn.validation, task.test, source)


@dataclass(frozen=True)
class ArmSettings:
    """How arms train: the frozen arm's head; epochs of fine-tuning, from scratch, on a source and of adapting to the
    target; steps that a network trains for at least, however few its labels; device."""

    head: str = "logistic"
    epochs: int = 20
    scratch_epochs: int = 60
    source_epochs: int = 10
    adapt_epochs: int = 5
    least_steps: int = 100
    device: str = "auto"


def make_learners(
    names: Sequence[str], images: StudyImages, backbone: Backbone, settings: ArmSettings, cache: BoundaryCache
) -> dict[str, Learner]:
    """Name to learner: the arms asked for, and ``"pretrained"``, a head on the features as they were pretrained."""
    pool, unseen = images.pool, images.unseen
    features, answered = (
        cache.features(backbone, part.images, device=settings.device) for part in (pool, unseen)
    )
    pretrained = HeadLearner(features, answered, len(pool.classes), settings.head)
    common = {"patience": None, "batch_size": _BATCH, "cache": cache, "device": settings.device}
    tune = {"epochs": settings.epochs, **common}
    estimators = {
        "scratch": FromScratch(backbone, epochs=settings.scratch_epochs, **common),
        "last-stage": FineTuning(backbone, trainable_from=last_stage(backbone), **tune),
        "all": FineTuning(backbone, trainable_from=0, **tune),
    }
    made: dict[str, Learner] = {"pretrained": pretrained}
    for name in names:
        if name == "frozen":
            made[name] = pretrained
        else:
            start = (
                None if name == "scratch" else features
            )  # before a label, tuned networks are as pretrained
            made[name] = ImageLearner(
                estimators[name],
                pool,
                unseen,
                cache=cache,
                start_features=start,
                least_steps=settings.least_steps,
            )
    return made


def last_stage(backbone: Backbone) -> int:
    """How many stages lie below the last one that has anything to learn."""
    return max(i for i, stage in enumerate(backbone.stages) if stage.parameters)


def training_passes(name: str, images: int, backbone: Backbone, settings: ArmSettings) -> float:
    """What training on so many images costs, in forward passes of an image through the whole backbone.

    Examples
    --------
    >>> from transferlab.backbones import load_backbone
    >>> training_passes("all", 64, load_backbone("tiny"), ArmSettings(epochs=60, least_steps=0))
    11520.0
    """
    if name == "frozen":
        return 0.0
    epochs = settings.scratch_epochs if name == "scratch" else settings.epochs
    share = 1 - last_stage(backbone) / len(backbone.stages) if name == "last-stage" else 1.0
    steps = 3.0 * max(epochs, epochs_for(settings.least_steps, images, _BATCH))
    return images * (steps * share + (name == "last-stage"))


def answers_without_labels(
    names: Sequence[str],
    images: StudyImages,
    backbone: Backbone,
    settings: ArmSettings,
    *,
    seed: int,
    cache: BoundaryCache,
) -> dict[str, np.ndarray]:
    """Name to probabilities (M, K) on the unseen images, of networks that saw no label of the target.

    The source is trained on once and shared; its own validation part stays out of training.

    Raises
    ------
    UserError
        where there is no source.
    """
    if images.source is None:
        raise UserError(f"the arm {names[0]!r} needs labelled source images; give a source, or leave it out.")
    common = {"source_epochs": settings.source_epochs, "epochs": settings.adapt_epochs}
    target = images.pool.without_labels()
    side = min(
        max(part.images.shape[2:]) for part in (images.source, target)
    )  # or sharpness tells them apart
    chosen = {**common, "resolution": side, "cache": cache, "device": settings.device}
    pair = DomainPair("target", images.source, target, None, backbone, settings=chosen)
    fitted = fit_methods(pair, seed, names)
    return {name: fitted.models[name].predict_proba(images.unseen) for name in names}
