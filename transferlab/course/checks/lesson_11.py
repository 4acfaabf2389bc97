"""What the exercises of lesson 11 accept."""

from __future__ import annotations

import numpy as np
import torch

from transferlab.course.checks.verdict import Right, Wrong, exercise

_REVERSAL_HINTS = (
    "Two things are asked for: the same numbers on the way up, and a gradient times -strength on the way down.",
    "x.detach() has x's numbers and no gradient. Which part of the sum must carry the gradient -strength?",
    "-strength * x has the right gradient; add (1 + strength) * x.detach(), and the numbers are x again.",
)

_CUT = (
    "No gradient comes back at all: detach() alone, or no_grad(), cuts the body off. Then the domain classifier is "
    "only watched."
)


@exercise(required=True)
def reversal(answer):
    """A function of a tensor x and a strength that gives x, and gives back the gradient times -strength."""
    if not callable(answer):
        return Wrong(
            "This is no function: the layer has to be called anew in every step.",
            hints=("Write def reverse(x, strength): …", "Hand over reverse itself, not reverse(x, 1.0)."),
        )
    generator = torch.Generator().manual_seed(0)
    for shape, strength in (((5, 3), 0.7), ((4,), 1.0), ((2, 3, 2), 2.5), ((3, 2), 0.0)):
        x = torch.randn(shape, generator=generator).requires_grad_()
        before, above = x.detach().clone(), torch.randn(shape, generator=generator)
        found = _asked(answer, x, before, above, strength)
        if found is not None:
            return found
    return Right(
        "The same numbers go up, the opposite gradient comes down: one step trains both against each other."
    )


def _asked(
    answer, x: torch.Tensor, before: torch.Tensor, above: torch.Tensor, strength: float
) -> Wrong | None:
    given = answer(x, strength)
    why = _wrong_forward(given, x, before, strength)
    if why:
        return Wrong(why, hints=_REVERSAL_HINTS)
    # a gradient from above that is not 1 everywhere shows a layer which ignores it; that of the classes comes beside it
    beside = above.flip(0) + 1
    whole = torch.autograd.grad((given * above).sum() + (x * beside).sum(), x)[0]
    if strength and torch.allclose(whole, -strength * (above + beside), atol=1e-5):
        return Wrong(_TURNS_BOTH, hints=_REVERSAL_HINTS)
    got = whole - beside
    if torch.allclose(got, -strength * above, atol=1e-5):
        return None
    return Wrong(_backward_mistake(got, above, strength), hints=_REVERSAL_HINTS)


_TURNS_BOTH = (
    "It turns every gradient that reaches x, that of the classes as well, which passes beside the layer; give back a "
    "new tensor, and turn what comes through that one."
)


def _wrong_forward(given, x: torch.Tensor, before: torch.Tensor, strength: float) -> str:
    """What is wrong with the tensor that comes out; nothing where it is ``x`` with a gradient."""
    if isinstance(given, tuple | list):
        return "One tensor is to come out, not several values."
    if not isinstance(given, torch.Tensor):
        return "What comes out is no tensor, so no gradient can come back."
    if not torch.allclose(x.detach(), before):
        return "It changes x in place; other layers still need x as it was."
    if given.shape != x.shape or not torch.allclose(given.detach(), before, atol=1e-5):
        return _forward_mistake(given.detach(), before, strength)
    return "" if given.requires_grad else _CUT


def _forward_mistake(given: torch.Tensor, x: torch.Tensor, strength: float) -> str:
    if given.shape != x.shape:
        return f"The shape changes from {tuple(x.shape)} to {tuple(given.shape)}; on the way up nothing may change."
    for factor, what in ((-strength, "-strength * x"), (-1.0, "-x"), (strength, "strength * x")):
        if torch.allclose(given, factor * x, atol=1e-5):
            return (
                f"On the way up this gives {what}: the numbers change, too. A change of sign in the features is "
                "unlearned by the next layer; only the gradient may be turned."
            )
    return "On the way up the numbers must stay what they are: the domain classifier has to see the true features."


def _backward_mistake(got: torch.Tensor, above: torch.Tensor, strength: float) -> str:
    if not got.any():
        return "The gradient that comes back is 0: the body learns nothing from the domain classifier."
    known = {
        "The minus is missing: the gradient is scaled and keeps its sign, so the body helps the domain classifier.": (
            strength * above
        ),
        "The sign is turned and the strength is not used: multiply by it, or nothing can start gently.": -above,
        "The gradient goes through as it came: neither turned nor scaled.": above,
        "This divides by the strength; multiply.": -above / strength if strength else above,
        "What comes from above is ignored: backward is to turn the gradient it is given, not a constant.": (
            torch.full_like(above, -strength)
        ),
        "The strength is added to the gradient's sign, as -(1 + strength): x itself carries a gradient, too; "
        "detach it.": -(1 + strength) * above,
        "The gradient is (1 - strength) times what came: one part of the sum carries a gradient that it should not; "
        "detach it.": (1 - strength) * above,
        "Only the gradient's sign comes back; its size says how much each feature matters.": (
            -strength * above.sign()
        ),
    }
    for why, values in known.items():
        if torch.allclose(got, values, atol=1e-5):
            return why
    return "The gradient that comes back is not -strength times the one that came."


def _entropies(p: np.ndarray) -> np.ndarray:
    return -(p * np.log(np.maximum(p, 1e-12))).sum(-1)


def _information(p: np.ndarray) -> float:
    return float(_entropies(p.mean(0)) - _entropies(p).mean())


