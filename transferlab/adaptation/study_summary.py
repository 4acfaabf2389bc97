"""Seeds of a study together: what was chosen without target labels, and, in one look at the test, what that cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from transferlab.adaptation.default_validators import DEFAULT_VALIDATOR, ENSEMBLE
from transferlab.adaptation.oracle import validator_agreement
from transferlab.adaptation.study import SOURCE_ONLY, DomainPair, SeedRun
from transferlab.adaptation.validators import ensemble
from transferlab.evaluation import bootstrap_seeds_images, holm, paired_difference


def summarize(pair: DomainPair, runs: Sequence[SeedRun], validator: str = DEFAULT_VALIDATOR) -> dict:
    """Choices first, then one look at the sealed test: a dict of plain numbers, to be stored.

    ``methods`` : name to accuracy a seed, mean, interval over seeds and images, seconds, and ``gain`` over the
    source-only network, paired by seed and image, with Holm's correction; ``chosen`` : the validator's
    choice a seed and its accuracies; ``oracle`` : the best on the test a seed; ``validators`` : name to the weighted
    tau of its scores with the accuracies, a seed, mean and interval over seeds, and what its choice reached;
    ``gain`` : the choice less the source-only network, ``oracle_gap`` : the oracle less the choice, both paired by
    seed and image; ``diagnosis`` : a seed, what could be said of the shift beforehand.
    """
    runs = [replace(run, scores=_with_ensemble(run.scores)) for run in runs]
    names = list(runs[0].scores[validator])
    chosen = [max(names, key=lambda n, run=run: run.scores[validator][n]) for run in runs]
    stored = {f"{run.seed} {name}": _Stored(p) for run in runs for name, p in run.probabilities.items()}
    looked = pair.test.score(stored)
    right = {
        name: np.stack([looked.probabilities[f"{run.seed} {name}"].argmax(1) == looked.truth for run in runs])
        for name in runs[0].probabilities
    }
    accuracy = {name: table.mean(1) for name, table in right.items()}
    best = [max(names, key=lambda n, i=i: accuracy[n][i]) for i in range(len(runs))]
    chosen_right, best_right = (
        np.stack([right[name][i] for i, name in enumerate(picks)]) for picks in (chosen, best)
    )
    groups = looked.groups
    gains = _gains(right, groups)
    return {
        "pair": pair.name,
        "seeds": [run.seed for run in runs],
        "n_source": len(pair.source), "n_target": len(pair.target), "n_test": len(looked.truth),
        "classes": len(pair.source.classes),
        "validator": validator,
        "methods": {
            name: _row(table, groups)
            | {"seconds": float(np.mean([run.seconds[name] for run in runs])), "gain": gains.get(name)}
            for name, table in right.items()
        },
        "chosen": _row(chosen_right, groups) | {"names": chosen},
        "oracle": _row(best_right, groups) | {"names": best},
        "gain": asdict(paired_difference(chosen_right, right[SOURCE_ONLY], groups)),
        "oracle_gap": asdict(paired_difference(best_right, chosen_right, groups)),
        "diagnosis": [dict(run.diagnosis) for run in runs],
        "validators": {v: _ranked(v, runs, names, accuracy) for v in runs[0].scores},
    }  # fmt: skip


def _with_ensemble(scores: Mapping[str, Mapping[str, float]]) -> dict[str, Mapping[str, float]]:
    """The ensemble anew, so that runs stored with other members of it still serve."""
    ranks = ensemble({name: list(scores[name].values()) for name in ENSEMBLE})
    return {**scores, "ensemble": dict(zip(scores[ENSEMBLE[0]], ranks.tolist(), strict=True))}


def _row(right: np.ndarray, groups) -> dict:
    return {"per_seed": right.mean(1).tolist(), **asdict(bootstrap_seeds_images(right, groups))}


def _gains(right: dict[str, np.ndarray], groups) -> dict[str, dict]:
    """Each method less the source-only network, on the same seeds and images, with Holm over the methods."""
    found = {
        n: paired_difference(t, right[SOURCE_ONLY], groups) for n, t in right.items() if n != SOURCE_ONLY
    }
    adjusted = holm([comparison.p_value for comparison in found.values()])
    return {
        name: asdict(comparison) | {"p_adjusted": p}
        for (name, comparison), p in zip(found.items(), adjusted, strict=True)
    }


def _ranked(validator: str, runs: Sequence[SeedRun], names: Sequence[str], accuracy) -> dict:
    scores = [{n: run.scores[validator][n] for n in names} for run in runs]
    truth = [{n: float(accuracy[n][i]) for n in names} for i in range(len(runs))]
    found = validator_agreement(scores, truth)
    picks = [max(names, key=lambda n, s=s: s[n]) for s in scores]
    reached = [truth[i][pick] for i, pick in enumerate(picks)]
    return asdict(found) | {"taus": list(found.taus), "picks": picks, "reached": float(np.mean(reached))}


class _Stored:
    """Probabilities that were computed before the test was opened."""

    def __init__(self, probabilities: np.ndarray):
        self.probabilities = probabilities

    def predict_proba(self, X) -> np.ndarray:
        return self.probabilities
