"""TCA: components in which both domains have the same mean, found by one generalized eigenproblem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from transferlab.adaptation.base import FeatureAdapter
from transferlab.adaptation.kernels import KernelFeatures, blocks, check_kernel, check_number, moments
from transferlab.adaptation.subspace import components_wanted

_NOTHING = 1e-10  # share of the largest variance below which a direction is noise of rounding


@dataclass(frozen=True)
class Eigenproblem:
    """A W = B W Λ with its solution: the W that makes tr(Wᵀ A W) least among all with Wᵀ B W = I.

    A = Σ m mᵀ + μ I over the rows m of ``differences`` (k, r), and B is diagonal, ``variances`` (r,). These are the
    N×N problem of the paper, (K M K + μ I) W = K H K W Λ, written in the eigenvectors of the centred kernel K, which
    changes neither the optimum nor the objective. A is positive definite, so B w = θ A w is solved for the largest
    θ = 1/λ, a symmetric-definite problem. A⁻¹ B is not symmetric: a symmetric solver answers another question there.

    ``components`` : float (r, d), the W; ``eigenvalues`` : float (d,), Λ, ascending, whose sum is the objective.
    """

    differences: np.ndarray
    variances: np.ndarray
    mu: float
    components: np.ndarray
    eigenvalues: np.ndarray

    @classmethod
    def solve(cls, differences, variances, mu: float, n_components: int) -> Eigenproblem:
        """The problem with its optimum of ``n_components`` columns.

        Examples
        --------
        >>> problem = Eigenproblem.solve(np.array([[0.0, 9.0]]), np.array([4.0, 5.0]), 1.0, 1)
        >>> problem.components.round(6).tolist(), problem.eigenvalues.tolist()  # the second direction differs
        ([[0.5], [0.0]], [0.25])
        """
        last = len(variances) - 1
        a = differences.T @ differences + mu * np.eye(last + 1)
        theta, vectors = eigh(np.diag(variances), a, subset_by_index=(last - n_components + 1, last))
        theta, vectors = theta[::-1], vectors[:, ::-1]
        vectors = vectors * np.where(vectors[np.abs(vectors).argmax(0), np.arange(n_components)] < 0, -1, 1)
        return cls(differences, variances, mu, vectors / np.sqrt(theta), 1 / theta)

    @property
    def a(self) -> np.ndarray:
        return self.differences.T @ self.differences + self.mu * np.eye(len(self.variances))

    @property
    def b(self) -> np.ndarray:
        return np.diag(self.variances)

    def residual(self) -> float:
        """The largest ‖A w - λ B w‖ / ‖A w‖ of a component."""
        left = self.a @ self.components
        off = left - self.variances[:, None] * self.components * self.eigenvalues
        return float((np.linalg.norm(off, axis=0) / np.linalg.norm(left, axis=0)).max())

    def objective(self, W: np.ndarray | None = None) -> float:
        """tr(Wᵀ A W), of the solution when None."""
        W = self.components if W is None else W
        return float(((self.differences @ W) ** 2).sum() + self.mu * (W**2).sum())


class TCA(FeatureAdapter):
    """Transfer component analysis (Pan, Tsang, Kwok and Yang 2011).

    Finds the components W with tr(Wᵀ K L K W) + μ tr(Wᵀ W) least and Wᵀ K H K W = I: the difference of the
    domains' means is small, the variance is kept. K is centred and scaled to a mean diagonal of 1, so that a shift
    or a unit of the features changes nothing. Both kernels are exact up to ``landmarks`` samples, and ``"linear"``
    also up to as many features, whatever the number of samples; beyond, K is approximated by Nyström's method.

    Parameters
    ----------
    n_components : directions that are kept; as many as there are, at most 30, when None
    mu : weight of ‖W‖² against the difference of means, above 0
    kernel : ``"linear"`` or ``"rbf"`` (its width is the median distance)
    landmarks : size of the kernel's basis, 2 to 4,000
    classifier : any scikit-learn classifier; standardized features and logistic regression when None
    random_state : seed of the landmarks

    Attributes: ``steps_``, a list of one :class:`Eigenproblem`. ``transform`` gives the components scaled to unit
    variance over both domains.

    Raises
    ------
    UserError
        on ``fit``, for a kernel that is not known, ``mu`` of 0 or less, and more components than there are.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(60, 4)), rng.normal(size=(50, 4)) + 1
    >>> model = TCA(n_components=2).fit(source, source[:, 0] > 0, target)
    >>> model.transform(target).shape, model.steps_[0].residual() < 1e-6
    ((50, 2), True)
    """

    def __init__(
        self, *, n_components=None, mu=1.0, kernel="linear", landmarks=1000, classifier=None, random_state=0
    ):
        super().__init__(classifier=classifier)
        self.n_components = n_components
        self.mu = mu
        self.kernel = kernel
        self.landmarks = landmarks
        self.random_state = random_state

    def _check(self, source, target):
        check_kernel(self.kernel, self.landmarks)
        check_number("mu", self.mu, 0, whole=False, above=True)
        n = len(source) + len(target)
        most = source.shape[1] if self.kernel == "linear" else n - 1
        components_wanted(self.n_components, min(most, n - 1))

    def _adapt(self, source, codes, target, *, domains=None, X_few=None, few=None):
        rows = self._kernel_rows(source, target)
        self._solve([domain_difference(*rows)])

    def _kernel_rows(self, source, target) -> tuple[np.ndarray, np.ndarray]:
        """Kernel features of both domains; what the eigenproblem needs of all of them is kept."""
        self.features_ = KernelFeatures(self.kernel, self.landmarks, self.random_state).fit(source, target)
        rows = self.features_(source), self.features_(target)
        n = len(source) + len(target)
        self._centre, covariance = moments(*rows)
        spread = covariance * (n - 1)
        values, vectors = np.linalg.eigh(spread * n / np.trace(spread))  # the mean of K's diagonal is 1
        kept = values > values[-1] * _NOTHING
        self._values = values[kept]
        # rows of K in its own eigenvectors: centred features times these
        self._turn = vectors[:, kept] * np.sqrt(self._values * n / np.trace(spread))
        self._scale = np.sqrt(n - 1)
        self.steps_ = []
        self.n_components_ = components_wanted(self.n_components, len(self._values))
        return rows

    def _solve(self, differences: list[np.ndarray]) -> None:
        """One more step: the components that are best for these differences of mean kernel features."""
        step = Eigenproblem.solve(
            np.stack(differences) @ self._turn, self._values**2, self.mu, self.n_components_
        )
        self.steps_.append(step)
        self.map_ = self._turn @ step.components * self._scale

    def _components(self, rows: np.ndarray) -> np.ndarray:
        return (rows @ self.map_.astype(rows.dtype) - (self._centre @ self.map_)).astype(np.float64)

    def _map(self, X, domain):
        if self.features_.map is None:
            return self._components(X)
        out = np.empty((len(X), self.map_.shape[1]))
        for rows, block in blocks(X, self.features_.size):
            out[rows] = self._components(self.features_(block))
        return out


def domain_difference(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(q,): the mean row of the source less that of the target.

    Examples
    --------
    >>> domain_difference(np.array([[0.0], [2.0]]), np.array([[5.0]])).tolist()
    [-4.0]
    """
    return source.mean(0, dtype=np.float64) - target.mean(0, dtype=np.float64)
