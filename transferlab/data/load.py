"""One call from a name or a path to a task."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import numpy as np

from transferlab.data.labelled import Labelled
from transferlab.data.task import SealedTest, Task, draw_task
from transferlab.errors import UserError

_ORDER_SEED = 7_919


def load_task(
    name_or_folder: str | Path,
    labels_per_class: int | None = None,
    seed: int = 0,
    *,
    image_size: int = 64,
    group_regex: str | None = None,
    mirror: str | Path | None = None,
    progress: bool = True,
) -> Task:
    """A task from a bundled set, a set of torchvision, or one's own images.

    Parameters
    ----------
    name_or_folder : looked up in this order: a bundled set (``"digits"``), ``"torchvision/NAME"``, a
        folder, a ``.csv`` file
    labels_per_class : labels that may be seen in each class, validation included; None: all
    seed : of the label draw; the test stays the same for every seed
    image_size : pixels a side of a folder's images, 8 to 1024; at most that for torchvision's;
        bundled sets have their own
    group_regex : for folders: its first capture group names what no split may straddle
    mirror : for torchvision's sets, see :func:`transferlab.data.tv.load_torchvision`
    progress : show progress on stderr

    Raises
    ------
    UserError
        when nothing has that name, the images make no task, or a class has fewer labels than asked for.

    Examples
    --------
    >>> task = load_task("digits", labels_per_class=10)
    >>> len(task.train) + len(task.validation), task.grouped
    (100, False)
    """
    whole = isinstance(image_size, (int, np.integer)) and not isinstance(image_size, bool)
    if not whole or not 8 <= image_size <= 1024:
        raise UserError(f"image size must be a whole number from 8 to 1024, not {image_size!r}.")
    if not str(name_or_folder).strip():
        raise UserError("the name of the images is empty; give a bundled set, torchvision/NAME or a folder.")
    found = load_labelled(
        str(name_or_folder), int(image_size), group_regex=group_regex, mirror=mirror, progress=progress
    )
    # Folders list class by class: the order of the test must not tell the class.
    order = np.random.default_rng(_ORDER_SEED).permutation(len(found.test))
    test = SealedTest(found.test[order])
    return draw_task(
        found.name, found.development, found.validation, test, labels_per_class, seed,
        card=found.card, audit=found.audit,
    )  # fmt: skip


def load_labelled(
    name: str, image_size: int, *, group_regex: str | None = None, mirror=None, progress: bool = True
) -> Labelled:
    """Everything that has labels under a name or path, as :func:`load_task` takes them; the test is not sealed.

    Examples
    --------
    >>> len(load_labelled("digits", 64).development)
    601
    """
    from transferlab.data.bundled import BUNDLED, load_bundled

    bundled = name in BUNDLED
    if (bundled or name.startswith("torchvision/")) and group_regex is not None:
        raise UserError(
            f"a group regex reads the paths of your own images; {name!r} has none, so leave it out."
        )
    if bundled:
        return load_bundled(name)
    if name.startswith("torchvision/"):
        from transferlab.data.tv import load_torchvision

        return load_torchvision(
            name.removeprefix("torchvision/"), image_size=image_size, mirror=mirror, progress=progress
        )
    if Path(name).exists():
        from transferlab.data.folder import load_folder

        return load_folder(name, image_size=image_size, group_regex=group_regex, progress=progress)
    raise UserError(_unknown(name, BUNDLED))


def _unknown(name: str, bundled) -> str:
    from transferlab.data.listing import shown
    from transferlab.data.tv_table import TV_SETS

    known = {n.lower(): n for n in bundled}
    known |= {n.lower(): f"torchvision/{n}" for n in TV_SETS}
    close = [known[c] for c in get_close_matches(name.lower(), known, n=2)]
    hint = f" did you mean {' or '.join(close)}?" if close else ""
    return (
        f"{shown(name)!r} is neither a bundled set ({', '.join(bundled)}) nor torchvision/NAME nor an "
        f"existing folder or CSV file;{hint or ' check the spelling or the path.'}"
    )
