"""The table against torchvision itself, and sets read from a mirror laid out by hand."""

import bz2
import contextlib
import inspect
import json
import socket
import struct

import numpy as np
import pytest
from image_folders import picture, write

from transferlab.data import load_task
from transferlab.data.bundled import BUNDLED
from transferlab.data.cache import cache_dir
from transferlab.data.tv import _download_flag, load_torchvision
from transferlab.data.tv_table import TV_SETS
from transferlab.errors import UserError


def accepted(cls):
    """Constructor arguments of a class, those of its bases too where it passes them on."""
    names = set()
    for base in cls.__mro__:
        parameters = inspect.signature(base.__init__).parameters
        names |= set(parameters)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return names
    return names


def test_there_are_enough_sets():
    wanted = {"Flowers102", "OxfordIIITPet", "EuroSAT", "DTD", "CIFAR10", "MNIST", "USPS", "SVHN"}
    assert wanted <= set(TV_SETS) and len(TV_SETS) >= 20


@pytest.mark.parametrize("name", TV_SETS)
def test_constructors_take_what_the_table_gives(name, tmp_path):
    from torchvision import datasets

    spec, cls = TV_SETS[name], getattr(datasets, name)
    for part in (spec.train, spec.validation, spec.test):
        if part is not None:
            assert {"root", *part, *_download_flag(name, False)} <= accepted(cls)
            # Values are checked before files: a wrong split name is a ValueError that lists the right ones.
            with pytest.raises(Exception) as error:
                cls(root=str(tmp_path), **part, **_download_flag(name, False))
            assert "Unknown value" not in str(error.value) and not isinstance(error.value, TypeError)


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    """No test here may reach a network, or a cache other than its own."""

    def refuse(*_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("TRANSFERLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TRANSFERLAB_MIRROR", raising=False)


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def mnist_mirror(root, name, x, y, train):
    raw = root / name / "raw"
    raw.mkdir(parents=True)
    for prefix, rows in (("train", train), ("t10k", ~train)):
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(idx(x[rows]))
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(y[rows].astype(np.uint8)))


@pytest.mark.data
def test_real_mnist_from_a_mirror(test_data, tmp_path, monkeypatch):
    packed = np.load(test_data / "mnist.npz")
    some = np.arange(0, 70_000, 97)  # the file is sorted by class
    x, y, train = packed["x"][some], packed["y"][some].astype(int), packed["split"][some] == 0
    assert 0 < train.sum() < len(train)
    mnist_mirror(tmp_path / "mirror", "MNIST", x, y, train)
    monkeypatch.setenv("TRANSFERLAB_MIRROR", str(tmp_path / "mirror"))
    loaded = load_torchvision("mnist", progress=False)
    assert loaded.development.images.shape[1:] == (1, 28, 28)
    removed = {int(r["path"].split("/")[1]) for r in loaded.audit["removed"]}
    kept = [i for i in range(train.sum()) if i not in removed]
    assert np.array_equal(loaded.development.images[:, 0], x[train][kept])
    assert np.array_equal(loaded.development.labels, y[train][kept])
    assert np.array_equal(loaded.test.images[:, 0], x[~train]) and np.array_equal(
        loaded.test.labels, y[~train]
    )
    task = load_task("torchvision/MNIST", labels_per_class=5, progress=False)
    assert len(task.train) + len(task.validation) == 50 and task.classes == tuple("0123456789")


@pytest.mark.data
def test_real_usps_from_a_mirror(test_data, tmp_path):
    packed = np.load(test_data / "usps.npz")
    x, y, split = packed["x"], packed["y"].astype(int), packed["split"].astype(int)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    kept = {}
    for part, name in ((0, "usps.bz2"), (1, "usps.t.bz2")):
        rows = np.flatnonzero(split == part)[::20]
        kept[part] = rows
        lines = []
        for i in rows:
            values = x[i].ravel() / 255 * 2 - 1
            lines.append(f"{y[i] + 1} " + " ".join(f"{j + 1}:{v:.6f}" for j, v in enumerate(values)))
        (mirror / name).write_bytes(bz2.compress("\n".join(lines).encode()))
    loaded = load_torchvision("USPS", mirror=mirror, progress=False)
    assert loaded.test.images.shape == (len(kept[1]), 1, 16, 16)
    assert np.array_equal(loaded.test.labels, y[kept[1]])
    difference = loaded.test.images[:, 0].astype(int) - x[kept[1]].astype(int)
    assert np.abs(difference).max() <= 1  # torchvision cuts fractions off


