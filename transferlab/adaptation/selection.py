"""Choose among adapted models without one target label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transferlab.adaptation.default_validators import DEFAULT_VALIDATOR, ENSEMBLE
from transferlab.adaptation.model_answers import (
    common_classes,
    mapped_features,
    probabilities,
    sample_count,
    unlabelled,
)
from transferlab.adaptation.probabilities import label_codes
from transferlab.adaptation.validators import (
    VALIDATORS,
    ValidatorInput,
    check_validator,
    ensemble,
    validate,
)
from transferlab.errors import UserError


@dataclass(frozen=True)
class Selection:
    """What a validator chose; no target label had a part in it.

    chosen : name of the model with the largest score, the first of equals
    scores : name of each model to its score, in the order given
    validator : its name; tied : all models with that largest score
    n_target, n_source_valid : samples it was judged on, the latter 0 where none were given
    """

    chosen: str
    scores: Mapping[str, float]
    validator: str
    tied: tuple[str, ...]
    n_target: int
    n_source_valid: int

    @property
    def ranking(self) -> tuple[str, ...]:
        """All models, the best first."""
        return tuple(sorted(self.scores, key=lambda name: -self.scores[name]))


def select(
    models: Mapping[str, object],
    *,
    X_target,
    X_source_valid=None,
    y_source_valid=None,
    X_source_train=None,
    validator: str = DEFAULT_VALIDATOR,
) -> Selection:
    """The model that a label-free validator likes best.

    There is no argument for target labels, and a set that has some is stripped of them before any model sees it.

    Parameters
    ----------
    models : names to fitted models with ``classes_``, ``predict_proba`` and, where domains are mapped, ``transform``
    X_target : float (M, D), or an ``ImageSet``; target samples, those of the adaptation or others
    X_source_valid, y_source_valid : source samples that trained no model and their labels, for source validators
    X_source_train : source samples, others than these, for the domain classifier of weighted validators
    validator : one of ``VALIDATORS``

    Raises
    ------
    UserError
        when there are no models, one is not fitted or has other classes, the validator is unknown or lacks what it
        needs, samples hold NaN, or there is one target sample alone.

    Examples
    --------
    >>> import numpy as np
    >>> from transferlab.adaptation.base import SourceOnly
    >>> from transferlab.adaptation.coral import CORAL
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(200) % 2; X = rng.normal(size=(200, 2)) + 4 * y[:, None]
    >>> models = {m.__class__.__name__: m.fit(X, y, X * 3 + 20) for m in (SourceOnly(), CORAL())}
    >>> select(models, X_target=X * 3 + 20).chosen
    'CORAL'
    """
    found = validator_scores(
        models,
        X_target=X_target,
        X_source_valid=X_source_valid,
        y_source_valid=y_source_valid,
        X_source_train=X_source_train,
        validators=(validator,),
    )[validator]
    best = max(found.values())
    tied = tuple(name for name, score in found.items() if score == best)
    n_source = 0 if X_source_valid is None else len(X_source_valid)
    return Selection(tied[0], found, validator, tied, len(X_target), n_source)


def validator_scores(
    models: Mapping[str, object],
    *,
    X_target,
    X_source_valid=None,
    y_source_valid=None,
    X_source_train=None,
    validators: Sequence[str] = VALIDATORS,
) -> dict[str, dict[str, float]]:
    """Scores of every model by every validator named: validator to model to score. See :func:`select`.

    Each model answers once, however many validators look at it.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> models = {"constant": DummyClassifier().fit([[0], [1]], [0, 1])}
    >>> validator_scores(models, X_target=[[1.0], [2.0]], validators=("information-maximization",))
    {'information-maximization': {'constant': 0.0}}
    """
    if not validators:
        raise UserError(f"no validator is named; use one or more of {', '.join(VALIDATORS)}.")
    needed = _needed(validators)
    classes = common_classes(models)
    samples = _Samples(unlabelled(X_target), unlabelled(X_source_valid), unlabelled(X_source_train))
    samples.check(needed)
    codes = None
    if X_source_valid is not None:
        codes = label_codes(y_source_valid, len(X_source_valid), classes.tolist(), "held-out source")
    scores: dict[str, dict[str, float]] = {name: {} for name in needed}
    for model_name, model in models.items():
        given = _judged(model_name, model, samples, codes, needed)
        for name in needed:
            scores[name][model_name] = validate(name, given)
    if "ensemble" in validators:
        ranks = ensemble({name: list(scores[name].values()) for name in ENSEMBLE})
        scores["ensemble"] = dict(zip(models, ranks.tolist(), strict=True))
    return {name: scores[name] for name in validators}


@dataclass(frozen=True, eq=False)
class _Samples:
    target: object
    source_valid: object
    source_train: object

    def check(self, needed: Sequence[str]) -> None:
        if sample_count(self.target, "X_target") < 2:
            raise UserError(
                "X_target has one sample, and no validator can judge by one; give at least two, better a hundred."
            )
        for name in needed:
            validator = check_validator(name)
            lacking = [
                argument
                for argument, value, wanted in (
                    ("X_source_valid with y_source_valid", self.source_valid, validator.source),
                    ("X_source_train", self.source_train, validator.features),
                )
                if wanted and value is None
            ]
            if lacking:
                raise UserError(
                    f"the validator {name} needs {' and '.join(lacking)}; give it, or use information-maximization."
                )
        for name, X in (("X_source_valid", self.source_valid), ("X_source_train", self.source_train)):
            if X is not None:
                sample_count(X, name)


def _needed(validators: Sequence[str]) -> list[str]:
    """The validators that have to be computed: those named, and the members of the ensemble where it is."""
    for name in validators:
        check_validator(name)
    single = [name for name in validators if name != "ensemble"]
    return list(dict.fromkeys([*single, *(ENSEMBLE if "ensemble" in validators else ())]))


def _judged(name: str, model, samples: _Samples, codes, needed: Sequence[str]) -> ValidatorInput:
    source = any(check_validator(n).source for n in needed)
    features = any(check_validator(n).features for n in needed)
    try:
        given = {"target_probabilities": probabilities(model, samples.target, "target")}
        if source:
            given["source_probabilities"] = probabilities(model, samples.source_valid, "source")
            given["source_labels"] = codes
        if features:
            given["source_features"] = mapped_features(model, samples.source_valid, "source")
            given["source_train_features"] = mapped_features(model, samples.source_train, "source")
            given["target_features"] = mapped_features(model, samples.target, "target")
        return ValidatorInput(**given)
    except UserError as wrong:
        raise UserError(f"the model {name!r}: {wrong}") from None
