"""Answers to the exercises of lesson 08: right ones, and mistakes that learners make."""

import numpy as np

from transferlab.evaluation import paired_difference


def _cosines(features):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    return unit @ unit.T


def by_hand(features, labels):
    cosines = _cosines(features)
    np.fill_diagonal(cosines, -np.inf)
    return (labels[cosines.argmax(1)] == labels).mean()


def by_scikit(features, labels):
    from sklearn.model_selection import LeaveOneOut, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    return cross_val_score(
        KNeighborsClassifier(1, metric="cosine"), features, labels, cv=LeaveOneOut()
    ).mean()


def with_itself(features, labels):
    return (labels[_cosines(features).argmax(1)] == labels).mean()


def in_percent(features, labels):
    return 100 * by_hand(features, labels)


def errors(features, labels):
    return 1 - by_hand(features, labels)


def by_distance(features, labels):
    away = np.linalg.norm(features[:, None] - features[None], axis=2)
    np.fill_diagonal(away, np.inf)
    return (labels[away.argmin(1)] == labels).mean()


def one_an_image(features, labels):
    cosines = _cosines(features)
    np.fill_diagonal(cosines, -np.inf)
    return labels[cosines.argmax(1)] == labels


def careful(source, scratch):
    return paired_difference(source[None], scratch[None], level=0.8).high < 0


def two_errors(source, scratch):
    difference = source.astype(int) - scratch
    return difference.mean() + 2 * difference.std() / len(difference) ** 0.5 < 0


ANSWERS = {
    "neighbour": {
        "right": [by_hand, by_scikit],
        "wrong": [
            (with_itself, "is the image itself"),
            (in_percent, "fraction from 0 to 1"),
            (errors, "share of wrong answers"),
            (by_distance, "directions only"),
            (one_an_image, "one value an image"),
            (0.75, "no function"),
            (lambda features, labels: 0.5, "differ from those"),
        ],
    },
    "undefined": {
        "right": [["tiny-ssl", "zoo-untrained"], {"zoo-untrained", "tiny-ssl"}],
        "wrong": [
            (["tiny-ssl"], "another one"),
            ("tiny-ssl", "another one"),
            (["tiny-ssl", "zoo-untrained", "zoo-shuffled"], "Shuffled labels are labels"),
            (["tiny-ssl", "zoo-letters"], "letters are labels"),
            (["zoo-conflicting"], "two things each"),
            ([], "list is empty"),
        ],
    },
    "warn": {
        "right": [careful, two_errors],
        "wrong": [
            (lambda source, scratch: source.mean() < scratch.mean(), "One image of 60"),
            (lambda source, scratch: source.mean() > scratch.mean(), "turned round"),
            (lambda source, scratch: False, "keeps silent"),
            (lambda source, scratch: True, "not worse at all"),
            (lambda source, scratch: source.mean() < scratch.mean() - 0.02, "One image of eight"),
            (lambda source, scratch: source.mean() < scratch.mean() - 0.2, "depends on n"),
            (lambda source, scratch: source.mean() < 0.55, "both are wrong equally often"),
            (lambda source, scratch: source.sum() < scratch.sum() - 1, "chance is at work"),
        ],
    },
}
