"""Oracles: who is asked twice says the same, shares come out as asked for, and a wrong file is told in a sentence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.active.label_file import LabelFile
from transferlab.active.oracles import FileLabels, HiddenLabels
from transferlab.errors import UserError


def said(oracle, positions):
    return [a.label for a in oracle.ask(positions)]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1), st.permutations(range(40)))
def test_an_answer_depends_on_the_image_and_not_on_the_call(seed, noise, abstention, order):
    labels = np.arange(40) % 5
    oracle = HiddenLabels(labels, noise=noise, abstention=abstention, seed=seed)
    whole = said(oracle, range(40))
    assert said(oracle, order) == [whole[p] for p in order]
    again = HiddenLabels(labels, noise=noise, abstention=abstention, seed=seed)
    assert [said(again, [p])[0] for p in order] == [whole[p] for p in order]


def test_noise_is_a_share_of_images_and_uniform_among_the_other_classes():
    n, k, noise = 40_000, 4, 0.3
    labels = np.arange(n) % k
    found = np.array(said(HiddenLabels(labels, noise=noise, seed=3), np.arange(n)))
    wrong = found != labels
    assert abs(wrong.mean() - noise) < 4 * np.sqrt(noise * (1 - noise) / n)
    shift = np.bincount((found[wrong] - labels[wrong]) % k, minlength=k)
    assert shift[0] == 0
    expected = wrong.sum() / (k - 1)
    assert (np.abs(shift[1:] - expected) < 4 * np.sqrt(expected)).all()


def test_more_noise_changes_more_answers_and_takes_none_back():
    labels = np.arange(500) % 3
    less, more = (np.array(said(HiddenLabels(labels, noise=x, seed=1), np.arange(500))) for x in (0.2, 0.6))
    changed = less != labels
    assert changed.any() and (more[changed] == less[changed]).all()


def test_the_ends_no_noise_all_noise_no_answer():
    labels = np.arange(90) % 3
    assert said(HiddenLabels(labels), range(90)) == labels.tolist()
    assert (np.array(said(HiddenLabels(labels, noise=1.0), range(90))) != labels).all()
    assert said(HiddenLabels(labels, abstention=1.0), range(90)) == [None] * 90
    silent = HiddenLabels(labels, abstention=1.0, prices=np.arange(90)).ask([7])[0]
    assert (silent.price, silent.who, silent.position) == (7.0, "hidden labels", 7)


@pytest.mark.parametrize(
    "build, sentence",
    [
        (lambda: HiddenLabels([0.5, 1]), "class numbers"),
        (lambda: HiddenLabels([]), "class numbers"),
        (lambda: HiddenLabels([-1, 0]), "class numbers"),
        (lambda: HiddenLabels([0, 5], classes=3), "a hidden label is 5"),
        (lambda: HiddenLabels([0, 1], noise=1.5), "noise is a share"),
        (lambda: HiddenLabels([0, 0], noise=0.5), "single class"),
        (lambda: HiddenLabels([0, 1], abstention=-0.1), "abstention is a share"),
        (lambda: HiddenLabels([0, 1], prices=[1]), "2 numbers"),
        (lambda: HiddenLabels([0, 1], prices=[1, np.nan]), "2 numbers"),
        (lambda: HiddenLabels([0, 1]).ask([2]), "from 0 to 1"),
        (lambda: HiddenLabels([0, 1]).ask([-1]), "from 0 to 1"),
        (lambda: HiddenLabels([0, 1]).ask([0.5]), "from 0 to 1"),
    ],
)
def test_what_makes_no_oracle_is_told(build, sentence):
    with pytest.raises(UserError, match=sentence):
        build()


NAMES, CLASSES = ["a.png", "b, c.png", "é.png"], ["cat", "dog"]


def test_a_file_answers_what_it_names_and_abstains_on_the_rest(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(
        '\ufeffimage,label,who,price\n"b, c.png",dog,Ada,2.5\né.png,cat,,\na.png,,Ada,1\n', encoding="utf-8"
    )
    answers = FileLabels(path, NAMES, CLASSES).ask([2, 1, 0])
    assert [(a.position, a.label, a.who, a.price) for a in answers] == [
        (2, 0, "labels.csv", 1.0), (1, 1, "Ada", 2.5), (0, None, "labels.csv", 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text, sentence",
    [
        (b"image,label\nx.png,cat\n", "line 2 .*'x.png'.* not in the pool"),
        (b"image,label\na.png,cow\n", "line 2 .*'cow', none of the classes"),
        (b"image,label\na.png,cat\na.png,dog\n", "line 3 .*second label"),
        (b"name,label\na.png,cat\n", "no column 'image'"),
        (b"", "no column 'image'"),
        (b"image,label\na.png,\xff\n", "cannot be read"),
        (b"image,label,price\na.png,cat,-3\n", "price '-3'"),
        (b"image,label,price\na.png,cat,nan\n", "price 'nan'"),
    ],
)
def test_a_wrong_file_is_told(tmp_path, text, sentence):
    path = tmp_path / "labels.csv"
    path.write_bytes(text)
    with pytest.raises(UserError, match=sentence):
        FileLabels(path, NAMES, CLASSES)
    assert path.read_bytes() == text


def test_no_file_and_images_of_one_name(tmp_path):
    with pytest.raises(UserError, match="there is no label file"):
        FileLabels(tmp_path / "none.csv", NAMES, CLASSES)
    with pytest.raises(UserError, match="one name"):
        FileLabels(tmp_path / "none.csv", ["a", "a"], CLASSES)


def test_of_a_persons_file_what_stands_counts(tmp_path):
    file = LabelFile(tmp_path / "labels.csv", CLASSES, who="Ada")
    file.add("a.png", "cat")
    file.add("a.png", "dog", price=2)  # thought better of
    file.add("é.png", "cat")
    file.undo()
    file.add("b, c.png", None, answer="skip")
    answers = FileLabels(file.path, NAMES, CLASSES).ask([0, 1, 2])
    assert [(a.label, a.who, a.price) for a in answers[:1]] == [(1, "Ada", 2.0)]
    assert [a.label for a in answers[1:]] == [None, None]
