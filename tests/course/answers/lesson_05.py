"""Answers that learners give to the exercises of lesson 05."""

from transferlab.evaluation import wilson


def ready(network):
    network.requires_grad_(False).eval()
    network.layer4.requires_grad_(True).train()


def ready_and_returned(network):
    ready(network)
    return network


def gradients_alone(network):
    network.requires_grad_(False).train()
    network.layer4.requires_grad_(True)


def modes_alone(network):
    network.eval()
    network.layer4.train()


def all_in_eval_mode(network):
    network.requires_grad_(False).eval()
    network.layer4.requires_grad_(True)


def everything_frozen(network):
    network.requires_grad_(False).eval()
    network.layer4.train()


UPWARDS = ["stem", "layer1", "layer2", "layer3", "layer4", "head"]
HALVES = {name: 0.5 ** (5 - place) for place, name in enumerate(UPWARDS)}

ANSWERS = {
    "freeze": {
        "right": [ready, ready_and_returned],
        "wrong": [
            (gradients_alone, "the hash of"),
            (modes_alone, "besides layer4 still learn"),
            (all_in_eval_mode, "in eval mode"),
            (everything_frozen, "layer4 cannot learn"),
        ],
    },
    "interval": {
        "right": [(wilson(16, 20).low, wilson(16, 20).high), [0.58, 0.92]],
        "wrong": [
            ((58, 92), "at most 1"),
            ((0.8, 0.8), "without any uncertainty"),
            ((0.92, 0.58), "lower end comes first"),
            ((0.62, 0.98), "not the ends"),
        ],
    },
    "rates": {
        "right": [HALVES],
        "wrong": [
            ({name: 0.5**place for place, name in enumerate(UPWARDS)}, "learn fastest"),
            ({name: 0.5 * rate for name, rate in HALVES.items()}, "full rate"),
            ({name: (place + 1) / 6 for place, name in enumerate(UPWARDS)}, "by a factor"),
            (dict.fromkeys(UPWARDS, 1.0), "by a factor"),
        ],
    },
}
