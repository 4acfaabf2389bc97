"""CNN microscope: from a feature map's single value back to the pixels and to the sum that made it.

In a lesson (``views`` an ImageSet, ``large`` a Backbone; both at the same number of pixels):

>>> from transferlab.backbones import load_backbone
>>> from transferlab.data.bundled.photographs import photographs
>>> from transferlab.widgets import microscope, show
>>> data = microscope.prepare(load_backbone("zoo-early"), photographs(64))
>>> show(microscope.view(data), microscope.static(data))  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from transferlab.backbones import (
    Backbone,
    EffectiveField,
    ValueSum,
    effective_field,
    stage_maps,
    strongest_patches,
    value_sum,
)
from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.viz import Card
from transferlab.widgets.microscope_card import GALLERY, draw

_MOST_IMAGES = 24
_PATCHES = 4


@dataclass(frozen=True, eq=False)
class Slides:
    """What is looked at: a backbone, images uint8 (N, C, S, S) at its input size, and their names."""

    backbone: Backbone
    images: np.ndarray
    names: tuple[str, ...]

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages whose maps have several places."""
        return tuple(s.name for s in self.backbone.stages if s.output_shape[1] * s.output_shape[2] > 1)

    def shape(self, stage: str) -> tuple[int, int, int]:
        """(channels, rows, columns) of a stage's map."""
        return self.backbone.stages[self.backbone.boundary(stage) - 1].output_shape


@dataclass(frozen=True)
class State:
    """Which image (its number), stage, channel and place of the map are under the microscope."""

    image: int = 0
    stage: str = "stem"
    channel: int = 0
    row: int = 0
    column: int = 0


@dataclass(frozen=True, eq=False)
class Findings:
    """What the microscope shows of one value.

    image : uint8 (C, S, S); map : float32 (h, w), the channel on this image; value : at the place
    field : which pixels of this image move the value; None where none does, as behind a ReLU at 0
    patches : uint8 (4, C, s, s), where in all images the channel answers most
    sum : the sum that made the value, or None and ``no_sum`` says why
    others : channel to map of those that vary most on this image; n : images that were searched
    """

    state: State
    image: np.ndarray
    map: np.ndarray
    value: float
    field: EffectiveField | None
    theoretical: int | str
    patches: np.ndarray
    sum: ValueSum | None
    no_sum: str
    others: dict[int, np.ndarray]
    n: int


def prepare(backbone: Backbone, images: ImageSet, names: tuple[str, ...] | None = None) -> Slides:
    """Up to 24 square images, and the backbone set to their number of pixels.

    ``names`` are those of the images; without labels an ImageSet's classes may be just that.
    """
    pixels = images.images[:_MOST_IMAGES]
    if pixels.shape[2] != pixels.shape[3] or len(pixels) < _PATCHES:
        raise UserError(
            f"the microscope needs {_PATCHES} or more square images, not an array {pixels.shape}."
        )
    if names is None and images.labels is None and len(images.classes) == len(images.images):
        names = images.classes
    elif names is None and images.labels is not None:
        names = tuple(f"{images.classes[c]} ({i})" for i, c in enumerate(images.labels[:_MOST_IMAGES]))
    names = names or tuple(f"image {i}" for i in range(len(pixels)))
    if len(names) < len(pixels):
        raise UserError(f"there are {len(pixels)} images but {len(names)} names; give one an image.")
    return Slides(backbone.with_input_size(pixels.shape[2]), pixels, tuple(names[: len(pixels)]))


