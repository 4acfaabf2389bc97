"""The factorial: what is crossed, that a broken-off study goes on, and what comes out of one."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.active import query
from transferlab.active.arms import (
    ArmSettings,
    StudyImages,
    answers_without_labels,
    make_learners,
    study_images,
)
from transferlab.active.factorial import Bench, expected_seconds, run_study
from transferlab.active.factorial_summary import (
    learning_curves,
    opened_answers,
    recommend,
    rows,
    validation_answers,
)
from transferlab.active.learners import ImageLearner, dropout_draws
from transferlab.active.strategies import round_seed
from transferlab.active.study_plan import Cell, Study, cells, study_of
from transferlab.backbones import load_backbone
from transferlab.data import SealedTest, load_task
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.training.inputs import reduced
from transferlab.transfer import FineTuning

QUICK = ArmSettings(epochs=1, scratch_epochs=1, source_epochs=1, adapt_epochs=1, least_steps=0, device="cpu")
STUDY = Study((6, 12), (0, 1), ("scratch", "frozen"), ("random", "margin"), settings=QUICK)


@pytest.fixture(scope="module")
def materials():
    labelled = load_bundled("materials")
    order = np.random.default_rng(5).permutation(len(labelled.development))[:44]
    few = labelled.development[order]
    return few, labelled.test[np.arange(0, len(labelled.test), 29)]


@pytest.fixture
def images(materials):
    few, test = materials
    return StudyImages(few[:30], few[30:], SealedTest(test, printing=False))


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("study")


def ran(images, folder, study=STUDY):
    return run_study(study, images, folder, io.StringIO())


def alike(a, b):
    assert [x.cell for x in a] == [x.cell for x in b]
    for one, other in zip(a, b, strict=True):
        for name in ("budgets", "predictions", "labelled", "spent", "positions"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert one.notes == other.notes


def test_a_study_broken_off_goes_on_where_it_was(images, study_folder, tmp_path):
    whole = ran(images, study_folder)

    class Breaks(io.StringIO):
        def write(self, text):
            if "frozen, random" in text:
                raise KeyboardInterrupt
            return super().write(text)

    with pytest.raises(KeyboardInterrupt):
        run_study(STUDY, images, tmp_path, Breaks())
    first = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(first) == 3
    spoilt = sorted(tmp_path.iterdir())[0]
    spoilt.write_bytes(spoilt.read_bytes()[:200])  # half a file: done again
    told = io.StringIO()
    alike(run_study(STUDY, images, tmp_path, told), whole)
    assert "10 cells, 2 done before" in told.getvalue() and "left:" in told.getvalue()
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(after) == 10 and all(after[n] == t for n, t in first.items() if n != spoilt.name)


def test_cells_follow_an_explicit_loop(images, study_folder):
    found = {r.cell: r for r in ran(images, study_folder)}
    labels = images.pool.labels
    learner = make_learners(["frozen"], images, load_backbone("tiny"), QUICK, BoundaryCache())["frozen"]
    for seed in (0, 1):
        start = query("random", features=np.zeros((30, 1)), n=6, seed=round_seed(seed, 0))
        fit = learner(start, labels[start], seed)
        next_six = query("margin", probabilities=fit.pool, labelled=start, n=6, seed=round_seed(seed, 1))
        asked = np.concatenate([start, next_six])
        cell = found[Cell("frozen", "margin", "pretrained", seed)]
        np.testing.assert_array_equal(cell.positions, asked)
        np.testing.assert_array_equal(
            cell.predictions[1], learner(asked, labels[asked], seed).unseen.argmax(1)
        )


def test_seeds_pair_starts_and_a_picker_picks_the_same_for_every_arm(images, study_folder):
    found = {r.cell: r for r in ran(images, study_folder)}
    for seed in (0, 1):
        own = [r for cell, r in found.items() if cell.seed == seed]
        assert len({tuple(r.positions[:6]) for r in own}) == 1
        pretrained = [
            found[Cell(arm, "margin", "pretrained", seed)].positions for arm in ("scratch", "frozen")
        ]
        np.testing.assert_array_equal(*pretrained)
        assert (found[Cell("scratch", "random", "none", seed)].positions
                == found[Cell("frozen", "random", "none", seed)].positions).all()  # fmt: skip
    assert len({tuple(found[Cell("frozen", "random", "none", s)].positions[:6]) for s in (0, 1)}) == 2


def test_other_images_labels_or_settings_are_other_cells(images, study_folder):
    ran(images, study_folder)
    cell = cells(STUDY)[0]
    assert Bench(STUDY, images, study_folder).load(cell) is not None
    wrong = replace(images.pool, labels=(images.pool.labels + 1) % 12)
    dark = replace(images.pool, images=images.pool.images // 2)
    for other, changed in (
        (STUDY, replace(images, pool=wrong)),
        (STUDY, replace(images, pool=dark)),
        (replace(STUDY, noise=0.1), images),
        (replace(STUDY, settings=replace(QUICK, scratch_epochs=2)), images),
    ):
        assert Bench(other, changed, study_folder).load(cell) is None
    more = replace(STUDY, seeds=(0, 1, 2), strategies=("random", "margin", "badge"))
    assert Bench(more, images, study_folder).load(cell) is not None  # a larger study takes over what is there


def test_released_cells_are_taken_where_all_that_they_depend_on_is_the_same(images, study_folder, tmp_path):
    whole, bench = ran(images, study_folder), Bench(STUDY, images)
    marked = {bench.key(r.cell): replace(r, notes=("released",)) for r in whole}
    told = io.StringIO()
    taken = run_study(STUDY, images, tmp_path, told, released=marked)
    assert [r.notes for r in taken] == [("released",)] * 10 and "10 done before" in told.getvalue()
    assert not list(tmp_path.iterdir())
    other = replace(STUDY, settings=replace(QUICK, least_steps=1))
    assert Bench(other, images, released=marked).load(cells(STUDY)[0]) is None


@pytest.mark.parametrize("labels, least, wanted", [(8, 0, 2), (8, 5, 5), (40, 5, 3), (40, 1, 2)])
def test_few_labels_train_for_at_least_so_many_steps(images, labels, least, wanted):
    tuned = FineTuning(load_backbone("tiny"), trainable_from="layer4", epochs=2, patience=None)
    pool = images.pool.joined(images.validation)
    fit = ImageLearner(tuned, pool, images.unseen[:2], least_steps=least)(
        np.arange(labels), pool.labels[:labels], 0
    )
    assert len(fit.model.history_[0].epochs) == wanted


def test_every_arm_and_those_without_labels(images, materials):
    few, _ = materials
    with_source = replace(images, source=few[:24])
    study = Study(
        (12,),
        (0,),
        ("last-stage", "all"),
        ("margin", "k-centre"),
        ("own",),
        ("source-only", "SHOT"),
        settings=QUICK,
    )
    found = ran(with_source, None, study)
    assert [r.cell.curve for r in found] == [
        ("source-only", "none", "none"), ("SHOT", "none", "none"),
        ("last-stage", "margin", "own"), ("last-stage", "k-centre", "own"),
        ("all", "margin", "own"), ("all", "k-centre", "own"),
    ]  # fmt: skip
    assert all(r.predictions.shape == (1, len(images.unseen)) for r in found)
    validation = validation_answers(found, with_source)
    test = opened_answers(found, with_source)
    assert with_source.test.looks == 1 and set(test.without_labels) == {"source-only", "SHOT"}
    table = rows(found, validation, test)
    assert [r["budget"] for r in table] == [0, 0, 12, 12, 12, 12]
    assert {c["budget"] for c in learning_curves(test)} == {0, 12}


def test_a_sharper_source_is_seen_at_the_resolution_of_the_pool(images, materials):
    few = materials[0][:24]
    sharp = replace(few, images=few.images.repeat(2, axis=2).repeat(2, axis=3))
    alike = replace(few, images=reduced(sharp.images, few.images.shape[-1]))
    found = [
        answers_without_labels(
            ["source-only"],
            replace(images, source=source),
            load_backbone("tiny"),
            QUICK,
            seed=0,
            cache=BoundaryCache(),
        )["source-only"]
        for source in (sharp, alike)
    ]
    np.testing.assert_allclose(*found, atol=1e-3)


def test_a_tuned_network_tells_of_the_pool_what_it_answers(images):
    cache = BoundaryCache()
    learner = ImageLearner(FineTuning("tiny", epochs=1, patience=None, cache=cache, device="cpu"), images.pool,
                           images.unseen, cache=cache)  # fmt: skip
    fit = learner(np.arange(8), images.pool.labels[:8], 3)
    np.testing.assert_allclose(fit.pool, fit.model.predict_proba(images.pool), atol=1e-5)
    assert fit is learner(np.arange(8), images.pool.labels[:8], 3)
    assert fit.draws.shape == (20, 30, 12) and fit.draws.std(0).max() > 0
    assert learner.images.labels is None


def test_dropout_draws_average_to_the_linear_head_in_logits():
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(5, 40)), rng.normal(size=(2, 40)) / 20, np.zeros(2)
    p = dropout_draws(x, (weight, bias), 0, draws=4000)
    logits = np.log(p[..., 1] / p[..., 0])
    exact = x @ (weight[1] - weight[0])
    spread = np.sqrt((x**2) @ ((weight[1] - weight[0]) ** 2))  # of a mask that is 0 or 2
    assert (np.abs(logits.mean(0) - exact) < 4 * spread / np.sqrt(4000)).all()
    np.testing.assert_allclose(logits.std(0), spread, rtol=0.06)


def test_the_estimate_grows_with_the_work(images):
    small = replace(STUDY, settings=replace(QUICK, scratch_epochs=2))
    large = replace(STUDY, settings=replace(QUICK, scratch_epochs=2000))
    scratch, frozen = Cell("scratch", "random", "none", 0), Cell("frozen", "random", "none", 0)
    few, many = (expected_seconds(Bench(s, images), [frozen, scratch]) for s in (small, large))
    assert many[1] > 10 * few[1] > 0 and many[1] > 10 * many[0]
    assert expected_seconds(Bench(small, images), []) == []


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(["scratch", "frozen", "all"]), min_size=1), st.booleans(), st.integers(1, 3))
def test_each_cell_once_and_seeds_whole(arms, both, seeds):
    pickers = ("own", "pretrained") if both else ("own",)
    study = Study((5,), tuple(range(seeds)), tuple(arms), ("random", "margin", "badge"), pickers)
    found = cells(study)
    expected = sum(3 if arm == "frozen" else 1 + 2 * len(pickers) for arm in arms)
    assert len(set(found)) == len(found) == expected * seeds
    assert [c.seed for c in found] == sorted(c.seed for c in found)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"arms": ("frozn",)}, "'frozn' is not known"),
        ({"strategies": ("best",)}, "'best' is not known"),
        ({"pickers": ("other",)}, "'other' is not known"),
        ({"without_labels": ("TENT",)}, "'TENT' is not known"),
        ({"budgets": (5, 5)}, "ascending"),
        ({"budgets": (0, 5)}, "ascending"),
        ({"budgets": ()}, "ascending"),
        ({"seeds": (0, 0)}, "a seed twice"),
        ({"seeds": ()}, "at least one"),
    ],
)
def test_what_makes_no_study_is_told(change, sentence):
    with pytest.raises(UserError, match=sentence):
        Study(**{"budgets": (5, 10), "seeds": (0,)} | change)


def test_what_does_not_fit_the_images_is_told(images):
    with pytest.raises(UserError, match="30 images, fewer than the largest budget of 31"):
        Bench(replace(STUDY, budgets=(6, 31)), images)
    with pytest.raises(UserError, match="needs a source"):
        Bench(replace(STUDY, without_labels=("SHOT",)), images)
    with pytest.raises(UserError, match="other classes"):
        replace(images, source=replace(images.pool, classes=tuple("abcdefghijkl")))
    with pytest.raises(UserError, match="5 images for 12 classes"):
        study_of("smoke", 12, 5)
    with pytest.raises(UserError, match="ended early"):
        Bench(replace(STUDY, abstention=1.0, budgets=(25, 30)), images).run_cell(
            Cell("frozen", "random", "none", 0)
        )


def test_a_task_becomes_images_of_which_none_is_twice():
    task = load_task("digits")
    images = study_images(task)
    assert len(images.pool) + len(images.validation) == len(task.draw(None, 0).train) + len(
        task.draw(None, 0).validation
    )
    names = [img.tobytes() for part in (images.pool, images.validation) for img in part.images]
    assert len(set(names)) == len(names)


# What a summary says of known curves


def test_results_of_a_real_study_in_rows_and_one_look(images, study_folder):
    found = ran(images, study_folder)
    validation = validation_answers(found, images)
    assert images.test.looks == 0
    test = opened_answers(found, images)
    assert images.test.looks == 1
    table = rows(found, validation, test)
    assert len(table) == len(cells(STUDY)) * 2
    keys = {"arm", "strategy", "picker_features", "budget", "seed", "accuracy"}
    assert keys <= table[0].keys()
    curve = next(
        c for c in learning_curves(test) if (c["arm"], c["strategy"], c["budget"]) == ("frozen", "margin", 12)
    )
    own = [r["accuracy"] for r in table if (r["arm"], r["strategy"], r["budget"]) == ("frozen", "margin", 12)]
    assert (
        curve["accuracy"] == pytest.approx(np.mean(own))
        and curve["ci_low"] <= curve["accuracy"] <= curve["ci_high"]
    )
    with pytest.raises(UserError, match="lacks a seed"):
        validation_answers(found[:-1], images)
    assert f"n = {test.n}" in recommend(validation, 0.3).sentence(test)
