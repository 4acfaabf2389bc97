"""What the exercises of lesson 09 accept."""

from __future__ import annotations

import numpy as np

from transferlab.adaptation.density_ratio import effective_size
from transferlab.course.checks.verdict import Right, Wrong, exercise

_SIZES = ((300, 100), (80, 200))  # source and target samples that the domain classifier saw


def _problem(place: int) -> tuple[np.ndarray, int, int]:
    rng = np.random.default_rng(place)
    return rng.uniform(0.05, 0.95, 12), *_SIZES[place]


@exercise(required=True)
def ratio(answer):
    """A function of p (N,), n_source and n_target that gives the density ratio of each source sample: float (N,)."""
    hints = (
        "The classifier saw n_source and n_target samples; where there are more of one domain, it leans that way.",
        "Bayes: the odds p / (1 - p) are the density ratio times n_target / n_source.",
        "So the ratio is p / (1 - p) * n_source / n_target.",
    )
    if not callable(answer):
        return Wrong("This is no function: numbers fit one set of samples only.", hints=hints)
    given = [np.asarray(answer(p.copy(), s, t), float) for p, s, t in map(_problem, (0, 1))]
    if any(g.shape != (12,) for g in given):
        return Wrong("Every sample has a ratio of its own: as many numbers go out as come in.", hints=hints)
    right = [p / (1 - p) * s / t for p, s, t in map(_problem, (0, 1))]
    if _same(given, right):
        return Right("Odds, set right for how many samples of each domain the classifier saw.")
    return Wrong(_mistake(given), hints=hints)


def _mistake(given: list[np.ndarray]) -> str:
    """Which known slip the ratios come from."""

    def each(function) -> list[np.ndarray]:
        return [function(p, s / t) for p, s, t in map(_problem, (0, 1))]

    odds, turned = each(lambda p, r: p / (1 - p)), each(lambda p, r: (1 - p) / p)
    known = (
        (odds, "These odds still hold how many samples of each domain the classifier saw; the densities do not."),
        (each(lambda p, r: p / (1 - p) / r), "The ratio of the sample sizes is upside down."),
        (each(lambda p, r: (1 - p) / p / r), "This is inverted, source over target: it favours what is rare there."),
        (turned, "This is inverted, source over target, and the sample sizes are forgotten."),
        (each(lambda p, r: (1 - p) / p * r), "This is inverted: target over source is wanted, p / (1 - p)."),
        (each(lambda p, r: p), "These are probabilities; they never exceed 1, and a density ratio has no such limit."),
        (each(lambda p, r: p * r), "These are probabilities times the sizes; the odds p / (1 - p) are wanted."),
        (each(lambda p, r: np.log(p / (1 - p)) + np.log(r)), "A logarithm of the ratio; weights are never below 0."),
        (each(lambda p, r: np.log(p / (1 - p))), "These are log-odds, and the sample sizes are forgotten."),
    )  # fmt: skip
    for wrong, why in known:
        if _same(given, wrong):
            return why
    for wrong in (odds, each(lambda p, r: p), turned):
        if any(_same(given, [w / part(w) for w in wrong]) for part in (np.sum, np.mean, np.max)):
            return "Brought to a fixed sum, mean or maximum, the numbers no longer say how much likelier a sample is."
    return "These are not the ratios: of a sample that both domains hold equally often it is 1."


def _same(given: list[np.ndarray], wanted: list[np.ndarray]) -> bool:
    return all(np.allclose(g, w, rtol=1e-6) for g, w in zip(given, wanted, strict=True))


@exercise()
def effective(answer):
    """A function of weights (N,) that gives Kish's effective sample size: one number."""
    hints = (
        "Equal weights, however large, are worth their number; one weight alone is worth 1.",
        "Multiply all weights by ten: the size must stay. So a square stands above and below.",
        "w.sum() ** 2 / (w ** 2).sum()",
    )
    if not callable(answer):
        return Wrong("This is no function: a number fits one set of weights only.", hints=hints)
    rng = np.random.default_rng(0)
    cases = [rng.gamma(0.5, 3.0, n) for n in (7, 40)] + [np.array([4.0, 4.0, 0.0, 0.0]), np.array([0.0, 9.0])]
    given = [answer(w.copy()) for w in cases]
    if any(np.ndim(g) for g in given):
        return Wrong("It gives several numbers; the size is one.", hints=hints)
    given, right = np.array(given, float), np.array([effective_size(w) for w in cases])
    if np.allclose(given, right):
        return Right("As many equally weighted samples would leave the same variance.")
    known = {
        "This counts the samples; weights near 0 hardly count.": [len(w) for w in cases],
        "This counts weights above 0; a tiny weight is not worth a sample.": [(w > 0).sum() for w in cases],
        "This is turned round: it grows where one weight outweighs the rest.": 1 / right,
        "This is a share; a number of samples is wanted.": right / [len(w) for w in cases],
        "This changes with all weights multiplied by ten, and they say the same.": [
            1 / (w**2).sum() for w in cases
        ],
        "This is the sum of the weights, which ten times larger weights make ten times larger.": [
            w.sum() for w in cases
        ],
        "The squares are missing: this is 1 for any weights.": [1.0] * len(cases),
    }
    for why, wrong in known.items():
        if np.allclose(given, wrong):
            return Wrong(why, hints=hints)
    return Wrong(
        "This is not what they are worth; try [4, 4, 0, 0], worth 2, and [1, 2, 3], worth 2.57.", hints=hints
    )


@exercise()
def proportions(answer):
    """A function of a confusion matrix (K, K), a column a true class, and mean predictions (K,): proportions (K,)."""
    hints = (
        "A column says what share of a class is predicted as what. Mix the columns by q: that is what is predicted.",
        "confusion @ q = predicted, with q unknown: a system of linear equations.",
        "np.linalg.solve(confusion, predicted)",
    )
    if not callable(answer):
        return Wrong("This is no function: numbers fit one model and one target only.", hints=hints)
    confusion = np.array([[0.8, 0.3, 0.1], [0.1, 0.6, 0.1], [0.1, 0.1, 0.8]])
    truth = np.array([0.1, 0.3, 0.6])
    predicted = confusion @ truth
    given = np.asarray(answer(confusion.copy(), predicted.copy()), float)
    if given.shape != (3,):
        return Wrong("A proportion for each class is wanted, three here.", hints=hints)
    if np.allclose(given, truth, atol=1e-6):
        return Right("The model's own confusion says how its predictions mislead, so it can be undone.")
    known = {
        "These are the predictions as they come; the model's mistakes are still in them.": predicted,
        "This confuses once more instead of undoing it.": confusion @ predicted,
        "The matrix is turned over: here a column is a true class.": np.linalg.solve(confusion.T, predicted),
        "The matrix is turned over, and it confuses once more.": confusion.T @ predicted,
        "This divides by the share that is right in each class and forgets what comes from other classes.": (
            predicted / np.diag(confusion)
        ),
    }
    for why, wrong in known.items():
        if np.allclose(given, wrong) or np.allclose(given, wrong / wrong.sum()):
            return Wrong(why, hints=hints)
    return Wrong("Mixed by these proportions, the columns do not give what was predicted.", hints=hints)
