"""How good the bundled networks are as sources: ``python -m data_scripts.source_table --data FOLDER``

FOLDER holds flowers5/ and sign_digits/ (folders of images), and beside it weights/ with two networks
trained on ImageNet. A logistic head on frozen features, 10 labels a class, 5 seeds; writes the table
into ``README.md``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import tempfile
from pathlib import Path

import numpy as np

from transferlab.backbones import Backbone, load_backbone, random_backbone
from transferlab.course.marked_table import write_table
from transferlab.data import load_task
from transferlab.evaluation import evaluate
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.transfer import FeatureExtraction

LABELS, SEEDS = 10, 5
README = Path(__file__).parent.parent / "README.md"
PERSON = r"IMG_(\d{2,3})\d\."  # about ten images a person, in runs of file numbers
FOREIGN = {
    "squeezenet1_0": {
        "library": "torchvision",
        "architecture": "squeezenet1_0",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "input_size": 224,
        "interpolation": "bilinear",
    },
    "mobilenetv1_025": {
        "library": "transferlab",
        "architecture": "mobilenetv1",
        "kwargs": {"channel_multiplier": 0.25, "pad_type": "same", "bn_eps": 1e-3},
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "input_size": 224,
        "interpolation": "bilinear",
    },
}


class Probe(FeatureExtraction):
    """Fits on validation labels too: nothing is chosen on them here, and they are paid for."""

    def fit(self, X, y=None, *, validation=None):
        images = np.concatenate([X.images, validation.images])
        return super().fit(images, np.concatenate([X.labels, validation.labels]))


def backbones(weights: Path, scratch: Path) -> dict[str, Backbone]:
    """Ours at 64 pixels, the same untrained, and the two ImageNet networks at 64 and 224 pixels."""
    tiny = load_backbone("tiny")
    found = {"tiny, 64 px": tiny, "tiny-ssl (no labels), 64 px": load_backbone("tiny-ssl")}
    found["tiny untrained, 64 px"] = random_backbone(tiny, 0)
    for name, facts in FOREIGN.items():
        file = scratch / f"{name}.safetensors"
        file.symlink_to((weights / file.name).resolve())
        file.with_suffix(".json").write_text(json.dumps(facts))
        native = load_backbone(file)
        found |= {f"{name}, 64 px": native.with_input_size(64), f"{name}, 224 px": native}
    return found


def rows(data: Path, nets: dict[str, Backbone]) -> dict[str, dict[str, str]]:
    """Backbone to target to accuracy with interval."""
    targets = {
        "flowers5": ("flowers5", None),
        "sign_digits, random split": ("sign_digits", None),
        "sign_digits, split by person": ("sign_digits", PERSON),
    }
    cache = BoundaryCache()
    table: dict[str, dict[str, str]] = {name: {} for name in ["raw pixels", *nets]}
    for target, (folder, regex) in targets.items():
        for size in (64, 224):
            task = load_task(data / folder, image_size=size, group_regex=regex)
            chosen = {n: b for n, b in nets.items() if b.preprocessing.input_size == size}
            if size == 64:
                chosen["raw pixels"] = load_backbone("pixels")
            probes = {name: Probe(b, cache=cache) for name, b in chosen.items()}
            evaluation = evaluate(probes, task, SEEDS, labels_per_class=LABELS)
            for row in evaluation.rows:
                cell = f"{row.accuracy:.3f} ({row.ci_low:.2f} to {row.ci_high:.2f})"
                table[row.name][f"{target} (n = {row.n_test})"] = cell
                print(target, row.name, cell, flush=True)
    return table


def markdown(table: dict[str, dict[str, str]]) -> str:
    """The table with what it means."""
    heads = list(next(iter(table.values())))
    lines = [
        f"Logistic head on frozen features, {LABELS} labels a class, mean of {SEEDS} seeds with its 95 % interval "
        f"(bootstrap over seeds and test images), measured on {datetime.date.today().isoformat()} by "
        "`python -m data_scripts.source_table`. Pictures are cut to the middle square.",
        "",
        f"| frozen network | {' | '.join(heads)} |",
        f"|---|{'---|' * len(heads)}",
        *(f"| {name} | {' | '.join(cells[h] for h in heads)} |" for name, cells in table.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        nets = backbones(args.data.parent / "weights", Path(scratch))
        text = markdown(rows(args.data, nets))
    write_table(README, "sources", text)
    print(text)


if __name__ == "__main__":
    main()
