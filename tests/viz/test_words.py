"""Names, wrapping, spreading of labels, colours."""

import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.cbook import is_math_text
from matplotlib.colors import to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from transferlab import viz
from transferlab.viz.figure import COLOURS, FAINT, GREY, GROUND, INK, style
from transferlab.viz.lettering import lettered, spread_labels, text_width, wrapped
from transferlab.viz.words import percent, row_names, visible

# Any letters at all, lone surrogates (undecodable file names) among them.
ANY_TEXT = st.text(st.characters(), max_size=70) | st.text("$x_1 \\\n\u202e\u05d0", max_size=20)


@settings(max_examples=60, deadline=None)
@given(ANY_TEXT, st.integers(1, 4))
def test_wrapped_lines_fit_and_lose_nothing_but_the_rest(name, lines):
    with style():
        found = wrapped(name, 120, 9, lines)
        assert 1 <= len(found) <= lines
        for line in found:
            assert text_width(line, 9) <= 121 or len(line) <= 2
    whole = visible(name).replace(" ", "")
    joined = "".join(found).replace(" ", "")
    if joined.endswith("…") and joined != whole:
        assert whole.startswith(joined[:-1])
    else:
        assert joined.split() == whole.split() or joined == whole


@settings(max_examples=60, deadline=None)
@given(ANY_TEXT)
def test_lettered_is_one_visible_line_without_mathematics(name):
    text = lettered(name)
    assert not is_math_text(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)
    assert not {"\u202a", "\u202e", "\u2066", "\u2069"} & set(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.5, 8)), min_size=1, max_size=12))
def test_labels_keep_their_order_and_never_overlap(pairs):
    wanted, heights = map(np.array, zip(*pairs, strict=True))
    spots = spread_labels(wanted, heights, 0, 100)
    order = np.argsort(wanted, kind="stable")
    gaps = np.diff(spots[order]) - (heights[order][:-1] + heights[order][1:]) / 2
    assert (gaps > -1e-6).all()
    assert (spots - heights / 2).min() > -1e-6 and (spots + heights / 2).max() < 100 + 1e-6


def test_labels_with_room_stay_where_they_belong():
    wanted = np.array([50.0, 10.0, 90.0])
    assert np.allclose(spread_labels(wanted, np.full(3, 5.0), 0, 100), wanted)


@given(st.floats(0, 1))
def test_only_exact_fractions_are_nought_or_a_hundred(fraction):
    assert (percent(fraction) in ("0 %", "100 %")) == (fraction in (0, 1))


def test_rows_are_told_apart_by_backbone_and_budget_only_where_needed():
    row = {"method": "fine_tuning", "trainable_from": "layer4", "backbone": "tiny", "labels_per_class": 5}
    assert row_names([row]) == ["fine-tuning from layer4"]
    assert row_names([row, row | {"backbone": "big"}]) == [
        "fine-tuning from layer4 · tiny", "fine-tuning from layer4 · big",
    ]  # fmt: skip
    two = row_names([row, row | {"labels_per_class": None}], budgets=True)
    assert two == ["fine-tuning from layer4 · 5 labels a class", "fine-tuning from layer4 · all labels"]


def test_every_method_has_a_name_of_its_own():
    names = [viz.method_name({"method": m, "trainable_from": "layer4"}) for m in viz.METHOD_NAMES]
    assert len(set(names)) == len(names) and not any("STAGE" in n or "_" in n for n in names)
    assert viz.method_name({"method": "something_new"}) == "something_new"


def _linear(colour):
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def _luminance(colour):
    return _linear(colour) @ (0.2126, 0.7152, 0.0722)


@pytest.mark.parametrize("colour", [*COLOURS, GREY, FAINT, INK])
def test_text_reads_on_the_card(colour):
    """Contrast of at least 4.5, as WCAG 2 asks of small text; the card brings its own ground."""
    assert (_luminance(GROUND) + 0.05) / (_luminance(colour) + 0.05) >= 4.5


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
SEEN = {
    "all colours": np.eye(3),
    "no long waves": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.00388, -0.04812, 1.052]],
    "no middle waves": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.96888]],
}  # fmt: skip


@pytest.mark.parametrize("eye", SEEN)
def test_line_colours_are_told_apart_by_every_eye(eye):
    linear = np.clip([np.array(SEEN[eye]) @ _linear(c) for c in COLOURS], 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    for a, b in itertools.combinations(rgb2lab(srgb), 2):
        assert deltaE_ciede2000(a, b) > 10
