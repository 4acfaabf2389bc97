"""JupyterLab as a learner meets it: a real server, a real browser, a real kernel."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import psutil
import pytest

from transferlab.course.copies import shipped_lessons


def start(root):
    """(address, process) of a running lab; its own settings, so that the machine's do not matter."""
    env = {**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(root / "settings"), "TRANSFERLAB_PROFILE": "smoke"}
    env |= {"JUPYTERLAB_WORKSPACES_DIR": str(root / "workspaces")}
    env |= {f"JUPYTER_{n}_DIR": str(root / n.lower()) for n in ("CONFIG", "RUNTIME", "DATA")}
    command = [sys.executable, "-m", "transferlab", "lab", "mine", "--no-browser", "--port", "18877"]
    server = subprocess.Popen(
        command, cwd=root, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    watchdog = threading.Timer(300, server.kill)
    watchdog.start()
    said = []
    for line in server.stdout:
        said.append(line)
        if found := re.search(r"http://\S+", line):
            watchdog.cancel()
            return found[0], server
    watchdog.cancel()
    pytest.fail("".join(said))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(address, folder, process, folder of settings) of a lab that runs for all tests."""
    root = tmp_path_factory.mktemp("lab")
    address, server = start(root)
    yield address, root / "mine", server, root / "settings"
    server.send_signal(signal.SIGINT)
    server.wait(timeout=120)


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


def wait_for_kernel(base, token):
    """Until the server says that a kernel is idle: on a cold machine that takes a while."""
    end = time.monotonic() + 240
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{base}/api/sessions?token={token}") as answer:
            if any(s["kernel"]["execution_state"] == "idle" for s in json.load(answer)):
                return
        time.sleep(0.5)
    pytest.fail("no kernel became idle in four minutes")


def playwright_error():
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    return PlaywrightTimeout


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["Light", "Dark"])
def test_a_lesson_opens_and_runs(lab, browser, scheme):
    address, folder, _, settings = lab
    chosen = settings / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    chosen.parent.mkdir(parents=True, exist_ok=True)
    chosen.write_text(json.dumps({"theme": f"JupyterLab {scheme}"}))
    base, token = address.split("/lab?token=")
    lesson = sorted(p.name for p in folder.glob("*.ipynb"))[0]
    context = browser.new_context(color_scheme=scheme.lower(), viewport={"width": 1300, "height": 900})
    page = context.new_page()
    elsewhere = []
    page.on(
        "request", lambda r: None if r.url.startswith((base, "data:", "blob:")) else elsewhere.append(r.url)
    )
    page.on("websocket", lambda w: None if w.url.startswith(f"ws{base[4:]}") else elsewhere.append(w.url))
    page.goto(f"{base}/doc/tree/{lesson}?token={token}", timeout=180_000)
    page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=180_000)
    page.locator(".jp-NotebookPanel:visible .jp-Notebook").wait_for(timeout=180_000)
    assert page.locator("body").get_attribute("data-jp-theme-light") == str(scheme == "Light").lower()
    wait_for_kernel(base, token)
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
