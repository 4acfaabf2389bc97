"""Bundled sets: honest splits, exact drawings, cards that say what was measured."""

import socket

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from transferlab.data.bundled import BUNDLED, load_bundled
from transferlab.data.bundled import materials as mat
from transferlab.data.bundled.baselines import measure_baselines
from transferlab.data.bundled.digits import halves_of_each_class
from transferlab.data.bundled.faces import ALIKE
from transferlab.data.statistics import intensity_statistics
from transferlab.errors import UserError


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a bundled set reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("name", BUNDLED)
def test_every_set_is_whole(name, no_network):
    loaded = load_bundled(name)
    classes = loaded.development.classes
    assert loaded.test.classes == classes
    assert loaded.validation is None
    for part in (loaded.development, loaded.test):
        counts = np.bincount(part.labels, minlength=len(classes))
        assert counts.min() >= 28
        assert part.domain
        assert part.provenance
        assert len(set(part.paths)) == len(part)
        flat = np.ptp(part.images.reshape(len(part), -1), axis=1) == 0
        assert flat.sum() <= (name == "faces")  # one of the source's crops is black
    assert not set(loaded.development.paths) & set(loaded.test.paths)


@pytest.mark.parametrize("name", BUNDLED)
def test_no_image_is_both_in_development_and_test(name):
    loaded = load_bundled(name)
    seen = {image.tobytes() for image in loaded.development.images}
    assert not [
        path
        for path, image in zip(loaded.test.paths, loaded.test.images, strict=True)
        if image.tobytes() in seen
    ]


def test_a_caller_cannot_spoil_the_next_ones_images():
    first = load_bundled("digits")
    before = first.test.digest
    first.test.images[:] = 0
    first.test.labels[:] = 0
    again = load_bundled("digits")
    assert again.test.digest == before
    assert len(set(again.test.labels.tolist())) == 10


@pytest.mark.parametrize("name", ["digit", "", "Digits", "../faces"])
def test_an_unknown_name_lists_the_known_ones(name):
    with pytest.raises(UserError, match="printed-digits") as raised:
        load_bundled(name)
    assert repr(name) in str(raised.value)


# --- handwriting ---------------------------------------------------------------------------------


def test_the_two_halves_of_digits_share_nothing_and_lose_nothing():
    from sklearn.datasets import load_digits

    source = load_digits()
    found = []
    for name in ("digits", "digits-final"):
        loaded = load_bundled(name)
        for part in (loaded.development, loaded.test):
            positions = [int(path.split("/")[1]) for path in part.paths]
            assert (source.target[positions] == part.labels).all()
            assert np.abs(source.images[positions] - part.images[:, 0] * (16 / 255)).max() < 0.05
            found += positions
    assert sorted(found) == list(range(len(source.target)))


@given(hnp.arrays(np.int64, st.integers(0, 80), elements=st.integers(0, 4)), st.integers(0, 9))
def test_halves_part_every_class_evenly(labels, seed):
    if not len(labels):
        labels = np.zeros(1, np.int64)
    halves = halves_of_each_class(labels, seed)
    together = np.concatenate([np.concatenate(half) for half in halves])
    assert sorted(together.tolist()) == list(range(len(labels)))
    for c in np.unique(labels):
        first, second = [sum((labels[p] == c).sum() for p in half) for half in halves]
        assert 0 <= first - second <= 1


# --- printed characters --------------------------------------------------------------------------


def _boxes(image_set):
    return [(p.split("/")[0], tuple(map(int, p.split("/")[1].split("-")))) for p in image_set.paths]


def _gap(a, b):
    """Pixels between two boxes along the axis that parts them most; negative where they overlap."""
    return max(b[0] - a[2], a[0] - b[2], b[1] - a[3], a[1] - b[3])


@pytest.mark.parametrize("colour", [False, True])
def test_patches_of_development_and_test_lie_apart_in_the_photograph(colour):
    development, test = mat.materials(colour)
    for photograph in mat.PHOTOGRAPHS:
        mine = [b for n, b in _boxes(development) if n == photograph.name]
        theirs = [b for n, b in _boxes(test) if n == photograph.name]
        assert len(mine) == len(theirs) == mat.PATCHES
        least = min(_gap(a, b) for a in mine for b in theirs)
        assert least >= 15 * photograph.shrink
        for side in (mine, theirs):
            assert all(_gap(a, b) >= 0 for i, a in enumerate(side) for b in side[:i])


@pytest.mark.parametrize("part", [0, 1])
def test_a_stored_box_is_where_the_patch_comes_from(part):
    photographs = {p.name: (p, mat.read_photograph(p)) for p in mat.PHOTOGRAPHS}
    grey, colour = mat.materials(False)[part], mat.materials(True)[part]
    assert grey.paths == colour.paths
    for i, (name, (y0, x0, y1, x1)) in enumerate(_boxes(colour)):
        photograph, pixels = photographs[name]
        assert colour.classes[colour.labels[i]] == grey.classes[grey.labels[i]] == name
        assert 0 <= y0 < y1 <= pixels.shape[0]
        assert 0 <= x0 < x1 <= pixels.shape[1]
        s = photograph.shrink
        there = np.mean(
            [pixels[y0 + a : y1 : s, x0 + b : x1 : s] for a in range(s) for b in range(s)], axis=0
        )
        assert np.abs(there - np.moveaxis(colour.images[i], 0, -1)).max() <= 0.5


