"""One call for every kind of name; every mistake is one sentence."""

import os
import subprocess
import sys

import numpy as np
import pytest
from image_folders import classes, write

from transferlab.data import load_task
from transferlab.data.bundled import BUNDLED
from transferlab.errors import UserError


class Order:
    """Remembers in which order the test images come."""

    def predict_proba(self, images):
        return np.full((len(images), len(images.classes)), 1 / len(images.classes))


def test_a_folder_becomes_a_task(tmp_path):
    classes(tmp_path / "pets", 20)
    task = load_task(tmp_path / "pets", labels_per_class=5, image_size=16, progress=False)
    assert task.name == "pets" and task.classes == ("cat", "dog")
    assert task.train.images.shape == (8, 3, 16, 16) and len(task.validation) == 2
    assert len(task.test) == 12 and len(task.unlabelled) == 18
    assert task.train.paths and task.unlabelled.paths is None  # they hold the class
    assert task.audit["read"] == 40 and not task.grouped


def test_the_test_stays_for_every_seed_and_is_shuffled(tmp_path):
    classes(tmp_path, 30)
    a, b = (load_task(tmp_path, 5, seed=s, image_size=8, progress=False) for s in (0, 1))
    assert a.test.image_set.digest == b.test.image_set.digest
    assert a.train.digest != b.train.digest
    truth = a.test.score({"m": Order()}).truth
    assert (np.diff(truth) != 0).sum() > 2


def test_paths_come_with_the_scores_only(tmp_path):
    classes(tmp_path, 10)
    task = load_task(tmp_path, image_size=8, progress=False)
    assert task.test.image_set.paths is None
    scores = task.test.score({"m": Order()})
    assert [p.split("/")[0] for p in scores.paths] == [task.classes[y] for y in scores.truth]


def test_declared_groups_make_a_grouped_task(tmp_path):
    write(tmp_path, [f"{c}/p{p}_{i}.png" for c in "ab" for p in range(8) for i in range(3)])
    assert load_task(tmp_path, image_size=8, group_regex=r"(p\d)", progress=False).grouped


def test_a_bundled_name_comes_before_a_folder(tmp_path, monkeypatch):
    classes(tmp_path / "digits", 5)
    monkeypatch.chdir(tmp_path)
    assert len(load_task("digits", 5).classes) == 10
    assert load_task("./digits", 2, progress=False).classes == ("cat", "dog")


def sentence(*args, **options):
    with pytest.raises(UserError) as error:
        load_task(*args, progress=False, **options)
    text = str(error.value)
    assert "\n" not in text and text.endswith((".", "?"))
    return text


def test_unknown_names_get_the_bundled_ones_and_a_guess():
    text = sentence("digit")
    assert all(name in text for name in BUNDLED) and "did you mean digits" in text
    assert "torchvision/CIFAR10" in sentence("cifar10")
    assert "torchvision/CIFAR10" in sentence("CIFAR-10")
    assert "Flowers102" in sentence("torchvision/flowers")
    assert "check the spelling" in sentence("/no/such/place")


def test_more_labels_than_there_are_names_the_class(tmp_path):
    write(tmp_path, [f"a/{i}.png" for i in range(20)] + [f"rare/{i}.png" for i in range(10)])
    available = load_task(tmp_path, progress=False).labels_available
    assert available == 7
    assert f"at most {available}" in sentence(tmp_path, 8) and "'rare'" in sentence(tmp_path, 8)


@pytest.mark.parametrize("size", [7, 1025, 64.0, "64", True])
def test_image_size_is_checked(tmp_path, size):
    assert "image size" in sentence(tmp_path, image_size=size)


def test_a_group_regex_needs_paths():
    assert "group regex" in sentence("digits", group_regex="(x)")


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK")
    assert "is a file" in sentence(tmp_path / "x.zip")


def test_the_room_does_not_import_torch():
    modules = "transferlab.data, transferlab.data.folder, transferlab.data.tv"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == "False"
