"""What the exercises of lesson 08 accept."""

from __future__ import annotations

import numpy as np

from transferlab.course.checks.verdict import Right, Wrong, exercise
from transferlab.transfer import knn_score

_LABEL_FREE = {"tiny-ssl", "zoo-untrained"}


def _problem(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features whose lengths mislead, so that only the angle finds the right neighbour; and labels 0 to 2."""
    rng = np.random.default_rng(seed)
    labels = np.tile([0, 1, 2], 8)
    features = rng.normal(size=(24, 4)) + 1.2 * np.eye(3, 4)[labels]
    return features * rng.uniform(0.1, 6, (24, 1)), labels


def _by_distance(features: np.ndarray, labels: np.ndarray) -> float:
    away = ((features[:, None] - features[None]) ** 2).sum(2)
    np.fill_diagonal(away, np.inf)
    return float((labels[away.argmin(1)] == labels).mean())


@exercise(required=True)
def neighbour(answer):
    """A function of features (N, D) and labels (N,) that gives the leave-one-out accuracy of the nearest neighbour."""
    if not callable(answer):
        return Wrong(
            "This is no function: a number fits one set of features only.",
            hints=(
                "Write def neighbour(features, labels): …",
                "Hand over neighbour itself, not neighbour(x, y).",
            ),
        )
    hints = (
        "Make all rows equally long, then one matrix product holds all cosines.",
        "unit @ unit.T has the cosines; its diagonal is each image with itself.",
        "np.fill_diagonal(cosines, -np.inf), then labels[cosines.argmax(1)] == labels, then the mean.",
    )
    given = [answer(*(part.copy() for part in _problem(seed))) for seed in range(5)]
    if any(np.ndim(value) for value in given):
        return Wrong(
            "It gives one value an image; the score is one number for all.", hints=("Take the mean.",)
        )
    given = np.array(given, float)
    right = np.array([knn_score(*_problem(seed), neighbours=1) for seed in range(5)])
    if np.allclose(given, right):
        return Right("Every image is answered by another one, so the score is not a memory of its own label.")
    return Wrong(_mistake(given, right), hints=hints)


def _mistake(given: np.ndarray, right: np.ndarray) -> str:
    known = {
        "It is always right: the nearest image of each image is the image itself.": np.ones(5),
        "It counts right answers in another unit: an accuracy is a fraction from 0 to 1.": 100 * right,
        "It counts right answers: an accuracy is a fraction from 0 to 1.": 24 * right,
        "This is the share of wrong answers; accuracy is that of right ones.": 1 - right,
        "These neighbours are near in distance; the cosine looks at directions only.": np.array(
            [_by_distance(*_problem(seed)) for seed in range(5)]
        ),
    }
    fits = (why for why, values in known.items() if np.allclose(given, values))
    return next(fits, "The accuracies differ from those of the nearest neighbour by cosine.")


@exercise()
def undefined(answer):
    """Names of the bundled sources for which LEEP is not defined: a list."""
    given = {answer} if isinstance(answer, str) else {str(name) for name in answer}
    hints = (
        "LEEP needs the probabilities that the source gives for its own classes.",
        "Which of them never had a label to learn from? `transferlab models list` says what each was trained on.",
    )
    if given == _LABEL_FREE:
        return Right(
            "One learnt from images alone and one did not learn at all: neither has classes to speak of."
        )
    if "zoo-shuffled" in given:
        return Wrong(
            "Shuffled labels are labels: its probabilities exist, even if they mean nothing.", hints=hints
        )
    if "zoo-letters" in given:
        return Wrong(
            "Other classes than the target's are what LEEP is for: letters are labels, too.", hints=hints
        )
    if "zoo-conflicting" in given:
        return Wrong(
            "Its labels mean two things each, but they are labels, and LEEP is defined.", hints=hints
        )
    if given and given < _LABEL_FREE:
        return Wrong("There is another one that was never given labels.", hints=hints)
    others = ", ".join(sorted(given - _LABEL_FREE))
    return Wrong(f"LEEP is defined for {others}." if others else "The list is empty.", hints=hints)


def _right(n: int, of: int) -> np.ndarray:
    return np.arange(of) < n


#: What source and scratch answer rightly, whether to warn, and what is wrong with another verdict.
_ALARMS = (
    (_right(60, 60), _right(48, 60), False, "It warns of a source that is better, or is not worse at all."),
    (_right(48, 60), _right(48, 60), False, "It warns of a source that is better, or is not worse at all."),
    (
        _right(30, 60),
        _right(48, 60),
        True,
        "It keeps silent about a source that is 30 points behind on 60 images.",
    ),
    (
        _right(47, 60),
        _right(48, 60),
        False,
        "One image of 60 is no evidence: every second equal source would be warned of.",
    ),
    (
        _right(24, 60),
        _right(24, 60),
        False,
        "It warns where both are wrong equally often: compare the two on each image.",
    ),
    (
        _right(42, 60),
        _right(57, 60),
        True,
        "It keeps silent where the source is right on 70 % of images and scratch on 95 %.",
    ),
    (_right(5, 8), _right(6, 8), False, "One image of eight is no evidence, though it is 12 points."),
    (
        _right(770, 1000),
        _right(820, 1000),
        True,
        "Five points on 1,000 images are evidence: how large a gap must be depends on n.",
    ),
)


@exercise()
def warn(answer):
    """A function of two bool arrays (N,), right answers of source and scratch, that says True to warn of the source."""
    hints = (
        "The same images are answered by both: look at the difference on each.",
        "How large is the standard error of the mean difference?",
        "paired_difference(source[None], scratch[None], level=0.8).high < 0 is one way.",
    )
    said = [bool(answer(source.copy(), scratch.copy())) for source, scratch, _, _ in _ALARMS]
    if said[0] and not said[2]:
        return Wrong("It warns of the source that is better: the sign is turned round.", hints=hints)
    for found, (_, _, wanted, why) in zip(said, _ALARMS, strict=True):
        if found != wanted:
            return Wrong(why, hints=hints)
    rng = np.random.default_rng(0)
    equal = [(rng.random(60) < 0.8, rng.random(60) < 0.8) for _ in range(60)]
    alarms = np.mean([bool(answer(a.copy(), b.copy())) for a, b in equal])
    if alarms > 0.25:
        return Wrong(
            f"Of sources that are equal it warns in {alarms:.0%} of cases; chance is at work.", hints=hints
        )
    return Right("It warns of what is far behind and keeps quiet about what chance explains.")
