"""What the exercises of lesson 02 accept."""

from __future__ import annotations

import numpy as np

from transferlab.course.checks.verdict import Right, Wrong, exercise
from transferlab.evaluation.cka import linear_cka

_STAGES = ("stem", "layer1", "layer10", "layer2")
_ENTRIES = ("conv.weight", "bn.weight", "bn.running_mean", "bn.num_batches_tracked")


def _states() -> tuple[dict, dict]:
    """Two networks as dicts of arrays; ``layer10`` tempts those who compare the first letters alone."""
    rng = np.random.default_rng(0)
    names = [*(f"{stage}.{entry}" for stage in _STAGES for entry in _ENTRIES), "head.weight", "head.bias"]
    return tuple({name: rng.normal(size=3) for name in names} for _ in range(2))


@exercise(required=True)
def cut(answer):  # noqa: PLR0911
    """A function of (learnt, fresh, kept), two state dicts and a list of stages: the state of the cut network."""
    hints = (
        "Go through the names of one dict and take each array from one of the two.",
        "The stage is what stands before the first dot: name.split('.')[0].",
        "{name: (learnt if name.split('.')[0] in kept else fresh)[name] for name in fresh}",
    )
    if not callable(answer):
        return Wrong("This is no function: hand over the function itself.", hints=hints)
    learnt, fresh = _states()
    kept = ["stem", "layer1"]
    given = answer(dict(learnt), dict(fresh), list(kept))
    if not isinstance(given, dict) or set(given) != set(learnt):
        return Wrong("A network's state has every name of the two dicts, and no other.", hints=hints)
    from_learnt = {name for name in learnt if np.array_equal(given[name], learnt[name])}
    from_fresh = {name for name in learnt if np.array_equal(given[name], fresh[name])}
    wanted = {name for name in learnt if name.split(".")[0] in kept}
    if from_learnt == wanted and from_fresh == set(learnt) - wanted:
        return Right("The kept stages come over whole, BatchNorm's statistics included; all else is fresh.")
    if from_fresh == wanted:
        return Wrong("It is the wrong way round: the kept stages are the fresh ones.", hints=hints)
    if from_learnt == set(learnt):
        return Wrong("Nothing is cut: every stage and the head come from the source.", hints=hints)
    if any(name.startswith("head") for name in from_learnt):
        return Wrong("The head came along: it answers with letters, and lies above every cut.", hints=hints)
    if any(name.startswith("layer10.") for name in from_learnt):
        return Wrong(
            "'layer10.' begins with 'layer1' too: compare the name up to the first dot.", hints=hints
        )
    if from_learnt and all("running" not in name for name in from_learnt):
        return Wrong(
            "BatchNorm's running statistics stayed behind: frozen weights meet a normalisation that they never "
            "saw.",
            hints=hints,
        )
    lost = sorted((wanted - from_learnt) | (set(learnt) - wanted - from_fresh))
    return Wrong(f"Some arrays are not where they belong, for one {lost[0]}.", hints=hints)


@exercise()
def cka(answer):
    """A function of two arrays (N, D) and (N, E) that gives their linear CKA."""
    hints = (
        "Take the mean of each column out first.",
        "With centred X and Y: the squared Frobenius norm of Y'X on top, the norms of X'X and Y'Y below.",
        "np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))",
    )
    if not callable(answer):
        return Wrong("This is no function: a number fits two arrays only.", hints=hints)
    cases = [_pair(seed) for seed in range(4)]
    given = np.array([float(answer(x.copy(), y.copy())) for x, y in cases])
    if np.allclose(given, [_plain(x, y) for x, y in cases]) or np.allclose(
        given, [linear_cka(x, y) for x, y in cases]
    ):
        return Right("It sees what two representations share, whatever the axes in which they write it.")
    if np.allclose(given, [_plain(x, y, centred=False) for x, y in cases]):
        return Wrong("The columns are not centred: a shift that means nothing changes it.", hints=hints)
    if np.allclose(given, [np.sqrt(_plain(x, y)) for x, y in cases]):
        return Wrong("A square is missing: the norm above is squared.", hints=hints[1:])
    same = [float(answer(x.copy(), 3 * x)) for x, _ in cases]
    if not np.allclose(same, 1):
        return Wrong(
            "A representation and three times itself are alike; this does not give 1 for them.", hints=hints
        )
    return Wrong("It gives 1 where it must, but other values are off.", hints=hints)


def _pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 4)) + 2
    return x, x[:, :2] @ rng.normal(size=(2, 4)) + rng.normal(size=(30, 4)) - 1


def _plain(x: np.ndarray, y: np.ndarray, centred: bool = True) -> float:
    x, y = (a - a.mean(0) * centred for a in (x, y))
    return np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


@exercise()
def controls(answer):
    """A dict: for "what was learnt" and "freezing" the pair of arms whose difference shows it, as a list of two."""
    hints = (
        "A difference shows one cause only where the two arms differ in nothing else.",
        "Keep the cut the same; change the kept weights for one question, whether they train for the other.",
        "Both pairs contain 'trained, frozen, cut 3'.",
    )
    wanted = {
        "what was learnt": {"trained, frozen, cut 3", "random, frozen, cut 3"},
        "freezing": {"trained, frozen, cut 3", "trained, tuned, cut 3"},
    }
    given = {name: set(pair) for name, pair in dict(answer).items()}
    if set(given) != set(wanted):
        return Wrong("It takes the keys 'what was learnt' and 'freezing'.", hints=hints)
    if given == wanted:
        return Right("Each pair differs in one thing: the kept weights, or whether they train.")
    if given["what was learnt"] == wanted["freezing"] and given["freezing"] == wanted["what was learnt"]:
        return Wrong("The two pairs are exchanged.", hints=hints)
    if any("scratch" in pair for pair in given.values()):
        return Wrong(
            "'scratch' differs in two things at once: what the stages hold, and whether they train.",
            hints=hints,
        )
    if any(sum("cut 1" in arm for arm in pair) == 1 for pair in given.values()):
        return Wrong("The two arms are cut at different depths, so more than one thing differs.", hints=hints)
    return Wrong("A pair differs in more than what it is to show, or in something else.", hints=hints)
