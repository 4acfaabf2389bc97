"""Answers to the exercises of lesson 00: right ones, and mistakes that learners make."""

import numpy as np


def by_hand(batches):
    return sum(batch.sum() for batch in batches) / sum(len(batch) for batch in batches)


def joined(batches):
    return np.concatenate(batches).mean()


def weighted(batches):
    return np.average([batch.mean() for batch in batches], weights=[len(batch) for batch in batches])


ANSWERS = {
    "counted": {
        "right": [by_hand, joined, weighted],
        "wrong": [
            (
                lambda batches: np.mean([batch.mean() for batch in batches]),
                "three images weigh as much as sixteen",
            ),
            (lambda batches: sum(batch.sum() for batch in batches), "not yet divided"),
            (lambda batches: 100 * by_hand(batches), "in per cent"),
            (lambda batches: sum(batch.sum() for batch in batches) / len(batches), "number of batches"),
            (lambda batches: by_hand(batches[:-1]), "left out"),
            (lambda batches: [batch.mean() for batch in batches], "each batch"),
            (lambda batches: 0.75, "differ from right answers"),
            (0.75, "no function"),
        ],
    },
    "images_needed": {
        "right": [1537, 1540, 1533.0],
        "wrong": [
            (384, "8 points wide"),
            (2401, "50 %"),
            (1000, "too few"),
            (75, "too few"),
            (6147, "fewer would do"),
            (0, "no number of images"),
        ],
    },
    "reading": {
        "right": [["b", "d"], ("d", "B"), "b, d"],
        "wrong": [
            (["a"], "not shown to be equal"),
            (["a", "b", "d"], "not shown to be equal"),
            (["b", "c", "d"], "not the range of single runs"),
            (["b"], "another statement"),
            (["e"], "letters from a to d"),
        ],
    },
}
