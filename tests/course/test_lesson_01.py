"""Lesson 01 says where properties peak: several seeds, intervals, and the control must agree."""

from types import SimpleNamespace

import numpy as np
import pytest

from transferlab import load_backbone
from transferlab.course import lesson01
from transferlab.data.bundled.photographs import photographs
from transferlab.evaluation import Interval


@pytest.fixture(scope="module")
def probes():
    net = load_backbone("tiny")
    return {
        kind: {
            (p.network, p.boundary): p
            for p in lesson01.probe(kind, {"trained": net, "random": net}, seeds=3, n=360)
        }
        for kind in lesson01.KINDS
    }


def test_hue_needs_no_network_and_is_lost_on_the_way_up(probes):
    found = probes["hue"]
    best = lesson01.peak(list(found.values()), "trained")
    assert best.boundary == "images"
    assert found["trained", "layer4"].interval.high < found["trained", "images"].interval.estimate


def test_orientation_is_at_chance_in_mean_pixels_and_only_training_keeps_it_to_the_top(probes):
    found = probes["orientation"]
    chance = 1 / lesson01.ORIENTATIONS
    assert found["trained", "images"].interval.low <= chance <= found["trained", "images"].interval.high
    assert found["random", "stem"].interval.low > 5 * chance
    assert found["trained", "layer4"].interval.low > found["random", "layer4"].interval.high + 0.2
    assert lesson01.peak(list(found.values()), "trained").boundary in ("layer1", "layer2", "layer3")


def test_letters_peak_late_and_not_in_the_last_stage(probes):
    found = probes["letter"]
    best = lesson01.peak(list(found.values()), "trained")
    assert best.boundary in ("layer2", "layer3")
    assert best.interval.low > found["trained", "stem"].interval.high
    assert best.interval.low > found["random", best.boundary].interval.high


def test_the_three_properties_peak_at_three_depths(probes):
    names = list(dict.fromkeys(boundary for _, boundary in probes["hue"]))
    peaks = [names.index(lesson01.peak(list(p.values()), "trained").boundary) for p in probes.values()]
    assert peaks == sorted(peaks) and peaks[0] < peaks[1]


def test_sentences_and_figure_come_from_the_points(probes):
    points = [list(p.values()) for p in probes.values()]
    for group in points:
        text = lesson01.sentence(group)
        best = lesson01.peak(group, "trained")
        assert f"best at {best.boundary}, {best.interval.estimate:.2f}" in text
        assert "random" in text and "3 seeds" in text
    assert "hue at images" in lesson01.probe_figure(points, 3).finding


@pytest.mark.parametrize("kind", lesson01.KINDS)
def test_stimuli_follow_their_seed_and_hold_out_what_they_say(kind):
    one, again, other = (lesson01.stimuli(kind, 60, s, held_out=False) for s in (0, 0, 1))
    assert np.array_equal(one.images, again.images) and not np.array_equal(one.images, other.images)
    held = lesson01.stimuli(kind, 60, 0, held_out=True)
    assert not np.array_equal(one.images, held.images)
    if kind == "letter":
        assert not set(one.groups) & set(held.groups)
    else:
        assert np.bincount(one.labels).min() == np.bincount(one.labels).max()


def test_nothing_but_the_property_tells_the_classes_apart():
    """Mean and spread of grey of hue patches and gratings say nothing of the class."""
    from sklearn.ensemble import RandomForestClassifier

    from transferlab.data.statistics import intensity_statistics

    for kind in ("hue", "orientation"):
        train, test = (lesson01.stimuli(kind, 360, s, held_out=False) for s in (0, 1))
        grey = [intensity_statistics(s.images.mean(1, keepdims=True).astype(np.uint8)) for s in (train, test)]
        accuracy = (
            RandomForestClassifier(100, random_state=0).fit(grey[0], train.labels).score(grey[1], test.labels)
        )
        assert accuracy < (0.25 if kind == "hue" else 0.15)  # brightness goes a little with hue


def point(network, boundary, per_seed):
    estimate = float(np.mean(per_seed))
    interval = Interval(estimate, estimate, estimate, 10, len(per_seed), "made up")
    return lesson01.ProbePoint("letter", network, boundary, interval, per_seed)


def test_gaps_depths_and_leaders_follow_from_the_points():
    reached = {"images": (0.1, 0.2), "stem": (0.3, 0.3), "layer1": (0.9, 0.7), "layer2": (0.5, 0.5)}
    points = [point("trained", name, each) for name, each in reached.items()]
    points += [point("random", name, (0.47, 0.49)) for name in reached]
    assert lesson01.gap(points, ("trained", 2), ("trained", -1)) == pytest.approx([40, 20])
    assert lesson01.gap(points, ("random", 0), ("trained", 0)) == pytest.approx([37, 29])
    assert lesson01.depth(points) == lesson01.DEPTHS[1]
    assert lesson01.depth(points[:2]) == lesson01.DEPTHS[0]
    assert lesson01.depth(points[:3]) == lesson01.DEPTHS[2]
    assert [lesson01.leader(points, place) for place in (2, 0, 3)] == list(lesson01.LEADERS)


def test_used_fields_are_smaller_whatever_photographs_are_drawn():
    views = photographs(128)
    gaps = lesson01.field_gaps(load_backbone("tiny").with_input_size(128), "layer2", views, 3, images=4)
    assert len(gaps) == 3 and min(gaps) > 0


@pytest.mark.parametrize(("side", "part"), [(90, 0), (50, 1), (20, 2)])
def test_a_field_is_told_as_a_part_of_the_theoretical_one(side, part):
    field = SimpleNamespace(side=side, theoretical=100)
    assert lesson01.part_of_field(field) == lesson01.PARTS_OF_FIELD[part]
