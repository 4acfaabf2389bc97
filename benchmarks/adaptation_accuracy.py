"""``python -m benchmarks.adaptation_accuracy PAIR``: every adaptation method on a pair of domains, over seeds.

Each seed is stored when it is done, so that a run that was stopped goes on; the target's test is opened once, at the
end. The result goes to ``notebooks/claims/adaptation/PAIR.json`` and into the table of the README.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.adaptation_pairs import PAIRS
from transferlab.adaptation.study import (
    METHODS,
    SOURCE_ONLY,
    SUPERVISED,
    DomainPair,
    SeedRun,
    run_seed,
)
from transferlab.adaptation.study_summary import summarize
from transferlab.course.marked_table import write_table
from transferlab.course.source_hash import code_hash
from transferlab.data.cache import cache_dir
from transferlab.errors import UserError
from transferlab.whole_file import write_text, write_whole

ROOT = Path(__file__).resolve().parent.parent
STORED = ROOT / "notebooks" / "claims" / "adaptation"
_READS_RUNS = {"default_validators", "oracle", "study_summary"}
_DIAGNOSED = {
    "the domains differ": "detected",
    "class shares changed": "proportions_changed",
    "and nothing else": "explained_by_label_shift",
}
TABLE = "adaptation"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adaptation_accuracy", description=__doc__)
    parser.add_argument(
        "pair", nargs="?", choices=sorted(PAIRS), help="which pair; without one, the tables alone"
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--methods", nargs="+", default=list(METHODS), metavar="NAME", help=", ".join(METHODS)
    )
    given = parser.parse_args(arguments)
    try:
        if given.pair:
            found = measure(PAIRS[given.pair](), range(given.seeds), given.methods)
            text = json.dumps(found, indent=1) + "\n"
            write_text(STORED / f"{given.pair}.json", text)
        write_table(ROOT / "README.md", TABLE, tables())
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the seeds that were done are kept", file=sys.stderr)
        return 130
    return 0


def measure(pair: DomainPair, seeds, methods=METHODS, folder: Path | None = None) -> dict:
    """All seeds, those stored before taken from ``folder``, and what they say together."""
    unknown = [name for name in methods if name not in METHODS]
    if unknown:
        raise UserError(f"there is no method {unknown[0]!r}; choose from {', '.join(METHODS)}.")
    names = [name for name in METHODS if name in {SOURCE_ONLY, *methods}]
    folder = cache_dir() / "adaptation" if folder is None else folder
    runs = []
    for seed in seeds:
        path = folder / f"{pair.name}-{_key(pair, names)}-{seed}.npz"
        if not path.is_file():
            save_run(
                path, run_seed(pair, seed, names, tell=lambda line: print(line, file=sys.stderr, flush=True))
            )
        runs.append(load_run(path))
    return summarize(pair, runs) | {
        "settings": {
            "common": dict(pair.settings),
            "of_method": {k: dict(v) for k, v in pair.of_method.items()},
        },
        "date": date.today().isoformat(),
    }


def save_run(path: Path, run: SeedRun) -> None:
    """Write a seed's run, whole or not at all."""
    facts = {"seed": run.seed, "scores": run.scores, "seconds": run.seconds, "diagnosis": run.diagnosis}

    def write(temporary):
        with open(temporary, "wb") as file:
            np.savez_compressed(file, facts=np.array(json.dumps(facts)), **run.probabilities)

    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, write)


def load_run(path: Path) -> SeedRun:
    """What :func:`save_run` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        facts = json.loads(str(stored["facts"]))
        tables = {name: stored[name] for name in stored.files if name != "facts"}
    return SeedRun(facts["seed"], tables, facts["scores"], facts["seconds"], facts["diagnosis"])


def _key(pair: DomainPair, names) -> str:
    """A hash of everything that a seed's run depends on, code included."""
    sets = (
        pair.source,
        pair.source_held,
        pair.target,
        pair.target_labelled,
        pair.test and pair.test.image_set,
    )
    digests = [each and each.digest for each in sets]
    settings = {k: dict(v) for k, v in pair.of_method.items()}
    described = (code_of_methods(), digests, pair.backbone.digest, dict(pair.settings), settings, list(names))
    return hashlib.sha256(repr(described).encode()).hexdigest()[:12]


