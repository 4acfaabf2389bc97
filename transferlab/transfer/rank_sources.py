"""Rank pretrained networks for a target before anything is trained: one pass of features each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from transferlab.backbones import Backbone, load_backbone
from transferlab.backbones.classifier import own_classifier
from transferlab.data import ImageSet, Task
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache, shared_cache
from transferlab.training.heads import linear_probabilities
from transferlab.transfer.feature_scores import knn_score, linear_probe_score
from transferlab.transfer.h_score import h_score, shrunken_h_score
from transferlab.transfer.label_scores import leep, nce
from transferlab.transfer.logme import logme
from transferlab.transfer.model_files import SavedModel

#: Every score, in the order of tables; the middle two need the source's own classifier.
SCORES = ("linear probe", "kNN", "LogME", "H-score", "shrunken H-score", "NCE", "LEEP")
_OF_FEATURES: dict[str, Callable] = {
    "linear probe": linear_probe_score,
    "kNN": knn_score,
    "LogME": logme,
    "H-score": h_score,
    "shrunken H-score": shrunken_h_score,
}
_GROUPED = ("linear probe", "kNN")


@dataclass(frozen=True)
class RankedSource:
    """One source and what is known of it before training.

    scores : name to value, larger is better, None where undefined; reasons : why, for those
    accuracy : on held-out images of the source, None where not known; seconds : features and scores
    """

    name: str
    parameters: int
    accuracy: float | None
    scores: Mapping[str, float | None]
    reasons: Mapping[str, str]
    seconds: float


@dataclass(frozen=True)
class Ranking:
    """Sources for a target, best first by ``by``; n : labelled images; classes : how many."""

    target: str
    sources: tuple[RankedSource, ...]
    by: str
    n: int
    classes: int

    def order(self, score: str) -> list[str]:
        """Names from best to worst by another score; sources for which it is undefined are left out."""
        known = [s for s in self.sources if s.scores.get(score) is not None]
        return [s.name for s in sorted(known, key=lambda s: -s.scores[score])]

    def table(self):
        """A pandas DataFrame, one row a source; what is undefined is None, never a number."""
        import pandas as pd

        rows = [
            {"source": s.name, **s.scores, "parameters": s.parameters, "source accuracy": s.accuracy,
             "seconds": round(s.seconds, 2)}
            for s in self.sources
        ]  # fmt: skip
        return pd.DataFrame(rows, dtype=object).set_index("source")


def rank_sources(
    sources: Sequence[str | Backbone] | Mapping[str, str | Backbone | SavedModel],
    task: Task | ImageSet,
    scores: Sequence[str] = SCORES,
    *,
    cache: BoundaryCache | None = None,
    device: str = "auto",
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Ranking:
    """Score every source on the target's labelled images; the test is not touched.

    Parameters
    ----------
    sources : names or backbones; or a mapping from a name of yours to a name, a backbone or a saved model,
        whose head is then the source's classifier
    task : its training and validation labels are used, drawn as they are; or a labelled ImageSet
    scores : which of ``SCORES``; the first that any source has orders the ranking
    cache : of activations, one for the process when None; seed : of the probe's folds
    progress : called with each source's name before its turn

    Raises
    ------
    UserError
        for no source, a name twice, an unknown score, no labels or one class only.

    Examples
    --------
    >>> from transferlab import load_task
    >>> found = rank_sources(["zoo-untrained", "zoo-all"], load_task("materials", labels_per_class=5))
    >>> found.sources[0].name, found.n, found.sources[1].scores["LEEP"]
    ('zoo-all', 60, None)
    """
    named = _named(sources)
    unknown = [s for s in scores if s not in SCORES]
    if unknown or not scores:
        raise UserError(f"there is no score {unknown[0] if unknown else ''!r}; use {', '.join(SCORES)}.")
    parts = _labelled_parts(task)
    labels = np.concatenate([part.labels for part in parts])
    groups = None if any(p.groups is None for p in parts) else np.concatenate([p.groups for p in parts])
    if len(np.unique(labels)) < 2:
        raise UserError("sources are ranked on labels of at least two classes; give more labelled images.")
    score = partial(_scored, scores=scores, labels=labels, groups=groups, seed=seed)
    rows = []
    for name, source in named.items():
        if progress:
            progress(name)
        start = time.perf_counter()
        backbone = source.backbone if isinstance(source, SavedModel) else load_backbone(source)
        features = _features(backbone, parts, cache or shared_cache(), device)
        values, reasons = score(features, *_classifier(source, backbone))
        rows.append(
            RankedSource(
                name, sum(stage.parameters for stage in backbone.stages),
                backbone.card.get("validation_top1"), values, reasons, time.perf_counter() - start,
            )
        )  # fmt: skip
    by = next((s for s in scores if any(r.scores[s] is not None for r in rows)), scores[0])
    rows.sort(key=lambda r: (r.scores[by] is None, -(r.scores[by] or 0.0)))
    target = task.name if isinstance(task, Task) else "images"
    return Ranking(target, tuple(rows), by, len(labels), len(np.unique(labels)))


def _named(sources) -> dict[str, object]:
    if isinstance(sources, str | Backbone):
        sources = [sources]
    if isinstance(sources, Mapping):
        named = dict(sources)
    else:
        names = [s.name if isinstance(s, Backbone) else str(s) for s in sources]
        twice = [n for n in names if names.count(n) > 1]
        if twice:
            raise UserError(f"the source {twice[0]!r} is there twice; name each once.")
        named = dict(zip(names, sources, strict=True))
    if not named:
        raise UserError("there is no source to rank; name at least one network.")
    return named


def _labelled_parts(task) -> list[ImageSet]:
    parts = [task.train, task.validation] if isinstance(task, Task) else [task]
    parts = [part for part in parts if part is not None and len(part)]
    if not parts or any(part.labels is None for part in parts):
        raise UserError("the images have no labels, and a ranking needs some; give labelled images.")
    return parts


def _features(backbone: Backbone, parts: list[ImageSet], cache: BoundaryCache, device: str) -> np.ndarray:
    last = len(backbone.stages)
    rows = [cache.activations(backbone, last, part, device=device).all().numpy() for part in parts]
    return np.concatenate(rows)


def _classifier(source, backbone: Backbone):
    """(weight, bias) or None, and why None."""
    if isinstance(source, SavedModel):
        return (source.weight, source.bias), ""
    if backbone.card.get("uses_labels") is False:
        return None, "this source was not trained on labels, so it has no classes of its own"
    found = own_classifier(backbone)
    reason = "" if found else "this network has no linear classifier on its features"
    return found, reason


def _scored(features, classifier, reason, *, scores, labels, groups, seed):
    values, reasons = {}, {}
    answers = None if classifier is None else linear_probabilities(features, *classifier)
    for name in scores:
        settings = {"groups": groups} if name in _GROUPED else {}
        if name == "linear probe":
            settings["seed"] = seed
        try:
            if name in _OF_FEATURES:
                values[name] = _OF_FEATURES[name](features, labels, **settings)
            elif answers is None:
                values[name], reasons[name] = None, reason
            else:
                values[name] = leep(answers, labels) if name == "LEEP" else nce(answers.argmax(1), labels)
        except UserError as error:
            values[name], reasons[name] = None, str(error)
    return values, reasons
