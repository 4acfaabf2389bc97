"""Choosing without target labels: what goes in, what never does, and what the oracle shows afterwards."""

import inspect

import numpy as np
import pytest
from scipy.special import expit
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from transferlab.adaptation.base import SourceOnly
from transferlab.adaptation.coral import CORAL
from transferlab.adaptation.model_answers import mapped_features, probabilities
from transferlab.adaptation.oracle import oracle_gap
from transferlab.adaptation.selection import DEFAULT_VALIDATOR, Selection, select, validator_scores
from transferlab.adaptation.validators import VALIDATORS, ValidatorInput, validate
from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.evaluation import wilson


def pair(seed=0, n=300):
    """Two classes; the target is stretched and moved, so that the source's border is far off."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    source, valid, target = (rng.normal(size=(n, 2)) + 4 * y[:, None] for _ in range(3))
    return source, valid, target * 3 + 20, y


class Shifted:
    """A model that knows which domain it is asked about: right on the source, moved by ``offset`` on the target."""

    classes_ = np.array([0, 1])

    def __init__(self, offset=0.0):
        self.offset = offset

    def transform(self, X, domain="target"):
        return np.asarray(X) - (self.offset if domain == "target" else 0)

    def predict_proba(self, X, domain="target"):
        p = expit(4 * (self.transform(X, domain)[:, 0] - 2))
        return np.stack([1 - p, p], 1)


class Watching:
    """A model of images that keeps what it was shown."""

    classes_ = np.array([0, 1])

    def __init__(self):
        self.seen = []

    def predict_proba(self, X, domain="target"):
        self.seen.append(X)
        p = np.clip(X.images.mean((1, 2, 3)) / 255, 0, 1)
        return np.stack([1 - p, p], 1)


def samples(X, valid, target, y):
    return {"X_target": target, "X_source_valid": valid, "y_source_valid": y, "X_source_train": X}


def shifted_pair():
    X, valid, _, y = pair()
    return {"off": Shifted(0.0), "right": Shifted(30.0)}, samples(X, valid, pair(1)[0] + 30, y)


def test_the_adapted_model_is_chosen():
    X, _, target, y = pair()
    models = {"source-only": SourceOnly().fit(X, y, target), "CORAL": CORAL().fit(X, y, target)}
    found = select(models, X_target=target)
    assert found.chosen == "CORAL" == found.ranking[0] and found.validator == DEFAULT_VALIDATOR
    assert found.tied == ("CORAL",) and (found.n_target, found.n_source_valid) == (300, 0)
    seen = oracle_gap(found, models, target, y)
    assert seen.oracle == "CORAL" and seen.gap == 0 and seen.accuracies["CORAL"].estimate > 0.9
    assert seen.accuracies["source-only"].estimate < 0.7


def test_every_validator_scores_as_if_called_by_itself():
    models, given = shifted_pair()
    found = validator_scores(models, **given)
    assert tuple(found) == VALIDATORS and all(tuple(of) == ("off", "right") for of in found.values())
    by_hand = ValidatorInput(
        models["right"].predict_proba(given["X_target"]),
        models["right"].predict_proba(given["X_source_valid"], "source"),
        given["y_source_valid"],
        given["X_source_valid"],
        given["X_source_train"],
        given["X_target"] - 30,
    )
    for name in VALIDATORS[:-1]:
        assert found[name]["right"] == pytest.approx(validate(name, by_hand))
    for name in VALIDATORS:
        assert select(models, validator=name, **given).scores == found[name]


def test_the_source_is_asked_about_as_source():
    """Mapped as if it were the target, the source would be all one class: half right."""
    models, given = shifted_pair()
    assert validator_scores(models, validators=["source-risk"], **given)["source-risk"]["right"] > 0.9
    X = given["X_source_valid"]
    assert (models["right"].predict_proba(X).argmax(1) == given["y_source_valid"]).mean() < 0.6


def test_a_method_that_cannot_tell_domains_is_refused_on_the_source():
    class Deaf(Shifted):
        def predict_proba(self, X):
            return Shifted.predict_proba(self, X)

    with pytest.raises(UserError, match="predict_proba takes no domain"):
        probabilities(Deaf(), np.zeros((3, 2)), "source")
    assert probabilities(Deaf(), np.zeros((3, 2)), "target").shape == (3, 2)


def test_an_adapter_maps_the_source_as_source():
    X, valid, target, y = pair()
    model = CORAL().fit(X, y, target)
    found = probabilities(model, valid, "source")
    np.testing.assert_allclose(
        found, model.classifier_.predict_proba(model.transform(valid, domain="source"))
    )
    assert (found.argmax(1) == y).mean() > 0.9
    np.testing.assert_allclose(mapped_features(model, valid, "source"), model.transform(valid, "source"))


def test_scikit_learns_classifiers_may_take_part():
    X, valid, target, y = pair()
    models = {"plain": LogisticRegression().fit(X, y)}
    found = validator_scores(models, **samples(X, valid, target, y))
    assert all(np.isfinite(of["plain"]) for of in found.values())


def test_the_first_of_equals_is_chosen_and_ties_are_told():
    X, _, target, y = pair()
    models = {name: DummyClassifier().fit(X, y) for name in ("b", "a")}
    found = select(models, X_target=target)
    assert found.chosen == "b" and found.tied == ("b", "a")


# --- no label gets in


def test_no_argument_takes_target_labels():
    for function in (select, validator_scores):
        names = set(inspect.signature(function).parameters)
        assert names <= {
            "models",
            "X_target",
            "X_source_valid",
            "y_source_valid",
            "X_source_train",
            "validator",
            "validators",
        }
        with pytest.raises(TypeError):
            function({}, X_target=None, y_target=[0, 1])


def test_labels_of_image_sets_do_not_reach_a_model():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (20, 1, 4, 4)).astype(np.uint8)
    labelled = ImageSet(images, np.arange(20) % 2, ("cat", "dog"), paths=tuple(f"cat/{i}" for i in range(20)))
    model = Watching()
    given = {"X_source_valid": labelled, "y_source_valid": labelled.labels, "X_source_train": labelled}
    chosen = select({"a": model}, X_target=labelled, validator="source-risk", **given)
    seen = oracle_gap(chosen, {"a": model}, labelled, labelled.labels)
    assert len(model.seen) == 3 and all(X.labels is None and X.paths is None for X in model.seen)
    assert labelled.labels is not None and seen.n == 20


def test_target_labels_change_no_choice():
    """The same images with other labels: the same scores to the last digit."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (20, 1, 4, 4)).astype(np.uint8)
    sets = [ImageSet(images, np.full(20, label), ("cat", "dog")) for label in (0, 1)]
    first, second = (select({"a": Watching()}, X_target=s) for s in sets)
    assert first == second


