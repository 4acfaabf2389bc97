"""Sets of images that need no download: digits, printed characters, materials, faces.

A name in, a :class:`transferlab.data.labelled.Labelled` with a card out. Nothing is fetched or written:
the images come inside scikit-learn and scikit-image, or are drawn from the fonts inside matplotlib.
"""

from __future__ import annotations

from transferlab.data.bundled.cards import card
from transferlab.data.imageset import ImageSet
from transferlab.data.labelled import Labelled
from transferlab.errors import UserError

BUNDLED = ("digits", "digits-final", "printed-digits", "letters", "materials", "materials-colour", "faces")

__all__ = ["BUNDLED", "load_bundled"]


def load_bundled(name: str) -> Labelled:
    """A bundled set, labelled, with its card.

    Parameters
    ----------
    name : one of ``BUNDLED``

    Returns
    -------
    Labelled, without validation images (draw them from development); its arrays are the caller's own

    Raises
    ------
    UserError
        for any other name.

    Examples
    --------
    >>> digits = load_bundled("digits")
    >>> digits.development.images.shape[1:], digits.card["name"]
    ((1, 8, 8), 'digits')
    """
    if name not in BUNDLED:
        raise UserError(f"there is no bundled set {name!r}; choose one of {', '.join(BUNDLED)}.")
    development, test = (part[:] for part in _parts(name))  # copies: the originals are cached
    return Labelled(name, development, None, test, card(name, development, test))


def _parts(name: str) -> tuple[ImageSet, ImageSet]:
    if name.startswith("digits"):
        from transferlab.data.bundled.digits import digits

        return digits(final=name == "digits-final")
    if name.startswith("materials"):
        from transferlab.data.bundled.materials import materials

        return materials(colour=name == "materials-colour")
    if name == "faces":
        from transferlab.data.bundled.faces import faces

        return faces()
    from transferlab.data.bundled.glyphs import printed

    return printed(name)
