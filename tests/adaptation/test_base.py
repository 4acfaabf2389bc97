"""What every method on feature arrays does alike."""

import tracemalloc

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from tests.adaptation.conftest import made_domains
from transferlab.adaptation.base import SourceOnly, class_probabilities, fit_weighted, repeated
from transferlab.adaptation.coral import CORAL
from transferlab.adaptation.density_ratio import DensityRatio
from transferlab.adaptation.domains import two_domains, working_table
from transferlab.adaptation.joint_components import JDA
from transferlab.adaptation.kernel_components import TCA
from transferlab.adaptation.kmm import KMM
from transferlab.adaptation.optimal_transport import OptimalTransport
from transferlab.adaptation.subspace import SubspaceAlignment
from transferlab.adaptation.tradaboost import TrAdaBoost
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError

MOVING = [CORAL, SubspaceAlignment, TCA, JDA, OptimalTransport]
WEIGHTING = [DensityRatio, KMM, TrAdaBoost]
METHODS = [SourceOnly, *MOVING, *WEIGHTING]


def fitted(model, domains, names=None):
    """``model`` fitted with four labelled target samples a class; labels are ``names`` where given."""
    source, y, target, truth = domains
    y, truth = (y, truth) if names is None else (names[y], names[truth])
    return model.fit(source, y, target, X_target_labelled=target[:12], y_target_labelled=truth[:12])


@pytest.mark.parametrize("method", METHODS)
def test_string_labels_new_samples_and_probabilities(method, domains):
    names = np.array(["cat", "dog", "owl"])
    model = fitted(method(), domains, names)
    target, truth = domains[2][12:], names[domains[3][12:]]
    new = target + 1e-3
    probabilities = model.predict_proba(new)
    assert model.classes_.tolist() == names.tolist()
    assert probabilities.shape == (len(new), 3)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert (model.predict(new) == names[probabilities.argmax(1)]).all()
    assert model.score(target, truth) > 0.6


@pytest.mark.parametrize("method", METHODS)
def test_clone_settings_and_fitting_anew(method, domains):
    model = method(classifier=GaussianNB(var_smoothing=1e-5))
    copy = clone(model).set_params(classifier__var_smoothing=1e-3)
    assert copy.classifier.var_smoothing == 1e-3 and model.classifier.var_smoothing == 1e-5
    settings = {name: repr(value) for name, value in model.get_params().items()}
    first = fitted(model, domains).predict_proba(domains[2])
    assert not hasattr(model.classifier, "classes_"), "the classifier that was given has to stay unfitted"
    assert {name: repr(value) for name, value in model.get_params().items()} == settings
    np.testing.assert_array_equal(fitted(model, domains).predict_proba(domains[2]), first)
    np.testing.assert_array_equal(fitted(clone(model), domains).predict_proba(domains[2]), first)


@pytest.mark.parametrize("method", METHODS)
def test_settings_have_to_be_named(method):
    with pytest.raises(TypeError):
        method(GaussianNB())


@pytest.mark.parametrize("method", METHODS)
def test_inputs_stay_as_they_are(method, domains):
    before = [table.copy() for table in domains]
    fitted(method(), domains)
    for table, kept in zip(domains, before, strict=True):
        np.testing.assert_array_equal(table, kept)


@pytest.mark.parametrize("method", [SourceOnly, *MOVING])
def test_classifiers_without_weights_or_probabilities(method, domains):
    for classifier in (KNeighborsClassifier(3), LinearSVC()):
        model = fitted(method(classifier=classifier), domains)
        assert model.score(domains[2][12:], domains[3][12:]) > 0.5
    np.testing.assert_array_equal(np.unique(model.predict_proba(domains[2])), [0, 1])


@pytest.mark.parametrize("method", WEIGHTING)
@pytest.mark.parametrize(
    "classifier", [KNeighborsClassifier(), make_pipeline(StandardScaler(), KNeighborsClassifier())]
)
def test_weights_reach_a_classifier_that_takes_none(method, classifier, domains):
    model = fitted(method(classifier=classifier), domains)
    assert model.score(domains[2][12:], domains[3][12:]) > 0.5


