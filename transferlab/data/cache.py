"""Where downloads are kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """The folder that ``TRANSFERLAB_CACHE`` names, or else the user's cache folder on this system.

    It need not exist yet.
    """
    given = os.environ.get("TRANSFERLAB_CACHE")
    if given:
        return Path(given).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("transferlab", appauthor=False)
