"""A folder is labelled in rounds: every round scores and picks, a restart carries on, nothing is asked twice."""

import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from transferlab import load_backbone
from transferlab.active import query
from transferlab.active.label_file import LabelFile
from transferlab.active.strategies import round_seed
from transferlab.data import ImageSet
from transferlab.data.bundled import load_bundled
from transferlab.data.unlabelled import read_unlabelled
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
    assert view.shown["round"].startswith("Labels of two classes are needed")
    asked = tell(view, 3)
    assert view.shown["total"] == 4
    asked += tell(view, 1)
    assert view.shown["round"].startswith("After 4 answers: ") and view.shown["total"] == 8
    asked += tell(view, 10)
    assert sorted(asked) == sorted(p.name for p in digits.glob("[01]-[0-6].png")), "each image once"
    assert view.shown["end"] == "Done: 14 images answered."
    assert "of 14 labelled images told right" in view.shown["round"]


def test_the_strategy_picks(digits, file):
    asked = tell(open_folder(digits, file, strategy="k-centre"), 4)
    images, _ = read_unlabelled(digits, 64, progress=False)
    features = load_backbone("tiny").features(images.images)
    assert asked == [
        images.paths[k] for k in query("k-centre", features=features, n=4, seed=round_seed(0, 0))
    ]


def test_a_new_widget_carries_on_and_says_how_good_the_head_is(digits, file):
    asked = tell(open_folder(digits, file), 6)
    again = open_folder(digits, file)
    assert (again.shown["done"], again.shown["total"]) == (6, 10)
    assert "of 6 labelled images told right" in again.shown["round"]
    asked += tell(again, 4)
    assert "of 10 labelled images told right" in again.shown["round"] and again.shown["total"] == 14
    asked += tell(again, 1)
    assert len(set(asked)) == 11


def test_undo_and_skips_ask_nothing_twice_and_lose_nothing(digits, file):
    view = open_folder(digits, file, strategy="margin")
    tell(view, 4)
    view.answer("undo")
    name = view.shown["name"]
    view.answer("label", CLASSES[1 - int(name[0])])  # another answer, after which others are picked
    assert view.shown["total"] == 8 and len(file.labels()) == 4
    skipped = view.shown["name"]
    view.answer("skip")
    asked = tell(view, 9)
    assert skipped not in asked and len(set(asked)) == 9 and view.shown["name"] == ""


def test_what_somebody_else_labelled_is_not_asked_and_all_done_is_said(digits, file):
    tell(open_folder(digits, file), 14)
    ben = open_folder(digits, LabelFile(file.path, CLASSES, who="ben"))
    assert ben.shown["name"] == "" and ben.shown["end"].startswith("Done: 0 images answered")
    assert "of 14 labelled images told right" in ben.shown["round"]


def test_an_image_that_vanishes_ends_no_session(digits, file, tmp_path):
    folder = shutil.copytree(digits, tmp_path / "digits")
    view = open_folder(folder, file, strategy="k-centre")
    for name in [p.name for p in folder.glob("[01]-[0-6].png")]:
        if name != view.shown["name"]:
            (folder / name).unlink()
            break
    assert len(set(tell(view, 13))) == 13 and view.shown["end"].startswith("Done: 13 images answered")


def test_a_copy_that_came_later_is_not_asked_about(digits, file, tmp_path):
    folder = shutil.copytree(digits, tmp_path / "digits")
    asked = tell(open_folder(folder, file), 4)
    shutil.copy(folder / asked[0], folder / "0-a.png")
    again = open_folder(folder, file)
    assert again.shown["done"] == 4 and "of 4 labelled images" in again.shown["round"]
    assert "0-a.png" not in tell(again, 10)


@pytest.mark.skipif(os.name == "nt", reason="names there are text")
def test_names_that_are_no_text_are_said_and_left_out(digits, file, tmp_path):
    folder = shutil.copytree(digits, tmp_path / "digits")
    for k, name in enumerate((b"caf\xe9.png", b"caf\xe8.png")):
        Image.new("L", (32, 32), 90 * k).save(os.fsencode(folder) + b"/" + name)
    view = open_folder(folder, file)
    assert "3 files that cannot be read" in view.shown["status"] and len(set(tell(view, 14))) == 14


def test_validation_images_score_whatever_the_order_of_their_classes(digits, file):
    part = load_bundled("digits").development[-60:]
    held = part[np.flatnonzero(part.labels < 2)]
    shown = []
    for labels, classes in ((held.labels, ("zero", "one")), (1 - held.labels, ("one", "zero"))):
        view = open_folder(digits, file, validation=ImageSet(held.images, labels, classes))
        tell(view, 14 - view.shown["done"])
        shown.append(view.shown["round"])
    assert shown[0] == shown[1] and f"of {len(held)} validation images told right" in shown[0]
    assert int(re.search(r"(\d+) % of", shown[0])[1]) > 60


def test_what_does_not_fit_is_one_sentence(digits, file, tmp_path):
    images, _ = read_unlabelled(digits, 64, progress=False)
    part = load_bundled("digits").development
    inside = ImageSet(images.images, np.zeros(len(images), np.int64), ("zero", "one"))
    cases = [
        ((tmp_path / "gone", file), {}, "is not a folder"),
        ((digits, "labels.csv"), {}, "is a LabelFile"),
        ((digits, LabelFile(digits / "labels.csv", CLASSES)), {}, "inside the folder of images"),
        ((digits, LabelFile(tmp_path / "l.csv")), {}, "two or more classes"),
        ((digits, file), {"round_size": "3"}, "round_size is '3'"),
        ((digits, file), {"strategy": "best"}, "'best' is not known"),
        ((digits, file), {"validation": part}, "those of the label file zero, one"),
        ((digits, file), {"validation": part.without_labels()}, "ImageSet with labels"),
        ((digits, file), {"validation": part.images}, "ImageSet with labels"),
        ((digits, file), {"validation": inside}, "14 validation images lie in the folder to label, too"),
    ]
    for given, more, said in cases:
        with pytest.raises(UserError, match=said):
            label_folder(*given, **{"progress": False, **more})
    assert not list(digits.glob("*.csv"))
