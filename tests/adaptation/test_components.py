"""TCA and JDA: each step solves the paper's N×N problem and reaches its optimum."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from tests.adaptation.conftest import made_domains
from transferlab.adaptation.base import SourceOnly
from transferlab.adaptation.joint_components import JDA, class_means
from transferlab.adaptation.kernel_components import TCA, Eigenproblem
from transferlab.adaptation.kernels import KernelFeatures, draw_rows, median_distance
from transferlab.errors import UserError


def kernel_table(model, X):
    """The paper's K (N, N), centred and scaled as the docstring says, by an explicit formula."""
    if model.kernel == "linear":
        K = X @ X.T
    else:
        width = np.median(cdist(X, X)[np.triu_indices(len(X), 1)])
        K = np.exp(-(cdist(X, X) ** 2) / (2 * width**2))
    H = np.eye(len(X)) - 1 / len(X)
    K = H @ K @ H
    return K / np.diag(K).mean()


def paper_problem(model, source, target, pairs):
    """A and B of the paper by explicit loops over samples; ``pairs`` are masks whose means should agree."""
    X = np.concatenate([source, target])
    K = kernel_table(model, X)
    M = np.zeros_like(K)
    for here, there in pairs:
        e = np.zeros(len(X))
        for i in range(len(X)):
            if i < len(source) and here[i]:
                e[i] = 1 / here.sum()
            if i >= len(source) and there[i - len(source)]:
                e[i] = -1 / there.sum()
        M += np.outer(e, e)
    H = np.eye(len(X)) - 1 / len(X)
    return K, K @ M @ K + model.mu * np.eye(len(X)), K @ H @ K


def all_of(source, target):
    return np.ones(len(source), bool), np.ones(len(target), bool)


def dual(K, model, source, target):
    """W (N, d) of the paper: the shortest with K W = the components of all samples."""
    moved = np.concatenate([model.transform(source, "source"), model.transform(target)])
    return np.linalg.pinv(K, rcond=1e-9, hermitian=True) @ moved / np.sqrt(len(K) - 1)


def relative_residual(A, B, W, values):
    left = A @ W
    return (np.linalg.norm(left - B @ W * values, axis=0) / np.linalg.norm(left, axis=0)).max()


