"""The arms of a transfer report: the same question answered in several ways."""

from __future__ import annotations

from dataclasses import dataclass

from transferlab.backbones import Backbone, load_backbone
from transferlab.reports.profiles import Profile
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.transfer import FeatureExtraction, FineTuning, FromScratch, RandomFrozen


@dataclass(frozen=True, eq=False)
class Arm:
    """One way to answer: ``method`` as in results.json, what it stands on, and an unfitted estimator.

    ``cost`` is its expected work for one image, in forward passes through the whole backbone.
    """

    method: str
    backbone: str | None
    trainable_from: str | None
    estimator: object
    cost: float

    @property
    def pretrained(self) -> bool:
        """Whether it starts from what a backbone has learnt."""
        return self.method in ("feature_extraction", "fine_tuning", "full_fine_tuning")

    @property
    def name(self) -> str:
        parts = [self.method, self.backbone, self.trainable_from]
        return " · ".join(p for p in parts if p)


def make_arms(backbones: list[str], profile: Profile, cache: BoundaryCache, device: str) -> list[Arm]:
    """Raw pixels once, and for each backbone: scratch, random frozen, frozen, fine-tuned from several depths."""
    common = {"cache": cache, "device": device}
    arms = [Arm("pixels", None, None, FeatureExtraction("pixels", **common), 0.1)]
    for name in backbones:
        arms += _backbone_arms(name, load_backbone(name), profile, common)
    return arms


def _backbone_arms(name: str, backbone: Backbone, profile: Profile, common: dict) -> list[Arm]:
    tune = {"epochs": profile.epochs, "patience": profile.patience, **common}
    # Its validation curve is noisy until the learning rate has fallen: stopping early cost accuracy.
    scratch = FromScratch(backbone, epochs=profile.scratch_epochs, patience=None, **common)
    arms = [
        Arm("scratch", name, None, scratch, 3.0 * profile.scratch_epochs),
        Arm("random_frozen", name, None, RandomFrozen(backbone, **common), 1.0),
        Arm("feature_extraction", name, None, FeatureExtraction(backbone, **common), 1.0),
    ]
    for boundary in tuning_boundaries(backbone, profile.depths):
        share = 1 - boundary / len(backbone.stages)
        arms.append(
            Arm(
                "fine_tuning",
                name,
                backbone.stages[boundary].name,
                FineTuning(backbone, trainable_from=boundary, **tune),
                1 + 3.0 * profile.epochs * share,
            )
        )
    everything = FineTuning(backbone, trainable_from=0, **tune)
    arms.append(Arm("full_fine_tuning", name, None, everything, 3.0 * profile.epochs))
    return arms


def tuning_boundaries(backbone: Backbone, depths: int) -> list[int]:
    """Boundaries to tune from: the last stage that learns, the last two, and so on, at most ``depths``.

    Stages without parameters are passed over: training from them is training from the next one.
    """
    learning = [i for i, stage in enumerate(backbone.stages) if stage.parameters]
    return learning[1:][::-1][:depths]
