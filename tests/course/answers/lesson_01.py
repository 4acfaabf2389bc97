"""Answers to the exercises of lesson 01: right ones, and mistakes that learners make."""

import numpy as np


def lowest(net, width):
    return next(stage.name for stage in net.stages if stage.receptive_field >= width)


def lowest_by_loop(net, width):
    for stage in net.stages:
        if stage.receptive_field >= width:
            return stage.name


def wider(net, width):
    return next((stage.name for stage in net.stages if stage.receptive_field > width), None)


def highest(net, width):
    return [stage.name for stage in net.stages if stage.receptive_field >= width][-1]


def below(net, width):
    return next(iter([s.name for s in net.stages if s.receptive_field < width][::-1]), None)


def the_stage(net, width):
    return next(stage for stage in net.stages if stage.receptive_field >= width)


def cam(maps, slopes):
    heat = np.maximum((slopes.mean((1, 2), keepdims=True) * maps).sum(0), 0)
    return heat / max(heat.max(), 1e-12)


def cam_by_einsum(maps, slopes):
    heat = np.einsum("c,chw->hw", slopes.mean((1, 2)), maps).clip(0)
    return heat / heat.max() if heat.max() > 0 else heat


def negative(maps, slopes):
    heat = (slopes.mean((1, 2), keepdims=True) * maps).sum(0)
    return heat / heat.max()


def unscaled(maps, slopes):
    return np.maximum((slopes.mean((1, 2), keepdims=True) * maps).sum(0), 0)


def each_place(maps, slopes):
    heat = np.maximum((slopes * maps).sum(0), 0)
    return heat / heat.max()


def without_slopes(maps, slopes):
    return maps.sum(0) / maps.sum(0).max()


def by_channel(maps, slopes):
    return np.maximum(slopes.mean((1, 2), keepdims=True) * maps, 0)


def divides_by_zero(maps, slopes):
    heat = np.maximum((slopes.mean((1, 2), keepdims=True) * maps).sum(0), 0)
    with np.errstate(invalid="ignore"):
        return heat / heat.max()


ANSWERS = {
    "lowest": {
        "right": [lowest, lowest_by_loop],
        "wrong": [
            (wider, "exactly as wide"),
            (highest, "lowest was asked for"),
            (below, "does not cover the width yet"),
            (the_stage, "not their names"),
            ("layer2", "one width only"),
            (2, "no function"),
            (lambda net, width: "layer2", "another stage"),
        ],
    },
    "unchanged": {
        "right": [["stem", "layer1", "layer2"], ("images", "layer2", "layer1", "stem")],
        "wrong": [
            (["layer3", "layer4"], "the part that changes"),
            (["stem", "layer1", "layer2", "layer3"], "includes layer3"),
            (["stem", "layer1", "layer2", "layer4"], "random layer3 hands up"),
            (["layer2"], "is missing"),
            (["stem", "layer0"], "no stage 'layer0'"),
            ([], "is missing"),
        ],
    },
    "cam": {
        "right": [cam, cam_by_einsum],
        "wrong": [
            (negative, "negative values"),
            (unscaled, "but for its scale"),
            (each_place, "one weight for a whole channel"),
            (without_slopes, "weigh the same"),
            (by_channel, "sums over channels only"),
            (divides_by_zero, "divides by zero"),
            (0.5, "no function"),
            (lambda maps, slopes: np.zeros((5, 6)), "differ from Grad-CAM"),
        ],
    },
}
