"""How much a lesson does: the profile of this run."""

from __future__ import annotations

import os
from typing import TypeVar

from transferlab.errors import UserError

PROFILES = ("smoke", "lesson", "report")
T = TypeVar("T")


def chosen_profile(profile: str) -> str:
    """``profile``, or what the environment variable TRANSFERLAB_PROFILE says instead.

    Examples
    --------
    >>> import os
    >>> _ = os.environ.pop("TRANSFERLAB_PROFILE", None)
    >>> chosen_profile("lesson")
    'lesson'
    """
    chosen = os.environ.get("TRANSFERLAB_PROFILE") or profile
    if chosen not in PROFILES:
        raise UserError(f"profile {chosen!r} is not known; use {', '.join(PROFILES)}.")
    return chosen


def by_profile(profile: str, *, smoke: T, lesson: T, report: T) -> T:
    """The one of three values that belongs to ``profile``.

    Examples
    --------
    >>> by_profile("smoke", smoke=2, lesson=3, report=10)
    2
    """
    if profile not in PROFILES:
        raise UserError(f"profile {profile!r} is not known; use {', '.join(PROFILES)}.")
    return {"smoke": smoke, "lesson": lesson, "report": report}[profile]
