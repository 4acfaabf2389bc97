"""What is installed, which device, and whether the browser parts will work, in ten lines."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import transferlab

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def doctor_lines() -> list[str]:
    """Ten lines of text about this installation; never raises, and opens no connection.

    Examples
    --------
    >>> lines = doctor_lines()
    >>> len(lines), lines[0].split()[0]
    (10, 'transferlab')
    """
    checks = {
        "transferlab": lambda: (
            f"{transferlab.__version__}, Python {platform.python_version()}, {platform.platform()}"
        ),
        "networks": lambda: _versions("torch", "torchvision", "timm", "lightning-fabric", "safetensors"),
        "science": lambda: _versions(
            "numpy", "scipy", "scikit-learn", "scikit-image", "pandas", "matplotlib"
        ),
        "notebooks": lambda: _versions("jupyterlab", "ipykernel", "ipywidgets", "papermill", "nbconvert"),
        "device": _device,
        "kernel": _kernel,
        "browser": _browser,
        "cache": _cache,
        "mirror": _mirror,
        "bundled": _bundled,
    }
    return [f"{name:<12} {_safely(check)}" for name, check in checks.items()]


def find_browser() -> str | None:
    """Path of a Chromium or Chrome executable, or None."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def _safely(check) -> str:
    try:
        return " ".join(check().split())
    except Exception as error:  # a broken part is what this is here to report
        return f"broken: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _versions(*names: str) -> str:
    return ", ".join(f"{name} {_version(name)}" for name in names)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "MISSING"


def _device() -> str:
    import torch

    if not torch.cuda.is_available():
        return f"cpu, {torch.get_num_threads()} threads, no CUDA device"
    memory = torch.cuda.get_device_properties(0).total_memory / 2**30
    more = f" and {torch.cuda.device_count() - 1} more" if torch.cuda.device_count() > 1 else ""
    return f"cuda, {torch.cuda.get_device_name(0)}, {memory:.0f} GiB{more}"


def _kernel() -> str:
    from jupyter_client.kernelspec import KernelSpecManager

    specs = KernelSpecManager().find_kernel_specs()
    if "python3" not in specs:
        return "no kernel python3: reports cannot run; try python -m ipykernel install --sys-prefix"
    return f"python3 at {specs['python3']}"


def _browser() -> str:
    found, driver = find_browser(), _version("playwright")
    lab = "JupyterLab opens in your own browser" if _version("jupyterlab") != "MISSING" else "no JupyterLab"
    if found and driver != "MISSING":
        return f"{lab}; browser tests will run: {found}, playwright {driver}"
    lacking = " and ".join(["a Chromium executable"] * (not found) + ["playwright"] * (driver == "MISSING"))
    return f"{lab}; browser tests will not run: {lacking} missing"


def _cache() -> str:
    from transferlab.data.cache import cache_dir

    return _folder(cache_dir())


def _mirror() -> str:
    given = os.environ.get("TRANSFERLAB_MIRROR")
    return (
        _folder(Path(given)) if given else "TRANSFERLAB_MIRROR is not set: torchvision's sets are downloaded"
    )


def _folder(path: Path) -> str:
    state = "" if path.is_dir() else " (NOT A FOLDER)" if path.exists() else " (not there yet)"
    return f"{path}{state}"


def _bundled() -> str:
    from transferlab.data.bundled import BUNDLED

    weights = Path(transferlab.__file__).parent / "backbones" / "weights"
    networks = sorted(path.stem for path in weights.glob("*.safetensors"))
    shown = (
        f"{len(networks)} networks (for research: {weights / 'WEIGHTS_LICENSE'})"
        if networks
        else "NO networks"
    )
    return f"{len(BUNDLED)} sets ({', '.join(BUNDLED)}); {shown}"
