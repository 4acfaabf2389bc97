"""Experiments of lesson 03: printed to handwritten digits, by which labels and images a method may see."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from transferlab import viz
from transferlab.course.compared import points, said, spread
from transferlab.course.glyph_transfer import SIDE, fonts, sealed_task, train_on, untrained
from transferlab.data import ImageSet, SealedTest, Task
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.evaluation import Comparison, evaluate, paired_difference
from transferlab.transfer import FeatureExtraction, FineTuning, FromScratch, RandomFrozen, SavedModel
from transferlab.viz import percent
from transferlab.widgets.sorter import Scenario

SOURCE_ONLY, STATISTICS = "source only", "target statistics"
PIXELS, SCRATCH = "target only: pixels", "target only: network"
FROZEN, TUNED, POOLED = "frozen + new head", "fine-tuned", "pooled"
WITHOUT_LABELS = (SOURCE_ONLY, STATISTICS)
TARGET_ONLY = (PIXELS, SCRATCH)
#: (source images with labels, target images without labels, target images with labels, type of transfer)
MAY_SEE = {
    SOURCE_ONLY: ("yes", "no", "no", "none: nothing is adapted"),
    STATISTICS: ("yes", "yes", "no", "transductive"),
    PIXELS: ("no", "no", "yes", "none: no source"),
    SCRATCH: ("no", "no", "yes", "none: no source"),
    FROZEN: ("yes", "no", "yes", "inductive"),
    TUNED: ("yes", "no", "yes", "inductive"),
    POOLED: ("yes", "no", "yes", "inductive"),
}


@dataclass(frozen=True)
class Table:
    """Rows of text under a head; shows itself in a notebook and as plain text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self):
        return "\n".join(" | ".join(row) for row in (self.head, *self.rows))

    def _repr_html_(self) -> str:
        from html import escape

        def line(cells, tag):
            look = "text-align: left; vertical-align: top; white-space: normal; max-width: 22em"
            return "<tr>" + "".join(f'<{tag} style="{look}">{escape(c)}</{tag}>' for c in cells) + "</tr>"

        body = "".join(line(row, "td") for row in self.rows)
        return f"<table><thead>{line(self.head, 'th')}</thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True, eq=False)
class MapTrial:
    """Right answers on handwritten digits of every method with every label budget: bool (S, N)."""

    correct: Mapping[tuple[str, int], np.ndarray]
    budgets: tuple[int, ...]

    @property
    def n(self) -> int:
        return next(iter(self.correct.values())).shape[1]

    @property
    def seeds(self) -> int:
        return len(next(iter(self.correct.values())))

    def accuracy(self, method: str, budget: int = 0) -> float:
        return float(self.correct[method, budget].mean())

    def points(self, a: tuple[str, int], b: tuple[str, int]) -> list[float]:
        """Accuracy of ``a`` less that of ``b``, each a method and a label budget, in points for each seed."""
        return points(self.correct[a], self.correct[b])

    def compare(self, a: tuple[str, int], b: tuple[str, int]) -> Comparison:
        """The same with an interval over seeds and images."""
        found = paired_difference(self.correct[a], self.correct[b])
        return replace(found, a=_named(*a), b=_named(*b))

    def best(self, methods: Sequence[str], budget: int) -> str:
        """Which of ``methods`` reaches most with a budget, mean over seeds."""
        return max(methods, key=lambda m: self.accuracy(m, budget))


def _named(method: str, budget: int) -> str:
    return f"{method} with {budget} label{'s' if budget > 1 else ''} a class" if budget else method


def source_images() -> ImageSet:
    """Printed digits of every second font for development."""
    return fonts("printed-digits", 0)


@cache
def target_task() -> Task:
    """Handwritten digits, enlarged to the size of the printed ones; the development part gives labels."""
    data = load_bundled("digits")
    return sealed_task("handwritten digits", _enlarged(data.development), _enlarged(data.test))


def _enlarged(images: ImageSet) -> ImageSet:
    pixels = torch.from_numpy(images.images).float()
    grown = F.interpolate(pixels, size=(SIDE, SIDE), mode="bilinear", antialias=True)
    return replace(images, images=grown.round().clamp(0, 255).to(torch.uint8).numpy())


