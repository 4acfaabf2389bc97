"""Questions: their files, guesses beside results, and what is kept of the answers."""

import json
from pathlib import Path

import pytest

from transferlab.course import predict, quiz, reveal, warm_up
from transferlab.course.achievements import progress_lines
from transferlab.course.checks import exercises_of
from transferlab.course.lessons import lesson_sources
from transferlab.course.progress import FILE, note, noted, read_progress
from transferlab.course.questions import EXIT, WARM_UP, question_problems, questions_of
from transferlab.errors import UserError

NUMBERS = [name[:2] for name in lesson_sources()]
FIRST = NUMBERS[0]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRANSFERLAB_PROGRESS", raising=False)
    return tmp_path


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, widgets included."""
    seen = []
    monkeypatch.setattr("transferlab.widgets.show", lambda view, card=None, **rest: seen.append((view, rest)))
    return seen


@pytest.mark.parametrize("number", NUMBERS)
def test_questions_are_complete(number):
    assert question_problems(number) == []


@pytest.mark.parametrize("number", NUMBERS)
def test_the_right_answer_is_not_given_away_by_its_place_or_length(number):
    questions = [*questions_of(number, WARM_UP), *questions_of(number, EXIT)]
    places = [next(i for i, o in enumerate(q.options) if o.right) for q in questions]
    longest = [max(range(len(q.options)), key=lambda i: len(q.options[i].text)) for q in questions]
    assert len(set(places)) > 1
    assert sum(a == b for a, b in zip(places, longest, strict=True)) <= 4


def radio(view, question):
    box = view.children[question]
    return box.children[2], box.children[3]


@pytest.mark.parametrize(("ask", "part"), [(warm_up, WARM_UP), (quiz, EXIT)])
def test_choosing_answers_at_once_and_the_first_choice_is_kept(shown, ask, part):
    ask(FIRST)
    [(view, rest)] = shown
    questions = questions_of(FIRST, part)
    right = next(i for i, o in enumerate(questions[0].options) if o.right)
    buttons, answer = radio(view, 0)
    buttons.value = (right + 1) % len(questions[0].options)
    assert "Not right" in answer.value
    buttons.value = right
    assert "✓ Right" in answer.value
    assert noted(FIRST, part, "0") is False
    assert rest["text"].count("\n") > 3 and "<details>" in rest["html"]


def test_a_guess_is_kept_and_stands_beside_what_was_found(shown, capsys):
    options = ["a", "b", "c"]
    predict("L05.best", "Which?", options)
    radio(shown[0][0], 0)[0].value = 1
    reveal("L05.best", "c")
    assert "Your guess: b. This run found: c. They differ" in capsys.readouterr().out
    reveal("L05.best", "b")
    assert "They agree" in capsys.readouterr().out
    predict("L05.best", "Which?", options)
    assert radio(shown[1][0], 0)[0].value == 1, "a guess is there again when the notebook is opened anew"


def test_without_a_guess_the_result_is_told(capsys):
    reveal("L05.never", "c")
    assert "You made no guess. This run found: c." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "options", "says"), [("L05.x", ["a", "a"], "two different"), ("x", ["a", "b"], "no name")]
)
def test_a_badly_written_guess_ends_in_a_sentence(name, options, says):
    with pytest.raises(UserError, match=says):
        predict(name, "Which?", options)


def test_an_error_while_answering_is_shown(shown, monkeypatch):
    predict("L05.x", "Which?", ["a", "b"])

    def broken(*args):
        raise OSError("no room")

    monkeypatch.setattr("transferlab.course.ask.note", broken)
    buttons, answer = radio(shown[0][0], 0)
    buttons.value = 0
    assert "This failed: OSError: no room" in answer.value


def test_progress_says_what_is_done(folder):
    assert "Nothing is noted" in progress_lines(folder)[-1]
    required = next(n for n, f in exercises_of(FIRST).items() if f.required)
    note(FIRST, "exercises", required, {"right": True, "attempts": 1})
    note(FIRST, EXIT, "0", True)
    note(FIRST, EXIT, "1", False)
    line = progress_lines(folder)[0]
    assert " done " in line and "exercises 1 of 3" in line and "1 of 4 right, 2 answered" in line


@pytest.mark.parametrize("content", ["", "{", "[]", '{"05": 3}'])
def test_a_damaged_file_is_set_aside_and_not_written_over(folder, content):
    path = folder / FILE
    path.write_text(content)
    assert read_progress(path) == {}
    note("05", EXIT, "0", True)
    assert json.loads(path.read_text()) == {"05": {EXIT: {"0": True}}}
    assert Path(f"{path}.unreadable").read_text() == content


def test_a_folder_that_cannot_be_written_to_costs_a_line(folder, monkeypatch, capsys):
    monkeypatch.setenv("TRANSFERLAB_PROGRESS", str(folder / "file" / "progress.json"))
    (folder / "file").write_text("")
    note("05", EXIT, "0", True)
    assert "could not be kept" in capsys.readouterr().err
