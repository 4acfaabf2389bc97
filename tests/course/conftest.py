"""A JupyterLab that runs for all tests of a file."""

import signal

import pytest
from a_lab import start


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(address, folder, process, folder of settings) of a lab that runs for all tests."""
    root = tmp_path_factory.mktemp("lab")
    address, server = start(root)
    yield address, root / "mine", server, root / "settings"
    server.send_signal(signal.SIGINT)
    server.wait(timeout=120)
