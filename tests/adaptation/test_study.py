"""Image methods together: shallow ones on images, several sources, a study that keeps its hands off labels."""

import inspect
import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.svm import LinearSVC

from benchmarks import adaptation_accuracy, adaptation_pairs
from transferlab.adaptation import (
    CORAL,
    METHODS,
    TCA,
    DeepSourceOnly,
    DomainPair,
    OnFeatures,
    SourceEnsemble,
    SourceOnly,
    TrAdaBoost,
    run_seed,
    select,
    summarize,
)
from transferlab.adaptation.multi_source import source_qualities
from transferlab.adaptation.study import SUPERVISED, source_halves
from transferlab.course.marked_table import with_table
from transferlab.data import ImageSet, SealedTest
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError

FAST = {"source_epochs": 8, "epochs": 1, "learning_rate": 3e-3, "device": "cpu"}
FEW = ("CORAL", "AdaBN", "SHOT", "MCC")


@pytest.fixture(scope="module")
def pair(backbone):
    written = load_bundled("digits")
    return DomainPair(
        "small",
        load_bundled("printed-digits").development[::4],
        written.development.without_labels()[::3],
        SealedTest(written.test, printing=False),
        backbone,
        target_labelled=written.development[::3],
        settings=FAST,
        of_method={"SHOT": {"rounds": 1}},
    )


@pytest.fixture(scope="module")
def runs(pair):
    return [run_seed(pair, seed, ("source-only", *FEW)) for seed in (0, 1)]


def test_a_study_chooses_before_it_looks(pair, runs):
    assert pair.test.looks == 0
    found = summarize(pair, runs)
    assert pair.test.looks == 1
    assert set(found["methods"]) == {"source-only", *FEW, SUPERVISED}
    assert SUPERVISED not in found["chosen"]["names"] + found["oracle"]["names"]
    for i, run in enumerate(runs):
        scores = run.scores[found["validator"]]
        assert found["chosen"]["names"][i] == max(scores, key=scores.get)
        best = max(found["methods"][name]["per_seed"][i] for name in scores)
        assert found["oracle"]["per_seed"][i] == best
        assert found["chosen"]["per_seed"][i] <= best
    means = {name: np.mean(found[name]["per_seed"]) for name in ("chosen", "oracle")}
    assert found["oracle_gap"]["difference"] == pytest.approx(means["oracle"] - means["chosen"])
    base = np.mean(found["methods"]["source-only"]["per_seed"])
    assert found["gain"]["difference"] == pytest.approx(means["chosen"] - base)
    for name, row in found["methods"].items():
        gain = row["gain"]
        assert (gain is None) == (name == "source-only")
        assert gain is None or gain["difference"] == pytest.approx(np.mean(row["per_seed"]) - base)
        assert gain is None or gain["p_adjusted"] >= gain["p_value"]
    assert found["n_test"] == len(pair.test)
    assert json.loads(json.dumps(found)) == found


def test_runs_stored_with_another_ensemble_still_serve(pair, runs):
    turned = [
        replace(run, scores={**run.scores, "ensemble": {name: 0.0 for name in run.scores["entropy"]}})
        for run in runs
    ]
    assert summarize(pair, turned)["validators"] == summarize(pair, runs)["validators"]


def test_no_function_before_the_look_takes_target_labels():
    for function in (select, run_seed):
        names = set(inspect.signature(function).parameters)
        assert not {n for n in names if "y_target" in n or "labels" in n}


def test_the_same_seed_gives_the_same_study(pair, runs):
    again = run_seed(pair, 0, ("source-only", *FEW))
    for name, table in runs[0].probabilities.items():
        assert np.array_equal(again.probabilities[name], table)
    assert again.scores == runs[0].scores


def test_held_out_source_images_share_no_font(pair):
    train, held = source_halves(pair, 3)
    assert not set(train.groups) & set(held.groups)
    assert len(train) + len(held) == len(pair.source)
    given = source_halves(replace(pair, source_held=pair.source[:7]), 3)
    assert [len(part) for part in given] == [len(pair.source), 7]


