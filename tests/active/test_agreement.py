"""Agreement: kappa as elsewhere, an interval that covers, and a merge that invents and loses nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from transferlab.active.agreement import cohen_kappa, merge, write_merged
from transferlab.active.label_file import LabelFile
from transferlab.errors import UserError
from transferlab.evaluation.intervals import wilson

PAIRS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=40)


def written(path, who, **answers):
    """A label file; None stands for none of these, "-" for a skip."""
    file = LabelFile(path, who=who)
    for image, label in answers.items():
        if label in (None, "-"):
            file.add(image, None, answer="none" if label is None else "skip")
        else:
            file.add(image, label)
    return file


@given(PAIRS)
@settings(max_examples=80)
def test_kappa_is_that_of_scikit_learn(pairs):
    first, second = zip(*pairs, strict=True)
    kappa, low, high = cohen_kappa(first, second, draws=60)
    if len({*first, *second}) == 1:
        assert np.isnan([kappa, low, high]).all()
    else:
        np.testing.assert_allclose(kappa, cohen_kappa_score(first, second), atol=1e-12)
        assert low <= kappa <= high <= 1
        assert cohen_kappa(second, first, draws=1)[0] == pytest.approx(kappa, abs=1e-12)


def test_kappa_of_the_closed_form():
    first, second = list("yyyyy" * 5 + "nnnnn" * 5), list("y" * 20 + "n" * 5 + "y" * 10 + "n" * 15)
    assert cohen_kappa(first, second)[0] == pytest.approx((0.7 - 0.5) / (1 - 0.5))


def test_the_interval_is_that_of_resampled_images():
    rng = np.random.default_rng(0)
    first = rng.integers(3, size=80)
    second = np.where(rng.random(80) < 0.7, first, rng.integers(3, size=80))
    drawn = []
    for _ in range(800):
        places = rng.integers(80, size=80)
        drawn.append(cohen_kappa_score(first[places], second[places]))
    _, low, high = cohen_kappa(first.tolist(), second.tolist(), draws=4000)
    np.testing.assert_allclose([low, high], np.quantile(drawn, [0.025, 0.975]), atol=0.025)


def test_the_interval_covers():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        first = rng.integers(2, size=100)
        second = np.where(rng.random(100) < 0.8, first, 1 - first)
        _, low, high = cohen_kappa(first.tolist(), second.tolist(), draws=400)
        hits += low <= 0.6 <= high  # of even classes: 2 * 0.8 - 1
    assert 0.88 < hits / 200 < 0.99


def test_labels_conflicts_and_skips(tmp_path):
    ann = written(
        tmp_path / "a.csv", "ann", both="cat", fight="cat", alone="dog", skipped="owl", no=None, odd=None
    )
    ben = written(
        tmp_path / "b.csv", "ben", both="cat", fight="dog", skipped="-", no=None, odd="cat", last="owl"
    )
    merged = merge([ann, tmp_path / "b.csv"])
    assert merged.labels == {"both": "cat", "alone": "dog", "skipped": "owl", "last": "owl"}
    assert {c.image: dict(c.said) for c in merged.conflicts} == {
        "fight": {"ann": "cat", "ben": "dog"}, "odd": {"ann": None, "ben": "cat"}
    }  # fmt: skip
    assert merged.none == ("no",)
    (pair,) = merged.agreements
    assert (pair.people, pair.n, pair.raw) == (("ann", "ben"), 4, wilson(2, 4))
    both = ["cat", "cat", "none", "none"], ["cat", "dog", "none", "cat"]
    assert pair.kappa == pytest.approx(cohen_kappa_score(*both))
    assert merge([ben, ann]).labels == merged.labels
    assert merge([ann]).agreements == () and merge([ann]).conflicts == ()


def test_what_was_taken_back_or_said_anew_does_not_count(tmp_path):
    ann = written(tmp_path / "a.csv", "ann", x="cat", y="cat")
    ann.undo()
    ann.add("x", "dog")
    assert merge([ann]).labels == {"x": "dog"}
    ann.add("x", None, answer="skip")
    assert merge([ann]).labels == {}


def test_two_people_in_one_file_and_one_in_two(tmp_path):
    for path, who, label in (("a.csv", "ann", "cat"), ("a.csv", "ben", "cat"), ("b.csv", "ann", "dog")):
        LabelFile(tmp_path / path, who=who).add("x", label)
    merged = merge([tmp_path / "a.csv", tmp_path / "b.csv"])
    (conflict,) = merged.conflicts
    assert list(conflict.said.values()) == ["cat", "cat", "dog"] and "ben" in conflict.said
    names = [name for name in conflict.said if name.startswith("ann (")]
    assert len(names) == 2 and names[0].endswith("a.csv)") and names[1].endswith("b.csv)")
    assert len(merged.agreements) == 3


def test_nameless_people_are_called_as_their_files(tmp_path):
    files = [written(tmp_path / folder / "labels.csv", "", x="cat") for folder in ("a", "b")]
    files.append(written(tmp_path / "late.csv", "", x="cat"))
    people = [p.people for p in merge(files).agreements]
    assert people[1][1] == "late" and len({*people[0]}) == 2


def test_nothing_in_common_and_one_answer_throughout(tmp_path):
    ann, ben = written(tmp_path / "a.csv", "ann", x="cat"), written(tmp_path / "b.csv", "ben", y="cat")
    (pair,) = merge([ann, ben]).agreements
    assert pair.n == 0 and pair.raw is None and np.isnan(pair.kappa)
    ben.add("x", "cat")
    (pair,) = merge([ann, ben]).agreements
    assert pair.raw == wilson(1, 1) and np.isnan([pair.kappa, pair.low, pair.high]).all()


def test_what_is_written_is_a_label_file(tmp_path):
    ann = written(tmp_path / "a.csv", "ann", x="cat", y="dog", z=None, fight="cat")
    ben = written(tmp_path / "b.csv", "ben", x="cat", fight="dog")
    before = ann.path.read_bytes(), ben.path.read_bytes()
    merged, out = merge([ann, ben]), tmp_path / "new" / "both.csv"
    write_merged(merged, out)
    file = LabelFile(out, ["cat", "dog"])
    assert file.labels() == merged.labels == {"x": "cat", "y": "dog"}
    assert [(r.image, r.answer, r.who, r.price) for r in file.rows()] == [
        ("x", "label", "ann & ben", 2.0), ("y", "label", "ann", 1.0), ("z", "none", "ann", 1.0)
    ]  # fmt: skip
    assert (ann.path.read_bytes(), ben.path.read_bytes()) == before
    with pytest.raises(UserError, match="is there already and was not changed"):
        write_merged(merge([ann]), out)
    assert LabelFile(out).rows() == file.rows()
    with pytest.raises(UserError, match="cannot be written"):
        write_merged(merged, out / "below" / "x.csv")


def test_files_that_cannot_be_merged_are_named(tmp_path):
    ann = written(tmp_path / "a.csv", "ann", x="cat")
    with pytest.raises(UserError, match=r"no label file .*nowhere\.csv"):
        merge([ann, tmp_path / "nowhere.csv"])
    with pytest.raises(UserError, match=r"a\.csv' is named twice"):
        merge([ann, tmp_path / "a.csv"])
    with pytest.raises(UserError, match="no label file to merge"):
        merge([])
    (tmp_path / "b.csv").write_bytes(ann.path.read_bytes()[:-3])
    with pytest.raises(UserError, match=r"b\.csv', line 2: a line without an end"):
        merge([ann, tmp_path / "b.csv"])
