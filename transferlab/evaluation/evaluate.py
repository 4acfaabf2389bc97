"""Fit estimators on the same label draws, choose on validation, then open the sealed test once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from transferlab.data import ImageSet, Task, TestScores
from transferlab.errors import UserError
from transferlab.evaluation.results import Evaluation, result_row

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Run:
    """One estimator fitted with one seed, and its answers to the test images, not yet compared with labels.

    model : None where it was not kept; val_accuracy : None without validation images;
    trainable_parameters : None where the model does not tell; answers : float (N, K)
    """

    model: object | None
    val_accuracy: float | None
    fit_seconds: float
    trainable_parameters: int | None
    answers: np.ndarray

    def predict_proba(self, images: ImageSet) -> np.ndarray:
        """The answers, as the sealed test asks for them."""
        return self.answers


@dataclass(frozen=True, eq=False)
class Fitted:
    """Estimators fitted for all seeds, with what validation says; the test is still sealed.

    runs : name to one :class:`Run` a seed; seeds : the seeds; labels_per_class : None for all labels
    """

    runs: Mapping[str, tuple[Run, ...]]
    seeds: tuple[int, ...]
    labels_per_class: int | None
    classes: tuple[str, ...]
    test_digest: str

    @property
    def val_accuracy(self) -> dict[str, float | None]:
        """Mean validation accuracy over seeds of each estimator, None where a draw had none."""
        return {name: _mean_or_none([r.val_accuracy for r in runs]) for name, runs in self.runs.items()}

    @property
    def recommendable(self) -> tuple[str, ...]:
        """Names from best to worst on validation; of equals, the one that trains fewer parameters first.

        Empty where there was no validation: nothing can then be recommended honestly.
        """
        known = {name: value for name, value in self.val_accuracy.items() if value is not None}

        def rank(name):
            parameters = self.runs[name][0].trainable_parameters
            return -known[name], np.inf if parameters is None else parameters

        return tuple(sorted(known, key=rank))

    def open(self, task: Task) -> Evaluation:
        """Score all models of all seeds in one look at the sealed test of ``task``; see :func:`open_all`."""
        return open_all([self], task)[0]

    def _named_models(self, prefix: str) -> dict[str, list[tuple[str, object]]]:
        """Estimator name to (key in the look, model) of each seed."""
        return {
            name: [(f"{prefix}{name} · seed {s}", run) for s, run in zip(self.seeds, runs, strict=True)]
            for name, runs in self.runs.items()
        }


def open_all(fits: Iterable[Fitted], task: Task) -> list[Evaluation]:
    """Score all models of several fits (label budgets, say) in one look at the sealed test of ``task``.

    Raises
    ------
    UserError
        when ``task`` has another test than the one these models were fitted for; the seal stays closed then.
    """
    fits = list(fits)
    for fitted in fits:
        if task.classes != fitted.classes or task.test.image_set.digest != fitted.test_digest:
            raise UserError(
                f"these models were fitted for another test than {task.name!r}'s; fit them on this task."
            )
    named = [fitted._named_models(f"{i} · " if len(fits) > 1 else "") for i, fitted in enumerate(fits)]
    models = {key: run for names in named for pairs in names.values() for key, run in pairs}
    scores = task.test.score(models)
    return [_evaluation(fitted, names, scores) for fitted, names in zip(fits, named, strict=True)]


def _evaluation(fitted: Fitted, named: Mapping[str, list], scores: TestScores) -> Evaluation:
    probabilities = {
        n: np.stack([scores.probabilities[key] for key, _ in pairs]) for n, pairs in named.items()
    }
    rows = tuple(
        result_row(
            name,
            scores.truth,
            probabilities[name],
            [scores.metrics[key] for key, _ in named[name]],
            scores.groups,
            val_accuracy=fitted.val_accuracy[name],
            fit_seconds=float(np.mean([r.fit_seconds for r in runs])),
            trainable_parameters=runs[0].trainable_parameters,
            labels_per_class=fitted.labels_per_class,
        )
        for name, runs in fitted.runs.items()
    )
    reference = next(iter(fitted.recommendable or fitted.runs))
    return Evaluation(rows, scores.truth, probabilities, fitted.seeds, scores.look, reference, scores.groups)


def evaluate(
    estimators: Mapping[str, object],
    task: Task,
    seeds: int | Iterable[int] = 3,
    *,
    labels_per_class: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Fit every estimator with every seed and score all of them in one look at the sealed test.

    To recommend something, call :func:`fit_all`, choose from ``recommendable``, and then ``open``.

    Parameters
    ----------
    estimators : name to an unfitted estimator with scikit-learn's habits, which takes an ImageSet
    task : what to learn; every seed draws labels from it anew, the test stays
    seeds : how many (0, 1, 2, ...) or which
    labels_per_class : labels a class, validation included; None takes the task's own number
    progress : called with (fits done, fits in all, name) before each fit and once at the end

    Raises
    ------
    UserError
        when an estimator cannot be used, or there are fewer labels than asked for.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> import numpy as np
    >>> from transferlab.data import ImageSet, SealedTest, draw_task
    >>> labels = np.tile([0, 1], 20)
    >>> images = ImageSet(np.zeros((40, 1, 8, 8), np.uint8), labels, ("cat", "dog"))
    >>> task = draw_task("pets", images, None, SealedTest(images, printing=False), 10, 0)
    >>> result = evaluate({"chance": DummyClassifier(strategy="prior")}, task, seeds=2)
    >>> result["chance"].accuracy, result["chance"].n_test, result.look
    (0.5, 40, 1)
    """
    return fit_all(estimators, task, seeds, labels_per_class=labels_per_class, progress=progress).open(task)


