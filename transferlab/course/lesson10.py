"""Experiments of lesson 10 on two dimensions: five shifts, and which alignment mends which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from transferlab.adaptation import CORAL, TCA, FeatureAdapter, OptimalTransport, SourceOnly
from transferlab.course.compared import RightAnswers, compared, differences_card, points
from transferlab.course.two_domains import TwoDomains, drawn
from transferlab.evaluation import Comparison
from transferlab.viz import Card, percent
from transferlab.viz.figure import BLUE, FAINT, GROUND, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN

SOURCE, BY_MOMENTS, BY_PLAN, BY_PROJECTION = "source only", "CORAL", "transport", "TCA"
MOVED, STRETCHED, CUE, TURNED, SHARES = (
    "moved and sheared",
    "stretched unevenly",
    "a cue that does not hold",
    "turned by 90 degrees",
    "other class shares",
)
#: What happens to the target, in the order of the lesson.
SHIFTS = (MOVED, STRETCHED, CUE, TURNED, SHARES)
_FORMS = ("o", "^", "s")  # one for each class

#: Nearest neighbours follow a cloud of any form, so that what fails is the alignment and not the classifier.
_neighbours = partial(KNeighborsClassifier, 15)


@dataclass(frozen=True, eq=False)
class CloudTrial(RightAnswers):
    """``correct``: (shift, method) to right answers bool (S, N) on the target's test points."""

    correct: Mapping[tuple[str, str], np.ndarray]

    def accuracy(self, shift: str, method: str) -> float:
        """Mean over seeds and points."""
        return float(self.correct[shift, method].mean())

    def compare(self, shift: str, method: str, other: str = SOURCE) -> Comparison:
        """``method`` less ``other`` with an interval over seeds and points."""
        return compared(self.correct, (shift, method), (shift, other))

    def points(self, shift: str, method: str, other: str = SOURCE) -> list[float]:
        """The same difference in points, for each seed."""
        return points(self.correct[shift, method], self.correct[shift, other])


def clouds(shift: str, seed: int, n: int = 150) -> TwoDomains:
    """Two clouds of ``n`` points; the target is another draw, changed as ``shift`` says.

    Examples
    --------
    >>> clouds("turned by 90 degrees", 0, 20).target.shape
    (20, 2)
    """
    return drawn(_points, shift, seed, n)


