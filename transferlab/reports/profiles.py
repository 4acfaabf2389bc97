"""How much a run does: three profiles."""

from __future__ import annotations

from dataclasses import dataclass

from transferlab.errors import UserError


@dataclass(frozen=True)
class Profile:
    """seeds : repetitions; budgets : labels a class; most_labels : cap of the last budget, "all you have"
    where None; epochs of fine-tuning, and of training from scratch; depths : how many fine-tuning depths
    between the head alone and everything; patience : epochs without gain before training stops."""

    seeds: int
    budgets: tuple[int, ...]
    most_labels: int | None
    epochs: int
    scratch_epochs: int
    depths: int
    patience: int | None


PROFILES = {
    "smoke": Profile(2, (5,), 20, 4, 4, 1, None),
    "lesson": Profile(3, (5, 20), 60, 10, 24, 2, 5),
    "report": Profile(5, (1, 2, 5, 10, 20, 50), None, 30, 90, 99, 8),
}


def get_profile(name: str) -> Profile:
    """The profile called ``name``."""
    if name not in PROFILES:
        raise UserError(f"profile {name!r} is not known; use {', '.join(PROFILES)}.")
    return PROFILES[name]


def label_budgets(profile: Profile, available: int, asked: list[int]) -> list[int | None]:
    """Labels a class to try, ascending; None stands for all.

    Examples
    --------
    >>> label_budgets(PROFILES["lesson"], 40, [])
    [5, 20, None]
    >>> label_budgets(PROFILES["lesson"], 500, [])
    [5, 20, 60]
    >>> label_budgets(PROFILES["lesson"], 500, [10, 3])
    [3, 10]
    """
    if asked:
        if min(asked) < 1 or max(asked) > available:
            raise UserError(
                f"labels per class must lie between 1 and {available}, the most that every class here has "
                f"outside the test, not {', '.join(map(str, asked))}."
            )
        return sorted(set(asked))
    last = None if profile.most_labels is None or available <= profile.most_labels else profile.most_labels
    below = available if last is None else last
    return [*(k for k in profile.budgets if k < below), last]
