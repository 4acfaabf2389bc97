"""Exactly the named stages and statistics move, whatever they are; relative gradients in closed form."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from transferlab.backbones import Architecture, Backbone, Preprocessing
from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.training.freezing import state_hash
from transferlab.transfer import (
    FeatureExtraction,
    FineTuning,
    SavedModel,
    SurgicalFineTuning,
    as_saved,
    relative_gradient_norms,
)

STAGES = ("stem", "layer1", "layer2", "layer3", "layer4")


@pytest.fixture
def source(backbone, task):
    model = FeatureExtraction(backbone, device="cpu").fit(task.train)
    return as_saved(model, classes=task.classes, image_size=32)


def fitted(source, task, stages, **settings):
    model = SurgicalFineTuning(source, stages=stages, **{"epochs": 1, "device": "cpu", **settings})
    return model.fit(task.train)


def moved(source, model):
    """Stages, and the head, of which a weight or a BatchNorm statistic differs from the source's."""
    saved = as_saved(model, classes=source.classes, image_size=32)
    before, after = source.backbone.tensors(), saved.backbone.tensors()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    found = {"stem" if name in ("conv1", "bn1") else name for name in changed}
    same = np.array_equal(saved.weight, source.weight) and np.array_equal(saved.bias, source.bias)
    return found if same else found | {"head"}


@pytest.mark.parametrize(
    "stages", [["stem"], ["layer2"], ["layer4"], ["head"], ["layer1", "head"], [*STAGES, "head"]]
)
def test_exactly_the_named_stages_move(source, task, stages):
    assert moved(source, fitted(source, task, stages)) == set(stages)


def test_the_order_of_names_does_not_matter(source, task):
    one, two = (
        fitted(source, task, s).predict_proba(task.test) for s in (["stem", "layer3"], ["layer3", "stem"])
    )
    np.testing.assert_array_equal(one, two)


def test_trained_parameters_are_those_of_the_stages(source, task):
    sizes = {stage.name: stage.parameters for stage in source.backbone.stages}
    for name in STAGES:
        assert fitted(source, task, [name]).trainable_parameters_ == sizes[name]
    assert fitted(source, task, ["head"]).trainable_parameters_ == source.weight.size + source.bias.size


def test_without_a_step_of_any_size_the_source_answers(source, task):
    model = fitted(source, task, ["head"], learning_rate=0.0)
    expected = source.predict_proba(task.test.images, device="cpu")
    np.testing.assert_allclose(model.predict_proba(task.test), expected, atol=1e-5)


def test_the_source_never_changes(source, task):
    before = state_hash(source.backbone.trainable_copy(0)), source.weight.copy()
    fitted(source, task, [*STAGES, "head"])
    assert state_hash(source.backbone.trainable_copy(0)) == before[0]
    np.testing.assert_array_equal(source.weight, before[1])


def test_a_clone_fits_the_same_model(source, task):
    model = SurgicalFineTuning(source, stages=["layer4"], epochs=1, device="cpu")
    one, two = (
        model.fit(task.train).predict_proba(task.test),
        clone(model).fit(task.train).predict_proba(task.test),
    )
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("stages", "says"),
    [(["layer9"], "layer9"), ([], "give a list"), ("layer1", "give a list"), (["stem", "fc"], "'fc'")],
)
def test_unknown_stages_end_in_a_sentence(source, task, stages, says):
    with pytest.raises(UserError, match=says):
        fitted(source, task, stages)


def test_another_number_of_classes_ends_in_a_sentence(source, task):
    two = np.flatnonzero(task.train.labels < 2)
    with pytest.raises(UserError, match="use FineTuning"):
        SurgicalFineTuning(source, epochs=1).fit(task.train.images[two], task.train.labels[two])


@pytest.mark.parametrize("held", [True, False])
def test_the_sources_statistics_stay_where_asked_while_weights_learn(backbone, task, held):
    model = FineTuning(backbone, epochs=1, source_statistics=held, device="cpu").fit(task.train)
    before, after = backbone.tensors(), model.module_.body.state_dict()
    statistics = [n for n in after if "running" in n or "num_batches" in n]
    weights = [n for n in after if n.endswith("weight")]
    assert statistics and weights
    assert all(torch.equal(before[n], after[n]) == held for n in statistics)
    assert not any(torch.equal(before[n], after[n]) for n in weights)


def test_holding_statistics_leaves_the_backbone_alone(backbone, task):
    FineTuning(backbone, epochs=1, source_statistics=True, device="cpu").fit(task.train)
    later = FineTuning(backbone, epochs=1, source_statistics=False, device="cpu").fit(task.train)
    name = next(n for n in later.module_.body.state_dict() if n.endswith("running_mean"))
    assert not torch.equal(later.module_.body.state_dict()[name], backbone.tensors()[name])


def pixel_source(weight, bias):
    """A backbone whose features are pixels: the gradient of the head is known in closed form."""
    architecture = Architecture("transferlab", "pixels")
    pixels = Backbone(
        architecture.build(0), architecture, Preprocessing((0.0,) * 3, (1.0,) * 3, 32), "pixels"
    )
    return SavedModel(pixels, weight, bias, ("a", "b", "c"), 32)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_the_heads_gradient_is_the_closed_form(seed, n):
    rng = np.random.default_rng(seed)
    width = 3 * 32 * 32
    weight, bias = rng.normal(0, 0.01, (3, width)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    images, labels = rng.integers(0, 256, (n, 3, 32, 32), dtype=np.uint8), rng.integers(0, 3, n)
    features = images.reshape(n, -1) / 255.0
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(1, keepdims=True))
    error = (p / p.sum(1, keepdims=True) - np.eye(3)[labels]) / n
    gradient = np.sqrt(((error.T @ features) ** 2).sum() + (error.sum(0) ** 2).sum())
    expected = gradient / np.sqrt((weight**2).sum() + (bias**2).sum())
    found = relative_gradient_norms(pixel_source(weight, bias), images, labels)
    assert list(found) == ["head"]  # pixels learn nothing
    np.testing.assert_allclose(found["head"], expected, rtol=1e-3)


def test_gradients_touch_nothing_and_use_the_labels_of_the_set(source, task):
    before = state_hash(source.backbone.trainable_copy(0))
    found = relative_gradient_norms(source, task.train)
    assert list(found) == [*STAGES, "head"]
    assert found == relative_gradient_norms(source, task.train.images, task.train.labels)
    assert state_hash(source.backbone.trainable_copy(0)) == before
    assert not any(t.requires_grad for t in source.backbone.tensors().values())


@pytest.mark.parametrize("labels", [None, [0, 1], [0, 1, -1], [0, 1, 99]])
def test_labels_that_do_not_fit_end_in_a_sentence(source, labels):
    y = None if labels is None else np.array(labels)
    with pytest.raises(UserError, match="labels"):
        relative_gradient_norms(source, ImageSet(np.zeros((3, 3, 32, 32), np.uint8), None, ("a", "b")), y)
