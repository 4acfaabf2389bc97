"""The losses against explicit loops, closed forms and their numerical gradients."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from transferlab.errors import UserError
from transferlab.unsupervised import four_rotations, mask_noise, nt_xent, vicreg_loss, vicreg_terms


def views(seed, n=5, d=4, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(n, d, generator=g, dtype=dtype) for _ in range(2)]


def nt_xent_by_loops(a, b, temperature):
    z = [*a.tolist(), *b.tolist()]
    n = len(a)

    def similarity(i, j):
        dot = sum(x * y for x, y in zip(z[i], z[j], strict=True))
        return dot / math.sqrt(sum(x * x for x in z[i])) / math.sqrt(sum(x * x for x in z[j])) / temperature

    total = 0.0
    for i in range(2 * n):
        partner = i + n if i < n else i - n
        others = sum(math.exp(similarity(i, k)) for k in range(2 * n) if k != i)
        total -= math.log(math.exp(similarity(i, partner)) / others)
    return total / (2 * n)


@given(st.integers(0, 10_000), st.integers(2, 7), st.integers(1, 6), st.floats(0.1, 2.0))
@settings(max_examples=25)
def test_nt_xent_equals_the_loops(seed, n, d, temperature):
    a, b = views(seed, n, d)
    assert float(nt_xent(a, b, temperature)) == pytest.approx(nt_xent_by_loops(a, b, temperature), rel=1e-9)


def test_counting_oneself_gives_another_loss():
    a, b = views(1)
    z = F.normalize(torch.cat([a, b]), dim=1)
    wrong = F.cross_entropy(z @ z.T / 0.2, torch.arange(10).roll(5))
    assert float(wrong) > float(nt_xent(a, b, 0.2)) + 0.1


def test_the_partner_is_the_same_row_of_the_other_view():
    a, _ = views(2)
    assert float(nt_xent(a, a)) < float(nt_xent(a, a.roll(1, 0)))


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_nt_xent_knows_neither_lengths_nor_which_view_is_first(seed):
    a, b = views(seed)
    lengths = torch.rand(5, 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.5
    torch.testing.assert_close(nt_xent(a * lengths, b), nt_xent(a, b))
    torch.testing.assert_close(nt_xent(b, a), nt_xent(a, b))


@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0, 5.0])
def test_nt_xent_of_partners_alike_and_all_else_at_right_angles(temperature):
    n = 4
    expected = -math.log(math.exp(1 / temperature) / (math.exp(1 / temperature) + 2 * n - 2))
    eye = torch.eye(n, dtype=torch.float64)
    assert float(nt_xent(eye, eye, temperature)) == pytest.approx(expected, rel=1e-9)


def test_all_in_one_point_is_chance_at_any_temperature():
    same = torch.ones(6, 3, dtype=torch.float64)
    for temperature in (0.1, 1.0):
        assert float(nt_xent(same, same, temperature)) == pytest.approx(math.log(11))


@pytest.mark.parametrize("loss", [nt_xent, vicreg_loss])
def test_gradients_are_those_of_finite_differences(loss):
    a, b = (v.mul(0.5).requires_grad_() for v in views(3))  # below variance 1, where the hinge is active
    assert torch.autograd.gradcheck(loss, (a, b))
    assert all(g.abs().max() > 1e-3 for g in torch.autograd.grad(loss(a, b), (a, b)))


@pytest.mark.parametrize("loss", [nt_xent, vicreg_loss])
def test_half_precision_is_computed_in_full(loss):
    a, b = (v.bfloat16() for v in views(4, n=16))
    found = loss(a, b)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, loss(a.float(), b.float()))


def vicreg_by_loops(a, b):
    n, d = a.shape
    invariance = sum((float(a[i, k]) - float(b[i, k])) ** 2 for i in range(n) for k in range(d)) / n / d
    variance = covariance = 0.0
    for z in (a.tolist(), b.tolist()):
        mean = [sum(row[k] for row in z) / n for k in range(d)]
        for j in range(d):
            for k in range(d):
                c = sum((row[j] - mean[j]) * (row[k] - mean[k]) for row in z) / (n - 1)
                if j == k:
                    variance += max(0.0, 1 - math.sqrt(c + 1e-4)) / d
                else:
                    covariance += c * c / d
    return invariance, variance, covariance


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 5), st.floats(0.05, 3.0))
@settings(max_examples=25)
def test_vicreg_equals_the_loops(seed, n, d, scale):
    a, b = (v * scale for v in views(seed, n, d))
    expected = vicreg_by_loops(a, b)
    for term, value in zip(vicreg_terms(a, b), expected, strict=True):
        assert float(term) == pytest.approx(value, rel=1e-8, abs=1e-12)
    weighted = 3 * expected[0] + 5 * expected[1] + 7 * expected[2]
    assert float(vicreg_loss(a, b, invariance=3, variance=5, covariance=7)) == pytest.approx(
        weighted, rel=1e-8
    )


def test_each_term_of_vicreg_sees_its_own_failure():
    square = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]) * 2
    assert [round(float(t), 6) for t in vicreg_terms(square, square)] == [0, 0, 0]
    line = square[:, :1].repeat(1, 2)  # both features say the same
    invariance, variance, covariance = vicreg_terms(line, line)
    assert invariance == 0 and variance == 0 and covariance > 1
    _, variance, covariance = vicreg_terms(square * 0, square * 0)
    assert variance > 1.9 and covariance == 0
    assert vicreg_terms(square, square + 1)[0] == 1


@pytest.mark.parametrize("loss", [nt_xent, vicreg_loss])
def test_what_are_no_two_views_is_refused(loss):
    with pytest.raises(UserError, match=r"one shape \(N, D\), not \(3, 2\) and \(4, 2\)"):
        loss(torch.zeros(3, 2), torch.zeros(4, 2))
    with pytest.raises(UserError, match=r"one shape"):
        loss(torch.zeros(3), torch.zeros(3))
    with pytest.raises(UserError, match="at least two"):
        loss(torch.zeros(1, 2), torch.zeros(1, 2))


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan")])
def test_a_temperature_is_above_nought(temperature):
    with pytest.raises(UserError, match="temperature must be above 0"):
        nt_xent(*views(0), temperature)


def test_four_rotations_turn_a_corner_around():
    image = torch.zeros(1, 1, 3, 3)
    image[0, 0, 0, 2] = 1  # upper right
    turned, quarter = four_rotations(image)
    corners = [tuple(t[0].nonzero()[0].tolist()) for t in turned]
    assert corners == [(0, 2), (0, 0), (2, 0), (2, 2)] and quarter.tolist() == [0, 1, 2, 3]


def test_each_rotation_keeps_its_label_in_a_batch():
    images = torch.rand(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    turned, quarter = four_rotations(images)
    back = torch.stack([t.rot90(-int(q), (1, 2)) for t, q in zip(turned, quarter, strict=True)])
    assert torch.equal(back, images.repeat(4, 1, 1, 1))


def test_oblong_images_are_not_turned():
    with pytest.raises(UserError, match="must be square"):
        four_rotations(torch.zeros(1, 1, 3, 4))


def test_noise_wipes_out_whole_pixels_at_its_share():
    g = torch.Generator().manual_seed(0)
    noisy = mask_noise(torch.ones(4, 3, 60, 60), 0.25, g)
    assert set(noisy.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(noisy[:, 0], noisy[:, 2])
    assert abs(float((noisy == 0).float().mean()) - 0.25) < 0.02
    assert not torch.equal(noisy[0], noisy[1])
    assert torch.equal(mask_noise(noisy, 0, g), noisy) and not mask_noise(noisy, 1, g).any()
    with pytest.raises(UserError, match="from 0 to 1"):
        mask_noise(noisy, 1.5, g)
