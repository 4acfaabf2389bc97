"""Folders of small distinct pictures for the tests of this folder."""

import numpy as np
from PIL import Image


def picture(seed, size=24):
    """A smooth random picture: distinct seeds look distinct, also to a perceptual hash."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


def write(folder, names, seed=0):
    """One distinct picture for each relative name."""
    for i, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(1000 * seed + i).save(path)
    return folder


def classes(folder, n=10, names=("cat", "dog"), seed=0):
    return write(folder, [f"{c}/{i:03}.png" for c in names for i in range(n)], seed)
