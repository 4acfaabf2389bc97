"""Calibration, coverage, recalls and suspected labels: what is known must be found, chance must not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferlab import load_task
from transferlab.errors import UserError
from transferlab.evaluation import (
    bootstrap_seeds_images,
    confidence_threshold,
    coverage_curve,
    label_errors,
    recalls,
    reliability,
)
from transferlab.transfer import FeatureExtraction, out_of_fold


def stated(seed, n=800, seeds=1, sharper=1.0):
    """Probabilities, and labels drawn from them before they were sharpened."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([0.5] * 4, size=n)
    truth = (p.cumsum(1) > rng.random((n, 1))).argmax(1)
    q = p**sharper / (p**sharper).sum(1, keepdims=True)
    return truth, np.repeat(q[None], seeds, 0)


@pytest.mark.parametrize("seeds", [1, 3])
def test_honest_confidences_are_seldom_accused(seeds):
    accused = sum(reliability(*stated(s, seeds=seeds)).verdict != "calibrated" for s in range(40))
    assert accused <= 6  # 2 expected


@pytest.mark.parametrize(("sharper", "verdict"), [(3.0, "overconfident"), (0.4, "underconfident")])
def test_wrong_confidences_are_named(sharper, verdict):
    found = reliability(*stated(0, sharper=sharper))
    assert found.verdict == verdict
    assert (found.low <= found.accuracy).all() and (found.accuracy <= found.high).all()
    assert found.shares.sum() == pytest.approx(1)


def test_the_calibration_error_is_counted_by_hand():
    p = np.array([[[0.9, 0.1]] * 20 + [[0.6, 0.4]] * 20])
    truth = np.array([0] * 15 + [1] * 5 + [0] * 10 + [1] * 10)
    found = reliability(truth, p, bins=2)
    np.testing.assert_allclose(found.confidence, [0.6, 0.9])
    np.testing.assert_allclose(found.accuracy, [0.5, 0.75])
    assert found.error == pytest.approx(0.5 * 0.1 + 0.5 * 0.15)
    assert found.gap == pytest.approx(0.75 - 0.625)


@given(st.integers(0, 99), st.integers(1, 3), st.integers(1, 50))
def test_coverage_ends_at_the_plain_accuracy(seed, seeds, n):
    truth, p = stated(seed, n=n, seeds=seeds)
    curve = coverage_curve(truth, p)
    assert curve.coverage[-1] == 1
    assert curve.accuracy[-1] == pytest.approx((p.argmax(-1) == truth).mean())
    assert ((curve.low <= curve.accuracy) & (curve.accuracy <= curve.high)).all()
    assert 0 <= curve.area <= 1


def test_a_perfect_order_answers_right_until_the_mistakes_begin():
    p = np.stack([np.linspace(0.99, 0.51, 100), np.linspace(0.01, 0.49, 100)], 1)[None]
    truth = np.array([0] * 70 + [1] * 30)
    curve = coverage_curve(truth, p, points=10)
    np.testing.assert_allclose(curve.accuracy[:7], 1)
    assert curve.at(0.7)[0] == 1
    assert curve.at(1.0)[0] == pytest.approx(0.7)


@given(st.integers(0, 99), st.floats(0.3, 1.0))
def test_the_threshold_keeps_its_word_on_the_answers_it_was_chosen_on(seed, wanted):
    truth, p = stated(seed, n=60)
    found = confidence_threshold(truth, p[0], wanted)
    confidence, correct = p[0].max(1), p[0].argmax(1) == truth
    if found is None:
        assert correct[confidence >= confidence.max()].mean() < wanted
    else:
        assert correct[confidence >= found].mean() >= wanted
        lower = confidence[confidence < found]
        assert all(correct[confidence >= c].mean() < wanted for c in lower)


def test_recall_of_each_class_is_that_of_its_own_images():
    truth, p = stated(3, n=300, seeds=2)
    p = np.concatenate([p, np.zeros((*p.shape[:2], 1))], 2)  # a class without test images
    found = recalls(truth, p)
    assert found[4] is None
    for c in range(4):
        expected = bootstrap_seeds_images((p.argmax(-1) == c)[:, truth == c])
        assert found[c] == expected
        assert found[c].n == (truth == c).sum()


def test_planted_label_errors_are_found_in_real_images():
    task = load_task("materials")
    train = task.draw(None, 0).train
    rng = np.random.default_rng(0)
    flipped = rng.choice(len(train), len(train) // 20, replace=False)
    labels = train.labels.copy()
    labels[flipped] = (labels[flipped] + rng.integers(1, len(train.classes), len(flipped))) % len(
        train.classes
    )
    from dataclasses import replace

    model = FeatureExtraction("tiny")
    before = label_errors(train.labels, out_of_fold(model, train))
    after = label_errors(labels, out_of_fold(model, replace(train, labels=labels)))
    hits = {s.index for s in after} & set(flipped.tolist())
    assert len(hits) >= 0.7 * len(flipped)
    top = [s.index for s in after[: len(flipped)]]
    assert np.isin(top, flipped).mean() >= 0.5  # 0.05 by chance
    assert len(before) < 0.15 * len(train)
    assert [s.margin for s in after] == sorted((s.margin for s in after), reverse=True)


def test_perfect_agreement_leaves_no_suspect():
    assert label_errors(np.array([0, 1, 2]), np.eye(3)) == []
    with pytest.raises(UserError, match="a row of probabilities a label"):
        label_errors(np.array([0, 1]), np.eye(3))
