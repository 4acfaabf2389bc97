"""Sorter: read a real problem, say which type of transfer it is, and learn at once whether and why.

>>> from transferlab.widgets import show, sorter
>>> cases = [Scenario("medicine", "Scans of another hospital, none of them labelled.", "transductive",
...                   "The names stay, the scanner differs.", True, False, True, False)]
>>> show(sorter.view(cases), sorter.static(cases))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from transferlab.errors import UserError
from transferlab.viz import Card
from transferlab.viz.words import count

KINDS = ("inductive", "transductive", "unsupervised", "none")


@dataclass(frozen=True)
class Scenario:
    """A problem to sort.

    subject : a few words; text : what is there and what is wanted; kind : one of ``KINDS``; why : a sentence
    source_labels, target_labels : whether any image, text or series of the source (target) has a label
    same_task, same_domain : whether source and target share classes and rule, and where the data come from
    """

    subject: str
    text: str
    kind: str
    why: str
    source_labels: bool
    target_labels: bool
    same_task: bool
    same_domain: bool


@dataclass(frozen=True)
class State:
    """Which scenario is looked at, and what was answered to each so far (None: nothing yet)."""

    place: int
    answers: tuple[str | None, ...]


@dataclass(frozen=True)
class Findings:
    """The scenario, what was said of it, and how it stands.

    right : None before an answer; feedback : why, "" before an answer; sorted_, right_so_far : counts
    """

    scenario: Scenario
    chosen: str | None
    right: bool | None
    feedback: str
    sorted_: int
    right_so_far: int


def start(data: Sequence[Scenario]) -> State:
    """The first scenario, nothing answered."""
    return State(0, (None,) * len(data))


def answered(state: State, kind: str | None) -> State:
    """The state after ``kind`` was chosen for the scenario that is looked at."""
    answers = (*state.answers[: state.place], kind, *state.answers[state.place + 1 :])
    return replace(state, answers=answers)


def compute(data: Sequence[Scenario], state: State) -> Findings:
    """What the present answer is worth.

    Raises
    ------
    UserError
        when there is no such scenario, an answer is no type, or there are not as many answers as scenarios.

    Examples
    --------
    >>> case = Scenario("medicine", "…", "transductive", "The names stay.", True, False, True, False)
    >>> compute([case], State(0, ("inductive",))).feedback
    '✗ Not inductive: nothing in the target has a label, so the target task cannot be learnt from labels of its own.'
    >>> compute([case], State(0, ("transductive",))).feedback
    '✓ Right: The names stay.'
    """
    if len(state.answers) != len(data) or not 0 <= state.place < len(data):
        raise UserError(
            f"the sorter has {len(data)} scenarios; give a place among them and an answer for each."
        )
    unknown = [a for a in state.answers if a is not None and a not in KINDS]
    if unknown:
        raise UserError(f"{unknown[0]!r} is no type of transfer; choose one of {', '.join(KINDS)}.")
    scenario, chosen = data[state.place], state.answers[state.place]
    done = [(a, s.kind) for a, s in zip(state.answers, data, strict=True) if a is not None]
    right = None if chosen is None else chosen == scenario.kind
    said = "" if chosen is None else f"✓ Right: {scenario.why}" if right else _why_not(scenario, chosen)
    return Findings(scenario, chosen, right, said, len(done), sum(a == kind for a, kind in done))


def kind_of(source_labels: bool, target_labels: bool, same_task: bool, same_domain: bool) -> str | None:
    """The type after Pan and Yang (2010); None for what their map leaves blank.

    Equal task and domain is ordinary learning, "none". Labels in the target make it inductive, whatever the
    domains. Without them, labels of the same task in another domain make it transductive. No label on either
    side is unsupervised.

    Examples
    --------
    >>> kind_of(True, True, False, True), kind_of(True, False, True, False), kind_of(False, False, False, False)
    ('inductive', 'transductive', 'unsupervised')
    """
    if same_task and same_domain:
        return "none"
    if target_labels:
        return "inductive"
    if source_labels:
        return "transductive" if same_task else None
    return "unsupervised"


def _why_not(scenario: Scenario, chosen: str) -> str:
    """What speaks against a wrong answer, from the facts of the scenario."""
    if scenario.kind == "none":
        why = "source and target are one domain and one task, so nothing is transferred: this is ordinary learning"
    elif chosen == "none":
        what = "task" if not scenario.same_task else "domain"
        why = f"something learnt elsewhere is put to use, and the {what} is not the same there"
    elif chosen == "inductive":
        why = "nothing in the target has a label, so the target task cannot be learnt from labels of its own"
    elif chosen == "transductive" and scenario.target_labels:
        why = "part of the target is labelled, and the new task is learnt from that"
    elif chosen == "transductive":
        why = "the source has no labels either, so there is no rule to carry over"
    elif scenario.target_labels:
        why = "there are labels in the target; unsupervised means none on either side"
    else:
        why = (
            "the source is labelled; unsupervised means no labels on either side, not only none in the target"
        )
    return f"✗ Not {chosen if chosen != 'none' else 'none of them'}: {why}."


def sentence(data: Sequence[Scenario], state: State | None) -> str:
    """How the sorting stands; with no state how many scenarios are of each type."""
    if state is None:
        parts = ", ".join(f"{sum(s.kind == kind for s in data)} {kind}" for kind in KINDS)
        return f"Which type of transfer each problem is: {parts} (n = {count(len(data), 'scenario')})"
    found = compute(data, state)
    return f"{found.right_so_far} of {found.sorted_} sorted right (n = {count(len(data), 'scenario')})"


def static(data: Sequence[Scenario], state: State | None = None) -> Card:
    """The scenarios as rows and the types as columns: the solution, or where ``state`` says, the answers so far."""
    from transferlab.widgets.sorter_card import draw

    marks = [s.kind for s in data] if state is None else list(state.answers)
    return draw(data, marks, KINDS, sentence(data, state), None if state is None else state.place)


def view(data: Sequence[Scenario], state: State | None = None):
    """The sorter as a widget: a slider (drag, click, arrow keys) for the scenario, radio buttons for its type."""
    from ipywidgets import HTML, IntSlider, Layout, RadioButtons, VBox

    from transferlab.widgets.live import live

    now = state or start(data)
    compute(data, now)
    place = IntSlider(now.place + 1, 1, len(data), description="scenario", layout=Layout(width="420px"))
    kind = RadioButtons(options=KINDS, value=now.answers[now.place], description="type")
    text, said = HTML(), HTML()
    seen = [now]

    def draw() -> Card:
        before = seen[0]
        if place.value - 1 != before.place:
            seen[0] = replace(before, place=place.value - 1)
            kind.value = before.answers[seen[0].place]
        elif kind.value is not None:
            seen[0] = answered(before, kind.value)
        found = compute(data, seen[0])
        text.value = _page(f"<b>{escape(found.scenario.subject)}.</b> {escape(found.scenario.text)}")
        said.value = _page(f'<div role="status">{escape(found.feedback) or "Choose a type."}</div>')
        return static(data, seen[0])

    picture = live([place, kind], draw)
    return VBox([place, text, kind, said, picture])


def _page(html: str) -> str:
    look = "color: var(--jp-ui-font-color1, inherit); line-height: 1.4; white-space: normal; max-width: 780px"
    return f'<div style="{look}">{html}</div>'
