"""What is said of a shift: label shift against its truth, what is left of it, and the number of labels."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2_contingency
from sklearn.linear_model import LogisticRegression

from transferlab.adaptation import diagnosis_text
from transferlab.adaptation.diagnosis import at_proportions, diagnose
from transferlab.adaptation.label_shift import bbse, class_means, solve_proportions
from transferlab.adaptation.sample_size import labels_to_show_drop
from transferlab.errors import UserError

CENTRES = np.random.default_rng(9).normal(size=(4, 10)) * 1.2
EQUAL, UNEQUAL = np.full(4, 0.25), np.array([0.55, 0.25, 0.15, 0.05])


def draw(rng, n, proportions):
    y = rng.choice(4, n, p=proportions)
    return CENTRES[y] + rng.normal(size=(n, 10)), y


def world(seed, proportions=UNEQUAL, shift=0.0, n=250):
    """Held-out source, its labels, target and the answers of a model trained on other source samples."""
    rng = np.random.default_rng(seed)
    model = LogisticRegression().fit(*draw(rng, 600, EQUAL))
    (X, y), (T, _) = draw(rng, n, EQUAL), draw(rng, n, proportions)
    return X, y, T + shift, model.predict_proba(X), model.predict_proba(T + shift)


def told(seed, proportions=UNEQUAL, shift=0.0, **settings):
    X, y, T, of_source, of_target = world(seed, proportions, shift)
    return diagnose(
        X,
        T,
        y_source=y,
        source_probabilities=of_source,
        target_probabilities=of_target,
        permutations=39,
        seed=seed,
        **settings,
    )


# --- label shift


@given(st.integers(0, 10_000), st.integers(2, 6))
@settings(max_examples=30, deadline=None)
def test_exact_predictions_give_exact_proportions(seed, k):
    rng = np.random.default_rng(seed)
    confusion = rng.dirichlet(np.ones(k), size=k).T + 2 * np.eye(k)
    confusion /= confusion.sum(0)
    q = rng.dirichlet(np.ones(k))
    np.testing.assert_allclose(solve_proportions(confusion, confusion @ q), q, atol=1e-9)


def test_impossible_predictions_give_proportions_all_the_same():
    """The inverse would be (-0.5, 1.5)."""
    confusion = np.array([[0.7, 0.2], [0.3, 0.8]])
    assert np.linalg.solve(confusion, [0.05, 0.95]).min() < 0
    np.testing.assert_allclose(solve_proportions(confusion, np.array([0.05, 0.95])), [0, 1])


def test_class_means_by_a_loop():
    rng = np.random.default_rng(0)
    p, y, counts = rng.dirichlet(np.ones(3), 20), np.arange(20) % 3, rng.integers(1, 4, 20).astype(float)
    found = class_means(p, y, counts, 3)
    for c in range(3):
        np.testing.assert_allclose(found[:, c], np.average(p[y == c], axis=0, weights=counts[y == c]))


@pytest.mark.parametrize("hard", [False, True])
def test_intervals_hold_the_true_proportions(hard):
    held = []
    for s in range(20):
        _, y, _, of_source, of_target = world(s)
        found = bbse(of_source, y, of_target, hard=hard, draws=150, seed=s)
        held.append((found.low <= UNEQUAL) & (found.high >= UNEQUAL))
        np.testing.assert_allclose(found.proportions.sum(), 1)
        np.testing.assert_allclose(found.weights * found.source_proportions, found.proportions)
    assert np.sum(held) >= binom.ppf(1e-4, 80, 0.9)


def test_hard_is_the_paper_s_inverse_of_the_joint_table():
    """w = C⁻¹ μ with C[i, j] = p(predicted i, true j)."""
    _, y, _, of_source, of_target = world(1)
    found = bbse(of_source, y, of_target, hard=True, draws=20)
    joint = np.array([[((of_source.argmax(1) == i) & (y == j)).mean() for j in range(4)] for i in range(4)])
    weights = np.linalg.solve(joint, np.bincount(of_target.argmax(1), minlength=4) / len(of_target))
    assert weights.min() > 0  # else the two differ, rightly
    np.testing.assert_allclose(found.weights, weights, rtol=1e-6)


def test_the_condition_number_grows_with_confusion():
    _, y, _, of_source, of_target = world(2)
    sharp = bbse(of_source, y, of_target, draws=20)
    blurred = bbse(0.5 * of_source + 0.125, y, 0.5 * of_target + 0.125, draws=20)
    assert 1 <= sharp.condition_number < 2 < blurred.condition_number * 1.2
    assert blurred.condition_number > 1.5 * sharp.condition_number
    np.testing.assert_allclose(blurred.proportions, sharp.proportions, atol=1e-6)  # both are unbiased


def test_the_test_of_predictions_is_chi_squared():
    _, y, _, of_source, of_target = world(3, EQUAL)
    counts = [np.bincount(p.argmax(1), minlength=4) for p in (of_source, of_target)]
    assert bbse(of_source, y, of_target, draws=20).p_value == pytest.approx(
        chi2_contingency(counts, correction=False).pvalue
    )


def test_a_model_that_guesses_is_refused():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    guesses = rng.dirichlet(np.ones(3), 300)
    with pytest.raises(UserError, match="singular within its error"):
        bbse(guesses, y, guesses)
    constant = np.tile([0.2, 0.3, 0.5], (300, 1))
    with pytest.raises(UserError, match="singular within its error"):
        bbse(constant, y, constant)


@pytest.mark.parametrize(
    "change, says",
    [
        ({"source_labels": None}, "labels are missing"),
        ({"source_labels": [0, 1, 2]}, "one a sample"),
        ({"source_labels": [0, 0, 0, 0, 0, 0]}, "no sample of class 1"),
        ({"source_labels": [0, 1, 0, 1, 0, 2]}, "label 2 is none of the 2 classes"),
        ({"target_probabilities": np.eye(3)}, "3 columns for 2 classes"),
        ({"target_probabilities": [[0.2, 0.2]]}, "sum to 1"),
        ({"target_probabilities": [[-1.0, 2.0]]}, "0 or more"),
        ({"target_probabilities": [[np.nan, 1.0]]}, "target probabilities holds NaN"),
        ({"source_probabilities": [[1.0]] * 6}, "one column"),
    ],
)
def test_bbse_says_what_is_wrong(change, says):
    given = {
        "source_probabilities": np.eye(2)[[0, 1, 0, 1, 0, 1]],
        "source_labels": [0, 1, 0, 1, 0, 1],
        "target_probabilities": np.eye(2),
    }
    with pytest.raises(UserError, match=says):
        bbse(**(given | change))


# --- samples and labels


@pytest.mark.parametrize("accuracy, drop", [(0.9, 0.1), (0.6, 0.2), (1.0, 0.05), (0.5, 0.5)])
def test_labels_to_show_a_drop_by_trying_every_number(accuracy, drop):
    def enough(n):
        rejected = [c for c in range(n + 1) if binom.cdf(c, n, accuracy) <= 0.05]
        return bool(rejected) and binom.cdf(max(rejected), n, accuracy - drop) >= 0.8

    assert labels_to_show_drop(accuracy, drop) == next(n for n in range(1, 1000) if enough(n))


def test_small_drops_need_many_labels():
    assert labels_to_show_drop(0.9, 0.01) > 4000
    with pytest.raises(UserError, match="over a million"):
        labels_to_show_drop(0.5, 0.0001)


@pytest.mark.parametrize("accuracy, drop", [(0.9, 0.0), (0.9, 0.95), (1.1, 0.1), (0.9, float("nan"))])
def test_a_drop_fits_its_accuracy(accuracy, drop):
    with pytest.raises(UserError, match="a drop lies above 0"):
        labels_to_show_drop(accuracy, drop)
    with pytest.raises(UserError, match="level and power"):
        labels_to_show_drop(0.9, 0.1, power=1.0)


def test_thinned_samples_have_the_proportions_and_none_comes_twice():
    y = np.random.default_rng(0).choice(4, 20_000)
    kept = at_proportions(y, UNEQUAL, np.random.default_rng(1))
    np.testing.assert_allclose(np.bincount(y[kept]) / len(kept), UNEQUAL, atol=0.02)
    assert len(np.unique(kept)) == len(kept) and (y[kept] == 0).sum() == (y == 0).sum()


# --- the diagnosis


def test_without_shift_none_is_claimed():
    found = [told(s, EQUAL) for s in range(20)]
    assert sum(f.detected for f in found) <= binom.isf(1e-4, 20, 0.05)
    assert sum(f.proportions_changed for f in found) <= binom.isf(1e-4, 20, 0.05)
    calm = next(f for f in found if not f.detected)
    assert calm.sentences[0].startswith("No shift detected") and f"{calm.detectable:.2f}" in calm.sentences[0]
    assert not any("Methods that make" in s for s in calm.sentences)


def test_label_shift_alone_is_explained_and_alignment_warned_of():
    found = [told(s) for s in range(10)]
    assert all(f.detected and f.proportions_changed for f in found)
    assert sum(not f.explained_by_label_shift for f in found) <= binom.isf(1e-4, 10, 0.05)
    one = next(f for f in found if f.explained_by_label_shift)
    assert "If p(x | y) is the same" in one.text and "may explain" in one.text and "CORAL" in one.text
    assert f"{one.remaining_detectable:.2f}" in one.text and one.remaining.n_source < 250


def test_a_moved_target_is_not_explained_by_label_shift():
    found = [told(s, shift=0.5) for s in range(4)]
    assert all(f.detected and f.explained_by_label_shift is False for f in found)
    assert "label shift alone does not explain" in found[0].text


def test_the_kind_is_never_claimed_without_answers():
    X, _, T, *_ = world(0)
    found = diagnose(X, T, permutations=39)
    assert found.detected and found.label_shift is None is found.explained_by_label_shift
    assert found.labels_needed is None is found.source_accuracy
    assert "kind is not known" in found.text and "invisible without target labels." in found.text
    assert "covariate shift detected" not in found.text.lower()


def test_concept_shift_leaves_no_trace_but_the_number_of_labels_is_told():
    """Target labels turned round: no input changes, so neither does a word."""
    found = told(5, EQUAL)
    assert found.labels_needed == labels_to_show_drop(found.source_accuracy, 0.1)
    assert f": {found.labels_needed} randomly drawn ones" in found.text and "whatever its cause" in found.text
    assert told(5, EQUAL, drop=0.05).labels_needed > found.labels_needed


def test_a_guessing_model_leaves_the_diagnosis_standing():
    X, y, T, *_ = world(0)
    rng = np.random.default_rng(0)
    answers = rng.dirichlet(np.ones(4), len(X)), rng.dirichlet(np.ones(4), len(T))
    found = diagnose(
        X, T, y_source=y, source_probabilities=answers[0], target_probabilities=answers[1], permutations=39
    )
    assert found.detected and found.label_shift is None
    assert any(s.startswith("Label shift cannot be estimated") for s in found.sentences)


def test_class_names_come_back_in_sentences():
    X, y, T, of_source, of_target = world(0)
    names = ["ant", "bee", "cow", "dog"]
    found = diagnose(
        X,
        T,
        y_source=np.array(names)[y],
        source_probabilities=of_source,
        target_probabilities=of_target,
        classes=names,
        permutations=39,
    )
    assert "class ant" in found.text and "55%" in found.text.replace("54%", "55%").replace("56%", "55%")


def test_too_few_samples_at_these_proportions_are_said_to_be_too_few():
    assert diagnosis_text.remainder(None, None, None).startswith("Too few source samples")


def test_a_diagnosis_cannot_be_changed():
    found = diagnose(*(world(0)[i] for i in (0, 2)), permutations=39)
    with pytest.raises(FrozenInstanceError):
        found.detected = False
    assert replace(found, detected=False).detected is False


def test_diagnosis_says_what_is_wrong():
    X, y, T, of_source, of_target = world(0)
    answers = {"y_source": y, "source_probabilities": of_source, "target_probabilities": of_target}
    for change, says in (
        ({"target_probabilities": None}, "belong together"),
        ({"y_source": None}, "belong together"),
        ({"target_probabilities": of_target[:-1]}, "249 samples and features of 250"),
        ({"source_probabilities": of_source[:-1], "y_source": y[:-1]}, "source probabilities of 249"),
        ({"classes": ["a", "b"]}, "4 columns for 2 classes"),
        ({"level": 0}, "level of a test"),
        ({"drop": 1.5}, "drop of accuracy"),
    ):
        with pytest.raises(UserError, match=says):
            diagnose(X, T, **(answers | change))
