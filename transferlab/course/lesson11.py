"""Experiments of lesson 11 on two dimensions: a network and its domain classifier against each other, step by step."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from transferlab.adaptation.gradient_reversal import (
    DomainDiscriminator,
    domain_loss,
    ramp,
    reverse_gradient,
)
from transferlab.course.compared import compared, points
from transferlab.course.two_domains import TwoDomains, drawn
from transferlab.evaluation import Comparison

TURNED, CUE, OVER = "turned by 40 degrees", "a cue that does not hold", "turned by 130 degrees"
#: What happens to the target, in the order of the lesson.
SHIFTS = (TURNED, CUE, OVER)
_DEGREES = {TURNED: 40.0, OVER: 130.0}
WATCHED, REVERSED = "only watched", "reversed"
#: What the network does with the domain classifier's gradient, and the largest strength of the reversal.
STRENGTHS = {WATCHED: 0.0, REVERSED: 1.0}
STEPS = 600
FRAMES = 13  # pictures of a run, the first before any training
_WIDTH, _RATE, _DECAY = 24, 0.005, 1e-3


@dataclass(frozen=True, eq=False)
class Run:
    """One training, seen at ``steps``.

    steps : the steps after which a picture was taken
    domain_accuracy : how often the domain classifier is right, mean of both domains
    source_accuracy : on the source that was learnt; ``right`` : bool (frames, N) on the target's test
    frames : the network's parameters at each step
    """

    steps: tuple[int, ...]
    domain_accuracy: tuple[float, ...]
    source_accuracy: tuple[float, ...]
    right: np.ndarray
    frames: tuple[dict, ...]


@dataclass(frozen=True, eq=False)
class PlaneTrial:
    """``runs``: (shift, what is done with the gradient) to one run a seed, from ``first_seed`` on."""

    runs: Mapping[tuple[str, str], list[Run]]
    first_seed: int = 0

    @property
    def seeds(self) -> int:
        return len(next(iter(self.runs.values())))

    @property
    def steps(self) -> tuple[int, ...]:
        return next(iter(self.runs.values()))[0].steps

    def correct(self, shift: str, how: str, frame: int = -1) -> np.ndarray:
        """Right answers bool (S, N) on the target's test after a step."""
        return np.stack([run.right[frame] for run in self.runs[shift, how]])

    def domain_accuracy(self, shift: str, how: str, frame: int = -1) -> np.ndarray:
        """How often the domain classifier is right, (S,), a fraction."""
        return np.array([run.domain_accuracy[frame] for run in self.runs[shift, how]])

    def compare(self, shift: str) -> Comparison:
        """Reversed less only watched at the end, with an interval over seeds and points."""
        return compared({how: self.correct(shift, how) for how in STRENGTHS}, REVERSED, WATCHED)

    def gain(self, shift: str) -> list[float]:
        """The same difference in points, for each seed."""
        return points(self.correct(shift, REVERSED), self.correct(shift, WATCHED))

    def blinded(self, shift: str) -> list[float]:
        """By how many points the reversal lowers the domain classifier's accuracy, for each seed."""
        lost = self.domain_accuracy(shift, WATCHED) - self.domain_accuracy(shift, REVERSED)
        return (100 * lost).tolist()


class Player(nn.Module):
    """A body from two numbers to features, a head for classes, a discriminator for domains."""

    def __init__(self, seed: int):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body = nn.Sequential(nn.Linear(2, _WIDTH), nn.Tanh(), nn.Linear(_WIDTH, _WIDTH), nn.Tanh())
            self.head = nn.Linear(_WIDTH, 2)
            self.discriminator = DomainDiscriminator(_WIDTH, _WIDTH)


def plane(shift: str, seed: int, n: int = 200) -> TwoDomains:
    """Two half moons or two clouds of ``n`` points; the target is another draw, changed as ``shift`` says.

    Examples
    --------
    >>> plane("turned by 40 degrees", 0, 20).target.shape
    (20, 2)
    """
    return drawn(_points, shift, seed, n)


def _points(shift: str, target: bool, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    y = rng.integers(0, 2, n)
    side, noise = 2 * y - 1, rng.normal(size=(n, 2))
    if shift == CUE:  # in the source the first number goes with the class, in the target it does not
        across = 2.5 + 1.2 * noise[:, 0] if target else 1.2 * side + 0.6 * noise[:, 0]
        return np.stack([across, 0.8 * side + 0.35 * noise[:, 1]], 1), y
    angle = np.pi * rng.random(n)
    x = np.stack([np.cos(angle), np.sin(angle)], 1) * side[:, None] + np.outer(side, [-0.5, -0.25])
    x = 1.2 * x + 0.12 * noise
    turn = np.deg2rad(_DEGREES[shift] * target)
    return x @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]), y


def trained(made: TwoDomains, how: str, seed: int, steps: int = STEPS) -> Run:
    """One network, trained on the source while a discriminator learns to tell the domains from its features.

    With ``only watched`` no gradient of the discriminator reaches the body: this is training on the source alone.
    """
    player = Player(seed)
    source, target = (torch.from_numpy(x).float() for x in (made.source, made.target))
    labels = torch.from_numpy(made.labels)
    optimizer = torch.optim.AdamW(player.parameters(), lr=_RATE, weight_decay=_DECAY)
    at = tuple(np.linspace(0, steps, FRAMES).round().astype(int).tolist())
    seen: list[tuple[float, float, np.ndarray, dict]] = []
    for step in range(steps + 1):
        if step in at:
            seen.append(_picture(player, made))
        features = player.body(source), player.body(target)
        strength = STRENGTHS[how] * ramp(step / steps)
        logits = [player.discriminator(reverse_gradient(f, strength)) for f in features]
        loss = F.cross_entropy(player.head(features[0]), labels) + domain_loss(*logits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    domains, sources, right, frames = zip(*seen, strict=True)
    return Run(at, domains, sources, np.stack(right), frames)


@torch.no_grad()
def _picture(player: Player, made: TwoDomains) -> tuple[float, float, np.ndarray, dict]:
    source, target, test = (torch.from_numpy(x).float() for x in (made.source, made.target, made.test))
    said = [player.discriminator(player.body(x)) for x in (source, target)]
    told = ((said[0] > 0).float().mean() + (said[1] <= 0).float().mean()) / 2
    known = (player.head(player.body(source)).argmax(1).numpy() == made.labels).mean()
    right = player.head(player.body(test)).argmax(1).numpy() == made.test_labels
    return float(told), float(known), right, copy.deepcopy(player.state_dict())


def player_at(run: Run, frame: int) -> Player:
    """The network as it was at a picture of a run."""
    player = Player(0)
    player.load_state_dict(run.frames[frame])
    return player.eval()


def plane_trial(seeds: Sequence[int], shifts: Sequence[str] = SHIFTS, steps: int = STEPS) -> PlaneTrial:
    """Every shift with points and first weights of its own for each seed, once watched, once reversed."""
    runs: dict[tuple[str, str], list[Run]] = {}
    for shift in shifts:
        for seed in seeds:
            made = plane(shift, seed)
            for how in STRENGTHS:
                runs.setdefault((shift, how), []).append(trained(made, how, seed, steps))
    return PlaneTrial(runs, seeds[0])
