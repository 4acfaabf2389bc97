"""The ledger of a run, and the claims that are released."""

import json
import shutil

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from transferlab.course import open_ledger, released
from transferlab.course.contract import output_problems
from transferlab.course.ledger import Recorded
from transferlab.course.lessons import lesson_sources
from transferlab.course.released import claim_lines, claim_problems, read_claims, sign_problems
from transferlab.course.run import run_lessons
from transferlab.course.source_hash import lesson_hash
from transferlab.errors import UserError
from transferlab.evaluation.claims import direction, equivalent, make_claim

FIRST = next(iter(lesson_sources()))[:2]


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return open_ledger(FIRST, "smoke")


def test_all_released_claims_are_current_and_supported():
    assert claim_problems() == []


def test_a_record_is_in_the_file_at_once(ledger):
    ledger.record(f"L{FIRST}.one", [1.0, 2.0], "points", direction)
    ledger.record(f"L{FIRST}.two", [0.1, -0.1], "points", equivalent(20))
    file = read_claims(ledger.path)
    assert list(file.claims) == [f"L{FIRST}.one", f"L{FIRST}.two"]
    assert (file.profile, file.source) == ("smoke", ledger.source)


def test_the_sentence_sets_this_run_beside_the_released_one(ledger):
    ledger.released = {f"L{FIRST}.a-wins": read(ledger, "a-wins", [4, 5, 6])}
    shown = ledger.record(f"L{FIRST}.a-wins", [1.0, 3.0], "points", direction)
    assert repr(shown).splitlines()[0] == "a wins"
    assert "this run: +2 points" in repr(shown) or "this run: +2.0 points" in repr(shown)
    assert "released: +5.0 points" in repr(shown) and "so it holds" in repr(shown)
    assert "<b>a wins</b>" in shown._repr_html_()


def read(ledger, name, values):
    return ledger.record(f"L{FIRST}.{name}", values, "points", direction).claim


def test_what_was_never_released_says_so(ledger):
    assert "never released" in repr(ledger.record(f"L{FIRST}.new", [1.0, 3.0], "points", direction))


def test_a_claim_of_another_lesson_is_refused(ledger):
    with pytest.raises(UserError, match="starts with"):
        ledger.record("L99.x", [1.0, 2.0], "points", direction)
    assert not ledger.path.exists()


def test_a_run_that_sees_a_large_effect_the_other_way_round_is_found(ledger, monkeypatch):
    strong = read(ledger, "strong", [9.0, 10.0, 11.0])
    monkeypatch.setattr(released, "released_of", lambda lesson: {strong.name: strong})
    assert sign_problems(ledger.path) == []
    read(ledger, "strong", [-9.0, -10.0])
    [problem] = sign_problems(ledger.path)
    assert problem.startswith(f"L{FIRST}.strong: this run says")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"lesson": "x", "profile": "y", "source": "", "claims": {"a": 1}}']
)
def test_a_damaged_file_ends_in_a_sentence(tmp_path, content):
    path = tmp_path / "01.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"01\.json holds no claims"):
        read_claims(path)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A checkout's notebooks with one small lesson, and nothing released."""
    folder = tmp_path / "repo" / "notebooks"
    (folder / "source").mkdir(parents=True)
    (folder / "source" / "05_small.py").write_text(LESSON)
    for module in ("lessons", "released"):
        monkeypatch.setattr(f"transferlab.course.{module}.notebook_folder", lambda: folder)
    monkeypatch.delenv("TRANSFERLAB_PROFILE", raising=False)
    return folder


LESSON = """
# %% tags=["parameters"]
task: str = "digits"
backbone: str = "tiny"
device: str = "auto"
profile: str = "lesson"
seed: int = 0

# %%
import json, pathlib
values = [1.0, 2.0, 3.0]
claims = {"L05.x": {"kind": "direction", "margin": None, "unit": "points", "values": values}}
stored = {"lesson": "05_small", "profile": profile, "source": "SOURCE", "claims": claims}
pathlib.Path("claims").mkdir(exist_ok=True)
_ = pathlib.Path("claims/05.json").write_text(json.dumps(stored))
"""


@pytest.mark.parametrize(
    ("parameters", "released_too"),
    [({"profile": "smoke"}, False), ({"profile": "report"}, True), ({"profile": "report", "seed": 3}, False)],
)
def test_only_a_whole_report_run_releases_claims(course, tmp_path, parameters, released_too):
    out = tmp_path / "out"
    [outcome] = run_lessons(["05"], parameters, out=out, tell=lambda line: None)
    assert not outcome.failed
    assert read_claims(out / "claims" / "05.json").profile == parameters["profile"]
    assert (course / "claims" / "05.json").is_file() == released_too


def test_released_claims_go_out_of_date_with_their_lesson(course):
    source = course / "source" / "05_small.py"
    (course / "claims").mkdir()
    path = course / "claims" / "05.json"
    stored = {"lesson": "05_small", "profile": "report", "source": lesson_hash(source), "claims": {}}
    path.write_text(json.dumps(stored))
    assert claim_problems() == []
    source.write_text(LESSON.replace("[1.0, 2.0", "[1.5, 2.0"))
    assert "older than its lesson" in claim_problems()[0]
    shutil.rmtree(course / "claims")
    assert claim_problems() == ["lesson 05_small has no released claims"]
    source.unlink()
    (course / "claims").mkdir()
    path.write_text(json.dumps(stored))
    assert claim_problems() == ["claims/05.json belongs to no lesson"]


def test_prose_and_comments_do_not_make_claims_old(course):
    source = course / "source" / "05_small.py"
    before = lesson_hash(source)
    source.write_text(LESSON.replace("values = [", "# why\nvalues  =  [") + "\n# %% [markdown]\n# Prose.\n")
    assert lesson_hash(source) == before


def test_every_claim_is_a_line():
    assert all("95 % interval" in line and line.startswith("L") for line in claim_lines())


def test_a_built_lesson_shows_no_claim_without_its_released_run():
    claim = make_claim("L99.words", [1.0, 2.0], "points", direction)
    for stored, problems in ((claim, 0), (None, 1)):
        shown = new_output("execute_result", {"text/plain": repr(Recorded(claim, stored))}, execution_count=1)
        notebook = new_notebook(cells=[new_code_cell("claim", execution_count=1, outputs=[shown])])
        assert len(output_problems(notebook)) == problems
