"""Checks: each accepts its solution, is polite to the stub, and tells real mistakes apart."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.course import check
from transferlab.course.checks import exercises_of
from transferlab.course.checks.check import answered, hint_of, untouched
from transferlab.course.checks.verdict import Right, Wrong, exercise
from transferlab.course.lessons import lesson_sources
from transferlab.course.progress import noted

NUMBERS = [name[:2] for name in lesson_sources()]
EXERCISES = [(number, name) for number in NUMBERS for name in exercises_of(number)]


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFERLAB_PROGRESS", str(tmp_path / "progress.json"))


def answers_of(number):
    path = Path(__file__).with_name("answers") / f"lesson_{number}.py"
    spec = importlib.util.spec_from_file_location(f"answers_{number}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ANSWERS


@pytest.mark.parametrize("number", NUMBERS)
def test_every_exercise_has_answers_to_try(number):
    answers = answers_of(number)
    assert set(answers) == set(exercises_of(number))
    for name, each in answers.items():
        assert each["right"], name
        assert len(each["wrong"]) >= 3, name


@pytest.mark.parametrize(("number", "name"), EXERCISES)
def test_solutions_are_right(number, name):
    for answer in answers_of(number)[name]["right"]:
        said = getattr(check, f"L{number}_{name}")(answer)
        assert said.state == "right", said
    assert noted(number, "exercises", name)["right"] is True


@pytest.mark.parametrize(("number", "name"), EXERCISES)
def test_wrong_answers_are_told_why_and_get_the_fitting_hint(number, name):
    function = exercises_of(number)[name]
    said = {}
    for answer, fragment in answers_of(number)[name]["wrong"]:
        verdict = function(answer)
        assert isinstance(verdict, Wrong), answer
        assert fragment in verdict.why, (answer, verdict.why)
        assert verdict.hints, answer
        said.setdefault(verdict.why, []).append(answer)
    assert len(said) >= 2, f"all wrong answers get the same sentence: {list(said)}"


@pytest.mark.parametrize(("number", "name"), EXERCISES)
@pytest.mark.parametrize("stub", [..., None, [...], {"a": ...}])
def test_an_untouched_stub_is_not_yet_answered(number, name, stub):
    said = getattr(check, f"L{number}_{name}")(stub)
    assert said.state == "not yet"
    assert noted(number, "exercises", name) is None


@pytest.mark.parametrize(("number", "name"), EXERCISES)
@pytest.mark.parametrize(
    "odd", [object(), "", 10**400, [], {}, np.nan, lambda: 1 / 0, np.zeros((0, 3)), b"\xff", {1: [2]}]
)
def test_no_answer_makes_a_check_raise_or_pass(number, name, odd):
    assert getattr(check, f"L{number}_{name}")(odd).state in ("wrong", "unreadable")


@pytest.mark.parametrize(("number", "name"), EXERCISES)
def test_a_check_says_what_is_wanted(number, name):
    assert exercises_of(number)[name].__doc__.strip()


@exercise(required=True)
def two(answer):
    """The number two."""
    if answer == 2:
        return Right("it is")
    return Wrong("too small" if answer < 2 else "too large", hints=("count", "one and one", "2"))


def test_hints_grow_with_different_wrong_answers():
    hints = [answered("00", "two", two, (answer,)).hint for answer in (1, 1, 3, 4, 5)]
    assert hints == ["count", "count", "one and one", "2", "2"]
    assert answered("00", "two", two, (2,)).state == "right"


def test_a_solved_exercise_stays_solved():
    answered("00", "two", two, (2,))
    answered("00", "two", two, (3,))
    assert noted("00", "exercises", "two")["right"] is True


def test_what_cannot_be_read_says_what_is_wanted():
    said = answered("00", "two", two, ("a",))
    assert said.state == "unreadable" and "Wanted: The number two." in repr(said)
    assert "takes one answer" in repr(answered("00", "two", two, (1, 2)))


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_answer_is_survived(answer):
    assert answered("00", "two", two, (answer,)).state in ("right", "wrong", "not yet", "unreadable")


def test_a_stub_of_a_function_is_untouched():
    def stub(x): ...

    def documented(x):
        """What it should do."""

    assert untouched(stub) and untouched(documented)
    assert not untouched(lambda x: x)


def test_without_hints_there_is_none():
    assert hint_of(Wrong("no"), 3) == ""


def test_an_unknown_exercise_names_itself():
    with pytest.raises(AttributeError, match="L99_nothing"):
        _ = check.L99_nothing


def test_html_is_escaped():
    assert "<script>" not in answered("00", "two", two, ("<script>",))._repr_html_()
