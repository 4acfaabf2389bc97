"""What the exercises of lesson 04 accept."""

from __future__ import annotations

import numpy as np

from transferlab.course.checks.verdict import Right, Wrong, exercise
from transferlab.data.statistics import intensity_statistics

_TRAIN, _TEST, _HEADS = 240, 576, 4


def _problem(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of three unequal classes, their labels, and unseen rows; means, sums and angles disagree here."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat([0, 1, 2], [4, 9, 15]))
    centres = np.array([[1.0, 1.0], [3.0, 3.2], [4.0, 0.5]])
    return centres[labels] + rng.normal(0, 1.2, (28, 2)), labels, rng.uniform(-1, 6, (40, 2))


def _distances(features, labels, unseen, centre=np.mean):
    centres = np.stack([centre(features[labels == c], 0) for c in range(3)])
    return np.linalg.norm(unseen[:, None] - centres, axis=2)


@exercise(required=True)
def centroids(answer):
    """A function of features (N, D), labels (N,) and unseen (M, D) that gives the nearest mean's class, shape (M,)."""
    hints = (
        "First one mean for each class: features[labels == c].mean(0).",
        "unseen[:, None] - means has the shape (M, classes, D); its norm over the last axis are the distances.",
        "np.linalg.norm(unseen[:, None] - means, axis=2).argmin(1)",
    )
    if not callable(answer):
        return Wrong("This is no function: answers fit one set of images only.", hints=hints)
    cases = [_problem(seed) for seed in range(4)]
    given = [np.asarray(answer(*(part.copy() for part in case))) for case in cases]
    if given[0].shape == (40, 3):
        return Wrong(
            "It gives the distance to every class; the answer is the class of the smallest one.", hints=hints
        )
    if any(each.shape != (40,) for each in given):
        return Wrong(
            f"It gives the shape {given[0].shape}, and one class for each row is wanted.", hints=hints
        )
    for why, mistake in _OTHER_HEADS.items():
        if all(np.array_equal(g, mistake(*case)) for g, case in zip(given, cases, strict=True)):
            return Wrong(why, hints=hints)
    if all(np.array_equal(g, _distances(*case).argmin(1)) for g, case in zip(given, cases, strict=True)):
        return Right(
            "A head that is fitted by taking means: no training loop, and with one label a class it is all there is."
        )
    return Wrong("On other features it answers otherwise than the nearest mean.", hints=hints)


def _nearest_image(features, labels, unseen):
    return labels[np.linalg.norm(unseen[:, None] - features, axis=2).argmin(1)]


_OTHER_HEADS = {
    "This is the farthest mean: the smallest distance is wanted.": lambda f, y, u: _distances(f, y, u).argmax(
        1
    ),
    "This is the nearest image, not the nearest mean of a class.": _nearest_image,
    "Sums grow with the number of images of a class; take means.": lambda f, y, u: _distances(
        f, y, u, np.sum
    ).argmin(1),
}


@exercise()
def passes(answer):
    """Two numbers of images: with a cache, and without."""
    hints = (
        "The frozen network gives the same features for an image every time.",
        "With a cache each different image goes through once; how many different ones are there?",
        f"Without one, each of the {_HEADS} heads sends all {_TRAIN} + {_TEST} images through again.",
    )
    with_cache, without = (int(number) for number in answer)
    once = _TRAIN + _TEST
    if (with_cache, without) == (once, _HEADS * once):
        return Right(
            "Each image passes once, however many heads are tried: that is why trying heads is cheap."
        )
    known = {
        (_HEADS * once, once): "The two are in the other order: the cache saves passes.",
        (
            _TRAIN,
            _HEADS * _TRAIN,
        ): "The test images have to go through as well, or the head has nothing to answer.",
        (once, once): "Without a cache every head sends all images through again.",
        (
            _TRAIN + _HEADS * _TEST,
            _HEADS * once,
        ): "The cache keeps test images, too: their features are the same for all heads.",
        (0, _HEADS * once): "A cache cannot hold what never went through: once is needed.",
    }
    return Wrong(
        known.get((with_cache, without), "Count different images, then heads times images."), hints=hints
    )


@exercise()
def six_numbers(answer):
    """A function of uint8 images (N, 3, H, W) that gives (N, 6): mean of red, green and blue, then their spreads."""
    hints = (
        "Axis 0 counts images and axis 1 colours; rows and columns are axes 2 and 3.",
        "images.mean((2, 3)) has the shape (N, 3).",
        "np.hstack([images.mean((2, 3)), images.std((2, 3))])",
    )
    if not callable(answer):
        return Wrong("This is no function of images.", hints=hints)
    images = np.random.default_rng(0).integers(0, 255, (5, 3, 7, 9), np.uint8)
    images[0, 1:] = 0  # a red image
    given = np.asarray(answer(images.copy()), float)
    right = np.hstack([images.mean((2, 3)), images.std((2, 3))])
    if given.shape != (5, 6):
        found = f"It gives the shape {given.shape} for 5 images, and (5, 6) is wanted."
        return Wrong(_SHAPES.get(given.shape, found), hints=hints)
    accepted = (right, right / 255, intensity_statistics(images))  # a forest does not mind scale and order
    if any(np.allclose(given, each) for each in accepted):
        return Right("Run it first on your own images: what six numbers can tell is no evidence of shape.")
    known = {
        "These are variances: the spread is their square root, in units of grey.": right
        ** [1, 1, 1, 2, 2, 2],
        "The spreads come first here, and the means were asked for first.": right[:, [3, 4, 5, 0, 1, 2]],
    }
    fits = (why for why, numbers in known.items() if np.allclose(given, numbers))
    return Wrong(
        next(fits, "The shape is right, and the numbers are not mean and spread of each colour."), hints=hints
    )


_SHAPES = {
    (5, 3): "Three numbers an image: the spread of each colour is missing, or the mean is.",
    (5, 2): "It mixes the colours: a red and a green image would look alike.",
    (6,): "It averages over images as well: each image is to have numbers of its own.",
}
