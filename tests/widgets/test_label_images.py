"""Labelling: what is shown follows the file, every answer is written at once, and trouble costs no label."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from transferlab.active.label_file import LabelFile
from transferlab.active.label_rows import Row
from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.widgets import label_images
from transferlab.widgets.label_images import LabelImages, State

CLASSES = ["cat", "dog"]


@pytest.fixture
def file(tmp_path):
    return LabelFile(tmp_path / "labels.csv", CLASSES, who="ann")


@pytest.fixture
def photos(tmp_path):
    """Six files, each of one grey of its own."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for k in range(6):
        Image.new("RGB", (40, 30), (40 * k,) * 3).save(folder / f"{k}.png")
    return [folder / f"{k}.png" for k in range(6)]


def press(view, answer, label=None, token=None):
    """As the page does it."""
    content = {"token": view.shown["token"] if token is None else token, "answer": answer, "label": label}
    view._handle_custom_msg(content, [])


def grey(view):
    """The grey of the picture that is shown."""
    import base64

    data = base64.b64decode(view.picture.split(",")[1])
    return Image.open(io.BytesIO(data)).convert("RGB").getpixel((0, 0))[0]


def test_answers_are_on_disk_before_the_next_image_is_shown(file, photos):
    view = LabelImages(photos, file, names=[p.name for p in photos], order=[4, 0, 2])
    shown = []
    view.observe(lambda change: shown.append((change["new"]["name"], len(file.rows()))), "shown")
    assert (view.shown["name"], grey(view), view.shown["total"]) == ("4.png", 160, 3)
    press(view, "label", "dog")
    assert (view.shown["name"], grey(view), view.shown["done"]) == ("0.png", 0, 1)
    press(view, "skip")
    press(view, "none")
    assert view.shown["name"] == "" and view.shown["end"] == "Done: 3 images answered." and view.picture == ""
    assert shown == [("0.png", 1), ("2.png", 2), ("", 3)]
    assert [(r.image, r.label, r.answer) for r in file.rows()] == [
        ("4.png", "dog", "label"), ("0.png", None, "skip"), ("2.png", None, "none")
    ]  # fmt: skip
    press(view, "label", "cat")
    assert len(file.rows()) == 3, "nothing is asked any more"


def test_a_new_widget_carries_on_and_undo_reaches_back(file, photos):
    first = LabelImages(photos, file)
    press(first, "label", "dog")
    press(first, "label", "cat")
    again = LabelImages(photos, LabelFile(file.path, CLASSES, who="ann"))
    assert again.shown["done"] == 2 and grey(again) == 80
    press(again, "undo")
    press(again, "undo")
    assert again.shown["done"] == 0 and grey(again) == 0 and "taken back" in again.shown["status"]
    before = file.path.read_bytes()
    press(again, "undo")
    assert "no answer of yours" in again.shown["status"] and file.path.read_bytes() == before
    assert LabelImages(photos, LabelFile(file.path, CLASSES, who="ben")).shown["done"] == 0


def test_undo_leaves_answers_about_other_images_alone(file, photos):
    file.add("elsewhere.png", "cat")
    view = LabelImages(photos, file)
    press(view, "undo")
    assert "no answer of yours" in view.shown["status"] and file.labels() == {"elsewhere.png": "cat"}


def test_an_answer_to_an_image_that_is_past_is_not_taken(file, photos):
    view = LabelImages(photos, file)
    past = view.shown["token"]
    press(view, "label", "dog")
    press(view, "label", "cat", token=past)
    assert len(file.rows()) == 1 and view.shown["token"] > past + 1, "the page is told that it may go on"


@pytest.mark.parametrize(
    ("answer", "label"), [("label", "bird"), ("label", None), ("maybe", None), ("skip", "cat")]
)
def test_an_answer_that_cannot_be_is_said_and_the_image_stays(file, photos, answer, label):
    view = LabelImages(photos, file)
    token = view.shown["token"]
    press(view, answer, label)
    assert "was not written" in view.shown["trouble"] and view.shown["token"] > token
    assert view.shown["done"] == 0 and grey(view) == 0 and not file.rows()
    press(view, "label", "cat")
    assert view.shown["trouble"] == "" and len(file.rows()) == 1


def test_a_file_that_someone_breaks_meanwhile_costs_no_label(file, photos):
    view = LabelImages(photos, file)
    press(view, "label", "cat")
    whole = file.path.read_bytes()
    file.path.write_bytes(whole[:-5])
    for answer, label in (("label", "dog"), ("skip", None), ("undo", None)):
        press(view, answer, label)
        assert "labels.csv', line 2: " in view.shown["trouble"] and "was not changed" in view.shown["trouble"]
        assert view.shown["done"] == 1 and grey(view) == 40 and file.path.read_bytes() == whole[:-5]
    file.path.write_bytes(whole)
    press(view, "label", "dog")
    assert list(file.labels().values()) == ["cat", "dog"] and view.shown["trouble"] == ""


