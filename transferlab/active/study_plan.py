"""What a factorial study crosses, and what each of its cells gives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from transferlab.active.arms import ARMS, WITHOUT_LABELS, ArmSettings
from transferlab.active.strategies import STRATEGIES
from transferlab.errors import UserError

PICKERS = ("own", "pretrained")


@dataclass(frozen=True)
class Study:
    """What is crossed with what.

    budgets : labels asked for in all, ascending; seeds : paired over everything else;
    pickers : ``"own"``, the arm's own features and answers pick, or ``"pretrained"``, those of a head on the
    pretrained features; without_labels : arms of :data:`~transferlab.active.arms.WITHOUT_LABELS`;
    noise, abstention : of the oracle, see :class:`~transferlab.active.oracles.HiddenLabels`

    Raises
    ------
    UserError
        for a name that is not known, budgets that do not ascend, or nothing to do.
    """

    budgets: tuple[int, ...]
    seeds: tuple[int, ...]
    arms: tuple[str, ...] = ARMS
    strategies: tuple[str, ...] = (
        "random",
        "margin",
        "k-centre",
        "typiclust",
        "badge",
        "typical-then-uncertain",
    )
    pickers: tuple[str, ...] = PICKERS
    without_labels: tuple[str, ...] = ()
    backbone: str = "tiny"
    settings: ArmSettings = field(default_factory=ArmSettings)
    noise: float = 0.0
    abstention: float = 0.0

    def __post_init__(self):
        for what, names, known in (
            ("arm", self.arms, ARMS),
            ("strategy", self.strategies, tuple(STRATEGIES)),
            ("picker", self.pickers, PICKERS),
            ("arm without labels", self.without_labels, WITHOUT_LABELS),
        ):
            unknown = [name for name in names if name not in known]
            if unknown:
                raise UserError(f"{what} {unknown[0]!r} is not known; use {', '.join(known)}.")
        if not (self.arms and self.strategies and self.pickers and self.seeds):
            raise UserError("a study needs at least one arm, one strategy, one picker and one seed.")
        if len(set(self.seeds)) < len(self.seeds):
            raise UserError("a study has a seed twice; seeds are paired, so each counts once.")
        steps = np.diff([0, *self.budgets])
        if not len(steps) or (steps <= 0).any():
            raise UserError(f"budgets are labels in all, ascending from 1 on, not {list(self.budgets)}.")


#: Arm, strategy and picker.
Curve = tuple[str, str, str]


def curve_name(curve: Curve) -> str:
    """A curve in words.

    Examples
    --------
    >>> curve_name(("scratch", "margin", "pretrained")), curve_name(("frozen", "random", "none"))
    ('scratch, margin on pretrained features', 'frozen, random')
    """
    words = [word for word in curve[:2] if word != "none"]
    return ", ".join(words) + ("" if curve[2] == "none" else f" on {curve[2]} features")


@dataclass(frozen=True)
class Cell:
    """One curve of a study: ``picker`` is ``"none"`` where nothing is looked at to pick."""

    arm: str
    strategy: str
    picker: str
    seed: int

    @property
    def curve(self) -> Curve:
        """What the seeds of a curve share."""
        return self.arm, self.strategy, self.picker


@dataclass(frozen=True, eq=False)
class CellResult:
    """What a cell answered: ``predictions`` int64 (B, V + M), classes of validation and test images at each budget;
    ``labelled``, ``spent`` (B,), labels given and what all answers cost; ``positions`` int64, asked, in order;
    ``notes``, of rounds that went another way than asked."""

    cell: Cell
    budgets: np.ndarray
    predictions: np.ndarray
    labelled: np.ndarray
    spent: np.ndarray
    positions: np.ndarray
    seconds: float
    notes: tuple[str, ...] = ()


def cells(study: Study) -> list[Cell]:
    """Every cell, seeds outermost, so that a study that is broken off holds whole seeds.

    Picking at random looks at nothing, and the frozen arm's own features are the pretrained ones: each counts once.

    Examples
    --------
    >>> study = Study((10, 20), (0,), ("scratch", "frozen"), ("random", "margin"))
    >>> [(c.arm, c.strategy, c.picker) for c in cells(study)][:3]
    [('scratch', 'random', 'none'), ('scratch', 'margin', 'own'), ('scratch', 'margin', 'pretrained')]
    >>> len(cells(study))
    5
    """
    found = []
    for seed in study.seeds:
        found += [Cell(name, "none", "none", seed) for name in study.without_labels]
        for arm in study.arms:
            for strategy in study.strategies:
                pickers = study.pickers if arm != "frozen" else ("pretrained",)
                chosen = pickers if STRATEGIES[strategy].needs else ("none",)
                found += [Cell(arm, strategy, picker, seed) for picker in chosen]
    return found


def first_of(strategy: str) -> str:
    """How the first images of a strategy are picked: by itself where features are enough, or at random."""
    alone = STRATEGIES[strategy].needs == {"features"} or strategy == "typical-then-uncertain"
    return strategy if alone else "random"


@dataclass(frozen=True)
class _Profile:
    arms: tuple[str, ...]
    strategies: tuple[str, ...]
    budgets: tuple[int, ...]  # labels a class
    seeds: int
    settings: ArmSettings


_SIX = ("random", "margin", "k-centre", "typiclust", "badge", "typical-then-uncertain")
_PROFILES = {
    "smoke": _Profile(("scratch", "frozen"), ("random", "margin"), (1, 2), 2, ArmSettings("logistic", 2, 2, 2, 1, 0)),
    "lesson": _Profile(
        ("scratch", "frozen", "last-stage"), ("random", "margin", "typiclust"), (1, 2, 5, 10), 3,
        ArmSettings("logistic", 10, 10, 5, 2, 50),
    ),
    "report": _Profile(ARMS, (*_SIX, "entropy"), (1, 2, 5, 10, 20, 50), 10, ArmSettings()),
}  # fmt: skip


def study_of(profile: str, classes: int, pool: int, **changes) -> Study:
    """The study of a profile (``"smoke"``, ``"lesson"``, ``"report"``) for a pool of so many images.

    Budgets are 1, 2, 5, ... labels a class on average, as far as the pool reaches; ``changes`` are fields of
    :class:`Study`.

    Raises
    ------
    UserError
        for a profile that is not known, or a pool of less than one image a class.

    Examples
    --------
    >>> study_of("lesson", 10, 60).budgets
    (10, 20, 50)
    """
    if profile not in _PROFILES:
        raise UserError(f"profile {profile!r} is not known; use {', '.join(_PROFILES)}.")
    if pool < classes:
        raise UserError(f"the pool has {pool} images for {classes} classes; add images.")
    p = _PROFILES[profile]
    given = {
        "budgets": tuple(k * classes for k in p.budgets if k * classes <= pool),
        "seeds": tuple(range(p.seeds)),
        "arms": p.arms,
        "strategies": p.strategies,
        "settings": p.settings,
    }
    return Study(**{**given, **changes})
