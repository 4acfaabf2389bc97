"""Several sources: one model a source, weighted by how far and how good each source is."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from transferlab.adaptation.base import FeatureAdapter, default_classifier
from transferlab.adaptation.domain_distance import FEWEST, proxy_a_distance
from transferlab.adaptation.domains import (
    domain_labels,
    domain_names,
    several_sources,
    true_labels,
    two_domains,
)
from transferlab.adaptation.image_domains import pictures, source_images
from transferlab.backbones import load_backbone
from transferlab.errors import UserError
from transferlab.training.boundary_cache import shared_cache
from transferlab.training.inputs import reduced


class SourceEnsemble(ClassifierMixin, BaseEstimator):
    """A model for each source, adapted to the target; their answers are averaged by weight.

    A source weighs more the nearer it is to the target (by the proxy A-distance) and the better its labels are
    learned: by itself in cross-validation, and, from three sources on, by models of the others (the median of them).
    So neither a far source nor one whose labels are wrong, even consistently, sinks the result. With two sources
    nobody can say which of two contradicting ones is wrong.

    For all sources in one heap ("pooled"), fit the method itself: it does not look at ``source_domain``.

    Parameters
    ----------
    method : an unfitted method of :mod:`transferlab.adaptation`, on features or on images
    sharpness : how strongly distance and quality count; 0 weighs all sources alike

    Attributes: ``models_`` (dict of source to fitted method), ``weights_`` (dict, sum 1), ``distances_`` (dict,
    proxy A-distance to the target, 0 to 2), ``qualities_`` (dict, 0 to 1).

    Examples
    --------
    >>> from transferlab.adaptation import CORAL
    >>> rng = np.random.default_rng(0); y = np.arange(120) % 2
    >>> X = rng.normal(size=(120, 3)) + 4 * y[:, None]; names = np.repeat(["a", "b", "c"], 40)
    >>> wrong = np.where(names == "c", 1 - y, y)
    >>> model = SourceEnsemble(CORAL()).fit(X, wrong, X + 0.5, source_domain=names)
    >>> model.weights_["c"] < 0.05, (model.predict(X + 0.5) == y).mean() > 0.95
    (True, np.True_)
    """

    def __init__(self, method, *, sharpness: float = 4.0):
        self.method = method
        self.sharpness = sharpness

    def fit(
        self,
        X_source,
        y_source=None,
        X_target=None,
        *,
        source_domain=None,
        X_target_labelled=None,
        y_target_labelled=None,
    ):
        """Fit one model a source; see the method's own ``fit``. ``source_domain`` (N,) names each sample's source."""
        labels, names, parts = self._checked(X_source, y_source, X_target, source_domain)
        self.classes_ = (
            np.arange(len(X_source.classes)) if hasattr(X_source, "classes") else np.unique(labels)
        )
        given = X_source if hasattr(X_source, "images") else np.asarray(X_source)
        self.models_ = {}
        for name, picks in parts.items():
            fitted = clone(self.method).fit(
                given[picks],
                labels[picks],
                X_target,
                X_target_labelled=X_target_labelled,
                y_target_labelled=y_target_labelled,
            )
            self.models_[name] = fitted
        features = {name: self._features(given[picks]) for name, picks in parts.items()}
        target = self._features(X_target)
        known = {name: labels[picks] for name, picks in parts.items()}
        self.distances_ = {name: steady_distance(features[name], target) for name in names}
        self.qualities_ = source_qualities(features, known)
        scores = np.array([self.qualities_[n] * (1 - self.distances_[n] / 2) for n in names])
        powers = np.maximum(scores, 1e-3) ** self.sharpness
        self.weights_ = dict(zip(names, (powers / powers.sum()).tolist(), strict=True))
        return self

    def predict(self, X) -> np.ndarray:
        """Labels (N,) of target samples, new ones too."""
        answers = self.predict_proba(X)
        return self.classes_[answers.argmax(1)]

    def predict_proba(self, X, domain: str = "target") -> np.ndarray:
        """float (N, K), the weighted mean over sources; columns in the order of ``classes_``."""
        if not hasattr(self, "models_"):
            raise NotFittedError("this SourceEnsemble is not fitted yet; call fit first.")
        total = 0.0
        for name, model in self.models_.items():
            answers = model.predict_proba(X, domain)
            spread = np.zeros((len(answers), len(self.classes_)))
            spread[:, np.searchsorted(self.classes_, model.classes_)] = answers
            total = total + self.weights_[name] * spread
        return total

    def score(self, X, y=None) -> float:
        """Accuracy, a fraction."""
        return float((self.predict(X) == true_labels(X, y, self.classes_)).mean())

    def _checked(self, X_source, y_source, X_target, source_domain) -> tuple[np.ndarray, list, dict]:
        """Labels, names of the sources and positions of each one's samples."""
        if isinstance(self.method, FeatureAdapter):
            two_domains(X_source, X_target)
            labels = domain_labels(len(X_source), y_source)
        else:
            classes, images = source_images(X_source, y_source)
            pictures(X_target, "X_target")
            labels = classes[images.codes]
        of_sample = domain_names(source_domain, len(labels))
        names = several_sources(of_sample, "fit the method itself")
        parts = {name: np.flatnonzero(of_sample == name) for name in names}
        for name, picks in parts.items():
            if len(picks) < FEWEST:
                raise UserError(
                    f"source {name!r} has {len(picks)} samples; give at least {FEWEST} of each source."
                )
            if len(np.unique(labels[picks])) < 2:
                raise UserError(f"source {name!r} has one class alone; each source needs two or more.")
        return labels, names, parts

    def _features(self, X) -> np.ndarray:
        """What distances and qualities are measured on: the features, or those of the frozen backbone."""
        if isinstance(self.method, FeatureAdapter):
            return np.asarray(X, np.float64)
        backbone = load_backbone(self.method.backbone)
        images = reduced(getattr(X, "images", X), self.method.resolution)
        return shared_cache().features(backbone, images, device=self.method.device).astype(np.float64)


