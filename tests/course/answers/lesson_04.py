"""Answers to the exercises of lesson 04: right ones, and mistakes that learners make."""

import numpy as np


def _distances(features, labels, unseen, centre=np.mean):
    centres = np.stack([centre(features[labels == c], 0) for c in np.unique(labels)])
    return np.linalg.norm(unseen[:, None] - centres, axis=2)


def centroids(features, labels, unseen):
    return _distances(features, labels, unseen).argmin(1)


def by_scikit(features, labels, unseen):
    from sklearn.neighbors import NearestCentroid

    return NearestCentroid().fit(features, labels).predict(unseen)


def farthest(features, labels, unseen):
    return _distances(features, labels, unseen).argmax(1)


def sums(features, labels, unseen):
    return _distances(features, labels, unseen, np.sum).argmin(1)


def nearest_image(features, labels, unseen):
    return labels[np.linalg.norm(unseen[:, None] - features, axis=2).argmin(1)]


def one_mean(features, labels, unseen):
    return np.linalg.norm(unseen - features.mean(0), axis=1).argmin()


def six_numbers(images):
    return np.hstack([images.mean((2, 3)), images.std((2, 3))])


ANSWERS = {
    "centroids": {
        "right": [centroids, by_scikit],
        "wrong": [
            (farthest, "farthest"),
            (sums, "take means"),
            (nearest_image, "nearest image"),
            (_distances, "distance to every class"),
            (one_mean, "one class for each row"),
            (np.zeros(40, int), "no function"),
            (lambda features, labels, unseen: np.ones(40, int), "answers otherwise"),
        ],
    },
    "passes": {
        "right": [(816, 3264), [816, 3264]],
        "wrong": [
            ((3264, 816), "other order"),
            ((240, 960), "test images have to go through"),
            ((816, 816), "every head sends"),
            ((2544, 3264), "keeps test images"),
            ((0, 3264), "once is needed"),
            ((1, 2), "Count different images"),
        ],
    },
    "six_numbers": {
        "right": [six_numbers, lambda images: six_numbers(images) / 255],
        "wrong": [
            (lambda images: images.mean((2, 3)), "Three numbers"),
            (lambda images: np.c_[images.mean((1, 2, 3)), images.std((1, 2, 3))], "mixes the colours"),
            (lambda images: np.r_[images.mean((0, 2, 3)), images.std((0, 2, 3))], "averages over images"),
            (lambda images: np.hstack([images.mean((2, 3)), images.var((2, 3))]), "variances"),
            (lambda images: np.hstack([images.std((2, 3)), images.mean((2, 3))]), "spreads come first"),
            (lambda images: images.mean((0, 1)), "(5, 6) is wanted"),
            (lambda images: np.zeros((5, 6)), "are not mean and spread"),
            (6, "no function"),
        ],
    },
}
