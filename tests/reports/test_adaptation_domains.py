"""Two domains are read and refused before anything is trained."""

import json

import numpy as np
import pytest
from PIL import Image

from transferlab.data.unlabelled import read_unlabelled
from transferlab.errors import UserError
from transferlab.reports.adaptation_domains import (
    at_resolution,
    check_domains,
    load_domains,
    native_side,
)

SIDE = 24


def write_images(folder, n, level=0, side=SIDE):
    rng = np.random.default_rng(level)
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        pixels = rng.integers(0, 120, (side, side + i, 3), np.uint8) + np.uint8(level)
        Image.fromarray(pixels).save(folder / f"{i}.png")


@pytest.fixture
def source(tmp_path):
    for level, name in enumerate(("cat", "dog")):
        write_images(tmp_path / "source" / name, 12, 60 * level)
    return tmp_path / "source"


@pytest.fixture
def flat(tmp_path):
    write_images(tmp_path / "flat", 9, 100, side=20)
    return tmp_path / "flat"


def test_flat_target_keeps_no_label_and_is_reduced_to_the_smaller_side(source, flat):
    data = load_domains(str(source), str(flat), progress=False)
    assert (data.classes, data.target.classes) == (("cat", "dog"), ("cat", "dog"))
    assert data.target.labels is None and data.test is None
    assert (len(data.target), data.resolution, data.target_name) == (9, 20, "flat")
    assert len(data.source) + len(data.source_held) == 24
    assert data.backbone.preprocessing.input_size == 32


def test_resolution_that_was_asked_for_is_taken(source, flat):
    assert load_domains(str(source), str(flat), resolution=40, progress=False).resolution == 40
    with pytest.raises(UserError, match="resolution must be 0"):
        load_domains(str(source), str(flat), resolution=4)


def test_labelled_target_is_adapted_to_without_its_labels_and_tested_on_other_images():
    data = load_domains("printed-digits", "digits", most=100, progress=False)
    assert data.target.labels is None and data.target.paths is None and len(data.target) == 100
    assert data.test.looks == 0 and data.test.image_set.labels is None
    assert data.resolution == 8
    adapted = {image.tobytes() for image in data.target.images}
    assert not adapted & {image.tobytes() for image in data.test.images}


def test_folders_inside_a_flat_target_do_not_matter_where_images_lie_beside_them(source, flat):
    write_images(flat / "holiday", 2, 30)
    assert not check_domains(str(source), str(flat))
    images, audit = read_unlabelled(flat, 16, progress=False)
    assert len(images) == audit["read"] == 11


def test_target_of_one_subfolder_is_unlabelled(source, tmp_path):
    write_images(tmp_path / "camera" / "100", 4, 20)
    assert not check_domains(str(source), str(tmp_path / "camera"))


def test_broken_and_equal_files_are_named(flat):
    (flat / "broken.jpg").write_bytes(b"no image")
    (flat / "copy.png").write_bytes((flat / "3.png").read_bytes())
    images, audit = read_unlabelled(flat, 16, progress=False)
    assert len(images) == 9
    assert [q["path"] for q in audit["quarantined"]] == ["broken.jpg"]
    assert audit["duplicates"] == [{"paths": ["3.png", "copy.png"]}]
    json.dumps(audit)


def test_native_side_is_that_of_the_files_and_not_of_the_decoded_squares(flat):
    images, _ = read_unlabelled(flat, 64, progress=False)
    assert native_side(images) == 20
    small, _ = read_unlabelled(flat, 16, progress=False)
    assert native_side(small) == 16


def test_wrong_order_is_said_as_such(source, flat):
    with pytest.raises(UserError, match=r"wrong order.*give the labelled one first"):
        check_domains(str(flat), str(source))


def test_source_without_labels(flat, tmp_path):
    write_images(tmp_path / "more", 3, 5)
    with pytest.raises(UserError, match=r"the source .* has no labels"):
        check_domains(str(tmp_path / "more"), str(flat))


def test_different_classes(source, tmp_path):
    for name in ("cat", "horse"):
        write_images(tmp_path / "other" / name, 3)
    with pytest.raises(UserError, match=r"'dog' is in the source alone; 'horse' is in the target alone"):
        check_domains(str(source), str(tmp_path / "other"))
    with pytest.raises(UserError, match="different classes"):
        load_domains("digits", "letters", progress=False)


def test_target_of_one_image_as_folder_file_or_copies(source, tmp_path):
    write_images(tmp_path / "one", 1)
    for target, said in ((tmp_path / "one", "holds 1 image"), (tmp_path / "one" / "0.png", "is one image")):
        with pytest.raises(UserError, match=f"{said}, which shows no distribution"):
            check_domains(str(source), str(target))
    (tmp_path / "one" / "again.png").write_bytes((tmp_path / "one" / "0.png").read_bytes())
    with pytest.raises(UserError, match="2 readable images, all of them equal; give at least two different"):
        read_unlabelled(tmp_path / "one", 16, progress=False)


def test_source_of_one_class_folder(source, tmp_path):
    write_images(tmp_path / "lonely" / "cat", 3)
    with pytest.raises(UserError, match="has one class folder, 'cat'; classes are learned from at least two"):
        check_domains(str(tmp_path / "lonely"), str(source))


def test_missing_empty_and_unreadable_domains(source, flat, tmp_path):
    for pair in (
        (str(tmp_path / "none"), str(flat)),
        (str(source), str(tmp_path / "none")),
        (str(source), ""),
    ):
        with pytest.raises(UserError, match=r"neither a bundled set|is empty"):
            check_domains(*pair)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no images"):
        check_domains(str(source), str(tmp_path / "empty"))
    for i in range(3):
        (tmp_path / "empty" / f"{i}.jpg").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"no readable images \('0.jpg'"):
        load_domains(str(source), str(tmp_path / "empty"), progress=False)


def test_one_domain_twice(source):
    with pytest.raises(UserError, match="are both"):
        check_domains(str(source), str(source))
    with pytest.raises(UserError, match="are both"):
        check_domains("digits", "digits")


def test_one_folder_by_two_names_or_inside_the_other(source, monkeypatch):
    monkeypatch.chdir(source.parent)
    inside = next(path for path in source.iterdir() if path.is_dir())
    for one, other in (
        (source.name, f"./{source.name}"),
        (str(source), source.name),
        (str(source), str(inside)),
        (str(inside), str(source)),
    ):
        with pytest.raises(UserError, match="one folder, or one lies inside"):
            check_domains(one, other)


def test_images_with_few_pixels_are_seen_by_a_smaller_network_and_others_are_not():
    from transferlab import load_backbone

    tiny = load_backbone("tiny")
    sides = [at_resolution(tiny, side).preprocessing.input_size for side in (8, 32, 33, 64)]
    assert sides == [32, 32, 64, 64]