# --- the oracle


def test_the_gap_is_the_best_less_the_chosen():
    X, _, _, y = pair()
    wrong, right = Shifted(1e9), Shifted(0.0)
    choice = Selection("wrong", {"wrong": 1.0, "right": 0.0}, "entropy", ("wrong",), 300, 0)
    found = oracle_gap(choice, {"wrong": wrong, "right": right}, X, y)
    hits = int((right.predict_proba(X).argmax(1) == y).sum())
    assert found.oracle == "right" and found.gap == pytest.approx(hits / 300 - 0.5)
    assert found.low < found.gap < found.high and found.low > 0.3
    assert found.accuracies["right"] == wilson(hits, 300)


def test_the_chosen_is_its_own_oracle_where_it_ties():
    X, _, _, y = pair()
    models = {"a": Shifted(), "b": Shifted()}
    choice = Selection("b", {"a": 0.0, "b": 1.0}, "entropy", ("b",), 300, 0)
    found = oracle_gap(choice, models, X, y)
    assert found.oracle == "b" and found.gap == found.low == 0 < found.high < 0.02


def test_groups_widen_the_interval():
    X, _, _, y = pair()
    models = {"wrong": Shifted(2.0), "right": Shifted()}
    choice = Selection("wrong", {"wrong": 1.0, "right": 0.0}, "entropy", ("wrong",), 300, 0)
    order = np.argsort(X[:, 0])
    apart = oracle_gap(choice, models, X[order], y[order])
    together = oracle_gap(choice, models, X[order], y[order], groups=np.arange(300) // 30)
    assert together.gap == apart.gap and together.high - together.low > 1.5 * (apart.high - apart.low)


# --- bad input


def fitted(classes=(0, 1)):
    X, _, _, y = pair()
    return LogisticRegression().fit(X, np.array(classes)[y])


@pytest.mark.parametrize(
    "models, says",
    [
        ({}, "no models to choose from"),
        ([fitted()], "mapping of names"),
        ({"new": SourceOnly()}, "'new' is not fitted"),
        ({"a": fitted(), "b": fitted((0, 7))}, "'b' has the classes 0, 7 and 'a' has 0, 1"),
        ({"svm": LinearSVC().fit(*pair()[::3])}, "'svm': LinearSVC has no predict_proba"),
    ],
)
def test_models_that_cannot_be_compared(models, says):
    with pytest.raises(UserError, match=says):
        select(models, X_target=pair()[2])


def test_classes_in_another_order_are_other_classes():
    turned = Shifted()
    turned.classes_ = np.array([1, 0])
    with pytest.raises(UserError, match="same order"):
        select({"a": Shifted(), "b": turned}, X_target=pair()[2])


@pytest.mark.parametrize(
    "change, says",
    [
        ({"validator": "accuracy"}, "'accuracy' is not known; use one of source-risk"),
        ({"X_target": [[0.0, 1.0]]}, "X_target has one sample"),
        ({"X_target": np.zeros((0, 2))}, "X_target has no samples"),
        ({"X_target": [[0.0, np.nan], [0, 0]]}, "X_target holds NaN"),
        ({"X_source_valid": np.full((300, 2), np.nan)}, "X_source_valid holds NaN"),
        ({"y_source_valid": None}, "held-out source labels are missing"),
        ({"y_source_valid": np.full(300, 5)}, "label 5 is none of the 2 classes"),
        ({"y_source_valid": [0, 1]}, "one a sample"),
        ({"X_source_valid": None, "validator": "source-risk"}, "source-risk needs X_source_valid"),
        ({"X_source_train": None, "validator": "dev"}, "dev needs X_source_train"),
        ({"X_source_valid": None, "validator": "ensemble"}, "source-risk needs X_source_valid"),
    ],
)
def test_select_says_what_is_wrong(change, says):
    X, valid, target, y = pair()
    with pytest.raises(UserError, match=says):
        select({"a": Shifted()}, **(samples(X, valid, target, y) | change))


def test_no_validator_is_no_score():
    with pytest.raises(UserError, match="no validator is named"):
        validator_scores({"a": Shifted()}, X_target=pair()[2], validators=())


def test_answers_that_are_no_probabilities_name_the_model():
    class Broken(Shifted):
        def predict_proba(self, X, domain="target"):
            return np.full((len(X), 2), np.nan)

    with pytest.raises(UserError, match=r"the model 'bad'.*NaN"):
        select({"fine": Shifted(), "bad": Broken()}, X_target=pair()[2])


def test_images_without_features_cannot_be_weighted():
    images = ImageSet(np.zeros((9, 1, 2, 2), np.uint8), np.arange(9) % 2, ("cat", "dog"))
    given = {"X_source_valid": images, "y_source_valid": images.labels, "X_source_train": images}
    with pytest.raises(UserError, match="no transform"):
        select({"a": Watching()}, X_target=images, validator="importance-weighted", **given)


def test_the_oracle_looks_at_the_same_models_and_classes():
    X, _, target, y = pair()
    choice = select({"a": Shifted()}, X_target=target)
    for models, labels, says in (
        ({"b": Shifted()}, y, "made among a, not among b"),
        ({"a": Shifted()}, None, "target labels are missing"),
        ({"a": Shifted()}, y + 1, "target label 2 is none of the 2 classes"),
    ):
        with pytest.raises(UserError, match=says):
            oracle_gap(choice, models, X, labels)
