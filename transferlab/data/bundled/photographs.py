"""The photographs that come inside scikit-image and scikit-learn, whole."""

from __future__ import annotations

import numpy as np

from transferlab.data.bundled.materials import PHOTOGRAPHS, read_photograph
from transferlab.data.bundled.packaged import packaged_from
from transferlab.data.imageset import ImageSet


def photographs(size: int = 256) -> ImageSet:
    """Centre squares of twelve photographs, ``size`` pixels a side, without labels.

    Examples
    --------
    >>> photographs(128).images.shape
    (12, 3, 128, 128)
    """
    from PIL import Image

    from transferlab.data.decode import fit_square

    squares = [fit_square(Image.fromarray(read_photograph(p)), size) for p in PHOTOGRAPHS]
    return ImageSet(
        np.stack([np.asarray(square).transpose(2, 0, 1) for square in squares]),
        None,
        tuple(p.name for p in PHOTOGRAPHS),
        domain="photographs in colour",
        provenance=f"Photographs that come inside {packaged_from('scikit-image', 'scikit-learn')}.",
        paths=tuple(p.name for p in PHOTOGRAPHS),
    )
