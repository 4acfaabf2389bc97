"""The work behind the adaptation report: fit every method, choose without target labels, open the test once."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from transferlab.adaptation import (
    DEFAULT_VALIDATOR,
    METHODS,
    Diagnosis,
    DomainPair,
    ImageAdapter,
    summarize,
)
from transferlab.adaptation.study import SOURCE_ONLY, SeedRun, diagnosed, fit_methods, seed_run
from transferlab.backbones import Backbone
from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.reports.adaptation_domains import Domains
from transferlab.reports.adaptation_profiles import AdaptationProfile, get_adaptation_profile, passes
from transferlab.reports.clock import Clock
from transferlab.training.devices import pick_device


@dataclass(frozen=True, eq=False)
class AdaptationPlan:
    """What will be done: domains, methods, seeds."""

    domains: Domains
    pair: DomainPair
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    profile: AdaptationProfile
    device: str


@dataclass(frozen=True)
class Choice:
    """The method that the validator likes best over all seeds; no target label had a part in it.

    scores : method to its score in each seed; better_in : seeds in which the chosen one is above the source-only model
    """

    method: str
    validator: str
    scores: dict[str, tuple[float, ...]]
    better_in: int

    @property
    def seeds(self) -> int:
        return len(self.scores[self.method])

    @property
    def helps(self) -> bool:
        """Whether the validator prefers it to the source-only model in every seed."""
        return self.better_in == self.seeds

    def mean(self, method: str) -> float:
        return float(np.mean(self.scores[method]))


@dataclass(frozen=True, eq=False)
class AdaptationFits:
    """Every method fitted with every seed; the test is still sealed.

    models : of the first seed; train, held : the source as that seed split it
    diagnosis : of the first seed's source-only model, or why there is none
    """

    runs: tuple[SeedRun, ...]
    models: dict[str, ImageAdapter]
    train: ImageSet
    held: ImageSet
    diagnosis: Diagnosis | str
    choice: Choice

    @property
    def chosen(self) -> ImageAdapter:
        """The chosen method of the first seed."""
        return self.models[self.choice.method]

    @property
    def baseline(self) -> ImageAdapter:
        """The source-only model of the first seed."""
        return self.models[SOURCE_ONLY]


@dataclass(frozen=True)
class _Work:
    backbone: Backbone
    cost: float


def make_adaptation_plan(
    domains: Domains,
    *,
    profile: str = "lesson",
    methods: list[str] | None = None,
    seeds: int = 0,
    seed: int = 0,
    device: str = "auto",
) -> AdaptationPlan:
    """Methods, settings and seeds of a profile; ``methods`` and ``seeds`` are the profile's where empty."""
    chosen = get_adaptation_profile(profile)
    unknown = [name for name in methods or () if name not in METHODS]
    if unknown:
        raise UserError(f"there is no method {unknown[0]!r}; choose from {', '.join(METHODS)}.")
    wanted = {SOURCE_ONLY, *(methods or chosen.methods)}
    settings = {"source_epochs": chosen.source_epochs, "epochs": chosen.epochs, "device": device}
    pair = DomainPair(
        f"{domains.source_name} to {domains.target_name}",
        domains.source,
        domains.target,
        domains.test,
        domains.backbone,
        source_held=domains.source_held,
        settings=settings | {"resolution": domains.resolution},
        of_method=chosen.of_method,
    )
    count = seeds or chosen.seeds
    return AdaptationPlan(
        domains,
        pair,
        tuple(name for name in METHODS if name in wanted),
        tuple(range(seed, seed + count)),
        chosen,
        pick_device(device),
    )


def run_adaptation(plan: AdaptationPlan) -> AdaptationFits:
    """Fit everything; an estimate, then progress with time left, a line a fit, go to stderr."""
    n, m = len(plan.pair.source), len(plan.pair.target)
    arms = [_Work(plan.pair.backbone, passes(name, plan.profile, m / n)) for name in plan.methods]
    clock = Clock(arms, [n], [plan.pair.name], len(plan.seeds), plan.device)
    print(clock.announcement, file=sys.stderr, flush=True)
    tell, total = clock.at_budget(0), len(plan.methods) * len(plan.seeds)
    runs, first = [], None
    for turn, seed in enumerate(plan.seeds):

        def done(place: int, name: str, turn=turn) -> None:
            tell(
                turn * len(plan.methods) + place,
                total,
                f"seed {turn + 1} of {len(plan.seeds)}, {name} fitted",
            )

        fitted = fit_methods(plan.pair, seed, plan.methods, done=done)
        runs.append(seed_run(plan.pair, fitted))
        first = first or fitted
    return AdaptationFits(
        tuple(runs), dict(first.models), first.train, first.held, diagnosed(plan.pair, first), choose(runs)
    )


def choose(runs: list[SeedRun], validator: str = DEFAULT_VALIDATOR) -> Choice:
    """The method with the largest mean score over seeds, the first of equals, which is the baseline where it ties.

    Examples
    --------
    >>> run = SeedRun(0, {}, {DEFAULT_VALIDATOR: {"source-only": 1.0, "SHOT": 2.0}}, {}, {})
    >>> choose([run]).method, choose([run]).helps
    ('SHOT', True)
    """
    names = list(runs[0].scores[validator])
    scores = {name: tuple(run.scores[validator][name] for run in runs) for name in names}
    chosen = max(names, key=lambda name: np.mean(scores[name]))
    better = sum(a > b for a, b in zip(scores[chosen], scores[SOURCE_ONLY], strict=True))
    return Choice(chosen, validator, scores, better)


def open_target(plan: AdaptationPlan, fits: AdaptationFits) -> dict | None:
    """The one look at the target's labels, after the choice: accuracies of all methods; None where it has none."""
    return None if plan.pair.test is None else summarize(plan.pair, fits.runs, fits.choice.validator)
