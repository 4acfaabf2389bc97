"""What can be said of a shift between domains without target labels, and what cannot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transferlab.adaptation import diagnosis_text as text
from transferlab.adaptation.domain_distance import (
    FEWEST,
    DomainDistance,
    detectable_distance,
    domain_distance,
)
from transferlab.adaptation.domains import two_domains
from transferlab.adaptation.label_shift import LabelShift, bbse
from transferlab.adaptation.probabilities import label_codes, probability_table
from transferlab.adaptation.sample_size import labels_to_show_drop
from transferlab.errors import UserError

_OF_LABEL_SHIFT = (
    "label_shift",
    "proportions_changed",
    "remaining",
    "remaining_detectable",
    "explained_by_label_shift",
)


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What held-out samples show of a shift, in numbers and in sentences.

    detected : whether the domains differ, p at or below ``level``
    distance : the distances and their tests; detectable : proxy A-distance that would have been found in 80 % of cases
    label_shift : class proportions under the assumption of label shift; None without answers, or where refused
    proportions_changed : whether predictions are distributed otherwise on the target; None without ``label_shift``
    remaining : distances after the source was brought to the target's proportions; None where not computed
    remaining_detectable : as ``detectable``, of the samples that were left then
    explained_by_label_shift : whether nothing is left, so that label shift alone may be the cause; None if unknown
    source_accuracy : of the model on the held-out source; None without answers
    labels_needed : target labels that would show a ``drop`` of accuracy from it; None without answers
    sentences : all of this for people
    """

    detected: bool
    distance: DomainDistance
    detectable: float
    level: float
    label_shift: LabelShift | None
    proportions_changed: bool | None
    remaining: DomainDistance | None
    remaining_detectable: float | None
    explained_by_label_shift: bool | None
    source_accuracy: float | None
    labels_needed: int | None
    drop: float
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """All sentences as one paragraph."""
        return " ".join(self.sentences)


def diagnose(
    X_source_heldout,
    X_target,
    *,
    y_source=None,
    source_probabilities=None,
    target_probabilities=None,
    classes=None,
    drop: float = 0.1,
    level: float = 0.05,
    permutations: int = 499,
    seed: int = 0,
) -> Diagnosis:
    """Say whether the domains differ, and what of the kind of shift can be known.

    With a model's answers, label shift is estimated by :func:`bbse`, and the assumption behind it is tested: source
    samples are drawn without replacement so that their classes have the target's estimated proportions, and where the
    domains still differ, label shift alone is no explanation. That the test finds nothing is no proof, so its
    smallest detectable distance stands beside it. Covariate shift is never claimed, since p(y | x) is not seen;
    concept shift needs target labels, and their number is told.

    Parameters
    ----------
    X_source_heldout : float (N, D), source features that trained nothing; see :func:`domain_distance`
    X_target : float (M, D)
    y_source : (N,), labels of the held-out source
    source_probabilities, target_probabilities : float (N, K), (M, K), a model's answers on the same samples
    classes : names of the K columns; labels are 0 to K - 1 when None
    drop : of accuracy, for ``labels_needed``
    level : of every test

    Raises
    ------
    UserError
        when domains are too small or do not fit, or only some of labels and answers are given.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(400, 5))
    >>> found = diagnose(X[:200], X[200:] + 1)
    >>> found.detected, found.sentences[0][:14]
    (True, 'Shift detected')
    """
    source, target = two_domains(X_source_heldout, X_target)
    answers = None
    if any(given is not None for given in (y_source, source_probabilities, target_probabilities)):
        answers = _answers(y_source, source_probabilities, target_probabilities, classes)
        _check_lengths(answers, len(source), len(target))
    _check_fraction("level of a test", level, 0.05)
    _check_fraction("drop of accuracy", drop, 0.1)
    distance = domain_distance(source, target, permutations=permutations, seed=seed)
    detectable = detectable_distance(distance.held_out_source, distance.held_out_target, level=level)
    detected = distance.p_value <= level
    sentences = [text.detection(detected, distance, detectable)]
    found: dict = dict.fromkeys(_OF_LABEL_SHIFT)
    accuracy = needed = None
    if answers is None:
        sentences += [text.UNKNOWN_KIND] if detected else []
    else:
        accuracy = float((answers.of_source.argmax(1) == answers.codes).mean())
        needed = labels_to_show_drop(accuracy, drop) if accuracy >= drop else None
        try:
            found |= _label_shift(source, target, answers, level=level, permutations=permutations, seed=seed)
        except UserError as refused:
            sentences.append(f"Label shift cannot be estimated: {refused}")
        else:
            names = range(answers.of_source.shape[1]) if classes is None else classes
            sentences += text.label_shift_sentences(found["label_shift"], found["proportions_changed"], names)
            left = (found[name] for name in _OF_LABEL_SHIFT[2:])
            sentences += [text.remainder(*left)] if detected else []
    sentences.append(text.concept(accuracy, needed, drop))
    return Diagnosis(
        detected=detected,
        distance=distance,
        detectable=detectable,
        level=level,
        **found,
        source_accuracy=accuracy,
        labels_needed=needed,
        drop=drop,
        sentences=tuple(sentences),
    )


