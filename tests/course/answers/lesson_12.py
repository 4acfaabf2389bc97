"""Answers to the exercises of lesson 12: right ones, and mistakes that learners make."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def right(a, b, temperature):
    z = unit(np.concatenate([a, b]))
    s = z @ z.T / temperature
    np.fill_diagonal(s, -np.inf)
    partner = np.roll(np.arange(len(z)), len(a))
    return (np.log(np.exp(s).sum(1)) - s[np.arange(len(z)), partner]).mean()


def by_loops(a, b, temperature):
    z, losses = unit(np.concatenate([a, b])), []
    for i, one in enumerate(z):
        partner = (i + len(a)) % len(z)
        others = [np.exp(one @ z[j] / temperature) for j in range(len(z)) if j != i]
        losses.append(-np.log(np.exp(one @ z[partner] / temperature) / sum(others)))
    return np.mean(losses)


def by_package(a, b, temperature):
    import torch

    from transferlab.unsupervised import nt_xent

    return float(nt_xent(torch.tensor(a), torch.tensor(b), temperature))


def self_counted(a, b, temperature):
    z = unit(np.concatenate([a, b]))
    s = z @ z.T / temperature
    return (np.log(np.exp(s).sum(1)) - s[np.arange(len(z)), np.roll(np.arange(len(z)), len(a))]).mean()


def positives_missing(a, b, temperature):
    z = unit(np.concatenate([a, b]))
    s = z @ z.T / temperature
    rows, partner = np.arange(len(z)), np.roll(np.arange(len(z)), len(a))
    top = s[rows, partner].copy()
    np.fill_diagonal(s, -np.inf)
    s[rows, partner] = -np.inf
    return (np.log(np.exp(s).sum(1)) - top).mean()


def no_temperature(a, b, temperature):
    return right(a, b, 1.0)


def times_temperature(a, b, temperature):
    return right(a, b, 1 / temperature)


def not_normalized(a, b, temperature):
    z = np.concatenate([a, b])
    s = z @ z.T / temperature
    np.fill_diagonal(s, -np.inf)
    return (np.log(np.exp(s).sum(1)) - s[np.arange(len(z)), np.roll(np.arange(len(z)), len(a))]).mean()


def other_view_alone(a, b, temperature):
    s = unit(a) @ unit(b).T / temperature
    both = [np.log(np.exp(t).sum(1)) - np.diag(t) for t in (s, s.T)]
    return np.mean(both)


def shares(a, b, temperature):
    z = unit(np.concatenate([a, b]))
    e = np.exp(z @ z.T / temperature)
    np.fill_diagonal(e, 0)
    return (e[np.arange(len(z)), np.roll(np.arange(len(z)), len(a))] / e.sum(1)).mean()


def one_way(a, b, temperature):
    z = unit(np.concatenate([a, b]))
    s = z @ z.T / temperature
    np.fill_diagonal(s, -np.inf)
    first = np.arange(len(a))
    return (np.log(np.exp(s).sum(1))[first] - s[first, first + len(a)]).mean()


def not_finite(a, b, temperature):
    z = unit(np.concatenate([a, b]))
    s = z @ z.T / temperature
    np.fill_diagonal(s, -np.inf)
    return s.mean()


def counts(clusters, classes):
    table = np.zeros((3, 3), int)
    np.add.at(table, (clusters, classes), 1)
    return table


def by_assignment(clusters, classes):
    table = counts(clusters, classes)
    return table[linear_sum_assignment(table, maximize=True)].sum() / len(classes)


def by_trying(clusters, classes):
    from itertools import permutations

    return max(np.mean(np.array(names)[clusters] == classes) for names in permutations(range(3)))


def greedy(clusters, classes):
    table, hits = counts(clusters, classes), 0
    for _ in range(3):
        i, j = np.unravel_index(table.argmax(), table.shape)
        hits += table[i, j]
        table[i], table[:, j] = -1, -1
    return hits / len(classes)


def pairs(n):
    n = np.asarray(n)
    return (n * (n - 1) / 2).sum()


def four(clusters, classes):
    table = counts(clusters, classes)
    return pairs(table), pairs(table.sum(1)), pairs(table.sum(0)), pairs(len(classes))


def adjusted(clusters, classes):
    both, c, k, n = four(clusters, classes)
    return (both - c * k / n) / ((c + k) / 2 - c * k / n)


def from_sklearn(clusters, classes):
    from sklearn.metrics import adjusted_rand_score

    return adjusted_rand_score(classes, clusters)


def plain_rand(clusters, classes):
    from sklearn.metrics import rand_score

    return rand_score(classes, clusters)


def no_chance(clusters, classes):
    both, c, k, _ = four(clusters, classes)
    return both / ((c + k) / 2)


def chance_above_alone(clusters, classes):
    both, c, k, n = four(clusters, classes)
    return (both - c * k / n) / ((c + k) / 2)


def all_pairs_as_best(clusters, classes):
    both, c, k, n = four(clusters, classes)
    return (both - c * k / n) / (n - c * k / n)


ANSWERS = {
    "contrastive": {
        "right": [right, by_loops, by_package],
        "wrong": [
            (self_counted, "compared with itself"),
            (positives_missing, "missing from the denominator"),
            (no_temperature, "temperature was not used"),
            (times_temperature, "multiplied by the temperature"),
            (not_normalized, "not of length 1"),
            (other_view_alone, "Only the other view's rows"),
            (lambda a, b, t: -right(a, b, t), "sign"),
            (lambda a, b, t: 2 * len(a) * right(a, b, t), "the sum over rows"),
            (lambda a, b, t: 2 * right(a, b, t), "divided by N"),
            (shares, "minus their logarithm"),
            (one_way, "One view asks"),
            (not_finite, "not finite"),
            (lambda a, b, t: a - b, "more than one number"),
            (lambda a, b, t: (a @ b).sum(), "shapes do not fit"),
            (lambda a, b, t: 0.5, "values differ"),
            (0.55, "no function"),
        ],
    },
    "matched": {
        "right": [by_assignment, by_trying],
        "wrong": [
            (lambda c, y: counts(c, y).max(1).sum() / len(y), "purity"),
            (lambda c, y: counts(c, y).max(0).sum() / len(y), "share a cluster"),
            (lambda c, y: np.mean(c == y), "arbitrary"),
            (greedy, "greedy"),
            (lambda c, y: counts(c, y)[linear_sum_assignment(counts(c, y))].sum() / len(y), "worst match"),
            (lambda c, y: 1 - by_assignment(c, y), "wrong ones"),
            (lambda c, y: by_assignment(c, y) * len(y), "counts samples"),
            (counts, "more than one number"),
            (lambda c, y: 0.5, "not the shares"),
            (0.7, "no function"),
        ],
    },
    "rand": {
        "right": [adjusted, from_sklearn],
        "wrong": [
            (plain_rand, "plain Rand index"),
            (no_chance, "not taken off at all"),
            (chance_above_alone, "above and not below"),
            (all_pairs_as_best, "all pairs"),
            (by_assignment, "not the adjusted indices"),
            (counts, "more than one number"),
            (0.7, "no function"),
        ],
    },
}
