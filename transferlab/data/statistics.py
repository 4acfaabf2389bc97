"""Six intensity numbers an image: the trivial baseline that no claim about features may lose to."""

from __future__ import annotations

import numpy as np

from transferlab.errors import UserError


def intensity_statistics(images: np.ndarray) -> np.ndarray:
    """Six numbers an image that know nothing of shape or place.

    Parameters
    ----------
    images : uint8 array (N, C, H, W), C is 1 or 3

    Returns
    -------
    float32 array (N, 6). One channel: mean, standard deviation, smallest, largest (grey levels 0 to
    255), skewness, excess kurtosis (both 0 for a flat image). Three channels: mean of each channel,
    then standard deviation of each.

    Raises
    ------
    UserError
        where the array is not of that type and shape.

    Examples
    --------
    >>> import numpy as np
    >>> intensity_statistics(np.full((1, 1, 4, 4), 7, np.uint8)).tolist()
    [[7.0, 0.0, 7.0, 7.0, 0.0, 0.0]]
    >>> intensity_statistics(np.zeros((5, 3, 4, 4), np.uint8)).shape
    (5, 6)
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape[2:]:
        raise UserError(
            "images must be a uint8 array of shape (N, C, H, W) with 1 or 3 channels, "
            f"not {images.dtype} {images.shape}; convert them first."
        )
    n, channels, height, width = images.shape
    pixels = images.reshape(n, channels, height * width).astype(np.float64)
    mean, std = pixels.mean(2), pixels.std(2)
    if channels == 3:
        return np.concatenate([mean, std], 1).astype(np.float32)
    flat = std == 0
    z = (pixels - mean[:, :, None]) / np.where(flat, 1, std)[:, :, None]
    skew = (z**3).mean(2)
    kurtosis = np.where(flat, 0, (z**4).mean(2) - 3)
    columns = [mean, std, pixels.min(2), pixels.max(2), skew, kurtosis]
    return np.concatenate(columns, 1).astype(np.float32)
