"""Cases of the embedding morph: alignment by degrees, with the accuracy that each degree reaches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab.adaptation.base import default_classifier
from transferlab.course.compared import spread
from transferlab.course.lesson10 import BY_MOMENTS, BY_PLAN
from transferlab.course.lesson10_features import LETTERS, MATERIALS, Domains, domains, methods
from transferlab.data.bundled import load_bundled
from transferlab.evaluation import paired_difference

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
_SHOWN = 60  # points of each domain


def morph_trial(d: Domains, method: str) -> tuple[np.ndarray, np.ndarray]:
    """The aligned source (N, D), and right answers bool (strengths, M) on the test.

    At strength t a source sample stands at (1 - t) x + t x′, x′ being where the method moves it.
    """
    model = methods()[method].fit(d.source.features, d.source.labels, d.target.features)
    aligned = model.transform(d.source.features, domain="source")
    right = []
    for t in STRENGTHS:
        moved = (1 - t) * d.source.features + t * aligned
        answers = default_classifier().fit(moved, d.source.labels).predict(d.test.features)
        right.append(answers == d.test.labels)
    return aligned, np.stack(right)


def cases(
    pairs: Sequence[str],
    seeds: Sequence[int],
    kinds: Sequence[str] = (BY_MOMENTS, BY_PLAN),
    backbone: str = "tiny",
) -> list[dict]:
    """One case a pair and method for :mod:`transferlab.widgets.embedding_morph`; points are those of the first seed.

    TCA is left out: it moves both domains into a space of its own, so there is nothing between before and after.
    """
    return [_case(pair, kind, seeds, backbone) for pair in pairs for kind in kinds]


def _case(pair: str, method: str, seeds: Sequence[int], backbone: str) -> dict:
    draws = [domains(pair, seed, backbone) for seed in seeds]
    found = [morph_trial(d, method) for d in draws]
    first, aligned = draws[0], found[0][0]
    tables = [np.stack([right[i] for _, right in found]) for i in range(len(STRENGTHS))]
    groups = first.test.groups
    gains = [paired_difference(table, tables[0], groups) for table in tables]
    return {
        "pair": pair, "method": method, "strengths": list(STRENGTHS), "classes": _names(pair),
        "source": first.source.features[:_SHOWN], "aligned": aligned[:_SHOWN],
        "target": first.target.features[:_SHOWN],
        "source_labels": first.source.labels[:_SHOWN].tolist(),
        "target_labels": first.target.labels[:_SHOWN].tolist(),
        "accuracy": [list(spread(table, groups)) for table in tables],
        "gain": [[g.difference, g.low, g.high] for g in gains],
        "n": tables[0].shape[1], "seeds": len(seeds),
    }  # fmt: skip


def _names(pair: str) -> list[str]:
    name = "letters" if pair == LETTERS else "materials" if pair == MATERIALS else "digits"
    return list(load_bundled(name).development.classes)