def steady_distance(source: np.ndarray, target: np.ndarray, splits: int = 5) -> float:
    """Proxy A-distance (see :func:`~transferlab.adaptation.domain_distance.proxy_a_distance`), the mean over random
    halves, cut to 0 … 2: of one split of a small source it is too noisy to weigh by."""
    found = [proxy_a_distance(source, target, seed=seed).estimate for seed in range(splits)]
    return float(np.clip(np.mean(found), 0, 2))


def source_qualities(features: dict, labels: dict, seed: int = 0) -> dict:
    """How well each source's labels are learned, above chance, 0 to 1: by itself, times by the others if there are two.

    Parameters
    ----------
    features, labels : source to float (N, D), and to labels (N,)
    """
    probes = {name: default_classifier().fit(X, labels[name]) for name, X in features.items()}
    qualities = {}
    for name, X in features.items():
        y = labels[name]
        own = _above_chance(_held_out_accuracy(X, y, seed), y)
        others = [_above_chance(probe.score(X, y), y) for other, probe in probes.items() if other != name]
        qualities[name] = own * float(np.median(others)) if len(others) > 1 else own
    return qualities


def _held_out_accuracy(X: np.ndarray, y: np.ndarray, seed: int, folds: int = 3) -> float:
    least = int(np.unique(y, return_counts=True)[1].min())
    if least < 2:
        return 1 / len(np.unique(y))
    split = StratifiedKFold(min(folds, least), shuffle=True, random_state=seed)
    return float((cross_val_predict(default_classifier(), X, y, cv=split) == y).mean())


def _above_chance(accuracy: float, y: np.ndarray) -> float:
    chance = float(np.unique(y, return_counts=True)[1].max() / len(y))
    return max(0.0, (accuracy - chance) / max(1 - chance, 1e-9))