@settings(max_examples=50)
@given(st.lists(st.floats(0, 10), min_size=2, max_size=40).filter(lambda w: sum(w) > 0.1), st.data())
def test_samples_are_repeated_as_often_as_they_weigh(weights, data):
    weights = np.array(weights)
    y = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(weights), max_size=len(weights))))
    rows = repeated(weights, y)
    times, wanted = np.bincount(rows, minlength=len(y)), weights * len(y) / weights.sum()
    assert set(y[rows]) == set(y)
    kept = np.isin(y, y[wanted >= 1 - 1e-9])  # of these classes nothing had to be added
    assert (np.abs(times - wanted)[kept] < 1 + 1e-6).all()


def test_weights_change_what_neighbours_say():
    X, y = np.array([[0.0], [0.1], [0.2], [0.3]]), np.array([0, 0, 1, 1])
    said = [
        fit_weighted(KNeighborsClassifier(3), X, y, np.array(weights)).predict([[0.15]])[0]
        for weights in ([3.0, 3.0, 1.0, 1.0], [1.0, 1.0, 3.0, 3.0])
    ]
    assert said == [0, 1]


@pytest.mark.parametrize("method", [SourceOnly, CORAL, DensityRatio])
def test_a_score_by_unknown_labels_is_refused(method, domains):
    model = fitted(method(), domains)
    with pytest.raises(UserError, match="label 7 to score by is none of the 3 classes"):
        model.score(domains[2], np.full(len(domains[2]), 7))
    with pytest.raises(UserError, match=r"labels to score by have shape \(1,\)"):
        model.score(domains[2], [0])
    with pytest.raises(UserError, match="no labels to score by"):
        model.score(domains[2], None)


def test_images_are_no_features():
    digits = load_bundled("digits").development
    with pytest.raises(UserError, match="X_source is a set of images, but features are needed"):
        CORAL().fit(digits, digits.labels, digits)


@pytest.mark.parametrize("names, said", [(["a"], "shape"), ([None, *"ab" * 30], "lacks names")])
def test_sources_without_names(names, said, domains):
    names = np.resize(np.array(names, object), len(domains[0]) + (len(names) == 1))
    with pytest.raises(UserError, match=said):
        CORAL().fit(domains[0], domains[1], domains[2], source_domain=names)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("kind", [LogisticRegression, lambda: make_pipeline(LogisticRegression())])
def test_weights_reach_the_classifier(kind, routing):
    X, y = np.array([[0.0], [1.0], [0.4], [0.6]]), np.array([0, 1, 1, 0])
    with sklearn.config_context(enable_metadata_routing=routing):
        weighted = fit_weighted(kind(), X, y, np.array([3.0, 1.0, 2.0, 1.0]))
    repeated = kind().fit(np.repeat(X, [3, 1, 2, 1], axis=0), np.repeat(y, [3, 1, 2, 1]))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-3)
    assert np.abs(kind().fit(X, y).predict_proba(X) - repeated.predict_proba(X)).max() > 0.02


