"""Train the bundled networks: ``python -m data_scripts.train_backbones --data FOLDER [NAME]…``

FOLDER holds tiny_imagenet_1.zip and tiny_imagenet_2.zip. Takes hours on two CPU cores, minutes on a
GPU. Each epoch is kept in ``.training/``: a run that was stopped goes on where it was. A finished
network is written to the package as NAME.safetensors (float16) with its card in NAME.json.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

import transferlab
from data_scripts import tiny_imagenet
from data_scripts.sources import SOURCES, Source
from transferlab.backbones.bundled import build_small_resnet
from transferlab.training.augmentation import augment
from transferlab.training.loop import History, train
from transferlab.training.progress import epoch_progress
from transferlab.unsupervised import nt_xent
from transferlab.whole_file import write_text, write_whole

SEED = 0
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WEIGHTS = Path(transferlab.__file__).parent / "backbones" / "weights"
LIMITS = (
    "Trained on 40,000 images of 64 pixels: small objects, fine detail and text are beyond it. Never use "
    "Tiny ImageNet or other ImageNet images as its target: it has seen them."
)


def normalize(x: torch.Tensor) -> torch.Tensor:
    return (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def supervised(source: Source, images: torch.Tensor, labels: torch.Tensor):
    """Batches of one random view with its label, and cross-entropy."""

    def batch(indices, epoch, generator):
        size = source.small_size if epoch < source.recipe.epochs * 2 // 3 else 64
        x = augment(images[indices], generator, strength=0.9, flip=source.flip, size=size)
        return normalize(x), labels[indices]

    return batch, lambda net, b: F.cross_entropy(net(b[0]), b[1])


def contrastive(source: Source, images: torch.Tensor, temperature: float = 0.2):
    """Batches of two random views, and the NT-Xent loss of SimCLR (Chen et al. 2020)."""

    def batch(indices, epoch, generator):
        views = [
            augment(images[indices], generator, strength=1.3, grey=0.2, size=source.small_size)
            for _ in range(2)
        ]
        return (normalize(torch.cat(views)),)

    def loss(net, b):
        return nt_xent(*net(b[0]).chunk(2), temperature)

    return batch, loss


def train_source(name: str, arrays: dict, runs: Path, precision: str) -> tuple[nn.Module, list[str], History]:
    """The trained classifier (or encoder, where there are no labels), its classes and its history."""
    source = SOURCES[name]
    x, y, classes = source.prepare(arrays, np.random.default_rng(SEED))
    torch.manual_seed(SEED)
    net = build_small_resnet(**source.shape, num_classes=len(classes))
    if source.recipe is None:
        return net.eval(), classes, History()
    module = net
    if y is None:
        d = source.shape["channels"][-1]
        module = nn.Sequential(net, nn.Linear(d, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 128))
        batch, loss = contrastive(source, torch.from_numpy(x))
    else:
        batch, loss = supervised(source, torch.from_numpy(x), torch.from_numpy(y))
    history = train(
        module,
        batch,
        len(x),
        loss,
        source.recipe,
        checkpoint=runs / f"{name}.safetensors",
        seed=SEED,
        precision=precision,
        on_epoch=epoch_progress(source.recipe.epochs),
    )
    return net, classes, history


def validation_accuracy(net: nn.Module, arrays: dict, classes: list[str]) -> float | None:
    """Top-1 on the 20 held-out images a class, of the classes that the network knows."""
    if not set(classes) <= set(arrays["classes"].tolist()) or not classes:
        return None
    number = {i: classes.index(wnid) for i, wnid in enumerate(arrays["classes"]) if wnid in classes}
    mask = np.isin(arrays["val_y"], list(number))
    x, y = torch.from_numpy(arrays["val_x"][mask]), [number[i] for i in arrays["val_y"][mask].tolist()]
    with torch.inference_mode():
        found = torch.cat([net(normalize(part.float() / 255)).argmax(1) for part in x.split(500)])
    return float((found == torch.tensor(y)).float().mean())


def export(name: str, net: nn.Module, classes: list[str], history: History, arrays: dict) -> None:
    """Write float16 weights and the card."""
    source = SOURCES[name]
    halves = {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    path = WEIGHTS / f"{name}.safetensors"
    write_whole(path, lambda temporary: save_file(halves, temporary, metadata={"format": "pt"}))
    net.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in halves.items()})
    labels = 0 if not classes else len(classes)
    card = {
        "summary": source.summary,
        "data": "rendered by transferlab (letters)" if name == "zoo-letters" else "Tiny ImageNet",
        "uses_labels": source.recipe is not None and labels > 0,
        "recipe": None
        if source.recipe is None
        else {**asdict(source.recipe), "small_size": source.small_size},
        "seed": SEED,
        "train_loss": [round(r["train_loss"], 4) for r in history.epochs],
        "seconds": round(sum(r["seconds"] for r in history.epochs)),
        "validation_top1": validation_accuracy(net, arrays, classes),
        "parameters": sum(p.numel() for p in net.parameters()),
        "date": datetime.date.today().isoformat(),
        "limits": LIMITS,
        "licence": "see WEIGHTS_LICENSE",
    }
    facts = {
        "library": "transferlab",
        "architecture": "small_resnet",
        "kwargs": {**{k: list(v) for k, v in source.shape.items()}, "num_classes": labels},
        "mean": MEAN,
        "std": STD,
        "input_size": 64,
        "interpolation": "bilinear",
        "classes": classes,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "card": card,
    }
    write_text(path.with_suffix(".json"), json.dumps(facts, indent=1) + "\n")
    print(f"{name}: {path.stat().st_size / 1e6:.2f} MB, top-1 {card['validation_top1']}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SOURCES)}; all when none is given")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path(".training"))
    parser.add_argument("--precision", default="auto", help="auto, 32-true or bf16-mixed")
    args = parser.parse_args()
    unknown = sorted(set(args.names) - set(SOURCES))
    if unknown:
        raise SystemExit(f"no source named {', '.join(unknown)}; there are {', '.join(SOURCES)}.")
    arrays = tiny_imagenet.load(args.data, args.runs)
    for name in args.names or SOURCES:
        start = time.perf_counter()
        net, classes, history = train_source(name, arrays, args.runs, args.precision)
        export(name, net, classes, history, arrays)
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
