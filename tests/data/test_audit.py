"""Duplicates, near duplicates, conflicts, balance: what an audit must find, and must not."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_folders import classes, picture, write
from PIL import Image, ImageEnhance

from transferlab.data.duplicates import clusters, near_pairs, perceptual_hash, same_pixels
from transferlab.data.folder import load_folder
from transferlab.errors import UserError


def load(path, **options):
    return load_folder(path, image_size=16, progress=False, **options)


def sides(loaded):
    return {
        p: s
        for s in ("development", "validation", "test")
        if getattr(loaded, s)
        for p in getattr(loaded, s).paths
    }


def warned(loaded, text):
    return any(text in w for w in loaded.audit["warnings"])


def declared(folder, n=6):
    for k, split in enumerate(("train", "val", "test")):
        classes(folder / split, n, seed=k)
    return folder


def test_a_clean_folder_is_clean(tmp_path):
    audit = load(classes(tmp_path, 12)).audit
    for key in ("quarantined", "duplicates", "near_duplicates", "conflicting_labels", "warnings", "removed"):
        assert audit[key] == [], key
    assert audit["removed_from_train"] == 0 and audit["read"] == 24
    assert audit["class_counts"] == {"cat": 12, "dog": 12}
    assert audit["groups"]["from"] is None


def test_equal_pixels_across_declared_splits_leave_the_lower_one(tmp_path):
    declared(tmp_path)
    Image.open(tmp_path / "test/cat/000.png").save(tmp_path / "train/cat/copy.bmp")
    Image.open(tmp_path / "val/dog/001.png").save(tmp_path / "train/dog/copy.tif")
    Image.open(tmp_path / "test/dog/002.png").save(tmp_path / "val/cat/copy.png")
    loaded = load(tmp_path)
    where = sides(loaded)
    assert "train/cat/copy.bmp" not in where and "train/dog/copy.tif" not in where
    assert "val/cat/copy.png" not in where and where["test/dog/002.png"] == "test"
    assert len(loaded.test) == 12
    assert (loaded.audit["removed_from_train"], loaded.audit["removed_from_validation"]) == (2, 1)
    assert {r["path"] for r in loaded.audit["removed"]} == {
        "train/cat/copy.bmp",
        "train/dog/copy.tif",
        "val/cat/copy.png",
    }
    assert len(loaded.audit["duplicates"]) == 3
    assert [set(c["labels"]) for c in loaded.audit["conflicting_labels"]] == [{"cat", "dog"}]
    assert loaded.audit["split_counts"] == {"train": 12, "validation": 12, "test": 12}


def test_a_train_that_is_the_test_is_one_sentence(tmp_path):
    classes(tmp_path / "train", 4, seed=1)
    classes(tmp_path / "test", 4, seed=1)
    with pytest.raises(UserError, match="shares its pixels") as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


def test_disagreeing_labels_are_named(tmp_path):
    classes(tmp_path, 12)
    Image.open(tmp_path / "cat/003.png").save(tmp_path / "dog/same.png")
    loaded = load(tmp_path)
    assert loaded.audit["conflicting_labels"] == [
        {"paths": ["cat/003.png", "dog/same.png"], "labels": ["cat", "dog"]}
    ]
    assert sides(loaded)["cat/003.png"] == sides(loaded)["dog/same.png"]


CHANGES = {
    "jpeg": lambda im: Image.open(io.BytesIO(_jpeg(im, 60))),
    "resized": lambda im: im.resize((120, 120)),
    "brighter": lambda im: ImageEnhance.Brightness(im).enhance(1.15),
    "noisy": lambda im: Image.fromarray(_noisy(np.asarray(im))),
}


def _noisy(pixels):
    return (pixels + np.random.default_rng(0).normal(0, 6, pixels.shape)).clip(0, 255).astype(np.uint8)


def _jpeg(image, quality):
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@pytest.mark.parametrize("change", CHANGES)
def test_near_duplicates_are_found_and_kept_on_one_side(tmp_path, change):
    write(tmp_path, [f"{c}/{i}.png" for c in "ab" for i in range(20)])
    pairs = []
    for c in "ab":
        for i in range(0, 20, 2):
            CHANGES[change](picture({"a": 0, "b": 20}[c] + i, 96).convert("RGB")).save(
                tmp_path / c / f"{i}x.png"
            )
            picture({"a": 0, "b": 20}[c] + i, 96).save(tmp_path / c / f"{i}.png")
            pairs.append((f"{c}/{i}.png", f"{c}/{i}x.png"))
    loaded = load(tmp_path)
    found = {tuple(sorted(n)) for n in loaded.audit["near_duplicates"] + loaded.audit["duplicates"]}
    assert found == {tuple(sorted(p)) for p in pairs}
    where = sides(loaded)
    assert all(where[a] == where[b] for a, b in pairs)
    assert {where[a] for a, _ in pairs} == {"development", "test"}
    assert warned(loaded, "--group-regex")


def test_near_duplicates_across_declared_splits_are_reported_and_stay(tmp_path):
    declared(tmp_path)
    for name in ("train/cat/n.png", "test/cat/n2.png"):
        ImageEnhance.Brightness(picture(77, 64)).enhance(1.0 if "train" in name else 1.1).save(
            tmp_path / name
        )
    loaded = load(tmp_path)
    assert loaded.audit["near_duplicates"] == [["test/cat/n2.png", "train/cat/n.png"]]
    assert loaded.audit["removed_from_train"] == 0 and "train/cat/n.png" in sides(loaded)
    assert warned(loaded, "more than one split")


def test_copies_under_declared_groups_do_not_leak(tmp_path):
    write(tmp_path, [f"{c}/p{p}_{i}.png" for c in "ab" for p in range(8) for i in range(3)])
    for p in range(8):  # the same blank slide in every patient's folder
        Image.new("L", (24, 24), 9).save(tmp_path / f"a/p{p}_blank.png")
    loaded = load(tmp_path, group_regex=r"(p\d)_")
    digests = [
        set(part.images.reshape(len(part), -1).sum(1).tolist()) for part in (loaded.development, loaded.test)
    ]
    assert not set(loaded.development.groups) & set(loaded.test.groups)
    blank = 9 * 16 * 16 * 3
    assert blank in digests[1] and blank not in digests[0]
    assert loaded.audit["removed_from_train"] >= 1


def test_a_class_of_copies_does_not_vanish_from_a_side(tmp_path):
    write(tmp_path, [f"b/{i}.png" for i in range(20)])
    (tmp_path / "a").mkdir()
    for i in range(20):  # a slow fade: each is near the next
        ImageEnhance.Brightness(picture(5, 64)).enhance(1 - 0.01 * i).save(tmp_path / "a" / f"{i:02}.png")
    loaded = load(tmp_path)
    for part in (loaded.development, loaded.test):
        assert set(part.labels.tolist()) == {0, 1}
    assert warned(loaded, "more than half of a class")


def test_plain_images_are_not_near_each_other():
    thumbs = np.stack([np.full((32, 32), v, np.uint8) for v in (0, 1, 128, 255)])
    pairs, alike = near_pairs(thumbs)
    assert len(pairs) == 0 and not alike.any()


def test_balance_and_small_classes(tmp_path):
    write(tmp_path, [f"many/{i}.png" for i in range(40)] + [f"few/{i}.png" for i in range(4)])
    loaded = load(tmp_path)
    assert warned(loaded, "uneven") and warned(loaded, "fewer than 10 images")
    assert loaded.audit["class_counts"] == {"few": 4, "many": 40}
    (tmp_path / "one").mkdir()
    picture(9999).save(tmp_path / "one" / "0.png")
    loaded = load(tmp_path)
    assert warned(loaded, "without a test image")
    assert 2 in loaded.development.labels and 2 not in loaded.test.labels


def test_the_audit_is_plain_json(tmp_path):
    loaded = load(declared(tmp_path))
    assert json.loads(json.dumps(loaded.audit)) == loaded.audit


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=30))
def test_same_pixels_partitions_what_repeats(values):
    found = same_pixels(np.array(values))
    for members in found:
        assert len({values[i] for i in members}) == 1
    assert sorted(i for m in found for i in m) == [i for i, v in enumerate(values) if values.count(v) > 1]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 25), st.data())
def test_clusters_are_connected_components(n, data):
    pairs = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=30))
    reach = np.eye(n, dtype=bool)
    for a, b in pairs:
        reach[a, b] = reach[b, a] = True
    for _ in range(n):
        reach = reach @ reach
    expected = {tuple(np.flatnonzero(row)) for row in reach if row.sum() > 1}
    assert {tuple(c) for c in clusters(n, np.array(pairs, int).reshape(-1, 2))} == expected


def test_blockwise_search_finds_what_all_pairs_find(monkeypatch):
    rng = np.random.default_rng(3)
    coarse = np.repeat(np.repeat(rng.integers(0, 256, (60, 8, 8)), 4, axis=1), 4, axis=2)
    thumbs = np.concatenate([coarse, coarse + rng.normal(0, 6, coarse.shape)]).clip(0, 255).astype(np.uint8)
    thumbs = thumbs[rng.permutation(len(thumbs))]
    whole, alike = near_pairs(thumbs)
    monkeypatch.setattr("transferlab.data.duplicates._ROWS", 7)
    monkeypatch.setattr("transferlab.data.duplicates._COLUMNS", 11)
    blocks, alike_blocks = near_pairs(thumbs)
    assert len(whole) >= 55
    assert set(map(tuple, whole)) == set(map(tuple, blocks)) and (alike == alike_blocks).all()
    assert (whole[:, 0] < whole[:, 1]).all()


def test_hash_ignores_brightness_and_contrast():
    thumb = np.asarray(picture(4, 32).convert("L"))
    dimmed = (thumb * 0.5 + 60).astype(np.uint8)
    turned = np.ascontiguousarray(thumb.T[::-1])
    h = perceptual_hash(np.stack([thumb, dimmed, turned]))
    assert np.bitwise_count(h[0] ^ h[1]) <= 2
    assert np.bitwise_count(h[0] ^ h[2]) > 10


def test_hidden_and_empty_folders_are_named(tmp_path):
    classes(tmp_path, 6)
    write(tmp_path, ["..bird/1.png"], seed=9)
    (tmp_path / ".git").mkdir()
    (tmp_path / "fish").mkdir()
    loaded = load(tmp_path)
    assert warned(loaded, "hidden folder '..bird' holds images")
    assert warned(loaded, "'fish' holds no files")
    assert not warned(loaded, ".git")
