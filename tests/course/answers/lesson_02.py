"""Answers to the exercises of lesson 02: right ones, and mistakes that learners make."""

import numpy as np

from transferlab.evaluation.cka import linear_cka


def by_stage(learnt, fresh, kept):
    return {name: (learnt if name.split(".")[0] in kept else fresh)[name] for name in fresh}


def by_update(learnt, fresh, kept):
    mixed = dict(fresh)
    mixed.update({name: value for name, value in learnt.items() if name.split(".")[0] in kept})
    return mixed


def turned_round(learnt, fresh, kept):
    return by_stage(fresh, learnt, kept)


def by_first_letters(learnt, fresh, kept):
    return {name: (learnt if name.startswith(tuple(kept)) else fresh)[name] for name in fresh}


def weights_alone(learnt, fresh, kept):
    mixed = by_stage(learnt, fresh, kept)
    return mixed | {name: fresh[name] for name in fresh if "running" in name or "tracked" in name}


def with_head(learnt, fresh, kept):
    return by_stage(learnt, fresh, [*kept, "head"])


def plain(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


def not_centred(x, y):
    return np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


def no_square(x, y):
    return plain(x, y) ** 0.5


def not_normalised(x, y):
    return np.linalg.norm((y - y.mean(0)).T @ (x - x.mean(0))) ** 2


LEARNT = ["trained, frozen, cut 3", "random, frozen, cut 3"]
FREEZING = ["trained, frozen, cut 3", "trained, tuned, cut 3"]

ANSWERS = {
    "cut": {
        "right": [by_stage, by_update],
        "wrong": [
            (turned_round, "wrong way round"),
            (by_first_letters, "up to the first dot"),
            (weights_alone, "running statistics stayed behind"),
            (with_head, "The head came along"),
            (lambda learnt, fresh, kept: learnt, "Nothing is cut"),
            (
                lambda learnt, fresh, kept: {n: learnt[n] for n in learnt if n.split(".")[0] in kept},
                "every name",
            ),
            (["stem", "layer1"], "no function"),
        ],
    },
    "cka": {
        "right": [plain, linear_cka],
        "wrong": [
            (not_centred, "not centred"),
            (no_square, "square is missing"),
            (not_normalised, "three times itself"),
            (lambda x, y: 1.0, "other values are off"),
            (0.5, "no function"),
        ],
    },
    "controls": {
        "right": [{"what was learnt": LEARNT, "freezing": FREEZING}],
        "wrong": [
            ({"what was learnt": FREEZING, "freezing": LEARNT}, "exchanged"),
            (
                {"what was learnt": ["trained, frozen, cut 3", "scratch"], "freezing": FREEZING},
                "two things at once",
            ),
            (
                {
                    "what was learnt": ["trained, frozen, cut 1", "random, frozen, cut 3"],
                    "freezing": FREEZING,
                },
                "depths",
            ),
            (
                {"what was learnt": ["random, frozen, cut 3", "trained, tuned, cut 3"], "freezing": FREEZING},
                "differs",
            ),
            ({"learning": LEARNT}, "takes the keys"),
        ],
    },
}
