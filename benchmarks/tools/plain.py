"""A plain PyTorch loop, after PyTorch's tutorial on transfer learning: freeze, then forward through all."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from benchmarks.problem import Mark, Predict, Problem, loader, predictor, trainable, whole_network
from transferlab.training.freezing import set_train_mode


def fit(problem: Problem, mark: Mark) -> Predict:
    net, batches = whole_network(problem), loader(problem)
    optimizer = torch.optim.AdamW(trainable(net), lr=problem.learning_rate, weight_decay=0.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, problem.rate)
    for _ in range(problem.epochs):
        set_train_mode(net)
        for x, y in batches:
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trainable(net), problem.clip_norm)
            optimizer.step()
            scheduler.step()
        mark()
    return predictor(net, problem)
