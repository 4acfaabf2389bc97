"""Why pixels win on handwritten digits: what is left of it when the digits no longer stand in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from transferlab import load_backbone
from transferlab.course.compared import Spread, over_seeds
from transferlab.course.glyph_transfer import SIDE, untrained
from transferlab.course.lesson12 import METHOD, PIXELS, SETS, SSL, STROKES, images, strokes
from transferlab.unsupervised import SimCLR, cluster, cluster_scores
from transferlab.unsupervised.pretraining import resized

IN_PLACE, BY_TWO, BY_FOUR, TURNED, PUT_BACK = (
    "in place",
    "moved by up to 2",
    "moved by up to 4",
    "turned by up to 20°",
    "moved by 4, put back",
)
#: What is done to the digits: (pixels of 32, degrees, whether they are centred afterwards).
MOVES = {
    IN_PLACE: (0, 0, False),
    BY_TWO: (2, 0, False),
    BY_FOUR: (4, 0, False),
    TURNED: (0, 20, False),
    PUT_BACK: (4, 0, True),
}
_SCALE = 0.75  # of the picture's side, so that no move cuts anything off
NARROW, WIDE, PIXELS_BACK = "narrow views", "wide views", "pixels put back"
STRENGTHS = {NARROW: 0.05, WIDE: 0.6}


@dataclass(frozen=True, eq=False)
class MovesTrial:
    """``ari``: (what was done, features) to float (S,), one for each seed; ``n`` digits."""

    ari: Mapping[tuple[str, str], np.ndarray]
    n: int

    @property
    def seeds(self) -> int:
        return len(next(iter(self.ari.values())))

    def spread(self, move: str, origin: str) -> Spread:
        """Mean and the ends of Student's 95 % interval over seeds."""
        return over_seeds(self.ari[move, origin])

    def lost(self, origin: str, move: str) -> np.ndarray:
        """100 x ARI that ``move`` costs, for each seed."""
        return 100 * (self.ari[IN_PLACE, origin] - self.ari[move, origin])

    def lost_share(self, origin: str, move: str) -> np.ndarray:
        """The same in percent of what there was in place."""
        return self.lost(origin, move) / self.ari[IN_PLACE, origin]


def moved(pictures: np.ndarray, seed: int, move: str) -> np.ndarray:
    """Grey images uint8 (N, 1, H, W) made smaller on a black ground of 32 pixels, each then moved its own way.

    Examples
    --------
    >>> dots = np.full((2, 1, 8, 8), 255, np.uint8)
    >>> [int(moved(dots, 0, move)[0].any(axis=(0, 1)).sum()) for move in (IN_PLACE, BY_FOUR)]
    [24, 25]
    """
    shift, degrees, back = MOVES[move]
    rng, n = np.random.default_rng(seed), len(pictures)
    x = resized(pictures, SIDE).float()
    angle = np.deg2rad(rng.uniform(-degrees, degrees, n))
    offset = rng.uniform(-shift, shift, (n, 2)) / (SIDE / 2)
    rows = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    x = _resampled(x, rows / _SCALE, -np.einsum("nij,nj->ni", rows / _SCALE, offset))
    return _whole(_centred(x) if back else x)


def put_back(pictures: np.ndarray) -> np.ndarray:
    """uint8 (N, 1, H, W), each picture's centre of mass in the middle."""
    return _whole(_centred(torch.from_numpy(pictures).float()))


def _centred(x: torch.Tensor) -> torch.Tensor:
    return _resampled(x, np.tile(np.eye(2), (len(x), 1, 1)), _middle(x))


def _whole(x: torch.Tensor) -> np.ndarray:
    return x.round().clamp(0, 255).to(torch.uint8).numpy()


def _resampled(x: torch.Tensor, matrices: np.ndarray, offsets: np.ndarray) -> torch.Tensor:
    theta = torch.tensor(np.concatenate([matrices, offsets[:, :, None]], 2), dtype=torch.float32)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _middle(x: torch.Tensor) -> np.ndarray:
    """Centre of mass (N, 2) of each picture, -1 to 1; it is seen without any label."""
    at = torch.linspace(-1 + 1 / SIDE, 1 - 1 / SIDE, SIDE)
    mass = x.sum((1, 2, 3)).clamp(min=1e-6)
    return torch.stack([(x * at).sum((1, 2, 3)) / mass, (x * at[:, None]).sum((1, 2, 3)) / mass], 1).numpy()


def tables(pictures: np.ndarray, which: Sequence[str] = (PIXELS, STROKES, SSL)) -> dict[str, np.ndarray]:
    """Features of grey pictures by each of ``which``; networks see them at 32 pixels, to save time."""
    return {name: _table(pictures, name) for name in which}


def _table(pictures: np.ndarray, name: str) -> np.ndarray:
    if name == PIXELS:
        return pictures.reshape(len(pictures), -1) / 255.0
    if name == STROKES:
        return strokes().transform(pictures)
    return load_backbone(name).with_input_size(SIDE).features(pictures)


def moves_trial(seeds: Sequence[int], moves: Sequence[str] = tuple(MOVES)) -> MovesTrial:
    """The digits clustered after every move, by features of three origins; each seed moves them otherwise."""
    digits, found = images("digits"), {}
    for move in moves:
        for seed in seeds:
            for name, table in tables(moved(digits.images, seed, move)).items():
                found.setdefault((move, name), []).append(_ari(table, seed))
    return MovesTrial({key: np.array(values) for key, values in found.items()}, len(digits))


def _ari(table: np.ndarray, seed: int) -> float:
    return cluster_scores(cluster(METHOD, table, SETS["digits"], seed), images("digits").labels).ari


def views_trial(
    seeds: Sequence[int], move: str = BY_TWO, epochs: int = 15, device: str = "auto"
) -> MovesTrial:
    """SimCLR in miniature, trained without labels on the moved digits themselves, with narrow and with wide views.

    Beside it: pixels of the same digits, as they stand and put back by their centre of mass, and ``tiny-ssl``, which
    never saw a digit.
    """
    digits, found = images("digits"), {}
    for seed in seeds:
        pictures = moved(digits.images, seed, move)
        made = tables(pictures, (PIXELS, SSL))
        for name in STRENGTHS:
            made[name] = simclr(name, epochs, seed, device).fit(pictures).transform(pictures)
        made[PIXELS_BACK] = _table(put_back(pictures), PIXELS)
        for name, table in made.items():
            found.setdefault((move, name), []).append(_ari(table, seed))
    return MovesTrial({key: np.array(values) for key, values in found.items()}, len(digits))


def simclr(views: str, epochs: int = 15, seed: int = 0, device: str = "auto") -> SimCLR:
    """SimCLR on a small network from scratch; nothing is mirrored, since a mirrored digit is none."""
    return SimCLR(
        architecture=untrained(), strength=STRENGTHS[views], flip=False, epochs=epochs, batch_size=64,
        input_size=SIDE, device=device, random_state=seed,
    )  # fmt: skip
