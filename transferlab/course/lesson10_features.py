"""Experiments of lesson 10 on the features of a pretrained network: five pairs of domains, aligned and chosen among."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.decomposition import PCA

from transferlab import load_backbone
from transferlab.adaptation import (
    CORAL,
    DEFAULT_VALIDATOR,
    TCA,
    VALIDATORS,
    Diagnosis,
    FeatureAdapter,
    OptimalTransport,
    SourceOnly,
    diagnose,
    validator_scores,
)
from transferlab.course.dark_target import dark
from transferlab.course.glyph_transfer import SIDE
from transferlab.course.lesson10 import BY_MOMENTS, BY_PLAN, BY_PROJECTION, SOURCE
from transferlab.data.bundled import load_bundled
from transferlab.training.inputs import reduced

LETTERS, MATERIALS, WRITTEN, FONTS, SKEWED = (
    "letters, light to dark",
    "materials, colour to grey",
    "print to handwriting",
    "print, other fonts",
    "print, 3 digits common",
)
PAIRS = (LETTERS, MATERIALS, WRITTEN, FONTS, SKEWED)
COMMON = (1, 4, 7)  # digits that make up most of the target of SKEWED
_RARE = 1 / 12  # share of the other digits' images that stays there
COMPONENTS = 64
_SOURCE, _HELD, _TARGET = 600, 400, 500  # most samples of a draw
_CLASSES = 10  # of the letters: ten are enough, and quick


@dataclass(frozen=True, eq=False)
class Part:
    """Features (N, D) of a part of a domain, labels and groups (fonts, or None)."""

    features: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None = None

    def __getitem__(self, rows) -> Part:
        return Part(
            self.features[rows], self.labels[rows], None if self.groups is None else self.groups[rows]
        )


@dataclass(frozen=True, eq=False)
class Domains:
    """One draw of a pair, all in ``COMPONENTS`` principal components of source and target together.

    ``target.labels`` and ``test.labels`` are for pictures and for scoring; no method, choice or diagnosis sees them.
    """

    pair: str
    source: Part
    held: Part
    target: Part
    test: Part


@dataclass(frozen=True, eq=False)
class AlignTrial:
    """What every method reached on every pair, which of them were chosen, and what the diagnosis said beforehand.

    correct : (pair, method) to bool (S, N); groups : pair to (N,) or None
    scores : pair to a list, one a seed, of validator to method to score; diagnoses : pair to one a seed
    """

    correct: Mapping[tuple[str, str], np.ndarray]
    groups: Mapping[str, np.ndarray | None]
    scores: Mapping[str, list[dict[str, dict[str, float]]]]
    diagnoses: Mapping[str, list[Diagnosis]]


def methods() -> dict[str, FeatureAdapter]:
    """The methods, not fitted yet, as they come; standardized features and logistic regression on top of each."""
    return {
        SOURCE: SourceOnly(),
        BY_MOMENTS: CORAL(),
        BY_PLAN: OptimalTransport(),
        BY_PROJECTION: TCA(),
    }


@cache
def part(name: str, which: str, look: str = "", backbone: str = "tiny") -> Part:
    """Features of a bundled set's ``which`` part (``"development"`` or ``"test"``), its images changed by ``look``."""
    images = getattr(load_bundled(name), which)
    if name == "letters":
        images = images[images.labels < _CLASSES]
    seen = looked(images.images, look)
    features = load_backbone(backbone).with_input_size(SIDE).features(seen)
    return Part(features, images.labels, None if images.groups is None else np.asarray(images.groups))


def looked(images: np.ndarray, look: str) -> np.ndarray:
    """uint8 images as they are (``""``), dark on light and fainter (``"dark"``), or of 8 pixels (``"coarse"``)."""
    if look == "dark":
        return dark(images)
    return reduced(images, 8) if look == "coarse" else images  # as coarse as the handwritten digits


def _parts(pair: str, backbone: str) -> tuple[Part, Part, Part]:
    """All of the source, of the target, and of the target's test."""
    if pair == MATERIALS:
        names = (("materials-colour", "development"), ("materials", "development"), ("materials", "test"))
        return tuple(part(*name, "", backbone) for name in names)
    if pair == WRITTEN:
        names = (
            ("printed-digits", "development", "coarse"), ("digits", "development", ""), ("digits", "test", ""),
        )  # fmt: skip
        return tuple(part(*name, backbone) for name in names)
    name, look = ("letters", "dark") if pair == LETTERS else ("printed-digits", "")
    known, theirs = part(name, "development", "", backbone), part(name, "development", look, backbone)
    even = np.isin(known.groups, np.unique(known.groups)[::2])  # no font is in both domains
    test = part(name, "test", look, backbone)
    if pair == SKEWED:
        few = theirs[~even][_mostly_common(theirs.labels[~even])]
        return known[even], few, test[_mostly_common(test.labels)]
    return known[even], theirs[~even], test


