"""Measured accuracy of what needs no network: ``python -m transferlab.data.bundled.baselines``.

The command measures every bundled set and rewrites ``baselines.json`` beside this file.
"""

from __future__ import annotations

import json

import numpy as np

from transferlab.data.imageset import ImageSet
from transferlab.data.labelled import Labelled
from transferlab.data.statistics import intensity_statistics
from transferlab.data.task import SealedTest, draw_task
from transferlab.whole_file import write_text

LABELS_PER_CLASS = 10
SEEDS = 5


def measure_baselines(
    labelled: Labelled, labels_per_class: int = LABELS_PER_CLASS, seeds: int = SEEDS
) -> dict:
    """Test accuracy of logistic regression on raw pixels and on six intensity statistics.

    Features are standardized on the labelled images; the penalty is scikit-learn's default (C = 1), so
    no label is spent on choosing it and all drawn labels are trained on. Seeds vary the label draw; the
    test stays.

    Returns
    -------
    dict with ``raw_pixels`` and ``intensity_statistics`` (mean accuracy, fractions), the same names with
    ``_per_seed`` (lists), ``chance`` (share of the largest class in the test), ``labels_per_class``,
    ``seeds``, ``n_test``

    Examples
    --------
    >>> from transferlab.data.bundled import load_bundled
    >>> measured = measure_baselines(load_bundled("faces"), seeds=1)
    >>> measured["raw_pixels"] > measured["chance"], measured["n_test"]
    (True, 80)
    """
    features = {"raw_pixels": _raw_pixels, "intensity_statistics": intensity_statistics}
    test = labelled.test
    measured: dict = {}
    for name, extract in features.items():
        x_test = extract(test.images).astype(np.float64)
        per_seed = [
            _accuracy(extract, _drawn(labelled, labels_per_class, seed), x_test, test.labels)
            for seed in range(seeds)
        ]
        measured[name] = round(float(np.mean(per_seed)), 4)
        measured[f"{name}_per_seed"] = [round(a, 4) for a in per_seed]
    largest = np.bincount(test.labels).max() / len(test)
    return measured | {
        "chance": round(float(largest), 4),
        "labels_per_class": labels_per_class,
        "seeds": seeds,
        "n_test": len(test),
    }


def _drawn(labelled: Labelled, labels_per_class: int, seed: int) -> list[ImageSet]:
    """The images whose labels a task of this seed may see, validation included."""
    sealed = SealedTest(labelled.test, printing=False)
    task = draw_task(labelled.name, labelled.development, None, sealed, labels_per_class, seed)
    return [part for part in (task.train, task.validation) if part is not None]


def _accuracy(extract, drawn: list[ImageSet], x_test: np.ndarray, y_test: np.ndarray) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    x = np.concatenate([extract(part.images) for part in drawn], dtype=np.float64)
    y = np.concatenate([part.labels for part in drawn])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    with threadpool_limits(1):  # small matrices: more threads are slower, and change the last digits
        return float(model.fit(x, y).score(x_test, y_test))


def _raw_pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


def main() -> None:
    """Measure all sets and replace ``baselines.json`` in one step."""
    from transferlab.data.bundled import BUNDLED, load_bundled
    from transferlab.data.bundled.cards import BASELINES_FILE

    measured = {name: measure_baselines(load_bundled(name)) for name in BUNDLED}
    write_text(BASELINES_FILE, json.dumps(measured, indent=1) + "\n")
    for name, numbers in measured.items():
        print(f"{name}: pixels {numbers['raw_pixels']}, statistics {numbers['intensity_statistics']}")


if __name__ == "__main__":
    main()
