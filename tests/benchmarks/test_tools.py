"""Every tool computes the same thing: else there is nothing to compare in seconds."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from benchmarks.measure import ROWS, TRAINERS, available, compare, one_run, rounds
from benchmarks.problem import Pictures, Problem, _Order, trainable, whole_network
from benchmarks.tools import features_first, ours, plain
from transferlab.training.freezing import set_train_mode

ALIKE = [row for row in ROWS.values() if not row.augmentation and row.tools is TRAINERS]
MODULES = {"plain PyTorch": "torch", "Lightning": "lightning", "fastai": "fastai"}


def nothing():
    pass


@pytest.fixture(scope="module")
def by_us(problem):
    return {row.name: ours.fit(row.problem(problem), nothing)(problem.test.images) for row in ALIKE}


@pytest.mark.parametrize("row", ALIKE, ids=lambda row: row.name)
@pytest.mark.parametrize("tool", list(MODULES))
def test_every_tool_trains_the_same_network(problem, by_us, tool, row):
    pytest.importorskip(MODULES[tool], reason=f"{MODULES[tool]} is part of the bench extra")
    marks = []
    fit = available([row])[0][row.name, tool]
    found = fit(row.problem(problem), lambda: marks.append(0))(problem.test.images)
    np.testing.assert_allclose(found, by_us[row.name], atol=1e-3)
    assert len(marks) == problem.epochs


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"learning_rate": 3e-3}, {"epochs": 3}, {"batch_size": 18}], ids=str
)
def test_another_recipe_would_be_noticed(problem, by_us, change):
    """The equality above is no accident of a net that hardly learns."""
    row = ROWS["last"]
    other = plain.fit(replace(row.problem(problem), **change), nothing)(problem.test.images)
    assert np.abs(other - by_us[row.name]).max() > 1e-2


def test_honest_rival_finds_the_same_head(problem):
    row = ROWS["features"]
    a, b = (
        fit(row.problem(problem), nothing)(problem.test.images)
        for fit in (ours.fit_logistic, features_first.fit)
    )
    np.testing.assert_allclose(np.exp(a), np.exp(b), atol=0.02)  # two solvers stop near one optimum


def test_a_head_of_another_strength_would_be_noticed(problem, monkeypatch):
    row = ROWS["features"]
    found = features_first.fit(row.problem(problem), nothing)(problem.test.images)
    monkeypatch.setattr(features_first, "LogisticRegression", partial(LogisticRegression, C=0.1))
    other = features_first.fit(row.problem(problem), nothing)(problem.test.images)
    assert np.abs(np.exp(found) - np.exp(other)).max() > 0.05


def test_what_is_frozen_stays_in_the_plain_loop(problem):
    last = ROWS["last"].problem(problem)
    net = whole_network(last)
    names = {n for n, p in net.named_parameters() if p.requires_grad}
    assert names == {n for n in dict(net.named_parameters()) if n.startswith(("body.layer4", "head"))}
    set_train_mode(net)
    training = {n for n, m in net.named_modules() if isinstance(m, nn.BatchNorm2d) and m.training}
    assert training
    assert all(name.startswith("body.layer4") for name in training)
    assert len(trainable(whole_network(replace(last, boundary=5)))) == 2


def test_peers_see_new_views_each_epoch_and_we_cache_four(problem):
    augmented = ROWS["views"].problem(problem)
    pictures, everything = Pictures(augmented), torch.arange(len(problem.train))
    assert not torch.equal(pictures[everything][0], pictures[everything][0])
    plainly = Pictures(problem)
    assert torch.equal(plainly[everything][0], plainly[everything][0])


def test_order_changes_by_epoch_and_holds_every_picture_once(problem):
    order = _Order(problem)
    epochs = [torch.cat(list(order)).tolist() for _ in range(2)]
    assert epochs[0] != epochs[1]
    assert all(sorted(epoch) == list(range(len(problem.train))) for epoch in epochs)


def test_rounds_take_turns_and_lack_no_run(problem):
    rows = [ROWS["features"]]
    runs = [run for run, _ in rounds(rows, problem, 2)]
    assert [run.tool for run in runs] == [
        "transferlab", "timm, scikit-learn", "timm, scikit-learn", "transferlab",
    ]  # fmt: skip


def test_a_missing_peer_is_named_and_the_rest_goes_on(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "fastai", None)
    monkeypatch.setitem(sys.modules, "fastai.basics", None)
    monkeypatch.delitem(sys.modules, "benchmarks.tools.with_fastai", raising=False)
    found, missing = available([ROWS["head"]])
    assert "fastai" in missing  # and Lightning, where the bench extra is not installed
    assert "bench" in missing["fastai"]
    assert (
        {"transferlab", "plain PyTorch"}
        <= {tool for _, tool in found}
        <= {"transferlab", "plain PyTorch", "Lightning"}
    )


def test_a_run_counts_accuracy_and_its_epochs(problem):
    def always_first(given: Problem, mark):
        mark()
        mark()
        return lambda images: np.eye(12)[np.zeros(len(images), int)]

    run, scores = one_run(ROWS["head"], "constant", always_first, problem)
    assert run.accuracy == pytest.approx(1 / 12)
    assert len(run.epoch_ends) == 2
    assert scores.shape == (12, 12)


def test_compare_sees_a_difference():
    a = np.log([[0.9, 0.1], [0.4, 0.6]])
    b = np.log([[0.9, 0.1], [0.6, 0.4]])
    assert compare(a, b) == {"largest_difference": pytest.approx(np.log(1.5)), "agreement": 0.5, "n": 2}
