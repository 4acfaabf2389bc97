"""Real reports, made once a session through the real command line."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HOSTILE = "<script>window.hacked=1<∕script>"


def transferlab(*arguments, cwd, cache):
    """Run the command line in another process."""
    env = {**os.environ, "TRANSFERLAB_CACHE": str(cache)}
    command = [sys.executable, "-m", "transferlab", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=900, check=False)


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def run(cache):
    """``run(*arguments, cwd=folder)``: the command line in another process."""
    return partial(transferlab, cache=cache)


@pytest.fixture(scope="session")
def bundled_report(tmp_path_factory, run) -> Path:
    """The report on bundled images, smoke profile."""
    folder = tmp_path_factory.mktemp("bundled")
    done = run("report", "transfer", "--profile", "smoke", cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    out = folder / "transfer-report"
    assert done.stdout.strip().splitlines()[-1] == f"The report is in {out / 'report.html'}"
    return out


def write_hostile_folder(root: Path) -> None:
    """Three classes of real-looking images with names that attack, and files that are broken."""
    rng = np.random.default_rng(0)
    for level, name in enumerate((HOSTILE, "größe $x_1$ & _b_", "ok")):
        folder = root / name
        folder.mkdir(parents=True)
        for i in range(16):
            pixels = rng.integers(0, 120, (40, 40 + i, 3), np.uint8) + np.uint8(60 * level)
            Image.fromarray(pixels).save(folder / f"a b {i}.{['PNG', 'jpg', 'webp', 'bmp'][i % 4]}")
    good = (root / "ok" / "a b 1.jpg").read_bytes()
    (root / HOSTILE / "truncated.jpg").write_bytes(good[: len(good) // 2])
    (root / "ok" / "empty.png").write_bytes(b"")
    (root / "ok" / "<img src=x onerror=hack()>.png").write_text("no image")
    (root / "ok" / "copy.jpg").write_bytes(good)
    (root / "ok" / "notes.txt").write_text("hello")


@pytest.fixture(scope="session")
def hostile_folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("hostile") / "my photos"
    write_hostile_folder(root)
    return root


@pytest.fixture(scope="session")
def hostile_report(tmp_path_factory, hostile_folder, run) -> Path:
    """The report on a folder of broken and hostile files."""
    folder = tmp_path_factory.mktemp("hostile_report")
    done = run("report", "transfer", hostile_folder, "--profile", "smoke", "--out", "deep/er", cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "deep" / "er"
