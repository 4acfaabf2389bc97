"""What tests need from outside: real images, a browser. Missing, they skip with a reason.

``TRANSFERLAB_REQUIRE=data,browser`` turns those skips into failures.
"""

import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from transferlab.doctor import find_browser

settings.register_profile("no-deadline", deadline=None)  # tests never assert seconds
settings.load_profile("no-deadline")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]

# Helpers lie beside the tests, which pytest imports without touching the path.
sys.path += [str(Path(__file__).parent / room) for room in ("data", "course")]


def missing(what: str, reason: str):
    """Skip the running test for lack of ``what`` (data, browser), or fail where that is required."""
    required = re.split(r"[,\s]+", os.environ.get("TRANSFERLAB_REQUIRE", ""))
    if what in required:
        pytest.fail(f"{reason} (TRANSFERLAB_REQUIRE names {what!r})")
    pytest.skip(reason)


@pytest.fixture
def require_missing():
    """The function :func:`missing`, for tests that find out themselves what is not there."""
    return missing


@pytest.fixture
def test_data() -> Path:
    """Folder of real images, named by TRANSFERLAB_TEST_DATA."""
    given = os.environ.get("TRANSFERLAB_TEST_DATA")
    if not given:
        missing("data", "TRANSFERLAB_TEST_DATA is not set: it names the folder of real images")
    folder = Path(given)
    if not folder.is_dir():
        missing("data", f"TRANSFERLAB_TEST_DATA names {given!r}, which is no folder")
    return folder


@pytest.fixture(scope="session")
def browser():
    """A real Chromium."""
    executable = find_browser()
    if executable is None:
        missing("browser", "no Chromium here; install the package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(executable), args=FLAGS)
        yield chromium
        chromium.close()