def code_of_methods() -> str:
    """A hash of the code of everything that adapts; comments and docstrings do not count, nor does what reads runs."""
    rooms = ("adaptation", "training", "backbones")
    found = {path for room in rooms for path in (ROOT / "transferlab" / room).glob("*.py")}
    files = sorted(path for path in found if path.stem not in _READS_RUNS)
    return code_hash([path.read_text(encoding="utf-8") for path in files])


def stored_results() -> dict[str, dict]:
    """Name of each measured pair to its result, in the order of ``PAIRS``."""
    paths = {name: STORED / f"{name}.json" for name in PAIRS}
    return {n: json.loads(p.read_text(encoding="utf-8")) for n, p in paths.items() if p.is_file()}


def tables() -> str:
    """Accuracies and validators of all measured pairs in Markdown."""
    found = stored_results()
    if not found:
        return "Not measured yet.\n"
    last = max(f["date"] for f in found.values())
    sizes = [f"{f['n_test']}, {len(f['seeds'])}" for f in found.values()]
    lines = [
        f"Accuracy on the target's test in percent, mean with its 95 % interval over seeds and images; {last}. "
        "↑ and ↓: better or worse than source-only on the same seeds and images, by Holm over the methods.",
        "",
        "| | " + " | ".join(found) + " |",
        "|---|" + "---|" * len(found),
        "| target test images, seeds | " + " | ".join(sizes) + " |",
    ]
    rows = [name for name in (*METHODS, SUPERVISED) if any(name in f["methods"] for f in found.values())]
    lines += [
        _line(name, [f["methods"].get(name) for f in found.values()]) for name in rows if name != SUPERVISED
    ]
    lines.append(_line("**chosen without target labels**", [f["chosen"] for f in found.values()]))
    lines.append(_line("oracle: the best on the test", [f["oracle"] for f in found.values()]))
    lines.append(_line("supervised on the target", [f["methods"].get(SUPERVISED) for f in found.values()]))
    lines.append(_points("choice less source-only, points", [f["gain"] for f in found.values()]))
    lines.append(_points("oracle less choice, points", [f["oracle_gap"] for f in found.values()]))
    for said, key in _DIAGNOSED.items():
        counts = [sum(bool(d.get(key)) for d in f["diagnosis"]) for f in found.values()]
        of = [len(f["diagnosis"]) for f in found.values()]
        lines.append(f"| diagnosis beforehand: {said}, in | " + " | ".join(
            f"{k} of {n} seeds" for k, n in zip(counts, of, strict=True)
        ) + " |")  # fmt: skip
    lines += [
        "",
        "How well each validator orders the methods: weighted tau with its 95 % interval over seeds (1: as the test "
        "does, 0: no agreement), and what its choice reaches.",
        "",
        "| validator | " + " | ".join(found) + " |",
        "|---|" + "---|" * len(found),
    ]
    for name in next(iter(found.values()))["validators"]:
        lines.append(
            f"| {name} | " + " | ".join(_agreement(f["validators"][name]) for f in found.values()) + " |"
        )
    return "\n".join(lines) + "\n"


def _line(name: str, rows: list[dict | None]) -> str:
    cells = [
        f"{100 * r['estimate']:.1f} ({100 * r['low']:.1f}–{100 * r['high']:.1f}){_arrow(r.get('gain'))}"
        if r
        else "—"
        for r in rows
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def _arrow(gain: dict | None) -> str:
    if gain is None or gain["p_adjusted"] > 0.05:
        return ""
    return " ↑" if gain["difference"] > 0 else " ↓"


def _points(name: str, rows: list[dict]) -> str:
    cells = [f"{100 * r['difference']:+.1f} ({100 * r['low']:+.1f} to {100 * r['high']:+.1f})" for r in rows]
    return f"| {name} | " + " | ".join(cells) + " |"


def _agreement(found: dict) -> str:
    if found["tau"] is None:
        return "—"
    ends = "" if found["low"] is None else f" ({found['low']:.2f} to {found['high']:.2f})"
    return f"{found['tau']:.2f}{ends}; {100 * found['reached']:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
