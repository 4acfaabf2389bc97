"""Cases of the domain replay: what a stored training looked like at each of its pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from transferlab.course.compared import over_seeds, spread
from transferlab.course.lesson11 import PlaneTrial, Run, plane, player_at
from transferlab.course.lesson11_cards import field, frame_of
from transferlab.course.two_domains import TwoDomains

_GRID = 41


def cases(trial: PlaneTrial, shifts: Sequence[str] | None = None) -> list[dict]:
    """One case a shift and treatment of the gradient for :mod:`transferlab.widgets.domain_replay`.

    Points and borders are those of the first seed, ``trial`` being of seeds from 0 on; accuracies are of all.
    """
    return [_case(trial, shift, how) for shift, how in trial.runs if shifts is None or shift in shifts]


def _case(trial: PlaneTrial, shift: str, how: str) -> dict:
    run, seed = trial.runs[shift, how][0], trial.first_seed
    made, frames = plane(shift, seed), range(len(trial.steps))
    scores = [_scores(run, frame, made) for frame in frames]
    return {
        "shift": shift, "how": how, "steps": list(trial.steps), "frame": frame_of(made),
        "field": [field(run, frame, frame_of(made), _GRID) for frame in frames],
        "source": made.source, "target": made.target,
        "source_labels": made.labels.tolist(), "target_labels": made.target_labels.tolist(),
        "source_scores": [s for s, _ in scores], "target_scores": [t for _, t in scores],
        "domain_accuracy": [over_seeds(trial.domain_accuracy(shift, how, frame)) for frame in frames],
        "accuracy": [spread(trial.correct(shift, how, frame)) for frame in frames],
        "n": trial.correct(shift, how).shape[1], "seeds": trial.seeds,
    }  # fmt: skip


@torch.no_grad()
def _scores(run: Run, frame: int, made: TwoDomains) -> list[np.ndarray]:
    """(class score, domain score) of every point of both domains, float (N, 2)."""
    player, found = player_at(run, frame), []
    for X in (made.source, made.target):
        features = player.body(torch.from_numpy(X).float())
        logits = player.head(features)
        found.append(torch.stack([logits[:, 1] - logits[:, 0], player.discriminator(features)], 1).numpy())
    return found
