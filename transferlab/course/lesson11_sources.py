"""Experiments of lesson 11 with several sources: one heap, or a model for each; with and without bad ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.decomposition import PCA

from transferlab import load_backbone
from transferlab.adaptation import CORAL, SourceEnsemble
from transferlab.course.compared import RightAnswers, compared, points
from transferlab.course.glyph_transfer import SIDE
from transferlab.data.bundled import load_bundled
from transferlab.evaluation import Comparison
from transferlab.training.inputs import reduced

GOOD, MISLABELLED, FAR = "four good sources", "one with wrong labels", "two inverted"
#: What the sources are like, in the order of the lesson.
CASES = (GOOD, MISLABELLED, FAR)
POOLED, EQUAL, WEIGHTED = "pooled", "equal weights", "weighted"
NAMES = ("first", "second", "third", "fourth")
#: Which of them are bad.
BAD = {GOOD: (), MISLABELLED: NAMES[-1:], FAR: NAMES[-2:]}
COMPONENTS = 48
_EACH, _TARGET = 200, 300  # samples


@dataclass(frozen=True, eq=False)
class Sources:
    """Four sources in one array, named by ``names``; the labels of the target's test are for scoring alone."""

    case: str
    source: np.ndarray
    labels: np.ndarray
    names: np.ndarray
    target: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray


@dataclass(frozen=True, eq=False)
class SourceTrial(RightAnswers):
    """``correct``: (case, arm) to right answers bool (S, N); ``weights``: case to one dict a seed, source to weight."""

    correct: Mapping[tuple[str, str], np.ndarray]
    weights: Mapping[str, list[dict[str, float]]]

    def compare(self, case: str, arm: str = WEIGHTED, other: str = POOLED) -> Comparison:
        """``arm`` less ``other`` with an interval over seeds and images."""
        return compared(self.correct, (case, arm), (case, other))

    def gain(self, case: str, arm: str = WEIGHTED, other: str = POOLED) -> list[float]:
        """The same difference in points, for each seed."""
        return points(self.correct[case, arm], self.correct[case, other])

    def weight_lost(self, case: str) -> list[float]:
        """By how many points the bad sources' weight in all lies below their share, for each seed."""
        share = len(BAD[case]) / len(NAMES)
        return [100 * (share - sum(w[name] for name in BAD[case])) for w in self.weights[case]]


@cache
def _features(name: str, part: str, backbone: str, inverted: bool = False) -> np.ndarray:
    images = getattr(load_bundled(name), part).images
    seen = images if name == "digits" else reduced(images, 8)  # as coarse as handwriting
    net = load_backbone(backbone).with_input_size(SIDE)
    return net.features(255 - seen if inverted else seen).astype(np.float64)


def sources(case: str, seed: int, backbone: str = "tiny") -> Sources:
    """Printed digits of four groups of fonts, and handwritten ones as the target without labels.

    In the case of wrong labels every digit of the last source is called by the next one's name.
    """
    rng = np.random.default_rng(seed)
    printed, written = load_bundled("printed-digits").development, load_bundled("digits")
    fonts = rng.permutation(np.unique(printed.groups))
    X, y, names = [], [], []
    for place, name in enumerate(NAMES):
        bad = name in BAD[case]
        mine = np.flatnonzero(np.isin(printed.groups, fonts[place :: len(NAMES)]))
        picks = rng.permutation(mine)[:_EACH]
        X.append(_features("printed-digits", "development", backbone, bad and case == FAR)[picks])
        y.append((printed.labels[picks] + (bad and case == MISLABELLED)) % 10)
        names += [name] * len(picks)
    target = _features("digits", "development", backbone)
    target = target[rng.permutation(len(target))[:_TARGET]]
    pca = PCA(COMPONENTS, svd_solver="covariance_eigh").fit(np.concatenate([*X, target]))
    source, target, test = (
        pca.transform(part) for part in (np.concatenate(X), target, _features("digits", "test", backbone))
    )
    return Sources(case, source, np.concatenate(y), np.array(names), target, test, written.test.labels)


def fitted(made: Sources) -> dict[str, CORAL | SourceEnsemble]:
    """All sources in one heap, and ensembles with equal and with found weights, without a target label."""
    arms = {POOLED: CORAL(), EQUAL: SourceEnsemble(CORAL(), sharpness=0), WEIGHTED: SourceEnsemble(CORAL())}
    for arm in arms.values():
        arm.fit(made.source, made.labels, made.target, source_domain=made.names)
    return arms


def source_trial(seeds: Sequence[int], cases: Sequence[str] = CASES, backbone: str = "tiny") -> SourceTrial:
    """Every arm in every case, with fonts and images of its own for each seed."""
    right: dict[tuple[str, str], list] = {}
    weights: dict[str, list] = {case: [] for case in cases}
    for case in cases:
        for seed in seeds:
            made = sources(case, seed, backbone)
            models = fitted(made)
            weights[case].append(models[WEIGHTED].weights_)
            for name, model in models.items():
                right.setdefault((case, name), []).append(model.predict(made.test) == made.test_labels)
    return SourceTrial({key: np.stack(rows) for key, rows in right.items()}, weights)
