"""Features side by side: the weighted scores by definition, intervals by simulation, the table by what it must show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from transferlab.data import ImageSet
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.unsupervised import SelfTaughtLearning, SimCLR, cluster, cluster_scores, side_by_side
from transferlab.unsupervised.resampled_scores import Scored, interval, resampled

tables = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=3, max_size=30)


@given(tables)
@settings(max_examples=25)
def test_scores_under_equal_weights_are_those_of_scikit_learn(rows):
    truth, labels, _ = (np.array(c) for c in zip(*rows, strict=True))
    scores = Scored(labels, truth, None).scores(np.ones(len(truth)))
    assert scores["ari"] == pytest.approx(adjusted_rand_score(truth, labels))
    assert scores["nmi"] == pytest.approx(normalized_mutual_info_score(truth, labels), abs=1e-9)
    assert scores["matched_accuracy"] == pytest.approx(cluster_scores(labels, truth).matched_accuracy)


@given(tables)
@settings(max_examples=25)
def test_weighted_ari_counts_pairs_of_different_images_alone(rows):
    truth, labels, w = (np.array(c) for c in zip(*rows, strict=True))
    if (w > 0).sum() < 2:
        return
    n = len(w)
    both = by_class = by_cluster = total = 0
    for i in range(n):
        for j in range(n):
            if i != j:
                pair = w[i] * w[j]
                both += pair * (truth[i] == truth[j] and labels[i] == labels[j])
                by_class += pair * (truth[i] == truth[j])
                by_cluster += pair * (labels[i] == labels[j])
                total += pair
    chance, best = by_class * by_cluster / total, (by_class + by_cluster) / 2
    expected = 1.0 if best == chance else (both - chance) / (best - chance)
    assert Scored(labels, truth, None).scores(w)["ari"] == pytest.approx(expected)


def test_weights_of_the_other_scores_are_repetitions():
    truth, labels = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 2])
    silhouette = np.array([0.5, np.nan, 0.1, 0.2, 0.3])
    w = np.array([2, 0, 1, 3, 1])
    scores = Scored(labels, truth, silhouette).scores(w)
    again = np.repeat(np.arange(5), w)
    assert scores["nmi"] == pytest.approx(normalized_mutual_info_score(truth[again], labels[again]))
    assert (
        scores["matched_accuracy"] == 1
        and Scored(labels, truth, None).scores(np.ones(5))["matched_accuracy"] == 0.8
    )
    assert scores["silhouette"] == pytest.approx(np.nanmean(silhouette[again]))
    assert np.isnan(Scored(labels, truth, None).scores(w)["silhouette"])


def test_intervals_cover_what_they_are_for():
    """Classes and clusters drawn from a known joint distribution, whose ARI is known in closed form."""
    joint = np.array([[0.3, 0.05, 0.0], [0.05, 0.2, 0.1], [0.05, 0.05, 0.2]])
    together, by_class, by_cluster = (np.square(p).sum() for p in (joint, joint.sum(1), joint.sum(0)))
    true = (together - by_class * by_cluster) / ((by_class + by_cluster) / 2 - by_class * by_cluster)
    rng = np.random.default_rng(0)
    held, widths = 0, []
    for trial in range(80):
        truth, labels = np.divmod(rng.choice(9, 150, p=joint.ravel()), 3)
        estimates, drawn = resampled(
            [labels], [np.stack([truth, labels], 1)], truth, None, draws=100, seed=trial
        )
        found = interval(estimates["ari"], drawn["ari"], n=150, seeds=1, grouped=False)
        held += found.low <= true <= found.high
        widths.append(found.high - found.low)
    assert 0.86 <= held / 80 <= 1 and np.mean(widths) < 0.3


def test_draws_of_mutual_information_lie_around_the_estimate():
    rng = np.random.default_rng(0)
    truth, labels = rng.integers(0, 8, (2, 100))  # independent: all that is shared is an artefact
    estimates, drawn = resampled([labels], [np.stack([truth, labels], 1)], truth, None, draws=200)
    for name in ("nmi", "ari", "matched_accuracy"):
        assert drawn[name].mean() == pytest.approx(estimates[name], abs=1e-9)


def test_images_of_one_group_stay_together():
    truth, labels = np.arange(40) % 2, np.repeat([0, 1, 1, 0], 10)
    groups = np.repeat(list("abcd"), 10)
    _, drawn = resampled([labels], [np.stack([truth, labels], 1)], truth, groups, draws=50)
    _, single = resampled([labels], [np.stack([truth, labels], 1)], truth, None, draws=50)
    assert len(np.unique(drawn["matched_accuracy"].round(9))) < len(
        np.unique(single["matched_accuracy"].round(9))
    )


@pytest.fixture(scope="module")
def materials():
    return load_bundled("materials").development[::3]


@pytest.fixture(scope="module")
def found(materials):
    return side_by_side(materials, 12, seeds=3, draws=100)


def test_transferred_features_win_on_photographs_with_an_interval(found):
    assert found.difference("tiny-ssl", "pixels").low > 0.05
    assert found.difference("tiny", "pixels", "matched_accuracy").low > 0.1
    assert found.difference("tiny-ssl", "random", "nmi").low > 0.05


def test_rows_say_what_they_are(found):
    assert [(row.features, row.note, row.dimension) for row in found.rows] == [
        ("pixels", "", 3072),
        ("random", "", 256),
        ("tiny-ssl", "", 256),
        ("tiny", "labels used upstream", 256),
    ]
    for row in found.rows:
        for score in (row.nmi, row.ari, row.matched_accuracy, row.silhouette, row.stability):
            assert score.low < score.estimate < score.high and (score.n, score.seeds) == (192, 3)
        assert row.noise_share == 0
    flat = found.table()
    assert (
        flat.loc["tiny", "ari_low"] == found["tiny"].ari.low
        and flat.loc["tiny", "note"] == "labels used upstream"
    )


def test_a_difference_is_paired_and_turns_its_sign(found):
    forth, back = found.difference("tiny", "pixels"), found.difference("pixels", "tiny")
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))
    assert forth.estimate == pytest.approx(found["tiny"].ari.estimate - found["pixels"].ari.estimate)
    assert found.difference("tiny", "tiny").low == 0


def test_pixels_win_on_handwritten_digits():
    digits = load_bundled("digits").development[::3]
    found = side_by_side(digits, 10, features=["pixels", "tiny-ssl"], seeds=3, draws=100)
    assert found.difference("pixels", "tiny-ssl").low > 0.05


def test_labels_serve_for_scores_alone(materials):
    rng = np.random.default_rng(0)
    shuffled = ImageSet(materials.images, rng.permutation(materials.labels), materials.classes)
    a, b = (side_by_side(s, 12, features=["tiny"], seeds=3, draws=20) for s in (materials, shuffled))
    assert a["tiny"].stability == b["tiny"].stability
    assert a["tiny"].silhouette.estimate == b["tiny"].silhouette.estimate
    assert a["tiny"].ari.estimate > 0.2
    assert b["tiny"].ari.estimate < 0.05


def test_frozen_features_are_computed_once(materials):
    cache = BoundaryCache()
    for method in ("k-means", "agglomerative"):
        side_by_side(materials[:60], 4, features=["tiny"], method=method, seeds=3, draws=20, cache=cache)
    assert cache.computed == 60


def test_learners_and_hdbscan_and_names_of_ones_own(stripes, backbone):
    taught = SelfTaughtLearning(atoms=6, patch_size=4, patches=300, input_size=16).fit(stripes)
    contrastive = SimCLR(architecture=backbone, input_size=16, epochs=1).fit(stripes)
    upstream = SimCLR(start="zoo-all", input_size=16, epochs=1).fit(stripes[:8])
    features = [taught, contrastive, upstream]
    rows = side_by_side(stripes, 2, features=features, seeds=3, draws=20).rows
    assert [(row.features, bool(row.note)) for row in rows] == [
        ("SelfTaughtLearning", False),
        ("SimCLR from scratch", False),
        ("SimCLR from zoo-all", True),
    ]
    named = side_by_side(
        stripes, None, features={"patches": taught, "net": contrastive}, method="hdbscan", seeds=3, draws=20
    )
    assert [row.features for row in named.rows] == ["patches", "net"]
    assert all(0 <= row.noise_share <= 1 for row in named.rows)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"images": np.zeros((4, 1, 8, 8), np.uint8)}, "must be an ImageSet with labels"),
        ({"images": "unlabelled"}, "have no labels to score clusters with"),
        ({"images": "one"}, "X has one image"),
        ({"images": "one class"}, "all images are of one class"),
        ({"n_clusters": 500}, "48 samples for 500 clusters"),
        ({"n_clusters": None}, "needs the number of clusters"),
        ({"features": []}, "there are no features to compare"),
        ({"features": ["tiny", "tiny"]}, "two rows would be called 'tiny'"),
        ({"features": ["nobody"]}, "there is no backbone 'nobody'"),
        ({"method": "magic"}, "there is no clustering 'magic'"),
        ({"seeds": 2}, "seeds must be a whole number of at least 3"),
        ({"draws": 1}, "draws must be"),
    ],
)
def test_bad_input_is_said(change, sentence, stripes):
    made = {
        "unlabelled": stripes.without_labels(),
        "one": stripes[:1],
        "one class": stripes[stripes.labels == 0],
    }
    given = {"images": stripes, "n_clusters": 2, "features": ["pixels"], "draws": 20} | change
    if isinstance(given["images"], str):
        given["images"] = made[given["images"]]
    with pytest.raises(UserError, match=sentence):
        side_by_side(given.pop("images"), given.pop("n_clusters"), **given)


def test_rows_and_scores_that_there_are_not(found):
    with pytest.raises(UserError, match="there is no row 'huge'; take one of pixels"):
        found.difference("huge", "tiny")
    with pytest.raises(UserError, match="there is no score 'f1'"):
        found.difference("tiny", "pixels", "f1")


def test_what_is_learnt_anew_with_each_seed_is_clustered_for_each_and_marked_by_its_start():
    few = load_bundled("materials").development[::12]
    asked = []

    def learnt(seed, start):
        asked.append(seed)
        return SimCLR(start=start, epochs=1, random_state=seed).fit(few)

    origins = {start: lambda seed, start=start: learnt(seed, start) for start in ("scratch", "tiny")}
    found = side_by_side(few, 12, features=origins, seeds=3, draws=20)
    assert asked == [0, 1, 2] * 2
    assert [row.labels_upstream for row in found.rows] == [False, True]
    tables = [learnt(seed, "scratch").transform(few) for seed in range(3)]
    clusters = [cluster("k-means", table, 12, seed) for seed, table in enumerate(tables)]
    by_hand = np.mean([cluster_scores(c, few.labels).ari for c in clusters])
    assert found["scratch"].ari.estimate == pytest.approx(by_hand)
    with pytest.raises(UserError, match="no name"):
        side_by_side(few, 12, features=[lambda seed: learnt(seed, "scratch")])
