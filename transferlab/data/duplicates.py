"""Images that are the same, or nearly: by pixels, and by a perceptual hash with a check behind it."""

from __future__ import annotations

import numpy as np

RADIUS = 8
CORRELATION = 0.95
_FLAT = 2.0
_ROWS, _COLUMNS = 256, 16_384
_MOST_PAIRS = 1_000_000


def same_pixels(digests: np.ndarray) -> list[np.ndarray]:
    """Positions that share a digest, one array for each digest that occurs twice or more.

    Examples
    --------
    >>> import numpy as np
    >>> [d.tolist() for d in same_pixels(np.array([b"a", b"b", b"a"]))]
    [[0, 2]]
    """
    _, inverse, counts = np.unique(digests, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    return [part for part in np.split(order, np.cumsum(counts)[:-1]) if len(part) > 1]


def perceptual_hash(thumbs: np.ndarray) -> np.ndarray:
    """64-bit hashes, uint64 (N,), of uint8 thumbnails (N, 32, 32).

    Signs of the 63 lowest frequencies of the cosine transform against their median (pHash: Zauner,
    Implementation and benchmarking of perceptual image hash functions, 2010); brightness and contrast
    do not change them.
    """
    from scipy.fft import dctn

    low = dctn(thumbs.astype(np.float32), axes=(1, 2))[:, :8, :8].reshape(len(thumbs), 64)
    bits = low > np.median(low[:, 1:], axis=1, keepdims=True)
    bits[:, 0] = False  # the mean brightness says nothing
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def near_pairs(
    thumbs: np.ndarray, radius: int = RADIUS, correlation: float = CORRELATION
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of near duplicates among thumbnails (N, 32, 32), and which images look alike at all.

    A pair differs in at most ``radius`` of 64 bits of :func:`perceptual_hash`, and its thumbnails
    correlate by at least ``correlation``: the hash alone takes all hands before one wall for the same.
    Plain images (standard deviation under 2 of 255) pair with nothing. All pairs are looked at, block by
    block, so that memory grows with N alone; the search ends at a million pairs.

    Returns
    -------
    int64 (P, 2) with the lower position first, and bool (N,): has another image within ``radius``.

    Examples
    --------
    >>> import numpy as np
    >>> a, b = np.random.default_rng(0).integers(0, 200, (2, 32, 32), dtype=np.uint8)
    >>> pairs, alike = near_pairs(np.stack([a, b, a + 1]))
    >>> pairs.tolist(), alike.tolist()
    ([[0, 2]], [True, False, True])
    """
    n = len(thumbs)
    hashes, alike = perceptual_hash(thumbs), np.zeros(n, bool)
    lively = np.flatnonzero(thumbs.reshape(n, -1).std(axis=1) >= _FLAT)
    found, total = [], 0
    for start in range(0, len(lively), _ROWS):
        rows = lively[start : start + _ROWS]
        for left in range(start, len(lively), _COLUMNS):
            columns = lively[left : left + _COLUMNS]
            close = np.bitwise_count(hashes[rows][:, None] ^ hashes[columns][None]) <= radius
            i, j = np.nonzero(close)
            pairs = np.stack([rows[i], columns[j]], axis=1)
            pairs = pairs[pairs[:, 0] < pairs[:, 1]]
            alike[pairs.ravel()] = True
            pairs = pairs[_correlated(thumbs, pairs, correlation)]
            found.append(pairs)
            total += len(pairs)
            if total >= _MOST_PAIRS:
                return np.concatenate(found), alike
    return (np.concatenate(found) if found else np.empty((0, 2), np.int64)), alike


def _correlated(thumbs: np.ndarray, pairs: np.ndarray, least: float) -> np.ndarray:
    keep = np.zeros(len(pairs), bool)
    for start in range(0, len(pairs), 10_000):
        part = pairs[start : start + 10_000]
        a, b = (_standardized(thumbs[part[:, side]]) for side in (0, 1))
        keep[start : start + 10_000] = np.einsum("nd,nd->n", a, b) >= least
    return keep


def _standardized(thumbs: np.ndarray) -> np.ndarray:
    flat = thumbs.reshape(len(thumbs), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def clusters(n: int, pairs: np.ndarray) -> list[np.ndarray]:
    """Connected components of two or more among ``n`` positions linked by ``pairs`` (P, 2).

    Examples
    --------
    >>> import numpy as np
    >>> [c.tolist() for c in clusters(5, np.array([[0, 3], [3, 4]]))]
    [[0, 3, 4]]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, component = connected_components(links, directed=False)
    return same_pixels(component)
