"""Drawn digits and letters: exact outlines, held-out fonts, nothing outside the picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.data.bundled.glyphs import (
    DIGESTS,
    FINE,
    PRINTED,
    SIZE,
    VERSION,
    _fill,
    _place,
    draw,
    printed,
)
from transferlab.data.bundled.outlines import DEVELOPMENT_FONTS, TEST_FONTS, outlines
from transferlab.errors import UserError


@pytest.mark.parametrize("name", PRINTED)
def test_the_drawings_are_the_recorded_ones(name):
    import matplotlib

    drawn = tuple(part.digest for part in printed.__wrapped__(name))
    assert drawn == DIGESTS[name], (
        f"{name} differs from generator {VERSION}. Where the code changed, raise VERSION and record the new "
        f"digests and baselines; else a font file of matplotlib {matplotlib.__version__} has changed."
    )


@pytest.mark.parametrize("name", PRINTED)
def test_test_fonts_are_unseen(name):
    development, test = printed(name)
    assert set(development.groups) == set(DEVELOPMENT_FONTS)
    assert set(test.groups) == set(TEST_FONTS)
    assert not set(DEVELOPMENT_FONTS) & set(TEST_FONTS)
    for part in (development, test):
        for path, group, label in zip(part.paths, part.groups, part.labels, strict=True):
            assert path.startswith(f"{group}/{part.classes[label]}-")


@pytest.mark.parametrize("font", DEVELOPMENT_FONTS + TEST_FONTS)
def test_a_filled_outline_is_what_matplotlib_draws(font):
    """Matplotlib's own reading and rasterizer of the same character, as an independent judge."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch
    from matplotlib.textpath import TextPath

    side = SIZE * FINE
    properties = FontProperties(fname=f"{matplotlib.get_data_path()}/fonts/ttf/{font}.ttf")
    for character, polygons in outlines(font, "048BQ").items():
        corners = np.concatenate(polygons)
        low, scale = corners.min(0), (side - 8) / np.ptp(corners, axis=0).max()
        ours = _fill([(p - low) * scale * [1, -1] + [4, side - 4] for p in polygons])
        path = TextPath((0, 0), character, size=100, prop=properties)
        box = path.get_extents()
        figure = Figure(figsize=(1, 1), dpi=side)
        canvas, axes = FigureCanvasAgg(figure), figure.add_axes((0, 0, 1, 1))
        axes.add_patch(PathPatch(path, facecolor="black", linewidth=0))
        shift, unit = 4 / side, (side - 8) / max(box.width, box.height) / side
        axes.set(
            xlim=(box.x0 - shift / unit, box.x0 + (1 - shift) / unit),
            ylim=(box.y0 - shift / unit, box.y0 + (1 - shift) / unit),
        )
        axes.axis("off")
        canvas.draw()
        theirs = np.asarray(canvas.buffer_rgba())[..., 0] < 128
        assert (ours & theirs).sum() / (ours | theirs).sum() > 0.97, character


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from("1IQM8W"), st.sampled_from(DEVELOPMENT_FONTS + TEST_FONTS))
def test_no_character_is_empty(seed, character, font):
    image = draw(outlines(font, character)[character], np.random.default_rng(seed))
    assert image.shape == (SIZE, SIZE)
    assert np.ptp(np.flatnonzero((image > 60).any(1))) >= 16


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from("1IQM8W"),
    st.sampled_from(DEVELOPMENT_FONTS + TEST_FONTS),
    st.tuples(st.integers(22, 29), st.floats(0.8, 1.1), st.floats(-0.25, 0.25)),
    st.tuples(st.integers(-2, 2), st.integers(-2, 2)),
)
def test_no_character_leaves_the_picture(character, font, form, shift):
    placed = np.concatenate(_place(outlines(font, character)[character], *form, np.array(shift)))
    assert placed.min() >= 0
    assert placed.max() <= SIZE * FINE
    assert np.ptp(placed[:, 1]) == pytest.approx(form[0] * FINE, abs=0.1)


def test_an_area_wound_round_twice_stays_filled():
    square = np.array([[10.0, 10], [10, 50], [50, 50], [50, 10]])
    assert _fill([square, square + 20]).sum() == 2 * 40**2 - 20**2
    assert _fill([square, (square - 30) / 2 + 20]).sum() == 40**2
    assert _fill([square, ((square - 30) / 2 + 30)[::-1]]).sum() == 40**2 - 20**2


def test_a_missing_character_or_font_is_named():
    with pytest.raises(UserError, match="漢"):
        outlines("cmr10", "a漢")
    with pytest.raises(UserError, match="NoSuchFont"):
        outlines("NoSuchFont", "a")


# --- photographs ---------------------------------------------------------------------------------
