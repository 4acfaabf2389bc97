"""What the exercises of lesson 12 accept."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from transferlab.course.checks.verdict import Right, Verdict, Wrong, exercise

_LOSS_HINTS = (
    "Stack both views to 2N rows of length 1; all cosines are one matrix product, divided by the temperature.",
    "Each row is a question with one right answer, its partner, N rows further on; it may not answer itself.",
    "np.fill_diagonal(s, -np.inf), then the mean over rows of log(exp(s).sum(1)) - s[row, partner].",
)


def _loss(
    a, b, temperature: float, *, unit=True, self_too=False, partner_out=False, other_view=False
) -> float:
    """NT-Xent, or one of the mistakes that are made with it."""
    z, n = np.concatenate([a, b]), len(a)
    if unit:
        z = z / np.linalg.norm(z, axis=1, keepdims=True)
    s = z @ z.T / temperature
    rows = np.arange(2 * n)
    partner = (rows + n) % (2 * n)
    counted = np.ones_like(s, bool)
    counted[rows, rows] = self_too
    if partner_out:
        counted[rows, partner] = False
    if other_view:
        counted[:n, :n] = counted[n:, n:] = False
    return float((np.log((np.exp(s) * counted).sum(1)) - s[rows, partner]).mean())


def _views(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two noisy views whose rows differ in length, so that a missing normalization shows."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(n, 4))
    return tuple((centre + 0.8 * rng.normal(size=(n, 4))) * rng.uniform(0.5, 2, (n, 1)) for _ in range(2))


_ASKED = [(*_views(n, n), t) for n, t in ((5, 0.5), (8, 0.3), (6, 1.7))]


@exercise(required=True)
def contrastive(answer):
    """A function of two views (N, D) and a temperature that gives the mean contrastive loss, one number."""
    if not callable(answer):
        return Wrong("This is no function: a number fits one pair of views only.", hints=_LOSS_HINTS)
    try:
        given = [np.asarray(answer(a.copy(), b.copy(), t), float) for a, b, t in _ASKED]
    except (ValueError, IndexError):
        return Wrong(
            "The shapes do not fit: N rows in each view make a matrix of 2N x 2N.", hints=_LOSS_HINTS
        )
    if any(value.ndim for value in given):
        return Wrong("It gives more than one number: take the mean over all 2N rows.", hints=_LOSS_HINTS)
    found = np.array(given)
    if not np.isfinite(found).all():
        return Wrong(
            "It is not finite: -inf on the diagonal is for the exponential alone, not for a sum or a product.",
            hints=_LOSS_HINTS,
        )
    if _same(found, [_loss(*asked) for asked in _ASKED]):
        return Right(
            "Every view picks its partner out of all others, and all others push: that is the whole task."
        )
    return Wrong(_loss_mistake(found), hints=_LOSS_HINTS)


def _loss_mistake(found: np.ndarray) -> str:
    known = {
        "A view is compared with itself, too: its cosine of 1 is the largest of all and can be pushed nowhere. Leave "
        "the diagonal out.": {"self_too": True},
        "The partner is missing from the denominator: the loss then falls below 0 and is no cross-entropy. Only the "
        "view itself is left out.": {"partner_out": True},
        "The rows are not of length 1: without that, the loss can be lowered by making vectors longer. Divide by their "
        "norms.": {"unit": False},
        "Only the other view's rows are compared with. Rows of the same view are wrong answers, too: 2N - 1 in all.": {
            "other_view": True
        },
        "The view itself is counted and the partner is not; it should be the other way round.": {
            "self_too": True, "partner_out": True
        },
        "The rows are not of length 1, and a view is compared with itself.": {"unit": False, "self_too": True},
    }  # fmt: skip
    for why, settings in known.items():
        if _same(found, [_loss(*asked, **settings) for asked in _ASKED]):
            return why
    plain = np.array([_loss(*asked) for asked in _ASKED])
    sizes = np.array([2 * len(a) for a, _, _ in _ASKED])
    shapes = {
        "The temperature was not used: divide the cosines by it before the exponential.": [
            _loss(a, b, 1.0) for a, b, _ in _ASKED
        ],
        "The cosines are multiplied by the temperature; divide by it.": [
            _loss(a, b, 1 / t) for a, b, t in _ASKED
        ],
        "The sign is turned round: the loss is minus the log of the partner's share.": -plain,
        "This is the sum over rows; take the mean, so that a larger batch is not a larger loss.": plain
        * sizes,
        "The sum over both views is divided by N; there are 2N rows.": 2 * plain,
        "This is the mean of the partners' shares; the loss is minus their logarithm.": [
            _share(*asked) for asked in _ASKED
        ],
        "One view asks and the other never does: each of the 2N rows is asked for its partner.": [
            _one_way(*asked) for asked in _ASKED
        ],
    }
    for why, values in shapes.items():
        if _same(found, values):
            return why
    return "The values differ from the mean of log(sum of exp over all others) less the partner's cosine."


def _share(a, b, temperature: float) -> float:
    return float(np.exp(-_rows(a, b, temperature)).mean())


def _one_way(a, b, temperature: float) -> float:
    return float(_rows(a, b, temperature)[: len(a)].mean())


def _rows(a, b, temperature: float) -> np.ndarray:
    z = np.concatenate([a, b])
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    s = z @ z.T / temperature
    np.fill_diagonal(s, -np.inf)
    return np.log(np.exp(s).sum(1)) - s[np.arange(len(z)), (np.arange(len(z)) + len(a)) % len(z)]


def _same(a, b) -> bool:
    return bool(np.allclose(np.asarray(a, float), np.asarray(b, float), atol=1e-6))


def _table(clusters, classes) -> np.ndarray:
    k = int(max(clusters.max(), classes.max())) + 1
    return np.bincount(clusters * k + classes, minlength=k * k).reshape(k, k)


def _from_table(table) -> tuple[np.ndarray, np.ndarray]:
    """Clusters and classes, in a mixed order, whose counts are ``table`` (cluster, class)."""
    rows, columns = np.indices(np.shape(table))
    counts = np.ravel(table)
    order = np.random.default_rng(0).permutation(counts.sum())
    return tuple(np.repeat(part.ravel(), counts)[order] for part in (rows, columns))


#: Where the greedy match is not the best one, where one class owns most of two clusters, and an easy one.
_CLUSTERED = [
    _from_table(t) for t in ([[9, 8, 0], [8, 1, 2], [0, 3, 6]], [[9, 1, 4], [7, 6, 0], [0, 2, 1]],
                             [[0, 7, 1], [1, 0, 8], [6, 2, 0]])
]  # fmt: skip


def _asked_of_clusters(answer, hints) -> np.ndarray | Wrong:
    if not callable(answer):
        return Wrong("This is no function of clusters and classes.", hints=hints)
    given = [np.asarray(answer(c.copy(), y.copy()), float) for c, y in _CLUSTERED]
    if any(value.ndim for value in given):
        return Wrong("It gives more than one number; the score is one for all samples.", hints=hints)
    return np.array(given)


@exercise()
def matched(answer) -> Verdict:
    """A function of clusters and classes (N,), both from 0 on: the share right under the best one-to-one names."""
    hints = (
        "Count first: a table with a row for each cluster and a column for each class.",
        "Each class names one cluster and each cluster has one name; of all such choices, take the one with most hits.",
        "linear_sum_assignment(table, maximize=True) gives rows and columns; table[rows, columns].sum() / N.",
    )
    found = _asked_of_clusters(answer, hints)
    if isinstance(found, Wrong):
        return found
    tables = [_table(*each) for each in _CLUSTERED]
    best = np.array([_assigned(t, True) for t in tables])
    if _same(found, best):
        return Right("No clustering has names; the best match lends it some, and uses every label for that.")
    known = {
        "Two clusters were given the same name: this is purity, which reaches 1 with a cluster for each sample.": [
            t.max(1).sum() / t.sum() for t in tables
        ],
        "Two classes may share a cluster here: each class takes its best cluster, though a cluster has one name.": [
            t.max(0).sum() / t.sum() for t in tables
        ],
        "The numbers of clusters are taken for those of classes; they are arbitrary.": [
            np.trace(t) / t.sum() for t in tables
        ],
        "The largest count was taken first, and then the next: greedy choices can spoil the rest.": [
            _greedy(t) for t in tables
        ],
        "This is the worst match: linear_sum_assignment looks for the least unless maximize=True.": [
            _assigned(t, False) for t in tables
        ],
        "This is the share of wrong ones.": 1 - best,
        "This counts samples; divide by how many there are.": [
            b * t.sum() for b, t in zip(best, tables, strict=True)
        ],
    }
    return Wrong(
        next(
            (why for why, v in known.items() if _same(found, v)),
            "These are not the shares of the best match.",
        ),
        hints=hints,
    )


def _assigned(table, maximize: bool) -> float:
    return float(table[linear_sum_assignment(table, maximize=maximize)].sum() / table.sum())


def _greedy(table) -> float:
    left, hits = table.astype(float), 0.0
    for _ in range(len(table)):
        row, column = np.unravel_index(left.argmax(), left.shape)
        hits += table[row, column]
        left[row], left[:, column] = -1, -1
    return float(hits / table.sum())


def _pairs(counts) -> float:
    counts = np.asarray(counts, float)
    return float((counts * (counts - 1) / 2).sum())


def _parts(table) -> tuple[float, float, float, float]:
    """Pairs together in both, in clusters, in classes, and all."""
    return _pairs(table), _pairs(table.sum(1)), _pairs(table.sum(0)), _pairs(table.sum())


@exercise()
def rand(answer) -> Verdict:
    """A function of clusters and classes (N,), both numbered from 0: the Rand index adjusted for chance."""
    hints = (
        "Count pairs: n samples make n (n - 1) / 2. Four counts do: together in both, in clusters, in classes, in all.",
        "By chance, clusters x classes / all pairs are together in both; the best is the mean of clusters and classes.",
        "(both - chance) / ((clusters + classes) / 2 - chance)",
    )
    found = _asked_of_clusters(answer, hints)
    if isinstance(found, Wrong):
        return found
    counted = [_parts(_table(*each)) for each in _CLUSTERED]
    if _same(found, [(b - c * k / n) / ((c + k) / 2 - c * k / n) for b, c, k, n in counted]):
        return Right("Nought by chance, one where clusters are the classes, and no names are needed.")
    known = {
        "This is the plain Rand index: it is far above 0 by chance. Take off what chance gives, above and below.": [
            (n + 2 * b - c - k) / n for b, c, k, n in counted
        ],
        "Chance was taken off above and not below: the best would not reach 1.": [
            (b - c * k / n) / ((c + k) / 2) for b, c, k, n in counted
        ],
        "Chance was taken off below and not above.": [
            b / ((c + k) / 2 - c * k / n) for b, c, k, n in counted
        ],
        "Chance was not taken off at all.": [b / ((c + k) / 2) for b, c, k, n in counted],
        "The best is taken for all pairs; it is the mean of the pairs in clusters and in classes.": [
            (b - c * k / n) / (n - c * k / n) for b, c, k, n in counted
        ],
        "Chance was not divided by the number of all pairs.": [
            (b - c * k) / ((c + k) / 2 - c * k) for b, c, k, n in counted
        ],
    }
    return Wrong(
        next((why for why, v in known.items() if _same(found, v)), "These are not the adjusted indices."),
        hints=hints,
    )
