"""The bundled sources: what each network is trained on, and how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from transferlab.training.loop import Recipe

TINY = {"channels": (32, 64, 128, 256), "layers": (2, 2, 2, 2)}
SMALL = {"channels": (16, 32, 48, 64), "layers": (1, 1, 1, 1)}


@dataclass(frozen=True)
class Source:
    """One network to train.

    ``prepare(arrays, rng)`` turns the Tiny ImageNet arrays into (images, labels, class names); labels
    are None where training needs none. ``small_size`` is the side in pixels for the first two thirds
    of the epochs (fewer pixels, faster), 64 after that; without labels it stays.
    """

    summary: str
    prepare: Callable
    recipe: Recipe | None
    shape: dict
    small_size: int = 48
    flip: bool = True


def everything(arrays, rng):
    return arrays["train_x"], arrays["train_y"], arrays["classes"].tolist()


def only(keep: Callable[[str], bool]):
    """The classes whose WordNet id ``keep`` accepts, renumbered."""

    def prepare(arrays, rng):
        chosen = [i for i, wnid in enumerate(arrays["classes"]) if keep(wnid)]
        mask = np.isin(arrays["train_y"], chosen)
        labels = np.searchsorted(chosen, arrays["train_y"][mask])
        return arrays["train_x"][mask], labels, arrays["classes"][chosen].tolist()

    return prepare


def every_nth_class(step: int):
    def prepare(arrays, rng):
        kept = set(arrays["classes"][::step].tolist())
        return only(kept.__contains__)(arrays, rng)

    return prepare


def few_images(per_class: int):
    def prepare(arrays, rng):
        order = rng.permutation(len(arrays["train_y"]))
        labels = arrays["train_y"][order]
        rank = np.zeros(len(order), int)
        for c in range(len(arrays["classes"])):
            rank[labels == c] = np.arange((labels == c).sum())
        kept = np.sort(order[rank < per_class])
        return arrays["train_x"][kept], arrays["train_y"][kept], arrays["classes"].tolist()

    return prepare


def shuffled_labels(arrays, rng):
    return arrays["train_x"], rng.permutation(arrays["train_y"]), arrays["classes"].tolist()


def conflicting_labels(arrays, rng):
    """Two halves of the classes share one set of labels, so that each label means two things."""
    half = len(arrays["classes"]) // 2
    names = [f"{a}+{b}" for a, b in zip(arrays["classes"][:half], arrays["classes"][half:], strict=True)]
    return arrays["train_x"], arrays["train_y"] % half, names


def grey(arrays, rng):
    luma = arrays["train_x"].mean(1, keepdims=True).astype(np.uint8)
    return np.repeat(luma, 3, axis=1), arrays["train_y"], arrays["classes"].tolist()


def textures(arrays, rng):
    """8 x 8 tiles of each image in random order: texture stays, shape goes."""
    x = arrays["train_x"].reshape(-1, 3, 8, 8, 8, 8).transpose(0, 2, 4, 1, 3, 5).reshape(-1, 64, 3, 8, 8)
    order = rng.permuted(np.tile(np.arange(64), (len(x), 1)), axis=1)
    x = np.take_along_axis(x, order[:, :, None, None, None], axis=1)
    x = x.reshape(-1, 8, 8, 3, 8, 8).transpose(0, 3, 1, 4, 2, 5).reshape(-1, 3, 64, 64)
    return np.ascontiguousarray(x), arrays["train_y"], arrays["classes"].tolist()


def letters(arrays, rng):
    from transferlab.data.bundled import load_bundled

    drawn = load_bundled("letters").development
    x = np.repeat(drawn.images, 3, axis=1)
    scale = 64 // x.shape[-1]
    return x.repeat(scale, 2).repeat(scale, 3), drawn.labels, list(drawn.classes)


def is_animal(wnid: str) -> bool:
    return wnid < "n02600000"


def is_object(wnid: str) -> bool:
    return "n02600000" < wnid < "n07000000"


_ZOO = Recipe(epochs=10, batch_size=128, optimizer="sgd", learning_rate=0.1, weight_decay=5e-4)
_BRIEF = Recipe(epochs=3, batch_size=128, optimizer="sgd", learning_rate=0.1, weight_decay=5e-4)
_SHORT = Recipe(epochs=1, batch_size=128, optimizer="sgd", learning_rate=0.1, weight_decay=5e-4)

SOURCES: dict[str, Source] = {
    "tiny": Source(
        "all 200 classes of Tiny ImageNet",
        everything,
        Recipe(epochs=32, batch_size=128, optimizer="sgd", learning_rate=0.2, weight_decay=5e-4),
        TINY,
    ),
    "zoo-all": Source("all 200 classes, small network", everything, _ZOO, SMALL),
    "zoo-animals": Source("the animals of Tiny ImageNet", only(is_animal), _ZOO, SMALL),
    "zoo-objects": Source("the man-made objects of Tiny ImageNet", only(is_object), _ZOO, SMALL),
    "zoo-20-classes": Source("every tenth class", every_nth_class(10), _ZOO, SMALL),
    "zoo-few-images": Source("all classes, 20 images each", few_images(20), _ZOO, SMALL),
    "zoo-grey": Source("all classes without colour", grey, _ZOO, SMALL),
    "zoo-textures": Source("all classes as shuffled 8 x 8 tiles", textures, _ZOO, SMALL),
    "zoo-conflicting": Source("all images, each label means two classes", conflicting_labels, _ZOO, SMALL),
    "zoo-shuffled": Source("all images, labels shuffled", shuffled_labels, _BRIEF, SMALL),
    "zoo-early": Source("all classes, stopped after one epoch", everything, _SHORT, SMALL),
    "zoo-letters": Source(
        "26 rendered letters",
        letters,
        Recipe(epochs=10, batch_size=64, learning_rate=2e-3),
        SMALL,
        flip=False,
    ),
    "zoo-untrained": Source("random weights", everything, None, SMALL),
    "tiny-ssl": Source(
        "all images of Tiny ImageNet, no labels (SimCLR, Chen et al. 2020)",
        lambda arrays, rng: (arrays["train_x"], None, []),
        Recipe(epochs=12, batch_size=256, learning_rate=2e-3, weight_decay=1e-4),
        TINY,
        small_size=40,
    ),
}
