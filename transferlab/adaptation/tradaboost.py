"""TrAdaBoost: boosting in which source samples that contradict a few target labels fade."""

from __future__ import annotations

import numpy as np

from transferlab.adaptation.base import FeatureAdapter, class_probabilities, fit_weighted
from transferlab.adaptation.density_ratio import effective_size
from transferlab.adaptation.kernels import check_number
from transferlab.errors import UserError


class TrAdaBoost(FeatureAdapter):
    """TrAdaBoost (Dai, Yang, Xue and Yu 2007), for any number of classes.

    Every round fits the classifier on source and labelled target samples. Source samples that it misses lose weight,
    by the factor 1 / (1 + √(2 ln n / T)); labelled target samples that it misses gain, by AdaBoost's factor. The
    answer is the vote of the last half of the rounds, ⌈T/2⌉ to T. With K classes the factor is (K - 1)(1 - ε) / ε
    with ε the weighted error on the target (Zhu, Zou, Rosset and Hastie 2009), for two classes the paper's; a round
    no better than chance on the target has no vote.

    Parameters
    ----------
    n_estimators : rounds T, at least 2
    classifier : any scikit-learn classifier; logistic regression when None. One that takes no sample weights sees
        samples as often as their weights say

    Attributes: ``learners_`` (T fitted classifiers), ``votes_`` (T,); ``weights_`` (N,), the source's in the last
    round, of mean 1; ``target_weights_``; ``effective_size_``, how many equally weighted samples the source is
    worth at the end (Kish 1965); ``source_share_``, its share of all weight then.

    Raises
    ------
    UserError
        on ``fit``, without labelled target samples.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(300, 2)), rng.normal(size=(200, 2))
    >>> y_target = target[:, 1] > 0                       # the source was labelled by another rule
    >>> model = TrAdaBoost(n_estimators=20).fit(
    ...     source, source.sum(1) > 0, target, X_target_labelled=target[:40], y_target_labelled=y_target[:40]
    ... )
    >>> model.score(target[40:], y_target[40:]) > 0.9
    True
    """

    def __init__(self, *, n_estimators: int = 30, classifier=None):
        super().__init__(classifier=classifier)
        self.n_estimators = n_estimators

    def _check(self, source, target):
        check_number("n_estimators", self.n_estimators, 2)

    def _check_few(self, given):
        if not given:
            raise UserError(
                "TrAdaBoost learns which source samples to trust from labelled target samples; give "
                "X_target_labelled and y_target_labelled."
            )

    def _adapt(self, source, codes, target, *, domains=None, X_few=None, few=None):
        n, classes = len(source), len(self.classes_)
        X, y = np.concatenate([source, X_few]), np.concatenate([codes, few])
        fade = np.log1p(np.sqrt(2 * np.log(n) / self.n_estimators))
        logs = np.zeros(len(X))
        self.learners_, votes = [], []
        for _ in range(self.n_estimators):
            weights = _shares(logs)
            learner = fit_weighted(self._new_classifier(), X, y, weights * len(X))
            missed = class_probabilities(learner, X, classes).argmax(1) != y
            votes.append(vote(float(weights[n:] @ missed[n:] / weights[n:].sum()), classes))
            self.learners_.append(learner)
            self.weights_, self.target_weights_ = weights[:n] / weights[:n].mean(), weights[n:] * len(X)
            self.source_share_ = float(weights[:n].sum())
            logs[:n] -= fade * missed[:n]
            logs[n:] += votes[-1] * missed[n:]
        self.votes_ = np.array(votes)
        self.effective_size_ = effective_size(self.weights_)

    def _fit_classifier(self, source, codes, X_few, few):
        self.classifier_ = self.learners_[-1]

    def _probabilities(self, mapped):
        """Shares (N, K) of the votes of the last half of the rounds."""
        first = -(-len(self.learners_) // 2) - 1  # round ⌈T/2⌉, counted from 0
        total = np.zeros((len(mapped), len(self.classes_)))
        votes = self.votes_[first:]
        # where no round beats chance, all count alike
        for learner, weight in zip(self.learners_[first:], votes if votes.any() else votes + 1, strict=True):
            said = class_probabilities(learner, mapped, len(self.classes_)).argmax(1)
            total[np.arange(len(mapped)), said] += weight
        return total / total.sum(1, keepdims=True)


def vote(error: float, classes: int) -> float:
    """ln((K - 1)(1 - ε) / ε) of a round, 0 where it is no better than chance; a round without error counts as 1e-6.

    Examples
    --------
    >>> round(vote(0.25, 2), 4), vote(0.5, 2), vote(0.9, 3)
    (1.0986, 0.0, 0.0)
    """
    error = max(error, 1e-6)
    return max(0.0, float(np.log((classes - 1) * (1 - error) / error))) if error < 1 else 0.0


def _shares(logs: np.ndarray) -> np.ndarray:
    """Weights of sum 1 from their logarithms."""
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()
