"""The source picker's controls: they follow the game, and the game follows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets as w

from transferlab.widgets import source_picker as picker
from transferlab.widgets.live import live


class Game:
    """Controls and picture of a game; ``box`` is the widget."""

    def __init__(self, data: Sequence[Mapping], state: picker.State):
        self.data, self.budget, self.shown = data, state.budget, (state.target, state.score)
        scores = list(dict.fromkeys(name for each in data for name in each["scores"]))
        names = list(dict.fromkeys(name for each in data for name in each["sources"]))
        self.target = _menu("target", [each["target"] for each in data], state.target)
        self.score = _menu("score", scores, state.score)
        self.bet = _menu("your bet", [picker.NOT_YET, *names], state.bet or picker.NOT_YET)
        self.again = w.ToggleButton(False, description="start again", tooltip="forget probes and bet")
        self.probes = {
            name: w.ToggleButton(name in state.probed, description=name, tooltip=f"probe {name}",
                                 layout=w.Layout(width="150px"))
            for name in names
        }  # fmt: skip
        controls = [self.target, self.score, self.bet, self.again, *self.probes.values()]
        self.picture = live(controls, self.draw)
        buttons = w.HBox(list(self.probes.values()), layout=w.Layout(flex_flow="row wrap", width="800px"))
        rows = w.HBox([self.target, self.score]), w.Label("Probe:"), buttons, w.HBox([self.bet, self.again])
        self.box = w.VBox([*rows, self.picture])

    @property
    def state(self) -> picker.State:
        """The game as the controls have it; sources that the target does not have are left out."""
        here = self.sources
        bet = self.bet.value if self.bet.value in here else None
        probed = tuple(name for name, button in self.probes.items() if button.value and name in here)
        return picker.State(self.target.value, self.score.value, probed, bet, self.budget)

    @property
    def sources(self) -> list[str]:
        """The sources of the chosen target."""
        return next(each["sources"] for each in self.data if each["target"] == self.target.value)

    def draw(self):
        """The picture of the game; another target or score is another game."""
        if self.again.value or self.shown != (self.target.value, self.score.value):
            self._clear()
        state = self.state
        found = picker.compute(self.data, state)
        over = state.bet is not None
        for name, button in self.probes.items():
            button.disabled = over or button.value or found.left == 0 or name not in self.sources
        self.bet.disabled = over
        return picker.static(self.data, state)

    def _clear(self) -> None:
        self.shown = (self.target.value, self.score.value)
        self.again.value = False
        for button in self.probes.values():
            button.value = False
        self.bet.value = picker.NOT_YET


def _menu(name: str, options: Sequence[str], value: str) -> w.Dropdown:
    return w.Dropdown(options=options, value=value, description=name)
