from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from transferlab.data import ImageSet, SealedTest, counted_metrics, draw_task
from transferlab.errors import UserError
from transferlab.evaluation import evaluate, fit_all, holm

CLASSES = ("cat", "dog", "owl")


def make_set(n, seed, groups=None):
    """Noise with one bright column a class: learnable, not trivially."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    images = rng.normal(100, 40, (n, 1, 6, 6))
    images[np.arange(n), 0, :, labels * 2] += 35
    return ImageSet(images.clip(0, 255).astype(np.uint8), labels, CLASSES, groups=groups)


def make_task(labels_per_class=10, groups=False):
    test = make_set(90, 1, np.repeat([f"p{i}" for i in range(9)], 10) if groups else None)
    return draw_task("columns", make_set(240, 0), None, SealedTest(test, printing=False), labels_per_class, 0)


def pixels(images):
    return images.images.reshape(len(images), -1) / 255


def logistic():
    return make_pipeline(FunctionTransformer(pixels), LogisticRegression(max_iter=500))


class Spy(ClassifierMixin, BaseEstimator):
    """Answers at random by its seed and keeps what ``fit`` was given."""

    seen: ClassVar[list] = []  # shared by clones on purpose, emptied by each test

    def __init__(self, random_state=None, parameters=1):
        self.random_state = random_state
        self.parameters = parameters

    def fit(self, X, y, *, validation=None):
        Spy.seen.append((self.random_state, X, y, validation))
        self.trainable_parameters_ = self.parameters
        return self

    def predict_proba(self, X):
        return np.random.default_rng(self.random_state).dirichlet(np.ones(3), len(X))


@pytest.fixture(autouse=True)
def empty_spy():
    Spy.seen.clear()


def test_seal_stays_closed_until_open_and_opens_once():
    task = make_task()
    fitted = fit_all({"a": logistic(), "b": Spy()}, task, 3)
    assert task.test.looks == 0
    result = fitted.open(task)
    assert task.test.looks == result.look == 1
    assert evaluate({"a": logistic()}, task, 2).look == 2


def test_every_estimator_gets_the_draw_and_seed_of_the_run():
    task = make_task()
    evaluate({"one": Spy(), "two": Spy(parameters=2)}, task, [4, 9], labels_per_class=5)
    assert [s[0] for s in Spy.seen] == [4, 4, 9, 9]
    for seed, first, second in ((4, *Spy.seen[:2]), (9, *Spy.seen[2:])):
        drawn = task.draw(5, seed)
        for _, X, y, validation in (first, second):
            assert X.digest == drawn.train.digest
            assert y.tolist() == drawn.train.labels.tolist()
            assert validation.digest == drawn.validation.digest
            assert len(X) + len(validation) == 15
    assert Spy.seen[0][1].digest != Spy.seen[2][1].digest


def test_test_labels_never_reach_an_estimator():
    task = make_task()
    test_pixels = {image.tobytes() for image in task.test.images}
    evaluate({"spy": Spy()}, task, 2)
    for _, X, _, validation in Spy.seen:
        assert not test_pixels & {image.tobytes() for image in [*X.images, *validation.images]}


def test_templates_are_not_fitted_or_changed():
    template, nested = Spy(), logistic()
    evaluate({"a": template, "b": nested}, make_task(), 2)
    assert template.random_state is None
    assert not hasattr(template, "trainable_parameters_")
    assert not hasattr(nested[-1], "coef_")


def test_models_that_are_not_kept_have_answered():
    """The same numbers, with one seed's models in memory instead of all."""
    task = make_task()
    some, all_of_them = (fit_all({"a": logistic(), "b": Spy()}, task, 3, keep=keep) for keep in (1, None))
    assert [run.model is None for run in some.runs["a"]] == [False, True, True]
    assert not any(run.model is None for run in all_of_them.runs["a"])
    for name in ("a", "b"):
        assert some.open(task)[name].per_seed == all_of_them.open(task)[name].per_seed


def test_nested_random_state_is_set():
    fitted = fit_all({"a": logistic()}, make_task(), [7])
    assert fitted.runs["a"][0].model[-1].random_state == 7


def test_numbers_agree_with_a_count_by_hand():
    task, seeds = make_task(), (0, 3)
    result = evaluate({"logistic": logistic(), "spy": Spy()}, task, seeds)
    row = result["logistic"]
    by_hand, by_hand_val = [], []
    for seed in seeds:
        drawn = task.draw(10, seed)
        model = logistic().fit(drawn.train, drawn.train.labels)
        by_hand.append((model.predict(task.test.image_set) == make_set(90, 1).labels).mean())
        by_hand_val.append((model.predict(drawn.validation) == drawn.validation.labels).mean())
    assert row.per_seed == pytest.approx(by_hand)
    assert row.accuracy == row.metrics["accuracy"] == pytest.approx(np.mean(by_hand))
    assert row.val_accuracy == pytest.approx(np.mean(by_hand_val))
    assert row.ci_low < row.accuracy < row.ci_high
    assert (row.n_test, row.seeds, row.labels_per_class) == (90, 2, 10)
    recalls = [counted_metrics(result.truth, p)["recall"] for p in result.probabilities["logistic"]]
    assert row.metrics["recall"] == pytest.approx(np.mean(recalls, axis=0))
    assert result.probabilities["spy"].shape == (2, 90, 3)
    assert result["spy"].trainable_parameters == 1
    assert row.trainable_parameters is None
    assert row.fit_seconds > 0


