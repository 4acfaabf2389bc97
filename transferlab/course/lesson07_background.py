"""A background that predicts the class: made, found and mended, for lesson 07."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from transferlab import viz
from transferlab.backbones import grad_cam
from transferlab.data import ImageSet, SealedTest
from transferlab.data.bundled import load_bundled
from transferlab.evaluation.groups import balanced_positions, group_accuracies, worst_group
from transferlab.transfer import FeatureExtraction
from transferlab.viz import percent

GROUNDS = ("grass", "gravel")  # usual for the first class, for the second
SIDE, OBJECT = 64, 32  # pixels of a scene and of the crop in its middle
BOX = slice((SIDE - OBJECT) // 2, (SIDE + OBJECT) // 2)
COLLECTED, BALANCED, EXCHANGED = "as collected", "groups balanced", "backgrounds exchanged"


def scenes(crops: ImageSet, grounds: np.ndarray, rng: np.random.Generator, part: str) -> ImageSet:
    """Each crop, enlarged to 32 pixels, in the middle of 64 pixels of a background.

    Parameters
    ----------
    crops : grey images of two classes; grounds : int (N,), positions in ``GROUNDS``
    part : ``"development"`` or ``"test"``, the half of the photographs that backgrounds come from

    Returns
    -------
    ImageSet, uint8 (N, 3, 64, 64); groups are such as "face on grass"
    """
    pictures = np.empty((len(crops), 3, SIDE, SIDE), np.uint8)
    step = np.arange(OBJECT) * crops.images.shape[-1] // OBJECT
    for picture, crop, ground in zip(pictures, crops.images, grounds, strict=True):
        patches = _ground(GROUNDS[ground], part)
        a, b, c, d = patches[rng.integers(len(patches), size=4)]
        picture[:] = np.block([[a, b], [c, d]])
        picture[:, BOX, BOX] = crop[:, step][:, :, step]
    names = [f"{crops.classes[y]} on {GROUNDS[g]}" for y, g in zip(crops.labels, grounds, strict=True)]
    return replace(crops, images=pictures, groups=np.array(names), paths=None)


@cache
def _ground(name: str, part: str) -> np.ndarray:
    images = getattr(load_bundled("materials-colour"), part)
    return images.images[images.labels == images.classes.index(name)]


def collected(seed: int, agreement: float = 0.95, per_class: int = 40) -> tuple[ImageSet, ImageSet]:
    """Training scenes whose background agrees with the class in that share, and the same with the other one."""
    faces = load_bundled("faces").development
    rng = np.random.default_rng([seed, 95])
    picks = [rng.permutation(np.flatnonzero(faces.labels == c))[:per_class] for c in (0, 1)]
    crops = faces[np.concatenate(picks)]
    usual = np.tile(np.arange(per_class) < round(agreement * per_class), 2)
    grounds = np.where(usual, crops.labels, 1 - crops.labels)
    return scenes(crops, grounds, rng, "development"), scenes(crops, 1 - grounds, rng, "development")


def test_scenes(seed: int) -> ImageSet:
    """Every test crop on its usual background, then every one on the other."""
    crops = load_bundled("faces").test
    rng = np.random.default_rng([seed, 96])
    usual, other = (scenes(crops, g, rng, "test") for g in (crops.labels, 1 - crops.labels))
    return ImageSet(
        np.concatenate([usual.images, other.images]), np.tile(crops.labels, 2), crops.classes,
        groups=np.concatenate([usual.groups, other.groups]),
    )  # fmt: skip


test_scenes.__test__ = False  # not a pytest function


@dataclass(frozen=True, eq=False)
class BackgroundTrial:
    """Right answers of each way to train, bool (S, N), the groups (N,), and where Grad-CAM looks.

    heat : name to float (S,), share of the heat that lies on the background
    models : name to the first seed's model; shown : the first seed's test scenes
    """

    correct: dict[str, np.ndarray]
    groups: np.ndarray
    heat: dict[str, np.ndarray]
    models: dict[str, FeatureExtraction]
    shown: ImageSet

    @property
    def gap(self) -> np.ndarray:
        """Points lost, as collected, when the same crops stand on the other background: float (S,)."""
        usual, other = np.split(self.correct[COLLECTED], 2, axis=1)
        return 100 * (usual.mean(1) - other.mean(1))

    def mended(self, way: str) -> np.ndarray:
        """Points of worst-group accuracy won by a way to train, float (S,)."""
        worst = {name: worst_group(self.correct[name], self.groups) for name in (way, COLLECTED)}
        return 100 * (worst[way] - worst[COLLECTED])


def background_trial(
    seeds: Sequence[int], backbone: str = "zoo-all", agreement: float = 0.95, device: str = "auto"
) -> BackgroundTrial:
    """Train on biased scenes in three ways and test on both backgrounds."""
    correct, heat = {}, {}
    first_models, first_test = {}, None
    for seed in seeds:
        train, exchanged = collected(seed, agreement)
        rng = np.random.default_rng([seed, 97])
        arms = {
            COLLECTED: train,
            BALANCED: train[balanced_positions(train.groups, rng)],
            EXCHANGED: replace(
                train,
                images=np.concatenate([train.images, exchanged.images]),
                labels=np.tile(train.labels, 2),
                groups=None,
            ),
        }
        models = {
            name: FeatureExtraction(backbone, device=device).fit(images) for name, images in arms.items()
        }
        test = test_scenes(seed)
        scores = SealedTest(test, printing=False).score(models)
        for name, model in models.items():
            correct.setdefault(name, []).append(scores.probabilities[name].argmax(1) == scores.truth)
            heat.setdefault(name, []).append(outside(heat_of(model, test)))
        if first_test is None:
            first_models, first_test = models, test
    return BackgroundTrial(
        {name: np.stack(rows) for name, rows in correct.items()},
        first_test.groups,
        {name: np.array(values) for name, values in heat.items()},
        first_models,
        first_test,
    )


def heat_of(model: FeatureExtraction, images: ImageSet) -> np.ndarray:
    """Grad-CAM of each image for the class that the model names: float32 (N, 64, 64)."""
    return grad_cam(model.backbone_, model.linear_[0], images.images, model.predict(images))


def outside(maps: np.ndarray) -> float:
    """Share of the heat of all maps that lies on the background.

    Examples
    --------
    >>> outside(np.ones((2, 64, 64)))
    0.75
    """
    return float(1 - maps[:, BOX, BOX].sum() / maps.sum())


def groups_card(trial: BackgroundTrial) -> viz.Card:
    """Accuracy of each group in each way to train; the title compares the worst groups."""
    panels = {
        name: {g: (i.estimate, i.low, i.high) for g, i in group_accuracies(table, trial.groups).items()}
        for name, table in trial.correct.items()
    }
    worst = {name: percent(worst_group(table, trial.groups).mean()) for name, table in trial.correct.items()}
    finding = (
        f"Worst group: {', '.join(f'{worst[n]} {n}' for n in worst)} "
        f"(n = {len(trial.groups)} test images, {len(trial.gap)} seeds)"
    )
    return viz.dot_panels(panels, finding, foot="test accuracy of each group; bar: 95 % interval", chance=0.5)


def heat_card(trial: BackgroundTrial, way: str = COLLECTED) -> viz.Card:
    """Grad-CAM on three scenes with the other background; the title tells the share of heat outside the crop."""
    half = len(trial.shown) // 2
    positions = half + np.array([0, half // 2, half - 1])
    chosen, model = trial.shown[positions], trial.models[way]
    said = model.predict(chosen)
    captions = [
        (group, f"called {chosen.classes[answer]}") for group, answer in zip(chosen.groups, said, strict=True)
    ]
    finding = (
        f"Trained {way}, {percent(trial.heat[way].mean())} of the heat lies on the background, which fills 75 % of "
        f"the picture (n = {len(trial.shown)} test images, {len(trial.gap)} seeds)"
    )
    return viz.heat_maps(chosen.images, heat_of(model, chosen), captions, finding)
