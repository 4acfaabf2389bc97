"""A play button for a slider whose values are 0, 1, 2 and so on."""

from __future__ import annotations

PLAY, PAUSE = "▶ play", "❚❚ pause"


def player(slider, tooltip: str, interval: int = 900):
    """A button that moves ``slider`` on, from the start when it is at the end, and the clock that it steers.

    The clock's own buttons have no name that a screen reader could say, so it is hidden; it has to be shown with the
    button all the same. ``interval`` is in milliseconds.

    Examples
    --------
    >>> from ipywidgets import SelectionSlider
    >>> slider = SelectionSlider(options=[("a", 0), ("b", 1)])
    >>> button, clock = player(slider, "play it")
    >>> clock.value = 1
    >>> slider.value, button.description
    (1, '▶ play')
    """
    from ipywidgets import Layout, Play, ToggleButton
    from traitlets import link

    clock = Play(
        min=0,
        max=len(slider.options) - 1,
        value=slider.value,
        interval=interval,
        layout=Layout(display="none"),
    )
    button = ToggleButton(description=PLAY, tooltip=tooltip)
    clock.observe(lambda change: setattr(slider, "value", change["new"]), "value")
    slider.observe(lambda change: setattr(clock, "value", change["new"]), "value")
    link((button, "value"), (clock, "playing"))

    def started_or_stopped(change):
        button.description = PAUSE if change["new"] else PLAY
        if change["new"] and clock.value == clock.max:
            clock.value = clock.min

    button.observe(started_or_stopped, "value")
    return button, clock
