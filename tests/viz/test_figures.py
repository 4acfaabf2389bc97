"""Every figure on ordinary, extreme and hostile material."""

import base64
import io
import warnings

import IPython.display
import matplotlib as mpl
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from transferlab import viz
from transferlab.errors import UserError
from transferlab.viz.figure import style

HOSTILE = (
    "<script>alert(1)</script>", "$x_1$", r"\$5 \frac{", "under_score", "two\nlines", "\u05e9\u05dc\u05d5\u05dd",
    "\u732b\u306e\u5199\u771f", "W" * 60, "one of sixty letters, which nobody should have to read at all", " ",
)  # fmt: skip


def result(method="feature_extraction", accuracy=0.7, budget=None, **other):
    row = {
        "method": method, "backbone": None if method == "pixels" else "tiny", "trainable_from": None,
        "labels_per_class": budget, "val_accuracy": accuracy, "accuracy": accuracy,
        "ci_low": max(0, accuracy - 0.05), "ci_high": min(1, accuracy + 0.05), "per_seed": [accuracy] * 3,
        "n_test": 600, "seeds": 3, "fit_seconds": 4.2, "trainable_parameters": 1234,
    }  # fmt: skip
    return row | other


def answers(k, n=60, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    probabilities = rng.dirichlet(np.ones(k), n)
    return rng.integers(0, 256, (n, 3, 8, 8), dtype=np.uint8), truth, probabilities


def texts(card):
    """What the figure shows as text, with line breaks and escapes undone."""
    shown = [t.get_text() for t in card.findobj(mpl.text.Text) if t.get_visible()]
    return [t.replace("\n", "").replace(" ", "").replace(r"\$", "$") for t in shown]


def inside(card):
    """No visible text leaves the card."""
    with style():
        card.draw_without_rendering()
        renderer, box = card.canvas.get_renderer(), card.bbox
        for text in card.findobj(mpl.text.Text):
            if text.get_visible() and text.get_text().strip():
                b = text.get_window_extent(renderer)
                assert b.x0 >= box.x0 - 1 and b.x1 <= box.x1 + 1, text.get_text()
                assert b.y0 >= box.y0 - 1 and b.y1 <= box.y1 + 1, text.get_text()


METHODS = ("pixels", "scratch", "random_frozen", "feature_extraction", "fine_tuning", "full_fine_tuning")


def study(budgets, backbones=("tiny",)):
    rng = np.random.default_rng(1)
    return [
        result(
            m, float(rng.uniform(0.2, 0.9)), k, backbone=None if m == "pixels" else b, trainable_from=stage
        )
        for k in budgets
        for m in METHODS
        for b in (backbones[:1] if m == "pixels" else backbones)
        for stage in (("layer4", "layer3") if m == "fine_tuning" else (None,))
    ]


def every_figure(classes):
    images, truth, probabilities = answers(len(classes))
    yield viz.examples(images, truth, classes)
    yield viz.worst_mistakes(images, truth, probabilities, classes)
    yield viz.confusion(truth, probabilities, classes)
    yield viz.class_balance(dict(zip(classes, range(1, len(classes) + 1), strict=True)))


@pytest.mark.parametrize("classes", [HOSTILE, ("a", "b"), tuple(f"{i}{HOSTILE[i % 10]}" for i in range(200))])
def test_names_stay_inside_the_card_and_no_warning_is_given(classes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for card in every_figure(classes):
            inside(card)
            assert "n = " in card.finding


def test_results_stay_inside_the_card():
    for rows in (study([None]), study([1, None], ("tiny", "timm/a_backbone_with_a_long_name.in1k"))):
        inside(viz.arms(rows, chance=0.1))
        inside(viz.learning_curves(rows))


@pytest.mark.parametrize("name", [n for n in HOSTILE if len(n) < 30 and n.strip()])
def test_names_are_shown_letter_by_letter(name):
    wanted = name.replace("\n", r"\n").replace(" ", "")
    images, truth, probabilities = answers(2)
    cards = [
        viz.class_balance({name: 3, "other": 1}),
        viz.examples(images, truth, (name, "other")),
        viz.confusion(truth, probabilities, (name, "other")),
        viz.worst_mistakes(images, truth, probabilities, (name, "other")),
    ]
    for card in cards:
        assert any(wanted in t for t in texts(card))


def test_a_formula_is_not_typeset():
    width = {}
    for name in ("x", "$x_1$"):
        card = viz.class_balance({name: 1, "b": 1})
        (label,) = [t for t in card.axes[0].get_yticklabels() if "x" in t.get_text()]
        width[name] = label.get_window_extent(card.canvas.get_renderer()).width
    assert width["$x_1$"] > 4 * width["x"]  # five letters, not an x with an index


def test_right_to_left_names_keep_the_order_of_the_sentence():
    first, second = "\u05d0\u05d1", "\u05d2\u05d3"
    truth = np.repeat(np.arange(30), 2)
    answer = truth.copy()
    answer[0] = 1
    card = viz.confusion(truth, answer, (first, second, *(f"c{i}" for i in range(28))))
    (pair,) = [t for t in texts(card) if "→" in t and first in t]
    assert pair.startswith("\u200e" + first + "\u200e")  # marks keep the arrow and the counts left to right
    assert first + "\u200e is taken for " + second + "\u200e: 1 of 2" in card.finding


def test_confusion_counts_and_names_the_most_frequent():
    truth = np.array([0, 0, 0, 1, 1, 2])
    card = viz.confusion(truth, np.array([0, 1, 1, 1, 0, 2]), ("cat", "dog", "owl"))
    assert (
        card.finding == "50 % right (n = 6 test images, 3 classes); most often cat is taken for dog: 2 of 3"
    )
    assert {"2 67 %", "1 33 %", "1 50 %", "1 100 %"} <= {t.replace("\n", " ") for t in _cells(card)}


def _cells(card):
    return [t.get_text() for t in card.axes[0].texts]


def test_confusion_takes_probabilities_and_predictions_alike():
    _, truth, probabilities = answers(5)
    classes = tuple("abcde")
    assert _cells(viz.confusion(truth, probabilities, classes)) == _cells(
        viz.confusion(truth, probabilities.argmax(1), classes)
    )


def test_confusion_with_a_class_that_the_test_lacks():
    card = viz.confusion(np.array([0, 0]), np.array([0, 2]), ("cat", "dog", "owl"))
    assert "n=0" in texts(card)


def test_many_classes_list_pairs_by_count():
    truth = np.repeat(np.arange(40), 5)
    answer = truth.copy()
    answer[5:9], answer[0:2] = 0, 1  # four of class 1 for class 0, two of class 0 for class 1
    card = viz.confusion(truth, answer, [f"c{i}" for i in range(40)])
    assert [t.get_text() for t in card.axes[0].get_yticklabels()] == ["c1 → c0", "c0 → c1"]
    assert "4of5" in texts(card)


def test_everything_right_needs_no_pairs():
    truth = np.arange(30)
    card = viz.confusion(truth, truth, [str(i) for i in truth])
    assert card.finding == "100 % right (n = 30 test images, 30 classes)"
    card.png()


def test_worst_mistakes_are_wrong_and_in_order_of_confidence():
    p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.99, 0.01]])
    images = np.zeros((4, 1, 8, 8), np.uint8)
    card = viz.worst_mistakes(images, np.array([1, 1, 0, 0]), p, ("cat", "dog"))
    assert [t.get_text() for t in card.axes[0].texts] == [
        "answer, 90 %: cat\ntruth: dog", "answer, 80 %: dog\ntruth: cat", "answer, 60 %: cat\ntruth: dog",
    ]  # fmt: skip
    assert card.finding.startswith("All 3 mistakes (n = 4 test images)")
    assert len(viz.worst_mistakes(images, np.array([1, 1, 0, 0]), p, ("cat", "dog"), k=2).axes[0].texts) == 2


