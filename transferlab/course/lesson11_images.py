"""Experiments of lesson 11 on images: one network trained on print, adapted to handwriting in several ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.adaptation import DANN, SHOT, TENT, AdaBN, DeepSourceOnly, ImageAdapter, validator_scores
from transferlab.course.compared import RightAnswers, compared, points
from transferlab.course.glyph_transfer import untrained
from transferlab.data import ImageSet
from transferlab.data.bundled import load_bundled
from transferlab.evaluation import Comparison

SOURCE, STATISTICS, SMALL, FREE, GUARDED, CENTROIDS, ADVERSARIAL = (
    "source only",
    "AdaBN",
    "TENT, small steps",
    "TENT, large, no guard",
    "TENT, large, guarded",
    "SHOT",
    "DANN",
)
#: All methods in the order of the lesson; the first is trained, the others start from it.
METHODS = (SOURCE, STATISTICS, SMALL, FREE, GUARDED, CENTROIDS, ADVERSARIAL)
LARGE_STEPS = {"learning_rate": 0.3, "batch_size": 8}
ASKED = ("entropy", "information-maximization")  # validators of the lesson, neither of which sees a label
_SOURCE, _TARGET = 500, 300  # images of a draw


@dataclass(frozen=True, eq=False)
class ImageTrial(RightAnswers):
    """What every method reached.

    correct : method to right answers bool (S, N) on test images; commonest : method to the share of its most common
        answer there, one a seed
    scores : one a seed, of validator to method to score on the target's unlabelled images
    domain_accuracy : (S, epochs), how often DANN's domain classifier was right
    """

    correct: Mapping[str, np.ndarray]
    commonest: Mapping[str, list[float]]
    scores: list[Mapping[str, Mapping[str, float]]]
    domain_accuracy: np.ndarray

    def compare(self, method: str, other: str = SOURCE) -> Comparison:
        """``method`` less ``other`` with an interval over seeds and images."""
        return compared(self.correct, method, other)

    def gain(self, method: str, other: str = SOURCE) -> list[float]:
        """The same difference in points, for each seed."""
        return points(self.correct[method], self.correct[other])

    def preferred(self, validator: str, method: str, other: str) -> list[float]:
        """100 for each seed on which ``validator`` likes ``method`` better, -100 where it likes ``other`` better."""
        return [100.0 * np.sign(s[validator][method] - s[validator][other]) for s in self.scores]


def methods(seed: int, device: str = "auto", quick: bool = False) -> dict[str, ImageAdapter]:
    """The methods, not fitted yet, on a small network that has never seen an image; ``quick`` halves most epochs."""
    common = {
        "resolution": 8, "batch_size": 32, "learning_rate": 2e-3, "source_epochs": 6 if quick else 10,
        "random_state": seed, "device": device,
    }  # fmt: skip
    net = untrained(seed)
    return {
        SOURCE: DeepSourceOnly(net, **common),
        STATISTICS: AdaBN(net, **common),
        SMALL: TENT(net, guard=False, **common | {"epochs": 5}),
        FREE: TENT(net, guard=False, **common | LARGE_STEPS | {"epochs": 3 if quick else 6}),
        GUARDED: TENT(net, **common | LARGE_STEPS | {"epochs": 3 if quick else 6}),
        CENTROIDS: SHOT(net, rounds=1 if quick else 2, **common | {"epochs": 4}),
        ADVERSARIAL: DANN(net, **common | {"epochs": 5 if quick else 10}),
    }


def images(seed: int) -> tuple[ImageSet, ImageSet]:
    """A draw of printed digits, with labels, and one of handwritten ones, without."""
    rng = np.random.default_rng(seed)
    print_, written = (load_bundled(name).development for name in ("printed-digits", "digits"))
    source, target = (
        part[rng.permutation(len(part))[:n]] for part, n in ((print_, _SOURCE), (written, _TARGET))
    )
    return source, target.without_labels()


def fitted(
    seed: int, names: Sequence[str] = METHODS, device: str = "auto", quick: bool = False
) -> dict[str, ImageAdapter]:
    """Every method on one draw; the source is trained on once, and no target label is seen."""
    source, target = images(seed)
    models: dict[str, ImageAdapter] = {}
    for name, method in methods(seed, device, quick).items():
        if name in (SOURCE, *names):
            models[name] = method.fit(source, None, target, start=models.get(SOURCE))
    return models


def image_trial(seeds: Sequence[int], device: str = "auto", quick: bool = False) -> ImageTrial:
    """Every method with images and first weights of its own for each seed; the test is scored last."""
    test = load_bundled("digits").test
    right: dict[str, list] = {name: [] for name in METHODS}
    commonest: dict[str, list] = {name: [] for name in METHODS}
    scores, told = [], []
    for seed in seeds:
        models = fitted(seed, device=device, quick=quick)
        found = validator_scores(models, X_target=images(seed)[1], validators=ASKED)
        scores.append(found)
        told.append(models[ADVERSARIAL].domain_accuracy_)
        for name, model in models.items():
            answers = model.predict(test)
            right[name].append(answers == test.labels)
            commonest[name].append(float(np.bincount(answers).max() / len(answers)))
    return ImageTrial({n: np.stack(rows) for n, rows in right.items()}, commonest, scores, np.array(told))
