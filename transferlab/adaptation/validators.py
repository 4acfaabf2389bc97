"""Label-free validators: how good a model may be on the target, judged without one target label.

Each takes a :class:`ValidatorInput` and returns a score, larger is better. Scores compare models on one pair of
domains; between pairs, or between validators, they mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from transferlab.adaptation.domain_classifier import drawn, importance_weights
from transferlab.adaptation.probabilities import label_codes, probability_table
from transferlab.data.features import feature_table
from transferlab.errors import UserError

TEMPERATURE = 0.05  # of soft neighbourhood density, as in its paper
MOST_NEIGHBOURS = 10_000  # target samples for it
_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class ValidatorInput:
    """What one model says of held-out source and target samples. There is no place for target labels.

    target_probabilities : float (M, K); all that the validators of the target need
    source_probabilities : float (n, K), on held-out source samples; source_labels : (n,), 0 to K - 1, of the same
    source_features : float (n, D), of the same, in the space in which the model compares domains
    source_train_features, target_features : float (N, D), (M, D), in that space, of source samples that are not those
        above and of the target; they train the domain classifier

    Raises
    ------
    UserError
        when a table is no table of probabilities or features, or sizes do not fit; or where there is one target sample.

    Examples
    --------
    >>> ValidatorInput([[1.0, 0.0], [0.0, 1.0]]).target_probabilities.shape
    (2, 2)
    """

    target_probabilities: np.ndarray
    source_probabilities: np.ndarray | None = None
    source_labels: np.ndarray | None = None
    source_features: np.ndarray | None = None
    source_train_features: np.ndarray | None = None
    target_features: np.ndarray | None = None

    def __post_init__(self):
        target = probability_table(self.target_probabilities, "target")
        if len(target) < 2:
            raise UserError(
                "there is one target sample, and no validator can judge by one; give at least two, better a hundred."
            )
        found = {"target_probabilities": target}
        if (self.source_probabilities is None) != (self.source_labels is None):
            raise UserError("source_probabilities and source_labels belong together; give both, or neither.")
        if self.source_probabilities is not None:
            source = probability_table(self.source_probabilities, "source", target.shape[1])
            found["source_probabilities"] = source
            found["source_labels"] = label_codes(self.source_labels, len(source), target.shape[1])
        found |= self._features(len(target), len(found.get("source_probabilities", ())))
        for name, value in found.items():
            object.__setattr__(self, name, value)

    def _features(self, m: int, n: int) -> dict[str, np.ndarray]:
        found, wanted = {}, {"source_features": n, "target_features": m}
        for name in ("source_features", "source_train_features", "target_features"):
            if getattr(self, name) is not None:
                found[name] = feature_table(getattr(self, name), name)
                if len(found[name]) != wanted.get(name, len(found[name])):
                    raise UserError(
                        f"{name} has {len(found[name])} rows for {wanted[name]} rows of probabilities; give both of "
                        "the same samples."
                    )
        if len({table.shape[1] for table in found.values()}) > 1:
            raise UserError(
                "source and target features differ in number; extract both with the same backbone."
            )
        return found


def source_risk(given: ValidatorInput) -> float:
    """Accuracy on held-out source samples: blind to the target, and an upper bound more often than a guide.

    Examples
    --------
    >>> source_risk(ValidatorInput(np.eye(2), np.eye(2), [0, 0]))
    0.5
    """
    return float(_right(given).mean())


def importance_weighted(given: ValidatorInput) -> float:
    """Accuracy on the held-out source, samples weighted by p_target(x) / p_source(x) (Sugiyama et al. 2007).

    It estimates the target's accuracy under covariate shift where the domains overlap. Weights come from a domain
    classifier, are cut at 20 and sum to one.
    """
    weights = _weights(given)
    return float(weights @ _right(given) / weights.sum()) if weights.sum() else float(_right(given).mean())


def deep_embedded_validation(given: ValidatorInput) -> float:
    """The negative importance-weighted error with the weights as control variate (DEV; You et al. 2019).

    With weights w and errors e of the held-out source: -(mean(w e) + η mean(w) - η), η = -cov(w e, w) / var(w).
    """
    return -controlled_risk(_weights(given), 1 - _right(given))


def entropy(given: ValidatorInput) -> float:
    """The negative mean entropy of target predictions (Morerio et al. 2018). One class for all looks perfect to it.

    Examples
    --------
    >>> round(entropy(ValidatorInput(np.full((4, 2), 0.5))), 3)
    -0.693
    """
    return -float(_entropies(given.target_probabilities).mean())


def information_maximization(given: ValidatorInput) -> float:
    """Entropy of the mean target prediction less the mean entropy (Shi and Sha 2012): sure answers, all classes.

    Between 0, for a collapsed model, and log K. It prefers equal class proportions, whatever the true ones are.

    Examples
    --------
    >>> one, each = np.eye(2)[[0, 0]], np.eye(2)
    >>> [round(information_maximization(ValidatorInput(p)), 3) + 0.0 for p in (one, each)]
    [0.0, 0.693]
    """
    p = given.target_probabilities
    return float(_entropies(p.mean(0, keepdims=True))[0] - _entropies(p).mean())


def soft_neighbourhood_density(given: ValidatorInput) -> float:
    """Mean entropy of each target sample's similarities to the others (SND; Saito et al. 2021): dense clusters.

    Similarities are cosines of predicted probabilities through a softmax at temperature 0.05. One class for all is as
    dense as can be, so beside a model that may have collapsed look at another validator as well. Computed in blocks;
    of more than 10,000 samples, so many are drawn.

    Examples
    --------
    >>> round(soft_neighbourhood_density(ValidatorInput(np.eye(2)[[0, 0, 0, 1, 1, 1]])), 3)  # log 2
    0.693
    """
    p = drawn(given.target_probabilities, MOST_NEIGHBOURS, np.random.default_rng(0))
    unit = p / np.linalg.norm(p, axis=1, keepdims=True)
    total = 0.0
    for start in range(0, len(unit), _BLOCK):
        rows = unit[start : start + _BLOCK]
        scaled = (rows @ unit.T - 1) / TEMPERATURE  # at most 0, so that nothing overflows
        weights = np.exp(scaled)
        itself = np.arange(len(rows)), np.arange(start, start + len(rows))
        weights[itself] = 0
        sums = weights.sum(1)
        total += float((np.log(sums) - (weights * scaled).sum(1) / sums).sum())
    return total / len(unit)


def nuclear_norm(given: ValidatorInput) -> float:
    """Nuclear norm of the target's table of probabilities (BNM; Cui et al. 2020): sure answers, many classes.

    Divided by its largest value √(M min(M, K)), so that 1 stands for one-hot answers in equal shares.

    Examples
    --------
    >>> one, each = np.eye(2)[[0, 0]], np.eye(2)
    >>> [round(nuclear_norm(ValidatorInput(p)), 3) for p in (one, each)]
    [0.707, 1.0]
    """
    p = given.target_probabilities
    singular = np.sqrt(np.maximum(np.linalg.eigvalsh(p.T @ p), 0))  # K x K, however many samples
    return float(singular.sum() / np.sqrt(len(p) * min(p.shape)))


def ensemble(scores: Mapping[str, Sequence[float]]) -> np.ndarray:
    """Mean rank of each model over several validators, float (models,); the best of n has rank n, ties share.

    Parameters
    ----------
    scores : validator to its scores, models in one order

    Examples
    --------
    >>> ensemble({"entropy": [1.0, 2.0, 3.0], "source-risk": [0.5, 0.5, 0.1]}).tolist()
    [1.75, 2.25, 2.0]
    """
    return np.mean([rankdata(values) for values in scores.values()], axis=0)


def controlled_risk(weights: np.ndarray, losses: np.ndarray) -> float:
    """mean(w l) + η mean(w) - η with η = -cov(w l, w) / var(w): the risk of least variance, as E w = 1.

    Examples
    --------
    >>> controlled_risk(np.ones(4), np.array([0.0, 0, 0, 1]))
    0.25
    """
    weighted = weights * losses
    variance = weights.var()
    eta = (
        0.0
        if variance == 0
        else -np.mean((weighted - weighted.mean()) * (weights - weights.mean())) / variance
    )
    return float(weighted.mean() + eta * weights.mean() - eta)


@dataclass(frozen=True)
class Validator:
    """A function of a :class:`ValidatorInput`, and what it needs beside the target's probabilities."""

    score: Callable[[ValidatorInput], float]
    source: bool = False
    features: bool = False


