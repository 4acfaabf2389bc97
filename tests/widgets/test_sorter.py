"""The sorter: the type follows from the facts, wrong answers are told why, and the view follows its controls."""

import itertools

import pytest

from transferlab.course.lesson03 import scenarios
from transferlab.errors import UserError
from transferlab.widgets import sorter
from transferlab.widgets.sorter import KINDS, Scenario, State


@pytest.fixture
def cases():
    return scenarios()


def test_every_scenarios_type_follows_from_its_facts(cases):
    assert len(cases) >= 20 and len({c.subject for c in cases}) == len(cases)
    for case in cases:
        facts = (case.source_labels, case.target_labels, case.same_task, case.same_domain)
        assert case.kind == sorter.kind_of(*facts), case.subject
        assert case.text and case.why.endswith(".")
    assert all(sum(c.kind == kind for c in cases) >= 3 for kind in KINDS)


def test_the_rule_on_all_facts():
    found = {facts: sorter.kind_of(*facts) for facts in itertools.product((True, False), repeat=4)}
    assert all(kind == "none" for (_, _, task, domain), kind in found.items() if task and domain)
    assert all(kind == "inductive" for (_, t, *same), kind in found.items() if t and not all(same))
    assert [facts for facts, kind in found.items() if kind == "transductive"] == [(True, False, True, False)]
    # A labelled source, another task, and no target labels: the map has no place for it.
    assert {f for f, kind in found.items() if kind is None} == {
        (True, False, False, True),
        (True, False, False, False),
    }


def test_each_wrong_answer_is_told_something_true(cases):
    for place, case in enumerate(cases):
        for kind in set(KINDS) - {case.kind}:
            state = sorter.answered(State(place, (None,) * len(cases)), kind)
            found = sorter.compute(cases, state)
            assert (
                found.right is False
                and found.feedback.startswith("✗ Not ")
                and (found.sorted_, found.right_so_far) == (1, 0)
            )
            if "nothing in the target has a label" in found.feedback:
                assert not case.target_labels
            if (
                "part of the target is labelled" in found.feedback
                or "labels in the target;" in found.feedback
            ):
                assert case.target_labels
            if "the source has no labels" in found.feedback:
                assert not case.source_labels
            if "the source is labelled" in found.feedback:
                assert case.source_labels and not case.target_labels
            if "the task is not the same" in found.feedback:
                assert not case.same_task
        right = sorter.compute(cases, sorter.answered(State(place, (None,) * len(cases)), case.kind))
        assert right.right and case.why in right.feedback and right.right_so_far == 1


def test_changing_ones_mind_counts_once(cases):
    state = sorter.start(cases)
    assert sorter.compute(cases, state).feedback == ""
    state = sorter.answered(sorter.answered(state, "none"), cases[0].kind)
    found = sorter.compute(cases, state)
    assert (found.sorted_, found.right_so_far) == (1, 1)


@pytest.mark.parametrize("state", [State(-1, (None,)), State(1, (None,)), State(0, ()), State(0, ("else",))])
def test_states_that_cannot_be_are_refused(state):
    case = Scenario("a", "b", "none", "c.", True, True, True, True)
    with pytest.raises(UserError, match=r"sorter has 1 scenarios|no type of transfer"):
        sorter.compute([case], state)


def test_the_figure_shows_the_solution_or_the_answers(cases):
    solved = sorter.static(cases)
    ticks = [t.get_text() for t in solved.axes[0].texts]
    assert ticks.count("✓") == len(cases) and ticks.count("✗") == 0
    assert f"n = {len(cases)} scenarios" in solved.finding
    wrong = next(k for k in KINDS if k != cases[2].kind)
    some = sorter.static(cases, State(2, (None, None, wrong, *(None,) * (len(cases) - 3))))
    ticks = [t.get_text() for t in some.axes[0].texts]
    assert ticks.count("✓") == 0 and ticks.count("✗") == 1 and some.png()[1:4] == b"PNG"
    assert some.finding.startswith("0 of 1 sorted right")


def test_the_view_follows_its_controls_and_remembers(cases):
    place, text, kind, said, picture = sorter.view(cases).children
    assert place.description and kind.description and kind.value is None
    assert cases[0].subject.split("'")[0] in text.value and "Choose a type" in said.value
    wrong = next(k for k in KINDS if k != cases[0].kind)
    kind.value = wrong
    assert "✗ Not" in said.value and 'alt="0 of 1' in picture.value
    place.value = 2
    assert kind.value is None and "Choose a type" in said.value and 'alt="0 of 1' in picture.value
    kind.value = cases[1].kind
    assert "✓ Right" in said.value and 'alt="1 of 2' in picture.value
    place.value = 1
    assert kind.value == wrong and "✗ Not" in said.value
    kind.value = cases[0].kind
    assert 'alt="2 of 2' in picture.value
