"""Answers to the exercises of lesson 10: right ones, and mistakes that learners make."""

import numpy as np


def root(c, power):
    values, vectors = np.linalg.eigh(c)
    return (vectors * values**power) @ vectors.T


def covariances(source, target, eps):
    return tuple(np.cov(x.T) + eps * np.eye(x.shape[1]) for x in (source, target))


def by_roots(source, target, eps):
    cs, ct = covariances(source, target, eps)
    return (source - source.mean(0)) @ root(cs, -0.5) @ root(ct, 0.5) + target.mean(0)


def by_scipy(source, target, eps):
    from scipy.linalg import sqrtm

    cs, ct = covariances(source, target, eps)
    return (source - source.mean(0)) @ np.real(np.linalg.inv(sqrtm(cs)) @ sqrtm(ct)) + target.mean(0)


def whitened_on_the_wrong_side(source, target, eps):
    cs, ct = covariances(source, target, eps)
    return (source - source.mean(0)) @ root(ct, 0.5) @ root(cs, -0.5) + target.mean(0)


def matrix_on_the_left(source, target, eps):
    cs, ct = covariances(source, target, eps)
    return (root(cs, -0.5) @ root(ct, 0.5)) @ (source - source.mean(0)) + target.mean(0)


def samples_for_features(source, target, eps):
    cs = np.cov(source) + eps * np.eye(len(source))
    ct = np.cov(target) + eps * np.eye(len(target))
    return root(ct, 0.5) @ root(cs, -0.5) @ source


def whitens_by_the_target(source, target, eps):
    cs, ct = covariances(source, target, eps)
    return (source - source.mean(0)) @ root(ct, -0.5) @ root(cs, 0.5) + target.mean(0)


def moves_the_target(source, target, eps):
    return by_roots(target, source, eps)


def without_eps(source, target, eps):
    with np.errstate(all="ignore"):
        return by_roots(source, target, 0.0)


def without_centring(source, target, eps):
    cs, ct = covariances(source, target, eps)
    return source @ root(cs, -0.5) @ root(ct, 0.5)


def standard_deviations(source, target, eps):
    return (source - source.mean(0)) / source.std(0) * target.std(0) + target.mean(0)


def means_alone(source, target, eps):
    return source - source.mean(0) + target.mean(0)


def never_coloured(source, target, eps):
    return (source - source.mean(0)) @ root(covariances(source, target, eps)[0], -0.5) + target.mean(0)


def without_roots(source, target, eps):
    cs, ct = covariances(source, target, eps)
    return (source - source.mean(0)) @ np.linalg.inv(cs) @ ct + target.mean(0)


def by_transport_map(source, target, eps):
    cs, ct = covariances(source, target, eps)
    inside = root(root(cs, 0.5) @ ct @ root(cs, 0.5), 0.5)
    return (source - source.mean(0)) @ root(cs, -0.5) @ inside @ root(cs, -0.5) + target.mean(0)


def by_cholesky(source, target, eps):
    cs, ct = covariances(source, target, eps)
    whiten = np.linalg.inv(np.linalg.cholesky(cs)).T
    return (source - source.mean(0)) @ whiten @ np.linalg.cholesky(ct).T + target.mean(0)


def roots_of_numbers(source, target, eps):
    cs, ct = covariances(source, target, eps)
    with np.errstate(all="ignore"):
        return (source - source.mean(0)) @ np.linalg.inv(np.sqrt(cs - 9)) @ np.sqrt(ct - 9)


def squares(x, y):
    return ((x[:, None] - y[None]) ** 2).sum(2)


def kernel(x, y, width):
    return np.exp(-squares(x, y) / (2 * width**2))


def by_hand(x, y, width):
    return kernel(x, x, width).mean() + kernel(y, y, width).mean() - 2 * kernel(x, y, width).mean()


def by_loops(x, y, width):
    def mean(a, b):
        return np.mean([[np.exp(-((p - q) @ (p - q)) / (2 * width**2)) for q in b] for p in a])

    return mean(x, x) + mean(y, y) - 2 * mean(x, y)


def by_package(x, y, width):
    from transferlab.adaptation import mmd

    return mmd(x, y, [width], biased=True)


ANSWERS = {
    "coral": {
        "right": [by_roots, by_scipy],
        "wrong": [
            (whitened_on_the_wrong_side, "wrong order"),
            (matrix_on_the_left, "rows are samples"),
            (samples_for_features, "np.cov(x) is (N, N)"),
            (whitens_by_the_target, "the two are exchanged"),
            (moves_the_target, "moves the target"),
            (without_eps, "cannot be whitened"),
            (without_centring, "the mean is not"),
            (standard_deviations, "the correlations do not"),
            (means_alone, "still the source's"),
            (never_coloured, "never coloured"),
            (without_roots, "square roots are missing"),
            (by_cholesky, "other factors"),
            (by_transport_map, "other factors"),
            (roots_of_numbers, "NaN"),
            (lambda source, target, eps: source, "as it was"),
            (lambda source, target, eps: root(np.cov(source.T), -0.5), "the matrix alone"),
            (np.zeros((4, 4)), "no function"),
        ],
    },
    "barycentre": {
        "right": [
            lambda plan, target: plan / plan.sum(1, keepdims=True) @ target,
            lambda plan, target: np.stack([np.average(target, axis=0, weights=row) for row in plan]),
        ],
        "wrong": [
            (lambda plan, target: plan @ target, "shrink towards 0"),
            (lambda plan, target: len(plan) * plan @ target, "equally heavy"),
            (lambda plan, target: plan / plan.sum(0) @ target, "sums of columns"),
            (lambda plan, target: target[plan.argmax(1)], "the heaviest"),
            (lambda plan, target: np.tile(target.mean(0), (len(plan), 1)), "not used"),
            (lambda plan, target: plan.T @ target, "shapes do not fit"),
            (lambda plan, target: target, "As many rows"),
            (lambda plan, target: plan @ target + 1, "not the weighted means"),
            (np.eye(3), "no function"),
        ],
    },
    "mmd": {
        "right": [by_hand, by_loops, by_package],
        "wrong": [
            (
                lambda x, y, w: kernel(x, x, w).mean() + kernel(y, y, w).mean() - kernel(x, y, w).mean(),
                "off twice",
            ),
            (
                lambda x, y, w: kernel(x, x, w).mean() + kernel(y, y, w).mean() + 2 * kernel(x, y, w).mean(),
                "is added",
            ),
            (lambda x, y, w: by_hand(x, y, w / np.sqrt(2)), "2 is missing"),
            (lambda x, y, w: by_hand(x, y, 1.0), "width was not used"),
            (lambda x, y, w: by_hand(x, y, w) ** 0.5, "square root"),
            (lambda x, y, w: ((x.mean(0) - y.mean(0)) ** 2).sum(), "linear kernel"),
            (kernel, "more than one number"),
            (0.3, "no function"),
            (lambda x, y, w: 0.5, "values differ"),
        ],
    },
}