def fit_all(
    estimators: Mapping[str, object],
    task: Task,
    seeds: int | Iterable[int] = 3,
    *,
    labels_per_class: int | None = None,
    keep: int | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Fit a clone of every estimator with every seed; the test stays sealed.

    A seed sets the label draw and every ``random_state`` parameter, nested ones included. All
    estimators see the same draw. ``fit`` is given the images as an ImageSet, their labels, and
    ``validation=`` where it takes that. Every model answers the test images at once, so that only those of
    the first ``keep`` seeds need to stay in memory (None: all). Parameters and errors as in :func:`evaluate`.
    """
    _check_estimators(estimators)
    seeds = _seed_tuple(seeds)
    k = task.labels_per_class if labels_per_class is None else labels_per_class
    runs = {name: [] for name in estimators}
    total = len(seeds) * len(estimators)
    tell = progress or (lambda done, total, name: None)
    for i, seed in enumerate(seeds):
        drawn = task.draw(k, seed)
        for j, (name, estimator) in enumerate(estimators.items()):
            tell(i * len(estimators) + j, total, name)
            runs[name].append(_fit_one(name, estimator, drawn, seed, keep is None or i < keep))
    tell(total, total, "")
    return Fitted(
        {name: tuple(r) for name, r in runs.items()}, seeds, k, task.classes, task.test.image_set.digest
    )


def _fit_one(name: str, estimator, drawn: Task, seed: int, kept: bool) -> Run:
    model = clone(estimator)
    random = [p for p in model.get_params() if p == "random_state" or p.endswith("__random_state")]
    model.set_params(**dict.fromkeys(random, seed))
    extra = {"validation": drawn.validation} if has_fit_parameter(model, "validation") else {}
    start = time.perf_counter()
    model.fit(drawn.train, drawn.train.labels, **extra)
    seconds = time.perf_counter() - start
    checked = _Checked(name, model)
    return Run(
        model if kept else None,
        _val_accuracy(checked, drawn.validation),
        seconds,
        getattr(model, "trainable_parameters_", None),
        checked.predict_proba(drawn.test.image_set),
    )


def _val_accuracy(checked: _Checked, validation: ImageSet | None) -> float | None:
    if validation is None:
        return None
    answers = checked.predict_proba(validation.without_labels())
    return float((answers.argmax(1) == validation.labels).mean())


class _Checked:
    """A model whose probabilities are checked before anything is counted on them."""

    def __init__(self, name, model):
        self.name, self.model = name, model

    def predict_proba(self, images: ImageSet) -> np.ndarray:
        p = np.asarray(self.model.predict_proba(images))
        expected = (len(images), len(images.classes))
        if p.shape != expected:
            raise UserError(
                f"estimator {self.name!r} gave probabilities of shape {p.shape} where {expected} "
                "(images, classes) is needed; fit it with every class and give one row an image."
            )
        if not np.isfinite(p).all() or (p < 0).any() or not np.allclose(p.sum(1), 1, atol=1e-3):
            raise UserError(
                f"estimator {self.name!r} gave probabilities that are not numbers from 0 to 1 with rows "
                "that sum to 1; check its predict_proba."
            )
        return p


def _check_estimators(estimators):
    if not isinstance(estimators, Mapping) or not estimators:
        raise UserError("evaluate() takes a dict of name to estimator; give at least one.")
    for name, estimator in estimators.items():
        missing = [m for m in ("get_params", "fit", "predict_proba") if not hasattr(estimator, m)]
        if isinstance(estimator, type) or missing:
            lacks = "is a class, not an object" if isinstance(estimator, type) else f"has no {missing[0]}()"
            raise UserError(f"estimator {name!r} {lacks}; give an unfitted classifier with predict_proba.")


def _seed_tuple(seeds) -> tuple[int, ...]:
    if isinstance(seeds, (int, np.integer)) and not isinstance(seeds, bool):
        seeds = range(int(seeds))
    good = isinstance(seeds, Iterable) and not isinstance(seeds, (str, bytes, Mapping))
    chosen = tuple(seeds) if good else ()
    if not chosen or len(set(chosen)) < len(chosen) or not all(_is_seed(s) for s in chosen):
        raise UserError(
            "seeds is a number of at least 1, or different whole numbers from 0, such as [0, 1, 2]."
        )
    return tuple(int(s) for s in chosen)


def _is_seed(value) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 0 <= value < 2**32


def _mean_or_none(values) -> float | None:
    return None if any(v is None for v in values) else float(np.mean(values))
