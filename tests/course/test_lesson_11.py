"""Lesson 11: reversal blinds the domain classifier, sureness alone collapses, ensembles survive a bad source."""

import numpy as np
import pytest
import torch

from transferlab.course import lesson11, lesson11_cards, lesson11_images, lesson11_replay, lesson11_sources
from transferlab.course.compared import over_seeds
from transferlab.course.lesson11 import CUE, OVER, REVERSED, TURNED, WATCHED
from transferlab.course.lesson11_images import CENTROIDS, FREE, SOURCE, STATISTICS
from transferlab.course.lesson11_sources import EQUAL, FAR, MISLABELLED, POOLED, WEIGHTED
from transferlab.course.two_domains import TwoDomains
from transferlab.widgets import domain_replay

SEEDS = range(2)


@pytest.fixture(scope="module")
def planes():
    return lesson11.plane_trial(SEEDS, (TURNED, OVER))


@pytest.fixture(scope="module")
def images():
    return lesson11_images.image_trial(range(1), "cpu", quick=True)


@pytest.fixture(scope="module")
def mixed():
    return lesson11_sources.source_trial(SEEDS, (MISLABELLED, FAR))


def test_reversal_helps_where_domains_lie_near_and_not_where_they_lie_crosswise(planes):
    assert min(planes.gain(TURNED)) > 5
    assert max(map(abs, planes.gain(OVER))) < 12 and planes.correct(OVER, REVERSED).mean() < 0.3


def test_the_domain_classifier_is_blinded_in_both(planes):
    for shift in (TURNED, OVER):
        assert min(planes.blinded(shift)) > 5 and planes.domain_accuracy(shift, WATCHED).min() > 0.8


def test_watching_leaves_the_body_alone():
    made = lesson11.plane(TURNED, 0, 40)
    run = lesson11.trained(made, WATCHED, 0, 24)
    other = TwoDomains(
        made.source, made.labels, made.target + 9, made.target_labels, made.test, made.test_labels
    )
    rival = lesson11.trained(other, WATCHED, 0, 24)
    bodies = [
        {k: v for k, v in r.frames[-1].items() if not k.startswith("discriminator")} for r in (run, rival)
    ]
    assert all(torch.equal(bodies[0][k], bodies[1][k]) for k in bodies[0])
    turned = lesson11.trained(other, REVERSED, 0, 24)
    assert not torch.equal(turned.frames[-1]["body.0.weight"], rival.frames[-1]["body.0.weight"])


def test_target_labels_have_no_part_in_the_training():
    made = lesson11.plane(CUE, 0, 40)
    shuffled = TwoDomains(
        made.source, made.labels, made.target, 1 - made.target_labels, made.test, made.test_labels
    )
    runs = [lesson11.trained(each, REVERSED, 0, 24) for each in (made, shuffled)]
    assert np.array_equal(runs[0].right, runs[1].right)


def test_test_points_are_the_same_for_all_seeds_and_points_are_not():
    one, two = (lesson11.plane(TURNED, seed) for seed in (0, 1))
    assert np.array_equal(one.test, two.test) and not np.array_equal(one.source, two.source)


def test_a_stored_picture_is_the_network_of_that_step(planes):
    run, made = planes.runs[TURNED, REVERSED][1], lesson11.plane(TURNED, 1)
    for frame in (0, 6, -1):
        player = lesson11.player_at(run, frame)
        answers = player.head(player.body(torch.from_numpy(made.test).float())).argmax(1).numpy()
        assert np.array_equal(answers == made.test_labels, run.right[frame])
    assert run.steps[0] == 0 and run.steps[-1] == lesson11.STEPS and len(run.steps) == lesson11.FRAMES


def test_cards_say_what_they_rest_on(planes, mixed):
    card = lesson11_cards.borders_card(planes, [TURNED, OVER])
    assert "n = 500 test points, 2 seeds" in card.finding and len(card.axes) == 6
    card = lesson11_cards.sources_card(mixed)
    assert "n = 300 test images, 2 seeds" in card.finding
    assert over_seeds([0.5]) == (0.5, 0.5, 0.5)


def test_the_replay_s_cases_are_the_trial_s(planes):
    cases = lesson11_replay.cases(planes, [TURNED])
    assert [case["how"] for case in cases] == [WATCHED, REVERSED]
    for case in cases:
        found = domain_replay.compute(cases, domain_replay.State(TURNED, case["how"], 12))
        assert found.accuracy[-1][0] == pytest.approx(planes.correct(TURNED, case["how"]).mean())
        says_source = (found.source_scores[:, 1] > 0).mean() + (found.target_scores[:, 1] <= 0).mean()
        assert says_source / 2 == pytest.approx(planes.domain_accuracy(TURNED, case["how"])[0], abs=1e-6)
    assert TURNED in domain_replay.static(cases).finding


def test_large_steps_without_a_guard_collapse_and_shot_helps(images):
    assert images.commonest[FREE][0] > 0.4 and images.commonest[STATISTICS][0] < 0.3
    assert images.gain(FREE)[0] < -20 and images.gain(CENTROIDS)[0] > 0
    assert images.preferred("entropy", FREE, STATISTICS) == [100.0]
    assert len(images.domain_accuracy[0]) == 5
    lines = lesson11_cards.collapse_lines(images, [SOURCE, FREE])
    assert len(lines) == 3 and "commonest" in lines[0]
    assert f"shown to harm: {FREE}" in lesson11_cards.images_card(images).finding


def test_targets_come_without_labels():
    source, target = lesson11_images.images(0)
    assert source.labels is not None and target.labels is None


def test_a_bad_source_sinks_the_heap_and_loses_its_weight(mixed):
    for case in (MISLABELLED, FAR):
        assert np.mean(mixed.gain(case)) > 2 and np.mean(mixed.gain(case, EQUAL, POOLED)) > 0
    assert min(mixed.weight_lost(MISLABELLED)) > 20 and np.mean(mixed.weight_lost(FAR)) > 10
    assert np.mean(mixed.gain(FAR, WEIGHTED, EQUAL)) > 0
    assert "wrong labels" in " ".join(lesson11_cards.weight_lines(mixed))


def test_what_is_ahead_of_all_else_is_told_from_what_is_not_told_apart():
    def made(pooled, equal, weighted):
        right = zip((POOLED, EQUAL, WEIGHTED), (pooled, equal, weighted), strict=True)
        rows = {(FAR, arm): np.arange(300)[None].repeat(3, 0) < k for arm, k in right}
        return lesson11_sources.SourceTrial(rows, {FAR: []})

    cases = {
        (250, 200, 150): 0,
        (100, 200, 150): 1,
        (100, 150, 200): 2,
        (100, 200, 200): 3,
        (100, 100, 100): 4,
    }
    for numbers, place in cases.items():
        assert lesson11_cards.ahead_of_all(made(*numbers), FAR) == place, numbers


def test_sources_share_no_font_and_only_bad_ones_are_changed():
    good, wrong = (lesson11_sources.sources(case, 0) for case in (lesson11_sources.GOOD, MISLABELLED))
    changed = good.labels != wrong.labels
    assert set(wrong.names[changed]) == {"fourth"} and changed[wrong.names == "fourth"].all()
    assert np.array_equal(good.source, wrong.source)
