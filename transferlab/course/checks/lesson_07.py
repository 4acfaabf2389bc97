"""What the exercises of lesson 07 accept."""

from __future__ import annotations

import numpy as np

from transferlab.course.checks.verdict import Right, Wrong, exercise
from transferlab.evaluation.groups import worst_group

_MIRROR, _TOP_DOWN, _TURN = set("AHIMOTUVWXY"), set("BCDEHIKOX"), set("HINOSXZ")
_COUNTS = np.array([38, 2, 2, 38])


def _problem(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Right answers and groups of unequal size; the smallest group is not the worst one."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(["a", "b", "c"], [4, 20, 40])
    correct = np.concatenate([np.arange(4) < 3, np.arange(20) < rng.integers(3, 9), np.arange(40) < 36])
    order = rng.permutation(len(groups))
    return correct[order], groups[order]


@exercise(required=True)
def worst(answer):
    """A function of right answers (N,) and groups (N,) that gives the accuracy of the worst group."""
    if not callable(answer):
        return Wrong(
            "This is no function: a number fits one test only.",
            hints=("Write def worst(correct, groups): …", "Hand over worst itself, not worst(x, y)."),
        )
    hints = (
        "First one accuracy for each group, then one number of them.",
        "np.unique(groups) lists the groups; correct[groups == g].mean() is the accuracy of one.",
        "min(correct[groups == g].mean() for g in np.unique(groups))",
    )
    problems = [_problem(seed) for seed in range(5)]
    given = [answer(correct.copy(), groups.copy()) for correct, groups in problems]
    if any(np.ndim(value) for value in given):
        return Wrong("It gives one value a group; the worst one is wanted.", hints=("Take the smallest.",))
    given = np.array(given, float)
    if np.allclose(given, [worst_group(c[None], g)[0] for c, g in problems]):
        return Right("No group can hide behind a large one: each counts by its accuracy, not by its size.")
    return Wrong(_mistake(given, problems), hints=hints)


def _mistake(given: np.ndarray, problems) -> str:
    rates = [[c[g == name].mean() for name in np.unique(g)] for c, g in problems]
    known = {
        "This is the accuracy of all images: large groups drown the worst one.": [
            c.mean() for c, _ in problems
        ],
        "This is the mean over groups: fairer to small groups, but the worst one still hides.": np.mean(
            rates, 1
        ),
        "This is the accuracy of the smallest group, which need not be the worst.": [r[0] for r in rates],
        "This is the best group.": np.max(rates, 1),
        "This is a share of wrong answers; accuracy is that of right ones.": 1 - np.min(rates, 1),
        "This is in per cent: an accuracy is a fraction from 0 to 1.": 100 * np.min(rates, 1),
    }
    for sentence, values in known.items():
        if np.allclose(given, values):
            return sentence
    return f"On the first of our tests it gives {given[0]:.3g}, and the worst group has {min(rates[0]):.3g}."


@exercise()
def mirror(answer):
    """The capital letters that are still themselves when left and right are exchanged, as one string."""
    letters = {c for c in "".join(answer).upper() if c.isalpha()}
    hints = (
        "Write the letter on thin paper and look from behind.",
        "The left half has to be the mirror of the right half. There are eleven.",
        "Round and pointed ones alike: A, H, I, M, O, T … and five more.",
    )
    if letters == _MIRROR:
        return Right(
            "For these, a flip is a safe augmentation; for the other fifteen it draws a sign that is none."
        )
    if not letters:
        return Wrong("There are such letters: A is one.", hints=hints)
    if letters & (_TURN - _MIRROR):
        which = ", ".join(sorted(letters & (_TURN - _MIRROR)))
        return Wrong(f"{which}: the same after half a turn, but mirrored it is reversed.", hints=hints)
    if letters & (_TOP_DOWN - _MIRROR):
        which = ", ".join(sorted(letters & (_TOP_DOWN - _MIRROR)))
        return Wrong(f"{which}: upper and lower half mirror each other, left and right do not.", hints=hints)
    if letters - _MIRROR:
        return Wrong(f"{', '.join(sorted(letters - _MIRROR))} changes in the mirror.", hints=hints)
    return Wrong(f"All of these are right, and {len(_MIRROR - letters)} are missing.", hints=hints)


@exercise()
def weights(answer):
    """Four numbers: what each image of a group counts, so that groups of 38, 2, 2 and 38 images count alike."""
    given = np.asarray(answer, float)
    hints = (
        "A group counts its number of images times the weight of each.",
        "Make 38 · w the same as 2 · v.",
        "One over the number of images, or any multiple of that.",
    )
    if given.shape != (4,):
        return Wrong(
            f"Four numbers are wanted, one a group, not an array of shape {given.shape}.", hints=hints
        )
    if not (np.isfinite(given).all() and (given > 0).all()):
        return Wrong("Every image counts something: weights are above zero.", hints=hints)
    total = given * _COUNTS
    if np.allclose(total, total[0], rtol=0.02):  # a rounded answer will do
        return Right("Each group now pulls equally hard, though two images still stand for a whole group.")
    if np.allclose(given, given[0]):
        return Wrong("Equal weights are what we had: 38 images outvote 2.", hints=hints)
    if np.allclose(given / _COUNTS, given[0] / _COUNTS[0]):
        return Wrong("This makes large groups even larger.", hints=hints)
    return Wrong(f"The groups count {', '.join(f'{t:.3g}' for t in total)}: not alike.", hints=hints)
