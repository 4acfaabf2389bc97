"""What the exercises of lesson 00 accept."""

from __future__ import annotations

import numpy as np

from transferlab.course.checks.verdict import Right, Wrong, exercise
from transferlab.evaluation import wilson

_SHARE, _POINTS = 0.8, 4
_STATEMENTS = {"a", "b", "c", "d"}


def _problem(seed: int) -> list[np.ndarray]:
    """Answers in batches of uneven sizes, the last one small."""
    rng = np.random.default_rng(seed)
    return [rng.random(size) < share for size, share in ((16, 0.9), (16, 0.7), (11, 0.8), (3, 0.2))]


def _mean_of_means(parts) -> float:
    return float(np.mean([part.mean() for part in parts]))


@exercise(required=True)
def counted(answer):
    """A function of a list of batches, bool arrays of right answers, that gives the counted accuracy."""
    hints = (
        "Which weight does a batch of three images have in your number?",
        "Count over all batches first, divide once at the end.",
        "sum(batch.sum() for batch in batches) / sum(len(batch) for batch in batches)",
    )
    if not callable(answer):
        return Wrong("This is no function: a number fits one list of batches only.", hints=hints)
    problems = [_problem(seed) for seed in range(6)]
    given = [answer([part.copy() for part in parts]) for parts in problems]
    if any(np.ndim(value) for value in given):
        return Wrong("It gives a number for each batch; one accuracy for all is wanted.", hints=hints)
    given = np.array(given, float)
    joined = [np.concatenate(parts) for parts in problems]
    if np.allclose(given, [all_.mean() for all_ in joined]):
        return Right(
            "Every image weighs the same, so that the number does not depend on how images were batched."
        )
    known = {
        "This is the mean of the batches' accuracies: three images weigh as much as sixteen.": [
            _mean_of_means(parts) for parts in problems
        ],
        "These are right answers, not yet divided by the number of images.": [all_.sum() for all_ in joined],
        "This is in per cent; an accuracy here is a fraction from 0 to 1.": [
            100 * all_.mean() for all_ in joined
        ],
        "This divides by the number of batches instead of the number of images.": [
            all_.sum() / len(parts) for all_, parts in zip(joined, problems, strict=True)
        ],
        "The last, smaller batch is left out.": [np.concatenate(parts[:-1]).mean() for parts in problems],
    }
    fits = (why for why, values in known.items() if np.allclose(given, values))
    return Wrong(next(fits, "The numbers differ from right answers over all answers."), hints=hints)


def _width(n: int) -> float:
    """Width in points of the interval when about 80 % of ``n`` images are right."""
    found = wilson(round(_SHARE * n), n)
    return 100 * (found.high - found.low)


@exercise()
def images_needed(answer):
    """How many test images make the 95 % interval at most 4 points wide when 80 % are right: a whole number."""
    if isinstance(answer, bool) or int(answer) != answer or not 1 <= answer < 10**7:
        return Wrong("That is no number of images.", hints=("Give a whole number from 1 on.",))
    n, width = int(answer), _width(int(answer))
    hints = (
        "The width shrinks with the square root of the number of images: half the width needs four times as many.",
        "Try numbers: i = wilson(round(0.8 * n), n); 100 * (i.high - i.low) is the width in points.",
        "The width is about 2 × 1.96 × sqrt(0.8 × 0.2 / n): solve for n.",
    )
    if abs(n - 0.16 * (1.96 / 0.04) ** 2) <= 8:
        return Wrong("With that many it is 4 points to either side, 8 points wide.", hints=hints)
    if abs(n - 0.25 * (1.96 / 0.02) ** 2) <= 30:
        return Wrong("That is enough, but for an accuracy of 50 %, where intervals are widest.", hints=hints)
    if width > _POINTS + 0.02:
        return Wrong(f"With {n:,} images the interval is {width:.1f} points wide: too few.", hints=hints)
    if width < _POINTS - 0.15:
        return Wrong(f"With {n:,} images it is {width:.1f} points wide: fewer would do.", hints=hints)
    return Right("Four points need some fifteen hundred images; two points would need four times as many.")


@exercise()
def reading(answer):
    """The letters of the statements that follow from the line: a list such as ["a", "b"]."""
    if not isinstance(answer, str | list | tuple | set):
        raise TypeError("letters are wanted")
    given = {str(letter).strip().lower() for letter in answer} - {"", ","}
    hints = (
        "What does the interval allow? Take its two ends in turn.",
        "The interval is one of a mean over seeds. It says nothing of the spread of single runs.",
        "Two statements follow: one on what was not shown, one on what the interval still allows.",
    )
    if not given or given - _STATEMENTS:
        return Wrong("Give letters from a to d.", hints=hints)
    if given == {"b", "d"}:
        return Right("No difference was shown, and one of up to two points either way was not ruled out.")
    if "a" in given:
        return Wrong(
            "Not shown to differ is not shown to be equal: the interval allows two points.", hints=hints
        )
    if "c" in given:
        return Wrong(
            "The interval is that of the mean over seeds, not the range of single runs.", hints=hints
        )
    return Wrong("What you chose follows, and another statement does as well.", hints=hints)
