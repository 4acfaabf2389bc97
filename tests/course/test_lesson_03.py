"""Lesson 03: what labels and images are worth from print to handwriting, and who saw what."""

import numpy as np
import pytest
import torch

from transferlab.course import lesson03
from transferlab.course.lesson03 import FROZEN, MAY_SEE, SCRATCH, SOURCE_ONLY, TUNED
from transferlab.errors import UserError

SEEDS = 2


@pytest.fixture(scope="module")
def sources():
    return [lesson03.train_source(seed, 8, "cpu") for seed in range(SEEDS)]


@pytest.fixture(scope="module")
def trial(sources):
    return lesson03.map_trial(sources, budgets=(1, 10), epochs=15, pooled_epochs=4, device="cpu")


def test_one_label_goes_further_with_the_source_and_its_gain_shrinks(trial):
    # two seeds have no interval worth the name: that of the released claim is over ten
    few, many = (np.mean(trial.points((FROZEN, k), (SCRATCH, k))) for k in (1, 10))
    assert few > 10 and few > many + 5


def test_ten_target_labels_beat_the_source_alone(trial):
    assert trial.compare((SCRATCH, 10), (SOURCE_ONLY, 0)).low > 0
    assert trial.compare((TUNED, 10), (SOURCE_ONLY, 0)).low > 0.1


def test_table_and_card_tell_what_was_measured(trial):
    assert {name for name, _ in trial.correct} == set(MAY_SEE)
    title = lesson03.map_card(trial).finding
    assert f"n = {trial.n} test images, {SEEDS} seeds" in title
    said = repr(lesson03.sayings(trial))
    assert f"source only {round(100 * trial.accuracy(SOURCE_ONLY))} %" in said
    assert "<script" not in lesson03.sayings(trial)._repr_html_() and len(lesson03.may_see().rows) == len(
        MAY_SEE
    )


def test_only_transductive_methods_see_unlabelled_and_only_inductive_ones_labelled_target_images():
    for source, unlabelled, labelled, kind in MAY_SEE.values():
        assert (kind == "inductive") == (source == "yes" == labelled)
        assert (kind == "transductive") == (unlabelled == "yes")


def test_target_statistics_are_those_of_the_target_and_nothing_else_moves(sources):
    images = lesson03.target_task().draw(10, 0).unlabelled.images[:64]
    adapted = lesson03.with_target_statistics(sources[0], images)
    old, new = sources[0].backbone.tensors(), adapted.backbone.tensors()
    for name in old:
        moved = "running" in name or "tracked" in name
        assert torch.equal(old[name], new[name]) or moved, name
    x = sources[0].backbone.preprocess(images)
    first = torch.nn.functional.conv2d(
        x, old["conv1.weight"], stride=2, padding=old["conv1.weight"].shape[-1] // 2
    )
    assert torch.allclose(new["bn1.running_mean"], first.mean((0, 2, 3)), atol=1e-3)
    assert np.array_equal(adapted.weight, sources[0].weight)


def test_source_and_target_have_the_same_classes_and_shape():
    source, target = lesson03.source_images(), lesson03.target_task()
    assert source.classes == target.classes
    assert source.images.shape[1:] == target.train.images.shape[1:]
    assert len(lesson03.scenarios()) >= 20


def test_without_unlabelled_images_there_are_no_target_statistics(sources):
    nothing = lesson03.target_task().unlabelled.images  # all labels are drawn, so none is left unlabelled
    with pytest.raises(UserError, match="draw fewer labels"):
        lesson03.with_target_statistics(sources[0], nothing)
