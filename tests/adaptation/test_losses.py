"""Losses against explicit loops and closed forms; every one has a gradient."""

import math

import numpy as np
import pytest
import torch

from transferlab.adaptation.gradient_reversal import (
    DomainDiscriminator,
    domain_loss,
    ramp,
    reverse_gradient,
)
from transferlab.adaptation.losses import (
    WIDTHS,
    certainty_weights,
    conditioned,
    coral_loss,
    entropy,
    information_maximization,
    mcc_loss,
    mmd_loss,
    moment_distance,
)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_mmd_is_the_loop_over_all_pairs():
    source, target = drawn(5, 3), drawn(7, 3, seed=1) + 1
    both = [*source, *target]
    squared = [[float(((a - b) ** 2).sum()) for b in both] for a in both]
    scale = sum(map(sum, squared)) / (12 * 11)

    def kernel(i, j):
        return sum(math.exp(-squared[i][j] / (w * scale)) for w in WIDTHS) / len(WIDTHS)

    within_source = sum(kernel(i, j) for i in range(5) for j in range(5)) / 25
    within_target = sum(kernel(i, j) for i in range(5, 12) for j in range(5, 12)) / 49
    between = sum(kernel(i, j) for i in range(5) for j in range(5, 12)) / 35
    expected = within_source + within_target - 2 * between
    assert float(mmd_loss(source, target)) == pytest.approx(expected, rel=1e-9)


def test_descending_the_mmd_brings_the_domains_together():
    source, target = drawn(40, 2), (drawn(40, 2, seed=1) + 3).requires_grad_(True)
    before = mmd_loss(source, target).item()
    optimizer = torch.optim.SGD([target], lr=30.0)
    for _ in range(300):
        optimizer.zero_grad()
        mmd_loss(source, target).backward()
        optimizer.step()
    assert mmd_loss(source, target).item() < before / 5
    assert (target.detach().mean(0) - source.mean(0)).norm() < 1


@pytest.mark.parametrize("count", [2, 3, 4])
def test_conditioned_features_are_the_loop_over_samples_and_classes(count):
    features, logits = drawn(6, 4), drawn(6, count, seed=2)
    p = logits.softmax(1)
    expected = [[float(p[n, k] * features[n, d]) for k in range(count) for d in range(4)] for n in range(6)]
    assert np.allclose(conditioned(features, logits).numpy(), expected)


def test_cdan_loss_is_the_loop_over_weighted_samples():
    source, target = drawn(4), drawn(6, seed=1)
    z_source, z_target = drawn(4, 3, seed=2), drawn(6, 3, seed=3)

    def weights(z):
        raw = []
        for row in z.softmax(1):
            raw.append(1 + math.exp(sum(float(p) * math.log(float(p)) for p in row)))
        return [w / (sum(raw) / len(raw)) for w in raw]

    def sigmoid(x):
        return 1 / (1 + math.exp(-x))

    expected = 0.5 * sum(
        w * -math.log(sigmoid(float(x))) / 4 for w, x in zip(weights(z_source), source, strict=True)
    ) + 0.5 * sum(
        w * -math.log(1 - sigmoid(float(x))) / 6 for w, x in zip(weights(z_target), target, strict=True)
    )
    found = domain_loss(source, target, (certainty_weights(z_source), certainty_weights(z_target)))
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_the_discriminator_s_answers_do_not_move_class_probabilities():
    logits = drawn(3, 2).requires_grad_(True)
    features = drawn(3, 4, seed=1).requires_grad_(True)
    conditioned(features, logits).sum().backward()
    assert features.grad is not None
    assert logits.grad is None


def test_coral_loss_is_that_of_numpy_s_covariances():
    source, target = drawn(9, 4), drawn(11, 4, seed=1) * 2
    difference = np.cov(source.numpy().T) - np.cov(target.numpy().T)
    assert float(coral_loss(source, target)) == pytest.approx((difference**2).sum() / (4 * 16))


