"""The shortcut baseline: what colour, size and file metadata alone give away of the class."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils.validation import check_is_fitted

from transferlab.data import ImageSet
from transferlab.data.statistics import intensity_statistics
from transferlab.errors import UserError
from transferlab.training.heads import spread
from transferlab.transfer.base import ImageClassifier


class Shortcuts(ImageClassifier):
    """A random forest (Breiman 2001) on numbers that show nothing of what is in a picture.

    Where it does well, a network may do well for the same reason, and fail as soon as the camera, the
    light or the software changes (Geirhos et al. 2020, shortcut learning).

    Parameters
    ----------
    facts : ``"colour"``, six intensity numbers (:func:`transferlab.data.statistics.intensity_statistics`), or
        ``"file"``, the size, bytes, format and so on of the files, as in ``ImageSet.file_facts``
    trees : how many

    Examples
    --------
    >>> from transferlab import load_task
    >>> task = load_task("materials-colour", labels_per_class=10)
    >>> Shortcuts("colour").fit(task.train).score(task.validation) > 1 / len(task.classes)
    True
    """

    def __init__(self, facts: str = "colour", *, trees: int = 300, random_state: int = 0):
        self.facts = facts
        self.trees = trees
        self.random_state = random_state

    def fit(self, X, y=None):
        """Fit on the facts of ``X``, an ImageSet (or, for colour, an array of images with ``y``)."""
        if self.facts not in ("colour", "file"):
            raise UserError(f"facts {self.facts!r} are not known; use colour or file.")
        _, codes = self._start(X, y)
        self.forest_ = RandomForestClassifier(self.trees, random_state=self.random_state)
        self.forest_.fit(self._numbers(X), codes)
        self.trainable_parameters_ = sum(tree.tree_.node_count for tree in self.forest_.estimators_)
        return self

    def _numbers(self, X) -> np.ndarray:
        if self.facts == "colour":
            return intensity_statistics(getattr(X, "images", X))
        facts = X.file_facts if isinstance(X, ImageSet) else None
        if facts is None:
            raise UserError("these images carry no file facts; load them from a folder or CSV of files.")
        return facts

    def predict_proba(self, X) -> np.ndarray:
        """float64 (N, K), columns in the order of ``classes_``."""
        check_is_fitted(self, "forest_")
        return spread(self.forest_.predict_proba(self._numbers(X)), self.forest_.classes_, len(self.classes_))
