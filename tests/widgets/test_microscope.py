"""The microscope: what it shows is what the network does, and the view keeps picture and controls together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.backbones import load_backbone, stage_maps
from transferlab.data import ImageSet
from transferlab.data.bundled.photographs import photographs
from transferlab.errors import UserError
from transferlab.widgets import microscope
from transferlab.widgets.microscope import State
from transferlab.widgets.microscope_card import adding_up


@pytest.fixture(scope="module")
def slides():
    return microscope.prepare(load_backbone("zoo-early"), photographs(64))


def test_the_value_is_the_maps_and_the_sum_makes_it(slides):
    for stage in slides.stages:
        _, rows, columns = slides.shape(stage)
        for channel in (0, 7):
            found = microscope.compute(slides, State(2, stage, channel, rows - 1, columns // 2))
            own = stage_maps(slides.backbone, slides.images[2:3], stage)[0, channel]
            assert np.array_equal(found.map, own)
            assert abs(found.value - own[rows - 1, columns // 2]) < 1e-4
            assert found.value == max(found.sum.total, 0)


def test_pixels_outside_the_theoretical_field_have_no_influence(slides):
    channel = int(stage_maps(slides.backbone, slides.images[1:2], "layer1")[0, :, 16, 16].argmax())
    found = microscope.compute(slides, State(1, "layer1", channel, 16, 16))
    far = np.abs(np.arange(64) - 32) > found.theoretical
    assert far.any() and found.field.gradient.sum() == pytest.approx(1)
    assert not found.field.gradient[far].any() and not found.field.gradient[:, far].any()
    other = slides.images[1:2].copy()
    other[:, :, far] = 0
    assert stage_maps(slides.backbone, other, "layer1")[0, channel, 16, 16] == pytest.approx(
        found.value, abs=1e-4
    )


def test_a_value_that_the_relu_cut_off_has_no_field(slides):
    maps = stage_maps(slides.backbone, slides.images[:1], "layer2")[0]
    channel, row, column = (int(i) for i in np.argwhere(maps == 0)[0])
    found = microscope.compute(slides, State(0, "layer2", channel, row, column))
    assert found.value == 0 and found.field is None and found.sum.total <= 0
    assert "no small change of a pixel moves it" in microscope.static(slides, found.state).finding


def test_patches_come_from_the_images_where_the_channel_answers_most(slides):
    found = microscope.compute(slides, State(0, "layer1", 5, 0, 0))
    peaks = np.concatenate(
        [stage_maps(slides.backbone, i[None], "layer1")[:, 5].reshape(1, -1) for i in slides.images]
    )
    best = slides.images[peaks.max(1).argmax()]
    side = found.patches.shape[-1]
    windows = np.lib.stride_tricks.sliding_window_view(best, (3, side, side)).reshape(-1, 3, side, side)
    assert (windows == found.patches[0]).all((1, 2, 3)).any()


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6))
@settings(max_examples=300)
def test_shown_numbers_add_up_to_the_shown_sum(values):
    shown = adding_up(values)
    assert round(sum(shown), 3) == pytest.approx(round(sum(values), 3), abs=0.0011)
    assert abs(sum(shown) - sum(values)) < 0.0006
    assert all(abs(a - b) < 0.001 for a, b in zip(shown, values, strict=True))


def test_the_card_says_its_numbers(slides):
    state = microscope.first(slides)
    card, found = microscope.static(slides, state), microscope.compute(slides, state)
    assert f"Channel {state.channel} of {state.stage} is {found.value:.3f}" in card.finding
    assert (
        f"{found.sum.products.size} products" in card.finding
        and "(n = 1 image; patches from 12)" in card.finding
    )
    shown = [t.get_text() for axes in card.axes for t in axes.texts]
    assert f"{found.value:+.3f}" in shown and card.png()[1:4] == b"PNG"


def test_a_stage_without_a_single_sum_still_shows_the_rest():
    net = load_backbone("timm/densenet121", pretrained=False)
    slides = microscope.prepare(net, photographs(64))
    found = microscope.compute(slides, microscope.first(slides))
    assert found.sum is None and "no single sum" in found.no_sum
    assert microscope.static(slides).png()[1:4] == b"PNG"


def test_another_stage_keeps_the_spot(slides):
    state = microscope.moved(slides, State(0, "stem", 0, 31, 10), "layer4")
    _, rows, columns = slides.shape("layer4")
    assert (state.row, state.column) == (rows - 1, int(10.5 * columns / slides.shape("stem")[2]))


@pytest.mark.parametrize(
    "state",
    [State(99), State(0, "pool"), State(0, "stem", 99), State(0, "stem", 0, 99), State(0, "stem", 0, -1)],
)
def test_a_place_that_is_none_is_refused(slides, state):
    with pytest.raises(UserError):
        microscope.compute(slides, state)


def test_images_that_do_not_fit_are_refused():
    net = load_backbone("zoo-early")
    tall = ImageSet(np.zeros((5, 3, 8, 16), np.uint8), None, ("a",))
    with pytest.raises(UserError, match="square"):
        microscope.prepare(net, tall)
    with pytest.raises(UserError, match="names"):
        microscope.prepare(net, photographs(64), names=("one",))


def controls(view):
    box, picture = view.children
    picker, menus = box.children
    return picker, {c.description: c for c in menus.children}, picture


def test_the_view_follows_menus_sliders_and_clicks(slides):
    picker, menu, picture = controls(microscope.view(slides))
    first = picture.value
    assert "<img" in first and 'alt="Channel' in first
    picker.value = [2, 3]
    assert (menu["row"].value, menu["column"].value) == (2, 3) and "at row 2, column 3" in picture.value
    menu["row"].value = 4
    assert picker.value == [4, 3] and "at row 4, column 3" in picture.value
    menu["channel"].value = 5
    assert "Channel 5 of" in picture.value
    menu["stage"].value = "layer4"
    assert " of layer4 is" in picture.value and (picker.rows, picker.columns) == slides.shape("layer4")[1:]
    assert menu["row"].max == picker.rows - 1 and picker.value == [menu["row"].value, menu["column"].value]
    menu["image"].value = 3
    assert slides.names[3] in picker.label and picture.value != first


def test_an_error_stands_in_the_pictures_place_and_goes_with_the_next_move(slides, monkeypatch):
    _, menu, picture = controls(microscope.view(slides))

    def broken(*_):
        raise RuntimeError("out of <b>order</b>")

    with monkeypatch.context() as patched:
        patched.setattr(microscope, "compute", broken)
        menu["channel"].value = 1
    assert 'role="alert"' in picture.value and "out of &lt;b&gt;order" in picture.value
    menu["channel"].value = 2
    assert "Channel 2 of" in picture.value