def glimpse() -> viz.Card:
    """Printed and handwritten digits, a row for each class and domain."""
    parts = {"source": source_images(), "target": target_task().train}
    picked = {name: p[np.isin(p.labels, (1, 4, 7))] for name, p in parts.items()}
    images = np.concatenate([p.images for p in picked.values()])
    places = [np.searchsorted((1, 4, 7), p.labels) for p in picked.values()]
    names = tuple(f"{name}: {digit}" for name in picked for digit in (1, 4, 7))
    return viz.examples(images, np.concatenate([places[0], places[1] + 3]), names, per_class=6)


def train_source(seed: int, epochs: int = 12, device: str = "auto") -> SavedModel:
    """A network that was trained on the printed digits, from scratch."""
    return train_on(source_images(), seed, epochs, device)


def with_target_statistics(model: SavedModel, images: np.ndarray, batch_size: int = 64) -> SavedModel:
    """The same weights with BatchNorm's statistics of unlabelled ``images`` (AdaBN, Li et al. 2017)."""
    if not len(images):
        raise UserError("target statistics need unlabelled images, and there are none: draw fewer labels.")
    body = model.backbone.trainable_copy(0)
    for part in body.modules():
        if isinstance(part, _BatchNorm):
            part.reset_running_stats()
            part.momentum = None  # the plain mean over batches
    with torch.no_grad():
        for i in range(0, len(images), batch_size):
            body(model.backbone.preprocess(images[i : i + batch_size]))
    return replace(model, backbone=model.backbone.with_trained(0, body))


@dataclass(frozen=True)
class _Answers:
    """Probabilities (N, K) that wait for the seal to be opened."""

    answers: np.ndarray

    def predict_proba(self, images) -> np.ndarray:
        return self.answers


def map_trial(
    sources: Sequence[SavedModel],
    *,
    budgets: Sequence[int] = (1, 5, 10),
    epochs: int = 20,
    pooled_epochs: int = 12,
    device: str = "auto",
    seed: int = 0,
) -> MapTrial:
    """Every method with every label budget, from each source with a label draw of its own; one look at the test."""
    task = target_task()
    unseen = task.test.image_set
    test = SealedTest(load_bundled("digits").test, printing=False)
    answers = {}
    for i, source in enumerate(sources):
        own, pool = seed + i, task.draw(max(budgets), seed + i).unlabelled.images
        answers[SOURCE_ONLY, 0, i] = source.predict_proba(unseen, device)
        answers[STATISTICS, 0, i] = with_target_statistics(source, pool).predict_proba(unseen, device)
        for k in budgets:
            images, labels = _drawn(task, k, own)
            arms = _arms(source, epochs, device, own)
            fitted = {name: arm.fit(images, labels) for name, arm in arms.items()}
            fitted[POOLED] = _pooled(images, labels, pooled_epochs, device, own)
            answers |= {(name, k, i): model.predict_proba(unseen.images) for name, model in fitted.items()}
    scores = test.score({key: _Answers(found) for key, found in answers.items()})
    right = {key: found.argmax(1) == scores.truth for key, found in scores.probabilities.items()}
    pairs = dict.fromkeys((name, k) for name, k, _ in right)
    correct = {(n, k): np.stack([right[n, k, i] for i in range(len(sources))]) for n, k in pairs}
    return MapTrial(correct, tuple(budgets))


