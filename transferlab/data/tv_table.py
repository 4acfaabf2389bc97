"""torchvision's classification sets: what their constructors take and what comes out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TvSet:
    """Constructor arguments of one class of ``torchvision.datasets``.

    train, validation, test : keyword arguments of each part; None where the set has no such part
    size : pixels of the short side where all images share it, else None
    channels : 1 for grey sets
    classes : names where torchvision gives none
    transposed : images lie on their side in torchvision
    downloadable : whether torchvision can still fetch it
    """

    train: dict
    test: dict | None = None
    validation: dict | None = None
    size: int | None = None
    channels: int = 3
    classes: tuple[str, ...] | None = None
    transposed: bool = False
    downloadable: bool = True


_DIGITS = tuple("0123456789")
_FACES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_TRAIN, _TEST = {"train": True}, {"train": False}


def _split(train="train", test="test", validation=None, **more) -> dict:
    named = {"train": {"split": train}, "test": {"split": test}}
    return {**named, **({"validation": {"split": validation}} if validation else {}), **more}


def _flag(**more) -> dict:
    return {"train": _TRAIN, "test": _TEST, **more}


TV_SETS: dict[str, TvSet] = {
    "CIFAR10": TvSet(**_flag(size=32)),
    "CIFAR100": TvSet(**_flag(size=32)),
    "Caltech101": TvSet(train={}),
    "Caltech256": TvSet(train={}),
    "Country211": TvSet(**_split(validation="valid")),
    "DTD": TvSet(**_split(validation="val")),
    "EMNIST": TvSet(
        train={"split": "balanced", "train": True},
        test={"split": "balanced", "train": False},
        size=28,
        channels=1,
        transposed=True,
    ),
    "EuroSAT": TvSet(train={}, size=64),
    "FER2013": TvSet(**_split(size=48, channels=1, classes=_FACES, downloadable=False)),
    "FGVCAircraft": TvSet(**_split(validation="val")),
    "FashionMNIST": TvSet(**_flag(size=28, channels=1)),
    "Flowers102": TvSet(**_split(validation="val")),
    "Food101": TvSet(**_split()),
    "GTSRB": TvSet(**_split()),
    "Imagenette": TvSet(
        train={"split": "train", "size": "160px"}, test={"split": "val", "size": "160px"}, size=160
    ),
    "KMNIST": TvSet(**_flag(size=28, channels=1)),
    "MNIST": TvSet(**_flag(size=28, channels=1, classes=_DIGITS)),
    "Omniglot": TvSet(train={"background": True}, size=105, channels=1),
    "OxfordIIITPet": TvSet(**_split(train="trainval")),
    "PCAM": TvSet(**_split(validation="val", size=96, classes=("no tumour", "tumour"))),
    "QMNIST": TvSet(**_flag(size=28, channels=1, classes=_DIGITS)),
    "RenderedSST2": TvSet(**_split(validation="val", size=448)),
    "SEMEION": TvSet(train={}, size=16, channels=1, classes=_DIGITS),
    "STL10": TvSet(**_split(size=96)),
    "SUN397": TvSet(train={}),
    "SVHN": TvSet(**_split(size=32, classes=_DIGITS)),
    "StanfordCars": TvSet(**_split(downloadable=False)),
    "USPS": TvSet(**_flag(size=16, channels=1, classes=_DIGITS)),
}
