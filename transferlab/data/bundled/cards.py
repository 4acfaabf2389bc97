"""What each bundled set is, may be used for and cannot show, with its measured baselines."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from transferlab.data.imageset import ImageSet

BASELINES_FILE = Path(__file__).with_name("baselines.json")

_DIGITS = {
    "source": "scikit-learn's load_digits: the test part of Alpaydin and Kaynak, Optical Recognition of "
    "Handwritten Digits (UCI, 1998), 13 writers",
    "licence": "CC BY 4.0 (UCI Machine Learning Repository)",
    "shows": "Pipelines, few-label learning and transfer from print to handwriting on a target where the "
    "answer is quick to reach.",
    "cannot_show": "That a pretrained network is needed: raw pixels come close (see the baselines). "
    "Performance on new writers: the writer of an image is not recorded, so a writer can be in both halves, "
    "in development and in the test.",
}
_PRINT = {
    "source": "drawn from the outlines of DejaVu, STIX and Computer Modern fonts inside matplotlib",
    "licence": "the fonts' own free licences (Bitstream Vera and DejaVu, SIL OFL for STIX, BaKoMa for "
    "Computer Modern); the drawings are Apache-2.0 like the code",
}
_MATERIALS_SOURCE = (
    "photographs inside scikit-image and scikit-learn; each class is one photograph, and test patches come "
    "from the half of it that development patches do not"
)
_FEW_SOURCES = (
    "Recognizing a material in another photograph: each class is one photograph, with one camera, light "
    "and scale, so it is the photograph that is recognized."
)
TEXTS: dict[str, dict[str, str]] = {
    "digits": {"title": "Handwritten digits", **_DIGITS},
    "digits-final": {
        "title": "Handwritten digits, the half kept for final tables",
        **_DIGITS,
        "shows": "The same as digits, in tables whose settings were chosen without it.",
    },
    "printed-digits": {
        "title": "Printed digits",
        **_PRINT,
        "shows": "A source whose labels cost nothing, for transfer to handwriting; a test on unseen fonts.",
        "cannot_show": "Anything about scans or photographs of print: there is no paper, ink, noise or "
        "rotation, and 21 styles of seven typefaces in all.",
    },
    "letters": {
        "title": "Printed capital letters",
        **_PRINT,
        "shows": "A source with other classes than its target (letters, then digits); 26 classes; a test on "
        "unseen fonts.",
        "cannot_show": "Reading of real text: single upright capitals without paper, noise or neighbours, "
        "and 21 styles of seven typefaces in all.",
    },
    "materials": {
        "title": "Patches of photographs, grey and contrast-normalized",
        "source": _MATERIALS_SOURCE,
        "shows": "What features of natural images are worth with few labels, where intensity says little: "
        "every patch has the same mean and spread of grey.",
        "cannot_show": _FEW_SOURCES,
    },
    "materials-colour": {
        "title": "The same patches in colour: a shortcut",
        "source": _MATERIALS_SOURCE,
        "shows": "A shortcut: mean and spread of red, green and blue tell most classes apart without a look "
        "at texture, and five of the photographs are grey to begin with.",
        "cannot_show": "That a network has learned texture or shape. " + _FEW_SOURCES,
    },
    "faces": {
        "title": "Faces and other crops",
        "source": "scikit-image's lfw_subset: Huang et al., Labeled Faces in the Wild (2007), 100 faces and "
        "100 crops of backgrounds",
        "licence": "not stated by scikit-image; Labeled Faces in the Wild is public for research",
        "shows": "A problem of two classes and a small test, where intervals are wide.",
        "cannot_show": "What features are worth: six intensity statistics come close (see the baselines). "
        "Who a person is, or fairness across people: names are not recorded, one person may be on both "
        "sides, and the faces are of public figures in news photographs of about 2003.",
    },
}


def card(name: str, development: ImageSet, test: ImageSet) -> dict:
    """The card of a bundled set: texts, sizes counted from the images, baselines from the measured file.

    Returns
    -------
    dict with ``name``, ``title``, ``source``, ``licence``, ``sizes`` (``image`` as channels, height,
    width; ``classes``; ``development``, ``test``: images; ``development_a_class``: the fewest in a
    class), ``shows``, ``cannot_show``, ``baselines`` (see ``transferlab.data.bundled.baselines``)

    Examples
    --------
    >>> from transferlab.data.bundled import load_bundled
    >>> load_bundled("faces").card["sizes"]["test"]
    80
    """
    texts = dict(TEXTS[name])
    if "licence" not in texts:
        texts["licence"] = _photograph_licences()
    sizes = {
        "image": list(development.images.shape[1:]),
        "classes": len(development.classes),
        "development": len(development),
        "test": len(test),
        "development_a_class": int(np.bincount(development.labels).min()),
    }
    return {"name": name, **texts, "sizes": sizes, "baselines": dict(_baselines().get(name, {}))}


def _photograph_licences() -> str:
    from transferlab.data.bundled.materials import PHOTOGRAPHS

    return "; ".join(f"{p.name}: {p.licence}" for p in PHOTOGRAPHS)


@cache
def _baselines() -> dict:
    return json.loads(BASELINES_FILE.read_text("utf-8")) if BASELINES_FILE.is_file() else {}
