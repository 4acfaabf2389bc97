"""Answers to the exercises of lesson 07: right ones, and mistakes that learners make."""

import numpy as np


def by_hand(correct, groups):
    return min(correct[groups == g].mean() for g in np.unique(groups))


def by_counting(correct, groups):
    _, codes = np.unique(groups, return_inverse=True)
    return (np.bincount(codes, correct) / np.bincount(codes)).min()


def average(correct, groups):
    return correct.mean()


def balanced(correct, groups):
    return np.mean([correct[groups == g].mean() for g in np.unique(groups)])


def smallest(correct, groups):
    names, counts = np.unique(groups, return_counts=True)
    return correct[groups == names[counts.argmin()]].mean()


def all_groups(correct, groups):
    return [correct[groups == g].mean() for g in np.unique(groups)]


ANSWERS = {
    "worst": {
        "right": [by_hand, by_counting, lambda c, g: float(by_hand(c, g))],
        "wrong": [
            (average, "accuracy of all images"),
            (balanced, "mean over groups"),
            (smallest, "smallest group"),
            (all_groups, "one value a group"),
            (lambda c, g: 1 - by_hand(c, g), "share of wrong answers"),
            (lambda c, g: 100 * by_hand(c, g), "per cent"),
            (lambda c, g: max(all_groups(c, g)), "best group"),
            (lambda c, g: 0.25, "On the first of our tests"),
            (0.5, "no function"),
        ],
    },
    "mirror": {
        "right": ["AHIMOTUVWXY", "ahimotuvwxy", list("YXWVUTOMIHA"), "A, H, I, M, O, T, U, V, W, X, Y"],
        "wrong": [
            ("AHIMOTUVWXYNSZ", "half a turn"),
            ("BCDEHIKOX", "upper and lower half"),
            ("AHIMO", "6 are missing"),
            ("AHIMOTUVWXYL", "changes in the mirror"),
        ],
    },
    "weights": {
        "right": [
            [1 / 38, 1 / 2, 1 / 2, 1 / 38],
            [1, 19, 19, 1],
            [0.0263, 0.5, 0.5, 0.0263],
            np.array([0.5, 9.5, 9.5, 0.5]),
        ],
        "wrong": [
            ([1, 1, 1, 1], "Equal weights"),
            ([38, 2, 2, 38], "even larger"),
            ([1, 4.36, 4.36, 1], "not alike"),
            ([0, 1, 1, 0], "above zero"),
            ([1, 19], "Four numbers"),
        ],
    },
}
