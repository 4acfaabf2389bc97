"""What the exercises of lesson 05 accept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from transferlab.course.checks.verdict import Right, Wrong, exercise


@exercise(required=True)
def freeze(answer: Callable):
    """A function that gets a network ready for an epoch in which layer4 alone learns."""
    import torch

    from transferlab.course.glyph_transfer import SIDE, untrained
    from transferlab.training.freezing import state_hash

    network = untrained().trainable_copy(0)
    returned = answer(network)
    network = returned if isinstance(returned, torch.nn.Module) else network
    frozen = [p for name, p in network.named_parameters() if not name.startswith("layer4")]
    if not all(p.requires_grad for p in network.layer4.parameters()):
        return Wrong(
            "layer4 cannot learn: its weights get no gradient.",
            hints=(
                "Which attribute of a weight says whether the optimizer may change it?",
                "Stop the gradients of the whole network first, then give those of one stage back.",
                "network.requires_grad_(False), then network.layer4.requires_grad_(True).",
            ),
        )
    if any(p.requires_grad for p in frozen):
        return Wrong(
            "Stages besides layer4 still learn: their weights get a gradient.",
            hints=(
                "What did the cell with the trap do before its pass?",
                "requires_grad_(False) on the whole network, before layer4 gets its gradients back.",
                "network.requires_grad_(False), then network.layer4.requires_grad_(True).",
            ),
        )
    if not network.layer4.training:
        return Wrong(
            "layer4 is in eval mode: its BatchNorm would not see the new images' statistics, and dropout is off.",
            hints=(
                "Modes can be set for a part as well as for the whole.",
                "Put the whole network into eval mode, then one stage back into train mode.",
                "network.eval(), then network.layer4.train().",
            ),
        )
    kept = {name: state_hash(part) for name, part in network.named_children() if name != "layer4"}
    with torch.no_grad():
        network(torch.randn(16, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)))
    moved = [
        name for name, part in network.named_children() if name in kept and state_hash(part) != kept[name]
    ]
    if moved:
        return Wrong(
            f"After one pass the hash of {moved[0]} has changed: BatchNorm in train mode goes on averaging.",
            hints=(
                "No gradient is half of frozen. What did set_train_mode add?",
                "The frozen stages need eval mode, layer4 needs train mode.",
                "network.eval(), then network.layer4.train().",
            ),
        )
    return Right("layer4 learns, in train mode; all hashes below it survive a pass.")


@exercise()
def interval(answer):
    """The 95 % interval of 16 right answers in 20, as (low, high), two fractions."""
    from transferlab.evaluation import wilson

    low, high = (float(end) for end in answer)
    found = wilson(16, 20)
    if low > high:
        return Wrong("The lower end comes first.", hints=("Turn the two around.",))
    if high > 1:
        return Wrong(
            f"An accuracy is at most 1, and {high:g} lies above it.",
            hints=("Give fractions, not percent.", "An interval that leaves 0 to 1 is no Wilson interval."),
        )
    if low == high:
        return Wrong(
            "That is the estimate, without any uncertainty.",
            hints=("wilson takes the right answers and the number of images.", "found = wilson(16, 20)"),
        )
    if not (math.isclose(low, found.low, abs_tol=0.006) and math.isclose(high, found.high, abs_tol=0.006)):
        return Wrong(
            "Those are not the ends for 16 of 20.",
            hints=(
                "wilson takes the number of right answers and the number of images.",
                "found = wilson(16, 20), then found.low and found.high.",
            ),
        )
    return Right(
        "18 of 20 lies well inside: twenty images cannot tell the two apart, so this is no reason to choose."
    )


@exercise()
def rates(answer: Mapping):
    """A dict of stem, layer1 to layer4 and head to what their learning rate is multiplied by."""
    upwards = ["stem", "layer1", "layer2", "layer3", "layer4", "head"]
    given = {name: float(answer[name]) for name in upwards}
    wanted = {name: 0.5 ** (5 - place) for place, name in enumerate(upwards)}
    if given == wanted:
        return Right("The stem learns 32 times slower than the head.")
    if given["stem"] > given["head"]:
        return Wrong(
            "The stem would learn fastest; its features are the ones that fit other tasks best.",
            hints=("The head has the full rate.", "Go down from the head and halve at each step."),
        )
    if given["head"] != 1:
        return Wrong(
            "The head learns at the full rate, so it is multiplied by 1.",
            hints=("Start with head: 1.0.", "head 1, layer4 0.5, and so on downwards."),
        )
    return Wrong(
        "Each stage learns at half the rate of the one above it: the numbers shrink by a factor, not by a step.",
        hints=(
            "What comes after 1 and 0.5?",
            "1, 0.5, 0.25, …: 0.5 to the power of the distance from the head.",
        ),
    )
