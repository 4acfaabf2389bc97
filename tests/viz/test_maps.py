"""Pictures of stages show what they were given."""

import numpy as np
import pytest

from transferlab import viz
from transferlab.errors import UserError
from transferlab.viz.heat_maps import overlay
from transferlab.viz.maps import heat_picture


def test_heat_picture_orders_colours_by_value_and_bears_flat_maps():
    from matplotlib import colormaps

    values = np.array([[0.0, 1.0], [2.0, 3.0]])
    picture = heat_picture(values, side=4)
    ends = (255 * np.array(colormaps["viridis"]([0.0, 1.0]))[:, :3]).astype(int)
    assert picture[:, 0, 0].tolist() == ends[0].tolist()
    assert picture[:, 3, 3].tolist() == ends[1].tolist()
    assert (heat_picture(np.zeros((3, 3))) == heat_picture(np.zeros((3, 3)))[:, :1, :1]).all()


def test_overlay_changes_what_is_hot_more_than_what_is_cold():
    image = np.full((1, 4, 4), 120, np.uint8)
    heat = np.zeros((4, 4))
    heat[0, 0] = 1
    shown = overlay(image, heat).astype(int)
    assert abs(shown[:, 0, 0] - 120).sum() > abs(shown[:, 3, 3] - 120).sum()
    assert overlay(image, heat * 9).max() <= 255


def test_maps_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="maps of their size"):
        viz.heat_maps(np.zeros((2, 1, 8, 8), np.uint8), np.zeros((2, 4, 4)), [(), ()], "x")


@pytest.mark.parametrize("name", ["$x_1$ <b>", "שלום", "a" * 300])
def test_hostile_names_are_drawn_as_they_are(name):
    card = viz.heat_maps(np.zeros((1, 1, 8, 8), np.uint8), np.zeros((1, 8, 8)), [(name,)], f"{name} (n = 1)")
    assert card.png()[:4] == b"\x89PNG"
    curve = {"a": [(0.1, 0.0, 0.2), (0.5, 0.4, 0.6)]}
    assert viz.depth_curves({name: curve}, ["one", "two"], name, chance={name: 0.1}).png()
