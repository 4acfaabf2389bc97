"""Rounds of a person's labelling: the accuracy is as claimed, picks follow labels, nothing is asked twice."""

import re
from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from transferlab.active import STRATEGIES, query
from transferlab.active.head_rounds import HeadRounds
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.training.heads import RidgeHead

CLASSES = ("zero", "one", "two")


@pytest.fixture(scope="module")
def digits():
    """Features (N, D) of digits 0 to 2, their names and their labels."""
    part = load_bundled("digits").development
    keep = np.flatnonzero(part.labels < 3)[:90]
    x = part.images[keep].reshape(len(keep), -1)[:, ::7] / 255
    names = [f"{k}.png" for k in range(len(keep))]
    return x, names, dict(zip(names, np.array(CLASSES)[part.labels[keep]].tolist(), strict=True))


def told(sentence):
    """Per cent and n of a sentence."""
    return tuple(map(int, re.match(r"(\d+) % of (\d+) ", sentence).groups()))


@pytest.mark.parametrize("seed", range(4))
def test_accuracy_is_that_of_heads_which_never_saw_the_image(seed):
    """On noise a head tells nearly all images that it saw, so that nothing but leaving out gives these numbers."""
    rng = np.random.default_rng(seed)
    x, codes = rng.normal(size=(40, 60)), np.repeat([0, 1], 20)
    names = [f"{k}.png" for k in range(40)]
    sentence, _ = HeadRounds(x, names, CLASSES)(dict(zip(names, np.array(CLASSES)[codes], strict=True)))
    head = RidgeHead().fit(x, codes)
    left_out = cross_val_predict(RidgeClassifier(head.alpha_), x, codes, cv=LeaveOneOut())
    assert told(sentence) == (round(100 * (left_out == codes).mean()), 40)
    assert (head.predict(x) == codes).mean() > 0.2 + (left_out == codes).mean(), "the test would not notice"
    assert "no estimate for all" in sentence


def test_images_alone_in_their_class_are_left_out_and_said(digits):
    x, names, truth = digits
    zeros = [name for name in names if truth[name] == "zero"][:8]
    one = next(name for name in names if truth[name] == "one")
    sentence, _ = HeadRounds(x, names, CLASSES)({**{name: "zero" for name in zeros}, one: "one"})
    assert told(sentence)[1] == 8 and "1 class with one label left out" in sentence
    sentence, _ = HeadRounds(x, names, CLASSES)({zeros[0]: "zero", one: "one"})
    assert sentence == "two labels of a class are needed before a head can be scored."


def test_accuracy_on_validation_images_is_counted(digits):
    x, names, truth = digits
    codes = np.array([CLASSES.index(truth[name]) for name in names])
    some = {name: truth[name] for name in names[:40]}
    right, n = told(HeadRounds(x[:60], names[:60], CLASSES, validation=(x[60:], codes[60:]))(some)[0])
    wrong, _ = told(
        HeadRounds(x[:60], names[:60], CLASSES, validation=(x[60:], (codes[60:] + 1) % 3))(some)[0]
    )
    assert n == 30 and right > 60 and wrong <= 100 - right


def test_picks_follow_the_labels():
    x = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [10.0], [11.0], [12.0], [13.0]])
    names = "abcdefghij"
    rounds = HeadRounds(x, names, ["cat", "dog"], strategy="margin", n=1)
    assert rounds({"a": "cat", "b": "cat", "i": "dog", "j": "dog"})[1] == [
        5
    ]  # 5.0 is nearest to the border, 6.5
    assert rounds({"a": "cat", "b": "dog", "i": "dog", "j": "dog"})[1] == [2]


def test_picks_are_those_of_the_strategy(digits):
    x, names, truth = digits
    labels = {name: truth[name] for name in names[:9]}
    rounds = HeadRounds(x, names, CLASSES, strategy="k-centre", n=6)
    assert rounds(labels)[1] == query("k-centre", features=x, labelled=range(9), n=6).tolist()


def test_random_rounds_are_drawn_anew():
    """With one seed for all rounds each would ask the neighbours of the one before."""
    n, names = 1000, [str(k) for k in range(1000)]
    rounds = HeadRounds(np.zeros((n, 1)), names, ["cat", "dog"], strategy="random")
    past, picks = set(), []
    for _ in range(3):
        _, found = rounds({}, past)
        picks.append(found)
        past |= {names[k] for k in found}
    for one, two in pairwise(picks):
        near = np.median(np.abs(np.array(two)[:, None] - np.array(one)).min(1))
        assert near > 8, "uniform draws have a median of 16"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_asks_each_image_once_until_none_is_left(digits, strategy):
    x, names, truth = digits
    x, names = x[:32], names[:32]
    labels, past, sizes = {}, set(), []
    rounds = HeadRounds(x, names, CLASSES, strategy=strategy, n=10)
    _, picks = rounds(labels)
    while picks:
        sizes.append(len(set(picks)))
        asked = [names[k] for k in picks]
        assert not {*labels, *past} & set(asked)
        past.add(asked[0])  # skipped
        labels |= {name: truth[name] for name in asked[1:]}
        _, picks = rounds(labels, past)
    assert sizes == [10, 10, 10, 2]


def test_a_round_that_is_ended_twice_says_and_picks_the_same(digits):
    x, names, truth = digits
    rounds = HeadRounds(x, names, CLASSES, n=5, strategy="badge")
    labels = {name: truth[name] for name in names[:24]}
    assert rounds(labels) == rounds(labels)


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
        ({"names": ["a", *map(str, range(1, 89)), "a"]}, "89 names for 90 rows"),
        ({"strategy": "best"}, "strategy 'best' is not known"),
        ({"n": 0}, "n is 0"),
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
