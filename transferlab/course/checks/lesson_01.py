"""What the exercises of lesson 01 accept."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from transferlab.course.checks.verdict import Right, Wrong, exercise

_FIELDS = {"stem": 7, "layer1": 23, "layer2": 51, "layer3": 107, "layer4": 219}
_STAGES = tuple(_FIELDS)


def _network(fields: dict[str, int]) -> SimpleNamespace:
    """As much of a backbone as the exercise needs: stages with names and theoretical fields."""
    return SimpleNamespace(
        stages=tuple(SimpleNamespace(name=name, receptive_field=field) for name, field in fields.items())
    )


@exercise(required=True)
def lowest(answer):
    """A function of a network and a width in pixels: the name of the lowest stage whose field is at least as wide."""
    hints = (
        "Go through net.stages from the bottom; each has a name and a receptive_field.",
        "The field must be at least the width: stage.receptive_field >= width.",
        "return next(stage.name for stage in net.stages if stage.receptive_field >= width)",
    )
    if isinstance(answer, str):
        return Wrong("That is the name for one width only; the next defect has another.", hints=hints)
    if not callable(answer):
        return Wrong("This is no function of a network and a width.", hints=hints)
    small = {"first": 3, "second": 10, "third": 64}
    cases = [(_FIELDS, w) for w in (5, 7, 24, 51, 52, 107, 200)] + [(small, w) for w in (3, 11)]
    given = [answer(_network(fields), width) for fields, width in cases]
    right = [next(n for n, field in fields.items() if field >= width) for fields, width in cases]
    if given == right:
        return Right(
            "The lowest stage that can see all of it keeps places best; higher ones see more, and coarser."
        )
    for why, mistake in _OTHER_STAGES.items():
        if given == [mistake(fields, width) for fields, width in cases]:
            return Wrong(why, hints=hints)
    if not any(isinstance(each, str) for each in given):
        return Wrong("It gives stages, fields or nothing at all, and not their names.", hints=hints)
    return Wrong(
        "On other widths or another network it names another stage than the lowest that covers it.",
        hints=hints,
    )


def _above(fields: dict[str, int], width: int) -> str | None:
    return next((name for name, field in fields.items() if field > width), None)


def _highest(fields: dict[str, int], width: int) -> str:
    return list(fields)[-1]


def _below(fields: dict[str, int], width: int) -> str | None:
    return ([None] + [name for name, field in fields.items() if field < width])[-1]


_OTHER_STAGES = {
    "A field that is exactly as wide covers the defect as well.": _above,
    "This is the highest stage that covers it, always the last one; the lowest was asked for.": _highest,
    "This is the last stage that does not cover the width yet.": _below,
}


@exercise()
def unchanged(answer):
    """Names of the stages whose maps stay as they are when the weights from layer3 on are random: a list."""
    given = {answer} if isinstance(answer, str) else {str(name) for name in answer}
    hints = (
        "An image runs through the stages from the bottom to the top.",
        "A stage's maps depend on its own weights and on those of all stages below it.",
        "Everything below layer3 never meets a random weight.",
    )
    unknown = given - {*_STAGES, "images"}
    if unknown:
        return Wrong(f"There is no stage {sorted(unknown)[0]!r}; they are {', '.join(_STAGES)}.", hints=hints)
    given -= {"images"}  # pixels stay too, though they are no stage
    if given == {"stem", "layer1", "layer2"}:
        return Right(
            "What lies below never meets a random weight, so a probe there must find just what it found before."
        )
    if given == {"layer3", "layer4"}:
        return Wrong("That is the part that changes; the other part was asked for.", hints=hints)
    if "layer4" in given:
        return Wrong("layer4 works on what the random layer3 hands up, and is random itself.", hints=hints)
    if "layer3" in given:
        return Wrong('"From layer3 on" includes layer3: its own weights are random.', hints=hints)
    return Wrong("Some stage below layer3 is missing: none of them meets a random weight.", hints=hints)


@exercise()
def cam(answer):
    """A function of maps and slopes, both (C, h, w), that gives the Grad-CAM map (h, w), its largest value 1."""
    hints = (
        "Four steps: a weight for each channel, the weighted sum of maps, the positive part, the scale.",
        "The weight of a channel is the mean of its slopes over all places.",
        "np.maximum((slopes.mean((1, 2), keepdims=True) * maps).sum(0), 0), then divide by its maximum.",
    )
    if not callable(answer):
        return Wrong("This is no function of maps and slopes.", hints=hints)
    cases = [_maps(seed) for seed in range(4)]
    given = [np.asarray(answer(maps.copy(), slopes.copy()), float) for maps, slopes in cases]
    if any(each.shape != (5, 6) for each in given):
        return Wrong(
            f"It gives the shape {given[0].shape}; a map (h, w) sums over channels only.", hints=hints
        )
    for why, mistake in _MISTAKES.items():
        if all(np.allclose(g, mistake(*case), atol=1e-6) for g, case in zip(given, cases, strict=True)):
            return Wrong(why, hints=hints)
    if not all(np.allclose(g, _cam(*case), atol=1e-6) for g, case in zip(given, cases, strict=True)):
        return Wrong("The maps differ from Grad-CAM's.", hints=hints)
    nothing = np.asarray(answer(np.ones((2, 5, 6)), -np.ones((2, 5, 6))), float)
    if not np.array_equal(nothing, np.zeros((5, 6))):
        return Wrong(
            "Where no place speaks for the answer the map is to be zero; it divides by zero there.",
            hints=hints,
        )
    return Right(
        "A weight for each channel, their sum, its positive part: evidence for the answer, at the places of the maps."
    )


def _maps(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    slopes = rng.normal(0, 1, (3, 5, 6)) + np.array([1.0, -1.0, 0.3])[:, None, None]  # for and against
    return rng.random((3, 5, 6)), slopes


def _weighted(maps, slopes):
    return (slopes.mean((1, 2), keepdims=True) * maps).sum(0)


def _scaled(heat):
    return heat / max(heat.max(), 1e-12)


def _cam(maps, slopes):
    return _scaled(np.maximum(_weighted(maps, slopes), 0))


_MISTAKES = {
    "It keeps negative values: places that speak against the answer are no evidence for it.": lambda m, s: (
        _scaled(_weighted(m, s))
    ),
    "It is right but for its scale: the largest value is to be 1.": lambda m, s: np.maximum(
        _weighted(m, s), 0
    ),
    "It multiplies each place with its own slope; Grad-CAM has one weight for a whole channel.": lambda m, s: (
        _scaled(np.maximum((m * s).sum(0), 0))
    ),
    "All channels weigh the same here; the slopes say which of them matter for the answer.": lambda m, s: (
        _scaled(np.maximum(m.sum(0), 0))
    ),
}
