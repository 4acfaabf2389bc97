"""The table of what lessons take."""

from transferlab.course import measured
from transferlab.course.execute import Spent
from transferlab.course.lessons import lesson_sources
from transferlab.course.marked_table import END, begin, with_table
from transferlab.course.measured import measured_table, pages, read_measured, record_measured
from transferlab.course.run import Outcome
from transferlab.resources import notebook_folder

START = begin("measured") + "\n"


def test_a_run_renews_the_table_wherever_it_stands(tmp_path, monkeypatch):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setattr(measured, "checkout_folder", lambda: folder)
    (tmp_path / "README.md").write_text(f"before\n{START}old\n{END}\nafter\n")
    (folder / "INSTRUCTORS.md").write_text("no table here\n")
    record_measured("smoke", [Outcome("05_x", Spent(12.4, 3.2, 3 * 2**29))])
    record_measured(
        "lesson", [Outcome("05_x", Spent(100.0, 50.0, 2**30)), Outcome("04_y", Spent(7.0, 1.0, 2**30))]
    )
    page = (tmp_path / "README.md").read_text()
    assert page.startswith("before\n") and page.endswith(f"{END}\nafter\n") and "old" not in page
    assert "| 04_y | not measured | 7 (1), 1.0 |\n| 05_x | 12 (3), 1.5 | 100 (50), 1.0 |" in page
    assert (folder / "INSTRUCTORS.md").read_text() == "no table here\n"


def test_every_page_shows_what_was_measured():
    folder = notebook_folder()
    stored = read_measured(folder)
    assert set(stored) == set(lesson_sources())
    assert [page.name for page in pages(folder)] == ["README.md", "INSTRUCTORS.md"]
    for page in pages(folder):
        text = page.read_text(encoding="utf-8")
        assert with_table(text, "measured", measured_table(stored)) == text, page.name


def test_lessons_keep_to_their_time():
    measured_lessons = read_measured(notebook_folder())
    for lesson, of in measured_lessons.items():
        for profile, most in (("smoke", 60), ("lesson", 300)):
            assert of[profile]["seconds"] <= most, (lesson, profile)
            assert of[profile]["slowest_cell"] <= 60, (lesson, profile)
    assert sum(of["smoke"]["seconds"] for of in measured_lessons.values()) < 480
