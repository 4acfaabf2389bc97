"""What the exercises of lesson 15 accept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from transferlab.active.oracles import Answer, HiddenLabels
from transferlab.active.stopping import kappa
from transferlab.course.checks.verdict import Right, Verdict, Wrong, exercise

_MARGIN_HINTS = (
    "For each image without a label: the largest probability less the second largest. A small lead is a close call.",
    "np.sort(probabilities, axis=1)[:, -2:] holds the two; labelled images need a lead that is never the smallest.",
    "lead[labelled] = np.inf, then oracle.ask(np.argsort(lead)[:n]).",
)


class _Counted(HiddenLabels):
    """Notes every position that it is asked about."""

    def __init__(self, labels):
        super().__init__(labels)
        self.asked: list[int] = []

    def ask(self, positions) -> list[Answer]:
        self.asked += [int(p) for p in np.ravel(positions)]
        return super().ask(positions)


def _pool(seed: int, n: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, labels and labelled positions; some labelled images have the smallest lead of all."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(classes, 0.7), n)
    labelled = np.union1d(np.argsort(_lead(p))[[0, 2]], rng.choice(n, 4, replace=False))
    return p, rng.integers(0, classes, n), labelled


def _lead(p: np.ndarray) -> np.ndarray:
    two = np.sort(p, axis=1)[:, -2:]
    return two[:, 1] - two[:, 0]


_POOLS = [
    (*_pool(seed, n, classes), ask) for seed, n, classes, ask in ((0, 40, 4, 5), (1, 60, 6, 8), (2, 30, 5, 3))
]


@exercise(required=True)
def ask_by_margin(answer):
    """A function of probabilities, labelled positions, n and an oracle that asks n images and gives the answers."""
    if not callable(answer):
        return Wrong("This is no function: every round has other probabilities.", hints=_MARGIN_HINTS)
    logs = []
    for p, labels, labelled, n in _POOLS:
        oracle = _Counted(labels)
        given = answer(p.copy(), labelled.copy(), n, oracle)
        wrong = _asked_badly(oracle.asked, labelled, n) or _not_given(given, oracle)
        if wrong:
            return Wrong(wrong, hints=_MARGIN_HINTS)
        logs.append(oracle.asked)
    if _same_sets(logs, _lead):
        return Right(
            "The n closest calls among images without a label, each asked once, and not one answer more."
        )
    known: dict[str, Callable] = {
        "These are the largest leads: the model is surest of them. A small margin is a close call.": (
            lambda p: -_lead(p)
        ),
        "These have the smallest top probability; that is another strategy. The margin is the lead over the second.": (
            lambda p: p.max(1)
        ),
        "These have the largest top probability: the model is surest of them.": lambda p: -p.max(1),
        "These have the largest entropy, over all classes; the margin looks at the first two alone.": (
            lambda p: (p * np.log(p)).sum(1)
        ),
        "The lead is taken over the least likely class; take it over the second likeliest.": (
            lambda p: p.max(1) - p.min(1)
        ),
        "The first two columns were compared; sort each row first, since classes come in any order.": (
            lambda p: np.abs(p[:, 0] - p[:, 1])
        ),
        "The last two columns were compared; sort each row first, since classes come in any order.": (
            lambda p: np.abs(p[:, -1] - p[:, -2])
        ),
        "These are the first images without a label, whatever the model says of them.": lambda p: np.arange(len(p)),
    }  # fmt: skip
    why = next((why for why, value in known.items() if _same_sets(logs, value)), None)
    return Wrong(why or "These are not the images with the smallest lead.", hints=_MARGIN_HINTS)


def _asked_badly(asked: list[int], labelled: np.ndarray, n: int) -> str:
    """What is wrong with the questions, whichever strategy chose them; empty where nothing is."""
    found = {
        "The oracle was asked nothing: hand it the positions, oracle.ask(positions), and give its answers back.": (
            not asked
        ),
        f"The oracle was asked {len(asked)} times for n = {n}: that is peeking. Choose by the probabilities first; "
        "each answer is paid for.": len(asked) > 2 * n,
        "An image was asked that has its label already; that answer is paid for twice.": np.isin(
            asked, labelled
        ).any(),
        "An image was asked twice in one batch; the second answer teaches nothing.": len(set(asked))
        < len(asked),
        f"One image was asked, and n = {n} were wanted.": len(asked) == 1,
        f"The oracle was asked about {len(asked)} images, and n = {n} were wanted.": len(asked) != n,
    }
    return next((why for why, so in found.items() if so), "")


def _not_given(given, oracle: _Counted) -> str:
    """What is wrong with what came back."""
    if given is None:
        return "The answers were not given back: return oracle.ask(positions)."
    if all(isinstance(each, Answer) for each in given) and [a.position for a in given] == oracle.asked:
        return ""
    if np.asarray(given).ndim and not any(isinstance(each, Answer) for each in given):
        return "Positions or numbers came back instead of the oracle's answers: return what oracle.ask gave."
    return "What came back is not what the oracle answered: return oracle.ask(positions)."


def _same_sets(logs: list[list[int]], value: Callable) -> bool:
    """Whether each log holds the free images of the smallest ``value``."""
    for asked, (p, _, labelled, n) in zip(logs, _POOLS, strict=True):
        free = np.setdiff1d(np.arange(len(p)), labelled)
        if set(asked) != set(free[np.argsort(value(p)[free], kind="stable")[:n]].tolist()):
            return False
    return True


_TYPICAL_HINTS = (
    "Two questions: which clusters have no label yet, and which image of a cluster lies closest to its others?",
    "Sort the clusters without a label by size, largest first. In one cluster, take all distances between its images, "
    "and of each row the k smallest but the image itself.",
    "d = cdist(x, x); d.sort(1); members[d[:, 1 : k + 1].mean(1).argmin()] is the most typical of a cluster.",
)


def _clumps(seed: int, sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, 3) and clusters (N,): skewed clumps whose typical image is not the one nearest to the mean."""
    rng = np.random.default_rng(seed)
    rows = [rng.normal(scale=9, size=3) + rng.exponential(1.0, (n, 3)) ** 1.6 for n in sizes]
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    order = rng.permutation(len(clusters))
    return np.concatenate(rows)[order], clusters[order]


