"""The pairs of domains in the tables of adaptation: what is source, what target, and every setting."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from transferlab import load_backbone
from transferlab.adaptation.study import DomainPair
from transferlab.data import ImageSet, SealedTest
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.training.inputs import reduced

SIDE = 32  # pixels that the network sees
MOST = 3000  # images of MNIST and USPS that are drawn for either domain
#: Pixels around each side: the digits of USPS fill their frame (ink 15.8 of 16), those of MNIST do not (19.4 of 28).
MARGIN = {"usps": 3}
SETTINGS = {"source_epochs": 10, "epochs": 8}
OF_METHOD = {
    "SHOT": {"rounds": 12, "epochs": 3, "augmentation": 1.0},
    "pseudo-labels": {"rounds": 4, "epochs": 5, "augmentation": 1.0},
    "TENT": {"epochs": 5},
}


def _digits(name: str, final: str) -> DomainPair:
    """Printed digits to handwritten ones of 8 pixels; the printed are reduced to as many."""
    printed, written = load_bundled("printed-digits"), load_bundled(final)
    return DomainPair(
        name,
        printed.development,
        written.development.without_labels(),
        SealedTest(written.test, printing=False),
        load_backbone("tiny").with_input_size(SIDE),
        source_held=printed.test,
        target_labelled=written.development,
        settings=SETTINGS | {"resolution": 8},
        of_method=OF_METHOD,
    )


def _post(name: str, source: str, target: str) -> DomainPair:
    """Between MNIST and USPS, both at 22 pixels: training images of both, tested on the target's whole test."""
    train, _ = _numbers(source)
    theirs, test = _numbers(target)
    return DomainPair(
        name,
        train,
        theirs.without_labels(),
        SealedTest(test, printing=False),
        load_backbone("tiny").with_input_size(SIDE),
        target_labelled=theirs,
        settings=SETTINGS | {"resolution": 22, "source_epochs": 6, "epochs": 5},
        of_method=OF_METHOD
        | {"SHOT": {"rounds": 5, "epochs": 2}, "pseudo-labels": {"rounds": 4, "epochs": 3}},
    )


def _skewed(name: str) -> DomainPair:
    """Three classes make up five sixths of the target, which methods that align whole domains do not expect."""
    pair, written = _digits(name, "digits"), load_bundled("digits")
    target, test = (_mostly(part, (1, 4, 7)) for part in (written.development, written.test))
    return replace(
        pair, target=target.without_labels(), test=SealedTest(test, printing=False), target_labelled=target
    )


def _mostly(images: ImageSet, classes: tuple[int, ...]) -> ImageSet:
    """All images of ``classes``, and every twelfth of the others."""
    common = np.isin(images.labels, classes)
    return images[np.sort(np.concatenate([np.flatnonzero(common), np.flatnonzero(~common)[::12]]))]


def _of_letters(name: str, changed: Callable[[ImageSet], ImageSet]) -> DomainPair:
    """Letters to changed letters in other fonts: half of these fonts are the target, half its test."""
    letters = load_bundled("letters")
    source = letters.development[_of_every_second_font(letters.development)]  # half of them, for time
    first = _of_every_second_font(letters.test)
    target, test = (changed(letters.test[picks]) for picks in (first, ~first))
    return _validating(name, source, target, test)


def _of_every_second_font(images: ImageSet) -> np.ndarray:
    return np.isin(images.groups, np.unique(images.groups)[::2])


def _to_grey() -> DomainPair:
    """Every second window in colour to the others in grey."""
    colour, grey = load_bundled("materials-colour").development, load_bundled("materials")
    return _validating("colour-to-grey", colour[::2], grey.development[1::2], grey.test)


def _validating(name: str, source: ImageSet, target: ImageSet, test: ImageSet) -> DomainPair:
    return DomainPair(
        name,
        source,
        target.without_labels(),
        SealedTest(test, printing=False),
        load_backbone("tiny").with_input_size(SIDE),
        target_labelled=target,
        settings=SETTINGS,
        of_method=OF_METHOD,
    )


def _noisy(images: ImageSet) -> ImageSet:
    """Dark on light, fainter, with noise."""
    rng = np.random.default_rng(0)
    dark = 230 - 0.6 * images.images + rng.normal(0, 25, images.images.shape)
    return replace(images, images=np.clip(dark, 0, 255).astype(np.uint8), domain="noise")


def _coarse(images: ImageSet) -> ImageSet:
    """Of 8 pixels, on grey."""
    return replace(images, images=40 + reduced(images.images, 8) // 2, domain="coarse")


def _numbers(name: str) -> tuple[ImageSet, ImageSet]:
    """``MOST`` drawn training images and all test images of ``mnist.npz`` or ``usps.npz``."""
    folder = os.environ.get("TRANSFERLAB_TEST_DATA")
    path = Path(folder or ".") / f"{name}.npz"
    if not folder or not path.is_file():
        raise UserError(
            f"{path.name} is not there: TRANSFERLAB_TEST_DATA names the folder that holds mnist.npz and usps.npz, with "
            "x (N, H, W) uint8, y (N,) and split (N,), 0 for training."
        )
    with np.load(path, allow_pickle=False) as stored:
        x, y, split = stored["x"][:, None], stored["y"].astype(np.int64), stored["split"]
    x = np.pad(x, ((0, 0), (0, 0), *[(MARGIN.get(name, 0),) * 2] * 2))
    train = np.random.default_rng(0).permutation(np.flatnonzero(split == 0))[:MOST]
    return tuple(ImageSet(x[i], y[i], tuple("0123456789"), domain=name) for i in (train, split == 1))


#: Pairs to choose the default validator by; none of their images is in a pair of the other tables.
FOR_VALIDATOR = ("letters-to-noise", "letters-to-coarse", "colour-to-grey")
#: Name to what makes the pair.
PAIRS: dict[str, Callable[[], DomainPair]] = {
    "letters-to-noise": lambda: _of_letters("letters-to-noise", _noisy),
    "letters-to-coarse": lambda: _of_letters("letters-to-coarse", _coarse),
    "colour-to-grey": _to_grey,
    "printed-to-digits": lambda: _digits("printed-to-digits", "digits"),
    "printed-to-digits-final": lambda: _digits("printed-to-digits-final", "digits-final"),
    "printed-to-skewed-digits": lambda: _skewed("printed-to-skewed-digits"),
    "mnist-to-usps": lambda: _post("mnist-to-usps", "mnist", "usps"),
    "usps-to-mnist": lambda: _post("usps-to-mnist", "usps", "mnist"),
}