def test_images_that_are_gone_are_named_and_the_next_is_asked(file, photos):
    view = LabelImages(photos, file, names=[p.name for p in photos], round_size=2)
    photos[1].unlink()
    photos[2].write_bytes(photos[2].read_bytes()[:60])
    press(view, "label", "cat")
    assert view.shown["trouble"].startswith("'1.png' is left out, as 1 other image: no such file.")
    assert (view.shown["name"], grey(view), view.shown["done"], view.shown["total"]) == ("3.png", 120, 1, 4)
    for _ in range(3):
        press(view, "label", "dog")
    assert view.shown["end"] == "Done: 4 images answered; 2 images could not be shown."
    assert set(file.labels()) == {"0.png", "3.png", "4.png", "5.png"}
    for photo in photos:
        photo.unlink(missing_ok=True)
    press(view, "undo")
    assert view.shown["name"] == "" and "'5.png' is left out: no such file" in view.shown["trouble"]


def test_no_image_that_can_be_shown_is_no_error(file, photos):
    for photo in photos:
        photo.unlink()
    view = LabelImages(photos, file)
    assert view.shown["name"] == "" and "6 images could not be shown" in view.shown["end"]


def test_rounds_are_told_the_labels_that_stand(file, photos):
    file.add("elsewhere.png", "cat")
    told = []
    view = LabelImages(
        photos, file, names=list("abcdef"), order=[5, 4, 3, 2, 1], round_size=2,
        on_round=lambda labels, past: told.append(labels) or f"{len(labels)} labels",
    )  # fmt: skip
    press(view, "label", "cat")
    assert told == [] and view.shown["round"] == ""
    press(view, "skip")
    assert told == [{"f": "cat"}] and view.shown["round"] == "After 2 answers: 1 labels"
    press(view, "undo")
    press(view, "label", "dog")
    assert told[1:] == [{"f": "cat", "e": "dog"}]
    for label in ("cat", "cat", "cat"):
        press(view, "label", label)
    assert [len(labels) for labels in told] == [1, 2, 4, 5], "the last round may be short"


def test_a_round_may_choose_what_is_asked_next(file, photos):
    asked = {2: [5, 0, 1], 4: [3], 5: ()}

    def learn(labels, past):
        return f"{len(labels)} labels", asked[len(labels)]

    names = [p.name for p in photos]
    view = LabelImages(photos, file, names=names, order=[0, 2], round_size=2, on_round=learn)
    seen = []
    while view.shown["name"]:
        seen.append(view.shown["name"])
        press(view, "label", "cat")
    assert seen == ["0.png", "2.png", "5.png", "1.png", "3.png"]  # 0 is not asked twice
    assert view.shown["total"] == 5 and view.shown["round"] == "After 5 answers: 5 labels"
    assert view.shown["end"] == "Done: 5 images answered." and len(file.labels()) == 5
    anew = LabelImages(photos, file, names=names, order=[0, 2], on_round=lambda labels, past: ("on", [4]))
    assert anew.shown["name"] == "4.png" and anew.shown["round"] == "After 2 answers: on"


@pytest.mark.parametrize("more", [[9], [1, 1], [-1]])
def test_a_round_that_asks_for_no_image_is_said_and_the_labels_stay(file, photos, more):
    view = LabelImages(photos, file, order=[0], on_round=lambda labels, past: ("fine", more))
    press(view, "label", "dog")
    assert "positions from 0 to 5" in view.shown["trouble"] and "labels are safe" in view.shown["trouble"]
    assert len(file.labels()) == 1


def test_a_round_that_fails_is_said_and_the_labels_stay(file, photos):
    view = LabelImages(photos, file, order=[0, 1], round_size=1, on_round=lambda labels, past: 1 / 0)
    press(view, "label", "cat")
    assert "The labels are safe" in view.shown["trouble"] and "division by zero" in view.shown["trouble"]
    assert view.shown["done"] == 1 and len(file.labels()) == 1
    press(view, "label", "dog")
    assert len(file.labels()) == 2
    assert "Run this cell again" in view.shown["trouble"] and "Done" not in view.shown["end"]


def test_picks_follow_an_answer_that_was_corrected(file, photos):
    names = [p.name for p in photos]
    follow = {"cat": [2, 3], "dog": [4, 5]}
    view = LabelImages(
        photos, file, names=names, order=[0, 1], round_size=2,
        on_round=lambda labels, past: (f"{len(labels)}", [] if len(labels) > 2 else follow[labels["1.png"]]),
    )  # fmt: skip
    press(view, "label", "cat")
    press(view, "label", "cat")
    assert view.shown["name"] == "2.png" and view.shown["total"] == 4
    press(view, "undo")
    press(view, "label", "dog")
    assert view.shown["name"] == "4.png" and view.shown["total"] == 4, (
        "what the wrong answer picked is dropped"
    )