def _cases() -> list[tuple]:
    found = []
    for seed, sizes, taken, n in ((3, (9, 14, 7, 11, 20), (4, 2), 2), (4, (8, 16, 12, 10), (1,), 2),
                                  (5, (13, 6, 18, 9, 15, 11), (2, 0), 3)):  # fmt: skip
        x, clusters = _clumps(seed, sizes)
        labelled = np.array([np.flatnonzero(clusters == c)[0] for c in taken])
        found.append((x, clusters, labelled, n))
    return found


_CASES, _K = _cases(), 4


def _far(x: np.ndarray, k: int) -> np.ndarray:
    """Mean distance of each row to its ``k`` nearest others."""
    d = np.sort(np.linalg.norm(x[:, None] - x[None], axis=2), axis=1)
    return d[:, 1 : k + 1].mean(1)


def _chosen(
    case: tuple, value: Callable = _far, *, order: int = -1, labelled_too=False, anywhere=False
) -> list[int]:
    """The image of the smallest ``value`` in each of the n largest clusters without a label, or a mistake of it."""
    x, clusters, labelled, n = case
    ids, sizes = np.unique(clusters, return_counts=True)
    ids = ids[np.argsort(order * sizes, kind="stable")]
    taken = () if labelled_too else np.unique(clusters[labelled])
    picks = []
    for c in [c for c in ids if c not in taken][:n]:
        members = np.flatnonzero(clusters == c)
        worth = value(x, _K)[members] if anywhere else value(x[members], _K)
        picks.append(int(members[np.argmin(worth)]))
    return picks


@exercise(required=True)
def typical(answer) -> Verdict:
    """A function of features, clusters, labelled positions, n and k that gives the n positions to ask, in order."""
    if not callable(answer):
        return Wrong("This is no function: every pool has other images.", hints=_TYPICAL_HINTS)
    given = []
    for x, clusters, labelled, n in _CASES:
        found = np.ravel(np.asarray(answer(x.copy(), clusters.copy(), labelled.copy(), n, _K)))
        wrong = _picked_badly(found, x, clusters, labelled, n)
        if wrong:
            return Wrong(wrong, hints=_TYPICAL_HINTS)
        given.append(found.astype(int).tolist())
    right = [_chosen(case) for case in _CASES]
    if given == right:
        return Right("One image of each large region that nobody has labelled yet, and each stands for many.")
    if [sorted(g) for g in given] == [sorted(r) for r in right]:
        return Wrong(
            "These are the images, in another order: the largest cluster comes first.", hints=_TYPICAL_HINTS
        )
    known = {
        "These are the farthest images of their clusters, the least typical: take the smallest mean distance.": {
            "value": lambda x, k: -_far(x, k)
        },
        "These lie nearest to the means of their clusters; typical is who has near neighbours, and a mean may lie "
        "where nobody is.": {"value": lambda x, k: np.linalg.norm(x - x.mean(0), axis=1)},
        "The nearest neighbour found is the image itself, at distance 0: leave it out.": {
            "value": lambda x, k: _far(x, k - 1)
        },
        "The mean goes over all others of the cluster; k neighbours were asked for.": {
            "value": lambda x, k: _far(x, len(x) - 1)
        },
        "Only the nearest neighbour counted; take the mean over k of them, since a pair of copies is not typical.": {
            "value": lambda x, k: _far(x, 1)
        },
        "The smallest clusters come first; a large one without a label leaves more images unknown.": {"order": 1},
        "The clusters come in the order of their numbers, which says nothing; the largest comes first.": {"order": 0},
    }  # fmt: skip
    why = next((w for w, how in known.items() if given == [_chosen(case, **how) for case in _CASES]), None)
    return Wrong(why or "These are not the most typical images of their clusters.", hints=_TYPICAL_HINTS)