def _mostly_common(labels: np.ndarray) -> np.ndarray:
    """Which stay where ``COMMON`` classes are most of a domain; the same ones for every seed."""
    return np.isin(labels, COMMON) | (np.random.default_rng(0).random(len(labels)) < _RARE)


def domains(pair: str, seed: int, backbone: str = "tiny") -> Domains:
    """A draw of source and target samples; the test is the same for every seed."""
    rng = np.random.default_rng(seed)
    source, target, test = _parts(pair, backbone)
    order = rng.permutation(len(source.labels))
    most = min(_SOURCE, int(0.7 * len(order)))
    known, held = source[order[:most]], source[order[most : most + _HELD]]
    drawn = target[rng.permutation(len(target.labels))[:_TARGET]]
    both = np.concatenate([known.features, drawn.features]).astype(np.float64)
    pca = PCA(min(COMPONENTS, *both.shape), svd_solver="covariance_eigh").fit(both)
    small = [
        Part(pca.transform(p.features.astype(np.float64)), p.labels, p.groups)
        for p in (known, held, drawn, test)
    ]
    return Domains(pair, *small)


def fitted(d: Domains) -> dict[str, FeatureAdapter]:
    """Every method, fitted without a target label."""
    return {
        name: m.fit(d.source.features, d.source.labels, d.target.features) for name, m in methods().items()
    }


def diagnosed(d: Domains, model: FeatureAdapter, seed: int = 0) -> Diagnosis:
    """What held-out source samples, the target's features and a source-only model's answers show of the shift."""
    return diagnose(
        d.held.features,
        d.target.features,
        y_source=d.held.labels,
        source_probabilities=model.predict_proba(d.held.features),
        target_probabilities=model.predict_proba(d.target.features),
        classes=model.classes_,
        permutations=199,
        seed=seed,
    )


def align_trial(
    seeds: Sequence[int], pairs: Sequence[str] = PAIRS, backbone: str = "tiny", validators=VALIDATORS
) -> AlignTrial:
    """Every method on every pair, a draw of samples for each seed; the test is scored last."""
    answers, truth, groups = {}, {}, {}
    scores = {pair: [] for pair in pairs}
    diagnoses = {pair: [] for pair in pairs}
    for pair in pairs:
        for seed in seeds:
            d = domains(pair, seed, backbone)
            models = fitted(d)
            diagnoses[pair].append(diagnosed(d, models[SOURCE], seed))
            scores[pair].append(
                validator_scores(
                    models,
                    X_target=d.target.features,
                    X_source_valid=d.held.features,
                    y_source_valid=d.held.labels,
                    X_source_train=d.source.features,
                    validators=validators,
                )
            )
            for name, model in models.items():
                answers.setdefault((pair, name), []).append(model.predict(d.test.features))
            truth[pair], groups[pair] = d.test.labels, d.test.groups
    correct = {(pair, name): np.stack(rows) == truth[pair] for (pair, name), rows in answers.items()}
    return AlignTrial(correct, groups, scores, diagnoses)


def chosen(trial: AlignTrial, pair: str, validator: str = DEFAULT_VALIDATOR) -> list[str]:
    """What a validator likes best, for each seed; no target label has a part in it."""
    return [max(s[validator], key=s[validator].get) for s in trial.scores[pair]]


def right_of_choice(trial: AlignTrial, pair: str, validator: str = DEFAULT_VALIDATOR) -> np.ndarray:
    """Right answers bool (S, N) of the method that was chosen with each seed."""
    names = chosen(trial, pair, validator)
    return np.stack([trial.correct[pair, name][i] for i, name in enumerate(names)])


def right_of_oracle(trial: AlignTrial, pair: str) -> np.ndarray:
    """The same of the method that is best on the test with each seed."""
    tables = {name: table for (of, name), table in trial.correct.items() if of == pair}
    seeds = range(len(trial.scores[pair]))
    return np.stack([max(tables.values(), key=lambda t, i=i: t[i].mean())[i] for i in seeds])


def warned_alone(diagnosis: Diagnosis) -> bool:
    """Whether it said that class shares changed, and saw nothing else."""
    return bool(diagnosis.proportions_changed and diagnosis.explained_by_label_shift)


def warnings_points(trial: AlignTrial, shifted: str = SKEWED) -> list[float]:
    """For each seed 100 if nothing but changed shares is reported of ``shifted``, less the mean of this elsewhere."""
    said = {pair: [100.0 * warned_alone(d) for d in found] for pair, found in trial.diagnoses.items()}
    others = [values for pair, values in said.items() if pair != shifted]
    return (np.array(said[shifted]) - np.mean(others, axis=0)).tolist()
