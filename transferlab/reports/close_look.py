"""The recommended model looked at closely, once the test is open: nothing here chooses anything."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from transferlab.backbones import RandomizationCheck, grad_cam, last_map, randomization_check
from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.evaluation import (
    CoverageCurve,
    CurveEstimate,
    Interval,
    LabelsSaved,
    Reliability,
    Suspect,
    confidence_threshold,
    coverage_curve,
    label_errors,
    labels_saved,
    learning_curve_estimate,
    recalls,
    reliability,
)
from transferlab.reports.transfer_study import Fits, Opened, Plan
from transferlab.transfer import FeatureExtraction, SavedModel, as_saved, out_of_fold

_EXPLAINED = 6  # pictures with a heat map, half of them mistakes where there are enough
_CHECKED = 24  # pictures of the randomization check
_TIMED = 15
LEAST_VALIDATION = 50  # images to choose a confidence on


@dataclass(frozen=True)
class Size:
    """parameters; megabytes of the weights; milliseconds an image alone and in a batch (medians)."""

    parameters: int
    megabytes: float
    alone_ms: float
    batch_ms: float
    batch: int


@dataclass(frozen=True, eq=False)
class Explained:
    """Test images with the model's answers and Grad-CAM's maps of them, and whether such maps mean anything."""

    images: np.ndarray
    truth: np.ndarray
    answers: np.ndarray
    confidence: np.ndarray
    maps: np.ndarray
    stage: str
    check: RandomizationCheck


@dataclass(frozen=True)
class Threshold:
    """A confidence chosen on validation for ``wanted`` accuracy, and what it does on the test (first seed)."""

    wanted: float
    confidence: float
    n_validation: int
    coverage: float
    accuracy: float
    n_test: int


@dataclass(frozen=True, eq=False)
class CloseLook:
    """All of it. ``probabilities`` (S, N, K) are those of the recommended arm; ``model`` is of the first seed.

    saved is empty where there is no pretrained arm or no arm from scratch to compare; estimate, explained,
    suspects and threshold are None where they cannot be had. agreement : share of labels that models which
    never saw them agree with.
    """

    model: SavedModel
    truth: np.ndarray
    probabilities: np.ndarray
    recalls: list[Interval | None]
    reliability: Reliability
    coverage: CoverageCurve
    threshold: Threshold | None
    saved: list[LabelsSaved]
    estimate: CurveEstimate | None
    labelled: ImageSet
    suspects: list[Suspect] | None
    agreement: float | None
    explained: Explained | None
    size: Size


def close_look(plan: Plan, fits: Fits, opened: Opened) -> CloseLook:
    """Everything that a report says of the recommended arm beside its accuracy."""
    chosen = fits.recommendation
    evaluation = opened.evaluations[chosen.fitted]
    truth, groups = evaluation.truth, evaluation.groups
    probabilities = evaluation.probabilities[chosen.arm.name]
    fitted = fits.fitted[chosen.fitted].runs[chosen.arm.name][0].model
    model = as_saved(fitted, classes=plan.task.classes, image_size=plan.task.test.images.shape[-1])
    labelled = _labelled(plan)
    unseen = _unseen_answers(plan, labelled)
    return CloseLook(
        model=model,
        truth=truth,
        probabilities=probabilities,
        recalls=recalls(truth, probabilities, groups),
        reliability=reliability(truth, probabilities, groups),
        coverage=coverage_curve(truth, probabilities, groups),
        threshold=_threshold(plan, fits, fitted, truth, probabilities[0]),
        saved=_saved(plan, fits, opened),
        estimate=_estimate(plan, fits, opened),
        labelled=labelled,
        suspects=None if unseen is None else label_errors(labelled.labels, unseen),
        agreement=None if unseen is None else float((unseen.argmax(1) == labelled.labels).mean()),
        explained=_explained(plan, model, truth, probabilities[0]),
        size=measure(model, plan.device),
    )


def labels_a_class(plan: Plan) -> list[float]:
    """The label budgets as numbers; all labels are their mean over classes, validation included."""
    everything = len(_labelled(plan)) / len(plan.task.classes)
    return [everything if k is None else float(k) for k in plan.budgets]


def _labelled(plan: Plan) -> ImageSet:
    """All labelled images outside the test."""
    everything = plan.task.draw(None, plan.seeds[0])
    parts = [p for p in (everything.train, everything.validation) if p is not None]
    join = {name: np.concatenate([getattr(p, name) for p in parts]) for name in ("images", "labels")}
    groups = None if parts[0].groups is None else np.concatenate([np.asarray(p.groups) for p in parts])
    paths = None if parts[0].paths is None else tuple(x for p in parts for x in p.paths)
    return ImageSet(join["images"], join["labels"], plan.task.classes, groups, paths=paths)


def _tables(plan: Plan, opened: Opened, name: str) -> np.ndarray:
    """bool (B, S, N): what an arm answered rightly at each budget."""
    return np.stack([evaluation.correct(name) for evaluation in opened.evaluations])


def _saved(plan: Plan, fits: Fits, opened: Opened) -> list[LabelsSaved]:
    arm = fits.recommendation.arm
    rivals = [a for a in plan.arms if a.method == "scratch" and a.backbone == arm.backbone]
    labels = labels_a_class(plan)
    if not arm.pretrained or not rivals or (np.diff(labels) <= 0).any():
        return []
    own, scratch = (_tables(plan, opened, a.name) for a in (arm, rivals[0]))
    groups = opened.evaluations[0].groups
    return labels_saved(labels, own, scratch, groups, everything=plan.budgets[-1] is None)


def _estimate(plan: Plan, fits: Fits, opened: Opened) -> CurveEstimate | None:
    labels = labels_a_class(plan)
    if len(labels) < 2 or (np.diff(labels) <= 0).any():
        return None
    tables = _tables(plan, opened, fits.recommendation.arm.name)
    return learning_curve_estimate(labels, tables, opened.evaluations[0].groups)


def _unseen_answers(plan: Plan, labelled: ImageSet) -> np.ndarray | None:
    """By feature extraction with the first backbone: quick, and it fits no wrong label into the backbone.

    The ridge head's temperature comes from answers to images left out, so it is seldom too sure.
    """
    backbone = next((arm.backbone for arm in plan.arms if arm.pretrained), None)
    if backbone is None:
        return None
    model = FeatureExtraction(backbone, head="ridge", cache=plan.cache, device=plan.device)
    return out_of_fold(model, labelled, seed=plan.seeds[0])


def _threshold(plan: Plan, fits: Fits, model, truth, answers, wanted: float = 0.95) -> Threshold | None:  # noqa: PLR0917
    drawn = plan.task.draw(plan.budgets[fits.recommendation.fitted], plan.seeds[0])
    if drawn.validation is None or len(drawn.validation) < LEAST_VALIDATION:
        return None
    held = model.predict_proba(drawn.validation.without_labels())
    confidence = confidence_threshold(drawn.validation.labels, held, wanted)
    if confidence is None:
        return None
    sure = answers.max(1) >= confidence
    right = answers.argmax(1)[sure] == truth[sure]
    if not len(right):
        return None
    return Threshold(wanted, confidence, len(held), float(sure.mean()), float(right.mean()), len(truth))


def _explained(plan: Plan, model: SavedModel, truth: np.ndarray, answers: np.ndarray) -> Explained | None:
    try:
        stage = last_map(model.backbone)
    except UserError:
        return None
    said, confidence = answers.argmax(1), answers.max(1)
    rng = np.random.default_rng(plan.seeds[0])
    wrong = np.flatnonzero(said != truth)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][: _EXPLAINED // 2]
    right = rng.permutation(np.flatnonzero(said == truth))[: _EXPLAINED - len(wrong)]
    shown = np.concatenate([right, wrong])
    images = plan.task.test.images
    backbone = model.backbone.to(plan.device)
    maps = grad_cam(backbone, model.weight, images[shown], said[shown], stage=stage)
    checked = rng.permutation(len(images))[:_CHECKED]
    check = randomization_check(model.backbone, model.weight, images[checked], said[checked])
    return Explained(images[shown], truth[shown], said[shown], confidence[shown], maps, stage, check)


def measure(model: SavedModel, device: str, batch: int = 32) -> Size:
    """Parameters and weights of ``model``, and its time from uint8 pixels to probabilities on ``device``."""
    parameters = (
        sum(stage.parameters for stage in model.backbone.stages) + model.weight.size + model.bias.size
    )
    megabytes = (sum(t.nbytes for t in model.backbone.tensors().values()) + model.weight.nbytes) / 1e6
    images = np.zeros((batch, 3, model.image_size, model.image_size), np.uint8)
    alone, together = (_median_ms(model, images[:n], device) / n for n in (1, batch))
    return Size(parameters, megabytes, alone, together, batch)


def _median_ms(model: SavedModel, images: np.ndarray, device: str) -> float:
    times = []
    for _ in range(_TIMED):
        start = time.perf_counter()
        model.predict_proba(images, device)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times[_TIMED // 5 :]))
