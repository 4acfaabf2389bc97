"""Loops for the query map: both planes, and materials as a projection of their features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transferlab.active import uncertainty
from transferlab.active.learners import HeadLearner
from transferlab.active.rounds import LoopResult
from transferlab.course.lesson15 import (
    BADGE,
    HEAD,
    K_CENTRE,
    MARGIN,
    RANDOM,
    TYPICAL,
    WAYS,
    LoopsTrial,
    drawn,
    features,
    images,
    loops_trial,
    one_loop,
)
from transferlab.course.lesson15_plane import FRAME, PlaneTrial, plane
from transferlab.unsupervised.projection import project

ORDER = (MARGIN, TYPICAL, K_CENTRE, BADGE, RANDOM)
_GRID = 161


def plane_cases(trial: PlaneTrial) -> list[dict]:
    """A loop of the first seed for each strategy of ``trial``; accuracies are of all seeds."""
    made = plane(trial.kind, trial.first_seed)
    places = np.stack(
        [part.ravel() for part in np.meshgrid(*(np.linspace(*ends, _GRID) for ends in FRAME))], 1
    )
    ground = {
        "images": trial.kind, "points": made.points, "frame": FRAME,
        "labels": made.labels.tolist(), "classes": [f"class {c + 1}" for c in range(made.classes)],
        "n": trial.n, "seeds": trial.seeds,
    }  # fmt: skip
    learner = HeadLearner(made.points, places, made.classes, HEAD)
    played = {way: _played(loops[0], learner, trial.first_seed, _GRID) for way, loops in trial.loops.items()}
    accuracies = {way: [trial.spread(way, r) for r in range(len(trial.asked))] for way in played}
    return _cases(ground, played, accuracies)


def image_cases(trial: LoopsTrial, seed: int, backbone: str = "tiny") -> list[dict]:
    """The same for a set of images on a projection of their features."""
    seen, places = images(trial.images), drawn(trial.images, seed)
    table = features(trial.images, backbone)[0][places]
    points = project("t-sne", table, seed=0)
    room = 0.04 * np.ptp(points, axis=0)
    ground = {
        "images": trial.images, "points": points,
        "frame": tuple(zip((points.min(0) - room).tolist(), (points.max(0) + room).tolist(), strict=True)),
        "labels": seen.labels[places].tolist(), "classes": list(seen.classes), "n": trial.n, "seeds": trial.seeds,
    }  # fmt: skip
    learner, played = HeadLearner(table, table[:1], trial.classes, HEAD), {}
    for way in trial.correct:
        batches = np.diff([0, *trial.budgets]).tolist()
        played[way] = _played(
            one_loop(trial.images, WAYS[way], seed, batches, backbone=backbone), learner, seed
        )
    return _cases(ground, played, {w: [trial.spread(w, b) for b in trial.budgets] for w in played})


def _cases(ground: Mapping, played: Mapping[str, Mapping], accuracies: Mapping[str, Sequence]) -> list[dict]:
    rival = {"rival": RANDOM, "rival_accuracy": accuracies[RANDOM]}
    return [
        {**ground, **played[way], **rival, "strategy": way, "accuracy": accuracies[way]}
        for way in ORDER
        if way in played
    ]


def _played(loop: LoopResult, learner: HeadLearner, seed: int, grid: int = 0) -> dict:
    """What a loop asked, and what the model answered after each of its rounds; borders where there is a grid."""
    unsure, borders, given = [], [], []
    for played in loop.rounds:
        given += [q.answer for q in loop.queries if q.round == played.number]
        if played.classes_seen < 2:
            unsure.append(np.ones(len(learner.start_features)))
            borders.append(np.zeros((grid, grid), np.int8))
            continue
        fit = learner([a.position for a in given], [a.label for a in given], seed)
        unsure.append(uncertainty.margin(fit.pool))
        borders.append(fit.unseen.argmax(1).astype(np.int8).reshape(grid, grid) if grid else None)
    return {
        "batches": [r.positions.tolist() for r in loop.rounds], "unsure": unsure, "borders": borders if grid else None
    }  # fmt: skip


def cases(planes: Sequence[PlaneTrial], seeds: Sequence[int], backbone: str = "tiny") -> list[dict]:
    """Every plane and materials, for :mod:`transferlab.widgets.query_map`."""
    found = [case for trial in planes for case in plane_cases(trial)]
    trial = loops_trial("materials", ORDER, seeds, backbone=backbone, budgets=range(1, 7))
    return found + image_cases(trial, seeds[0], backbone)
