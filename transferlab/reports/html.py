"""An executed notebook as one HTML file that opens offline and asks nothing of anywhere."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import jinja2
import mistune
import nbformat
from markupsafe import Markup

from transferlab.training.checkpoint import write_whole

HERE = Path(__file__).parent
_markdown = mistune.create_markdown(escape=True, plugins=["table"])


def export_html(notebook: Path, out: Path, title: str) -> None:
    """Write ``out``: text, figures and tables of ``notebook``, its code folded away.

    There is no script in the page, and its policy forbids one, as well as any request. What programs
    wrote to stderr is left out.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    parts = [part for cell in cells for part in _parts(cell)]
    headings = [re.sub(r"<[^>]+>", "", h) for p in parts for h in re.findall(r"<h2[^>]*>(.*?)</h2>", p)]
    body = re.sub(r"<h2>(.*?)</h2>", lambda m: f'<h2 id="{_anchor(m[1])}">{m[1]}</h2>', "\n".join(parts))
    template = jinja2.Environment(autoescape=True).from_string((HERE / "report.html.j2").read_text("utf-8"))
    page = template.render(
        title=title,
        style=Markup((HERE / "report.css").read_text("utf-8")),
        contents=[(_anchor(h), Markup(h)) for h in headings],
        body=Markup(body),
    )
    write_whole(out, lambda temporary: Path(temporary).write_text(page, encoding="utf-8"))


def _anchor(heading: str) -> str:
    return re.sub(r"\W+", "-", re.sub(r"<[^>]+>|&\w+;", "", heading)).strip("-").lower()


def _parts(cell) -> list[str]:
    if cell.cell_type == "markdown":
        return [_markdown(cell.source)]
    if cell.cell_type != "code" or not cell.source.strip():
        return []
    code = f'<details class="code"><summary>Code</summary><pre>{escape(cell.source)}</pre></details>'
    return [*filter(None, map(_output, cell.outputs)), code]


def _output(output) -> str:
    if output.output_type == "stream":
        return "" if output.name == "stderr" else f"<pre>{escape(output.text)}</pre>"
    if output.output_type == "error":
        return f"<pre>{escape(output.ename)}: {escape(output.evalue)}</pre>"
    data = output.data
    if "text/html" in data:
        return f'<div class="output">{data["text/html"]}</div>'
    if "image/png" in data:
        alt = output.metadata.get("image/png", {}).get("alt") or output.metadata.get("alt") or "Figure"
        pixels = data["image/png"].replace("\n", "")
        return f'<figure><img alt="{escape(alt)}" src="data:image/png;base64,{pixels}"></figure>'
    return f"<pre>{escape(data.get('text/plain', ''))}</pre>"


def audit_html(audit: dict) -> str:
    """What the audit of the images found; long lists are folded, every name is escaped."""
    parts = [f"<p>{audit.get('read', 0):,} images were read.</p>"] if "read" in audit else []
    parts += [f'<p class="warning">{escape(text)}</p>' for text in audit.get("warnings", [])]
    for key, heading in SECTIONS.items():
        found = audit.get(key) or []
        if found:
            parts.append(_folded(f"{heading}: {len(found)}", [_finding(f) for f in found]))
    if not any(audit.get(key) for key in SECTIONS):
        parts.append(
            "<p>Nothing was set aside: every file could be read, and none is a duplicate of another.</p>"
        )
    return "".join(parts)


SECTIONS = {
    "quarantined": "Files left out",
    "conflicting_labels": "Equal pictures with different labels",
    "duplicates": "Equal pictures",
    "near_duplicates": "Pictures that look alike",
    "removed": "Taken out of training or validation",
}


def _folded(heading: str, lines: list[str], most: int = 200) -> str:
    rest = f"<li>and {len(lines) - most} more</li>" if len(lines) > most else ""
    items = "".join(f"<li>{line}</li>" for line in lines[:most])
    return f"<details><summary>{escape(heading)}</summary><ul>{items}{rest}</ul></details>"


def _finding(found) -> str:
    if isinstance(found, dict) and "reason" in found:
        return f"<code>{escape(str(found['path']))}</code>: {escape(str(found['reason']))}"
    names = found.values() if isinstance(found, dict) else found
    flat = [n for name in names for n in (name if isinstance(name, list | tuple) else [name])]
    return " = ".join(f"<code>{escape(str(n))}</code>" for n in flat)
