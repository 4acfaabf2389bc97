"""Lesson 15 on one's own images: what three strategies bring on them, and some images to label oneself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from transferlab import load_backbone
from transferlab.active import HiddenLabels, LabelFile, query, run_loop
from transferlab.active.arms import StudyImages, study_images
from transferlab.active.learners import HeadLearner
from transferlab.active.rounds import open_loops
from transferlab.course.compared import over_seeds, points
from transferlab.course.lesson15 import HEAD, MARGIN, RANDOM, TYPICAL, WAYS
from transferlab.data import Task
from transferlab.viz import Card, captioned
from transferlab.viz.words import count
from transferlab.widgets.label_images import LabelImages

_WAYS = (RANDOM, TYPICAL, MARGIN)
_MOST = 600  # images of the pool
_BUDGETS = (2, 5)  # labels a class, on average


def own_lines(task: Task, backbone: str, seed: int = 0, seeds: int = 5) -> list[str]:
    """Points over random on the task's test, with two and with five labels a class, as far as the pool goes."""
    made = study_images(task)
    pool = made.pool[np.random.default_rng(seed).permutation(len(made.pool))[:_MOST]]
    net, classes = load_backbone(backbone), len(pool.classes)
    tables = net.features(pool.images), net.features(task.test.images)
    budgets = [classes * b for b in _BUDGETS if classes * b <= len(pool)] or [len(pool)]
    batches = np.diff([0, min(classes, budgets[0] - 1), *budgets]).tolist()
    loops = {
        f"{way}, seed {s}": run_loop(
            HeadLearner(*tables, classes, HEAD), HiddenLabels(pool.labels, classes=classes), batches,
            strategy=WAYS[way].strategy, first=WAYS[way].first, seed=s,
        )
        for way in _WAYS
        for s in range(seed, seed + seeds)
    }  # fmt: skip
    right = open_loops(loops, task.test)
    lines = [
        f"{task.name}: a pool of {len(pool)}, n = {count(len(task.test), 'test image')}, {count(seeds, 'seed')}"
    ]
    for place, budget in enumerate(budgets, 1):
        tables_of = {
            w: np.stack([right[f"{w}, seed {s}"][place] for s in range(seed, seed + seeds)]) for w in _WAYS
        }
        told = [f"{RANDOM} {100 * tables_of[RANDOM].mean():.0f} %"]
        for way in _WAYS[1:]:
            middle, low, high = over_seeds(points(tables_of[way], tables_of[RANDOM]))
            told.append(f"{way} {middle:+.0f} points ({low:+.0f} to {high:+.0f})")
        lines.append(f"with {budget} labels: {', '.join(told)}")
    return lines


def to_label(task: Task, backbone: str, n: int = 8, path: str = "labels/15.csv") -> tuple[LabelImages, Card]:
    """A view in which a person labels ``n`` typical images of the task, and a picture of them for where none runs.

    Answers are kept in ``path``. After the last one the view says how many agree with the labels of the set.
    """
    made = study_images(task)
    n = min(n, len(made.pool))
    asked = query("typiclust", features=load_backbone(backbone).features(made.pool.images), n=n)
    some = made.pool[asked]
    names = [f"image {position}" for position in asked]
    view = LabelImages(
        some.images, LabelFile(path, list(some.classes)), names=names, round_size=n,
        on_round=_agreement(dict(zip(names, np.array(some.classes)[some.labels].tolist(), strict=True))),
    )  # fmt: skip
    return view, _sheet(some, task.name, made)


def _agreement(truth: Mapping[str, str]) -> Callable[[dict[str, str], Collection[str]], str]:
    def said(labels: dict[str, str], _past: Collection[str]) -> str:
        same = sum(truth[name] == label for name, label in labels.items())
        return f"{same} of {count(len(labels), 'label')} agree with those of the set."

    return said


def _sheet(some, name: str, made: StudyImages) -> Card:
    finding = (
        f"{count(len(some), 'image')} of {name} that are typical of the pool (n = {len(made.pool)} images)"
    )
    return captioned(some.images, [[f"question {place}"] for place in range(1, len(some) + 1)], finding)
