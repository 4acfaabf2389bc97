"""The grid behind lesson 04's label-budget ruler: four methods on two targets over label budgets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from transferlab import viz
from transferlab.course import lesson04
from transferlab.course.grids import stored_grid
from transferlab.data import SealedTest, draw_task
from transferlab.data.bundled import load_bundled
from transferlab.evaluation import Evaluation
from transferlab.transfer import FeatureExtraction, FineTuning
from transferlab.widgets.label_ruler import curves

#: Label budgets a class, validation included.
BUDGETS = {"materials": (2, 5, 10, 20, 48), "digits": (2, 5, 10, 20, 50)}
SEEDS = (0, 1, 2, 3, 4)
METHODS = ("pixels", "scratch", "feature_extraction", "full_fine_tuning")
_SCRATCH_EPOCHS, _TUNING_EPOCHS, _RATE = 24, 8, 1e-3


def grid_ruler(tell: Callable[[str], object] = print) -> list[dict]:
    """Curves of every target as :func:`transferlab.widgets.label_ruler.compute` takes them."""
    found = []
    for target, budgets in BUDGETS.items():
        tell(f"{target}: {len(budgets)} label budgets, {len(SEEDS)} seeds")
        found.append(measure(target, budgets))
    return found


def measure(
    target: str,
    budgets: Sequence[int],
    seeds: Sequence[int] = SEEDS,
    *,
    methods: Collection[str] = METHODS,
    device: str = "cpu",
) -> dict:
    """Raw pixels, from scratch, frozen and fine-tuned on one target; one look at its test.

    The last three have one architecture, so that only the pretraining differs.
    """
    known = load_bundled(target)
    test = SealedTest(known.test, printing=False)
    task = draw_task(target, known.development, None, test, None, 0, card=known.card)
    network = lesson04.small_network(task)
    tune = {"epochs": _TUNING_EPOCHS, "learning_rate": _RATE, "patience": None, "device": device}
    arms = {
        "pixels": FeatureExtraction("pixels", device=device),
        "scratch": lesson04.scratch_arm(task, _SCRATCH_EPOCHS, device),
        "feature_extraction": FeatureExtraction(network, device=device),
        "full_fine_tuning": FineTuning(network, **tune),
    }
    chosen = {name: arm for name, arm in arms.items() if name in methods}
    return curves(target, lesson04.sweep(task, chosen, budgets, seeds))


def rulers(name: str, results: Sequence[Evaluation]) -> list[dict]:
    """What the ruler shows: the stored curves, after those of one's own images where these are others."""
    stored = stored_grid("04_ruler")
    own = [] if name in BUDGETS else [curves(name, results)]
    return [*own, *stored]


def rerun_sentence(target: str, labels_per_class: int, method: str = "feature_extraction") -> str:
    """One point of the grid, measured anew, beside what is stored."""
    stored = next(found for found in stored_grid("04_ruler") if found["task"] == target)
    again = measure(target, [labels_per_class], methods=[method])["methods"][method]["accuracy"][0][0]
    place = BUDGETS[target].index(labels_per_class)
    before = stored["methods"][method]["accuracy"][place][0]
    return (
        f"{target}, {viz.method_name({'method': method})}, {labels_per_class} labels a class: {viz.percent(again)} "
        f"now, {viz.percent(before)} in the grid (n = {stored['n']} test images, {stored['seeds']} seeds)"
    )
