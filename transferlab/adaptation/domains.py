"""Two domains come in: what is wrong with them is said before anything long starts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from transferlab.data.features import feature_table
from transferlab.errors import UserError

ORDER = "the order is fit(X_source, y_source, X_target)"
_LARGE = 2**23  # numbers in a table, above which float32 stays float32 to save memory


def working_table(features, name: str) -> np.ndarray:
    """``features`` checked, as float64 (N, D); a float32 table of more than eight million numbers stays float32.

    Examples
    --------
    >>> working_table(np.ones((2, 3), np.float32), "X").dtype
    dtype('float64')
    """
    table = feature_table(features, name)
    return table if table.size > _LARGE else table.astype(np.float64, copy=False)


def two_domains(source, target) -> tuple[np.ndarray, np.ndarray]:
    """Both as finite (N, D) and (M, D), two samples or more each, none of them constant.

    In float64; large float32 tables stay as they are, and if one stays, so does the other.

    Raises
    ------
    UserError
        when one is no table, is too small, holds NaN, has samples that are all the same, or other features
        than the other.

    Examples
    --------
    >>> [table.shape for table in two_domains([[1, 2], [2, 3]], [[3, 4], [5, 6]])]
    [(2, 2), (2, 2)]
    """
    tables = []
    for domain, name in ((source, "X_source"), (target, "X_target")):
        if domain is None:
            raise UserError(f"{name} is missing; {ORDER}.")
        if not hasattr(domain, "images") and np.ndim(domain) == 1:
            raise UserError(
                f"{name} must be features of shape (N, D), not of shape {np.shape(domain)}; {ORDER}."
            )
        table = working_table(domain, name)
        if len(table) < 2:
            raise UserError(
                f"{name} has one sample, and one sample shows no distribution; give at least two, better a hundred."
            )
        if (table == table[0]).all():
            raise UserError(
                f"all samples of {name} have the same features; look whether the images are all alike or the "
                "backbone is broken."
            )
        tables.append(table)
    if tables[0].shape[1] != tables[1].shape[1]:
        raise UserError(
            f"X_source has {tables[0].shape[1]} features and X_target {tables[1].shape[1]}; extract both with the "
            "same backbone."
        )
    precision = min(table.dtype for table in tables)
    return tables[0].astype(precision, copy=False), tables[1].astype(precision, copy=False)


def domain_labels(n: int, y, *, name: str = "y_source", classes: int = 2) -> np.ndarray:
    """Labels (n,), one a sample, of at least ``classes`` classes.

    Raises
    ------
    UserError
        when there are none, too many or too few, or what was given is not labels.

    Examples
    --------
    >>> domain_labels(2, ["cat", "dog"]).tolist()
    ['cat', 'dog']
    """
    if y is None:
        raise UserError(f"{name} is missing: the classes are learned from labelled samples; {ORDER}.")
    labels = np.asarray(y)
    if labels.dtype.kind == "O" and pd.isna(labels).any():
        raise UserError(f"{name} holds samples without a label (None or NaN); leave out those without.")
    if labels.ndim > 1:
        raise UserError(f"{name} must be labels of shape ({n},), not of shape {labels.shape}; {ORDER}.")
    if labels.shape != (n,):
        raise UserError(f"{name} has {labels.size} labels for {n} samples; give one a sample; {ORDER}.")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise UserError(f"{name} holds NaN; every sample needs its label, so leave out those without.")
    if len(np.unique(labels)) < classes:
        raise UserError(f"{name} names one class alone; give samples of at least {classes}.")
    return labels


def few_target_labels(X, y, known: np.ndarray) -> np.ndarray | None:
    """Labels of the few labelled target samples, all among ``known``; None where there are no samples.

    Raises
    ------
    UserError
        when one of the two is missing, or a label is none of the source's classes.
    """
    if X is None and y is None:
        return None
    if X is None or y is None:
        raise UserError("X_target_labelled and y_target_labelled belong together; give both, or neither.")
    labels = domain_labels(len(X), y, name="y_target_labelled", classes=1)
    unknown = sorted(set(labels.tolist()) - set(known.tolist()))
    if unknown:
        raise UserError(
            f"the target label {unknown[0]!r} is none of the source's {len(np.unique(known))} classes; source and "
            "target have to share one set of classes."
        )
    return labels


def domain_names(names, n: int) -> np.ndarray | None:
    """``source_domain`` as an array (n,), None where it is not given.

    Raises
    ------
    UserError
        when there is not one name a sample, or one is missing.

    Examples
    --------
    >>> domain_names(["a", "a", "b"], 3).tolist()
    ['a', 'a', 'b']
    """
    if names is None:
        return None
    names = np.asarray(names)
    if names.shape != (n,):
        raise UserError(
            f"source_domain has shape {names.shape} for {n} source samples; name one domain a sample."
        )
    if pd.isna(names).any():
        raise UserError("source_domain lacks names (None or NaN); name the domain of every source sample.")
    return names


def several_sources(names: np.ndarray | None, instead: str) -> list:
    """The sorted names of two or more sources; ``instead`` says what to use with one.

    Raises
    ------
    UserError
        when there are none, or one alone.

    Examples
    --------
    >>> several_sources(np.array(["b", "a", "b"]), "use CORAL")
    ['a', 'b']
    """
    if names is None:
        raise UserError("source_domain is missing: name the source of every sample, such as 'a', 'a', 'b'.")
    found = np.unique(names).tolist()
    if len(found) < 2:
        raise UserError(f"there is one source, {found[0]!r}; with one, {instead}.")
    return found


def true_labels(X, y, classes: np.ndarray) -> np.ndarray:
    """The labels (N,) to score by: ``y``, or those of an ``ImageSet``.

    Raises
    ------
    UserError
        when there are none, not one a sample, or one that is none of ``classes``.

    Examples
    --------
    >>> true_labels(np.zeros((2, 1)), [0, 1], np.arange(3)).tolist()
    [0, 1]
    """
    labels = getattr(X, "labels", None) if y is None else y
    if labels is None:
        raise UserError("there are no labels to score by; give y, or an ImageSet that has labels.")
    labels = np.asarray(labels)
    if labels.shape != (len(X),):
        raise UserError(
            f"the labels to score by have shape {labels.shape} for {len(X)} samples; give one a sample."
        )
    unknown = sorted(set(labels.tolist()) - set(classes.tolist()), key=str)
    if unknown:
        raise UserError(
            f"the label {unknown[0]!r} to score by is none of the {len(classes)} classes that were fitted "
            f"({classes[0]!s} to {classes[-1]!s})."
        )
    return labels
