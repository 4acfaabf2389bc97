"""Answers to the exercises of lesson 15: right ones, and mistakes that learners make."""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics import cohen_kappa_score


def lead(p):
    two = np.sort(p, axis=1)[:, -2:]
    return two[:, 1] - two[:, 0]


def smallest(value):
    """Asks the n free images of the smallest value."""

    def ask(probabilities, labelled, n, oracle):
        worth = np.asarray(value(probabilities), float)
        worth[labelled] = np.inf
        return oracle.ask(np.argsort(worth, kind="stable")[:n])

    return ask


def by_loop(probabilities, labelled, n, oracle):
    leads = []
    for i, row in enumerate(probabilities):
        if i not in labelled:
            first, second = sorted(row, reverse=True)[:2]
            leads.append((first - second, i))
    return [oracle.ask([i])[0] for _, i in sorted(leads)[:n]]


def by_package(probabilities, labelled, n, oracle):
    from transferlab.active import query

    return oracle.ask(query("margin", probabilities=probabilities, labelled=labelled, n=n))


def labelled_too(probabilities, labelled, n, oracle):
    return oracle.ask(np.argsort(lead(probabilities))[:n])


def twice(probabilities, labelled, n, oracle):
    worth = lead(probabilities)
    worth[labelled] = np.inf
    best = np.argsort(worth)[: n - 1]
    return oracle.ask([*best, best[0]])


def peeking(probabilities, labelled, n, oracle):
    answers = oracle.ask(np.arange(len(probabilities)))
    wrong = [a for a in answers if probabilities[a.position].argmax() != a.label]
    return wrong[:n]


def one_alone(probabilities, labelled, n, oracle):
    worth = lead(probabilities)
    worth[labelled] = np.inf
    return oracle.ask([worth.argmin()])


def too_many(probabilities, labelled, n, oracle):
    worth = lead(probabilities)
    worth[labelled] = np.inf
    return oracle.ask(np.argsort(worth)[: n + 1])


def never_asks(probabilities, labelled, n, oracle):
    return np.argsort(lead(probabilities))[:n]


def gives_positions(probabilities, labelled, n, oracle):
    return [a.position for a in smallest(lead)(probabilities, labelled, n, oracle)]


def gives_nothing(probabilities, labelled, n, oracle):
    smallest(lead)(probabilities, labelled, n, oracle)


def far(x, k):
    d = np.sort(cdist(x, x), axis=1)
    return d[:, 1 : k + 1].mean(1)


def of_clusters(value=far, order=-1, taken=True):
    def typical(features, clusters, labelled, n, k):
        ids, sizes = np.unique(clusters, return_counts=True)
        ids = ids[np.argsort(order * sizes, kind="stable")]
        free = [c for c in ids if not (taken and c in clusters[labelled])]
        picks = []
        for c in free[:n]:
            members = np.flatnonzero(clusters == c)
            picks.append(members[np.argmin(value(features[members], k))])
        return np.array(picks)

    return typical


def by_neighbours(features, clusters, labelled, n, k):
    from sklearn.neighbors import NearestNeighbors

    sizes = {c: (clusters == c).sum() for c in set(clusters) - set(clusters[labelled])}
    picks = []
    for c in sorted(sizes, key=sizes.get, reverse=True)[:n]:
        members = np.flatnonzero(clusters == c)
        d = NearestNeighbors(n_neighbors=k).fit(features[members]).kneighbors()[0]
        picks.append(int(members[(1 / d.mean(1)).argmax()]))
    return picks


def same_cluster(features, clusters, labelled, n, k):
    first = of_clusters()(features, clusters, labelled, 1, k)[0]
    members = np.setdiff1d(np.flatnonzero(clusters == clusters[first]), labelled)
    return members[np.argsort(far(features[members], k))[:n]]


def places_in_the_cluster(features, clusters, labelled, n, k):
    picks = of_clusters()(features, clusters, labelled, n, k)
    return [np.flatnonzero(clusters == clusters[p]).tolist().index(p) + 0.5 for p in picks]


