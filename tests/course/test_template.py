"""The template: every lesson keeps to it, and each way to leave it is named."""

import pytest

from transferlab.course import template
from transferlab.course.checks.verdict import Right, exercise
from transferlab.course.editions import read_source
from transferlab.course.lessons import lesson_sources
from transferlab.course.template import template_problems

LESSON = """# %% [markdown]
# # 98 A small lesson
# What is asked? **Time** 40 minutes (teaching 20, exercises 20). **Memory** about 1 GB.

# %% [markdown]
# ## You will be able to
# 1. see
# 2. say
# 3. do

# %% [markdown]
# ## Warm-up

# %%
warm_up("98")

# %% [markdown]
# ## The idea
# A few words.

# %%
figure()

# %% [markdown]
# ## Predict: the first

# %%
predict("L98.first", "Which?", ["a", "b"])

# %% [markdown]
# ## Experiment

# %%
run()

# %% [markdown]
# ## Reveal

# %%
reveal("L98.first", "a")
ledger.record("L98.a-wins", values, "points", direction)

# %% [markdown]
# ## Predict: the second

# %%
predict("L98.second", "Which?", ["a", "b"])

# %% [markdown]
# ## Reveal

# %%
reveal("L98.second", "b")

# %% [markdown]
# ## Investigate

# %%
play()

# %% [markdown]
# ## Exercises
# ### Exercise 1 (required, 8 minutes)

# %% tags=["exercise"]
check.L98_one(...)

# %% tags=["solution"]
check.L98_one(1)

# %% [markdown]
# ### Exercise 2 (optional)

# %% tags=["exercise"]
check.L98_two(...)

# %% tags=["solution"]
check.L98_two(1)

# %% [markdown]
# ### Exercise 3 (optional)

# %% tags=["exercise"]
check.L98_three(...)

# %% tags=["solution"]
check.L98_three(1)

# %% [markdown]
# ## On your own images

# %% [markdown]
# ## What would change this conclusion

# %% [markdown]
# ## Exit quiz

# %%
quiz("98")

# %% [markdown]
# ## Three things to take away
# 1. this
# 2. that
# 3. those

# %% [markdown]
# ## References
# - Somebody (2014). Something. Somewhere.
"""


@pytest.fixture(autouse=True)
def exercises(monkeypatch):
    """Three checks and complete questions for the small lesson."""
    if_one = exercise(required=True)(lambda answer: Right(""))
    others = {name: exercise()(lambda answer: Right("")) for name in ("two", "three")}
    real_exercises, real_questions = template.exercises_of, template.question_problems
    monkeypatch.setattr(
        template, "exercises_of", lambda n: {"one": if_one, **others} if n == "98" else real_exercises(n)
    )
    monkeypatch.setattr(template, "question_problems", lambda n: [] if n == "98" else real_questions(n))


def problems_of(text, tmp_path):
    path = tmp_path / "98_small.py"
    path.write_text(text)
    return template_problems(read_source(path), "98")


@pytest.mark.parametrize("name", list(lesson_sources()))
def test_every_lesson_keeps_to_the_template(name):
    assert template_problems(read_source(lesson_sources()[name]), name[:2]) == []


@pytest.mark.parametrize(
    "must, kept", [((1, 1, 0), True), ((0, 1, 0), False), ((1, 1, 1), False), ((0, 0, 0), False)]
)
def test_the_first_or_the_first_two_exercises_are_required(tmp_path, monkeypatch, must, kept):
    made = {
        n: exercise(required=bool(m))(lambda answer: Right(""))
        for n, m in zip(("one", "two", "three"), must, strict=True)
    }
    monkeypatch.setattr(template, "exercises_of", lambda n: made)
    text = LESSON.replace("### Exercise 2 (optional)", "### Exercise 2 (required, 5 minutes)")
    found = problems_of(text, tmp_path)
    assert found == [] if kept else "the first exercise, or the first two, are to be required" in found


def test_the_small_lesson_keeps_to_the_template(tmp_path):
    assert problems_of(LESSON, tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# # 98 A", "# # 97 A", "not titled"),
        ("**Memory**", "Memory", "does not say **Memory**"),
        ("40 minutes", "an hour", "names no minutes"),
        ("# 3. do\n", "", "lists 2 things"),
        ("# 3. those\n", "# 3. those\n# 4. more\n", "lists 4 things"),
        ('warm_up("98")', 'warm_up("97")', "warm_up('98') is not called once"),
        ('quiz("98")', "pass", "quiz('98') is not called once"),
        ("# A few words.", "# " + "word " * 151, "the idea has 151 words"),
        ("figure()", "", ""),
        ("# ## Investigate\n", "# ## Play\n", "none of the template"),
        ("# ## Warm-up\n", "# Warm-up\n", "no heading 'Warm-up'"),
        (
            "# ## On your own images",
            "# ## On your own images\n\n# %% [markdown]\n# ## Exercises",
            "comes twice",
        ),
        ('reveal("L98.second", "b")', "pass", "needs one reveal()"),
        ('predict("L98.second"', 'predict("L98.first"', "once with each name"),
        ('predict("L98.second"', 'predict("L97.second"', "is not of lesson 98"),
        ("ledger.record(", "ledger.keep(", "no claim is recorded"),
        ("check.L98_two(1)", "check.L98_one(1)", "0 cells tagged solution ask check.L98_two"),
        ("(required, 8 minutes)", "(required)", "each exercise needs a heading"),
        ("### Exercise 3 (optional)", "Exercise 3", "each exercise needs a heading"),
        (
            "### Exercise 2 (optional)",
            "### Exercise 2 (required, 5 minutes)",
            "each exercise needs a heading",
        ),
        ("Somebody (2014)", "Somebody", "has no year"),
        ("# - Somebody", "# Somebody", "no reference is listed"),
    ],
)
def test_each_way_to_leave_the_template_is_named(tmp_path, old, new, says):
    assert old in LESSON
    changed = LESSON.replace(old, new)
    if old == "figure()":
        changed, says = LESSON.replace("# %%\nfigure()\n", ""), "shows no figure"
    problems = problems_of(changed, tmp_path)
    assert any(says in p for p in problems), problems


def test_a_result_before_its_guess_is_named(tmp_path):
    first, second = 'predict("L98.first", "Which?", ["a", "b"])', 'reveal("L98.first", "a")'
    turned = LESSON.replace(first, "X").replace(second, first).replace("X", second)
    assert "L98.first is revealed before it is guessed" in problems_of(turned, tmp_path)


def test_sections_in_another_order_are_named(tmp_path):
    turned = (
        LESSON.replace("# ## Warm-up", "# ## X")
        .replace("# ## The idea", "# ## Warm-up")
        .replace("# ## X", "# ## The idea")
    )
    assert any("comes after" in p for p in problems_of(turned, tmp_path))
