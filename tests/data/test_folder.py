"""Layouts, CSV, groups and splits of one's own images."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_folders import classes, picture, write

from transferlab.data.folder import load_folder
from transferlab.data.splits import hold_out
from transferlab.errors import UserError


def load(path, **options):
    return load_folder(path, image_size=16, progress=False, **options)


def names(loaded):
    """Paths of the three sides; None becomes the empty set."""
    return [
        set(s.paths) if s is not None else set() for s in (loaded.development, loaded.validation, loaded.test)
    ]


def tree(folder):
    return {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in folder.rglob("*")}


def test_class_folders_nested_unicode_and_upper_case(tmp_path):
    write(
        tmp_path,
        [f"\u732b cat/deep/er/{i}.PNG" for i in range(6)] + [f"o'dog & <b>/{i}.JPG" for i in range(6)],
    )
    before = tree(tmp_path)
    loaded = load(tmp_path)
    assert loaded.audit["class_counts"] == {"\u732b cat": 6, "o'dog & <b>": 6}
    dev, _, test = names(loaded)
    assert not dev & test and len(dev | test) == 12
    assert tree(tmp_path) == before
    for part in (loaded.development, loaded.test):
        assert all(p.split("/")[0] == part.classes[y] for p, y in zip(part.paths, part.labels, strict=True))


@pytest.mark.parametrize(
    "split_names",
    [("train", "val", "test"), ("Train", "valid", "TEST"), ("training", "validation", "testing")],
)
def test_declared_splits_are_kept(tmp_path, split_names):
    for k, s in enumerate(split_names):
        classes(tmp_path / s, 4, seed=k)
    dev, val, test = names(load(tmp_path))
    for side, split in zip((dev, val, test), split_names, strict=True):
        assert {p.split("/")[0] for p in side} == {split} and len(side) == 8


def test_val_without_test_becomes_the_test_and_is_said(tmp_path):
    classes(tmp_path / "train", 6, seed=1)
    classes(tmp_path / "val", 3, seed=2)
    loaded = load(tmp_path)
    assert loaded.validation is None and len(loaded.test) == 6
    assert any("validation serves as the test" in w for w in loaded.audit["warnings"])


def test_train_alone_is_split(tmp_path):
    classes(tmp_path / "train", 10)
    loaded = load(tmp_path)
    assert len(loaded.test) == 6 and len(loaded.development) == 14
    assert loaded.development.classes == ("cat", "dog")


def test_a_class_may_be_called_train(tmp_path):
    classes(tmp_path, 5, names=("bus", "train", "tram"))
    assert load(tmp_path).development.classes == ("bus", "train", "tram")


def test_our_split_does_not_move_and_is_stratified(tmp_path):
    classes(tmp_path, 20, names=("a", "b", "c"))
    first, again = load(tmp_path), load(tmp_path)
    assert first.test.paths == again.test.paths
    assert np.bincount(first.test.labels).tolist() == [6, 6, 6]


def test_csv_with_splits_and_groups_and_relative_paths(tmp_path):
    write(tmp_path / "img", [f"{i} x.png" for i in range(12)])
    rows = [f"img/{i} x.png,{'ab'[i % 2]},{'train' if i < 8 else 'test'},p{i // 2}" for i in range(12)]
    (tmp_path / "set.CSV").write_text("\ufeffPath, label,split,group\n" + "\n".join(rows) + "\n\n", "utf-8")
    loaded = load(tmp_path / "set.CSV")
    assert len(loaded.development) == 8 and len(loaded.test) == 4
    assert loaded.audit["groups"] == {"from": "declared", "count": 6}
    assert set(loaded.test.groups) == {"p4", "p5"}


def test_csv_rows_that_cannot_be_used(tmp_path):
    write(tmp_path, [f"{i}.png" for i in range(8)])
    rows = [f"{i}.png,{'ab'[i % 2]}" for i in range(8)] + ["0.png,a", "1.png,", "gone.png,a"]
    (tmp_path / "s.csv").write_text("path,label\n" + "\n".join(rows))
    audit = load(tmp_path / "s.csv").audit
    assert audit["read"] == 8
    assert {(q["path"], q["reason"]) for q in audit["quarantined"]} == {
        ("0.png", "listed twice"), ("1.png", "no label"), ("gone.png", "no such file")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("file;label\na.png;x\n", "no column"),
        ("path,label,split\na.png,x,holdout\n", "'holdout'"),
        ("path,label,split\na.png,x,train\nb.png,y,\n", "'b.png'"),
        ("path,label\n,x\n", "row 2"),
        ("path,label\n", "lists no images"),
        ("", "no column"),
        ('path,label\n"a.png,x\n', "CSV"),
        ("path,label\na.png,x\nb.png,y\n", "none of the 2 files"),
        (b"path,label\n\xff\xfe.png,x\n", "UTF-8"),
    ],
)
def test_a_wrong_csv_is_one_sentence(tmp_path, text, says):
    path = tmp_path / "s.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=says) as error:
        load(path)
    assert "\n" not in str(error.value)


def test_groups_never_straddle(tmp_path):
    write(tmp_path, [f"{c}/p{p}_{i}.png" for c in "ab" for p in range(9) for i in range(3)])
    loaded = load(tmp_path, group_regex=r"(p\d+)_")
    assert not set(loaded.development.groups) & set(loaded.test.groups)
    assert len(set(loaded.development.groups) | set(loaded.test.groups)) == 9
    assert set(loaded.test.labels) == {0, 1}


def test_images_without_a_match_are_groups_of_their_own(tmp_path):
    write(
        tmp_path, [f"{c}/p{i // 2}_{i}.png" for c in "ab" for i in range(8)] + ["a/lone.png", "b/other.png"]
    )
    audit = load(tmp_path, group_regex=r"(p\d+)_").audit
    assert audit["groups"]["count"] == 6
    assert any(w.startswith("2 image(s) do not match") for w in audit["warnings"])


def test_declared_splits_with_straddling_groups_lose_training_images(tmp_path):
    write(tmp_path, [f"train/{c}/p{i}.png" for c in "ab" for i in range(6)], seed=1)
    write(tmp_path, [f"test/{c}/p{i}.png" for c in "ab" for i in (4, 5, 7)], seed=2)
    loaded = load(tmp_path, group_regex=r"(p\d+)\.")
    assert loaded.audit["removed_from_train"] == 4 and len(loaded.development) == 8
    assert not set(loaded.development.groups) & set(loaded.test.groups)
    assert all("group" in r["reason"] for r in loaded.audit["removed"])


@pytest.mark.parametrize(
    ("regex", "says"), [("p(", "regular expression"), ("p", "parentheses"), ("(zz)", "no image")]
)
def test_a_wrong_group_regex_is_one_sentence(tmp_path, regex, says):
    with pytest.raises(UserError, match=says):
        load(classes(tmp_path, 3), group_regex=regex)


def only(*written):
    return lambda folder: write(folder, written)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda f: f, "no images"),
        (only("a.png", "b.png"), "no class folders"),
        (only("a/1.png", "a/2.png"), "one class"),
        (only("a/1.png", "b/1.png"), "single image or group"),
        (only("val/a/1.png", "val/b/1.png"), "no train"),
        (only("train/a/1.png", "train/b/1.png", "test/a/2.png", "test/c/3.png"), "'c'"),
        (lambda f: write(f, ["a/1.png"]) / "a" / "1.png", "is a file"),
        (lambda f: f / "absent", "does not exist"),
    ],
)
def test_what_makes_no_task_is_one_sentence(tmp_path, make, says):
    with pytest.raises(UserError, match=says) as error:
        load(make(tmp_path))
    assert "\n" not in str(error.value)


def test_hidden_files_loops_and_pipes(tmp_path):
    classes(tmp_path, 5)
    for name in (".DS_Store", "cat/.hidden.png", "cat/Thumbs.db", "__MACOSX/cat/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "cat" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "cat" / "self").symlink_to(tmp_path / "cat" / "self")
    os.mkfifo(tmp_path / "dog" / "pipe.png")
    audit = load(tmp_path).audit
    assert audit["read"] == 10
    assert {q["path"] for q in audit["quarantined"]} == {"cat/self", "dog/pipe.png"}


def test_linked_class_folders_are_followed(tmp_path):
    classes(tmp_path / "real", 4)
    (tmp_path / "view").mkdir()
    for c in ("cat", "dog"):
        (tmp_path / "view" / c).symlink_to(tmp_path / "real" / c, target_is_directory=True)
    assert load(tmp_path / "view").audit["read"] == 8


def test_broken_files_are_named_and_the_rest_is_used(tmp_path):
    classes(tmp_path, 6)
    (tmp_path / "cat" / "empty.jpg").write_bytes(b"")
    (tmp_path / "cat" / "notes.txt").write_text("hello")
    whole = (tmp_path / "cat" / "000.png").read_bytes()
    (tmp_path / "dog" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "broken class").mkdir()
    (tmp_path / "broken class" / "x.png").write_bytes(b"x")
    (tmp_path / "README.md").write_text("about")
    (tmp_path / os.fsdecode(b"cat/caf\xe9.png")).write_bytes(b"junk")
    loaded = load(tmp_path)
    reasons = {q["path"]: q["reason"] for q in loaded.audit["quarantined"]}
    assert reasons["cat/empty.jpg"] == "empty file"
    assert "not an image" in reasons["cat/notes.txt"]
    assert "truncated" in reasons["dog/cut.png"]
    assert "outside" in reasons["README.md"]
    assert len(reasons) == 6 and loaded.audit["read"] == 12
    assert loaded.development.classes == ("cat", "dog")
    json.dumps(loaded.audit, ensure_ascii=False).encode()


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 5).flatmap(
        lambda k: st.tuples(
            st.just(k), st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, 8)), min_size=1, max_size=60)
        )
    ),
    st.floats(0.05, 0.6),
    st.integers(0, 99),
    st.booleans(),
)
def test_hold_out_keeps_groups_whole_and_every_class(drawn, fraction, seed, grouped):
    k, rows = drawn
    labels, groups = np.array([r[0] for r in rows]), np.array([f"g{r[1]}" for r in rows])
    held = hold_out(labels, groups if grouped else None, k, fraction, np.random.default_rng(seed))
    total, taken = np.bincount(labels, minlength=k), np.bincount(labels[held], minlength=k)
    assert (taken[total > 0] < total[total > 0]).all()
    if grouped:
        assert not set(groups[held]) & set(groups[~held])
    else:
        want = np.maximum(1, np.floor(total * fraction + 0.5))
        assert (taken == np.where(total >= 2, np.minimum(want, total - 1), 0)).all()
    again = hold_out(labels, groups if grouped else None, k, fraction, np.random.default_rng(seed))
    assert (held == again).all()


def test_large_groups_still_give_a_test():
    labels = np.repeat([0, 1], 20)
    groups = np.repeat(["a", "b", "c", "d"], 10)
    held = hold_out(labels, groups, 2, 0.2, np.random.default_rng(0))
    assert np.bincount(labels[held]).tolist() == [10, 10]


@pytest.mark.data
def test_real_folders(test_data):
    flowers = load(test_data / "flowers5")
    assert flowers.audit["read"] == 1500 and len(flowers.development) + len(flowers.test) == 1500
    ants = load(test_data / "ants_bees")
    counts = {s: sum(1 for _ in (test_data / "ants_bees" / s).rglob("*.jpg")) for s in ("train", "val")}
    assert len(ants.test) == counts["val"]
    assert len(ants.development) + ants.audit["removed_from_train"] == counts["train"]


@pytest.mark.data
def test_people_can_be_recovered_from_file_numbers(test_data):
    """People showed 0 to 9 in order, so the class falls where the next one begins."""
    files = sorted((test_data / "sign_digits").rglob("*.jpg"), key=lambda p: p.name)
    digits = np.array([int(p.parent.name) for p in files])
    person = dict(
        zip(
            (f"{p.parent.name}/{p.name}" for p in files),
            np.cumsum(np.diff(digits, prepend=0) < 0),
            strict=True,
        )
    )

    def straddling(**options):
        loaded = load(test_data / "sign_digits", **options)
        sides = [{person[name] for name in part.paths} for part in (loaded.development, loaded.test)]
        return len(sides[0] & sides[1]) / len(sides[0] | sides[1]), loaded

    alone, loaded = straddling()
    tens, _ = straddling(group_regex=r"IMG_(\d{2,3})\d\.")
    hundreds, grouped = straddling(group_regex=r"IMG_(\d{2})\d\d\.")
    assert 180 < len(set(person.values())) < 240
    assert hundreds < tens < alone
    assert alone > 0.9 and hundreds < 0.3
    assert any("--group-regex" in w for w in loaded.audit["warnings"])
    # Look-alike hands of different people and classes must not be chained together.
    assert sum(map(len, loaded.audit["near_duplicates"])) < 0.01 * loaded.audit["read"]
    assert set(grouped.test.labels) == set(range(10))
    print(f"people on both sides: random {alone:.2f}, tens {tens:.2f}, hundreds {hundreds:.2f}")


def test_the_name_is_the_folder_even_for_a_dot(tmp_path, monkeypatch):
    classes(tmp_path / "pets", 4)
    monkeypatch.chdir(tmp_path / "pets")
    assert load(Path(".")).name == "pets"
    assert picture(1).tobytes() != picture(2).tobytes()
