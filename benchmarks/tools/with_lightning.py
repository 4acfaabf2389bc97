"""Lightning: a module, a Trainer, nothing switched on that costs time."""

from __future__ import annotations

import logging
import warnings

import lightning
import torch
from torch.nn import functional as F

from benchmarks.problem import Mark, Predict, Problem, loader, predictor, trainable, whole_network
from transferlab.training.freezing import set_train_mode


class _Module(lightning.LightningModule):
    def __init__(self, problem: Problem, mark: Mark):
        super().__init__()
        self.net, self.problem, self.mark = whole_network(problem), problem, mark

    def on_train_epoch_start(self):
        set_train_mode(self.net)

    def training_step(self, batch, index):
        return F.cross_entropy(self.net(batch[0]), batch[1])

    def on_train_epoch_end(self):
        self.mark()

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(trainable(self.net), lr=self.problem.learning_rate, weight_decay=0.0)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self.problem.rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def fit(problem: Problem, mark: Mark) -> Predict:
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    module = _Module(problem, mark)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice on worker processes: the pictures lie in memory
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=problem.epochs,
            gradient_clip_val=problem.clip_norm,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, loader(problem))
    return predictor(module.net, problem)