def test_emnist_is_turned_upright(tmp_path):
    letters = np.random.default_rng(0).integers(0, 256, (94, 28, 28), dtype=np.uint8)
    raw = tmp_path / "m" / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "test"):
        x = letters if part == "train" else 255 - letters
        (raw / f"emnist-balanced-{part}-images-idx3-ubyte").write_bytes(idx(x))
        (raw / f"emnist-balanced-{part}-labels-idx1-ubyte").write_bytes(
            idx(np.repeat(np.arange(47, dtype=np.uint8), 2))
        )
    loaded = load_torchvision("EMNIST", mirror=tmp_path / "m", progress=False)
    assert np.array_equal(loaded.development.images[:, 0], letters.transpose(0, 2, 1))
    assert len(loaded.development.classes) == 47


def test_a_set_without_parts_is_split_by_us(tmp_path):
    write(tmp_path / "eurosat" / "2750", [f"{c}/{c}_{i}.jpg" for c in ("Forest", "River") for i in range(10)])
    loaded = load_torchvision("EuroSAT", mirror=tmp_path, image_size=32, progress=False)
    assert loaded.test.classes == ("Forest", "River") and len(loaded.test) == 6
    assert loaded.development.images.shape[1:] == (3, 32, 32)


def test_photographs_of_any_size_with_a_validation_part(tmp_path):
    base = tmp_path / "dtd" / "dtd"
    (base / "labels").mkdir(parents=True)
    for k, part in enumerate(("train", "val", "test")):
        listed = [f"{c}/{c}_{part}{i}.jpg" for c in ("banded", "woven") for i in range(4)]
        for i, name in enumerate(listed):
            (base / "images" / name).parent.mkdir(parents=True, exist_ok=True)
            picture(100 * k + i).resize((40 + 9 * i, 60)).save(base / "images" / name)
        (base / "labels" / f"{part}1.txt").write_text("\n".join(listed))
    loaded = load_torchvision("DTD", mirror=tmp_path, image_size=24, progress=False)
    assert [len(s) for s in (loaded.development, loaded.validation, loaded.test)] == [8, 8, 8]
    assert loaded.development.images.shape == (8, 3, 24, 24)
    assert loaded.development.classes == ("banded", "woven")


def test_equal_images_in_train_and_test_leave_train(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    y = np.arange(40) % 10
    train = np.arange(40) < 30
    x[35] = x[5]
    mnist_mirror(tmp_path, "FashionMNIST", x, y, train)
    loaded = load_torchvision("FashionMNIST", mirror=tmp_path, progress=False)
    assert loaded.audit["removed_from_train"] == 1 and len(loaded.test) == 10
    assert loaded.audit["duplicates"] == [["train/5", "test/5"]]
    json.dumps(loaded.audit)


def sentence(name, **options):
    with pytest.raises(UserError) as error:
        load_torchvision(name, progress=False, **options)
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    "name", ["MNIST", "USPS", "CIFAR10", "Flowers102", "SEMEION", "StanfordCars", "FER2013"]
)
def test_without_network_one_sentence_names_the_mirror_and_bundled_sets(name, capsys):
    text = sentence(name)
    assert f"torchvision/{name}" in text and "TRANSFERLAB_MIRROR" in text
    assert all(b in text for b in BUNDLED)
    assert capsys.readouterr().out == ""
    with contextlib.suppress(FileNotFoundError):
        assert list((cache_dir() / "torchvision").iterdir()) == []


def test_a_mirror_without_the_set_names_both(tmp_path):
    text = sentence("CIFAR100", mirror=tmp_path)
    assert "CIFAR100" in text and str(tmp_path) in text and "digits" in text
    assert list(tmp_path.iterdir()) == []
    assert "not a folder" in sentence("CIFAR100", mirror=tmp_path / "absent")


def test_a_damaged_mirror_is_one_sentence(tmp_path):
    write(tmp_path / "eurosat" / "2750", [f"{c}/{i}.jpg" for c in ("Forest", "River") for i in range(4)])
    (tmp_path / "eurosat" / "2750" / "River" / "2.jpg").write_bytes(b"\xff\xd8\xff junk")
    assert "image 6" in sentence("EuroSAT", mirror=tmp_path)


def test_a_download_is_moved_into_the_cache_and_used_again(monkeypatch, tmp_path):
    """The network is played by a function that lays out what torchvision would fetch."""
    from torchvision import datasets

    fetched = []

    def fetch(self):
        fetched.append(self.root)
        if not (self.raw_folder and self._check_exists()):
            x = np.random.default_rng(1).integers(0, 256, (40, 28, 28), dtype=np.uint8)
            mnist_mirror(type(tmp_path)(self.root), "KMNIST", x, np.arange(40) % 10, np.arange(40) < 30)

    monkeypatch.setattr(datasets.KMNIST, "download", fetch)
    first = load_torchvision("KMNIST", progress=False)
    tries = len(fetched)
    again = load_torchvision("KMNIST", progress=False)
    assert tries >= 1 and len(fetched) == tries
    assert first.test.digest == again.test.digest
    assert [p.name for p in (cache_dir() / "torchvision").iterdir()] == ["KMNIST"]
