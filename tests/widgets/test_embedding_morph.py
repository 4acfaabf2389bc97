"""The embedding morph: steps neither flip nor turn, distances stay, and the sentence follows the interval."""

import copy
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.errors import UserError
from transferlab.widgets import embedding_morph
from transferlab.widgets.embedding_morph import State

STRENGTHS = [0.0, 0.25, 0.5, 0.75, 1.0]


def case(pair="print", method="CORAL", gain=(0.2, 0.1, 0.3)):
    rng = np.random.default_rng(0)
    target = rng.normal(size=(30, 6)) * [5, 3, 1, 1, 1, 1]
    source = rng.normal(size=(40, 6)) * [4, 3, 1, 1, 1, 1] + 6
    accuracy = [[0.5 + g, 0.4 + g, 0.6 + g] for g in np.linspace(0, gain[0], 5)]
    return {
        "pair": pair, "method": method, "strengths": STRENGTHS, "classes": ["zero", "one"],
        "source": source, "aligned": source - 6, "target": target,
        "source_labels": [0, 1] * 20, "target_labels": [0, 1] * 15,
        "accuracy": accuracy, "gain": [[0.0, 0.0, 0.0], *[list(gain)] * 4], "n": 300, "seeds": 5,
    }  # fmt: skip


@pytest.fixture
def data():
    return [case(m, a) for m in ("print", "skewed") for a in ("CORAL", "optimal transport")]


def turn(degrees):
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


def turn_left(here, there, rows):
    """The rotation or reflection that would still bring ``here`` nearer to ``there``."""
    a, b = here[rows] - here[rows].mean(0), there[rows] - there[rows].mean(0)
    u, _, v = np.linalg.svd(a.T @ b)
    return u @ v


def test_no_step_flips_or_turns_against_the_one_before():
    one = case()
    rows = np.arange(40, 70)
    steps = embedding_morph.paths(one)
    for before, after in itertools.pairwise(steps):
        assert np.allclose(turn_left(after, before, rows), np.eye(2), atol=1e-8)
        assert np.allclose(after[rows].mean(0), before[rows].mean(0))
        moved = np.linalg.norm(after[rows] - before[rows], axis=1).mean()
        assert moved < 0.5 * np.linalg.norm(before[rows] - before[rows].mean(0), axis=1).mean()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(-180, 180), st.booleans(), st.floats(-9, 9)), min_size=3, max_size=3))
def test_whatever_turns_and_flips_come_in_the_same_steps_come_out(changes):
    rng = np.random.default_rng(1)
    clean = [rng.normal(size=(20, 2)) * [3, 1] for _ in range(4)]
    spoilt = [clean[0]]
    for step, (degrees, flip, shift) in zip(clean[1:], changes, strict=True):
        spoilt.append(step @ turn(degrees) @ np.diag([-1 if flip else 1, 1]) + shift)
    for a, b in zip(embedding_morph.steady(clean), embedding_morph.steady(spoilt), strict=True):
        assert np.allclose(a, b, atol=1e-8)


def test_distances_within_a_step_are_kept():
    rng = np.random.default_rng(2)
    steps = [rng.normal(size=(12, 2)) for _ in range(3)]
    for raw, out in zip(steps, embedding_morph.steady(steps, np.arange(5)), strict=True):
        distances = [np.linalg.norm(x[:, None] - x[None], axis=2) for x in (raw, out)]
        assert np.allclose(*distances)
    assert embedding_morph.steady([]) == []


def test_strength_nought_is_the_source_and_strength_one_is_aligned(data):
    gaps = []
    for step in range(5):
        found = embedding_morph.compute(data, State("print", "CORAL", step))
        gaps.append(np.linalg.norm(found.source.mean(0) - found.target.mean(0)))
        for points in (found.source, found.target):
            assert (points > [low for low, _ in found.frame]).all()
            assert (points < [high for _, high in found.frame]).all()
    assert gaps[0] > 5 * gaps[-1] and gaps == sorted(gaps, reverse=True)
    assert found.source_names[:2] == ("zero", "one") and found.strength == 1
    frames = {embedding_morph.compute(data, State("print", "CORAL", s)).frame for s in range(5)}
    assert len(frames) == 1, "the frame holds still"


@pytest.mark.parametrize(
    ("gain", "word"),
    [((0.2, 0.1, 0.3), "better"), ((-0.2, -0.3, -0.1), "worse"), ((0.02, -0.1, 0.1), "not told apart")],
)
def test_the_sentence_follows_the_interval(gain, word):
    card = embedding_morph.static([case(gain=gain)])
    assert word in card.finding and "n = 300 test images, 5 seeds" in card.finding
    assert "CORAL at strength 1" in card.finding and card.png()[1:4] == b"PNG"
    start = embedding_morph.static([case(gain=gain)], State("print", "CORAL", 0)).finding
    assert "source as it is: 50 %" in start and "better" not in start


def test_classes_and_domains_are_told_apart_without_colour(data):
    card = embedding_morph.static(data)
    plane = card.axes[0]
    letters = [t.get_text() for t in plane.texts]
    assert letters.count("ze") == 35 and letters.count("on") == 35
    [rings] = [line for line in plane.lines if line.get_marker() == "o"]
    assert len(rings.get_xdata()) == 30, "each target point has a ring, and no source point has one"


@pytest.mark.parametrize("state", [State("cats", "CORAL", 0), State("print", "TCA", 0), State("print", "CORAL", 5),
                                   State("print", "CORAL", -1)])  # fmt: skip
def test_what_there_is_not_is_refused_in_a_sentence(data, state):
    with pytest.raises(UserError, match="the embedding morph has CORAL on print"):
        embedding_morph.compute(data, state)


@pytest.mark.parametrize("key", ["aligned", "gain", "strengths", "n"])
def test_a_case_without_a_field_is_refused(data, key):
    broken = copy.deepcopy(data)
    del broken[2][key]
    with pytest.raises(UserError, match=f"has no '{key}'"):
        embedding_morph.compute(broken, State("print", "CORAL", 0))
    with pytest.raises(UserError, match="no case to show"):
        embedding_morph.compute([], State("print", "CORAL", 0))


def test_the_view_follows_its_controls(data):
    menus, strength, picture = embedding_morph.view(data).children
    pair, method = menus.children
    assert all(control.description for control in (pair, method, strength))
    assert "source as it is" in picture.value
    strength.value = 4
    assert "CORAL at strength 1" in picture.value
    method.value = "optimal transport"
    assert "optimal transport at strength 1" in picture.value
    pair.value = "skewed"
    assert 'alt="skewed, optimal transport' in picture.value and "alert" not in picture.value