def _drawn(task: Task, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """All ``k`` labels a class to train on: no method here needs validation."""
    drawn = task.draw(k, seed)
    parts = [drawn.train] + ([drawn.validation] if drawn.validation is not None else [])
    return np.concatenate([p.images for p in parts]), np.concatenate([p.labels for p in parts])


def _arms(source: SavedModel, epochs: int, device: str, seed: int) -> dict:
    common = {"device": device, "random_state": seed}
    return {
        PIXELS: FeatureExtraction("pixels", **common),
        SCRATCH: FromScratch(
            untrained(seed), epochs=2 * epochs, batch_size=16, learning_rate=2e-3, patience=None, **common
        ),
        FROZEN: FeatureExtraction(source.backbone, **common),
        TUNED: FineTuning(source.backbone, epochs=epochs, learning_rate=1e-3, patience=None, **common),
    }


def _pooled(images, labels, epochs: int, device: str, seed: int) -> FromScratch:
    """Source and target images in one set, trained on from scratch."""
    source = source_images()
    arm = FromScratch(
        untrained(seed), epochs=epochs, learning_rate=2e-3, patience=None, device=device, random_state=seed
    )
    return arm.fit(np.concatenate([source.images, images]), np.concatenate([source.labels, labels]))


def may_see() -> Table:
    """What each method may see, and which type of transfer that makes it."""
    head = ("method", "source, labelled", "target, unlabelled", "target, labelled", "type")
    return Table(head, tuple((name, *cells) for name, cells in MAY_SEE.items()))


def map_card(trial: MapTrial) -> viz.Card:
    """Accuracy of every method, a panel for each label budget; methods without target labels are hollow."""
    few, many = trial.budgets[0], trial.budgets[-1]
    rows = list(MAY_SEE)
    best = {k: trial.best([r for r in rows if r not in WITHOUT_LABELS], k) for k in (few, many)}
    zero = trial.best(WITHOUT_LABELS, 0)
    finding = (
        f"Handwritten digits without a target label: {percent(trial.accuracy(zero))} at best ({zero}); with "
        f"{few} a class {percent(trial.accuracy(best[few], few))} ({best[few]}), with {many} "
        f"{percent(trial.accuracy(best[many], many))} ({best[many]}; n = {trial.n} test images, "
        f"{trial.seeds} seeds)"
    )
    panels = {
        f"{k} label{'s' if k > 1 else ''} a class": {
            row: spread(trial.correct[row, 0 if row in WITHOUT_LABELS else k]) for row in rows
        }
        for k in trial.budgets
    }
    foot = "test accuracy; bar: 95 % interval; hollow: no target labels"
    return viz.dot_panels(panels, finding, foot=foot, hollow=WITHOUT_LABELS, chance=0.1)


@cache
def scenarios() -> tuple[Scenario, ...]:
    """The scenarios to sort, from ``questions/03_scenarios.toml``."""
    path = Path(__file__).with_name("questions") / "03_scenarios.toml"
    stored = tomllib.loads(path.read_text(encoding="utf-8"))["scenario"]
    return tuple(Scenario(**each) for each in stored)


def sayings(trial: MapTrial) -> Table:
    """What popular articles say, what is meant (Pan and Yang 2010), and what this run measured."""
    few, many = trial.budgets[0], trial.budgets[-1]

    def at(method: str, k: int = 0) -> str:
        return f"{_named(method, k)} {percent(trial.accuracy(method, k))}"

    def gap(a: tuple[str, int], b: tuple[str, int]) -> str:
        c = trial.compare(a, b)
        return (
            f"{c.a} less {c.b}: {100 * c.difference:+.0f} points ({100 * c.low:+.0f} to {100 * c.high:+.0f})"
        )

    rows = (
        ("Transductive transfer means another input space.",
         "One task; labels in the source alone; domains differ in features or in how often each look occurs.",
         f"Same image size, same ten names, another look: {at(SOURCE_ONLY)}; {gap((STATISTICS, 0), (SOURCE_ONLY, 0))}"),
        ("Inductive transfer is for unrelated domains.",
         "The target has labels, and they teach its task. The domains may even be the same.",
         f"{at(FROZEN, few)}, {at(FROZEN, many)}: the labels do it, the domains stay as they are"),
        ("Unsupervised transfer: the target has no labels.",
         "Neither side has labels; clusters or density are wanted, not names.",
         f"{at(SOURCE_ONLY)} with {len(source_images()):,} source labels and no target label: not unsupervised"),
        ("Negative transfer: worse on the target than on the source.",
         "Worse on the target than without the source, which got no less effort.",
         f"{gap((SOURCE_ONLY, 0), (SCRATCH, many))}; {gap((TUNED, many), (SCRATCH, many))}"),
        ("Transfer learning is fine-tuning.",
         "Fine-tuning is one way to carry something over; frozen features and pooled images are others.",
         f"{gap((TUNED, many), (FROZEN, many))}; {gap((TUNED, many), (POOLED, many))}"),
    )  # fmt: skip
    return Table(
        ("what popular articles say", "what is meant", "what this run measured (95 % interval)"), rows
    )


def own_lines(task: Task, backbone: str, seeds: Sequence[int], device: str = "auto") -> list[str]:
    """Inductive transfer on one's own images: frozen features against the same network untrained, and pixels."""
    arms = {
        "raw pixels": FeatureExtraction("pixels", device=device),
        "untrained": RandomFrozen(backbone, device=device),
        "pretrained": FeatureExtraction(backbone, device=device),
    }
    k = min(5, task.labels_available)
    found = evaluate(arms, task, seeds, labels_per_class=k)
    head = f"{task.name}, {k} label{'s' if k > 1 else ''} a class"
    return [said(found.compare("pretrained", rival), head) for rival in ("untrained", "raw pixels")]
