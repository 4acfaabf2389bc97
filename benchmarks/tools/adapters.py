"""Adaptation on feature arrays by transferlab, POT and skada: rows of a table, and what runs in each."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from transferlab.adaptation.base import default_classifier, fit_weighted
from transferlab.adaptation.coral import CORAL
from transferlab.adaptation.density_ratio import DensityRatio
from transferlab.adaptation.joint_components import JDA
from transferlab.adaptation.kernel_components import TCA
from transferlab.adaptation.kmm import KMM
from transferlab.adaptation.optimal_transport import OptimalTransport
from transferlab.adaptation.subspace import SubspaceAlignment
from transferlab.adaptation.tradaboost import TrAdaBoost

OURS = "transferlab"
ENTROPY = 0.05


def now() -> tuple[float, float]:
    """What the clock on the wall says, and what the processor has spent in all threads."""
    return time.perf_counter(), time.process_time()


def since(start: tuple[float, float]) -> tuple[float, float]:
    wall, processor = now()
    return wall - start[0], processor - start[1]


class Clocked(ClassifierMixin, BaseEstimator):
    """The default classifier, and how long each of its fits took; every tool gets the same one."""

    spent: list[tuple[float, float]] = []  # noqa: RUF012 - clones have to share it

    def fit(self, X, y, sample_weight=None):
        start = now()
        self.inner_ = fit_weighted(default_classifier(), X, y, sample_weight)
        self.classes_ = self.inner_.classes_
        self.spent.append(since(start))
        return self

    def predict(self, X):
        return self.inner_.predict(X)

    def predict_proba(self, X):
        return self.inner_.predict_proba(X)


def ours(kind: type, **settings) -> Callable:
    """A tool: domains in, accuracy on the target out."""

    def run(X, y, target, truth):
        few = {}
        if kind is TrAdaBoost:
            few = {"X_target_labelled": target[:100], "y_target_labelled": truth[:100]}
        return kind(classifier=Clocked(), **settings).fit(X, y, target, **few).score(target, truth)

    run.needs = "ot" if kind is OptimalTransport else None
    return run


def pot(kind: str, **settings) -> Callable:
    def run(X, y, target, truth):
        import ot

        moved = getattr(ot.da, kind)(**settings).fit_transform(
            Xs=X.astype(np.float64), ys=y, Xt=target.astype(np.float64)
        )
        return Clocked().fit(moved, y).score(target, truth)

    run.needs = "ot"
    return run


def skada(kind: str, **settings) -> Callable:
    def run(X, y, target, truth):
        import skada as peer

        both, domain = np.concatenate([X, target]), np.repeat([1, -2], [len(X), len(target)])
        adapter = getattr(peer, kind)(**settings).fit(both, np.concatenate([y, y]), sample_domain=domain)
        if hasattr(adapter, "compute_weights"):
            weights = np.asarray(adapter.compute_weights(both, sample_domain=domain))[: len(X)]
            return Clocked().fit(X, y, weights).score(target, truth)
        moved = adapter.transform(both, sample_domain=domain, allow_source=True)
        return Clocked().fit(moved[: len(X)], y).score(moved[len(X) :], truth)

    run.needs = "skada"
    return run


# name: seconds wanted at 5,000 × 256 without the final classifier (None: nothing was promised), and the tools
ROWS: dict[str, tuple[float | None, dict[str, Callable]]] = {
    "CORAL": (2, {OURS: ours(CORAL), "skada": skada("CORALAdapter", reg=1e-3)}),
    "SubspaceAlignment": (
        2,
        {OURS: ours(SubspaceAlignment), "skada": skada("SubspaceAlignmentAdapter", n_components=30)},
    ),
    "TCA": (
        2,
        {
            OURS: ours(TCA),
            "skada": skada("TransferComponentAnalysisAdapter", kernel="linear", n_components=30, mu=1.0),
        },
    ),
    "JDA": (2, {OURS: ours(JDA)}),
    "TCA, RBF": (None, {OURS: ours(TCA, kernel="rbf")}),
    "JDA, RBF": (None, {OURS: ours(JDA, kernel="rbf")}),
    "DensityRatio": (None, {OURS: ours(DensityRatio), "skada": skada("DiscriminatorReweightAdapter")}),
    "KMM": (20, {OURS: ours(KMM), "skada": skada("KMMReweightAdapter", B=20.0)}),
    "TrAdaBoost": (None, {OURS: ours(TrAdaBoost)}),
    "OptimalTransport": (
        20,
        {
            OURS: ours(OptimalTransport, regularization=ENTROPY),
            "POT": pot("SinkhornTransport", reg_e=ENTROPY, norm="median", method="sinkhorn", tol=1e-6),
        },
    ),
    "OptimalTransport, classes": (
        20,
        {
            OURS: ours(OptimalTransport, method="classes", regularization=ENTROPY),
            "POT": pot("SinkhornLpl1Transport", reg_e=ENTROPY, reg_cl=0.1, norm="median"),
        },
    ),
    "OptimalTransport, exact": (
        20,
        {OURS: ours(OptimalTransport, method="exact"), "POT": pot("EMDTransport", norm="median")},
    ),
}
