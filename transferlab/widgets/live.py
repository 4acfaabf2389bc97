"""A picture that follows its controls, and says so where it cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from ipywidgets import HTML, Widget

from transferlab.errors import UserError
from transferlab.viz import Card
from transferlab.widgets.data_address import png_address


def live(controls: Sequence[Widget], draw: Callable[[], Card]) -> HTML:
    """The picture of ``draw()``, drawn again whenever the value of one of ``controls`` changes.

    What ``draw`` changes in the controls itself does not call it again. Whatever it raises stands in the
    picture's place, in the kernel's words: nothing is swallowed, and the next move may mend it.

    Examples
    --------
    >>> from ipywidgets import IntSlider
    >>> slider = IntSlider(3)
    >>> picture = live([slider], lambda: Card(f"{1 / slider.value:.1f} (n = 1)", 0.1))
    >>> "0.3 (n = 1)" in picture.value
    True
    >>> slider.value = 0
    >>> "division by zero" in picture.value
    True
    """
    picture, drawing = HTML(), False

    def redraw(_change=None):
        nonlocal drawing
        if drawing:
            return
        drawing = True
        try:
            picture.value = as_html(draw())
        except Exception as error:  # shown, not swallowed: a callback's own traceback is seen by nobody
            picture.value = as_alert(error)
        finally:
            drawing = False

    for control in controls:
        control.observe(redraw, "value")
    redraw()
    return picture


def as_html(card: Card) -> str:
    """A card as a picture whose alternative text is its finding."""
    alt = escape(card.finding, quote=True)
    return f'<img alt="{alt}" src="{png_address(card.png())}" style="width: 100%; max-width: 800px">'


def as_alert(error: Exception) -> str:
    """An error in a box of its own ground, announced by screen readers."""
    said = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    look = "background: #fcfcfa; color: #8a1c1c; border: 2px solid #8a1c1c; padding: 0.6em; max-width: 780px"
    return f'<p role="alert" style="{look}">{escape(said)}</p>'
