"""A folder is labelled in rounds: every round scores and picks, a restart carries on, nothing is asked twice."""

import numpy as np
import pytest
from PIL import Image

from transferlab.active.label_file import LabelFile
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.widgets.label_folder import label_folder

CLASSES = ["zero", "one"]


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Fourteen digits as files whose names say the class, a copy, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("digits")
    part = load_bundled("digits").development
    for label in (0, 1):
        for k, i in enumerate(np.flatnonzero(part.labels == label)[:7]):
            Image.fromarray(part.images[i, 0]).resize((32, 32)).save(folder / f"{label}-{k}.png")
    (folder / "1-copy.png").write_bytes((folder / "1-0.png").read_bytes())
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def file(tmp_path):
    return LabelFile(tmp_path / "labels.csv", CLASSES, who="ann")


def open_folder(digits, file, **more):
    return label_folder(digits, file, round_size=4, progress=False, **more)


def tell(view, times):
    """Answer by the file's name; the images that were asked."""
    asked = []
    for _ in range(times):
        asked.append(view.shown["name"])
        view.answer("label", CLASSES[int(asked[-1][0])])
    return asked


def test_rounds_score_pick_and_end_when_all_is_answered(digits, file):
    view = open_folder(digits, file)
    assert "1 copy of other pictures" in view.shown["status"] and "'broken.png'" in view.shown["status"]
    asked = tell(view, 3)
    assert not view.shown["round"] and view.shown["total"] == 4
    asked += tell(view, 1)
    assert view.shown["round"].startswith("After 4 answers: ") and view.shown["total"] == 8
    asked += tell(view, 10)
    assert sorted(asked) == sorted(p.name for p in digits.glob("[01]-[0-6].png")), "each image once"
    assert (
        view.shown["end"] == "Done: 14 images answered."
        and "of 14 labelled images told right" in view.shown["round"]
    )


def test_a_new_widget_carries_on_in_the_round_and_at_its_end(digits, file):
    asked = tell(open_folder(digits, file), 6)
    again = open_folder(digits, file)
    assert (again.shown["done"], again.shown["total"], again.shown["round"]) == (6, 8, "")
    asked += tell(again, 2)
    third = open_folder(digits, file)
    assert "of 8 labelled images told right" in third.shown["round"] and third.shown["total"] == 12
    asked += tell(third, 1)
    assert len(set(asked)) == 9


def test_undo_at_the_end_of_a_round_and_skips_ask_nothing_twice_and_lose_nothing(digits, file):
    view = open_folder(digits, file, strategy="k-centre")
    tell(view, 4)
    view.answer("undo")
    assert view.shown["done"] == 3
    last = tell(view, 1)
    assert view.shown["total"] == 8 and file.labels()[last[0]]
    skipped = view.shown["name"]
    view.answer("skip")
    asked = tell(view, 9)
    assert skipped not in asked and len(set(asked)) == 9 and view.shown["name"] == ""


def test_validation_images_score(digits, file, tmp_path):
    part = load_bundled("digits").development[-60:]
    held = part[np.flatnonzero(part.labels < 2)]
    named = type(held)(held.images, held.labels, ("zero", "one"))
    view = open_folder(digits, file, validation=named)
    tell(view, 8)
    assert f"of {len(held)} validation images told right" in view.shown["round"]
    with pytest.raises(UserError, match="the classes of the label file, zero, one"):
        open_folder(digits, file, validation=part)


def test_what_does_not_fit_is_one_sentence(digits, file, tmp_path):
    cases = [
        ((tmp_path / "gone", file), {}, "is not a folder"),
        ((digits, LabelFile(digits / "labels.csv", CLASSES)), {}, "inside the folder of images"),
        ((digits, LabelFile(tmp_path / "l.csv")), {}, "two or more classes"),
        ((digits, file), {"round_size": 0}, "at least one image"),
        ((digits, file), {"strategy": "best"}, "'best' is not known"),
    ]
    for given, more, said in cases:
        with pytest.raises(UserError, match=said):
            label_folder(*given, progress=False, **more)
    assert not list(digits.glob("*.csv"))
