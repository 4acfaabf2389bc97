"""Rounds of a person's labelling: the accuracy is the one that is claimed, and nothing is asked twice."""

import re

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from transferlab.active import STRATEGIES
from transferlab.active.head_rounds import HeadRounds
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError

CLASSES = ("zero", "one", "two")


@pytest.fixture(scope="module")
def digits():
    """Features (N, D) of digits 0 to 2, their names and their labels."""
    part = load_bundled("digits").development
    keep = np.flatnonzero(part.labels < 3)[:90]
    x = part.images[keep].reshape(len(keep), -1)[:, ::7] / 255
    names = [f"{k}.png" for k in range(len(keep))]
    return x, names, dict(zip(names, np.array(CLASSES)[part.labels[keep]].tolist(), strict=True))


def test_accuracy_is_that_of_heads_which_never_saw_the_image(digits):
    x, names, truth = digits
    rounds = HeadRounds(x, names, CLASSES)
    labels = {name: truth[name] for name in names[:24]}
    said, _ = rounds(labels)
    told = [truth[name] for name in names[:24]]
    best = max(
        (cross_val_predict(RidgeClassifier(alpha), x[:24], told, cv=LeaveOneOut()) == told).mean()
        for alpha in 10.0 ** np.arange(-3, 4)
    )
    found = int(re.match(r"(\d+) % of 24 labelled images", said)[1]) / 100
    assert abs(found - best) <= 0.09, "two images of 24: strengths are chosen by another rule"
    assert "no estimate for all" in said
    wrong = {name: CLASSES[k % 3] for k, name in enumerate(names[:24])}
    assert int(re.match(r"(\d+) %", HeadRounds(x, names, CLASSES)(wrong)[0])[1]) < 70, (
        "nonsense is not told right"
    )


def test_accuracy_on_validation_images_is_counted(digits):
    x, names, truth = digits
    codes = [CLASSES.index(truth[name]) for name in names]
    rounds = HeadRounds(x[:60], names[:60], CLASSES, validation=(x[60:], codes[60:]))
    first, _ = rounds({name: truth[name] for name in names[:6]})
    second, _ = rounds({name: truth[name] for name in names[:40]})
    assert "of 30 validation images told right" in first and "with 6 labels" not in first
    assert "with 6 labels " + first.split(" of ")[0] in second
    upside = [(c + 1) % 3 for c in codes[60:]]
    low, _ = HeadRounds(x[:60], names[:60], CLASSES, validation=(x[60:], upside))(
        {name: truth[name] for name in names[:40]}
    )
    assert int(low.split(" %")[0]) < 30 and int(second.split(" %")[0]) > 60


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_asks_each_image_once_until_none_is_left(digits, strategy):
    x, names, truth = digits
    x, names = x[:32], names[:32]
    labels, skipped = {}, set()
    rounds = HeadRounds(x, names, CLASSES, strategy=strategy, n=10, answered=lambda: skipped | set(labels))
    picks = rounds.next({}, 10)
    sizes = []
    while picks:
        sizes.append(len(set(picks)))
        asked = [names[k] for k in picks]
        assert not {*labels, *skipped} & set(asked)
        skipped.add(asked[0])
        labels |= {name: truth[name] for name in asked[1:]}
        _, picks = rounds(labels)
    assert sizes == [10, 10, 10, 2]


def test_a_round_that_is_ended_twice_picks_the_same_and_tells_the_round_before(digits):
    x, names, truth = digits
    rounds = HeadRounds(x, names, CLASSES, n=5, strategy="badge")
    some, more = ({name: truth[name] for name in names[:n]} for n in (12, 24))
    rounds(some)
    assert rounds(more) == rounds(more)


def test_labels_of_one_class_fit_nothing_and_still_ask(digits):
    x, names, truth = digits
    zeros = {name: label for name, label in truth.items() if label == "zero"}
    said, picks = HeadRounds(x, names, CLASSES, n=7)(zeros)
    assert said.startswith("labels of two classes are needed") and len(set(picks)) == 7
    assert not {names[k] for k in picks} & set(zeros)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"names": ["a"]}, "1 names for 90 rows"),
        ({"strategy": "best"}, "strategy 'best' is not known"),
        ({"head": "best"}, "best"),
        ({"validation": (np.zeros((2, 9)), [0, 1])}, "width"),
        ({"validation": (np.zeros((2, 147)), [0, 3])}, "from 0 to 2"),
        ({"validation": (np.zeros((2, 147)), [0])}, "a whole number"),
    ],
)
def test_what_does_not_fit_is_one_sentence(digits, change, said):
    x, names, _ = digits
    given = {"names": names, **change}
    with pytest.raises(UserError, match=said):
        HeadRounds(np.resize(x, (90, 147)), given.pop("names"), CLASSES, **given)


def test_an_unknown_label_is_named(digits):
    x, names, _ = digits
    with pytest.raises(UserError, match="'nine' is none of zero, one, two"):
        HeadRounds(x, names, CLASSES)({names[0]: "nine"})
