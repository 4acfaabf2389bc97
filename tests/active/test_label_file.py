"""The label file: nothing is lost, whoever writes, whatever is written, and wherever somebody cuts it."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.active.label_file import LabelFile, check_outside
from transferlab.active.label_rows import ANSWERS, COLUMNS, Row, latest, read_rows, standing, write_row
from transferlab.errors import UserError

HEADER = ",".join(COLUMNS) + "\n"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NAME = TEXT.filter(bool)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers" / "labels.csv"


def program(path, code, **options):
    """Another Python with a label file of its own on ``path``."""
    lines = "import sys\nfrom transferlab.active.label_file import LabelFile\n"
    return subprocess.Popen(
        [sys.executable, "-c", f"{lines}file = LabelFile({str(path)!r}, who='other')\n{code}"],
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


ROWS = st.builds(
    lambda image, label, answer, who, when, price: Row(
        image, label if answer == "label" else None, answer, who, when, price
    ),
    NAME, NAME, st.sampled_from(ANSWERS), TEXT, TEXT, st.floats(0, 1e9),
)  # fmt: skip


@given(st.lists(ROWS))
def test_whatever_a_name_holds_it_comes_back(rows):
    assert read_rows(write_row() + b"".join(map(write_row, rows))) == rows


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ann", "ben"]), st.sampled_from("abc"), st.sampled_from(["x", "y", *ANSWERS[1:]])
        )
    )
)
def test_what_stands_is_what_a_plain_replay_says(tmp_path_factory, moves):
    path = tmp_path_factory.mktemp("replay") / "labels.csv"
    said = []  # (who, image, answer), in the order of writing, without what was taken back
    for who, image, move in moves:
        file = LabelFile(path, who=who)
        if move == "undo":
            mine = [k for k, (w, _, _) in enumerate(said) if w == who]
            assert file.undo() == (said[mine[-1]][1] if mine else None)
            if mine:
                del said[mine[-1]]
        else:
            file.add(image, move, answer="label") if move in "xy" else file.add(image, None, answer=move)
            said.append((who, image, move))
    wanted = {}
    for image in "abc":
        last = {w: (k, move) for k, (w, i, move) in enumerate(said) if i == image}
        voices = [move for _, move in sorted(last.values()) if move != "skip"]
        if voices and voices[-1] in "xy":
            wanted[image] = voices[-1]
    file = LabelFile(path, who="ben")
    assert file.labels() == wanted
    assert file.answered() == {image for who, image, _ in said if who == "ben"}
    assert len(file.rows()) >= len(said)


def test_the_log_keeps_everything_and_a_new_program_goes_on(path):
    before = datetime.now(UTC).replace(microsecond=0)
    file = LabelFile(path, ["cat", "dog"], who="ann")
    file.add("1.png", "cat", price=0.1 + 0.2)
    file.add("1.png", "dog")
    assert LabelFile(path, who="ann").undo() == "1.png"
    assert LabelFile(path, ["cat", "dog"]).labels() == {"1.png": "cat"}
    rows = file.rows()
    assert [(r.label, r.answer, r.who) for r in rows] == [
        ("cat", "label", "ann"), ("dog", "label", "ann"), (None, "undo", "ann")
    ]  # fmt: skip
    assert [r.price for r in rows] == [0.1 + 0.2, 1.0, 0.0]
    for row in rows:
        when = datetime.fromisoformat(row.when)
        assert row.when.endswith("Z") and when.utcoffset() == timedelta(0)
        assert before <= when <= datetime.now(UTC)


def test_one_person_takes_back_nothing_of_another(path):
    ann, ben = LabelFile(path, who="ann"), LabelFile(path, who="ben")
    ann.add("1.png", "cat")
    ben.add("1.png", "dog")
    before = path.read_bytes()
    assert LabelFile(path, who="eve").undo() is None and ben.undo(among={"2.png"}) is None
    assert path.read_bytes() == before, "what takes nothing back writes nothing"
    assert ann.undo() == "1.png" and ann.labels() == {"1.png": "dog"}
    assert ann.answered() == set() and ben.answered() == {"1.png"}


def test_a_skip_leaves_the_others_label_and_none_takes_it(path):
    ann, ben = LabelFile(path, who="ann"), LabelFile(path, who="ben")
    ann.add("1.png", "cat")
    ben.add("1.png", None, answer="skip")
    assert ann.labels() == {"1.png": "cat"}
    ben.add("1.png", None, answer="none")
    assert ann.labels() == {}
    assert list(latest(ann.rows())) == [("ann", "1.png"), ("ben", "1.png")]


def test_undoing_what_was_never_said_changes_nothing():
    rows = [Row("1", "cat", "label", "ann", "", 1.0), Row("2", None, "undo", "ann", "", 0.0)]
    assert standing(rows) == rows[:1]


def test_a_cut_at_any_byte_is_seen_and_nothing_is_changed(path):
    file = LabelFile(path, who="bén")
    for image, label in (("1.png", "cat"), ('a,"b"\n.png', "großer, Hund"), ("3.png", "owl")):
        file.add(image, label, price=12.5)
    whole, rows = path.read_bytes(), file.rows()
    seen = set()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        try:
            found = file.rows()
        except UserError as error:
            said = str(error)
            assert said.count("\n") == 0 and "labels.csv', line " in said and "was not changed" in said
            with pytest.raises(UserError, match="was not changed"):
                file.add("4.png", "cat")
            with pytest.raises(UserError, match="was not changed"):
                file.undo()
            with pytest.raises(UserError, match="was not changed"):
                LabelFile(path)
            assert path.read_bytes() == whole[:end]
        else:
            assert whole[:end].endswith(b"\n")
            seen.add(len(found))
            assert found == rows[: len(found)]
    assert seen == {0, 1, 2}, "a cut between two rows cannot be seen"


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        ("", 1, "no line image,label"),
        ("image,label\n1.png,cat\n", 1, "no column answer, who, when, price"),
        ("label,image,answer,who,when,price\n", 1, "another order"),
        (HEADER + "1.png,cat,label,,,1\n2.png,cat\n", 3, "2 cells, not 6"),
        (HEADER + "1.png,cat,label,,,1,\n", 2, "7 cells, not 6"),
        (HEADER + '"1\n2.png",cat,label,,,1\n2.png,cat,lable,,,1\n', 4, "the unknown answer 'lable'; use label"),
        (HEADER + "1.png,bird,label,,,1\n", 2, "the unknown label 'bird'; use 'cat', 'dog'"),
        (HEADER + "1.png,,label,,,1\n", 2, "no label"),
        (HEADER + "1.png,cat,skip,,,1\n", 2, "the label 'cat' beside the answer 'skip'"),
        (HEADER + ",cat,label,,,1\n", 2, "no image"),
        (HEADER + "\n1.png,cat,label,,,dear\n", 3, "the price 'dear'"),
        (HEADER + "1.png,cat,label,,,nan\n", 2, "the price 'nan'"),
        (HEADER + "1.png,cat,label,,,-1\n", 2, "the price '-1'"),
        (HEADER + '1.png,cat,label,"a"b,,1\n', 2, "broken quoting"),
        (HEADER + "1.png,cat,label,,,1", 2, "a line without an end"),
        (HEADER.encode() + b"1.png,cat,label,,,1\n\xff\xfe,cat,label,,,1\n", 3, "no UTF-8"),
        ((HEADER + "1.png,cat,label,,,1\n").encode("utf-16"), 1, "no UTF-8"),
        (HEADER + "x" * 200_000 + ",cat,label,,,1\n", 2, "field larger"),
    ],
)  # fmt: skip
def test_a_broken_file_is_named_with_its_line(path, content, line, said):
    path.parent.mkdir()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = path.read_bytes()
    with pytest.raises(UserError) as caught:
        LabelFile(path, ["cat", "dog"])
    assert f"labels.csv', line {line}: " in str(caught.value) and said in str(caught.value)
    assert len(str(caught.value)) < 500 and path.read_bytes() == before


def test_other_tools_ways_of_writing_are_read_and_kept(path):
    path.parent.mkdir()
    theirs = b"\xef\xbb\xbf" + HEADER.encode() + b'"1.png","cat","label","ann","",2\n\n'
    path.write_bytes(theirs)
    file = LabelFile(path, ["cat"], who="ann")
    file.add("2.png", "cat")
    assert path.read_bytes().startswith(theirs) and file.labels() == {"1.png": "cat", "2.png": "cat"}


@pytest.mark.parametrize(
    ("image", "label", "options", "said"),
    [
        ("1.png", "bird", {}, "the unknown label 'bird'; use 'cat', 'dog'"),
        ("1.png", None, {}, "no label"),
        ("1.png", "", {}, "no label"),
        ("1.png", "cat", {"answer": "skip"}, "beside the answer 'skip'"),
        ("1.png", "cat", {"answer": "maybe"}, "the unknown answer 'maybe'"),
        ("1.png", None, {"answer": "undo"}, "by undo"),
        ("", "cat", {}, "no image"),
        ("a\udce9.png", "cat", {}, "no valid text"),
        (7, "cat", {}, "give them as str"),
        ("1.png", "cat", {"price": float("inf")}, "the price 'inf'"),
        ("1.png", "cat", {"price": "dear"}, "the price 'dear'"),
        ("x" * 200_000, "cat", {}, "field larger"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(path, image, label, options, said):
    file = LabelFile(path, ["cat", "dog"])
    file.add("0.png", "dog")
    before = path.read_bytes()
    with pytest.raises(UserError, match=said):
        file.add(image, label, **options)
    assert path.read_bytes() == before


@pytest.mark.parametrize("classes", [["cat", ""], [1, 2], ["cat", "cat"], "cat"])
def test_classes_are_names(path, classes):
    with pytest.raises(UserError, match="a list of names, each once and none of them empty"):
        LabelFile(path, classes)


def test_two_programs_on_one_file_lose_nothing(path):
    code = "for k in range(25): file.add(f'theirs-{k}', 'cat')"
    others = [program(path, code) for _ in range(2)]
    mine = LabelFile(path, who="me", patience=120)
    for k in range(25):
        mine.add(f"mine-{k}", "dog")
    ends = [(other.communicate(timeout=120)[1], other.returncode) for other in others]
    assert ends == [("", 0)] * 2
    rows = mine.rows()
    assert len(rows) == 75 and len(mine.answered()) == 25
    assert sum(row.who == "other" for row in rows) == 50


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_program_killed_at_any_moment_leaves_a_whole_file(path):
    mine = LabelFile(path, who="me")
    for k, said_before in enumerate((1, 2, 5)):
        code = (
            f"k = 0\nwhile True:\n    file.add('{k}-' + str(k), 'cat')\n    print(k, flush=True)\n    k += 1"
        )
        other = program(path, code)
        for _ in range(said_before):
            said = int(other.stdout.readline())
        other.send_signal(signal.SIGKILL)
        rest = other.stdout.read().split()  # communicate() would forget what readline() had buffered
        other.wait(timeout=60)
        said = int(rest[-1]) if rest else said
        kept = sum(row.image.startswith(f"{k}-") for row in mine.rows())
        assert said + 1 <= kept <= said + 2, "what was said to be written is there"
        mine.add(f"mine-{k}", "dog")
    assert len(mine.answered()) == 3


def test_a_lock_that_nobody_gives_back_is_one_sentence(path):
    holding = program(
        path, "from filelock import FileLock\nlock = FileLock(file.path.with_name('.labels.csv.lock'))\n"
        "file.add('1.png', 'cat')\nlock.acquire()\nprint('held', flush=True)\nsys.stdin.read()"
    )  # fmt: skip
    assert holding.stdout.readline() == "held\n"
    mine = LabelFile(path, patience=0.1)
    with pytest.raises(UserError, match=r"locked by another program for 0\.1 s; nothing was written"):
        mine.add("2.png", "cat")
    assert mine.labels() == {"1.png": "cat"}, "reading waits for nobody"
    holding.communicate(timeout=60)
    mine.add("2.png", "cat")
    assert len(mine.labels()) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="sets a limit of POSIX")
def test_a_disk_that_takes_no_more_is_one_sentence_and_nothing_is_lost(path):
    code = (
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "from transferlab.errors import UserError\n"
        "try:\n    for k in range(99): file.add(f'{k}.png', 'cat')\nexcept UserError as e: print(k, e)"
    )
    done = program(path, code)
    said, trouble = done.communicate(timeout=60)
    assert (
        trouble == ""
        and "cannot be written" in said
        and "nothing was added" in said
        and "\n" not in said[:-1]
    )
    assert len(LabelFile(path).rows()) == int(said.split()[0]) > 1
    assert {p.name for p in path.parent.iterdir()} <= {"labels.csv", ".labels.csv.lock"}


def test_a_folder_is_no_label_file(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        LabelFile(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be (read|written)"):
        LabelFile(tmp_path / "file" / "labels.csv").add("1.png", "cat")


@pytest.mark.skipif(sys.platform == "win32", reason="makes links")
def test_a_link_is_followed_and_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "real" / "labels.csv")
    LabelFile(link).add("1.png", "cat")
    assert link.is_symlink() and LabelFile(tmp_path / "real" / "labels.csv").labels() == {"1.png": "cat"}


def test_the_label_file_lies_outside_the_images(tmp_path, monkeypatch):
    images = tmp_path / "photos"
    (images / "cat").mkdir(parents=True)
    (tmp_path / "other").symlink_to(images)
    monkeypatch.chdir(images)
    for path in (
        images / "labels.csv",
        images / "cat" / "new" / "l.csv",
        "l.csv",
        tmp_path / "other" / "l.csv",
    ):
        with pytest.raises(UserError, match="lies inside the folder of images"):
            check_outside(path, images)
    with pytest.raises(UserError, match="inside"):
        check_outside(os.path.join("cat", "l.csv"), tmp_path / "other")
    for path in (tmp_path / "labels.csv", tmp_path / "photos.csv", "../labels.csv"):
        check_outside(path, images)
    check_outside(tmp_path / "labels.csv", tmp_path / "nowhere")
