"""A JupyterLab that runs for all tests of a file."""

import signal

import pytest
from a_lab import start, write_setting


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(address, folder, process, folder of settings) of a lab that runs for all tests."""
    root = tmp_path_factory.mktemp("lab")
    address, server = start(root)
    yield address, root / "mine", server, root / "settings"
    server.send_signal(signal.SIGINT)
    server.wait(timeout=120)


@pytest.fixture
def page(lab, browser):
    write_setting(lab[3], "notebook-extension/tracker", windowingMode="none")
    write_setting(lab[3], "apputils-extension/notification", fetchNews="false", doNotDisturbMode=True)
    context = browser.new_context(viewport={"width": 1300, "height": 1300})
    yield context.new_page()
    context.close()
