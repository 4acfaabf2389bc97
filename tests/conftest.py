"""What tests need from outside: real images, a browser. Missing, they skip with a reason.

``TRANSFERLAB_REQUIRE=data,browser`` turns those skips into failures.
"""

import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)  # tests never assert seconds
settings.load_profile("no-deadline")

# Helpers lie beside the tests, which pytest imports without touching the path.
sys.path.append(str(Path(__file__).parent / "data"))


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
