"""JupyterLab as a learner meets it: a real server, a real browser, a real kernel."""

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import psutil
import pytest

from transferlab.course.copies import shipped_lessons


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(address, folder) of a running lab; its own settings, so that the machine's do not matter."""
    root = tmp_path_factory.mktemp("lab")
    names = ("SETTINGS_DIR", "WORKSPACES_DIR")
    env = {**os.environ, **{f"JUPYTERLAB_{n}": str(root / n) for n in names}, "TRANSFERLAB_PROFILE": "smoke"}
    env |= {f"JUPYTER_{n}": str(root / n) for n in ("CONFIG_DIR", "RUNTIME_DIR", "DATA_DIR")}
    command = [sys.executable, "-m", "transferlab", "lab", "mine", "--no-browser", "--port", "18877"]
    server = subprocess.Popen(
        command, cwd=root, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    watchdog = threading.Timer(120, server.kill)
    watchdog.start()
    address, said = None, []
    for line in server.stdout:
        said.append(line)
        if found := re.search(r"http://\S+", line):
            address = found[0]
            break
    watchdog.cancel()
    assert address, "".join(said)
    yield address, root / "mine", server
    server.send_signal(signal.SIGINT)
    server.wait(timeout=60)


def test_lab_listens_on_this_machine_alone_and_wants_its_token(lab):
    address, folder, server = lab
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


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_lesson_opens_and_its_first_cells_run(lab, browser, scheme):
    address, folder, _ = lab
    base, token = address.split("/lab?token=")
    lesson = sorted(p.name for p in folder.glob("*.ipynb"))[0]
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1300, "height": 900})
    page = context.new_page()
    elsewhere = []
    page.on(
        "request",
        lambda r: None if r.url.startswith((base, "data:", "blob:", "ws")) else elsewhere.append(r.url),
    )
    page.goto(f"{base}/doc/tree/{lesson}?token={token}")
    page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
    page.locator(".jp-NotebookPanel:visible .jp-Notebook").wait_for(timeout=60_000)
    page.locator(".jp-CodeCell .jp-InputArea-editor").first.click()
    for _ in range(2):
        page.keyboard.press("Shift+Enter")
    page.locator('.jp-InputPrompt:has-text("[2]:")').wait_for(timeout=120_000)
    assert not page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count()
    assert elsewhere == []
    context.close()
