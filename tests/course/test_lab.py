"""JupyterLab as a learner meets it: a real server, a real browser, a real kernel."""

import contextlib
import re
import signal
import sys
import urllib.error
import urllib.request

import psutil
import pytest
from a_lab import open_notebook, start, write_setting

from transferlab.course.copies import shipped_lessons


def test_lab_listens_on_this_machine_alone_and_wants_its_token(lab):
    address, folder, server, _ = lab
    assert {p.name for p in folder.glob("*.ipynb")} == set(shipped_lessons())
    family = psutil.Process(server.pid).children(recursive=True)
    listening = [c.laddr.ip for p in family for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
    assert listening and set(listening) <= {"127.0.0.1", "::1"}
    port = re.search(r":(\d+)/", address)[1]
    token = address.split("token=")[1]
    assert len(token) >= 24
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents")
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents?token={token}").status == 200
    assert all(token not in " ".join(p.cmdline()) for p in family)


def playwright_error():
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    return PlaywrightTimeout


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["Light", "Dark"])
def test_a_lesson_opens_and_runs(lab, browser, scheme):
    address, folder, _, settings = lab
    write_setting(settings, "apputils-extension/themes", theme=f"JupyterLab {scheme}")
    base = address.split("/lab?token=")[0]
    lesson = sorted(p.name for p in folder.glob("*.ipynb"))[0]
    context = browser.new_context(color_scheme=scheme.lower(), viewport={"width": 1300, "height": 900})
    page = context.new_page()
    elsewhere = []
    page.on(
        "request", lambda r: None if r.url.startswith((base, "data:", "blob:")) else elsewhere.append(r.url)
    )
    page.on("websocket", lambda w: None if w.url.startswith(f"ws{base[4:]}") else elsewhere.append(w.url))
    open_notebook(page, address, lesson)
    assert page.locator("body").get_attribute("data-jp-theme-light") == str(scheme == "Light").lower()
    answer = page.locator(".jp-OutputArea-output:has-text('it ran')").first
    for _ in range(3):  # what is typed before the page is ready is lost
        page.locator(".jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Control+End")
        page.keyboard.type("\nprint('it ' + 'ran')")
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(playwright_error()):
            answer.wait_for(timeout=60_000)
            break
    assert answer.is_visible()
    assert not page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count()
    assert elsewhere == []
    context.close()


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_second_lab_takes_another_port_and_ends_with_its_terminal(lab, tmp_path):
    address, server = start(tmp_path)
    family = psutil.Process(server.pid).children(recursive=True)
    ports = [int(re.search(r":(\d+)/", a)[1]) for a in (lab[0], address)]
    assert ports[1] > ports[0]
    server.send_signal(signal.SIGHUP)
    said = server.communicate(timeout=120)[0]
    assert family and not psutil.wait_procs(family, timeout=60)[1]
    assert "Traceback" not in said