def at_proportions(y: np.ndarray, proportions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions of as many samples as can have these class proportions, drawn without replacement.

    Each sample stays with a chance in proportion to its class's weight, so that those that stay are independent draws.

    Examples
    --------
    >>> y = np.repeat([0, 1], 500)
    >>> kept = at_proportions(y, np.array([0.8, 0.2]), np.random.default_rng(0))
    >>> bool(abs((y[kept] == 0).mean() - 0.8) < 0.05), bool((y[kept] == 0).sum() == 500)
    (True, True)
    """
    weights = proportions / np.maximum(np.bincount(y, minlength=len(proportions)) / len(y), 1e-12)
    return np.flatnonzero(rng.random(len(y)) < (weights / weights.max())[y])


@dataclass(frozen=True, eq=False)
class _Answers:
    """A model's probabilities on both domains, and the source's labels as codes."""

    of_source: np.ndarray
    codes: np.ndarray
    of_target: np.ndarray


def _answers(y, of_source, of_target, classes) -> _Answers:
    if y is None or of_source is None or of_target is None:
        raise UserError(
            "y_source, source_probabilities and target_probabilities belong together; give all three, or none."
        )
    of_source = probability_table(of_source, "source", None if classes is None else len(classes))
    codes = label_codes(y, len(of_source), of_source.shape[1] if classes is None else classes)
    return _Answers(of_source, codes, probability_table(of_target, "target", of_source.shape[1]))


def _check_lengths(answers: _Answers, n: int, m: int) -> None:
    for name, table, wanted in (("source", answers.of_source, n), ("target", answers.of_target, m)):
        if len(table) != wanted:
            raise UserError(
                f"there are {name} probabilities of {len(table)} samples and features of {wanted}; give both of the "
                "same samples."
            )


def _check_fraction(name: str, value: float, example: float) -> None:
    if not 0 < value < 1:
        raise UserError(f"the {name} lies between 0 and 1, such as {example:g}, not {value!r}.")


def _label_shift(source, target, answers: _Answers, *, level, permutations, seed) -> dict:
    shift = bbse(answers.of_source, answers.codes, answers.of_target, seed=seed)
    found = {"label_shift": shift, "proportions_changed": shift.p_value <= level}
    kept = source[at_proportions(answers.codes, shift.proportions, np.random.default_rng(seed))]
    if len(kept) < FEWEST or (kept == kept[0]).all():
        return found
    left = domain_distance(kept, target, permutations=permutations, seed=seed)
    return found | {
        "remaining": left,
        "remaining_detectable": detectable_distance(left.held_out_source, left.held_out_target, level=level),
        "explained_by_label_shift": left.p_value > level,
    }
