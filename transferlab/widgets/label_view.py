"""The page on which a person labels images: the picture, a button and a key for each answer, how far one is."""

from __future__ import annotations

import anywidget
from traitlets import Dict, List, Unicode

from transferlab.widgets.page_parts import MAKE

# One answer at a time: what is pressed before the next picture stands is not taken, and a key held down counts
# once. An answer names the state that it was given to, and the kernel refuses it where that is past.
_SCRIPT = (
    MAKE
    + """
const SILENCE = "The kernel has not taken this answer yet. If it was restarted, run this cell again: " +
  "every answer given before is in the file.";

function render({ model, el }) {
  const classes = model.get("classes");
  const many = classes.length > 9;
  const keys = (many ? "1 to 9 and / to search a class" : `1 to ${classes.length}`) +
    ", n none of these, s skip, u or Backspace undo";
  const root = make("div", "tl-label", el, { tabindex: "0", role: "application",
    "aria-label": `Label images: keys ${keys}`, "data-lm-suppress-shortcuts": "true" });
  const left = make("div", "tl-label-picture", root);
  const image = make("img", "", left);
  const caption = make("div", "tl-label-name", left);
  const right = make("div", "tl-label-answers", root);
  const progress = make("div", "tl-label-progress", right);
  const bar = make("progress", "", progress, { "aria-label": "images answered" });
  const count = make("span", "", progress);
  const search = many ? make("input", "tl-label-search", right, { type: "text", autocomplete: "off",
    placeholder: "/ to search a class, Enter to choose the first", "aria-label": "search a class" }) : null;
  const choices = make("div", "tl-label-classes", right, { role: "group", "aria-label": "classes" });
  const others = make("div", "tl-label-others", right, { role: "group", "aria-label": "other answers" });
  const status = make("div", "tl-label-status", right, { role: "status" });
  const round = make("div", "tl-label-round", right, { role: "status" });
  const hint = make("div", "tl-label-hint", right);
  hint.textContent = `Keys, once this is clicked or reached by Tab: ${keys}.`;
  let waiting = false, timer = null;

  function answer(content) {
    if (waiting) return;
    const { token, name } = model.get("shown");
    if (content.answer !== "undo" && !name) return;
    waiting = true;
    root.setAttribute("aria-busy", "true");
    timer = setTimeout(() => complain(SILENCE), 8000);
    try { model.send({ token, ...content }); } catch { complain(SILENCE); }
  }
  function button(parent, key, words, content) {
    const made = make("button", "", parent, { type: "button" });
    if (key) {
      make("kbd", "", made, { "aria-hidden": "true" }).textContent = key;
      made.setAttribute("aria-keyshortcuts", key);
    }
    make("span", "", made).textContent = words;
    made.setAttribute("aria-label", key ? `${words}, key ${key}` : words);
    made.addEventListener("click", () => answer(content));
    return made;
  }
  const buttons = classes.map((name, k) => button(choices, k < 9 ? String(k + 1) : "", name,
    { answer: "label", label: name }));
  const none = button(others, "n", "None of these", { answer: "none" });
  const skip = button(others, "s", "Skip", { answer: "skip" });
  const undo = button(others, "u", "Undo", { answer: "undo" });

  function found() {
    const wanted = search.value.trim().toLowerCase();
    const rank = (name) => name === wanted ? 0 : name.startsWith(wanted) ? 1 : name.includes(wanted) ? 2 : 3;
    const ranks = classes.map((name) => rank(name.toLowerCase()));
    return classes.map((_, k) => k).filter((k) => ranks[k] < 3).sort((a, b) => ranks[a] - ranks[b] || a - b);
  }
  function narrow() {
    const order = found();
    choices.replaceChildren(...order.map((k) => buttons[k]));
    choices.scrollTop = 0;
    buttons.forEach((b) => b.classList.remove("tl-label-first"));
    if (search.value.trim() && order.length) buttons[order[0]].classList.add("tl-label-first");
  }
  function leaveSearch() {
    search.value = "";
    narrow();
    root.focus();
  }
  if (many) search.addEventListener("input", narrow);

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target === search) {
      if (event.key === "Enter" && search.value.trim() && found().length) {
        const chosen = buttons[found()[0]];
        leaveSearch();
        chosen.click();
      } else if (event.key === "Escape") leaveSearch();
      event.stopPropagation();
      return;
    }
    const key = event.key.toLowerCase();
    const digit = /^[1-9]$/.test(key) ? Number(key) : 0;
    const pressed = digit ? buttons[digit - 1] : { n: none, s: skip, u: undo, backspace: undo }[key];
    if (pressed) {
      if (!event.repeat) pressed.click();
    } else if (key === "/" && search) search.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function complain(words) {
    root.querySelector(".tl-label-trouble")?.remove();
    if (!words) return;
    const box = make("div", "tl-label-trouble", null, { role: "alert" });
    box.textContent = words;
    hint.before(box);
  }
  function draw() {
    const now = model.get("shown");
    waiting = false;
    clearTimeout(timer);
    root.removeAttribute("aria-busy");
    const inside = root.contains(document.activeElement);
    image.hidden = !now.name;
    if (image.getAttribute("src") !== model.get("picture")) image.src = model.get("picture");
    image.alt = now.name ? `the image to label, ${now.name}` : "";
    caption.textContent = now.name || now.end;
    caption.classList.toggle("tl-label-end", !now.name);
    bar.max = now.total;
    bar.value = now.done;
    count.textContent = `${now.done} of ${now.total}`;
    for (const each of [...buttons, none, skip]) each.disabled = !now.name;
    if (inside && !root.contains(document.activeElement)) root.focus();
    status.textContent = now.status;
    round.textContent = now.round;
    complain(now.trouble);
  }
  image.addEventListener("load", () => image.classList.toggle("tl-label-small", image.naturalWidth < 128));
  model.on("change:shown", draw);
  draw();
  return () => { clearTimeout(timer); model.off("change:shown", draw); };
}
export default { render };
"""
)