@pytest.mark.parametrize("part", [0, 1])
def test_grey_patches_say_nothing_by_mean_and_little_by_spread(part):
    statistics = intensity_statistics(mat.materials(False)[part].images)
    assert np.abs(statistics[:, 0] - mat.MEAN).max() < 8
    assert np.median(np.abs(statistics[:, 1] - mat.STD)) < 1
    coloured = intensity_statistics(mat.materials(True)[part].images)
    assert np.ptp(coloured[:, 0]) > 100


def test_colour_is_a_shortcut_and_grey_is_not():
    grey, colour = load_bundled("materials").card, load_bundled("materials-colour").card
    assert colour["baselines"]["intensity_statistics"] > grey["baselines"]["intensity_statistics"] + 0.1
    assert min(colour["baselines"]["intensity_statistics_per_seed"]) > max(
        grey["baselines"]["intensity_statistics_per_seed"]
    )


def test_a_photograph_that_is_not_installed_is_named():
    gone = mat.PHOTOGRAPHS[0]._replace(file="gone.png")
    with pytest.raises(UserError, match=r"gone\.png"):
        mat.read_photograph(gone)


# --- faces ---------------------------------------------------------------------------------------


def test_no_face_crop_has_a_look_alike_across_the_split():
    loaded = load_bundled("faces")
    flat = [p.images.reshape(len(p), -1).astype(float) for p in (loaded.development, loaded.test)]
    z = [(f - f.mean(1, keepdims=True)) / np.maximum(f.std(1, keepdims=True), 1e-9) for f in flat]
    assert (z[0] @ z[1].T / flat[0].shape[1]).max() <= ALIKE
    assert np.bincount(loaded.test.labels).tolist() == [40, 40]


# --- cards and statistics ------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUNDLED)
def test_a_card_is_complete_and_counts_what_is_there(name):
    loaded = load_bundled(name)
    card = loaded.card
    for key in ("title", "source", "licence", "shows", "cannot_show"):
        assert len(card[key]) > 5, key
    assert card["name"] == name
    assert card["sizes"]["development"] == len(loaded.development)
    assert card["sizes"]["test"] == len(loaded.test) == card["baselines"]["n_test"]
    assert card["sizes"]["image"] == list(loaded.test.images.shape[1:])
    for key in ("raw_pixels", "intensity_statistics"):
        per_seed = card["baselines"][f"{key}_per_seed"]
        assert len(per_seed) == card["baselines"]["seeds"] >= 5
        assert card["baselines"][key] == pytest.approx(np.mean(per_seed), abs=1e-4)


def test_the_card_of_materials_names_the_licence_of_each_photograph():
    licence = load_bundled("materials").card["licence"]
    for photograph in mat.PHOTOGRAPHS:
        assert f"{photograph.name}: {photograph.licence}" in licence


@pytest.mark.parametrize("name", ["digits-final", "materials", "materials-colour", "faces"])
def test_recorded_baselines_come_out_again(name):
    loaded = load_bundled(name)
    recorded = loaded.card["baselines"]
    again = measure_baselines(loaded, recorded["labels_per_class"], recorded["seeds"])
    for key in ("raw_pixels", "intensity_statistics"):
        # the solver stops early, and its last digits depend on threads: a few test images may flip
        assert again[key] == pytest.approx(recorded[key], abs=0.01)
        assert again[f"{key}_per_seed"] == pytest.approx(recorded[f"{key}_per_seed"], abs=0.02)


def test_shuffled_labels_fall_to_chance():
    loaded = load_bundled("digits")
    np.random.default_rng(0).shuffle(loaded.development.labels)
    assert measure_baselines(loaded, seeds=2)["raw_pixels"] < 0.25


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)))
def test_grey_statistics_agree_with_scipy(image):
    from scipy import stats

    mean, std, low, high, skew, kurtosis = intensity_statistics(image[None, None])[0]
    pixels = image.ravel().astype(float)
    assert (low, high) == (pixels.min(), pixels.max())
    assert mean == pytest.approx(pixels.mean(), rel=1e-5)
    assert std == pytest.approx(pixels.std(), rel=1e-5, abs=1e-5)
    if low == high:
        assert (skew, kurtosis) == (0, 0)
    else:
        assert skew == pytest.approx(stats.skew(pixels), rel=1e-4, abs=1e-4)
        assert kurtosis == pytest.approx(stats.kurtosis(pixels), rel=1e-4, abs=1e-4)


@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(0, 3), st.sampled_from([1, 3]), st.just(4), st.just(5))),
    st.randoms(use_true_random=False),
)
def test_statistics_know_nothing_of_place(images, random):
    order = list(range(20))
    random.shuffle(order)
    moved = images.reshape(*images.shape[:2], 20)[..., order].reshape(images.shape)
    was, now = intensity_statistics(images), intensity_statistics(moved)
    assert was.shape == (len(images), 6)
    assert was.dtype == np.float32
    np.testing.assert_allclose(now, was, rtol=1e-4, atol=1e-3)


def test_colour_statistics_are_means_then_spreads():
    image = np.zeros((1, 3, 2, 2), np.uint8)
    image[0, 0], image[0, 2] = 10, [[0, 0], [20, 20]]
    assert intensity_statistics(image).tolist() == [[10, 0, 10, 0, 0, 10]]


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 4, 4), np.uint8),
        np.zeros((2, 2, 4, 4), np.uint8),
        np.zeros((2, 1, 4, 4)),
        np.zeros((2, 1, 0, 4), np.uint8),
    ],
)
def test_statistics_refuse_other_arrays(wrong):
    with pytest.raises(UserError, match="uint8 array of shape"):
        intensity_statistics(wrong)
