"""The next images to label: chosen from real files, never asked twice, nothing of the person's overwritten."""

import csv

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from transferlab.active.label_file import LabelFile
from transferlab.cli import app
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.reports.next_images import USABLE, next_images

EVIL = "<img src=x onerror=alert(1)>.png"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Eight labelled digits of two classes in class folders, and twelve others beside each other."""
    root = tmp_path_factory.mktemp("digits")
    digits = load_bundled("digits").development
    (root / "new").mkdir()
    for label in (0, 1):
        (root / "known" / f"digit {label}").mkdir(parents=True)
        picks = np.flatnonzero(digits.labels == label)
        for k, i in enumerate(picks[:14]):
            picture = Image.fromarray(digits.images[i, 0]).resize((32, 32))
            picture.save(root / (f"known/digit {label}/{k}.png" if k < 8 else f"new/{label}{k}.png"))
    (root / "new" / f"0{8}.png").rename(root / "new" / EVIL)
    return root


def asked(folders, out, *more):
    return CliRunner().invoke(
        app,
        [
            "active",
            "next",
            str(folders / "known"),
            "--unlabelled",
            str(folders / "new"),
            "--out",
            str(out),
            *more,
        ],
    )


def test_csv_and_sheet_name_the_same_images_once(folders, tmp_path):
    result = asked(folders, tmp_path / "out", "--n", "5")
    assert result.exit_code == 0, result.output
    with open(tmp_path / "out" / "next.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [row["image"] for row in rows]
    assert [row["rank"] for row in rows] == list("12345") and {row["label"] for row in rows} == {""}
    assert len(set(names)) == 5 and all((folders / "new" / name).is_file() for name in names)
    page = (tmp_path / "out" / "next.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 5 and "digit 0, digit 1" in page


def test_the_whole_pool_can_be_asked_and_its_names_are_escaped(folders, tmp_path):
    result = asked(folders, tmp_path / "out", "--n", "12", "--strategy", "k-centre")
    page = (tmp_path / "out" / "next.html").read_text(encoding="utf-8")
    assert result.exit_code == 0 and EVIL not in page and "&lt;img src=x" in page


@pytest.mark.parametrize("strategy", USABLE)
def test_answered_images_are_not_asked_again(folders, tmp_path, strategy):
    file = LabelFile(tmp_path / "labels.csv", who="ann")
    for name, answer in (("010.png", "digit 0"), ("19.png", "digit 1")):
        file.add(name, answer)
    file.add("111.png", None, answer="none")
    found = next_images(
        str(folders / "known"), folders / "new", n=9, strategy=strategy, labels=file.path, progress=False
    )
    assert not {"010.png", "19.png", "111.png"} & set(found.names) and len(set(found.names)) == 9
    with pytest.raises(UserError, match=r"10 images are asked for, but 9 of .* are left to label"):
        next_images(
            str(folders / "known"), folders / "new", n=10, strategy=strategy, labels=file.path, progress=False
        )


def test_nothing_is_overwritten_and_mistakes_are_one_sentence(folders, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "next.csv").write_text("rank,image,label\n1,a.png,digit 0\n")
    cases = [
        (asked(folders, tmp_path / "out"), "may hold your labels"),
        (asked(folders, folders / "new" / "out"), "lies among the images"),
        (asked(folders, tmp_path / "b", "--strategy", "bald"), "is not one of random, least-confidence"),
        (asked(folders, tmp_path / "b", "--n", "13"), "13 images are asked for, but 12 of"),
        (asked(folders, tmp_path / "b", "--unlabelled", str(tmp_path / "gone")), "is not a folder"),
        (asked(folders, tmp_path / "b", "--labels", str(tmp_path / "typo.csv")), "there is no label file"),
        (
            asked(folders, tmp_path / "b", "--labels", str(folders / "new" / "010.png")),
            "inside the folder of images",
        ),
    ]
    for result, said in cases:
        assert isinstance(result.exception, UserError) and said in str(result.exception)
    assert (tmp_path / "out" / "next.csv").read_text().endswith("1,a.png,digit 0\n")
    assert not (tmp_path / "b").exists()


def test_an_answer_of_another_class_is_named(folders, tmp_path):
    LabelFile(tmp_path / "labels.csv").add("010.png", "digit 7")
    with pytest.raises(UserError, match="digit 7"):
        next_images(
            str(folders / "known"), folders / "new", n=2, labels=tmp_path / "labels.csv", progress=False
        )
