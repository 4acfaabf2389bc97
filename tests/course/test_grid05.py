"""The freeze slider's grid: what costs are counted, on a grid small enough to run."""

import pytest
import torch
from torch import nn

from transferlab.course import grid05
from transferlab.course.glyph_transfer import untrained
from transferlab.course.lesson05 import train_source
from transferlab.widgets import freeze_slider


@pytest.fixture(scope="module")
def grid():
    sources = [train_source(seed, 2, "cpu") for seed in range(2)]
    points = grid05.freeze_points("relabelled", sources, 2, epochs=1)
    return {"stages": [s.name for s in sources[0].backbone.stages], "points": points}


def test_every_boundary_has_its_costs_and_the_slider_takes_them(grid):
    stages = grid["stages"]
    for frozen in range(len(stages) + 1):
        found = freeze_slider.compute(grid, freeze_slider.State("relabelled", 2, frozen))
    assert found.point.less_head[0] == 0 and found.point.seeds == 2
    trained = [p.trained for p in found.points]
    net = untrained()
    head = (net.feature_dim + 1) * 10
    assert trained == [sum(s.parameters for s in net.stages[k:]) + head for k in range(len(stages) + 1)]
    assert found.points[0].bytes > found.points[-1].bytes and min(p.seconds for p in found.points) >= 0


def test_memory_is_that_of_a_closed_form():
    net = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.ReLU())
    batch = torch.zeros(5, 3, 6, 6)
    kept = 5 * 3 * 36 + 5 * 4 * 36  # what the convolution saw, and what the ReLU gave
    assert grid05.training_bytes(net, batch) == 4 * (4 * 12 + kept)
    net[0].requires_grad_(False)
    assert grid05.training_bytes(net, batch) == 4 * (12 + 5 * 3 * 36)


def test_more_frozen_stages_never_need_more_weights():
    net = untrained()
    images = torch.zeros(4, 3, 32, 32)
    with torch.no_grad():
        rows = [net.forward(images, 0, k) for k in range(len(net.stages))]
    bytes_ = [grid05.training_bytes(net.trainable_copy(k), row) for k, row in enumerate(rows)]
    assert bytes_[0] == max(bytes_) and bytes_[-1] < bytes_[0]
