"""Pictures to label: whole, upright, named by text; what is no picture is left out."""

import numpy as np
import pytest
from PIL import Image

from transferlab.active.label_file import LabelFile
from transferlab.widgets.label_images import LabelImages
from transferlab.widgets.label_pictures import named_images, picture


def test_a_file_is_shown_whole_and_upright(tmp_path):
    path = tmp_path / "large.jpg"
    image = Image.new("RGB", (1600, 400), (255, 0, 0))
    image.paste((0, 0, 255), (0, 0, 200, 400))  # blue on the left: a centre square would lose it
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter: left becomes top
    image.save(path, exif=exif)
    seen = picture(path)
    assert seen.shape == (3, 800, 200) and seen.dtype == np.uint8
    assert seen[2, 20].min() > 200 > seen[0, 20].max() and seen[0, -20].min() > 200 > seen[2, -20].max()


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4, 3), np.uint8), np.zeros((3, 4, 4)), np.zeros((4, 4), np.uint8)]
)
def test_arrays_that_are_no_pictures_are_left_out(tmp_path, image):
    file = LabelFile(tmp_path / "labels.csv", ["cat", "dog"])
    view = LabelImages([image, np.zeros((1, 4, 4), np.uint8)], file)
    assert "not a picture of uint8 (C, H, W)" in view.shown["trouble"] and view.shown["name"] == "image 1"


def test_names_of_paths_that_are_no_text_can_be_written(tmp_path):
    file = LabelFile(tmp_path / "labels.csv", ["cat", "dog"])
    _, names = named_images(["caf\udce9.png"])
    file.add(names[0], "cat")
    assert file.labels() == {"caf\ufffd.png": "cat"}