def test_probabilities_of_classes_never_seen_are_zero():
    classifier = GaussianNB().fit([[0.0], [0.1], [1.0], [1.1]], [0, 0, 2, 2])
    p = class_probabilities(classifier, np.array([[1.05]]), 4)
    assert p.shape == (1, 4) and p[0, [1, 3]].tolist() == [0, 0] and p[0, 2] > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_unfitted_and_other_features(method, domains):
    with pytest.raises(NotFittedError, match=f"this {method.__name__} is not fitted yet; call fit first"):
        method().transform(domains[2])
    with pytest.raises(NotFittedError, match="call fit first"):
        method().score(domains[2], domains[3])
    model = fitted(method(), domains)
    with pytest.raises(
        UserError, match="X has 5 features, but 6 were fitted; extract them with the same backbone"
    ):
        model.predict(domains[2][:, :5])
    with pytest.raises(UserError, match="the domain 'test' is not known; use 'source' or 'target'"):
        model.transform(domains[2], domain="test")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s, y, t: (s, y, t[:1]), "X_target has one sample, and one sample shows no distribution"),
        (lambda s, y, t: (s, y, np.ones_like(t)), "all samples of X_target have the same features"),
        (lambda s, y, t: (s * 0, y, t), "all samples of X_source have the same features"),
        (lambda s, y, t: (s * np.nan, y, t), "X_source holds NaN"),
        (lambda s, y, t: (s, y, t[:, :4]), "X_source has 6 features and X_target 4"),
        (lambda s, y, t: (s, None, t), "y_source is missing"),
        (lambda s, y, t: (s, t, y), r"X_target must be features of shape \(N, D\), not of shape \(120,\)"),
        (lambda s, y, t: (s, y[:-1], t), "y_source has 119 labels for 120 samples"),
        (lambda s, y, t: (s, y * 0, t), "y_source names one class alone"),
        (lambda s, y, t: (s, np.where(y, y, np.nan), t), "y_source holds NaN"),
    ],
)
@pytest.mark.parametrize("method", [CORAL, JDA, KMM])
def test_bad_domains_are_named(method, change, sentence, domains):
    with pytest.raises(UserError, match=sentence):
        method().fit(*change(*domains[:3]))


def test_few_target_labels_belong_together_and_are_known(domains):
    source, y, target, _ = domains
    with pytest.raises(UserError, match="X_target_labelled and y_target_labelled belong together"):
        CORAL().fit(source, y, target, X_target_labelled=target[:3])
    with pytest.raises(UserError, match="the target label 9 is none of the source's 3 classes"):
        CORAL().fit(source, y, target, X_target_labelled=target[:2], y_target_labelled=[1, 9])
    with pytest.raises(UserError, match="X_target_labelled has 2 features, but 6 were fitted"):
        CORAL().fit(source, y, target, X_target_labelled=target[:2, :2], y_target_labelled=[1, 1])


@pytest.mark.parametrize("method", [SourceOnly, *MOVING, DensityRatio, KMM])
def test_few_target_labels_help_where_labels_contradict(method):
    source, y, target, truth = made_domains(1, shift=0.0)
    turned = (truth + 1) % 3  # the target calls the classes by other names
    model = method(classifier=KNeighborsClassifier(1) if method in MOVING else None)
    without = clone(model).fit(source, y, target).score(target, turned)
    some = method().fit(source, y, target, X_target_labelled=target, y_target_labelled=turned)
    assert some.score(target, turned) > without


def test_small_tables_become_float64_and_large_ones_stay():
    small, large = np.ones((3, 2), np.float32), np.ones((2**12, 2**11 + 1), np.float32)
    assert working_table(small, "X").dtype == np.float64
    assert working_table(large, "X") is large
    few = np.zeros((2, large.shape[1]))
    few[0] = 1
    large[0] = 2
    assert [table.dtype for table in two_domains(large, few)] == [np.float32] * 2


@pytest.mark.parametrize(
    "model",
    [
        CORAL(),
        SubspaceAlignment(),
        TCA(landmarks=200),
        TCA(kernel="rbf", landmarks=200),
        JDA(landmarks=200),
        KMM(landmarks=200, iterations=20),
        DensityRatio(),
        OptimalTransport(batch_size=500, regularization=1.0, passes=1),
    ],
    ids=lambda model: f"{type(model).__name__}-{getattr(model, 'kernel', '')}",
)
def test_no_table_of_all_pairs(model):
    n = 5000
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(n, 4)), rng.normal(size=(n, 4)) + 0.5
    model.set_params(classifier=GaussianNB())
    tracemalloc.start()
    try:
        model.fit(source, source[:, 0] > 0, target).predict(target)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < n * n * 8 / 3  # a float64 table of source and target would be 200 MB