@exercise()
def information(answer):
    """A function of probabilities (N, K): the entropy of their mean less the mean of their entropies, in nats."""
    hints = (
        "Two entropies: one of the mean row, and the mean of every row's own.",
        "The entropy of a row p is -(p * np.log(p)).sum(); where p is 0 its part is 0.",
        "h(p.mean(0)) - h(p).mean(), with h(q) = -(q * np.log(np.maximum(q, 1e-12))).sum(-1)",
    )
    if not callable(answer):
        return Wrong("This is no function: a number fits one table of answers only.", hints=hints)
    rng = np.random.default_rng(0)
    tables = [rng.dirichlet(np.full(k, a), n) for k, a, n in ((4, 0.4, 30), (3, 2.0, 20), (6, 1.0, 15))]
    given = [answer(p.copy()) for p in tables]
    if any(np.ndim(value) for value in given):
        return Wrong("It gives more than one number: take the mean over images at the end.", hints=hints)
    given = np.array(given, float)
    if not np.allclose(given, [_information(p) for p in tables], atol=1e-6):
        return Wrong(_information_mistake(given, tables), hints=hints)
    sure = np.eye(3)[[0, 1, 2, 0]]
    with np.errstate(all="ignore"):
        value = float(answer(sure.copy()))
    if not np.isfinite(value) or abs(value - _information(sure)) > 1e-4:
        return Wrong(
            "With answers that are quite sure, 0 times log 0 comes out as NaN; its limit is 0.", hints=hints
        )
    return Right(
        "Large where each answer is sure and all classes are in use; 0 for a network that has collapsed."
    )


def _information_mistake(given: np.ndarray, tables: list[np.ndarray]) -> str:
    known = {
        "This is the mean entropy alone: a network that gives one answer to all would be the best.": [
            _entropies(p).mean() for p in tables
        ],
        "This is the negative mean entropy alone: it is largest where the network has collapsed.": [
            -_entropies(p).mean() for p in tables
        ],
        "This is the entropy of the mean answer alone: a network that never decides would be the best.": [
            _entropies(p.mean(0)) for p in tables
        ],
        "The sign is turned: larger is to be better.": [-_information(p) for p in tables],
        "The two are added; sure answers have little entropy of their own, so it is taken off.": [
            _entropies(p.mean(0)) + _entropies(p).mean() for p in tables
        ],
        "This is in bits; take the natural logarithm.": [_information(p) / np.log(2) for p in tables],
        "The mean answer is one row for all images, p.mean(0); p.mean(1) is 1/K for each of them.": [
            _entropies(p.mean(1)) - _entropies(p).mean() for p in tables
        ],
        "The entropies of all images are summed; take their mean.": [
            _entropies(p.mean(0)) - _entropies(p).sum() for p in tables
        ],
    }
    for why, values in known.items():
        if np.allclose(given, values, atol=1e-6):
            return why
    return "The values differ from the entropy of the mean less the mean of the entropies."


@exercise()
def weights(answer):
    """A function of distances (S,), qualities (S,) and sharpness: the sources' weights (S,), with sum 1."""
    hints = (
        "A distance lies from 0 to 2. How near a source is, from 0 to 1, is 1 - distance / 2.",
        "Nearness times quality is a source's score; its power makes good ones count more; then divide by the sum.",
        "scores = (qualities * (1 - distances / 2)) ** sharpness, and scores / scores.sum()",
    )
    if not callable(answer):
        return Wrong("This is no function: weights fit one set of sources only.", hints=hints)
    d, q = np.array([0.4, 1.1, 1.8, 0.9]), np.array([0.9, 0.8, 0.95, 0.3])
    for sharpness in (4.0, 1.0, 0.0):
        given = np.asarray(answer(d.copy(), q.copy(), sharpness), float)
        scores = (q * (1 - d / 2)) ** sharpness
        if given.shape != d.shape:
            return Wrong("As many weights go out as there are sources.", hints=hints)
        if not np.allclose(given, scores / scores.sum(), atol=1e-4):
            return Wrong(_weights_mistake(given, d, q, sharpness), hints=hints)
    return Right(
        "Near and well learned counts; far or badly learned hardly does; sharpness 0 is the plain mean."
    )


def _weights_mistake(given: np.ndarray, d: np.ndarray, q: np.ndarray, sharpness: float) -> str:
    near = 1 - d / 2
    known = {
        "Far sources count most: turn the distance round, 1 - distance / 2.": (q * d / 2) ** sharpness,
        "The qualities are not used: a near source with wrong labels would count most.": near**sharpness,
        "The distances are not used: a far source counts as much as a near one.": q**sharpness,
        "The sharpness is not used as a power: all sharpnesses give the same weights.": q * near,
        "The power is taken of one factor alone; take it of the whole score.": q * near**sharpness,
        "This adds nearness and quality; a source that is bad in one of them should not be saved by the other.": (
            (q + near) ** sharpness
        ),
        "The distance reaches 2, not 1: with 1 - distance a far source gets a score below 0.": (q * (1 - d))
        ** sharpness,
        "All weigh alike: neither distance nor quality counts.": np.ones(len(d)),
    }
    with np.errstate(all="ignore"):
        for why, values in known.items():
            if np.allclose(given, values / values.sum(), atol=1e-6):
                return why
    if not np.isclose(given.sum(), 1):
        return "The weights do not sum to 1: divide by their sum, so that the answers stay probabilities."
    return "These are not the powers of nearness times quality, divided by their sum."