def test_class_confusion_is_the_loop_over_classes():
    logits = drawn(5, 3)
    p = (logits / 2.5).softmax(1)
    certainty = [1 + math.exp(sum(float(q) * math.log(float(q)) for q in row)) for row in p]
    weights = [5 * c / sum(certainty) for c in certainty]
    table = [
        [sum(weights[n] * float(p[n, i] * p[n, j]) for n in range(5)) for j in range(3)] for i in range(3)
    ]
    expected = sum(table[i][j] / sum(table[i]) for i in range(3) for j in range(3) if i != j) / 3
    assert float(mcc_loss(logits)) == pytest.approx(expected, rel=1e-9)


def test_collapse_fools_entropy_and_not_information_maximization():
    collapsed = torch.zeros(12, 3)
    collapsed[:, 0] = 50
    balanced = 50 * torch.eye(3).repeat(4, 1)
    assert float(entropy(collapsed).mean()) == pytest.approx(float(entropy(balanced).mean()), abs=1e-6)
    assert float(information_maximization(balanced)) < float(information_maximization(collapsed)) - 1


def test_moments_of_equal_domains_do_not_differ_and_squares_are_seen():
    x = drawn(50, 3)
    assert float(moment_distance(x, [x.clone(), x.clone()])) == pytest.approx(0, abs=1e-9)
    spread = (x - x.mean(0)) * 3 + x.mean(0)  # same mean, other variance
    assert float(moment_distance(x, [spread])) > 1


def test_moment_distance_is_the_paper_s_double_sum():
    target, sources = drawn(6, 3), [drawn(5, 3, seed=s) for s in (1, 2, 3)]
    expected = 0.0
    for power in (1, 2):
        moments = [(x.numpy() ** power).mean(0) for x in sources]
        there = (target.numpy() ** power).mean(0)
        expected += sum(np.linalg.norm(m - there) for m in moments) / 3
        expected += sum(np.linalg.norm(moments[i] - moments[j]) for i, j in ((0, 1), (0, 2), (1, 2))) / 3
    assert float(moment_distance(target, sources)) == pytest.approx(expected)


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: mmd_loss(x[:4], x[4:]),
        lambda x: coral_loss(x[:4], x[4:]),
        mcc_loss,
        information_maximization,
        lambda x: entropy(x).sum(),
        lambda x: moment_distance(x[:3], [x[3:6], x[6:]]),
    ],
    ids=["mmd", "coral", "mcc", "information", "entropy", "moments"],
)
def test_every_loss_has_a_gradient(loss):
    x = drawn(9, 3).requires_grad_(True)
    loss(x).backward()
    assert x.grad is not None
    assert float(x.grad.abs().sum()) > 1e-6


@pytest.mark.parametrize("loss", [coral_loss, lambda s, t: information_maximization(torch.cat([s, t]))])
def test_gradients_are_those_of_finite_differences(loss):
    source, target = drawn(4, 3).requires_grad_(True), drawn(5, 3, seed=1).requires_grad_(True)
    assert torch.autograd.gradcheck(loss, (source, target))


def test_gradient_reversal_by_autograd():
    x = drawn(4, 3).requires_grad_(True)
    weight = drawn(3, seed=1)
    plain = torch.autograd.grad((x @ weight).sin().sum(), x)[0]
    y = reverse_gradient(x, 0.3)
    assert torch.equal(y, x)
    reversed_ = torch.autograd.grad((y @ weight).sin().sum(), x)[0]
    assert torch.allclose(reversed_, -0.3 * plain)
    # twice reversed is once turned back: the layer composes, so that it is no mere sign of the loss
    twice = torch.autograd.grad((reverse_gradient(reverse_gradient(x, 0.5), 2.0) @ weight).sin().sum(), x)[0]
    assert torch.allclose(twice, plain)


def test_above_the_reversal_the_discriminator_still_learns():
    torch.manual_seed(0)
    x = torch.cat([torch.randn(64, 2) + 2, torch.randn(64, 2) - 2]).requires_grad_(True)
    discriminator = DomainDiscriminator(2, 8)
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        logits = discriminator(reverse_gradient(x))
        domain_loss(logits[:64], logits[64:]).backward()
        optimizer.step()
    assert domain_loss(*discriminator(x.detach()).split(64)).item() < 0.1


def test_the_ramp_starts_at_nothing_and_only_rises():
    values = [ramp(p) for p in np.linspace(0, 1, 11)]
    assert values[0] == 0
    assert values == sorted(values)
    assert 0.999 < values[-1] < 1
