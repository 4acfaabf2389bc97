"""Label draws and the seal: counts, groups, looks, and no way to the test labels."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.data import ImageSet, SealedTest, draw_task
from transferlab.errors import UserError


def image_set(labels, k, groups=None, paths=None):
    labels = np.array(labels, np.int64)
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 1, 8, 8), dtype=np.uint8)
    return ImageSet(images, labels, tuple("abcdefg"[:k]), groups, paths=paths)


def sealed(k=3, n=4):
    return SealedTest(image_set(np.repeat(np.arange(k), n), k), printing=False)


class Constant:
    """Gives the same probabilities to every image, and keeps what it was shown."""

    def __init__(self, *row):
        self.row = row

    def predict_proba(self, images):
        self.shown = images
        return np.tile(self.row, (len(images), 1))


def task(labels_per_class=10, seed=0, groups=None):
    development = image_set(np.repeat([0, 1, 2], 20), 3, groups)
    return draw_task("t", development, None, sealed(), labels_per_class, seed)


counts = st.lists(st.integers(1, 12), min_size=2, max_size=4)


@settings(max_examples=150, deadline=None)
@given(counts, st.booleans(), st.data(), st.integers(0, 50))
def test_labels_are_counted_with_validation(per_class, with_validation, data, seed):
    k = len(per_class)
    development = image_set(np.repeat(np.arange(k), per_class), k)
    validation = None
    if with_validation:
        held = data.draw(st.lists(st.integers(0, 6), min_size=k, max_size=k).filter(any))
        validation = image_set(np.repeat(np.arange(k), held), k)
    whole = draw_task("t", development, validation, sealed(k), None, seed)
    asked = data.draw(st.integers(1, whole.labels_available))
    drawn = whole.draw(asked, seed)
    val = np.zeros(0, int) if drawn.validation is None else drawn.validation.labels
    assert (np.bincount(np.concatenate([drawn.train.labels, val]), minlength=k) == asked).all()
    assert (np.bincount(drawn.train.labels, minlength=k) >= 1).all()
    assert drawn.unlabelled.labels is None
    inside = len(drawn.train) + (0 if with_validation else len(val))
    assert inside + len(drawn.unlabelled) == len(development)
    with pytest.raises(UserError, match="ask for at most"):
        whole.draw(whole.labels_available + 1, seed)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 20), st.integers(1, 8), st.integers(0, 99))
def test_groups_never_straddle_train_and_validation(asked, size, seed):
    groups = np.array([f"g{i // size}" for i in range(60)])
    drawn = task(labels_per_class=asked, seed=seed, groups=groups)
    assert len(drawn.train) + (0 if drawn.validation is None else len(drawn.validation)) == 3 * asked
    if drawn.validation is not None:
        assert not set(drawn.train.groups) & set(drawn.validation.groups)
    assert set(drawn.train.labels) == {0, 1, 2}


def test_validation_takes_a_fifth_and_at_least_one():
    for asked, expected in ((1, 0), (2, 1), (5, 1), (10, 2), (20, 4)):
        drawn = task(labels_per_class=asked)
        assert (0 if drawn.validation is None else len(drawn.validation)) == 3 * expected


def test_the_seed_changes_the_draw_and_nothing_else():
    first, again, other = task(seed=1), task(seed=1), task(seed=2)
    assert first.train.digest == again.train.digest != other.train.digest
    assert first.draw(10, 2).train.digest == other.train.digest
    assert first.draw(10, 2).test is first.test


@pytest.mark.parametrize("wrong", [0, -3, 2.5, "10", True, np.float64(4)])
def test_wrong_numbers_of_labels_are_one_sentence(wrong):
    with pytest.raises(UserError, match="whole number"):
        task(labels_per_class=wrong)


def reachable(thing, depth=4):
    """All that attributes, vars, slots and containers of a thing lead to."""
    found, level = [], [thing]
    for _ in range(depth):
        following = []
        for item in level:
            if isinstance(item, (str, bytes, int, float, type, np.ndarray)) or callable(item):
                continue
            if isinstance(item, dict):
                following += list(item.values())
            elif isinstance(item, (list, tuple)):
                following += list(item)
            else:
                following += [getattr(item, name, None) for name in dir(item) if not name.startswith("__")]
        found += following
        level = following
    return found


def test_no_attribute_leads_to_test_labels():
    truth = np.random.default_rng(5).integers(0, 3, 37)
    test = SealedTest(image_set(truth, 3, paths=tuple(f"class{y}/x" for y in truth)), printing=False)
    drawn = draw_task("t", image_set([0, 1, 2] * 5, 3), None, test, 3, 0)
    for item in reachable(drawn):
        if isinstance(item, np.ndarray) and item.shape == truth.shape:
            assert not np.array_equal(item, truth)
        assert not (isinstance(item, str) and item.startswith("class"))
    assert "looks=0" in repr(test) and str(truth.tolist())[1:-1] not in repr(test)
    with pytest.raises(TypeError):
        vars(test)
    for steal in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="sealed"):
            steal(test)
    model = Constant(1, 0, 0)
    test.score({"m": model})
    assert model.shown.labels is None and model.shown.paths is None


def test_looks_are_counted_printed_and_cannot_be_set(capsys):
    test = SealedTest(image_set([0, 1, 2, 2], 3))
    scores = test.score({"a": Constant(1, 0, 0), "b": Constant(0, 0, 1)})
    assert (scores.look, test.looks) == (1, 1)
    assert "test look 1: 2 model(s), n = 4" in capsys.readouterr().out
    assert scores.metrics["a"]["accuracy"] == 0.25 and scores.metrics["b"]["accuracy"] == 0.5
    scores.truth[:] = 0
    assert test.score({"a": Constant(1, 0, 0)}).metrics["a"]["accuracy"] == 0.25
    assert test.looks == 2
    with pytest.raises(AttributeError):
        test.looks = 0


@pytest.mark.parametrize("models", [{}, [Constant(1, 0, 0)], {"m": Constant(1, 0)}])
def test_a_wrong_call_is_no_look(models):
    test = sealed()
    with pytest.raises(UserError):
        test.score(models)
    assert test.looks == 0


def test_two_tests_keep_their_own_labels_and_looks():
    a, b = SealedTest(image_set([0, 0], 3), False), SealedTest(image_set([1, 1], 3), False)
    assert a.score({"m": Constant(1, 0, 0)}).metrics["m"]["accuracy"] == 1.0
    assert b.score({"m": Constant(1, 0, 0)}).metrics["m"]["accuracy"] == 0.0
    assert (a.looks, b.looks) == (1, 1)


def test_a_test_needs_labels():
    with pytest.raises(UserError, match="labelled"):
        SealedTest(image_set([0, 1], 2).without_labels())
    with pytest.raises(UserError, match="labelled"):
        SealedTest(image_set([0, 1], 2)[:0])