def first_above(agree, last=3, among=np.mean, start=False, shift=0):
    def stop(predictions, level):
        told = [agree(predictions[0 if start else r - 1], predictions[r]) for r in range(1, len(predictions))]
        for r in range(last, len(predictions)):
            if among(told[r - last : r]) > level:
                return r + shift
        return None

    return stop


def kappa_by_hand(a, b):
    chance = sum((a == c).mean() * (b == c).mean() for c in np.union1d(a, b))
    return ((a == b).mean() - chance) / (1 - chance)


def by_rule(predictions, level):
    from types import SimpleNamespace

    from transferlab.active.stopping import StablePredictions

    rounds = [SimpleNamespace(predictions=row, classes_seen=3) for row in predictions]
    return next((r for r in range(len(rounds)) if StablePredictions(level)(rounds[: r + 1])), None)


ANSWERS = {
    "ask_by_margin": {
        "right": [smallest(lead), by_loop, by_package],
        "wrong": [
            (smallest(lambda p: -lead(p)), "largest leads"),
            (smallest(lambda p: p.max(1)), "smallest top probability"),
            (smallest(lambda p: -p.max(1)), "largest top probability"),
            (smallest(lambda p: (p * np.log(p)).sum(1)), "largest entropy"),
            (smallest(lambda p: p.max(1) - p.min(1)), "least likely"),
            (smallest(lambda p: np.abs(p[:, 0] - p[:, 1])), "first two columns"),
            (smallest(lambda p: np.abs(p[:, -1] - p[:, -2])), "last two columns"),
            (smallest(lambda p: np.arange(len(p))), "first images"),
            (smallest(lambda p: p[:, 0]), "not the images"),
            (labelled_too, "has its label already"),
            (twice, "asked twice"),
            (peeking, "peeking"),
            (one_alone, "One image was asked"),
            (too_many, "6 images"),
            (never_asks, "asked nothing"),
            (gives_positions, "Positions or numbers"),
            (gives_nothing, "not given back"),
            ([3, 1], "no function"),
        ],
    },
    "typical": {
        "right": [of_clusters(), by_neighbours],
        "wrong": [
            (of_clusters(lambda x, k: -far(x, k)), "farthest"),
            (of_clusters(lambda x, k: np.linalg.norm(x - x.mean(0), axis=1)), "means of their clusters"),
            (of_clusters(lambda x, k: np.sort(cdist(x, x), axis=1)[:, :k].mean(1)), "image itself"),
            (of_clusters(lambda x, k: far(x, len(x) - 1)), "all others"),
            (of_clusters(lambda x, k: far(x, 1)), "Only the nearest"),
            (of_clusters(order=1), "smallest clusters"),
            (of_clusters(order=0), "order of their numbers"),
            (of_clusters(taken=False), "has a label already"),
            (same_cluster, "Two images of one cluster"),
            (lambda x, c, labelled, n, k: labelled[:1].repeat(n), "labelled image"),
            (lambda *a: of_clusters()(*a)[::-1], "another order"),
            (lambda x, c, labelled, n, k: of_clusters()(x, c, labelled, 1, k), "1 positions"),
            (places_in_the_cluster, "no positions"),
            (of_clusters(lambda x, k: x[:, 0]), "not the most typical"),
            ([1, 2], "no function"),
        ],
    },
    "stop": {
        "right": [first_above(cohen_kappa_score), first_above(kappa_by_hand), by_rule],
        "wrong": [
            (first_above(lambda a, b: (a == b).mean()), "Plain agreement"),
            (first_above(cohen_kappa_score, last=1), "One calm round"),
            (first_above(cohen_kappa_score, start=True), "with the first"),
            (first_above(cohen_kappa_score, among=np.min), "All three"),
            (first_above(cohen_kappa_score, among=np.max), "One of three"),
            (first_above(cohen_kappa_score, shift=1), "too late"),
            (first_above(cohen_kappa_score, shift=-1), "too early"),
            (lambda predictions, level: len(predictions) - 1, "never settles"),
            (lambda predictions, level: None, "not the rounds"),
            (lambda predictions, level: 2.5, "whole number"),
            (3, "no function"),
        ],
    },
}
