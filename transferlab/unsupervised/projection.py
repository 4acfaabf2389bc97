"""Features drawn on a plane, to look at and not to conclude from."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from transferlab.errors import UserError
from transferlab.unsupervised.feature_input import varied_features, whole_number

FIRST = 50  # principal components that are kept before neighbours are looked for


def project(name: str, features, n_components: int = 2, *, seed: int = 0) -> np.ndarray:
    """Features in ``n_components`` dimensions.

    In t-SNE and UMAP the sizes of groups and the distances between far ones mean little, and another seed draws
    another picture.

    Parameters
    ----------
    name : ``"pca"`` (Pearson 1901), ``"t-sne"`` (van der Maaten and Hinton 2008, on the first 50 principal
        components) or ``"umap"`` (McInnes et al. 2018, by the library umap-learn)
    features : float (N, D)
    n_components : 2, or 3; PCA gives any number up to N and D
    seed : of t-SNE and UMAP

    Returns
    -------
    float32 (N, n_components)

    Raises
    ------
    UserError
        for another name, features that are constant or hold NaN, too many components, too few samples, or UMAP
        without its library.

    Examples
    --------
    >>> project("pca", [[0.0, 0.0], [6.0, 8.0]], 1).round().ravel().tolist()
    [-5.0, 5.0]
    """
    if name not in PROJECTIONS:
        raise UserError(f"there is no projection {name!r}; use one of {', '.join(PROJECTIONS)}.")
    table = varied_features(features)
    count = whole_number(n_components, "n_components", 1)
    if name != "pca" and count > 3:
        raise UserError(f"{name} draws in 2 or 3 dimensions, not {count}; use pca for more.")
    return PROJECTIONS[name](table, count, seed).astype(np.float32)


def _pca(table: np.ndarray, count: int, seed: int) -> np.ndarray:
    if count > min(table.shape):
        raise UserError(
            f"{len(table)} samples of {table.shape[1]} features have {min(table.shape)} principal components, not "
            f"{count}; ask for fewer."
        )
    return PCA(count, random_state=seed).fit_transform(table)


def _t_sne(table: np.ndarray, count: int, seed: int) -> np.ndarray:
    if len(table) < 4:
        raise UserError(f"t-sne needs at least four samples, not {len(table)}; use pca.")
    perplexity = min(30.0, (len(table) - 1) / 3)
    few = _pca(table, min(FIRST, *table.shape), seed)
    start = "pca" if few.shape[1] >= count else "random"  # a start at random loses the coarse order of groups
    return TSNE(count, perplexity=perplexity, init=start, random_state=seed).fit_transform(few)


def _umap(table: np.ndarray, count: int, seed: int) -> np.ndarray:
    try:
        from umap import UMAP
    except ImportError:
        raise UserError(
            "umap needs its library; install it with pip install umap-learn, or use t-sne."
        ) from None
    if len(table) < 4:
        raise UserError(f"umap needs at least four samples, not {len(table)}; use pca.")
    neighbours = min(15, len(table) - 1)
    return UMAP(n_components=count, n_neighbors=neighbours, random_state=seed, n_jobs=1).fit_transform(table)


PROJECTIONS = {"pca": _pca, "t-sne": _t_sne, "umap": _umap}
