"""CORAL and subspace alignment against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from tests.adaptation.conftest import made_domains
from transferlab.adaptation.coral import CORAL, shrunk
from transferlab.adaptation.kernels import moments
from transferlab.adaptation.subspace import SubspaceAlignment
from transferlab.errors import UserError


def off(a, b):
    """The largest difference, as a share of the largest value."""
    return np.abs(a - b).max() / np.abs(b).max()


@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(-3, 3))
@settings(max_examples=25, deadline=None)
def test_covariance_and_mean_become_the_targets(seed, d, power):
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(80, d)) @ rng.normal(size=(d, d)) * 10.0**power + 5
    target = rng.normal(size=(50, d)) * rng.uniform(0.1, 9, size=d) - 3
    if np.linalg.cond(np.atleast_2d(np.cov(source.T))) > 1e6:
        return
    moved = CORAL(shrinkage=0).fit(source, np.arange(80) % 2, target).transform(source, domain="source")
    assert off(np.cov(moved.T), np.cov(target.T)) < 1e-6
    np.testing.assert_allclose(moved.mean(0), target.mean(0), atol=1e-7)


@pytest.mark.parametrize(("n", "m", "d"), [(30, 20, 60), (200, 20, 60), (30, 200, 60), (200, 200, 5)])
def test_equally_shrunk_covariances_match_where_there_is_no_full_rank(n, m, d):
    rng = np.random.default_rng(n + d)
    source, target = rng.normal(size=(n, d)) * 3, rng.normal(size=(m, d)) @ rng.normal(size=(d, d))
    model = CORAL(shrinkage=0.01).fit(source, np.arange(n) % 2, target)
    wanted = shrunk(np.cov(target.T), 0.01)
    assert off(model.map_.T @ shrunk(np.cov(source.T), 0.01) @ model.map_, wanted) < 1e-6
    # the source's own covariance, moved, misses the target's by exactly the two terms that were added
    moved = model.transform(source, domain="source")
    added_source = 0.01 * np.trace(np.cov(source.T)) / d
    added_target = 0.01 * np.trace(np.cov(target.T)) / d
    left = np.cov(moved.T) + added_source * model.map_.T @ model.map_
    assert off(left, np.cov(target.T) + added_target * np.eye(d)) < 1e-6


def test_the_map_is_whitening_then_colouring():
    source, y, target, _ = made_domains(2)
    model = CORAL(shrinkage=0).fit(source, y, target)
    by_hand = np.linalg.inv(sqrtm(np.cov(source.T)).real) @ sqrtm(np.cov(target.T)).real
    np.testing.assert_allclose(model.map_, by_hand, atol=1e-9)
    np.testing.assert_array_equal(model.transform(target), target)


def test_domains_alike_are_left_alone():
    source, y, _, _ = made_domains(3)
    np.testing.assert_allclose(
        CORAL().fit(source, y, source[::-1]).transform(source, domain="source"), source, atol=1e-9
    )


def test_the_moved_source_teaches_what_the_source_does_not():
    """The target is the source, stretched and shifted: a symmetric map, which CORAL finds back."""
    source, y, _, _ = made_domains(8, n=400)
    stretch = np.diag([4.0, 0.25, 1.0, 2.0, 0.5, 1.0])
    white = (source - source.mean(0)) @ np.linalg.inv(sqrtm(np.cov(source.T)).real)
    target = white[::-1] @ stretch + 7
    model = CORAL(shrinkage=0).fit(source, y, target)
    np.testing.assert_allclose(model.transform(source, "source"), white @ stretch + 7, atol=1e-8)
    assert model.score(target, y[::-1]) > 0.95


def test_moments_are_numpys_whatever_the_blocks():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(7000, 400)).astype(np.float32) + 50  # two blocks and more
    mean, covariance = moments(X[:10], X[10:])
    np.testing.assert_allclose(mean, X.mean(0, dtype=float), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(X.T.astype(float)), atol=1e-9)


def test_large_float32_tables_reach_the_same_covariance():
    rng = np.random.default_rng(0)
    source = (rng.normal(size=(2**13, 66)) * np.linspace(1, 3, 66) + 2).astype(np.float32)
    target = (rng.normal(size=(2**13, 66)) * np.linspace(3, 1, 66)).astype(np.float32)
    model = CORAL(shrinkage=0)
    model._adapt(source, None, target)
    moved = model._map(source, "source")
    assert moved.dtype == np.float32
    assert off(np.cov(moved.T.astype(float)), np.cov(target.T.astype(float))) < 1e-6


def test_no_full_rank_without_shrinkage_is_refused(domains):
    source, y, target, _ = domains
    with pytest.raises(
        UserError, match=r"6 source samples give a covariance of 6 features no full rank.*shrinkage above 0"
    ):
        CORAL(shrinkage=0).fit(source[:6], y[:6], target)
    doubled = np.hstack([source, source])
    with pytest.raises(UserError, match=r"the source's covariance has no full rank.*shrinkage above 0"):
        CORAL(shrinkage=0).fit(doubled, y, np.hstack([target, target]))
    assert CORAL().fit(doubled, y, np.hstack([target, target])).map_.shape == (12, 12)
    assert CORAL(shrinkage=0).fit(source, y, target[:4]).map_.shape == (6, 6)  # only the source is whitened


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), "auto", None, float("inf"), True])
def test_shrinkage_out_of_range(wrong, domains):
    with pytest.raises(UserError, match=r"shrinkage is .*, but has to be a number of at least 0"):
        CORAL(shrinkage=wrong).fit(*domains[:3])


def test_subspace_alignment_is_its_formula():
    source, y, target, _ = made_domains(4)
    model = SubspaceAlignment(n_components=3).fit(source, y, target)
    p_source, p_target = (
        np.linalg.svd(X - X.mean(0), full_matrices=False)[2][:3].T for X in (source, target)
    )
    by_hand = (source - source.mean(0)) @ p_source @ p_source.T @ p_target
    got = model.transform(source, domain="source")
    np.testing.assert_allclose(got, by_hand * np.sign((got * by_hand).sum(0)), atol=1e-9)
    there = (target - target.mean(0)) @ p_target
    got = model.transform(target)
    np.testing.assert_allclose(got, there * np.sign((got * there).sum(0)), atol=1e-9)


def test_the_alignment_is_the_best_linear_map_of_bases():
    """Fernando et al.: M = PₛᵀPₜ is where ‖Pₛ M - Pₜ‖ is least."""
    source, y, target, _ = made_domains(5)
    model = SubspaceAlignment(n_components=2).fit(source, y, target)
    p_source, p_target = model.source_.components_.T, model.target_.components_.T
    best = np.linalg.norm(p_source @ model.alignment_ - p_target)
    rng = np.random.default_rng(0)
    for _ in range(50):
        other = model.alignment_ + 0.1 * rng.normal(size=(2, 2))
        assert np.linalg.norm(p_source @ other - p_target) > best


@pytest.mark.parametrize("wrong", [0, -1, 7, 2.5, True])
def test_subspace_components_out_of_range(wrong, domains):
    with pytest.raises(UserError, match=rf"n_components is {wrong}, but these domains allow 1 to 6"):
        SubspaceAlignment(n_components=wrong).fit(*domains[:3])


def test_subspace_components_are_bounded_by_samples_where_features_are_more():
    source, y, target, _ = made_domains(0, n=20, m=9, d=40)
    with pytest.raises(UserError, match="n_components is 9, but these domains allow 1 to 8"):
        SubspaceAlignment(n_components=9).fit(source, y, target)
    assert SubspaceAlignment().fit(source, y, target).transform(target).shape == (9, 8)


def _with_skada():
    import sklearn

    reason = "skada is a peer that only the bench extra installs"
    with sklearn.config_context():  # importing skada turns metadata routing on
        return pytest.importorskip("skada", reason=reason)


def test_skada_agrees_on_coral_and_subspaces():
    skada = _with_skada()
    import sklearn

    source, y, target, _ = made_domains(6, n=120, m=120)
    X, domain = np.concatenate([source, target]), np.repeat([1, -2], 120)
    with sklearn.config_context(enable_metadata_routing=True):
        theirs = skada.CORALAdapter(reg=None).fit_transform(X, sample_domain=domain)
        spaces = skada.SubspaceAlignmentAdapter(n_components=3).fit_transform(X, sample_domain=domain)
    ours = CORAL(shrinkage=0).fit(source, y, target)
    # skada centres the target; here the source goes to where the target is
    np.testing.assert_allclose(ours.transform(source, "source") - target.mean(0), theirs[:120], atol=1e-8)
    ours = SubspaceAlignment(n_components=3).fit(source, y, target)
    np.testing.assert_allclose(ours.transform(source, "source"), spaces[:120], atol=1e-8)
    np.testing.assert_allclose(ours.transform(target), spaces[120:], atol=1e-8)
