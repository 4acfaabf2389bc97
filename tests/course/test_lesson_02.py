"""Lesson 02: kept stages of a letter network serve printed digits, and it is what they learnt that does it."""

import numpy as np
import pytest
import torch

from transferlab.course import lesson02
from transferlab.course.glyph_transfer import printed_digits
from transferlab.course.lesson02 import FROZEN, RANDOM, TUNED
from transferlab.errors import UserError
from transferlab.transfer import FineTuning

SEEDS = 3


@pytest.fixture(scope="module")
def sources():
    return [lesson02.train_source(seed, 10, "cpu").backbone for seed in range(SEEDS)]


@pytest.fixture(scope="module")
def trial(sources):
    return lesson02.cut_trial(printed_digits(), sources, cuts=[0, 3, 4], epochs=16, device="cpu")


def test_kept_stages_beat_scratch_and_random_ones_do_not(trial):
    assert trial.compare((FROZEN, 4), (FROZEN, 0)).low > 0
    assert trial.compare((FROZEN, 4), (RANDOM, 4)).low > 0.1
    assert all(len(trial.points(a, (FROZEN, 0))) == SEEDS for a in trial.correct)
    assert lesson02.what_to_keep(trial) == lesson02.KEEP[2]


def test_a_cut_that_was_not_tried_is_one_sentence(trial):
    with pytest.raises(UserError, match="with 2 kept was not tried; choose from"):
        trial.compare((TUNED, 2), (FROZEN, 0))


def test_the_titles_and_sentences_come_from_the_data(sources, trial):
    title = lesson02.cut_card([trial]).finding
    assert f"{round(100 * trial.correct[FROZEN, 0].mean())} % from scratch" in title
    assert f"n = {trial.n} test images, {SEEDS} seeds" in title
    found = lesson02.cka_trial(sources, trial, printed_digits())
    assert all(table.shape == (SEEDS, 5) and (table <= 1 + 1e-9).all() for table in found.values())
    tuned = found["after fine-tuning"]
    assert (tuned[:, :4].mean(1) > tuned[:, 4]).all()  # what was kept stays more alike than what was fresh
    assert "CKA with the source" in lesson02.cka_card(found, trial).finding


def test_a_cut_keeps_what_lies_below_and_nothing_above(sources):
    source = sources[0].tensors()
    mixed = lesson02.cut_at(sources[0], "layer2", 5).tensors()
    fresh = lesson02.cut_at(sources[0], 0, 5).tensors()
    for name, value in mixed.items():
        if name.startswith("fc"):
            continue
        kept = name.split(".")[0] in ("conv1", "bn1", "layer1", "layer2")
        assert torch.equal(value, (source if kept else fresh)[name]), name


def test_frozen_stages_survive_training_and_tuned_ones_do_not(sources, trial):
    few = printed_digits().draw(5, 0).train
    mixed = lesson02.cut_at(sources[0], 2, 5)
    model = FineTuning(
        mixed, trainable_from=2, head_first=False, source_statistics=False, epochs=2, device="cpu"
    )
    trained = mixed.with_trained(2, model.fit(few).module_.body).tensors()
    for name, value in mixed.tensors().items():
        if name.split(".")[0] in ("conv1", "bn1", "layer1"):
            assert torch.equal(value, trained[name]), name
    assert not torch.equal(trained["layer4.0.conv1.weight"], mixed.tensors()["layer4.0.conv1.weight"])
    assert not torch.equal(trial.tuned[0].tensors()["conv1.weight"], sources[0].tensors()["conv1.weight"])


def test_cka_of_a_network_with_itself_is_one(sources):
    images = printed_digits().test.images[:60]
    assert np.allclose(list(lesson02.stage_cka(sources[0], sources[0], images).values()), 1)


def test_sources_and_targets_share_no_font():
    target = printed_digits()
    fonts = [set(s.groups) for s in (lesson02.letters(), target.draw(None, 0).train, target.test.image_set)]
    assert not fonts[0] & fonts[1] and not fonts[2] & (fonts[0] | fonts[1])
