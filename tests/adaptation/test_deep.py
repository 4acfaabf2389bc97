"""Deep methods on real pictures with a small network: what they may see, keep and refuse."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from transferlab.adaptation.adversarial import CDAN, DANN
from transferlab.adaptation.deep_base import DeepSourceOnly
from transferlab.adaptation.deep_joint import DAN, MCC, DeepCORAL
from transferlab.adaptation.m3sda import M3SDA
from transferlab.adaptation.pseudo_labels import PseudoLabels
from transferlab.adaptation.shot import SHOT
from transferlab.adaptation.source_free import AdaBN
from transferlab.adaptation.tent import TENT
from transferlab.backbones import Backbone
from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache

JOINT = (DAN, DeepCORAL, MCC, DANN, CDAN)
SOURCE_FREE = (AdaBN, SHOT, PseudoLabels, TENT)
FAST = {"source_epochs": 25, "epochs": 1, "learning_rate": 3e-3, "device": "cpu"}


def _nothing_is_trained(record):
    pytest.fail("something was trained")


@pytest.mark.parametrize("method", JOINT + SOURCE_FREE)
def test_target_labels_change_nothing(method, backbone, source, target, started):
    """The same images with their labels, with wrong labels and with none give the same answers."""
    wrong = ImageSet(target.images, (target.labels + 1) % 10, target.classes)
    answers = [
        method(backbone, **FAST, random_state=3).fit(source, None, given, start=started).predict_proba(target)
        for given in (target, wrong, target.without_labels())
    ]
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[0], answers[2])


@pytest.mark.parametrize("method", JOINT + SOURCE_FREE)
def test_settings_survive_a_clone_and_a_fit(method, backbone, source, target):
    model = method(backbone, **FAST | {"learning_rate": 2e-3}, random_state=5)
    before = model.get_params()
    copied = clone(model)
    assert copied.get_params() == before
    assert {"learning_rate", "resolution", "augmentation", "backbone"} <= before.keys()
    copied.fit(source, None, target)
    assert copied.get_params() == before
    assert copied.predict_proba(target.images[:3]).shape == (3, 10)
    assert copied.transform(target[:4]).shape == (4, backbone.feature_dim)
    with pytest.raises(TypeError, match="no_such"):
        method(backbone, no_such=1)


@pytest.mark.parametrize("method", [m for m in JOINT if m not in (DANN, CDAN)])
def test_the_loss_between_domains_counts_from_the_first_epoch(method, backbone, source, target, started):
    answers = [
        method(backbone, weight=weight, **FAST, random_state=3)
        .fit(source, None, target, start=started)
        .predict_proba(target)
        for weight in (0.0, 50.0)
    ]
    assert np.abs(answers[0] - answers[1]).max() > 0.01


def test_the_backbone_given_is_never_changed(backbone, source, target):
    before = backbone.weights_digest
    SHOT(backbone, rounds=1, **FAST).fit(source, None, target)
    fresh = Backbone(backbone._net, backbone.architecture, backbone.preprocessing, "again")
    assert fresh.weights_digest == before


def test_a_started_method_equals_one_that_trained_on_the_source_itself(backbone, source, target, started):
    alone = AdaBN(backbone, **FAST, random_state=3).fit(source, None, target)
    taken = AdaBN(backbone, **FAST, random_state=3).fit(source, None, target, start=started)
    later = AdaBN(backbone, **FAST, random_state=3).adapt(target, start=started)
    assert np.array_equal(alone.predict_proba(target), taken.predict_proba(target))
    assert np.array_equal(alone.predict_proba(target), later.predict_proba(target))


def test_the_discriminator_s_accuracy_is_told_for_every_epoch(backbone, source, target, started):
    model = DANN(backbone, **FAST | {"epochs": 3}).fit(source, None, target, start=started)
    assert len(model.domain_accuracy_) == 3
    assert all(0 <= a <= 1 for a in model.domain_accuracy_)


def test_a_few_target_labels_are_learned(backbone, source, target, started):
    wrong = (target.labels + 1) % 3  # a mapping that nothing but these labels teaches
    for method in (SHOT, MCC):
        model = method(backbone, **FAST | {"epochs": 40}, random_state=3)
        model.fit(
            source,
            None,
            target,
            X_target_labelled=target.images,
            y_target_labelled=wrong,
            start=started,
        )
        plain = method(backbone, **FAST | {"epochs": 12}, random_state=3).fit(
            source, None, target, start=started
        )
        assert (model.predict(target) == wrong).mean() > (plain.predict(target) == wrong).mean() + 0.2


def test_frozen_stages_run_once(backbone, source, target):
    cache = BoundaryCache()
    settings = FAST | {"trainable_from": 2, "augmentation": 0.0, "cache": cache}
    start = DeepSourceOnly(backbone, **settings).fit(source, None, target)
    SHOT(backbone, **settings).fit(source, None, target, start=start)
    DANN(backbone, **settings).fit(source, None, target, start=start)
    assert cache.computed == len(source) + len(target)
    with pytest.raises(UserError, match="no stage is left"):
        DANN(backbone, trainable_from=5).fit(source, None, target)


def test_a_fit_goes_on_after_a_kill(backbone, source, target, tmp_path):
    class Killed(Exception):
        pass

    def kill(record):
        if record["phase"] == "round 2":
            raise Killed

    settings = FAST | {"rounds": 3, "random_state": 1}
    whole = SHOT(backbone, **settings).fit(source, None, target)
    with pytest.raises(Killed):
        SHOT(backbone, **settings, checkpoint=tmp_path, on_epoch=kill).fit(source, None, target)
    seen = []
    again = SHOT(backbone, **settings, checkpoint=tmp_path, on_epoch=lambda r: seen.append(r["phase"]))
    again.fit(source, None, target)
    assert np.array_equal(again.predict_proba(target), whole.predict_proba(target))
    assert seen == ["round 3"]


def test_one_bad_source_does_not_sink_m3sda(backbone, source, target):
    names = np.random.default_rng(0).choice(["a", "b", "bad"], len(source))
    labels = np.where(names == "bad", (source.labels * 3 + 1) % 10, source.labels)
    labels = np.where(np.isin(labels, (0, 1, 7)), labels, 0)
    model = M3SDA(backbone, **FAST | {"epochs": 15}, random_state=1)
    model.fit(source, labels, target, source_domain=names)
    assert sum(model.head_weights_.values()) == pytest.approx(1)
    assert model.head_weights_["bad"] == min(model.head_weights_.values())
    assert model.head_weights_["bad"] < 0.2
    copied = copy.deepcopy(model)
    assert np.array_equal(copied.predict_proba(target), model.predict_proba(target))
    few = {"X_target_labelled": target.images, "y_target_labelled": (target.labels + 1) % 3}
    taught = clone(model).set_params(epochs=30).fit(source, labels, target, source_domain=names, **few)
    wrong = few["y_target_labelled"]
    assert (taught.predict(target) == wrong).mean() > (model.predict(target) == wrong).mean() + 0.2
    untrained = clone(model).set_params(on_epoch=_nothing_is_trained)
    with pytest.raises(UserError, match="source_domain is missing"):
        untrained.fit(source, None, target)
    with pytest.raises(UserError, match="there is one source"):
        untrained.fit(source, None, target, source_domain=np.full(len(source), "a"))


@pytest.mark.parametrize("method", [SHOT, DANN])
def test_bad_input_is_named_before_anything_is_trained(method, backbone, source, target, started):
    model = method(backbone, on_epoch=_nothing_is_trained, **FAST)
    same = ImageSet(np.repeat(target.images[:1], 5, 0), None, target.classes)
    other = ImageSet(target.images, None, ("cat", "dog"))
    cases = [
        ((source.without_labels(), None, target), "y_source is missing"),
        ((source, None, target[:1]), "X_target has 1 image, which show"),
        ((source, None, same), "all images of X_target are the same"),
        ((source, None, other), "name different classes"),
        ((source, target, source.labels), "y_source takes labels, not images; the order is"),
        ((source, source.labels[:5], target), r"y_source has 5 labels for \d+ samples"),
        ((source, np.zeros(len(source), int), target), "one class alone"),
        ((source.images.astype(float), source.labels, target), "uint8 array"),
        ((source, None, np.zeros((4, 64))), "X_target must be an ImageSet"),
    ]
    for arguments, sentence in cases:
        with pytest.raises(UserError, match=sentence):
            model.fit(*arguments)
    with pytest.raises(UserError, match="belong together"):
        model.fit(source, None, target, X_target_labelled=target.images)
    with pytest.raises(UserError, match="none of the source's 10 classes"):
        model.fit(source, None, target, X_target_labelled=target.images[:2], y_target_labelled=[1, 11])
    with pytest.raises(NotFittedError, match="call fit first"):
        method(backbone).predict(target)
    if method is DANN:
        with pytest.raises(UserError, match="X_target is missing"):
            model.fit(source)
    with pytest.raises(UserError, match="another backbone"):
        method("tiny").fit(source, None, target, start=started)
    with pytest.raises(UserError, match="domain 'print' is not known"):
        started.predict_proba(target, domain="print")
    swapped = ImageSet(target.images, target.labels, target.classes[::-1])
    with pytest.raises(UserError, match="they stand in another order"):
        model.fit(source, None, target, X_target_labelled=swapped)
    with pytest.raises(UserError, match="there are no labels to score by"):
        started.score(target.without_labels())
    for settings, sentence in (
        ({"batch_size": 0}, "batch_size is 0, but has to be a whole number of at least 2"),
        ({"epochs": -1}, "epochs is -1"),
        ({"random_state": None}, "random_state is None"),
        ({"learning_rate": 0}, "learning_rate is 0, but has to be a number above 0"),
        ({"augmentation": 2.0}, "augmentation is 2.0"),
        (
            {"weight": -1.0} if method is DANN else {"rounds": 0},
            "weight is -1.0" if method is DANN else "rounds is 0",
        ),
    ):
        with pytest.raises(UserError, match=sentence):
            clone(model).set_params(**settings).fit(source, None, target)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("method", [SHOT, CDAN])
def test_adapts_on_a_gpu(method, backbone, source, target):
    model = method(backbone, **FAST | {"device": "cuda"}).fit(source, None, target)
    assert np.isfinite(model.predict_proba(target)).all()
    assert model.transform(target).shape == (len(target), backbone.feature_dim)