def normalized(W, B):
    """The same span with Wᵀ B W = I."""
    return W @ np.linalg.inv(np.linalg.cholesky(W.T @ B @ W)).T


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("mu", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("shape", [(40, 30, 6), (12, 14, 60)])
def test_tca_solves_the_papers_problem(kernel, mu, shape):
    source, y, target, _ = made_domains(1, *shape[:2], d=shape[2])
    model = TCA(n_components=4, mu=mu, kernel=kernel).fit(source, y, target)
    K, A, B = paper_problem(model, source, target, [all_of(source, target)])
    W, step = dual(K, model, source, target), model.steps_[0]
    assert step.residual() < 1e-6
    assert relative_residual(A, B, W, step.eigenvalues) < 1e-6
    np.testing.assert_allclose(W.T @ B @ W, np.eye(4), atol=1e-6)
    np.testing.assert_allclose(np.trace(W.T @ A @ W), step.objective(), rtol=1e-6)
    np.testing.assert_allclose(step.eigenvalues.sum(), step.objective(), rtol=1e-6)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_every_step_of_jda_solves_its_problem(kernel):
    source, y, target, _ = made_domains(2, 50, 40, shift=2.0)
    model = JDA(n_components=3, kernel=kernel, iterations=5, classifier=GaussianNB())
    model.fit(source, y, target)
    assert len(model.steps_) >= 2
    assert max(step.residual() for step in model.steps_) < 1e-6
    assert len(model.steps_[0].differences) == 1
    # the last step by the paper's matrices: its guesses are those that came before it, or still hold
    again = JDA(n_components=3, kernel=kernel, iterations=len(model.steps_) - 1, classifier=GaussianNB())
    guessed = again.fit(source, y, target).pseudo_labels_
    pairs = [all_of(source, target)] + [(y == c, guessed == c) for c in np.intersect1d(y, guessed)]
    K, A, B = paper_problem(model, source, target, pairs)
    W = dual(K, again, source, target)
    assert relative_residual(A, B, W, again.steps_[-1].eigenvalues) < 1e-6
    np.testing.assert_allclose(np.trace(W.T @ A @ W), again.steps_[-1].objective(), rtol=1e-6)


def solved_steps():
    source, y, target, _ = made_domains(3, 60, 50, shift=2.0)
    for kernel in ("linear", "rbf"):
        yield from JDA(n_components=3, kernel=kernel, mu=0.1).fit(source, y, target).steps_


def test_no_other_feasible_components_are_better():
    rng = np.random.default_rng(0)
    for step in solved_steps():
        best, size = step.objective(), len(step.variances)
        np.testing.assert_allclose(step.components.T @ step.b @ step.components, np.eye(3), atol=1e-8)
        for spread in (1e-4, 1e-2, 1.0, 100.0):
            near = step.components + spread * np.linalg.norm(step.components) * rng.normal(size=(size, 3))
            assert step.objective(normalized(near, step.b)) >= best * (1 - 1e-9)
        values, vectors = scipy.linalg.eig(np.linalg.solve(step.a, step.b))  # not symmetric, solved as such
        order = np.argsort(-values.real)[:3]
        other = normalized(vectors[:, order].real, step.b)
        np.testing.assert_allclose(step.objective(other), best, rtol=1e-6)


def test_a_symmetric_solver_on_the_nonsymmetric_matrix_falls_short():
    worse = []
    for step in solved_steps():
        values, vectors = np.linalg.eigh(np.linalg.solve(step.a, step.b))
        wrong = vectors[:, np.argsort(-np.abs(values))[:3]]
        other = normalized(wrong, step.b)
        assert step.objective(other) >= step.objective() * (1 - 1e-9)
        residual = relative_residual(step.a, step.b, other, np.diag(other.T @ step.a @ other))
        worse.append((step.objective(other) / step.objective(), residual))
    assert min(residual for _, residual in worse) > 1e-2
    assert max(ratio for ratio, _ in worse) > 1.05


@given(st.integers(0, 10_000), st.integers(2, 12), st.floats(-2, 2))
@settings(max_examples=25, deadline=None)
def test_eigenproblem_against_scipys_general_solver(seed, size, power):
    rng = np.random.default_rng(seed)
    differences, variances = rng.normal(size=(3, size)), rng.uniform(0.1, 5, size)
    step = Eigenproblem.solve(differences, variances, 10.0**power, max(1, size // 2))
    values = np.sort(scipy.linalg.eigvals(step.a, step.b).real)
    np.testing.assert_allclose(step.eigenvalues, values[: len(step.eigenvalues)], rtol=1e-6)
    assert step.residual() < 1e-6


def mmd(source, target):
    """Squared difference of means: MMD with a linear kernel."""
    return float(((source.mean(0) - target.mean(0)) ** 2).sum())


@pytest.mark.parametrize("method", [TCA, JDA])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_the_domains_come_nearer(method, kernel):
    source, y, target, _ = made_domains(4, shift=3.0)
    both = np.concatenate([source, target])
    size = np.trace(np.cov(both.T))
    model = method(n_components=3, kernel=kernel).fit(source, y, target)
    moved = model.transform(source, "source"), model.transform(target)
    after = mmd(*moved) / np.trace(np.cov(np.concatenate(moved).T))
    assert after < 0.1 * mmd(source, target) / size


def test_components_have_unit_variance_and_no_correlation():
    source, y, target, _ = made_domains(5)
    model = TCA(n_components=4, kernel="rbf").fit(source, y, target)
    both = np.concatenate([model.transform(source, "source"), model.transform(target)])
    np.testing.assert_allclose(np.cov(both.T), np.eye(4), atol=1e-8)
    np.testing.assert_allclose(both.mean(0), 0, atol=1e-8)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_a_shift_or_a_unit_of_all_features_changes_nothing(kernel):
    source, y, target, _ = made_domains(6)
    one, other = (
        TCA(n_components=3, kernel=kernel).fit(a * source + b, y, a * target + b).transform(a * target + b)
        for a, b in ((1.0, 0.0), (1000.0, 70.0))
    )
    np.testing.assert_allclose(one, other, atol=1e-6)


def conditional_shift(seed):
    """Three classes, told by features 0 to 2 in both domains; in features 3 to 5 the target swaps their places."""
    rng = np.random.default_rng(seed)
    y, right, swapped = np.arange(240) % 3, np.eye(3, 6), np.eye(3, 6, 3)
    source = rng.normal(size=(240, 6)) + 3 * right[y] + 3 * swapped[y]
    target = rng.normal(size=(240, 6)) + 3 * right[y] + 2 * swapped[(y + 1) % 3]
    return source, y, target, y


def test_jda_mends_a_shift_within_classes_that_tca_does_not_see():
    scores = []
    for seed in range(5):
        source, y, target, truth = conditional_shift(seed)
        models = [method(n_components=2, mu=0.1, classifier=GaussianNB()) for method in (TCA, JDA)]
        scores.append([model.fit(source, y, target).score(target, truth) for model in models])
    gain = np.diff(scores, axis=1).ravel()
    assert gain.min() > 0.05 and np.mean(scores, 0)[1] > 0.9


def test_jda_stops_when_the_guesses_stay(domains):
    source, y, target, truth = domains
    model = JDA(n_components=2, iterations=50).fit(source, y, target)
    assert len(model.steps_) < 20
    assert (model.pseudo_labels_ == truth).mean() > 0.9
    once = JDA(n_components=2, iterations=1).fit(source, y, target)
    assert len(once.steps_) == 2 and len(once.steps_[1].differences) == 4


def test_jda_leaves_out_a_class_that_is_not_guessed(domains):
    source, y, target, truth = domains
    near = target[truth < 2]
    model = JDA(n_components=2, classifier=KNeighborsClassifier(1)).fit(source + 0, y, near)
    assert all(np.isfinite(step.components).all() for step in model.steps_)
    assert len(model.steps_[-1].differences) - 1 == len(np.unique(model.pseudo_labels_))


def test_class_means_by_a_loop():
    rng = np.random.default_rng(0)
    rows, codes = rng.normal(size=(50, 3)), rng.integers(0, 4, 50)
    for c in range(4):
        np.testing.assert_allclose(class_means(rows, codes, 4)[c], rows[codes == c].mean(0))


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_kernel_features_are_exact_up_to_the_landmarks(kernel):
    rng = np.random.default_rng(0)
    source, target, new = rng.normal(size=(15, 40)), rng.normal(size=(10, 40)), rng.normal(size=(4, 40))
    features = KernelFeatures(kernel, 25, 0).fit(source, target)
    both = np.concatenate([source, target])
    for X in (both, new):
        K = X @ both.T if kernel == "linear" else np.exp(-(cdist(X, both) ** 2) / 2 / features.width**2)
        np.testing.assert_allclose(features(X) @ features(both).T, K, atol=1e-8)
    if kernel == "rbf":
        assert features.width == pytest.approx(median_distance(both))


def test_more_landmarks_are_a_better_kernel():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(150, 3)), rng.normal(size=(150, 3))
    both = np.concatenate([source, target])
    errors = []
    for landmarks in (5, 40, 300):
        features = KernelFeatures("rbf", landmarks, 0).fit(source, target)
        K = np.exp(-(cdist(both, both) ** 2) / 2 / features.width**2)
        errors.append(np.abs(features(both) @ features(both).T - K).mean())
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_landmarks_are_drawn_from_both_without_repeats():
    source, target = np.arange(30.0)[:, None], np.arange(30.0, 50)[:, None]
    drawn = draw_rows(source, target, 25, 3).ravel()
    assert len(set(drawn)) == 25 and (drawn < 30).any() and (drawn >= 30).any()
    assert draw_rows(source, target, 99, 3).ravel().tolist() == list(range(50))


def test_nystrom_still_adapts():
    source, y, target, truth = made_domains(7, 600, 500, shift=3.0)
    plain = SourceOnly(classifier=GaussianNB()).fit(source, y, target).score(target, truth)
    model = TCA(n_components=3, kernel="rbf", landmarks=100, classifier=GaussianNB()).fit(source, y, target)
    assert model.steps_[0].residual() < 1e-6
    assert model.score(target, truth) > plain


@pytest.mark.parametrize("method", [TCA, JDA])
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"mu": 0}, "mu is 0, but has to be a number above 0"),
        ({"mu": -1.0}, "mu is -1.0, but has to be a number above 0"),
        ({"mu": "auto"}, "mu is 'auto', but has to be a number above 0"),
        ({"kernel": "poly"}, "the kernel 'poly' is not known; use 'linear' or 'rbf'"),
        ({"n_components": 0}, "n_components is 0, but these domains allow 1 to 6"),
        ({"n_components": 7}, "n_components is 7, but these domains allow 1 to 6"),
        ({"n_components": 1.5}, "n_components is 1.5, but these domains allow"),
        ({"n_components": 220, "kernel": "rbf"}, "n_components is 220, but these domains allow 1 to 219"),
        ({"landmarks": 1}, "landmarks is 1, but has to be a whole number from 2 to 4000"),
        ({"landmarks": 5000}, "landmarks is 5000, but has to be a whole number from 2 to 4000"),
    ],
)
def test_settings_out_of_range(method, wrong, sentence, domains):
    with pytest.raises(UserError, match=sentence):
        method(**wrong).fit(*domains[:3])


def test_components_beyond_the_rank_are_refused(domains):
    source, y, target, _ = domains
    source, target = (np.hstack([X, X[:, :2]]) for X in (source, target))
    with pytest.raises(UserError, match="n_components is 8, but these domains allow 1 to 6"):
        TCA(n_components=8).fit(source, y, target)
    assert TCA().fit(source, y, target).transform(target).shape[1] == 6
    few = made_domains(0, n=6, m=5, d=40)
    with pytest.raises(UserError, match="n_components is 11, but these domains allow 1 to 10"):
        TCA(n_components=11).fit(*few[:3])
    with pytest.raises(UserError, match="n_components is 30, but these domains allow 1 to 20"):
        TCA(n_components=30, kernel="rbf", landmarks=20).fit(*made_domains(0)[:3])


def test_iterations_out_of_range(domains):
    with pytest.raises(UserError, match="iterations is 0, but has to be a whole number of at least 1"):
        JDA(iterations=0).fit(*domains[:3])
