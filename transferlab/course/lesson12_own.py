"""Lesson 12 on one's own images: clusters without labels, scored by the labels that the task happens to have."""

from __future__ import annotations

from transferlab.course.lesson12 import METHOD, PIXELS, SSL
from transferlab.data import Task
from transferlab.unsupervised import side_by_side

_MOST = 20  # labels a class that score the clusters


def own_lines(task: Task, backbone: str, seed: int = 0, device: str = "cpu") -> list[str]:
    """ARI of clusters by pixels, by self-supervised and by supervised features, on the task's labelled images."""
    drawn = task.draw(min(_MOST, task.labels_available), seed).train
    names = list(dict.fromkeys((PIXELS, SSL, backbone)))
    found = side_by_side(
        drawn, len(task.classes), features=names, method=METHOD, seeds=3, draws=200, device=device
    )
    lines = [f"{task.name}, {len(task.classes)} clusters of n = {found.n} images:"]
    for row in found.rows:
        ends = f"95 % interval {row.ari.low:.2f} to {row.ari.high:.2f}"
        lines.append(f"{row.features:10} ARI {row.ari.estimate:.2f} ({ends})  {row.note}".rstrip())
    return lines
