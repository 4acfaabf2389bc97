"""Answers to the exercises of lesson 09: right ones, and mistakes that learners make."""

import numpy as np
from scipy.special import logit


def by_odds(p, n_source, n_target):
    return p / (1 - p) * n_source / n_target


def by_logs(p, n_source, n_target):
    return np.exp(logit(p) - np.log(n_target / n_source))


def kish(weights):
    return weights.sum() ** 2 / (weights**2).sum()


def by_shares(weights):
    shares = weights / weights.sum()
    return 1 / (shares @ shares)


ANSWERS = {
    "ratio": {
        "right": [by_odds, by_logs],
        "wrong": [
            (lambda p, s, t: (1 - p) / p * t / s, "This is inverted"),
            (lambda p, s, t: (1 - p) / p, "the sample sizes are forgotten"),
            (lambda p, s, t: (1 - p) / p * s / t, "This is inverted"),
            (lambda p, s, t: p / (1 - p), "how many samples of each domain"),
            (lambda p, s, t: p / (1 - p) * t / s, "upside down"),
            (lambda p, s, t: p, "These are probabilities"),
            (lambda p, s, t: p * s / t, "probabilities times the sizes"),
            (lambda p, s, t: p / p.sum(), "fixed sum, mean or maximum"),
            (lambda p, s, t: p / (1 - p) / (p / (1 - p)).mean(), "fixed sum, mean or maximum"),
            (lambda p, s, t: by_odds(p, s, t) / by_odds(p, s, t).sum(), "fixed sum, mean or maximum"),
            (lambda p, s, t: np.log(by_odds(p, s, t)), "logarithm"),
            (lambda p, s, t: by_odds(p, s, t).mean(), "a ratio of its own"),
            (lambda p, s, t: np.ones_like(p), "These are not the ratios"),
            (1.5, "no function"),
        ],
    },
    "effective": {
        "right": [kish, by_shares],
        "wrong": [
            (len, "counts the samples"),
            (lambda w: (w > 0).sum(), "above 0"),
            (lambda w: 1 / kish(w), "turned round"),
            (lambda w: kish(w) / len(w), "a share"),
            (lambda w: 1 / (w**2).sum(), "multiplied by ten"),
            (lambda w: w.sum(), "sum of the weights"),
            (lambda w: w / w.sum(), "several numbers"),
            (lambda w: w.sum() / w.max(), "worth 2.57"),
            (12, "no function"),
        ],
    },
    "proportions": {
        "right": [
            np.linalg.solve,
            lambda confusion, predicted: np.linalg.inv(confusion) @ predicted,
            lambda confusion, predicted: np.linalg.lstsq(confusion, predicted, rcond=None)[0],
        ],
        "wrong": [
            (lambda confusion, predicted: predicted, "as they come"),
            (lambda confusion, predicted: confusion @ predicted, "confuses once more"),
            (lambda confusion, predicted: np.linalg.solve(confusion.T, predicted), "turned over"),
            (lambda confusion, predicted: predicted / np.diag(confusion), "comes from other classes"),
            (lambda confusion, predicted: predicted.sum(), "for each class"),
            (lambda confusion, predicted: np.ones(3) / 3, "do not give what was predicted"),
            ([0.1, 0.3, 0.6], "no function"),
        ],
    },
}
