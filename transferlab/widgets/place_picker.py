"""A small picture in which a place is chosen by mouse or by the arrow keys."""

from __future__ import annotations

import anywidget
import numpy as np
from traitlets import Int, List, Unicode

from transferlab.widgets.data_address import as_address

# Lab's own shortcuts (arrows move between cells) must not hear the keys: data-lm-suppress-shortcuts.
_SCRIPT = """
function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "transferlab-places";
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.setAttribute("aria-roledescription", "places of a map");
  box.setAttribute("data-lm-suppress-shortcuts", "true");
  const image = document.createElement("img");
  image.draggable = false;
  const mark = document.createElement("div");
  mark.className = "transferlab-mark";
  const words = document.createElement("div");
  words.className = "transferlab-words";
  words.setAttribute("role", "status");
  box.append(image, mark);
  el.append(box, words);

  const clip = (value, most) => Math.max(0, Math.min(most - 1, value));
  function move(row, column) {
    model.set("value", [clip(row, model.get("rows")), clip(column, model.get("columns"))]);
    model.save_changes();
  }
  function draw() {
    const [row, column] = model.get("value");
    const [rows, columns] = [model.get("rows"), model.get("columns")];
    if (image.getAttribute("src") !== model.get("picture")) image.src = model.get("picture");
    image.alt = model.get("label");
    box.setAttribute("aria-label", `${model.get("label")}; arrow keys move the place`);
    mark.style.left = `${(100 * column) / columns}%`;
    mark.style.top = `${(100 * row) / rows}%`;
    mark.style.width = `${100 / columns}%`;
    mark.style.height = `${100 / rows}%`;
    words.textContent = model.get("words") || `row ${row}, column ${column}`;
  }
  box.addEventListener("mousedown", (event) => {
    const area = box.getBoundingClientRect();
    const [x, y] = [event.clientX - area.left - box.clientLeft, event.clientY - area.top - box.clientTop];
    move(Math.floor((y / box.clientHeight) * model.get("rows")),
         Math.floor((x / box.clientWidth) * model.get("columns")));
    box.focus();
    event.preventDefault();
    event.stopPropagation();
  });
  box.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const stride = event.shiftKey ? 5 : 1;
    const [row, column] = model.get("value");
    move(row + stride * step[0], column + stride * step[1]);
    event.preventDefault();
    event.stopPropagation();
  });
  model.on("change", draw);
  draw();
  return () => model.off("change", draw);
}
export default { render };
"""

_STYLE = """
.transferlab-places { position: relative; margin: 6px; width: 256px; height: 256px; border: 2px solid #6b727c;
  cursor: crosshair; line-height: 0; }
.transferlab-places:focus { outline: 3px solid #0072b2; outline-offset: 2px; }
.transferlab-places img { width: 100%; height: 100%; image-rendering: pixelated; }
.transferlab-mark { position: absolute; box-sizing: border-box; outline: 3px solid #c24e00;
  box-shadow: 0 0 0 4px #fcfcfa; pointer-events: none; }
.transferlab-words { width: 260px; margin-top: 6px; color: var(--jp-content-font-color1, inherit);
  font-size: var(--jp-widgets-font-size, 13px); }
"""


class PlacePicker(anywidget.AnyWidget):
    """A map of ``rows`` by ``columns`` places, of which ``value`` (row, column) is chosen.

    ``label`` says what the picture shows (also to a screen reader), ``words`` what is at the place;
    Shift and an arrow move by five.

    Examples
    --------
    >>> picker = PlacePicker(label="channel 3")
    >>> picker.show(np.zeros((3, 4, 4), np.uint8), (1, 2), "value 0.5")
    >>> picker.rows, picker.value, picker.picture[:14]
    (4, [1, 2], 'data:image/png')
    """

    _esm = _SCRIPT
    _css = _STYLE
    picture = Unicode().tag(sync=True)
    rows = Int(1).tag(sync=True)
    columns = Int(1).tag(sync=True)
    value = List(Int(), [0, 0]).tag(sync=True)
    label = Unicode().tag(sync=True)
    words = Unicode().tag(sync=True)

    def show(self, picture: np.ndarray, place: tuple[int, int], words: str = "") -> None:
        """Show ``picture``, uint8 (3, rows, columns), with ``place`` marked."""
        with self.hold_sync():
            self.rows, self.columns = picture.shape[1:]
            self.picture, self.value, self.words = as_address(picture), list(place), words
