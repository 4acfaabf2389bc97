"""Neighbours: one image and those that lie nearest to it, by features of several origins.

In lesson 12 (the cases come from ``lesson12_neighbours.cases``):

>>> from transferlab.widgets import neighbours, show
>>> show(neighbours.view(cases), neighbours.static(cases))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.errors import UserError
from transferlab.evaluation import Interval, wilson
from transferlab.viz import Card, percent
from transferlab.viz.words import count
from transferlab.widgets.neighbours_card import draw

_KEYS = ("images", "pictures", "labels", "classes", "nearest", "upstream")
SHOWN = 7  # neighbours of an image


@dataclass(frozen=True)
class State:
    """Which images, and the place of the chosen one among them."""

    images: str
    place: int


@dataclass(frozen=True, eq=False)
class Findings:
    """The chosen image's neighbours by each kind of features, and how often the nearest is of its class.

    picture : uint8 (C, H, W), the chosen image; name : its class
    neighbours : features to uint8 (K, C, H, W), nearest first; names : the same to their classes
    first_right : features to the share of all ``n`` images whose nearest neighbour is of their class
    upstream : features that labels helped to make
    """

    state: State
    picture: np.ndarray
    name: str
    neighbours: Mapping[str, np.ndarray]
    names: Mapping[str, tuple[str, ...]]
    first_right: Mapping[str, Interval]
    upstream: tuple[str, ...]
    n: int

    def same(self, features: str) -> int:
        """How many of the neighbours shown are of the chosen image's class."""
        return sum(name == self.name for name in self.names[features])


def compute(data: Sequence[Mapping], state: State) -> Findings:
    """What lies nearest to one image.

    Parameters
    ----------
    data : one dict a set of images: ``images`` (its name), ``pictures`` uint8 (N, C, H, W), ``labels`` int (N,),
        ``classes`` (names), ``nearest`` (features to int (N, K), positions of neighbours, nearest first and without
        the image itself), ``upstream`` (features that labels helped to make)

    Raises
    ------
    UserError
        when a set lacks a field, or there is no such set or image.

    Examples
    --------
    >>> case = {"images": "dots", "pictures": np.zeros((3, 1, 8, 8), np.uint8), "labels": np.array([0, 0, 1]),
    ...         "classes": ["a", "b"], "nearest": {"pixels": np.array([[1], [0], [0]])}, "upstream": []}
    >>> compute([case], State("dots", 0)).same("pixels")
    1
    """
    lacking = [key for case in data for key in _KEYS if key not in case]
    if lacking or not data:
        raise UserError(
            f"a set of the neighbours has no {lacking[0]!r}; make the cases anew."
            if lacking
            else "there is no set of images to show neighbours in; give at least one."
        )
    case = next((c for c in data if c["images"] == state.images), None)
    if case is None or not 0 <= state.place < len(case["labels"]):
        known = ", ".join(f"{c['images']} (0 to {len(c['labels']) - 1})" for c in data)
        raise UserError(f"the neighbours are of {known}, not of image {state.place} of {state.images}.")
    labels, nearest = np.asarray(case["labels"]), case["nearest"]
    rows = {features: table[state.place][:SHOWN] for features, table in nearest.items()}
    hits = {features: int((labels[table[:, 0]] == labels).sum()) for features, table in nearest.items()}
    return Findings(
        state,
        case["pictures"][state.place],
        case["classes"][labels[state.place]],
        {features: case["pictures"][row] for features, row in rows.items()},
        {features: tuple(case["classes"][k] for k in labels[row]) for features, row in rows.items()},
        {features: wilson(k, len(labels)) for features, k in hits.items()},
        tuple(case["upstream"]),
        len(labels),
    )


def sentence(found: Findings) -> str:
    """How many neighbours are of the same class, for this image and on the whole."""
    here = ", ".join(f"{found.same(f)} by {f}" for f in found.neighbours)
    shown = len(next(iter(found.names.values())))
    on_the_whole = ", ".join(f"{percent(i.estimate)} by {f}" for f, i in found.first_right.items())
    return (
        f"{found.state.images}: of the {shown} nearest to this '{found.name}', of its class are {here}. The very "
        f"nearest is of the same class for {on_the_whole} of all (n = {count(found.n, 'image')})"
    )


def static(data: Sequence[Mapping], state: State | None = None) -> Card:
    """The figure of one image; of the first one when ``state`` is None."""
    found = compute(data, state or first(data))
    return draw(found, sentence(found))


def first(data: Sequence[Mapping]) -> State:
    """Where the view begins: the first image of the first set."""
    return State(data[0]["images"], 0)


def view(data: Sequence[Mapping], state: State | None = None):
    """Neighbours as a widget: images by a menu, the image by a slider that listens to arrow keys."""
    from ipywidgets import Dropdown, HBox, IntSlider, Layout, VBox

    from transferlab.widgets.live import live

    state = state or first(data)
    compute(data, state)
    sizes = {case["images"]: len(case["labels"]) for case in data}
    menu = Dropdown(options=list(sizes), value=state.images, description="images")
    place = IntSlider(
        value=state.place, min=0, max=min(sizes.values()) - 1, description="image",
        continuous_update=False, layout=Layout(width="420px"),
    )  # fmt: skip
    picture = live([menu, place], lambda: static(data, State(menu.value, place.value)))
    return VBox([HBox([menu, place]), picture])
