"""The page of the labelling game: images to pick by mouse or keys, the labels of a round, the figure of its rounds."""

from __future__ import annotations

import anywidget
from traitlets import Dict, Int, List, Unicode

from transferlab.widgets.page_parts import MAKE

# Picks are the page's to change until a round is revealed; labels come from the kernel alone. A message carries the
# picks, since it may overtake the trait's own way to the kernel.
_SCRIPT = (
    MAKE
    + """
const SILENCE = "The kernel has not answered yet. If it was restarted, run this cell again.";
const COLUMNS = 12;

function render({ model, el }) {
  const size = model.get("size"), rounds = model.get("rounds"), sources = model.get("tiles");
  const root = make("div", "tl-game", el, { "data-lm-suppress-shortcuts": "true", role: "group",
    "aria-label": "The labelling game" });
  const head = make("div", "tl-game-head", root, { role: "status" });
  const grid = make("div", "tl-game-grid", root, { role: "group",
    "aria-label": "images to pick: arrow keys move, Enter or Space picks" });
  const bar = make("div", "tl-game-bar", root);
  const reveal = button("r", "Reveal the labels", () => ask());
  const undo = button("u", "Undo the last pick", () => takeBack());
  const status = make("div", "tl-game-status", root, { role: "status" });
  const figure = make("img", "tl-game-figure", root);
  const end = make("div", "tl-game-end", root, { role: "status" });
  const hint = make("div", "tl-game-hint", root);
  hint.textContent = "Keys, once an image has the focus: arrows move, Enter or Space picks or takes back, " +
    "u or Backspace takes back the last pick, r reveals the labels of a full round.";
  let at = 0, timer = null;

  function button(key, words, act) {
    const made = make("button", "tl-game-button", bar, { type: "button", "aria-keyshortcuts": key });
    make("kbd", "", made, { "aria-hidden": "true" }).textContent = key;
    make("span", "", made).textContent = words;
    made.setAttribute("aria-label", `${words}, key ${key}`);
    made.addEventListener("click", act);
    return made;
  }
  const tiles = sources.map((source, place) => {
    const tile = make("button", "tl-game-tile", grid, { type: "button", tabindex: place ? "-1" : "0" });
    make("img", "", tile, { src: source, alt: "", draggable: "false" });
    make("span", "tl-game-mark", tile, { "aria-hidden": "true" });
    tile.addEventListener("click", () => { move(place); pick(place); });
    tile.addEventListener("focus", () => { if (place !== at) move(place); });
    return tile;
  });

  const paid = () => size * model.get("shown").rounds;
  const over = () => model.get("shown").rounds === rounds;
  function set(picks) {
    model.set("picks", picks);
    model.save_changes();
  }
  function pick(place) {
    const picks = model.get("picks"), where = picks.indexOf(place);
    if (over() || (where >= 0 && where < paid())) return;
    if (where >= 0) {
      set(picks.filter((p) => p !== place));
      say(`Image ${place + 1} taken back.`);
    } else if (picks.length < paid() + size) set([...picks, place]);
    else say("The round is full: reveal its labels (r), or take a pick back (u).");
  }
  function takeBack() {
    const picks = model.get("picks");
    if (over() || picks.length <= paid()) return say("There is no pick of this round to take back.");
    say(`Image ${picks[picks.length - 1] + 1} taken back.`);
    set(picks.slice(0, -1));
  }
  function ask() {
    clearTimeout(timer);
    timer = setTimeout(() => complain(SILENCE), 10000);
    root.setAttribute("aria-busy", "true");
    try { model.send({ do: "reveal", rounds: model.get("shown").rounds, picks: model.get("picks") }); }
    catch { complain(SILENCE); }
  }
  function complain(words) {
    root.querySelector(".tl-game-trouble")?.remove();
    if (!words) return;
    const box = make("div", "tl-game-trouble", null, { role: "alert" });
    box.textContent = words;
    status.after(box);
  }
  function say(words) { status.textContent = words; }
  function move(place) {
    tiles[at].tabIndex = -1;
    at = Math.max(0, Math.min(tiles.length - 1, place));
    tiles[at].tabIndex = 0;
    tiles[at].focus();
  }
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }[key];
    if (step && tiles.includes(event.target)) {
      const row = Math.floor(at / COLUMNS), to = at + step;
      if (to >= 0 && to < tiles.length && (Math.abs(step) > 1 || Math.floor(to / COLUMNS) === row)) move(to);
    } else if ((key === "u" || key === "Backspace") && !event.repeat) takeBack();
    else if (key === "r" && !event.repeat) ask();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function mark(place, picks, labels) {
    const tile = tiles[place], where = picks.indexOf(place), label = labels[place];
    const done = where >= 0 && where < paid();
    tile.classList.toggle("tl-game-picked", where >= 0 && !done);
    tile.classList.toggle("tl-game-paid", done);
    tile.setAttribute("aria-pressed", String(where >= 0));
    const round = Math.floor(where / size) + 1;
    tile.querySelector(".tl-game-mark").textContent = done ? label : where < 0 ? "" : where - paid() + 1;
    tile.title = done ? `${label}, round ${round}` : "";
    tile.setAttribute("aria-label", `image ${place + 1}` + (done ? `, ${label}, labelled in round ${round}`
      : where < 0 ? "" : `, pick ${where - paid() + 1} of ${size}`));
  }
  function drawPicks() {
    const now = model.get("shown"), picks = model.get("picks");
    tiles.forEach((_, place) => mark(place, picks, now.labels || {}));
    const left = paid() + size - picks.length;
    head.textContent = over() ? `The game is over: ${picks.length} labels in ${rounds} rounds.`
      : `Round ${now.rounds + 1} of ${rounds}: ${size - left} of ${size} picked` +
        (left ? "" : ", reveal their labels");
    reveal.disabled = over() || left > 0;
    undo.disabled = over() || left === size;
    if (document.activeElement === document.body && root.dataset.inside) tiles[at].focus();
  }
  root.addEventListener("focusin", () => { root.dataset.inside = "yes"; });
  root.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !root.contains(event.relatedTarget)) delete root.dataset.inside;
  });
  function draw() {
    const now = model.get("shown");
    clearTimeout(timer);
    root.removeAttribute("aria-busy");
    drawPicks();
    complain(now.trouble);
    figure.hidden = !now.figure;
    if (now.figure && figure.getAttribute("src") !== now.figure) figure.src = now.figure;
    figure.alt = now.finding || "";
    end.textContent = now.end || "";
    status.textContent = "";
  }
  model.on("change:shown", draw);
  model.on("change:picks", drawPicks);
  draw();
  return () => { clearTimeout(timer); model.off("change:shown", draw); model.off("change:picks", drawPicks); };
}
export default { render };
"""
)

