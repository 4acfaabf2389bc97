"""Images on a card: examples of each class, and the worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.viz.answers import check_answers
from transferlab.viz.figure import RULE, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block
from transferlab.viz.words import count, in_line, percent

_NAMES = 2.0  # inches for class names beside the examples
_CAPTION = 8.5  # points
_TRUSTED = 0.8  # of labels that models agree with, for their doubts to weigh


def examples(
    images: np.ndarray, labels: np.ndarray, classes: Sequence[str], per_class: int = 6, max_classes: int = 10
) -> Card:
    """A row of images for each class, taken at equal distances through the set.

    Parameters
    ----------
    images : uint8 array (N, C, H, W), C is 1 or 3
    labels : int array (N,)
    classes : names of the classes
    per_class : images a class, at most
    max_classes : of more classes, this many at equal distances through the list are shown

    Raises
    ------
    UserError
        when there are no images, or they do not fit labels and classes.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.zeros((4, 1, 8, 8), np.uint8)
    >>> examples(images, np.array([0, 0, 1, 1]), ("cat", "dog"), per_class=2).finding
    'Up to 2 images each of 2 classes (n = 4 images of 8×8 pixels, 2 a class)'
    """
    labelled = _checked(images, labels, classes)
    if per_class < 1 or max_classes < 1:
        raise UserError(
            "examples() shows at least one image of one class; give per_class and max_classes >= 1."
        )
    present = np.unique(labelled.labels)
    shown = present[_spread(len(present), max_classes)]
    with style():
        tile = min(1.0, (WIDTH - 2 * MARGIN - _NAMES) / per_class)
        card = Card(_examples_finding(labelled, shown, per_class), tile * len(shown) + MARGIN)
        axes = _bare(card.panel(MARGIN + _NAMES, 0, tile * per_class, tile * len(shown)))
        for row, label in enumerate(shown):
            members = np.flatnonzero(labelled.labels == label)
            for column, i in enumerate(members[_spread(len(members), per_class)]):
                _tile(axes, labelled.images[i], (column, row), 0.94, tile)
            name = block(labelled.classes[label], 72 * _NAMES - 14, 9.5, 3)
            axes.text(-0.1 / tile, row + 0.5, name, ha="right", va="center", linespacing=1.1)
        axes.set(xlim=(0, per_class), ylim=(len(shown), 0))
    return card


def worst_mistakes(
    images: np.ndarray, truth: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], k: int = 12
) -> Card:
    """The ``k`` wrong answers given with most confidence, surest first.

    Parameters
    ----------
    images : uint8 array (N, C, H, W), C is 1 or 3
    truth : int array (N,)
    probabilities : float array (N, K); the confidence of an answer is its probability
    classes : names of the K classes

    Raises
    ------
    UserError
        when shapes do not fit together or a probability is no number.

    Examples
    --------
    >>> import numpy as np
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2]])
    >>> worst_mistakes(np.zeros((2, 1, 8, 8), np.uint8), np.array([0, 1]), p, ("cat", "dog")).finding
    'The only mistake (n = 2 test images): cat at 80 %, but it is dog'
    """
    labelled = _checked(images, truth, classes)
    truth, predicted = check_answers(labelled.labels, probabilities, classes, probabilities_only=True)
    confidence = np.asarray(probabilities)[np.arange(len(truth)), predicted]
    wrong = np.flatnonzero(truth != predicted)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")][: max(1, k)]
    with style():
        if not len(order):
            return Card(
                f"No mistake to show: all answers are right (n = {count(len(truth), 'test image')})", 0.1
            )
        names = [in_line(name) for name in labelled.classes]
        facts = [(names[truth[i]], names[predicted[i]], confidence[i]) for i in order]
        captions = [(f"answer, {percent(p)}: {said}", f"truth: {true}") for true, said, p in facts]
        finding = _mistakes_finding(facts, len(wrong), len(truth))
    return captioned(labelled.images[order], captions, finding)


def suspected_labels(
    images: np.ndarray,
    suspects: Sequence,
    classes: Sequence[str],
    n: int,
    *,
    agreement: float = 1.0,
    k: int = 12,
) -> Card:
    """The ``k`` labels that are most in doubt, as pictures with the given and the suggested class.

    Parameters
    ----------
    images : uint8 array (N, C, H, W), which the suspects' ``index`` points into
    suspects : as of :func:`transferlab.evaluation.label_errors`, the surest first
    classes : names of the classes
    n : how many labels were looked at; agreement : share of them that the models agree with

    Examples
    --------
    >>> import numpy as np
    >>> from transferlab.evaluation import label_errors
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.05, 0.95]])
    >>> found = label_errors(np.array([0, 0, 1, 0]), p)
    >>> suspected_labels(np.zeros((4, 1, 8, 8), np.uint8), found, ("cat", "dog"), 4).finding
    '1 of 4 labels is in doubt: called cat, but models that never saw it say dog at 95 %'
    """
    if not suspects:
        return Card(
            f"No label is in doubt: models that never saw an image agree with it (n = {count(n, 'label')})",
            0.1,
        )
    shown = suspects[:k]
    names = [in_line(name) for name in classes]
    captions = [
        (f"label: {names[s.given]}", f"models, {percent(s.confidence)}: {names[s.suggested]}") for s in shown
    ]
    first = shown[0]
    said = f"{names[first.suggested]} at {percent(first.confidence)}"
    tail = f"called {names[first.given]}, but models that never saw it say {said}"
    many = len(suspects)
    finding = f"{many:,} of {count(n, 'label')} {'is' if many == 1 else 'are'} in doubt"
    if agreement < _TRUSTED:
        finding += f", likely too many: the models agree with only {percent(agreement)} of all labels"
    if many > len(shown):
        finding += f"; the surest {len(shown)} are shown, the first {tail}"
    else:
        finding += f"; the surest: {tail}" if many > 1 else f": {tail}"
    return captioned(np.asarray(images)[[s.index for s in shown]], captions, finding)


def captioned(
    images: np.ndarray, captions: Sequence[Sequence[str]], finding: str, *, columns: int = 4
) -> Card:
    """Images (N, C, H, W) in rows of at most ``columns``, each with its lines of text below."""
    with style():
        return _captioned(images, captions, finding, columns)


def _captioned(images, lines_of_text, finding, most) -> Card:
    columns = min(most, len(images))
    rows = -(-len(images) // columns)
    tile = (WIDTH - 2 * MARGIN) / most
    captions = [
        "\n".join(block(line, 72 * tile - 14, _CAPTION, 3) for line in lines) for lines in lines_of_text
    ]
    lines = max(caption.count("\n") for caption in captions) + 1
    tall = images.shape[2] / max(images.shape[2:])
    height = tall + (0.14 + lines * _CAPTION * 1.25 / 72) / tile  # of a tile with its caption, in tiles
    card = Card(finding, rows * height * tile + 0.1)
    axes = _bare(card.panel(MARGIN, 0, columns * tile, rows * height * tile))
    for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(place, columns)
        _tile(axes, image, (column, row * height - (1 - tall) * 0.93 / 2), 0.93, tile)
        axes.text(
            column, row * height + 0.93 * tall + 0.03, caption, size=_CAPTION, va="top", linespacing=1.15
        )
    axes.set(xlim=(0, columns), ylim=(rows * height, 0))
    return card


def _mistakes_finding(facts, wrong: int, n: int) -> str:
    true, said, p = facts[0]
    tail = f"{said} at {percent(p)}, but it is {true}"
    if wrong == 1:
        return f"The only mistake (n = {count(n, 'test image')}): {tail}"
    most = f"The {len(facts)} most confident of {wrong:,}" if len(facts) < wrong else f"All {wrong:,}"
    return f"{most} mistakes (n = {count(n, 'test image')}); the surest: {tail}"


def _examples_finding(labelled: ImageSet, shown: np.ndarray, per_class: int) -> str:
    counts = np.bincount(labelled.labels, minlength=len(labelled.classes))
    least, most = counts.min(), counts.max()
    each = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    size = "×".join(str(side) for side in labelled.images.shape[2:])
    many = len(labelled.classes)
    of = count(many, "class", "classes") if len(shown) == many else f"{len(shown)} of {many} classes"
    return (
        f"Up to {count(per_class, 'image')} each of {of} "
        f"(n = {count(len(labelled), 'image')} of {size} pixels, {each} a class)"
    )


def _checked(images, labels, classes) -> ImageSet:
    labelled = ImageSet(np.asarray(images), np.asarray(labels), tuple(classes))
    if not len(labelled):
        raise UserError("there are no images to show; give at least one.")
    return labelled


def _spread(n: int, k: int) -> np.ndarray:
    """At most ``k`` of ``n`` positions at equal distances."""
    return np.linspace(0, n - 1, min(n, k)).round().astype(int)


def _bare(axes):
    axes.set_axis_off()
    return axes


def _tile(axes, image: np.ndarray, corner: tuple[float, float], side: float, inches: float) -> None:
    """One image (C, H, W) with its upper left at ``corner``, in a square of ``side``; small pixels stay sharp."""
    (x, y), (height, width) = corner, image.shape[1:]
    scale = side / max(height, width)
    w, h = width * scale, height * scale
    left, top = x + (side - w) / 2, y + (side - h) / 2
    picture = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    sharp = max(height, width) <= inches * 150
    axes.imshow(
        picture, extent=(left, left + w, top + h, top), aspect="auto", cmap="gray", vmin=0, vmax=255,
        interpolation="nearest" if sharp else "antialiased",
    )  # fmt: skip
    axes.add_patch(_frame(left, top, w, h))


def _frame(left, top, w, h):
    from matplotlib.patches import Rectangle

    return Rectangle((left, top), w, h, fill=False, edgecolor=RULE, linewidth=0.6)
