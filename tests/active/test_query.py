"""What every query strategy keeps to, and what is said about a pool that is wrong."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.active import STRATEGIES, query
from transferlab.errors import UserError

NAMES = list(STRATEGIES)
SCORES = ["least-confidence", "margin", "entropy", "bald"]


def made_pool(name, n=40, d=3, k=4, seed=0):
    """features, and probabilities or draws, as ``name`` needs them."""
    rng = np.random.default_rng(seed)
    shape = (5, n, k) if name == "bald" else (n, k)
    return {"features": rng.normal(size=(n, d)), "probabilities": rng.dirichlet(np.ones(k), shape[:-1])}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(data=st.data())
def test_no_image_twice_none_labelled_and_the_same_again(name, data):
    size = data.draw(st.integers(1, 12))
    free = data.draw(st.integers(1, size))
    labelled = data.draw(st.permutations(range(size)))[free:]
    n = data.draw(st.integers(1, free))
    seed = data.draw(st.integers(0, 99))
    grid = st.lists(st.integers(-1, 1), min_size=2 * size, max_size=2 * size)  # many images are alike
    features = np.array(data.draw(grid), float).reshape(size, 2)
    shape = (2, size, 2) if name == "bald" else (size, 2)
    scores = data.draw(st.lists(st.sampled_from([0.0, 0.5, 1]), min_size=shape[-2], max_size=shape[-2]))
    probabilities = np.broadcast_to(np.stack([scores, 1 - np.array(scores)], 1), shape)
    prices = data.draw(st.none() | st.lists(st.floats(1e-3, 1e3), min_size=size, max_size=size))
    asked = dict(
        features=features, probabilities=probabilities, labelled=labelled, n=n, seed=seed, prices=prices
    )
    picks = query(name, **asked)
    assert picks.dtype == np.int64 and picks.shape == (n,)
    assert len(set(picks.tolist()) - set(labelled)) == n
    assert set(picks.tolist()) <= set(range(size))
    np.testing.assert_array_equal(query(name, **asked), picks)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("price", [0.3, 7.0, 1e200])
def test_equal_prices_change_nothing(name, price):
    pool = made_pool(name)
    asked = {**pool, "labelled": [3, 5], "n": 8, "seed": 2}
    np.testing.assert_array_equal(query(name, **asked), query(name, **asked, prices=np.full(40, price)))


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in ("typiclust", "typical-then-uncertain")]
)
def test_what_is_nearly_free_is_asked_first_and_what_is_dear_last(name):
    pool, prices = made_pool(name), np.ones(40)
    prices[17], prices[21] = 1e-5, 1e5
    picks = query(name, **pool, labelled=[0], n=39, prices=prices).tolist()
    assert picks[0] == 17 and picks[-1] == 21


@pytest.mark.parametrize("name", NAMES)
def test_inputs_stay_as_they_are_and_lists_will_do(name):
    pool = made_pool(name)
    labelled = np.array([7, 2])
    kept = [pool["features"].copy(), pool["probabilities"].copy()]
    picks = query(name, **pool, labelled=labelled, n=6)
    np.testing.assert_array_equal(pool["features"], kept[0])
    np.testing.assert_array_equal(pool["probabilities"], kept[1])
    lists = {key: table.tolist() for key, table in pool.items()}
    np.testing.assert_array_equal(query(name, **lists, labelled=[2, 7], n=6), picks)


@pytest.mark.parametrize("name", NAMES)
def test_only_what_a_strategy_needs_is_read(name):
    pool, needs = made_pool(name), STRATEGIES[name].needs
    wrong = {
        "features": pool["features"] if "features" in needs else np.full((40, 2), np.nan),
        "probabilities": pool["probabilities"]
        if needs & {"probabilities", "draws"}
        else np.full((40, 1), 9.0),
    }
    np.testing.assert_array_equal(query(name, **wrong, n=5), query(name, **pool, n=5))


@pytest.mark.parametrize("name", NAMES)
def test_with_nothing_to_tell_images_apart_the_seed_draws_them(name):
    shape = (3, 6, 2) if name == "bald" else (6, 2)
    times = np.zeros(6)
    for seed in range(120):
        times[query(name, features=np.ones((6, 2)), probabilities=np.full(shape, 0.5), n=1, seed=seed)] += 1
    assert times.min() >= 6  # 20 are expected of each; fewer than 6 of any happen once in 1,000 such tests


@pytest.mark.parametrize("name", NAMES)
def test_no_table_of_all_pairs(name):
    n, d, k = 5000, 8, 12
    pool = made_pool(name, n, d, k)
    tracemalloc.start()
    try:
        picks = query(name, **pool, labelled=np.arange(50), n=20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(set(picks.tolist())) == 20
    assert peak < n * n * 8 / 4  # of all pairs 200 MB


@pytest.mark.parametrize("name", ["k-centre", "typiclust", "max-herding", "badge"])
def test_features_of_single_precision_pick_alike(name, monkeypatch):
    pool = made_pool(name, 60)
    single = pool["features"].astype(np.float32)
    wanted = query(name, features=single.astype(float), probabilities=pool["probabilities"], n=12)
    monkeypatch.setattr("transferlab.adaptation.domains._LARGE", 0)  # as if the table were large
    found = query(name, features=single, probabilities=pool["probabilities"], n=12)
    np.testing.assert_array_equal(found, wanted)


def test_random_draws_cheap_images_as_often_as_their_prices_say():
    first = np.zeros(3)
    for seed in range(2000):
        first[query("random", features=np.zeros((3, 1)), n=1, seed=seed, prices=[1, 2, 4])] += 1
    np.testing.assert_allclose(first / 2000, np.array([4, 2, 1]) / 7, atol=0.04)


BAD = [
    ({"n": 4, "labelled": [0, 1]}, "3 of the 5 images are not labelled yet, fewer than the n=4 to ask"),
    ({"n": 1, "labelled": range(5)}, "0 of the 5 images are not labelled yet"),
    ({"n": 0}, "n is 0, but has to be a whole number of at least 1"),
    ({"n": 2.0}, "n is 2.0, but has to be a whole number"),
    ({"seed": -1}, "seed is -1"),
    ({"labelled": [5]}, "labelled names position 5, but there are 5 images, 0 to 4"),
    ({"labelled": [-1]}, "labelled names position -1"),
    ({"labelled": [3, 1, 3]}, "labelled names position 3 twice"),
    ({"labelled": [True, False, True, False, False]}, r"of a mask, give np.flatnonzero\(mask\)"),
    ({"labelled": [0.0, 1.0]}, "labelled has to be a list of whole numbers"),
    ({"features": np.full((5, 2), np.nan)}, "features holds NaN or infinite numbers in 5 of 5 rows"),
    ({"features": None}, r"badge needs features of shape \(N, D\)"),
    ({"features": 3}, "features have to be a table of numbers"),
    ({"features": np.ones((4, 2))}, "features of 4 images and probabilities of 5"),
    ({"features": np.ones(5)}, r"features must be features of shape \(N, D\), not of shape \(5,\)"),
    ({"probabilities": None}, "before there is a model, give equal ones"),
    ({"probabilities": np.full((5, 2), 0.4)}, "the pool probabilities must be 0 or more and sum to 1"),
    ({"probabilities": np.tile([1.5, -0.5], (5, 1))}, "the pool probabilities must be 0 or more"),
    ({"probabilities": np.ones((5, 1))}, "the pool probabilities have one column"),
    ({"probabilities": np.full((5, 2), np.nan)}, "the table of pool probabilities holds NaN"),
    ({"probabilities": np.full((3, 5, 2), 0.5)}, r"one row an image, not of shape \(3, 5, 2\)"),
    ({"probabilities": [[0.5, 0.5], [1]]}, "probabilities have to be a table of numbers"),
    ({"probabilities": [["a", "b"]] * 5}, "probabilities have to be a table of numbers"),
    ({"prices": [1, 2]}, r"prices have shape \(2,\) for 5 images"),
    ({"prices": [1, 1, 0, 1, 1]}, "the price of image 2 is 0; prices have to be above 0 and finite"),
    ({"prices": [1, -2, 1, 1, 1]}, "the price of image 1 is -2"),
    ({"prices": [1, 1, 1, np.nan, 1]}, "the price of image 3 is nan"),
    ({"prices": [np.inf, 1, 1, 1, 1]}, "the price of image 0 is inf"),
    ({"prices": ["a"] * 5}, "prices have to be numbers"),
    ({"prices": [1e-200, 1, 1, 1, 1e200]}, "prices run from 1e-200 to 1e[+]200, too far apart"),
]


@pytest.mark.parametrize("change, sentence", BAD)
def test_a_wrong_pool_is_one_sentence(change, sentence):
    right = {"features": np.arange(10.0).reshape(5, 2), "probabilities": np.full((5, 2), 0.5), "n": 1}
    assert len(query("badge", **right)) == 1
    with pytest.raises(UserError, match=sentence) as caught:
        query("badge", **{**right, **change})
    said = str(caught.value)
    assert said.endswith(".") and ". " not in said and "\n" not in said


@pytest.mark.parametrize(
    "draws, sentence",
    [
        (np.full((5, 2), 0.5), r"bald needs probabilities of shape \(T, N, K\).*not of shape \(5, 2\)"),
        (None, r"bald needs probabilities of shape \(T, N, K\)"),
        (np.full((1, 5, 2), 0.5), "one draw of probabilities cannot disagree with itself"),
        (np.full((3, 5, 2), 0.6), "the pool probabilities must be 0 or more and sum to 1"),
        (np.ones((3, 5, 1)), "the pool probabilities have one column"),
        (np.full((3, 5, 2), np.nan), "the table of pool probabilities holds NaN"),
        (np.empty((3, 0, 2)), "fewer than the n=1"),
    ],
)
def test_wrong_draws_are_one_sentence(draws, sentence):
    with pytest.raises(UserError, match=sentence):
        query("bald", probabilities=draws, n=1)


def test_no_pool_and_no_such_strategy():
    with pytest.raises(UserError, match="there is no pool"):
        query("random", n=1)
    with pytest.raises(
        UserError, match="the strategy 'coreset' is not known; choose from random, least-confidence"
    ):
        query("coreset", features=np.ones((3, 1)), n=1)


def test_every_strategy_says_what_it_is():
    for name, strategy in STRATEGIES.items():
        assert strategy.needs <= {"features", "probabilities", "draws"}, name
        assert 10 < len(strategy.text) < 90
