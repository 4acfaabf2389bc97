"""JupyterLab on a folder of lessons: on this machine alone, with a token."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

from transferlab.errors import UserError

_CONFIG = Path(__file__).resolve().parent / "jupyter"
_PATIENCE = 180.0  # seconds until a server must be up: a cold machine takes its time


def lab_command(folder: Path, port: int, browser: bool) -> list[str]:
    """The command that starts JupyterLab; it asks nothing of any other machine."""
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={folder.resolve()}", "--ServerApp.allow_remote_access=False",
        "--LabApp.news_url=None", "--Application.log_level=WARN",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
        *([] if browser else ["--ServerApp.open_browser=False"]), *as_root,
    ]  # fmt: skip


def open_lab(folder: Path, *, port: int = 8888, browser: bool = True) -> None:
    """Start JupyterLab on ``folder``, say where it is, and stay until it ends or Ctrl-C.

    A port that is taken gives way to the next free one. The token lies in the environment of the server,
    where other users of the machine cannot read it.
    """
    token = secrets.token_urlsafe(24)
    server = subprocess.Popen(
        lab_command(folder, port, browser),
        env=_quiet_environment() | {"JUPYTER_TOKEN": token},
        start_new_session=True,  # Ctrl-C reaches us alone, and the server is asked to end in order
    )
    try:
        print(f"JupyterLab: {_address(server, token)}\nCtrl-C ends it.", flush=True)
        server.wait()
    except KeyboardInterrupt:
        print("Ending JupyterLab.", flush=True)
    finally:
        server.terminate()
        server.wait()


def _quiet_environment() -> dict[str, str]:
    """Ours, with one more folder of configuration: it keeps JupyterLab from asking to fetch news."""
    before = os.environ.get("JUPYTER_CONFIG_PATH")
    return {
        **os.environ,
        "JUPYTER_CONFIG_PATH": os.pathsep.join([*([before] if before else []), str(_CONFIG)]),
    }


def _address(server: subprocess.Popen, token: str) -> str:
    from jupyter_server.serverapp import list_running_servers

    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and server.poll() is None:
        for found in list_running_servers():
            if found["pid"] == server.pid:
                return f"http://127.0.0.1:{found['port']}/lab?token={token}"
        time.sleep(0.1)
    raise UserError("JupyterLab did not start; its own words are above.")
