"""``python -m benchmarks.unsupervised_accuracy``: what features without labels are worth, of every origin.

Two bundled sets are clustered by each of them, side by side; what is learnt from these very images is learnt anew
with each seed. The result goes to ``notebooks/claims/unsupervised/SET.json`` and into the table of the README.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import date

from benchmarks.adaptation_accuracy import ROOT
from transferlab.course.marked_table import write_table
from transferlab.data import ImageSet
from transferlab.data.bundled import load_bundled
from transferlab.unsupervised import (
    DenoisingAutoencoder,
    FeatureLearner,
    RotationPrediction,
    SelfTaughtLearning,
    SideBySide,
    SimCLR,
    VICReg,
    side_by_side,
)
from transferlab.whole_file import write_text

STORED = ROOT / "notebooks" / "claims" / "unsupervised"
TABLE = "unsupervised"
#: Set to the number of clusters that are asked for.
SETS = {"materials": 12, "digits": 10}
SEEDS = 3
LEARNERS = {
    "denoising": DenoisingAutoencoder, "rotation": RotationPrediction, "SimCLR": SimCLR, "VICReg": VICReg,
}  # fmt: skip
STARTS = ("scratch", "tiny-ssl")
_SHOWN = ("ari", "matched_accuracy", "stability")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.unsupervised_accuracy", description=__doc__)
    parser.add_argument(
        "sets", nargs="*", metavar="SET", help=f"which sets; all where none: {', '.join(SETS)}"
    )
    for name in parser.parse_args(arguments).sets or SETS:
        if name not in SETS:
            print(f"there is no set {name!r}; choose from {', '.join(SETS)}.", file=sys.stderr)
            return 2
        images = load_bundled(name).development
        found = stored(side_by_side(images, SETS[name], features=origins(images), seeds=SEEDS))
        text = json.dumps(found | {"date": date.today().isoformat()}, indent=1) + "\n"
        write_text(STORED / f"{name}.json", text)
        write_table(ROOT / "README.md", TABLE, table(stored_results()))
    return 0


def stored_results() -> dict[str, dict]:
    """Name of each measured set to its result."""
    paths = {name: STORED / f"{name}.json" for name in SETS}
    return {n: json.loads(p.read_text(encoding="utf-8")) for n, p in paths.items() if p.is_file()}


def origins(images: ImageSet) -> dict[str, object]:
    """Name of a row to where its features come from, as ``side_by_side`` takes them."""
    strokes = SelfTaughtLearning(random_state=0).fit(load_bundled("letters").development.images)
    rows = {"pixels": "pixels", "random": "random", "self-taught on letters": strokes}
    for name, learner in LEARNERS.items():
        for start in STARTS:
            rows[f"{name} on the set, from {start}"] = learnt(learner, start, images.without_labels())
    return rows | {"tiny-ssl": "tiny-ssl", "tiny": "tiny"}


def learnt(
    learner: type[FeatureLearner], start: str, images: ImageSet, **settings
) -> Callable[[int], FeatureLearner]:
    """From a seed to a learner with that seed, fitted."""

    def fitted(seed: int) -> FeatureLearner:
        print(f"{learner.__name__} from {start}, seed {seed}", file=sys.stderr, flush=True)
        return learner(start=start, random_state=seed, **settings).fit(images)

    return fitted


def stored(found: SideBySide) -> dict:
    """All rows as JSON takes them, and what each has over pixels."""
    rows = {}
    for row in found.rows:
        scores = {
            name: _ends(getattr(row, name))
            for name in ("ari", "nmi", "matched_accuracy", "silhouette", "stability")
        }
        gain = None if row.features == "pixels" else _ends(found.difference(row.features, "pixels"))
        rows[row.features] = {"note": row.note, **scores, "less_pixels": gain}
    return {"n": found.n, "seeds": found.seeds, "clusters": found.n_clusters, "rows": rows}


def _ends(found) -> list[float] | None:
    return None if found is None else [found.estimate, found.low, found.high]


def table(sets: dict[str, dict]) -> str:
    """The results of all sets in Markdown."""
    told = "; ".join(f"{name}: n = {each['n']}, {each['clusters']} clusters" for name, each in sets.items())
    seeds = next(iter(sets.values()))["seeds"]
    when = max(each["date"] for each in sets.values())
    lines = [
        f"k-means, {told}; mean of {seeds} seeds with its 95 % interval over seeds and images, measured on {when} by "
        "`python -m benchmarks.unsupervised_accuracy`. ↑ and ↓: the interval of the difference to pixels in ARI lies "
        "above or below 0.",
        "",
        "| features | " + " | ".join(f"{name}: ARI | matched | stability" for name in sets) + " |",
        "|---|" + "---|" * (len(_SHOWN) * len(sets)),
    ]
    for name, row in next(iter(sets.values()))["rows"].items():
        cells = [cell for each in sets.values() for cell in _cells(each["rows"][name])]
        label = f"{name} ({row['note']})" if row["note"] else name
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cells(row: dict) -> list[str]:
    gain = row["less_pixels"]
    arrow = "" if gain is None or gain[1] <= 0 <= gain[2] else " ↑" if gain[1] > 0 else " ↓"
    estimate, low, high = row["ari"]
    return [
        f"{estimate:.2f} ({low:.2f}–{high:.2f}){arrow}",
        f"{row['matched_accuracy'][0]:.2f}",
        f"{row['stability'][0]:.2f}",
    ]


if __name__ == "__main__":
    sys.exit(main())
