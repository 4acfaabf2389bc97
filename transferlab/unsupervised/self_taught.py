"""Self-taught learning: a dictionary of source patches describes target images (Raina et al. 2007)."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.decomposition import MiniBatchDictionaryLearning, sparse_encode
from sklearn.exceptions import ConvergenceWarning

from transferlab.errors import UserError
from transferlab.unsupervised.base import FeatureLearner
from transferlab.unsupervised.feature_input import whole_number
from transferlab.unsupervised.pretraining import resized

CODINGS = ("threshold", "lasso_cd", "omp")
BLOCK = 2**25  # bytes of codes held at once


class SelfTaughtLearning(FeatureLearner):
    """Sparse coding learned on patches of unlabelled source images, features of any images from pooled codes.

    Patches are grey, made free of brightness and contrast, and whitened. The dictionary is learned with an L1
    penalty, as in Raina et al. (2007). An image's features are the mean positive and mean negative codes of its
    patches in each of ``cells`` x ``cells`` parts (Coates and Ng 2011, who also find ``"threshold"`` coding about
    as good as the penalty's own, and much faster).

    Parameters
    ----------
    atoms : entries of the dictionary
    patch_size : side in pixels; stride : pixels between patches of an image that is described
    alpha : strength of the L1 penalty, and the threshold; the larger, the sparser
    coding : ``"threshold"`` (soft threshold), ``"lasso_cd"`` (the L1 penalty, slow) or ``"omp"`` (orthogonal
        matching pursuit)
    patches : how many random patches are learned from
    cells : parts a side over which codes are pooled
    whitening : added to the variances, as a share of their mean, so that noise is not blown up
    input_size : side in pixels to which images are brought; source and target patches then have one scale
    random_state : seed of patches and dictionary

    Attributes: ``dictionary_`` float64 (atoms, patch_size ** 2), ``mean_``, ``whitener_``, ``labels_upstream_``
    (False).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> source, target = (rng.integers(0, 255, (6, 1, 16, 16), np.uint8) for _ in range(2))
    >>> model = SelfTaughtLearning(atoms=8, patches=200, input_size=16).fit(source)
    >>> model.transform(target).shape  # 8 atoms, two signs, 2 x 2 parts
    (6, 64)
    """

    def __init__(
        self,
        *,
        atoms: int = 96,
        patch_size: int = 6,
        stride: int = 2,
        alpha: float = 0.5,
        coding: str = "threshold",
        patches: int = 5_000,
        cells: int = 2,
        whitening: float = 0.01,
        input_size: int = 32,
        random_state: int = 0,
    ):
        self.atoms = atoms
        self.patch_size = patch_size
        self.stride = stride
        self.alpha = alpha
        self.coding = coding
        self.patches = patches
        self.cells = cells
        self.whitening = whitening
        self.input_size = input_size
        self.random_state = random_state

    def _learn(self, images):
        self._check_settings()
        drawn = self._draw_patches(grey(images, self.input_size))
        self.mean_, self.whitener_ = zca(drawn, self.whitening)
        learner = MiniBatchDictionaryLearning(
            self.atoms,
            alpha=self.alpha,
            max_iter=2,  # passes over the patches; more of them changes little and takes long
            batch_size=256,
            fit_algorithm="cd",
            random_state=self.random_state,
            transform_algorithm="lasso_cd",
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a dictionary need not be the very optimum
            self.dictionary_ = learner.fit((drawn - self.mean_) @ self.whitener_).components_
        self.labels_upstream_ = False

    def _features(self, images):
        side = (self.input_size - self.patch_size) // self.stride + 1
        block = max(1, BLOCK // (16 * self.atoms * side**2))
        found = [np.empty((0, 2 * self.atoms * self.cells**2), np.float32)]
        for start in range(0, len(images), block):
            pictures = grey(images[start : start + block], self.input_size)
            codes = self._codes(dense_patches(pictures, self.patch_size, self.stride))
            found.append(pooled(codes.reshape(len(pictures), side, side, -1), self.cells))
        return np.concatenate(found)

    def _codes(self, patches: np.ndarray) -> np.ndarray:
        """float64 (M, atoms) of patches (M, patch_size ** 2)."""
        white = (levelled(patches) - self.mean_) @ self.whitener_
        setting = (
            {"n_nonzero_coefs": max(1, self.atoms // 10)} if self.coding == "omp" else {"alpha": self.alpha}
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # omp on a patch without any contrast
            return sparse_encode(white, self.dictionary_, algorithm=self.coding, check_input=False, **setting)

    def _draw_patches(self, pictures: np.ndarray) -> np.ndarray:
        """Levelled patches (M, patch_size ** 2) from random places; those without contrast are left out."""
        rng = np.random.default_rng(self.random_state)
        which = rng.integers(len(pictures), size=self.patches)
        rows, columns = rng.integers(self.input_size - self.patch_size + 1, size=(2, self.patches))
        reach = np.arange(self.patch_size)
        drawn = pictures[
            which[:, None, None], (rows[:, None] + reach)[..., None], (columns[:, None] + reach)[:, None]
        ]
        drawn = drawn.reshape(self.patches, -1)
        drawn = drawn[np.ptp(drawn, axis=1) > 0]
        if len(drawn) < self.atoms:
            raise UserError(
                f"only {len(drawn)} of {self.patches} patches show anything, too few for {self.atoms} atoms; look "
                "whether the images are blank, or lower atoms."
            )
        return levelled(drawn)

    def _check_settings(self) -> None:
        for name, least in (("atoms", 1), ("patch_size", 2), ("stride", 1), ("cells", 1), ("input_size", 8)):
            whole_number(getattr(self, name), name, least)
        whole_number(self.patches, "patches", self.atoms)
        if self.coding not in CODINGS:
            raise UserError(f"coding {self.coding!r} is not known; use {' or '.join(map(repr, CODINGS))}.")
        for name in ("alpha", "whitening"):
            if not getattr(self, name) > 0:
                raise UserError(f"{name} must be above 0, not {getattr(self, name)!r}.")
        side = (self.input_size - self.patch_size) // self.stride + 1
        if side < self.cells:
            raise UserError(
                f"images of {self.input_size} pixels hold {max(side, 0)} patches of {self.patch_size} a side, fewer "
                f"than {self.cells} cells; use smaller patches, a smaller stride or larger images."
            )


def grey(images: np.ndarray, size: int) -> np.ndarray:
    """uint8 (N, C, H, W) to grey float64 (N, size, size) from 0 to 255."""
    return resized(images, size).numpy().mean(1) if len(images) else np.empty((0, size, size))


def dense_patches(pictures: np.ndarray, side: int, stride: int) -> np.ndarray:
    """Every ``stride``-th patch of pictures (N, H, W), row by row: (N * patches, side ** 2).

    Examples
    --------
    >>> dense_patches(np.arange(9.0).reshape(1, 3, 3), 2, 1)[1]
    array([1., 2., 4., 5.])
    """
    windows = np.lib.stride_tricks.sliding_window_view(pictures, (side, side), axis=(1, 2))
    return windows[:, ::stride, ::stride].reshape(-1, side * side)


def levelled(patches: np.ndarray, softening: float = 10.0) -> np.ndarray:
    """Each patch (row) less its mean, over its standard deviation; ``softening`` keeps flat patches flat.

    Examples
    --------
    >>> levelled(np.array([[7.0, 7.0], [0.0, 200.0]])).round(1).tolist()
    [[0.0, 0.0], [-1.0, 1.0]]
    """
    return (patches - patches.mean(1, keepdims=True)) / np.sqrt(patches.var(1, keepdims=True) + softening)


def zca(patches: np.ndarray, softening: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and symmetric whitening matrix (d, d) of patches (M, d).

    ``(patches - mean) @ matrix`` has the identity as covariance, save for variances that are small against
    ``softening`` times their mean.
    """
    mean = patches.mean(0)
    values, vectors = np.linalg.eigh(np.cov(patches, rowvar=False, bias=True))
    scale = 1 / np.sqrt(values.clip(0) + softening * values.mean())
    return mean, (vectors * scale) @ vectors.T


def pooled(codes: np.ndarray, cells: int) -> np.ndarray:
    """Codes (N, h, w, K) to features float32 (N, 2 K cells ** 2): means of both signs over parts of the picture.

    Examples
    --------
    >>> pooled(np.array([[[[-4.0], [2.0]], [[0.0], [2.0]]]]), 1).tolist()
    [[1.0, 1.0]]
    """
    signs = np.concatenate([codes.clip(0), (-codes).clip(0)], -1)
    parts = [
        part.mean((1, 2))
        for band in np.array_split(signs, cells, axis=1)
        for part in np.array_split(band, cells, axis=2)
    ]
    return np.concatenate(parts, 1).astype(np.float32)
