"""The next images to label, of a folder without labels: a CSV file to fill in and a contact sheet to look at."""

from __future__ import annotations

import base64
import csv
import io
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from markupsafe import Markup
from PIL import Image

from transferlab.active import STRATEGIES, query
from transferlab.active.label_file import LabelFile, check_outside
from transferlab.active.label_rows import standing
from transferlab.active.strategies import DEFAULT_STRATEGY, round_seed
from transferlab.adaptation.base import class_probabilities
from transferlab.backbones import load_backbone
from transferlab.data.listing import shown
from transferlab.data.load import load_labelled
from transferlab.data.unlabelled import read_unlabelled
from transferlab.errors import UserError
from transferlab.reports.html import write_page
from transferlab.training.boundary_cache import shared_cache
from transferlab.training.heads import make_head
from transferlab.viz.words import visible
from transferlab.whole_file import write_whole
from transferlab.widgets.label_pictures import picture

#: What a frozen network and its head can serve; ``bald`` asks for a network with dropout.
USABLE = tuple(name for name, strategy in STRATEGIES.items() if "draws" not in strategy.needs)
HEADER = ("rank", "image", "label")
FILES = ("next.csv", "next.html")
_SIDE = 220  # pixels of a picture on the sheet


@dataclass(frozen=True, eq=False)
class NextImages:
    """Images to label next: their names in the order to ask, and what was known before.

    names : paths in the folder; classes : names that a label may take
    n_labelled, n_pool : labelled images learned from, and images without a label
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    strategy: str
    n_labelled: int
    n_pool: int


def next_images(
    labelled: str,
    folder: Path,
    *,
    n: int = 20,
    strategy: str = DEFAULT_STRATEGY,
    labels: Path | None = None,
    backbone: str = "tiny",
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> NextImages:
    """Choose ``n`` images of ``folder`` by ``strategy``, from what ``labelled`` and the label file teach.

    The test part of ``labelled`` is left alone, so that a later report on it stays honest.

    Parameters
    ----------
    labelled : a folder of class folders, a CSV file, a bundled set or ``torchvision/NAME``
    labels : a label file with answers about images of ``folder``; those answered are not asked again

    Raises
    ------
    UserError
        when images or labels are missing, a name is not known, or fewer images than ``n`` are left.
    """
    check_strategy(strategy)
    net = load_backbone(backbone)
    size = net.preprocessing.input_size
    known = load_labelled(labelled, size, progress=progress)
    train = known.development.joined(known.validation)
    pool, _ = read_unlabelled(Path(folder), size, progress, what="folder to label", by_name=True)
    answers = LabelFile(labels, train.classes) if labels else None
    told = answers.labels() if answers else {}
    answered = {row.image for row in standing(answers.rows())} if answers else set()
    done = np.array([i for i, name in enumerate(pool.paths) if name in answered], np.int64)
    left = len(pool) - len(done)
    if n > left:
        raise UserError(
            f"{n} images are asked for, but {left} of {shown(str(folder))!r} are left to label; ask for fewer with --n."
        )
    theirs = np.array([i for i in done if pool.paths[i] in told], np.int64)
    codes = np.array([train.classes.index(told[pool.paths[i]]) for i in theirs], np.int64)
    features, learned = (shared_cache().features(net, part, device=device) for part in (pool, train))
    head = make_head("logistic").fit(
        np.concatenate([learned, features[theirs]]), np.concatenate([train.labels, codes])
    )
    picks = query(
        strategy,
        # what is labelled comes last, so that positions in the pool stay what they are
        features=np.concatenate([features, learned]),
        probabilities=class_probabilities(head, np.concatenate([features, learned]), len(train.classes)),
        labelled=np.concatenate([done, len(pool) + np.arange(len(train))]),
        n=n,
        seed=round_seed(seed, len(done)),
    )
    names = tuple(pool.paths[i] for i in picks)
    return NextImages(names, train.classes, strategy, len(train) + len(theirs), left)


def check_strategy(strategy: str) -> None:
    """Refuse a strategy that a frozen network cannot serve."""
    if strategy not in USABLE:
        raise UserError(f"the strategy {strategy!r} is not one of {', '.join(USABLE)}.")


def check_labels(labels: Path, folder: Path) -> None:
    """Refuse a label file that is not there, since nothing would be learned from it, or that lies among the images."""
    if not labels.is_file():
        raise UserError(
            f"there is no label file {shown(str(labels))!r}; leave --labels out to begin without one."
        )
    check_outside(labels, folder)


def check_place(out: Path, folder: Path) -> None:
    """Refuse a ``folder`` that is none, and an ``out`` in which something would be lost or that lies among images."""
    if not folder.is_dir():
        raise UserError(
            f"--unlabelled {shown(str(folder))!r} is not a folder; name the one that holds the images."
        )
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UserError(f"--out {shown(str(out))!r} is not a folder; name a new one.")
    for name in FILES:
        if (out / name).exists():
            raise UserError(
                f"{shown(str(out / name))!r} is there already and may hold your labels; name another folder with --out."
            )
    if folder.resolve() in (out.resolve(), *out.resolve().parents):
        raise UserError(f"--out {shown(str(out))!r} lies among the images; name a folder outside of them.")


def write_next(found: NextImages, folder: Path, out: Path) -> Path:
    """Write ``next.csv`` (rank, image, label: to be filled in) and ``next.html`` into ``out``; the page's path."""

    def write(temporary: str) -> None:
        with open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows((rank, name, "") for rank, name in enumerate(found.names, 1))

    write_page(out / FILES[1], "Images to label next", _sheet(found, Path(folder)))
    write_whole(out / FILES[0], write)
    return out / FILES[1]


def _sheet(found: NextImages, folder: Path) -> Markup:
    """No guess of a model is shown: who sees one tends to agree with it."""
    classes = ", ".join(escape(visible(name)) for name in found.classes)
    figures = "".join(
        f'<figure><img alt="image {rank}" src="{_data_uri(folder / name)}">'
        f"<figcaption>{rank}. <code>{escape(visible(name))}</code></figcaption></figure>"
        for rank, name in enumerate(found.names, 1)
    )
    return Markup(
        f"<h1>{len(found.names)} images to label next</h1>"
        f"<p>Chosen of {found.n_pool:,} images by <b>{escape(found.strategy)}</b> "
        f"({escape(STRATEGIES[found.strategy].text)}), with {found.n_labelled:,} labels known. Write one of these "
        f"classes into the column <code>label</code> of <code>{FILES[0]}</code>: {classes}.</p>"
        f'<div class="sheet">{figures}</div>'
    )


def _data_uri(path: Path) -> str:
    image = Image.fromarray(np.ascontiguousarray(picture(path).transpose(1, 2, 0)))
    image.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
