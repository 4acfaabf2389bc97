"""Answers to the exercises of lesson 03: right ones, and mistakes that learners make."""

import numpy as np


def by_labels(source_labels, target_labels, same_task, same_domain):
    if same_task and same_domain:
        return "none"
    if target_labels:
        return "inductive"
    return "transductive" if source_labels else "unsupervised"


def by_domain(source_labels, target_labels, same_task, same_domain):
    if same_task and same_domain:
        return "none"
    return "inductive" if same_domain else "transductive"


def unlabelled_is_unsupervised(source_labels, target_labels, same_task, same_domain):
    if same_task and same_domain:
        return "none"
    return "inductive" if target_labels else "unsupervised"


def always_transfer(source_labels, target_labels, same_task, same_domain):
    return by_labels(source_labels, target_labels, False, False)


def another_task(source_labels, target_labels, same_task, same_domain):
    if same_task and same_domain:
        return "none"
    return (
        "inductive" if target_labels or not same_task else "transductive" if source_labels else "unsupervised"
    )


EPOCH = "pick the epoch by accuracy on labelled target images"
TUNE = "fine-tune on five labelled target images"
PEEK = "try three methods on the target's test labels and report the best"

ANSWERS = {
    "kind": {
        "right": [by_labels, lambda *facts: by_labels(*facts).capitalize()],
        "wrong": [
            (by_domain, "although the target has labels"),
            (unlabelled_is_unsupervised, "although the source is labelled"),
            (always_transfer, "nothing is transferred"),
            (another_task, "no labels to learn from"),
            (
                lambda *facts: None if by_labels(*facts) == "none" else by_labels(*facts),
                "nothing is transferred",
            ),
            (lambda a, b, c, d: "none" if c and d else None, "combinations"),
            ("inductive", "no function"),
        ],
    },
    "renormalise": {
        "right": [
            lambda x, mean, variance: (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5),
            lambda x, mean, variance: (x - x.mean(0)) / x.std(0, ddof=1),
        ],
        "wrong": [
            (lambda x, mean, variance: (x - mean) / np.sqrt(variance), "source's statistics"),
            (
                lambda x, mean, variance: (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True),
                "each image by itself",
            ),
            (lambda x, mean, variance: (x - x.mean(0)) / x.var(0), "square root"),
            (lambda x, mean, variance: x - x.mean(0), "variance is not one"),
            (lambda x, mean, variance: x.mean(0), "go out as come in"),
            (lambda x, mean, variance: (x - x.mean()) / x.std(), "Each column"),
        ],
    },
    "leaks": {
        "right": [[EPOCH, TUNE, PEEK], {PEEK, TUNE, EPOCH}, [f"- {EPOCH}.", TUNE, PEEK]],
        "wrong": [
            ([EPOCH, TUNE], "test labels choose"),
            ([PEEK, TUNE], "cannot make"),
            ([TUNE], "There are more"),
            (
                [EPOCH, TUNE, PEEK, "take BatchNorm statistics from unlabelled target images"],
                "This one is fair",
            ),
            (["pick the epoch by accuracy on held-out source images"], "This one is fair"),
        ],
    },
}