def test_a_stopped_study_goes_on_and_its_files_are_read_back(pair, runs, tmp_path, monkeypatch):
    names = ["source-only", *FEW]
    found = adaptation_accuracy.measure(pair, (0, 1), names, tmp_path)
    monkeypatch.setattr(adaptation_accuracy, "run_seed", lambda *a, **k: pytest.fail("a seed was run again"))
    assert adaptation_accuracy.measure(pair, (0, 1), names, tmp_path)["methods"] == found["methods"]
    stored = adaptation_accuracy.load_run(next(tmp_path.glob("*-1.npz")))
    assert stored.scores == runs[1].scores
    assert np.array_equal(stored.probabilities["SHOT"], runs[1].probabilities["SHOT"])
    with pytest.raises(UserError, match="there is no method 'SHOUT'; choose from source-only"):
        adaptation_accuracy.measure(pair, (0,), ["SHOUT"], tmp_path)


def test_the_readme_shows_the_stored_tables():
    page = (adaptation_accuracy.ROOT / "README.md").read_text(encoding="utf-8")
    assert with_table(page, adaptation_accuracy.TABLE, adaptation_accuracy.tables()) == page


@pytest.mark.parametrize("name", sorted(adaptation_accuracy.stored_results()))
def test_a_stored_result_is_of_the_methods_and_settings_that_stand_here(name, request):
    result = adaptation_accuracy.stored_results()[name]
    assert result["pair"] == name
    assert len(result["seeds"]) >= 5
    assert set(result["methods"]) == {*METHODS, SUPERVISED}
    if "mnist" in name:
        request.getfixturevalue("test_data")  # skips where there is none
    stands = adaptation_pairs.PAIRS[name]()
    assert result["settings"] == {
        "common": dict(stands.settings),
        "of_method": {k: dict(v) for k, v in stands.of_method.items()},
    }


def test_a_seed_of_other_code_or_images_is_not_taken(pair, monkeypatch):
    key = adaptation_accuracy._key(pair, ["source-only"])
    assert adaptation_accuracy._key(pair, ["source-only"]) == key
    held = replace(pair, source_held=pair.source[:9])
    assert adaptation_accuracy._key(held, ["source-only"]) != key
    monkeypatch.setattr(adaptation_accuracy, "code_of_methods", lambda: "other")
    assert adaptation_accuracy._key(pair, ["source-only"]) != key


def test_pairs_that_fix_the_validator_share_no_image_between_source_and_test():
    for name in adaptation_pairs.FOR_VALIDATOR:
        pair = adaptation_pairs.PAIRS[name]()
        if pair.source.groups is not None:
            assert not set(pair.source.groups) & set(pair.test.image_set.groups)
        assert not {"digits", "handwriting"} & {pair.source.domain, pair.target.domain}


def test_methods_on_features_are_called_with_images(pair):
    model = OnFeatures(pair.backbone, method=CORAL(), **FAST)
    model.fit(pair.source, None, pair.target)
    assert clone(model).get_params()["method"].get_params() == CORAL().get_params()
    answers = model.predict_proba(pair.target)
    assert answers.shape == (len(pair.target), 10)
    assert np.allclose(answers.sum(1), 1)
    features = DeepSourceOnly(pair.backbone, **FAST).fit(pair.source, None, pair.target)
    by_hand = CORAL().fit(
        features.transform(pair.source, "source"),
        pair.source.labels,
        features.transform(pair.target, "source"),
    )
    assert np.allclose(by_hand.predict_proba(features.transform(pair.target, "source")), answers)


def made_sources(seed, wrong="none"):
    rng = np.random.default_rng(seed)
    y = np.arange(360) % 3
    names = np.repeat(["a", "b", "c"], 120)
    X = rng.normal(size=(360, 5)) + 4 * np.eye(3, 5)[y]
    target = rng.normal(size=(150, 5)) + 4 * np.eye(3, 5)[np.arange(150) % 3] + 0.5
    given = y.copy()
    bad = names == "c"
    if wrong == "shuffled":
        given[bad] = rng.permutation(given[bad])
    if wrong == "turned":
        given[bad] = (given[bad] + 1) % 3
    if wrong == "far":
        X[bad] = X[bad] @ np.diag([-1.0, -1, -1, 1, 1]) + 30
    return X, given, names, target, np.arange(150) % 3


@pytest.mark.parametrize("wrong", ["shuffled", "turned", "far"])
def test_one_bad_source_does_not_sink_the_ensemble(wrong):
    for seed in range(3):
        X, y, names, target, truth = made_sources(seed, wrong)
        clean = made_sources(seed)
        model = SourceEnsemble(CORAL()).fit(X, y, target, source_domain=names)
        good = SourceEnsemble(CORAL()).fit(*clean[:2], target, source_domain=names)
        assert model.weights_["c"] < 0.1
        assert model.score(target, truth) > good.score(target, truth) - 0.03


