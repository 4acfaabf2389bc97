"""fastai: a Learner around PyTorch's AdamW, without validation or progress bar."""

from __future__ import annotations

from functools import partial

import torch
from fastai.basics import Callback, CancelValidException, DataLoaders, Learner, OptimWrapper
from fastai.callback.schedule import ParamScheduler
from fastai.callback.training import GradientClip
from torch.nn import functional as F

from benchmarks.problem import Mark, Predict, Problem, loader, predictor, trainable, whole_network
from transferlab.training.freezing import set_train_mode


class _Policy(Callback):
    """Frozen stages in eval mode; no validation; a mark an epoch."""

    order = 1  # after fastai's own switch to train mode

    def __init__(self, mark: Mark):
        super().__init__()
        self.mark = mark

    def before_train(self):
        set_train_mode(self.model)

    def after_train(self):
        self.mark()

    def before_validate(self):
        raise CancelValidException


def fit(problem: Problem, mark: Mark) -> Predict:
    batches = loader(problem)
    learner = Learner(
        DataLoaders(batches, batches, device=torch.device("cpu")),
        whole_network(problem),
        loss_func=F.cross_entropy,
        opt_func=partial(OptimWrapper, opt=torch.optim.AdamW, weight_decay=0.0),
        splitter=trainable,
        lr=problem.learning_rate,
        train_bn=False,
        wd_bn_bias=True,
        cbs=[
            _Policy(mark),
            GradientClip(problem.clip_norm),
            ParamScheduler(
                {"lr": lambda done: problem.learning_rate * problem.rate(round(done * problem.steps))}
            ),
        ],
    )
    with learner.no_bar(), learner.no_logging():
        learner.fit(problem.epochs)
    return predictor(learner.model, problem)
