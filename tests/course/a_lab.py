"""A running JupyterLab for tests: how it starts, how one waits for it, how a notebook opens in a browser."""

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

#: Controls of a cell that have no name to say.
UNNAMED = """cell => [...cell.querySelectorAll(
    '.jupyter-widgets :is(input, select, textarea, button, [role=slider], [role=application])')]
  .filter(e => e.offsetParent && !(e.getAttribute('aria-label') || e.title || e.textContent.trim()
    && e.tagName === 'BUTTON' || e.labels && e.labels.length && e.labels[0].textContent.trim()
    || (e.getAttribute('aria-labelledby') && document.getElementById(e.getAttribute('aria-labelledby')))
    || e.closest('.widget-inline-hbox')?.querySelector('.widget-label')?.textContent.trim()))
  .map(e => e.outerHTML.slice(0, 200))"""


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


def write_setting(settings, plugin, **values):
    """Settings of one plugin of the lab, such as ``apputils-extension/themes``."""
    chosen = settings / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
    chosen.parent.mkdir(parents=True, exist_ok=True)
    chosen.write_text(json.dumps(values))


def open_notebook(page, address, name):
    """The notebook called ``name`` in the lab at ``address``, open with a kernel that is idle."""
    base, token = address.split("/lab?token=")
    page.goto(f"{base}/doc/tree/{name}?token={token}", timeout=180_000)
    page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=180_000)
    page.locator(".jp-NotebookPanel:visible .jp-Notebook").wait_for(timeout=180_000)
    wait_for_kernel(base, token, name)


def wait_for_kernel(base, token, name):
    """Until the server says that the notebook's kernel is idle: on a cold machine that takes a while."""
    end = time.monotonic() + 240
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{base}/api/sessions?token={token}") as answer:
            mine = [s["kernel"] for s in json.load(answer) if s["path"].endswith(name)]
            if any(kernel["execution_state"] == "idle" for kernel in mine):
                return
        time.sleep(0.5)
    pytest.fail("no kernel became idle in four minutes")


def run_all(page, cells):
    """Run every cell, and wait until each has its number."""
    page.locator(".jp-NotebookPanel:visible .jp-Notebook").click(position={"x": 3, "y": 3})
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator(".lm-Menu-item[data-command='runmenu:run-all']").click()
    numbered = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].filter(e => /\\d/.test(e.textContent))"
    page.wait_for_function(f"{numbered}.length === {cells}", timeout=240_000)


def choose_theme(page, scheme):
    chosen = page.locator(f"body[data-jp-theme-light='{str(scheme == 'Light').lower()}']")
    if chosen.count():
        return
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-itemLabel:text-is('Theme')").hover()
    page.locator(f".lm-Menu-itemLabel:text-is('JupyterLab {scheme}')").click()
    chosen.wait_for(state="attached", timeout=60_000)
    page.wait_for_timeout(1000)


def save_picture(cell, name):
    if folder := os.environ.get("TRANSFERLAB_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        cell.screenshot(path=Path(folder, f"widget-{name}.png"))