def test_in_one_heap_a_turned_source_does_harm():
    X, y, names, target, truth = made_sources(0, "turned")
    pair = names != "a"
    pooled, alone = (
        SourceOnly().fit(X[picks], y[picks], target).score(target, truth) for picks in (pair, names == "b")
    )
    assert pooled < alone - 0.05


def test_good_sources_weigh_alike():
    X, y, names, target, _ = made_sources(0)
    weights = SourceEnsemble(CORAL()).fit(X, y, target, source_domain=names).weights_
    assert sum(weights.values()) == pytest.approx(1)
    assert max(weights.values()) < 0.45


def test_the_quality_of_a_source_with_random_labels_is_nothing():
    rng = np.random.default_rng(0)
    X = {name: rng.normal(size=(200, 3)) for name in "ab"}
    labels = {"a": (X["a"][:, 0] > 0).astype(int), "b": rng.integers(2, size=200)}
    found = source_qualities(X, labels)
    assert found["a"] > 0.8
    assert found["b"] < 0.2


def test_an_ensemble_of_image_sources(pair):
    fonts = np.unique(pair.source.groups)
    names = np.where(np.isin(pair.source.groups, fonts[::2]), "even", "odd")
    model = SourceEnsemble(OnFeatures(pair.backbone, method=CORAL(), **FAST | {"source_epochs": 2}))
    model.fit(pair.source, None, pair.target, source_domain=names)
    assert model.predict(pair.target).shape == (len(pair.target),)
    assert set(model.weights_) == {"even", "odd"}


def test_a_method_s_own_bad_input_is_named_before_the_network_is_trained(pair):
    stop = {"on_epoch": lambda record: pytest.fail("something was trained")}
    for method, sentence in (
        (TrAdaBoost(), "TrAdaBoost learns which source samples to trust"),
        (TCA(mu=0), "mu is 0"),
        (TCA(n_components=999), "n_components is 999"),
    ):
        with pytest.raises(UserError, match=sentence):
            OnFeatures(pair.backbone, method=method, **FAST, **stop).fit(pair.source, None, pair.target)


def test_a_classifier_that_tells_labels_alone_is_not_taken_for_a_sure_one():
    X, y, _, target, _ = made_sources(0)
    models = {"sure": CORAL(classifier=LinearSVC()).fit(X, y, target), "honest": CORAL().fit(X, y, target)}
    with pytest.raises(UserError, match="the classifier of CORAL tells labels alone"):
        select(models, X_target=target)


def test_bad_source_domains_are_named():
    X, y, names, target, _ = made_sources(0)
    cases = [
        ({"source_domain": None}, "source_domain is missing"),
        ({"source_domain": names[:5]}, r"source_domain has shape \(5,\) for 360 source samples"),
        ({"source_domain": np.full(360, "a")}, "there is one source, 'a'"),
        ({"source_domain": np.where(y == 0, "only", "rest")}, "source 'only' has one class alone"),
        ({"source_domain": np.repeat(["few", "many"], [4, 356])}, "source 'few' has 4 samples"),
    ]
    with pytest.raises(UserError, match="y_source is missing"):
        SourceEnsemble(CORAL()).fit(X, None, target, source_domain=names)
    with pytest.raises(UserError, match="no labels to score by"):
        SourceEnsemble(CORAL()).fit(X, y, target, source_domain=names).score(target)
    for given, sentence in cases:
        with pytest.raises(UserError, match=sentence):
            SourceEnsemble(CORAL()).fit(X, y, target, **given)


def test_image_sets_that_cannot_be_had_are_named(monkeypatch):
    monkeypatch.delenv("TRANSFERLAB_TEST_DATA", raising=False)
    with pytest.raises(UserError, match=r"mnist\.npz is not there: TRANSFERLAB_TEST_DATA"):
        adaptation_pairs.PAIRS["mnist-to-usps"]()
    assert adaptation_accuracy.main(["mnist-to-usps"]) == 2


def test_real_digits_of_both_posts(test_data):
    pair = adaptation_pairs.PAIRS["usps-to-mnist"]()
    assert len(pair.test) == 10_000
    assert pair.target.labels is None
    assert isinstance(pair.source, ImageSet)
