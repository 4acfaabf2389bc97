"""An executed notebook as one HTML file that opens offline and asks nothing of anywhere."""

from __future__ import annotations

import base64
import re
from html import escape
from pathlib import Path

import jinja2
import mistune
import nbformat
from markupsafe import Markup
from nbconvert.filters import strip_ansi

from transferlab.viz.words import visible
from transferlab.whole_file import write_whole

HERE = Path(__file__).parent
PICTURES = ("image/svg+xml", "image/png", "image/jpeg")


def export_html(notebook: Path, out: Path, title: str) -> None:
    """Write ``out``: text, figures and tables of ``notebook``, its code folded away.

    There is no script in the page, and its policy forbids one, as well as any request. What programs
    wrote to stderr is left out, and so are widgets, which need a kernel. HTML that the notebook made
    itself is taken as it is; raw HTML in its prose is shown as text.

    Parameters
    ----------
    notebook : an executed ``.ipynb`` of format 4; a picture's alternative text is ``alt`` in its metadata
    out : written whole or not at all
    title : of the window, and of the page where the notebook has no heading of the first level
    """
    prose = _Prose()
    markdown = mistune.create_markdown(renderer=prose, plugins=["table"])
    cells = nbformat.read(notebook, as_version=4).cells
    body = "\n".join(part for cell in cells for part in _parts(cell, markdown))
    if not prose.titled:
        body = f"<h1>{escape(title)}</h1>\n{body}"
    write_page(out, title, Markup(body), prose.contents)


def write_page(out: Path, title: str, body: Markup, contents: list[tuple[str, Markup]] | tuple = ()) -> None:
    """Write ``out``, whole or not at all: a page without scripts that asks nothing of anywhere.

    Parameters
    ----------
    title : text of the window
    body : HTML, every name in it escaped
    contents : (anchor, heading) of what the page lists on top
    """
    template = jinja2.Environment(autoescape=True).from_string((HERE / "report.html.j2").read_text("utf-8"))
    style = Markup((HERE / "report.css").read_text("utf-8"))
    page = template.render(title=title, style=style, contents=contents, body=body)

    def write(temporary: str) -> None:
        # A lone surrogate from an undecodable file name has no place in UTF-8.
        Path(temporary).write_text(page, encoding="utf-8", errors="backslashreplace")

    write_whole(out, write)


class _Prose(mistune.HTMLRenderer):
    """Markdown to HTML: raw HTML escaped, nothing fetched, headings collected for the contents.

    contents : (anchor, heading as HTML) of every heading of the second level; anchors are unique
    titled : whether there is a heading of the first level
    """

    def __init__(self):
        super().__init__(escape=True)
        self.contents: list[tuple[str, Markup]] = []
        self.titled = False
        self._anchors: set[str] = {"main"}

    def heading(self, text: str, level: int, **attributes) -> str:
        plain = re.sub(r"<[^>]+>", "", text)
        self.titled = self.titled or level == 1
        stem = re.sub(r"\W+", "-", re.sub(r"&\w+;", "", plain)).strip("-").lower() or "section"
        anchor, number = stem, 2
        while anchor in self._anchors:
            anchor, number = f"{stem}-{number}", number + 1
        self._anchors.add(anchor)
        if level == 2:
            self.contents.append((anchor, Markup(plain)))
        return f'<h{level} id="{anchor}">{text}</h{level}>\n'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return super().image(text, url, title) if url.startswith("data:image/") else text


def _parts(cell, markdown) -> list[str]:
    if cell.cell_type == "markdown":
        return [markdown(cell.source)]
    if cell.cell_type != "code" or not cell.source.strip():
        return []
    code = f'<details class="code"><summary>Code</summary><pre>{escape(cell.source)}</pre></details>'
    return [*filter(None, (_output(output, markdown) for output in cell.outputs)), code]


def _output(output, markdown) -> str:
    if output.output_type == "stream":
        return "" if output.name == "stderr" else _text(output.text)
    if output.output_type == "error":
        return _text(f"{output.ename}: {output.evalue}")
    return _shown(output.data, output.metadata, markdown)


def _shown(data, metadata, markdown) -> str:
    """The first kind of ``data`` that a page without a kernel can show."""
    if any("widget" in kind for kind in data):
        return ""
    if "text/html" in data:
        return f'<div class="output">{data["text/html"]}</div>'
    for kind in PICTURES:
        if kind in data:
            return _picture(kind, data[kind], metadata)
    if "text/markdown" in data:
        return markdown(data["text/markdown"])
    return _text(data["text/plain"]) if data.get("text/plain") else ""


def _text(text: str) -> str:
    return f"<pre>{escape(strip_ansi(text))}</pre>"


def _picture(kind: str, content: str, metadata) -> str:
    """A figure whose picture is in the page itself; a script inside an SVG picture never runs there."""
    own = metadata.get(kind, {})
    alt = str(own.get("alt") or metadata.get("alt") or "Figure")
    width = f' width="{int(own["width"])}"' if isinstance(own.get("width"), int | float) else ""
    svg = kind == "image/svg+xml"
    coded = base64.b64encode(content.encode()).decode("ascii") if svg else "".join(content.split())
    return f'<figure><img alt="{escape(alt)}"{width} src="data:{kind};base64,{coded}"></figure>'


SECTIONS = {
    "quarantined": "Files left out",
    "conflicting_labels": "Equal pictures with different labels",
    "duplicates": "Equal pictures",
    "near_duplicates": "Pictures that look alike",
    "removed": "Taken out of training or validation",
}
_MOST = 200  # rows of one table; results.json holds them all


def audit_html(audit: dict) -> str:
    """What the audit of the images found: sentences, and folded tables; every name is escaped.

    Parameters
    ----------
    audit : as :attr:`transferlab.data.Task.audit`; every key may be missing

    Examples
    --------
    >>> audit_html({"read": 1200, "warnings": ["<b> is a class of one image."]})[:76]
    '<p>1,200 images were read.</p><p class="warning">&lt;b&gt; is a class of one'
    """
    parts = [f"<p>{audit['read']:,} images were read.</p>"] if audit.get("read") is not None else []
    parts += [f'<p class="warning">{escape(visible(text))}</p>' for text in audit.get("warnings") or []]
    found = {heading: audit.get(key) or [] for key, heading in SECTIONS.items()}
    parts += [_folded(heading, [_cells(f) for f in lines]) for heading, lines in found.items() if lines]
    if not any(found.values()):
        parts.append(
            "<p>Nothing was set aside: every file could be read, and none is a duplicate of another.</p>"
        )
    return "".join(parts)


def _folded(heading: str, rows: list[list[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows[:_MOST])
    rest = f"<p>and {len(rows) - _MOST:,} more</p>" if len(rows) > _MOST else ""
    summary = f"<summary>{escape(heading)}: {len(rows):,}</summary>"
    return f"<details>{summary}<table>{body}</table>{rest}</details>"


def _cells(found) -> list[str]:
    """The cells of one finding: a path and its reason, or equal pictures, each with its label where given."""
    if not isinstance(found, dict):
        return [_names(found)]
    paths = found.get("paths", found.get("path", []))
    if "labels" in found:
        return [" = ".join(f"{_name(p)} as {_name(c)}" for p, c in zip(paths, found["labels"], strict=True))]
    return [_names(paths), *([escape(visible(found["reason"]))] if "reason" in found else [])]


def _names(names) -> str:
    return " = ".join(map(_name, [names] if isinstance(names, str) else names))


def _name(name: object) -> str:
    return f"<code>{escape(visible(name))}</code>"
