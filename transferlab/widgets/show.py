"""Show a widget, and in its place a picture or a page where nothing can move it."""

from __future__ import annotations

from IPython.display import display
from ipywidgets import Widget


def show(view: Widget, card=None, *, html: str = "", text: str = "") -> None:
    """Display ``view``; code hosts, reports and pages without widgets show the ``card``'s picture or ``html``.

    Parameters
    ----------
    view : the widget
    card : a :class:`~transferlab.viz.Card`, or None
    html, text : what stands in its place where there is no card
    """
    bundle = {"application/vnd.jupyter.widget-view+json": {
        "version_major": 2, "version_minor": 0, "model_id": view.model_id,
    }}  # fmt: skip
    if card is not None:
        pictures = card._repr_mimebundle_()
        bundle |= pictures[0] if isinstance(pictures, tuple) else pictures
    if html:
        bundle["text/html"] = html
    bundle["text/plain"] = text or bundle.get("text/plain") or "an interactive view"
    display(bundle, raw=True)