def first(data: Slides, stage: str | None = None, image: int = 0) -> State:
    """Where to begin: the channel that varies most on the image, at its strongest place.

    Without ``stage`` in the middle one, whose places can be told apart and see more than an edge.
    """
    chosen = stage or data.stages[len(data.stages) // 2]
    _check(data, State(image, chosen))
    maps = _maps(data, chosen)[image]
    channel = int(maps.std((1, 2)).argmax())
    row, column = np.unravel_index(maps[channel].argmax(), maps.shape[1:])
    return State(image, chosen, channel, int(row), int(column))


def compute(data: Slides, state: State) -> Findings:
    """Everything that is shown of one value.

    Raises
    ------
    UserError
        when there is no such image, stage, channel or place.

    Examples
    --------
    >>> from transferlab.backbones import load_backbone
    >>> from transferlab.data.bundled.photographs import photographs
    >>> data = prepare(load_backbone("zoo-early"), photographs(64))
    >>> found = compute(data, first(data))
    >>> found.map.shape, bool(abs(found.sum.total - found.value) < 1e-5)
    ((16, 16), True)
    """
    _check(data, state)
    maps, place = _maps(data, state.stage), (state.row, state.column)
    image, here = data.images[state.image], maps[state.image]
    field = effective_field(data.backbone, state.stage, image[None], place=place, channel=state.channel)
    if isinstance(field.theoretical, int):  # the square around the centre of mass may stick out of it
        field = replace(field, side=min(field.side, field.theoretical))
    patches = strongest_patches(
        data.backbone, state.stage, [state.channel], data.images, most=_PATCHES, maps=maps
    )
    found, reason = _sum(data, state)
    liveliest = np.argsort(-here.std((1, 2)), kind="stable")[:GALLERY]
    return Findings(
        state,
        image,
        here[state.channel],
        found.value if found else float(here[state.channel][place]),
        field if field.gradient.any() else None,
        field.theoretical,
        patches[0],
        found,
        reason,
        {int(c): here[c] for c in liveliest},
        len(data.images),
    )


def static(data: Slides, state: State | None = None) -> Card:
    """The figure of one value; where the view begins when ``state`` is None."""
    state = state or first(data)
    return draw(compute(data, state), data.names[state.image])


def view(data: Slides, state: State | None = None):
    """The microscope as a widget: choose image, stage and channel; a place by click, arrow keys or sliders."""
    from ipywidgets import Dropdown, HBox, IntSlider, VBox

    from transferlab.viz.maps import heat_picture
    from transferlab.widgets.live import live
    from transferlab.widgets.place_picker import PlacePicker

    state = state or first(data)

    def slider(name, value, size):
        return IntSlider(value, 0, size - 1, description=name, continuous_update=False)

    pictures = [(f"{i + 1}. {name}", i) for i, name in enumerate(data.names)]
    image = Dropdown(options=pictures, value=state.image, description="image")
    stage = Dropdown(options=data.stages, value=state.stage, description="stage")
    values = (state.channel, state.row, state.column)
    sliders = [
        slider(name, value, size)
        for name, value, size in zip(
            ("channel", "row", "column"), values, data.shape(state.stage), strict=True
        )
    ]
    picker, drawn = PlacePicker(), [state]

    def redraw() -> Card:
        wanted = replace(drawn[0], image=image.value, stage=stage.value)
        wanted = (
            wanted if wanted.stage == drawn[0].stage else moved(data, drawn[0], wanted.stage, image.value)
        )
        if wanted.stage == drawn[0].stage:
            channel, row, column = (s.value for s in sliders)
            if tuple(picker.value) != (drawn[0].row, drawn[0].column) and picker.picture:
                row, column = picker.value
            wanted = replace(wanted, channel=channel, row=row, column=column)
        for s, value, size in zip(
            sliders, (wanted.channel, wanted.row, wanted.column), data.shape(wanted.stage), strict=True
        ):
            s.max = size - 1  # first: a value beyond it would be cut
            s.value = value
        drawn[0] = wanted
        found = compute(data, wanted)
        picker.label = f"channel {wanted.channel} of {wanted.stage} on {data.names[wanted.image]}"
        words = f"row {wanted.row}, column {wanted.column}: {found.value:.3f}"
        picker.show(heat_picture(found.map, len(found.map)), (wanted.row, wanted.column), words)
        return draw(found, data.names[wanted.image])

    picture = live([image, stage, *sliders, picker], redraw)
    return VBox([HBox([picker, VBox([image, stage, *sliders])]), picture])


def moved(data: Slides, state: State, stage: str, image: int | None = None) -> State:
    """The same spot of the picture in another stage, in its channel that answers most there."""
    (_, rows, columns), (_, new_rows, new_columns) = data.shape(state.stage), data.shape(stage)
    row = int((state.row + 0.5) * new_rows / rows)
    column = int((state.column + 0.5) * new_columns / columns)
    image = state.image if image is None else image
    channel = int(_maps(data, stage)[image][:, row, column].argmax())
    return State(image, stage, channel, row, column)


@lru_cache(maxsize=6)
def _maps(data: Slides, stage: str) -> np.ndarray:
    """All maps of a stage, float32 (N, C, h, w); kept, since every move needs them."""
    return np.concatenate([stage_maps(data.backbone, image[None], stage) for image in data.images])


def _sum(data: Slides, state: State) -> tuple[ValueSum | None, str]:
    image, place = data.images[state.image], (state.row, state.column)
    try:
        return value_sum(data.backbone, state.stage, image, channel=state.channel, place=place), ""
    except UserError as reason:
        return None, str(reason)


def _check(data: Slides, state: State) -> None:
    if not 0 <= state.image < len(data.images) or state.stage not in data.stages:
        raise UserError(
            f"the microscope has images 0 to {len(data.images) - 1} and the stages {', '.join(data.stages)}, "
            f"not image {state.image} and stage {state.stage!r}."
        )
    places = (state.channel, state.row, state.column)
    if not all(0 <= at < size for at, size in zip(places, data.shape(state.stage), strict=True)):
        raise UserError(
            f"channel {state.channel}, row {state.row}, column {state.column} is outside {state.stage}'s map "
            f"{data.shape(state.stage)}."
        )
