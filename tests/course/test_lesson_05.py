"""Lesson 05: which part to train follows from what has changed, on several seeds with intervals."""

import numpy as np
import pytest

from transferlab import load_task
from transferlab.course import lesson05, lesson05_tuning
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.transfer import relative_gradient_norms

SEEDS = 3


@pytest.fixture(scope="module")
def sources():
    return [lesson05.train_source(seed, 15, "cpu") for seed in range(SEEDS)]


@pytest.fixture(scope="module")
def trials(sources):
    return {
        change: lesson05.depth_trial(change, sources, epochs=20, device="cpu")
        for change in ("inverted", "relabelled")
    }


def test_inverted_digits_need_an_early_stage(trials):
    found = trials["inverted"].compare("layer1", lesson05.HEAD)
    assert found.low > 0 and found.seeds == SEEDS


def test_relabelled_digits_need_the_head(trials):
    found = trials["relabelled"].compare(lesson05.HEAD, "layer1")
    assert found.low > 0.3
    assert trials["relabelled"].correct[lesson05.HEAD].mean() > 0.9


def test_the_best_part_is_another_on_each_target(trials):
    best = {
        change: max(
            (n for n in t.correct if n != lesson05.EVERYTHING), key=lambda n, t=t: t.correct[n].mean()
        )
        for change, t in trials.items()
    }
    assert best["relabelled"] == lesson05.HEAD
    assert best["inverted"] in ("stem", "layer1", "layer2", "layer3")


def test_gradients_alone_name_the_same_stage_for_both_targets(sources, trials):
    """The lesson says that the rule does not find both answers: it must name a stage, and not the head twice."""
    chosen = {c: lesson05.gradient_choice(t, sources) for c, t in trials.items()}
    assert all(len(names) == SEEDS for names in chosen.values())
    assert lesson05.HEAD not in chosen["relabelled"]
    assert set(chosen["inverted"]) == set(chosen["relabelled"])
    norms = relative_gradient_norms(sources[0], lesson05.target_task("relabelled").draw(10, 0).train)
    assert max(norms, key=norms.get) == chosen["relabelled"][0]


def test_the_gradients_choice_is_worse_than_validations_on_relabelled_digits(sources, trials):
    trial = trials["relabelled"]
    by_gradient = lesson05.choice_cost(trial, lesson05.gradient_choice(trial, sources), "gradient")
    by_validation = lesson05.choice_cost(trial, lesson05.validation_choice(trial), "validation")
    assert by_gradient.high < 0 < by_validation.low


def test_tuning_costs_accuracy_on_the_source(sources, trials):
    lost = lesson05.forgetting(trials["inverted"], sources)
    assert all(lost.lost(name).difference > 0 for name in lost.after)
    assert all(lost.lost(name).low > 0.3 for name in ("layer1", lesson05.EVERYTHING))
    assert lesson05.forgetting_card(lost, "inverted").finding.startswith("Learning inverted digits costs")


def test_handwritten_digits_hide_the_difference(sources, trials):
    hidden = lesson05.depth_trial("handwritten", sources, epochs=10, device="cpu")
    gap = abs(hidden.compare("layer1", lesson05.HEAD).difference)
    assert all(abs(t.compare("layer1", lesson05.HEAD).difference) > 2 * gap for t in trials.values())


def test_head_first_beats_a_random_head_and_batch_statistics_keep_the_start_on_digits():
    task = load_task("digits")
    trial = lesson05_tuning.tuning_trial(
        task, "zoo-all", seeds=range(SEEDS), labels_per_class=10, epochs=15, device="cpu"
    )
    assert trial.opened.compare("head first", "random head").low > 0
    assert trial.untouched["batch statistics"] == SEEDS and trial.untouched["head first"] == 0
    assert (trial.moved["random head"].mean(1) > trial.moved["head first"].mean(1)).all()
    lines = lesson05_tuning.tuning_sentences(trial)
    assert len(lines) == len(trial.opened.rows) + 1 and all(f"{SEEDS} seeds" in line for line in lines)
    assert "tuning everything after fitting the head" in lesson05_tuning.tuning_card(trial, task.name).finding


def test_a_change_of_sign_in_the_first_convolution_undoes_the_inversion(sources):
    import torch

    net = sources[0].backbone
    digits = lesson05.source_images()[:16]
    part = net.trainable_copy(0).eval()
    with torch.no_grad():
        before = part(net.preprocess(digits.images))
        part.get_submodule("conv1").weight.neg_()
        after = part(net.preprocess(lesson05.changed(digits, "inverted").images))
    assert torch.allclose(before, after, atol=1e-4)


def test_changes_are_what_they_say_and_fonts_do_not_meet():
    digits = load_bundled("printed-digits").test
    twice = lesson05.changed(lesson05.changed(digits, "inverted"), "inverted")
    assert np.array_equal(twice.images, digits.images)
    ten_times = digits
    for _ in range(10):
        ten_times = lesson05.changed(ten_times, "relabelled")
    assert np.array_equal(ten_times.labels, digits.labels)
    fonts = set(lesson05.source_images().groups)
    target = lesson05.target_task("inverted")
    assert not fonts & set(target.train.groups) and not fonts & set(target.test.image_set.groups)
    with pytest.raises(UserError, match="inverted or relabelled"):
        lesson05.changed(digits, "upside down")