def _points(shift: str, target: bool, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    noise = rng.normal(size=(n, 2))
    if shift == STRETCHED:
        y = rng.integers(0, 3, n)
        x = noise * [0.28, 0.5] + np.stack([1.2 * (y - 1), np.zeros(n)], 1)
        return (np.stack([np.exp(1.4 * x[:, 0]) + 0.2, x[:, 1]], 1) if target else x), y
    y = (rng.random(n) < (0.9 if target and shift == SHARES else 0.5)).astype(int)
    side = 2 * y - 1
    x = noise * [1, 0.35] + np.stack([np.zeros(n), 0.8 * side], 1)
    if shift == CUE:  # in the source the first feature goes with the class, in the target it does not
        x[:, 0] = 3 + 1.2 * noise[:, 0] if target else 1.2 * side + 0.6 * noise[:, 0]
    if target and shift == MOVED:
        x = x @ np.array([[1.2, 0.7], [-0.2, 1.0]]) + [0.5, 1.2]
    if target and shift == TURNED:
        x = x @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    return x, y


def cloud_methods() -> dict[str, FeatureAdapter]:
    """The methods, not fitted yet, all with the same classifier; TCA keeps one component of two."""
    return {
        SOURCE: SourceOnly(classifier=_neighbours()),
        BY_MOMENTS: CORAL(classifier=_neighbours()),
        BY_PLAN: OptimalTransport(classifier=_neighbours()),
        BY_PROJECTION: TCA(n_components=1, classifier=_neighbours()),
    }


def fitted(shift: str, seed: int) -> tuple[TwoDomains, dict[str, FeatureAdapter]]:
    """Clouds, and the methods fitted to them without a target label."""
    made = clouds(shift, seed)
    return made, {name: m.fit(made.source, made.labels, made.target) for name, m in cloud_methods().items()}


def cloud_trial(seeds: Sequence[int], shifts: Sequence[str] = SHIFTS) -> CloudTrial:
    """Every method on every shift, with clouds of its own for each seed."""
    right: dict[tuple[str, str], list] = {}
    for shift in shifts:
        for seed in seeds:
            made, models = fitted(shift, seed)
            for name, model in models.items():
                right.setdefault((shift, name), []).append(model.predict(made.test) == made.test_labels)
    return CloudTrial({key: np.stack(rows) for key, rows in right.items()})


def trial_card(trial: CloudTrial) -> Card:
    """What each method changes on each shift against source only."""
    shifts = dict.fromkeys(shift for shift, _ in trial.correct)
    found = {
        f"{shift}: {name}": trial.compare(shift, name)
        for shift in shifts
        for name in cloud_methods()
        if name != SOURCE
    }
    return gains(found, f"n = {trial.n} test points, {trial.seeds} seeds")


def gains(found: Mapping[str, Comparison], ground: str) -> Card:
    """Differences to source only in points, coloured where the interval leaves zero out; the title counts them."""
    helped, harmed = sum(c.low > 0 for c in found.values()), sum(c.high < 0 for c in found.values())
    finding = (
        f"Against source only, alignment helps in {helped} of {len(found)} cases and harms in {harmed} (95 % "
        f"intervals; {ground})"
    )
    return differences_card(found, finding, "points of accuracy on the target")


def clouds_card(trial: CloudTrial, shifts: Sequence[str], seed: int = 0) -> Card:
    """Both clouds as they are and after each method, a row for each shift.

    Forms are classes; hollow blue is the source, filled vermilion the target. TCA's one component runs from left
    to right, the source above the target.
    """
    methods = list(cloud_methods())
    wide, tall = (WIDTH - 2 * MARGIN) / len(methods), 1.75
    with style():
        card = Card(_clouds_finding(trial, shifts), 0.1 + tall * len(shifts) + 0.2)
        for row, shift in enumerate(shifts):
            made, models = fitted(shift, seed)
            for column, (name, model) in enumerate(models.items()):
                axes = card.panel(MARGIN + column * wide, 0.1 + row * tall + 0.2, wide - 0.12, tall - 0.42)
                share = percent(trial.accuracy(shift, name))
                title = f"{'as they are' if name == SOURCE else name}: {share}"
                axes.set_title(title, loc="left", size=9, weight="bold", pad=4)
                _draw(axes, made, model)
                axes.set(xticks=[], yticks=[])
        foot = "○ △ □ classes   hollow, blue: source   filled, red: target   %: right answers on the target"
        card.text(MARGIN / WIDTH, 0.08 / card.get_figheight(), foot, size=8.5, color=FAINT)
        for row, shift in enumerate(shifts):
            top = card.get_figheight() - card.title_height - 0.1 - row * tall
            card.text(MARGIN / WIDTH, top / card.get_figheight(), shift, size=9.5, color=FAINT)
    return card


def _clouds_finding(trial: CloudTrial, shifts: Sequence[str]) -> str:
    told = []
    for shift in shifts:
        methods = [name for name in cloud_methods() if name != SOURCE]
        best = max(methods, key=lambda name, s=shift: trial.accuracy(s, name))
        told.append(f"{shift} {100 * trial.compare(shift, best).difference:+.0f} ({best})")
    return (
        f"What the best alignment brings, in points: {'; '.join(told)} (n = {trial.n} test points, {trial.seeds} "
        "seeds; one draw is shown)"
    )


def _draw(axes, made: TwoDomains, model: FeatureAdapter) -> None:
    for domain, X, y, colour in (
        ("source", made.source, made.labels, BLUE),
        ("target", made.target, made.target_labels, VERMILION),
    ):
        at = model.transform(X, domain)
        if at.shape[1] == 1:  # one component: the height only keeps the domains apart
            height = np.random.default_rng(0).uniform(0.1, 0.9, len(at)) - (domain == "target")
            at = np.stack([at[:, 0], height], 1)
        for c in np.unique(y):
            axes.plot(
                *at[y == c].T, _FORMS[c], markersize=3.2, color=colour, markeredgewidth=0.7,
                markerfacecolor=GROUND if domain == "source" else colour,
            )  # fmt: skip


def same_moments(shift: str = MOVED, seed: int = 0) -> tuple[float, float]:
    """Largest difference of means, and of covariances, between CORAL's moved source and the target."""
    made = clouds(shift, seed)
    moved = CORAL(shrinkage=0).fit(made.source, made.labels, made.target).transform(made.source, "source")
    means = np.abs(moved.mean(0) - made.target.mean(0)).max()
    return float(means), float(np.abs(np.cov(moved.T) - np.cov(made.target.T)).max())