def _picked_badly(found: np.ndarray, x, clusters, labelled, n: int) -> str:
    if len(found) != n:
        return f"{len(found)} positions came back, and n = {n} were wanted."
    if found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= len(x):
        return "These are no positions in the pool; give whole numbers, such as members[i] and not i."
    if np.isin(found, labelled).any():
        return "A labelled image was picked again."
    if len(np.unique(clusters[found])) < n:
        return "Two images of one cluster were picked: they tell nearly the same. At most one a cluster."
    if np.isin(clusters[found], clusters[labelled]).any():
        return "A cluster was picked that has a label already; those without one come first."
    return ""


_STOP_HINTS = (
    "Compare each round with the one before it: R rounds make R - 1 agreements.",
    "Agreement by chance has to come off: (agreed - chance) / (1 - chance), chance from how often each class is named.",
    "cohen_kappa_score(a, b) of scikit-learn does it; stop at the first round whose last three values average above "
    "the level.",
)


def _settling(seed: int, shares: tuple[float, ...], n: int = 400) -> np.ndarray:
    """Predictions (R, N): ``shares`` of them are drawn anew from round to round; most are of one class."""
    rng = np.random.default_rng(seed)
    draw = lambda size: rng.choice(3, size, p=[0.86, 0.09, 0.05])  # noqa: E731
    rows = [draw(n)]
    for share in shares:
        now = rows[-1].copy()
        new = rng.random(n) < share
        now[new] = draw(int(new.sum()))
        rows.append(now)
    return np.array(rows)


_RUNS = [
    (_settling(0, (0.6, 0.5, 0.3, 0.2, 0.12, 0.1, 0.06, 0.02, 0.02, 0.01, 0.0)), 0.9),
    (_settling(1, (0.7, 0.05, 0.5, 0.3, 0.3, 0.15, 0.1, 0.02, 0.1, 0.01, 0.01, 0.0)), 0.93),
    (_settling(3, (0.02, 0.01, 0.02, 0.02, 0.01)), 0.8),
    (_settling(2, (0.4, 0.4, 0.3, 0.3, 0.25, 0.2, 0.2)), 0.95),
]


def _stop(rows, level: float, *, agree=kappa, last=3, among=np.mean, start=False, late=0) -> int | None:
    """The first round at which the ``last`` agreements are ``among`` themselves above ``level``, or None."""
    told = [agree(rows[0 if start else r - 1], rows[r]) for r in range(1, len(rows))]
    return next((r + late for r in range(last, len(rows)) if among(told[r - last : r]) > level), None)


@exercise()
def stop(answer) -> Verdict:
    """A function of predictions (R, N) and a level: the first round to stop at, counted from 0, or None."""
    if not callable(answer):
        return Wrong("This is no function: every loop has other rounds.", hints=_STOP_HINTS)
    given = [answer(rows.copy(), level) for rows, level in _RUNS]
    if any(r is not None and (np.ndim(r) or int(r) != r) for r in given):
        return Wrong("Give one round as a whole number, or None where the loop goes on.", hints=_STOP_HINTS)
    if given == [_stop(*run) for run in _RUNS]:
        return Right("Three calm rounds in a row, chance taken off, and no label was needed to see it.")
    known = {
        "Plain agreement was taken: with one class in six of seven answers, two rounds agree by chance alone.": {
            "agree": lambda a, b: float((a == b).mean())
        },
        "One calm round was enough; take the mean of the last three.": {"last": 1},
        "Each round is compared with the first; compare it with the one before.": {"start": True},
        "All three have to be above the level here; their mean was asked for.": {"among": np.min},
        "One of three above the level was enough here; their mean was asked for.": {"among": np.max},
        "One round too late, or rounds are counted from 1: the first one is 0.": {"late": 1},
        "One round too early: agreement r lies between round r and round r + 1.": {"late": -1},
    }
    why = next((why for why, how in known.items() if given == [_stop(*run, **how) for run in _RUNS]), "")
    if not why and given[-1] is not None:
        why = "The last loop never settles: give None there."
    why = why or "These are not the rounds at which the mean of three agreements passes the level."
    return Wrong(why, hints=_STOP_HINTS)
