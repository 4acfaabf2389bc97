"""The grid behind lesson 04's label-budget ruler: four methods on two targets over label budgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from transferlab.course import lesson04
from transferlab.data import SealedTest, draw_task
from transferlab.data.bundled import load_bundled
from transferlab.transfer import FeatureExtraction, FineTuning
from transferlab.widgets.label_ruler import curves

#: Label budgets a class, validation included.
BUDGETS = {"materials": (2, 5, 10, 20, 48), "digits": (2, 5, 10, 20, 50)}
SEEDS = (0, 1, 2, 3, 4)
#: Frozen, fine-tuned and from scratch have the same architecture, so that only the pretraining differs.
NETWORK = "zoo-all"
_SCRATCH_EPOCHS, _TUNING_EPOCHS, _RATE = 24, 8, 1e-3


def grid_ruler(tell: Callable[[str], object] = print) -> list[dict]:
    """Curves of every target as :func:`transferlab.widgets.label_ruler.compute` takes them."""
    found = []
    for target, budgets in BUDGETS.items():
        tell(f"{target}: {len(budgets)} label budgets, {len(SEEDS)} seeds")
        found.append(measure(target, budgets))
    return found


def measure(
    target: str, budgets: Sequence[int], seeds: Sequence[int] = SEEDS, *, device: str = "cpu"
) -> dict:
    """Raw pixels, from scratch, frozen and fine-tuned on one target; one look at its test."""
    known = load_bundled(target)
    task = draw_task(
        target, known.development, None, SealedTest(known.test, printing=False), None, 0, card=known.card
    )
    arms = {
        "pixels": FeatureExtraction("pixels", device=device),
        "scratch": lesson04.scratch_arm(task, _SCRATCH_EPOCHS, device),
        "feature_extraction": FeatureExtraction(NETWORK, device=device),
        "full_fine_tuning": FineTuning(
            NETWORK, epochs=_TUNING_EPOCHS, learning_rate=_RATE, patience=None, device=device
        ),
    }
    return curves(target, lesson04.sweep(task, arms, budgets, seeds))