_STYLE = """
.tl-label { display: flex; flex-wrap: wrap; gap: 20px; margin: 6px; padding: 12px; max-width: 1000px;
  box-sizing: border-box; border: 1px solid var(--jp-border-color1, #8a8f98); border-radius: 4px;
  color: var(--jp-ui-font-color1, inherit); font-size: 14px; line-height: 1.4; }
.tl-label :is(img, div)[hidden] { display: none; }
.tl-label:focus-visible, .tl-label:focus, .tl-label button:focus-visible, .tl-label input:focus-visible {
  outline: 3px solid var(--jp-brand-color1, #1976d2); outline-offset: 2px; }
.tl-label-picture { flex: 1 1 420px; min-width: 260px; text-align: center; }
.tl-label-picture img { width: 100%; height: 420px; object-fit: contain; }
.tl-label-picture img.tl-label-small { image-rendering: pixelated; }
.tl-label-name { margin-top: 6px; overflow-wrap: anywhere; color: var(--jp-ui-font-color2, inherit); }
.tl-label-end { font-size: 18px; padding: 60px 12px; color: inherit; }
.tl-label-answers { flex: 1 1 280px; min-width: 240px; display: flex; flex-direction: column; gap: 12px; }
.tl-label-progress { display: flex; align-items: center; gap: 12px; font-weight: 600; white-space: nowrap; }
.tl-label-progress progress { flex: 1; height: 12px; accent-color: var(--jp-brand-color1, #1976d2); }
.tl-label-classes { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px;
  max-height: 300px; overflow-y: auto; padding: 5px; margin: -5px; }
.tl-label-others { display: flex; flex-wrap: wrap; gap: 8px; border-top: 1px solid var(--jp-border-color2, #b8bcc4);
  padding-top: 12px; }
.tl-label button { display: flex; align-items: center; gap: 8px; min-height: 36px; padding: 4px 10px; cursor: pointer;
  font: inherit; text-align: left; color: inherit; background: var(--jp-layout-color2, transparent);
  border: 1px solid var(--jp-border-color1, #8a8f98); border-radius: 4px; overflow-wrap: anywhere; }
.tl-label button:hover:not(:disabled), .tl-label button.tl-label-first {
  border-color: var(--jp-brand-color1, #1976d2); background: var(--jp-layout-color3, transparent); }
.tl-label button:disabled { opacity: 0.5; cursor: default; }
.tl-label kbd { flex: none; min-width: 20px; text-align: center; font-size: 12px; font-family: inherit;
  border: 1px solid currentColor; border-radius: 3px; opacity: 0.75; background: none; color: inherit;
  box-shadow: none; padding: 0 2px; }
.tl-label-search { font: inherit; padding: 6px 8px; color: inherit; background: var(--jp-layout-color1, transparent);
  border: 1px solid var(--jp-border-color1, #8a8f98); border-radius: 4px; }
.tl-label-status, .tl-label-round { overflow-wrap: anywhere; }
.tl-label-status:empty, .tl-label-round:empty { display: none; }
.tl-label-round { font-weight: 600; }
.tl-label-hint { margin-top: auto; font-size: 12px; color: var(--jp-ui-font-color2, inherit); }
.tl-label-trouble { background: #fcfcfa; color: #8a1c1c; border: 2px solid #8a1c1c; padding: 8px;
  overflow-wrap: anywhere; }
"""


class LabelView(anywidget.AnyWidget):
    """What is shown; answers come as messages ``{"token", "answer", "label"}``.

    shown : ``name`` ("" at the end), ``end``, ``done``, ``total``, ``status``, ``trouble``, ``round`` and a
        ``token`` that differs each time; picture : the image as a data address
    """

    _esm = _SCRIPT
    _css = _STYLE
    classes = List(Unicode()).tag(sync=True)
    picture = Unicode().tag(sync=True)
    shown = Dict().tag(sync=True)
