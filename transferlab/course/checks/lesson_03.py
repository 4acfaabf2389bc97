"""What the exercises of lesson 03 accept."""

from __future__ import annotations

import itertools

import numpy as np

from transferlab.course.checks.verdict import Right, Wrong, exercise
from transferlab.widgets.sorter import kind_of

_LEAKS = {"pick the epoch by accuracy on labelled target images", "fine-tune on five labelled target images"}
_FAIR = {
    "take BatchNorm statistics from unlabelled target images",
    "weight source images by how much they look like target images",
    "pick the epoch by accuracy on held-out source images",
}
_PEEK = "try three methods on the target's test labels and report the best"


def _small(said):
    return said.lower() if isinstance(said, str) else said


@exercise(required=True)
def kind(answer):  # noqa: PLR0911
    """A function of source_labels, target_labels, same_task, same_domain, all bool, that names the type."""
    hints = (
        "Ask in this order: is anything different at all? Has the target labels? Has the source labels?",
        "Same task and same domain: 'none'. Else with target labels: 'inductive', wherever the images come from.",
        "Without target labels: 'transductive' where the source has labels, 'unsupervised' where it has none.",
    )
    if not callable(answer):
        return Wrong("This is no function: one word fits one problem only.", hints=hints)
    facts = [f for f in itertools.product((True, False), repeat=4) if kind_of(*f) is not None]
    given = {f: _small(answer(*f)) for f in facts}
    wrong = {f: said for f, said in given.items() if said != kind_of(*f)}
    if not wrong:
        return Right("Labels decide, not how far apart the images look.")
    if any(kind_of(*f) == "none" for f in wrong):
        return Wrong("Where task and domain are the same nothing is transferred: 'none'.", hints=hints)
    if any(said == "transductive" and f[1] for f, said in wrong.items()):
        return Wrong(
            "It says transductive although the target has labels: another domain alone does not make it so.",
            hints=hints,
        )
    if any(said == "unsupervised" and f[0] for f, said in wrong.items()):
        return Wrong(
            "It says unsupervised although the source is labelled: the word is about both sides.", hints=hints
        )
    if any(said == "inductive" and not f[1] for f, said in wrong.items()):
        return Wrong("It says inductive although the target has no labels to learn from.", hints=hints)
    return Wrong(f"It is wrong for {len(wrong)} of {len(facts)} combinations.", hints=hints)


@exercise()
def renormalise(answer):  # noqa: PLR0911
    """A function of target features (N, C) and the source's mean and variance (C,): normalised as AdaBN does."""
    hints = (
        "Which images is BatchNorm to be told about: those it was trained on, or those it meets now?",
        "One mean and one variance for each column, over the target's rows.",
        "(x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)",
    )
    if not callable(answer):
        return Wrong("This is no function.", hints=hints)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 5)) * [1, 2, 3, 4, 5] + [5, 4, 3, 2, 1]
    mean, variance = np.full(5, 1.5), np.full(5, 2.0)
    given = np.asarray(answer(x.copy(), mean, variance), float)
    if given.shape != x.shape:
        return Wrong("As many rows and columns go out as come in.", hints=hints)
    if np.allclose(given, (x - x.mean(0)) / x.std(0), atol=0.03):
        return Right("The target's own mean and variance, a channel each, and not one label.")
    if np.allclose(given, (x - mean) / np.sqrt(variance), atol=0.03):
        return Wrong("These are the source's statistics: nothing is adapted.", hints=hints)
    if np.allclose(given, (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True), atol=0.03):
        return Wrong(
            "This normalises each image by itself, over its channels (layer normalisation).", hints=hints
        )
    if np.allclose(given, (x - x.mean(0)) / x.var(0), atol=0.03):
        return Wrong("It divides by the variance, not by its square root.", hints=hints)
    if np.allclose(given, x - x.mean(0), atol=0.03):
        return Wrong("The mean is gone, but the variance is not one.", hints=hints)
    return Wrong("Each column is to have mean zero and variance one over the target's rows.", hints=hints)


@exercise()
def leaks(answer):
    """Of the six procedures those that break the rules of transductive transfer: a list."""
    given = {said.strip(" -.") for said in ([answer] if isinstance(answer, str) else answer)}
    hints = (
        "In this setting no target label may teach or choose anything.",
        "Two procedures use target labels openly, one does it on the test.",
        "Pixels of the target may be used; so may everything of the source.",
    )
    if given == _LEAKS | {_PEEK}:
        return Right("Choosing is learning: a target label that picks an epoch or a method was used.")
    if given & _FAIR:
        return Wrong(f"This one is fair, it uses no target label: {sorted(given & _FAIR)[0]}.", hints=hints)
    if given == _LEAKS:
        return Wrong("Reporting the best of three on the test lets the test labels choose.", hints=hints)
    if given == {_PEEK, "fine-tune on five labelled target images"}:
        return Wrong(
            "Picking an epoch by target labels is a choice that somebody without labels cannot make.",
            hints=hints,
        )
    if given < _LEAKS | {_PEEK}:
        return Wrong("There are more.", hints=hints)
    return Wrong("Give sentences from the list above, as they stand.", hints=hints)