def test_a_round_is_told_what_not_to_pick_and_asked_again_where_no_pick_can_be_shown(file, photos):
    names, told = [p.name for p in photos], []

    def pick(labels, past):
        told.append(set(past))
        return "fine", [k for k, name in enumerate(names) if name not in past][:1]

    view = LabelImages(photos, file, names=names, order=[5], round_size=1, on_round=pick)
    photos[0].unlink()
    photos[1].unlink()
    press(view, "skip")
    assert view.shown["name"] == "2.png" and view.shown["end"] == ""
    assert told == [{"5.png"}, {"0.png", "5.png"}, {"0.png", "1.png", "5.png"}]
    for _ in range(3):
        press(view, "label", "cat")
    assert view.shown["end"] == "Done: 4 images answered; 2 images could not be shown."


def test_rounds_are_as_long_as_they_should_be_where_an_image_is_gone(file, photos):
    ended = []
    view = LabelImages(
        photos, file, names=[p.name for p in photos], order=[0, 1, 2], round_size=3,
        on_round=lambda labels, past: (ended.append(len(labels)) or "fine", [3, 4, 5] if len(labels) < 4 else []),
    )  # fmt: skip
    photos[1].unlink()
    for _ in range(5):
        press(view, "label", "cat")
    assert ended == [2, 5]


def test_an_image_that_was_answered_in_another_view_is_not_answered_over(file, photos):
    first, second = LabelImages(photos, file), LabelImages(photos, file)
    press(second, "label", "dog")
    press(first, "label", "cat")
    assert "another view" in first.shown["status"] and first.shown["done"] == 1
    assert list(file.labels().values()) == ["dog"]


def test_a_round_hides_no_image_that_is_gone(file, photos):
    view = LabelImages(photos, file, round_size=1, on_round=lambda labels, past: "fine")
    photos[1].unlink()
    press(view, "label", "cat")
    assert "no such file" in view.shown["trouble"] and view.shown["round"] == "After 1 answer: fine"
    press(view, "label", "cat", token=0)
    assert "no such file" in view.shown["trouble"], "a late press hides nothing"
    press(view, "label", "cat")
    assert view.shown["trouble"] == ""


def test_sets_give_their_classes_and_names(file, tmp_path):
    pictures = np.zeros((2, 1, 8, 8), np.uint8)
    images = ImageSet(pictures, None, ("owl", "rat"), paths=("x/1.png", "x/2.png"))
    view = LabelImages(images, LabelFile(tmp_path / "other.csv"))
    assert view.classes == ["owl", "rat"] and view.shown["name"] == "x/1.png"
    assert LabelImages(images, file).classes == CLASSES, "the label file's classes come first"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"order": [0, 6]}, "positions from 0 to 5"),
        ({"order": [1, 1]}, "each once"),
        ({"order": []}, "at least one"),
        ({"order": [-1]}, "positions from 0"),
        ({"names": ["a"]}, "1 names for 6 images"),
        ({"names": list("aabcde")}, "two images to label are called 'a'"),
        ({"round_size": 0}, "round_size is 0"),
        ({"round_size": 2.5}, "round_size is 2.5"),
    ],
)
def test_what_does_not_fit_is_refused(file, photos, change, said):
    with pytest.raises(UserError, match=said):
        LabelImages(photos, file, **change)


def test_nothing_to_label_or_nothing_to_say_is_refused(file, photos, tmp_path):
    with pytest.raises(UserError, match="0 names for 0 images"):
        LabelImages([], file)
    with pytest.raises(UserError, match="no classes to choose from"):
        LabelImages(photos, LabelFile(tmp_path / "other.csv"))


@given(st.lists(st.sampled_from(["cat", "skip", "none", "undo", "gone"]), max_size=12))
@settings(max_examples=60)
def test_how_far_one_is_adds_up(moves):
    order, rows, stack, gone = tuple("abcdef"), [], [], {}
    for move in moves:
        name = next((n for n in order if n not in stack and n not in gone), None)
        if move == "undo":
            if stack:
                rows.append(Row(stack.pop(), None, "undo", "ann", "", 0.0))
        elif name is not None and move == "gone":
            gone[name] = "no such file"
        elif name is not None:
            label = move if move == "cat" else None
            rows.append(Row(name, label, "label" if label else move, "ann", "", 1.0))
            stack.append(name)
    found = label_images.compute(State(order, rows, "ann", gone))
    assert found.done == len(stack) == sum(found.counts.values())
    assert found.total == len(order) - len(gone)
    assert (found.name is None) == (found.done == found.total)
    other = label_images.compute(State(order, rows, "ben"))
    assert (other.name, other.done, other.total) == ("a", 0, 6)


def test_the_figure_shows_how_the_answers_stand(file, photos):
    view = LabelImages(photos, file)
    empty = label_images.static(view.state)
    assert empty.finding == "0 of 6 images answered: none yet (n = 0 answers)" and empty.png()[1:4] == b"PNG"
    for answer, label in (("label", "dog"), ("skip", None), ("label", "dog")):
        press(view, answer, label)
    card = label_images.static(view.state)
    assert card.finding == "3 of 6 images answered: 2 dog, 1 skipped (n = 3 answers)"
    assert [t.get_text() for t in card.axes[0].get_yticklabels()] == ["dog", "skipped"]
    assert [bar.get_width() for bar in card.axes[0].patches] == [2, 1] and card.png()[1:4] == b"PNG"
