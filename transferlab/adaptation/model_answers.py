"""What fitted models answer on either domain, with everything that is wrong with them said in a sentence."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import numpy as np
from sklearn.exceptions import NotFittedError

from transferlab.adaptation.probabilities import probability_table
from transferlab.data.features import feature_table
from transferlab.errors import UserError


def probabilities(model, X, domain: str = "target") -> np.ndarray:
    """float64 (N, K): the answers of ``model`` on samples of ``domain``, columns in the order of its ``classes_``.

    A method that maps the domains differently has to be told which one samples come from; where ``predict_proba`` takes
    no ``domain``, as in scikit-learn, the model treats all samples alike.

    Parameters
    ----------
    X : what the model was fitted on: float (N, D), or an ``ImageSet``
    domain : ``"source"`` or ``"target"``

    Raises
    ------
    UserError
        when the model is not fitted or has no ``predict_proba``, or its answers are no probabilities.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier(strategy="prior").fit([[0], [1]], ["cat", "dog"])
    >>> probabilities(model, [[5]], "source").tolist()
    [[0.5, 0.5]]
    """
    if not hasattr(model, "predict_proba"):
        raise UserError(
            f"{type(model).__name__} has no predict_proba, and validators judge probabilities; choose a classifier "
            "that tells them."
        )
    if not getattr(model, "tells_probabilities", True):
        raise UserError(
            f"the classifier of {type(model).__name__} tells labels alone, which every validator would take for "
            "certainty; choose one with predict_proba, such as LogisticRegression."
        )
    told = _told(model.predict_proba, domain)
    if domain == "source" and not told and _told(getattr(model, "transform", None), domain):
        raise UserError(  # it would map source samples as if they were the target's
            f"{type(model).__name__} maps the domains differently, but its predict_proba takes no domain; add "
            'domain="target" to it, or use a validator that needs no source.'
        )
    try:
        answers = model.predict_proba(X, **told)
    except NotFittedError:
        raise UserError(f"{type(model).__name__} is not fitted; call fit first.") from None
    return probability_table(answers, f"{type(model).__name__}'s {domain}")


def mapped_features(model, X, domain: str) -> np.ndarray:
    """Features (N, d) where ``model`` compares domains: by its ``transform``, or ``X`` where it has none.

    Raises
    ------
    UserError
        when there is no ``transform`` and ``X`` holds no features but images.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> mapped_features(DummyClassifier(), [[5]], "source").tolist()
    [[5.0]]
    """
    if hasattr(model, "transform"):
        return feature_table(model.transform(X, **_told(model.transform, domain)), f"{domain} features")
    if hasattr(X, "images") or np.ndim(X) != 2:
        raise UserError(
            f"{type(model).__name__} has no transform, so that images have no features to weight by; use a validator "
            "without features, such as information-maximization."
        )
    return feature_table(X, f"{domain} features")


def unlabelled(X):
    """``X`` without labels, where it is a set that has some.

    Examples
    --------
    >>> unlabelled([[1.0]])
    [[1.0]]
    """
    return X.without_labels() if hasattr(X, "without_labels") else X


def common_classes(models: Mapping[str, object]) -> np.ndarray:
    """The classes (K,) of all models, which have to be the same in the same order.

    Raises
    ------
    UserError
        when there are no models, one is not fitted, or classes differ.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> common_classes({"a": DummyClassifier().fit([[0], [1]], ["cat", "dog"])}).tolist()
    ['cat', 'dog']
    """
    if not isinstance(models, Mapping):
        raise UserError("models is a mapping of names to fitted models, such as {'CORAL': CORAL().fit(...)}.")
    if not models:
        raise UserError("there are no models to choose from; give at least one, by name.")
    found: dict[str, np.ndarray] = {}
    for name, model in models.items():
        classes = getattr(model, "classes_", None)
        if classes is None:
            raise UserError(f"the model {name!r} is not fitted; fit it on the source and the target first.")
        found[name] = np.asarray(classes)
    first = next(iter(found))
    for name, classes in found.items():
        if not np.array_equal(classes, found[first]):
            raise UserError(
                f"the model {name!r} has the classes {_listed(classes)} and {first!r} has {_listed(found[first])}; "
                "fit all on the same classes in the same order."
            )
    return found[first]


def sample_count(X, name: str) -> int:
    """How many samples ``X`` holds; features are checked, UserError where there are none."""
    images = hasattr(X, "images") or getattr(X, "ndim", 2) == 4
    n = len(X) if images else len(feature_table(X, name))
    if not n:
        raise UserError(f"{name} has no samples; give at least one.")
    return n


def _told(method, domain: str) -> dict[str, str]:
    return (
        {"domain": domain} if method is not None and "domain" in inspect.signature(method).parameters else {}
    )


def _listed(classes: np.ndarray) -> str:
    shown = ", ".join(map(str, classes[:5].tolist()))
    return shown if len(classes) <= 5 else f"{shown}, … ({len(classes)})"