def test_small_images_are_not_blurred():
    image = np.zeros((2, 1, 4, 4), np.uint8)
    image[:, :, ::2] = 255
    card = viz.examples(image, np.array([0, 1]), ("a", "b"), per_class=1)
    drawn = np.asarray(Image.open(io.BytesIO(card.png())).convert("L"))
    box = card.axes[0].get_window_extent()
    inner = drawn[-int(box.y1 * 1.5) :, int(box.x0 * 1.5) + 6 : int(box.x0 * 1.5) + 100]
    greys = (inner > 15) & (inner < 200)
    assert greys.mean() < 0.05 < (inner <= 15).mean()


def test_examples_of_wide_grey_and_few_images():
    images = np.zeros((3, 1, 4, 20), np.uint8)
    card = viz.examples(images, np.array([0, 0, 2]), ("a", "none here", "c"), per_class=5)
    assert "2 of 3 classes" in card.finding and "20" in card.finding
    assert len(card.axes[0].images) == 3


def test_arms_title_follows_validation_not_the_test():
    rows = [
        result("feature_extraction", 0.9, val_accuracy=0.5),
        result("full_fine_tuning", 0.8, val_accuracy=0.6),
    ]
    assert viz.arms(rows).finding.startswith("Full fine-tuning, best on validation, reaches 80 %")
    assert viz.arms(rows[:1]).finding.startswith("Feature extraction reaches 90 %")


def test_arms_shows_seconds_parameters_and_chance():
    shown = texts(viz.arms([result(), result("pixels", 0.3)], chance=0.25))
    assert {"4.2s", "1.2k", "70%", "30%", "chance25%"} <= set(shown)
    assert not any("chance" in t for t in texts(viz.arms([result()])))


def test_baselines_are_hollow():
    def faces(card):
        lines = card.axes[0].lines
        return {line.get_markerfacecolor() for line in lines if line.get_marker() == "o"}

    hollow, filled = (faces(viz.arms([result(m)])) for m in ("random_frozen", "feature_extraction"))
    assert hollow == {mpl.colors.to_hex(viz.arms([result()]).get_facecolor())} != filled


