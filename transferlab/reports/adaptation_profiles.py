"""How much an adaptation report does: three profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from transferlab.adaptation import METHODS
from transferlab.errors import UserError

_FEW = ("source-only", "CORAL", "AdaBN", "SHOT")
_SOME = ("source-only", "subspace alignment", "CORAL", "AdaBN", "pseudo-labels", "SHOT", "DANN", "MCC")


@dataclass(frozen=True)
class AdaptationProfile:
    """seeds : repetitions; methods : names, the baseline first; source_epochs : passes over the source; epochs : while
    domains are brought together; of_method : further settings by name; most : images of a domain that are used, all
    where None; drawn : images of a domain in the projection."""

    seeds: int
    methods: tuple[str, ...]
    source_epochs: int
    epochs: int
    of_method: Mapping[str, Mapping] = field(default_factory=dict)
    most: int | None = None
    drawn: int = 300


ADAPTATION_PROFILES = {
    "smoke": AdaptationProfile(2, _FEW, 4, 2, {"SHOT": {"rounds": 2, "epochs": 2}}, 400, 150),
    "lesson": AdaptationProfile(
        3, _SOME, 8, 5,
        {"SHOT": {"rounds": 6, "epochs": 3, "augmentation": 1.0},
         "pseudo-labels": {"rounds": 3, "epochs": 3, "augmentation": 1.0}},
        3000,
    ),
    "report": AdaptationProfile(
        5, METHODS, 10, 8,
        {"SHOT": {"rounds": 12, "epochs": 3, "augmentation": 1.0},
         "pseudo-labels": {"rounds": 4, "epochs": 5, "augmentation": 1.0},
         "TENT": {"epochs": 5}},
    ),
}  # fmt: skip


def get_adaptation_profile(name: str) -> AdaptationProfile:
    """The profile called ``name``.

    Examples
    --------
    >>> get_adaptation_profile("smoke").methods
    ('source-only', 'CORAL', 'AdaBN', 'SHOT')
    """
    if name not in ADAPTATION_PROFILES:
        raise UserError(f"profile {name!r} is not known; use {', '.join(ADAPTATION_PROFILES)}.")
    return ADAPTATION_PROFILES[name]


def passes(method: str, profile: AdaptationProfile, ratio: float) -> float:
    """Expected work of a fit and its validators, in forward passes for each source image.

    Parameters
    ----------
    ratio : target images for each source image

    Examples
    --------
    >>> passes("source-only", get_adaptation_profile("smoke"), 1.0)
    15.0
    """
    own = {"epochs": profile.epochs, "rounds": 1, **profile.of_method.get(method, {})}
    seen = 3.0 * own["epochs"]  # a training step costs about three forward passes
    validators = 2.0 + ratio
    if method == "source-only":
        return 3.0 * profile.source_epochs + validators
    if method in ("DAN", "Deep CORAL", "DANN", "CDAN", "MCC"):
        return seen * 2 + validators
    if method in ("SHOT", "pseudo-labels"):
        return own["rounds"] * (seen + 2) * ratio + validators
    if method == "TENT":
        return seen * ratio + validators
    return 3 * ratio + validators
