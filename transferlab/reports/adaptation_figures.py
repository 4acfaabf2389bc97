"""The figures of an adaptation report; every title states a finding with its n."""

from __future__ import annotations

import numpy as np

from transferlab import viz
from transferlab.adaptation.study import SOURCE_ONLY
from transferlab.data import ImageSet
from transferlab.reports.adaptation_look import Disagreements, Embedded
from transferlab.reports.adaptation_study import AdaptationFits, AdaptationPlan
from transferlab.viz import Card
from transferlab.viz.dot_panels import Spread
from transferlab.viz.embeddings import embeddings
from transferlab.viz.words import count, in_line

_SHOWN = 8
_MOST = 12


def domain_pictures(plan: AdaptationPlan) -> list[Card]:
    """Some images of either domain; those of the target without a class."""
    source, target = plan.pair.source, plan.pair.target
    some = _spread_over_classes(source)
    names = [(in_line(source.classes[c]),) for c in source.labels[some]]
    few = np.sort(np.random.default_rng(0).permutation(len(target))[:_SHOWN])
    where = [in_line(name) for name in (plan.domains.source_name, plan.domains.target_name)]
    return [
        viz.captioned(
            source.images[some],
            names,
            f"Source ({where[0]}): {len(some)} of {count(len(source), 'labelled image')}",
            columns=_SHOWN,
        ),
        viz.captioned(
            target.images[few],
            [("",)] * len(few),
            f"Target ({where[1]}): {len(few)} of {count(len(target), 'image')}, without labels",
            columns=_SHOWN,
        ),
    ]


def _spread_over_classes(images: ImageSet) -> np.ndarray:
    """One image a class, of classes at equal distances through the list."""
    classes = np.unique(images.labels)
    shown = classes[np.linspace(0, len(classes) - 1, min(_SHOWN, len(classes))).round().astype(int)]
    return np.array([np.flatnonzero(images.labels == c)[0] for c in shown])


def scores_card(plan: AdaptationPlan, fits: AdaptationFits) -> Card:
    """The validator's score of every method over seeds, as a share of the largest that is possible."""
    choice = fits.choice
    most = np.log(len(plan.domains.classes))  # of information maximization: sure answers, all classes alike
    order = sorted(choice.scores, key=lambda name: -choice.mean(name))
    shares = {name: _spread([max(0.0, s) / most for s in choice.scores[name]]) for name in order}
    seeds = count(len(plan.seeds), "seed")
    n = count(len(plan.pair.target), "target image")
    best, base = (viz.percent(shares[name][0]) for name in (choice.method, SOURCE_ONLY))
    finding = (
        f"Without one target label the validator takes {choice.method}: {best} of the largest score there is, "
        f"source-only {base} (n = {n}, {seeds})"
    )
    if choice.method == SOURCE_ONLY:
        finding = f"The validator finds no method better than source-only, {base} (n = {n}, {seeds})"
    foot = f"{choice.validator}, mean of seeds; bars: least to greatest seed"
    return viz.dot_panels(
        {"score, in per cent of its largest value": shares}, finding, foot=foot, hollow=(SOURCE_ONLY,)
    )


def _spread(values: list[float]) -> Spread:
    return float(np.mean(values)), min(values), max(values)


def opened_card(plan: AdaptationPlan, fits: AdaptationFits, opened: dict) -> Card:
    """Accuracy of every method on the target's labels, which chose nothing."""
    rows, chosen = opened["methods"], fits.choice.method
    order = sorted(rows, key=lambda name: -rows[name]["estimate"])
    spreads = {name: tuple(rows[name][k] for k in ("estimate", "low", "high")) for name in order}
    n = f"n = {count(opened['n_test'], 'target test image')}, {count(len(plan.seeds), 'seed')}"
    said = viz.percent
    reached = f"{viz.sentence(chosen)}, chosen without labels, reaches {said(rows[chosen]['estimate'])}"
    base = "" if chosen == SOURCE_ONLY else f", source-only {said(rows[SOURCE_ONLY]['estimate'])}"
    best = f"the best method, {order[0]}, {said(rows[order[0]]['estimate'])}"
    finding = f"{reached}{base}; {'no other method more' if order[0] == chosen else best} ({n})"
    return viz.dot_panels(
        {"accuracy on the target's labels": spreads},
        finding,
        foot="bars: 95 % interval over seeds and images",
        hollow=(SOURCE_ONLY,),
        chance=1 / len(plan.domains.classes),
    )


def embeddings_card(plan: AdaptationPlan, found: dict[str, Embedded]) -> Card:
    """Features of the two domains by the source-only model, and beside it by the chosen one."""
    first, last = next(iter(found.values())), list(found.values())[-1]
    n = f"n = {first.n_source} source and {first.n_target} target images, first seed"
    if first.told_apart is None or last.told_apart is None:
        finding = f"Features of both domains on a plane ({n})"
    elif len(found) == 1:
        finding = (
            f"By the source-only model's features a classifier tells the domains apart in "
            f"{viz.percent(first.told_apart)} of held-out images, 50 % is chance ({n})"
        )
    else:
        finding = (
            f"A classifier tells the domains apart in {viz.percent(first.told_apart)} of held-out images by the "
            f"source-only model's features, in {viz.percent(last.told_apart)} after {list(found)[-1]}; 50 % is "
            f"chance ({n})"
        )
    planes = {name: e.plane for name, e in found.items()}
    foot = f"{first.by} of each panel; classes stand at the median of their source images"
    return embeddings(planes, [in_line(c) for c in plan.domains.classes], finding, foot=foot)


def disagreement_card(plan: AdaptationPlan, fits: AdaptationFits, found: Disagreements) -> Card:
    """The target images on which the chosen method is surest that the source-only model is wrong."""
    method, names = fits.choice.method, [in_line(c) for c in plan.domains.classes]
    n = f"n = {count(found.n, 'target image')}, first seed"
    if method == SOURCE_ONLY:
        return Card(f"Source-only was chosen, so there is nothing to disagree with ({n})", 0.1)
    if not len(found.index):
        return Card(f"{method} and source-only agree on every image ({n})", 0.1)
    captions = [
        (f"{method}, {viz.percent(p)}: {names[a]}", f"source-only, {viz.percent(q)}: {names[b]}")
        for a, b, p, q in zip(
            found.chosen, found.baseline, found.confidence, found.baseline_confidence, strict=True
        )
    ][:_MOST]
    which = "the surest" if len(found.index) <= len(captions) else f"the surest {len(captions)} are shown"
    finding = (
        f"{method} and source-only disagree on {viz.percent(found.share)} of images ({len(found.index):,} of "
        f"{n}); {which}, first {names[found.chosen[0]]} at {viz.percent(found.confidence[0])}"
    )
    return viz.captioned(plan.pair.target.images[found.index[:_MOST]], captions, finding)
