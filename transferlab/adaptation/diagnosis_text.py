"""Sentences of a diagnosis: what was seen, what it needs to be believed, and what stays invisible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab.adaptation.domain_distance import DomainDistance
from transferlab.adaptation.label_shift import LabelShift

UNKNOWN_KIND = (
    "Its kind is not known: with a model's answers on both domains label shift could be estimated; covariate shift "
    "cannot be told from concept shift without target labels."
)


def detection(detected: bool, distance: DomainDistance, detectable: float) -> str:
    """Whether the domains differ, by which evidence, and what would have been found."""
    a, n, m = distance.a_distance, distance.n_source, distance.n_target
    credit = " by the maximum mean discrepancy" if distance.mmd.p_value < a.p_value else ""
    told = (
        f"a classifier tells the domains apart with {distance.accuracy:.0%} accuracy on held-out samples, proxy "
        f"A-distance {a.estimate:.2f} ({a.low:.2f} to {a.high:.2f}), p = {distance.p_value:.2g}{credit}, {n} source "
        f"and {m} target samples"
    )
    if detected:
        return f"Shift detected: {told}."
    return (
        f"No shift detected: {told}; with so many samples a distance of {detectable:.2f} is found in 80 % of cases, "
        "and a smaller shift may be there."
    )


def label_shift_sentences(shift: LabelShift, changed: bool, names: Sequence) -> list[str]:
    """Class proportions if p(x | y) is fixed, and what that means for methods that align whole domains."""
    if not changed:
        return ["The model predicts the classes in similar proportions on both domains."]
    c = int(np.abs(shift.proportions - shift.source_proportions).argmax())
    return [
        "If p(x | y) is the same in both domains (label shift), class proportions have changed, most of all those of "
        f"class {names[c]}: {shift.proportions[c]:.0%} of the target ({shift.low[c]:.0%} to {shift.high[c]:.0%}), "
        f"{shift.source_proportions[c]:.0%} of the source.",
        "Methods that make the two domains' features alike as a whole (CORAL, TCA, DAN, DANN, optimal transport) then "
        "mix classes and may harm; compare them with the source-only model, and weight source classes instead.",
    ]


def remainder(left: DomainDistance | None, detectable: float | None, explained: bool | None) -> str:
    """Whether label shift alone may be the cause of a shift that was detected."""
    if left is None:
        return "Too few source samples have the target's proportions to test whether that is all."
    if explained:
        return (
            f"With source classes brought to these proportions no difference is left (p = {left.p_value:.2g}; "
            f"{left.n_source} source samples, a distance of {detectable:.2f} is found in 80 % of cases), so label "
            "shift alone may explain the shift."
        )
    return (
        "With source classes brought to the estimated proportions the domains still differ (proxy A-distance "
        f"{left.a_distance.estimate:.2f}, p = {left.p_value:.2g}), so label shift alone does not explain the shift and "
        "the estimated proportions may be wrong; covariate and concept shift are not told apart without target labels."
    )


def concept(accuracy: float | None, needed: int | None, drop: float) -> str:
    """What target labels alone could tell, and how many it takes."""
    start = "Whether labels mean the same on the target (concept shift) is invisible without target labels"
    if accuracy is None:
        return f"{start}."
    if needed is None:
        return f"{start}; the model's {accuracy:.0%} on the source leave no room for a drop of {100 * drop:.0f} points."
    return (
        f"{start}: {needed} randomly drawn ones would show a drop of {100 * drop:.0f} points from the source's "
        f"{accuracy:.0%} in 80 % of cases, whatever its cause."
    )