#: Every validator that judges one model by itself.
SINGLE = {
    "source-risk": Validator(source_risk, source=True),
    "importance-weighted": Validator(importance_weighted, source=True, features=True),
    "dev": Validator(deep_embedded_validation, source=True, features=True),
    "entropy": Validator(entropy),
    "information-maximization": Validator(information_maximization),
    "soft-neighbourhood-density": Validator(soft_neighbourhood_density),
    "nuclear-norm": Validator(nuclear_norm),
}
#: Names of all validators.
VALIDATORS = (*SINGLE, "ensemble")


def validate(name: str, given: ValidatorInput) -> float:
    """The score of one model by the validator ``name``, larger is better.

    Raises
    ------
    UserError
        when the name is unknown, or the input lacks what the validator needs.

    Examples
    --------
    >>> validate("nuclear-norm", ValidatorInput(np.eye(2)))
    1.0
    """
    if name == "ensemble":
        raise UserError(
            "the ensemble ranks several models; call select or validator_scores with all of them."
        )
    return check_validator(name).score(given)


def check_validator(name: str) -> Validator | None:
    """The validator called ``name``, None for the ensemble; UserError with the list where there is none."""
    if name not in VALIDATORS:
        raise UserError(f"the validator {name!r} is not known; use one of {', '.join(VALIDATORS)}.")
    return SINGLE.get(name)


def _right(given: ValidatorInput) -> np.ndarray:
    if given.source_probabilities is None:
        raise UserError(
            "this validator needs the model's answers on held-out source samples and their labels; give them, or use "
            "information-maximization."
        )
    return (given.source_probabilities.argmax(1) == given.source_labels).astype(float)


def _weights(given: ValidatorInput) -> np.ndarray:
    tables = (given.source_features, given.source_train_features, given.target_features)
    if any(table is None for table in tables):
        raise UserError(
            "this validator needs features of held-out source, source training and target samples; give all three, or "
            "use information-maximization."
        )
    return importance_weights(*tables)


def _entropies(p: np.ndarray) -> np.ndarray:
    return -(p * np.log(np.maximum(p, 1e-12))).sum(1)