_STYLE = """
.tl-game { display: flex; flex-direction: column; gap: 10px; margin: 6px; padding: 12px; max-width: 800px;
  box-sizing: border-box; border: 1px solid var(--jp-border-color1, #8a8f98); border-radius: 4px;
  color: var(--jp-ui-font-color1, inherit); font-size: 14px; line-height: 1.4; }
.tl-game-head { font-weight: 600; }
.tl-game-grid { display: grid; grid-template-columns: repeat(12, minmax(0, 1fr)); gap: 5px; }
.tl-game-tile { position: relative; padding: 0; margin: 0; aspect-ratio: 1; cursor: pointer; background: none;
  border: 2px solid transparent; border-radius: 4px; overflow: hidden; line-height: 0; }
.tl-game-tile img { width: 100%; height: 100%; object-fit: cover; image-rendering: pixelated; }
.tl-game button:focus-visible { outline: 3px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; z-index: 1; }
.tl-game-picked { border-color: #c24e00; }
.tl-game-paid { border-color: #0072b2; cursor: default; }
.tl-game-mark { position: absolute; left: 0; bottom: 0; box-sizing: border-box; max-width: 100%; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; font-size: 10px; line-height: 14px; padding: 0 3px;
  color: #fff; background: #00558a; border-radius: 0 3px 0 0; }
.tl-game-mark:empty { display: none; }
.tl-game-picked .tl-game-mark { background: #a84300; font-size: 13px; font-weight: 700; line-height: 18px;
  min-width: 20px; text-align: center; }
.tl-game-bar { display: flex; flex-wrap: wrap; gap: 8px; }
.tl-game-button { display: flex; align-items: center; gap: 8px; min-height: 36px; padding: 4px 12px; cursor: pointer;
  font: inherit; color: inherit; background: var(--jp-layout-color2, transparent);
  border: 1px solid var(--jp-border-color1, #8a8f98); border-radius: 4px; }
.tl-game-button:hover:not(:disabled) { border-color: var(--jp-brand-color1, #1976d2); }
.tl-game-button:disabled { opacity: 0.5; cursor: default; }
.tl-game kbd { min-width: 20px; text-align: center; font-size: 12px; font-family: inherit; color: inherit;
  border: 1px solid currentColor; border-radius: 3px; opacity: 0.75; background: none; box-shadow: none; }
.tl-game-status:empty, .tl-game-end:empty { display: none; }
.tl-game-trouble { background: #fcfcfa; color: #8a1c1c; border: 2px solid #8a1c1c; padding: 8px; }
.tl-game-figure { width: 100%; max-width: 800px; border-radius: 4px; }
.tl-game-figure[hidden] { display: none; }
.tl-game-end { font-weight: 600; }
.tl-game-hint { font-size: 12px; color: var(--jp-ui-font-color2, inherit); }
"""


class GameView(anywidget.AnyWidget):
    """What is shown; a round is asked for by a message ``{"do": "reveal", "rounds", "picks"}``.

    tiles : the images as data addresses; rounds, size : how many rounds, and picks in each
    picks : places, in order, those of the round at hand being the page's to change
    shown : ``rounds`` paid for, ``labels`` (place, as text, to class), ``figure`` and its ``finding``, ``end``,
        ``trouble``, and a ``token`` that differs each time
    """

    _esm = _SCRIPT
    _css = _STYLE
    tiles = List(Unicode()).tag(sync=True)
    rounds = Int(1).tag(sync=True)
    size = Int(1).tag(sync=True)
    picks = List(Int()).tag(sync=True)
    shown = Dict().tag(sync=True)

    def __init__(self, **settings):
        super().__init__(**settings)
        self.add_class("jupyter-widgets")  # as all controls that ipywidgets makes have it
