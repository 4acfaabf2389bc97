"""The preprocessing that belongs to a network's weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from transferlab.errors import UserError

INTERPOLATIONS = ("bilinear", "bicubic", "nearest")


@dataclass(frozen=True)
class Preprocessing:
    """Resize to a square, scale to [0, 1], subtract the mean, divide by the standard deviation.

    Parameters
    ----------
    mean, std : one value a channel (red, green, blue), for pixels in [0, 1]
    input_size : side of the square in pixels, at least 8
    interpolation : ``"bilinear"``, ``"bicubic"`` or ``"nearest"``; the first two are antialiased

    The whole picture is resized; nothing is cropped, so nothing of the object is lost.

    Examples
    --------
    >>> import numpy as np
    >>> grey = np.full((2, 1, 10, 10), 255, np.uint8)
    >>> out = Preprocessing((0.5,) * 3, (0.25,) * 3, input_size=16)(grey)
    >>> out.dtype, tuple(out.shape), out.max().item()
    (torch.float32, (2, 3, 16, 16), 2.0)
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    input_size: int
    interpolation: str = "bilinear"

    def __post_init__(self):
        for name in ("mean", "std"):
            value = tuple(float(v) for v in getattr(self, name))
            if len(value) != 3 or (name == "std" and min(value) <= 0):
                raise UserError(
                    f"{name} must be three numbers (std above 0), not {value}; give one a channel."
                )
            object.__setattr__(self, name, value)
        size = self.input_size
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 8:
            raise UserError(f"the input size must be a whole number of at least 8 pixels, not {size!r}.")
        object.__setattr__(self, "input_size", int(size))
        if self.interpolation not in INTERPOLATIONS:
            raise UserError(
                f"interpolation {self.interpolation!r} is unknown; use {' or '.join(INTERPOLATIONS)}."
            )

    def __call__(self, images: np.ndarray | torch.Tensor) -> torch.Tensor:
        """uint8 (N, C, H, W) with C 1 or 3, array or tensor, to float32 (N, 3, S, S) on the same device."""
        from torchvision.transforms.v2 import InterpolationMode
        from torchvision.transforms.v2 import functional as F

        pixels = _as_tensor(images)
        if not len(pixels):
            return torch.empty(0, 3, self.input_size, self.input_size, device=pixels.device)
        if tuple(pixels.shape[-2:]) != (self.input_size,) * 2:
            mode = InterpolationMode(self.interpolation)
            pixels = F.resize(
                pixels, [self.input_size] * 2, interpolation=mode, antialias=mode.value != "nearest"
            )
        pixels = pixels.expand(-1, 3, -1, -1).float().div_(255)
        return F.normalize(pixels, list(self.mean), list(self.std), inplace=True)


def _as_tensor(images: np.ndarray | torch.Tensor) -> torch.Tensor:
    is_array = isinstance(images, np.ndarray)
    if not is_array and not isinstance(images, torch.Tensor):
        raise UserError(f"images must be an array of uint8 (N, C, H, W), not {type(images).__name__}.")
    if (
        str(images.dtype).removeprefix("torch.") != "uint8"
        or images.ndim != 4
        or images.shape[1] not in (1, 3)
    ):
        raise UserError(
            "images must be uint8 of shape (N, C, H, W) with 1 or 3 channels, "
            f"not {images.dtype} {tuple(images.shape)}; convert them first."
        )
    if not is_array:
        return images
    if not images.flags.writeable:
        images = images.copy()
    return torch.from_numpy(np.ascontiguousarray(images))