def test_missing_numbers_leave_gaps():
    bare = [{"method": m, "accuracy": 0.5} for m in METHODS]
    holes = [result(ci_low=None, val_accuracy=None, fit_seconds=None, trainable_parameters=None, per_seed=[])]
    for rows in (bare, holes, bare + holes):
        inside(viz.arms(rows))
        inside(viz.learning_curves(rows))
    assert "–" in texts(viz.arms(holes))


def test_curves_put_all_labels_last_and_few_first():
    rows = [result(budget=k, accuracy=a) for k, a in ((None, 0.9), (2, 0.3), (20, 0.6))]
    card = viz.learning_curves(rows)
    (line,) = [x for x in card.axes[0].lines if len(x.get_xdata()) == 3]
    assert list(line.get_ydata()) == [30, 60, 90] and list(np.diff(line.get_xdata()) > 0) == [True, True]
    assert card.finding.startswith("Feature extraction goes from 30 % with 2 labels a class to 90 % with all")


def test_curves_give_each_backbone_a_panel():
    card = viz.learning_curves(study([1, 10], ("tiny", "$b_1$")))
    assert [a.get_title("left").replace("\\", "") for a in card.axes] == ["tiny", "$b_1$"]
    assert len({a.get_ylim() for a in card.axes}) == 1


@pytest.mark.parametrize("counts", [{"a": 5}, {"a": 0, "b": 9}, {"a": 0}, {str(i): i for i in range(1, 90)}])
def test_balance_of_odd_counts(counts):
    card = viz.class_balance(counts)
    inside(card)
    assert f"n = {sum(counts.values()):,}" in card.finding


IMAGES, TRUTH, PROBABILITIES = answers(2, 4)
NAN = np.full((4, 2), np.nan)


@pytest.mark.parametrize(
    "call",
    [
        lambda: viz.arms([]),
        lambda: viz.learning_curves([]),
        lambda: viz.arms([{"method": "pixels"}]),
        lambda: viz.class_balance({}),
        lambda: viz.class_balance({"a": -1}),
        lambda: viz.confusion(TRUTH, PROBABILITIES, "abc"),
        lambda: viz.confusion(TRUTH, NAN, "ab"),
        lambda: viz.confusion(TRUTH, TRUTH + 7, "ab"),
        lambda: viz.confusion(TRUTH, TRUTH - 1, "a"),
        lambda: viz.confusion(TRUTH, TRUTH / 2, "ab"),
        lambda: viz.confusion(TRUTH[:0], TRUTH[:0], "ab"),
        lambda: viz.worst_mistakes(IMAGES, TRUTH, PROBABILITIES.argmax(1), "ab"),
        lambda: viz.worst_mistakes(IMAGES[:2], TRUTH, PROBABILITIES, "ab"),
        lambda: viz.examples(IMAGES.astype(float), TRUTH, "ab"),
        lambda: viz.examples(IMAGES[:0], TRUTH[:0], "ab"),
        lambda: viz.examples(IMAGES, TRUTH, "ab", per_class=0),
    ],
)
def test_bad_input_ends_in_one_sentence(call):
    with pytest.raises(UserError) as caught:
        call()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_figures_leave_inputs_and_settings_alone():
    images, truth, probabilities = answers(3)
    before = [a.copy() for a in (images, truth, probabilities)]
    with mpl.rc_context({"axes.facecolor": "black", "text.usetex": True, "figure.dpi": 37}):
        settings = dict(mpl.rcParams)
        card = viz.confusion(truth, probabilities, "abc")
        inside_dark = card.png()
        assert dict(mpl.rcParams) == settings
    assert inside_dark == viz.confusion(truth, probabilities, "abc").png()
    viz.worst_mistakes(images, truth, probabilities, "abc")
    assert all((a == b).all() for a, b in zip((images, truth, probabilities), before, strict=True))


def test_a_card_shows_itself_with_its_title_as_alternative_text():
    data, metadata = viz.class_balance({"two\nlines": 2, "b": 2})._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.width == 1200 and metadata["image/png"]["width"] == 800
    assert metadata["image/png"]["alt"] == data["text/plain"] == "Every class has 2 images (n = 4, 2 classes)"


def test_a_notebook_shows_each_card_once_and_whole(monkeypatch):
    published = []
    monkeypatch.setattr(IPython.display, "publish_display_data", lambda *a: published.append(a))
    formatter = DisplayFormatter()
    # What %matplotlib inline does: a printer for every Figure, which crops and resizes.
    formatter.formatters["image/png"].for_type(mpl.figure.Figure, lambda figure: b"cropped")
    assert formatter.format(viz.class_balance({"a": 2, "b": 1})) == ({}, {})
    ((data, metadata),) = published
    assert base64.b64decode(data["image/png"])[1:4] == b"PNG"
    assert metadata["image/png"]["alt"] == data["text/plain"]