def test_learning_beats_chance_and_the_comparison_says_so():
    result = evaluate({"chance": DummyClassifier(strategy="prior"), "logistic": logistic()}, make_task(40), 3)
    assert result.compare("logistic", "chance").low > 0
    (only,) = result.comparisons()
    assert (only.a, only.b) == ("chance", "logistic")
    assert only.high < 0
    assert only.p_adjusted < 0.05


def test_comparisons_are_holm_corrected_together():
    arms = {"logistic": logistic(), **{f"spy {i}": Spy(parameters=i) for i in range(3)}}
    result = evaluate(arms, make_task(), 2)
    found = result.comparisons("logistic")
    assert [c.a for c in found] == ["spy 0", "spy 1", "spy 2"]
    assert [c.p_adjusted for c in found] == holm([c.p_value for c in found])
    assert min(c.p_adjusted for c in found) > min(c.p_value for c in found)


def test_recommendation_goes_by_validation_then_by_fewer_parameters():
    arms = {"big": Spy(parameters=100), "small": Spy(parameters=10), "logistic": logistic()}
    task = make_task(40)
    fitted = fit_all(arms, task, 2)
    assert fitted.recommendable == ("logistic", "small", "big")
    assert fitted.open(task).reference == "logistic"


def test_one_label_a_class_leaves_nothing_to_recommend_by():
    task = make_task(1)
    fitted = fit_all({"spy": Spy(), "logistic": logistic()}, task, 2)
    assert fitted.recommendable == ()
    assert fitted.val_accuracy == {"spy": None, "logistic": None}
    result = fitted.open(task)
    assert result["spy"].val_accuracy is None
    assert result.reference == "spy"


def test_groups_of_the_test_reach_interval_and_comparison():
    result = evaluate({"a": logistic(), "b": Spy()}, make_task(groups=True), 2)
    assert "groups" in result["a"].interval_method
    assert "groups" in result.compare("a", "b").method


def test_single_seed_is_wilson():
    assert evaluate({"a": logistic()}, make_task(), 1)["a"].interval_method == "Wilson"


def test_table_has_a_row_an_estimator():
    table = evaluate({"a": logistic(), "<b>": Spy()}, make_task(), 2).table()
    assert table.index.tolist() == ["a", "<b>"]
    assert {"accuracy", "ci_low", "ci_high", "brier", "val_accuracy"} <= set(table.columns)
    assert table.columns.is_unique


def test_progress_counts_to_the_end():
    calls = []
    fit_all({"a": Spy(), "b": Spy()}, make_task(), 3, progress=lambda *call: calls.append(call))
    assert [c[0] for c in calls] == list(range(7))
    assert {c[1] for c in calls} == {6}
    assert calls[0][2] == "a"


class TooFewColumns(Spy):
    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


class NotNumbers(Spy):
    def predict_proba(self, X):
        return np.full((len(X), 3), np.nan)


class Scores(Spy):
    def predict_proba(self, X):
        return np.tile([4.0, 1.0, -2.0], (len(X), 1))


@pytest.mark.parametrize("bad", [TooFewColumns, NotNumbers, Scores])
@pytest.mark.parametrize("labels_per_class", [1, 10])
def test_wrong_probabilities_leave_the_seal_closed(bad, labels_per_class):
    task = make_task(labels_per_class)
    with pytest.raises(UserError, match="'bad"):
        evaluate({"good": logistic(), "bad": bad()}, task, 2)
    assert task.test.looks == 0


class ReadsLabels(Spy):
    """Answers with the labels of whatever it is asked about, where it finds some."""

    def predict_proba(self, X):
        return np.eye(3)[np.zeros(len(X), int) if X.labels is None else X.labels]


def test_an_estimator_that_reads_labels_finds_none():
    result = evaluate({"leaky": ReadsLabels()}, make_task(), 1)
    assert result["leaky"].accuracy == pytest.approx(1 / 3)
    assert result["leaky"].val_accuracy == pytest.approx(1 / 3)


def test_models_of_one_task_cannot_open_the_test_of_another():
    fitted, other = fit_all({"a": logistic()}, make_task(), 1), make_set(60, 5)
    foreign = draw_task("other", make_set(120, 6), None, SealedTest(other, printing=False), 5, 0)
    with pytest.raises(UserError, match="'other'"):
        fitted.open(foreign)
    assert foreign.test.looks == 0


@pytest.mark.parametrize(
    ("estimators", "seeds", "message"),
    [
        ({}, 3, "at least one"),
        ([Spy()], 3, "dict of name"),
        ({"a": Spy}, 3, "'a' is a class"),
        ({"ridge": RidgeClassifier()}, 3, "'ridge' has no predict_proba"),
        ({"a": Spy()}, 0, "seeds"),
        ({"a": Spy()}, [1, 1], "seeds"),
        ({"a": Spy()}, [-1], "seeds"),
        ({"a": Spy()}, 2.5, "seeds"),
        ({"a": Spy()}, True, "seeds"),
        ({"a": Spy()}, "12", "seeds"),
    ],
)
def test_wrong_arguments_are_one_sentence(estimators, seeds, message):
    with pytest.raises(UserError, match=message):
        evaluate(estimators, make_task(), seeds)
    assert not Spy.seen


def test_unknown_names_are_told():
    result = evaluate({"a": Spy()}, make_task(), 1)
    for ask in (lambda: result["z"], lambda: result.compare("a", "z"), lambda: result.comparisons("z")):
        with pytest.raises(UserError, match="'z'"):
            ask()
    assert result.comparisons() == ()
