"""Denoising, rotations, SimCLR and VICReg as estimators: what they promise alike, and that they learn."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics.pairwise import cosine_similarity

from transferlab.backbones import load_backbone, random_backbone
from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.training.augmentation import augment
from transferlab.unsupervised import (
    DenoisingAutoencoder,
    RotationPrediction,
    SimCLR,
    VICReg,
    uses_labels,
)

LEARNERS = [DenoisingAutoencoder, RotationPrediction, SimCLR, VICReg]


@pytest.fixture
def quick(backbone):
    def make(learner, **settings):
        return learner(
            **({"architecture": backbone, "input_size": 16, "epochs": 2, "batch_size": 16} | settings)
        )

    return make


@pytest.mark.parametrize("learner", LEARNERS)
def test_features_of_new_images_come_from_a_backbone_for_everyone(learner, quick, backbone, stripes):
    model = quick(learner).fit(stripes)
    found = model.transform(stripes[:7])
    assert found.shape == (7, backbone.feature_dim) and found.dtype == np.float32
    np.testing.assert_array_equal(found, model.backbone_.features(stripes.images[:7]))
    assert model.backbone_.digest != backbone.digest
    assert learner.__name__ in model.backbone_.name and not uses_labels(model.backbone_)
    assert model.labels_upstream_ is False
    assert len(model.history_.epochs) == 2


@pytest.mark.parametrize("learner", LEARNERS)
def test_the_seed_decides_everything(learner, quick, stripes):
    a, b = (quick(learner).fit(stripes).transform(stripes) for _ in range(2))
    other = quick(learner, random_state=1).fit(stripes).transform(stripes)
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - other).max() > 1e-3


@pytest.mark.parametrize("learner", LEARNERS)
def test_labels_change_nothing(learner, quick, stripes):
    swapped = ImageSet(stripes.images, 1 - stripes.labels, stripes.classes)
    a, b = (quick(learner).fit(s).transform(stripes) for s in (stripes.without_labels(), swapped))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("learner", LEARNERS)
def test_settings_stay_and_progress_is_told(learner, quick, stripes, capsys):
    told = []
    model = quick(learner, on_epoch=told.append, verbose=True)
    before = model.get_params()
    clone(model).fit(stripes[:8])
    assert [record["epoch"] for record in told] == [0, 1]
    assert "epoch 2 of 2" in capsys.readouterr().err
    model.fit(stripes[:8])
    assert model.get_params() == before


@pytest.mark.parametrize(("learner", "settings"), [(SimCLR, {}), (VICReg, {"learning_rate": 1e-2})])
def test_the_loss_falls(learner, settings, quick, stripes):
    told = quick(learner, epochs=35, strength=0.5, **settings).fit(stripes).history_.epochs
    losses = [record["train_loss"] for record in told]
    assert np.mean(losses[-2:]) < 0.9 * losses[0]


def test_rotations_are_told_once_learned(quick, stripes):
    along = stripes[stripes.labels == 0]  # an upright kind, with a corner that tells which way is up
    images = along.images.copy()
    images[:, :, :6, :6] = 255
    model = quick(RotationPrediction, epochs=12, flip=False, strength=0.0, learning_rate=5e-3).fit(images)
    assert model.score(images) > 0.9
    # images that look alike from all sides cannot be told
    ring = np.minimum.outer(np.minimum(np.arange(16), np.arange(16)[::-1]), np.minimum(np.arange(16), 15))
    ring = np.minimum(ring, ring.T)
    ring = np.minimum(ring, np.rot90(ring, 2)) * 30
    alike = np.stack([ring, ring // 2]).astype(np.uint8)[:, None]
    np.testing.assert_array_equal(alike, np.rot90(alike, 1, (2, 3)))
    assert model.score(alike) == 0.25


def test_mended_images_come_to_the_images(quick):
    levels = np.linspace(20, 230, 40)
    images = np.broadcast_to(levels[:, None, None, None], (40, 1, 16, 16)).astype(np.uint8)
    model = quick(DenoisingAutoencoder, epochs=25, learning_rate=1e-2).fit(images)
    losses = [record["train_loss"] for record in model.history_.epochs]
    assert losses[-1] < 0.4 * losses[0]
    mended = model.mend(images)
    assert mended.shape == (40, 3, 16, 16) and mended.dtype == np.uint8
    assert np.corrcoef(mended.mean((1, 2, 3)), levels)[0, 1] > 0.95


def recognized(backbone, images) -> float:
    """Share of images whose view is nearest to another view of the same image."""
    generator = torch.Generator().manual_seed(7)
    a, b = (
        backbone.features((augment(torch.from_numpy(images), generator, strength=0.5) * 255).byte().numpy())
        for _ in range(2)
    )
    return float((cosine_similarity(a, b).argmax(1) == np.arange(len(images))).mean())


@pytest.mark.parametrize(("learner", "settings"), [(SimCLR, {}), (VICReg, {"learning_rate": 1e-2})])
def test_views_of_one_image_come_closer_on_images_never_seen(learner, settings, quick, backbone, stripes):
    rng = np.random.default_rng(1)
    shades = rng.integers(0, 255, (80, 3, 2, 2)).repeat(8, 2).repeat(8, 3).astype(np.uint8)
    model = quick(learner, epochs=30, strength=0.5, **settings).fit(shades[:40])
    untrained = random_backbone(backbone, 0)
    assert recognized(model.backbone_, shades[40:]) > recognized(untrained, shades[40:]) + 0.1


def test_a_named_start_goes_on_from_its_weights_and_keeps_its_history_of_labels(stripes):
    still = {"learning_rate": 1e-12, "epochs": 1, "input_size": 16}
    for name, labels in (("zoo-all", True), ("zoo-untrained", False)):
        model = SimCLR(start=name, **still).fit(stripes[:8])
        before = load_backbone(name).tensors()
        after = model.backbone_.tensors()
        weights = [k for k in before if k.endswith("weight")]
        assert all(torch.allclose(before[k], after[k], atol=1e-6) for k in weights)
        assert model.labels_upstream_ is labels and uses_labels(model.backbone_) is labels
        assert model.backbone_.name == f"SimCLR from {name}"


def test_from_scratch_no_weight_of_the_named_architecture_is_left(quick, backbone, stripes):
    model = quick(SimCLR, learning_rate=1e-12, epochs=1, random_state=3).fit(stripes[:8])
    kept = backbone.tensors()["conv1.weight"]
    assert not torch.allclose(model.backbone_.tensors()["conv1.weight"], kept, atol=1e-2)


def test_a_backbone_that_was_made_can_be_the_next_start(quick, stripes):
    first = quick(VICReg, epochs=1).fit(stripes).backbone_
    second = quick(SimCLR, start=first, epochs=1).fit(stripes)
    assert second.backbone_.name == "SimCLR from VICReg from scratch" and second.labels_upstream_ is False


def test_colour_images_and_oblong_ones_go_in(quick):
    images = np.random.default_rng(0).integers(0, 255, (6, 3, 20, 30), np.uint8)
    assert quick(SimCLR, epochs=1).fit(images).transform(images).shape[0] == 6


@pytest.mark.parametrize("learner", LEARNERS)
def test_bad_images_are_refused_before_training(learner, quick, stripes):
    def never(record):
        raise AssertionError("training began")

    model = quick(learner, on_epoch=never)
    with pytest.raises(UserError, match="X has one image"):
        model.fit(stripes[:1])
    with pytest.raises(UserError, match="X has no images"):
        model.fit(stripes[:0])
    with pytest.raises(UserError, match="all images are the same"):
        model.fit(np.zeros((5, 1, 16, 16), np.uint8))
    with pytest.raises(UserError, match="uint8 array of shape"):
        model.fit(np.zeros((5, 1, 16, 16)))
    with pytest.raises(UserError, match="learns without labels"):
        model.fit(stripes, stripes.labels)
    with pytest.raises(NotFittedError, match="call fit first"):
        model.transform(stripes)


@pytest.mark.parametrize(
    ("learner", "settings", "sentence"),
    [
        (SimCLR, {"epochs": 0}, "epochs must be a whole number of at least 1"),
        (SimCLR, {"batch_size": 1}, "batch_size must be a whole number of at least 2"),
        (SimCLR, {"temperature": 0}, "temperature must be above 0"),
        (SimCLR, {"strength": 0}, "strength must be above 0"),
        (VICReg, {"strength": 2}, "at most 1.4"),
        (RotationPrediction, {"strength": -1}, "strength must be from 0 to 1.4"),
        (DenoisingAutoencoder, {"noise": 1}, "noise must be a share"),
        (SimCLR, {"start": "nobody"}, "there is no backbone 'nobody'"),
        (SimCLR, {"start": "pixels"}, "pixels has nothing to train"),
        (SimCLR, {"input_size": 4}, "at least 8 pixels"),
    ],
)
def test_bad_settings_are_named(learner, settings, sentence, quick, stripes):
    with pytest.raises(UserError, match=sentence):
        quick(learner, **settings).fit(stripes)


def test_labels_upstream_are_assumed_unless_the_card_says_otherwise(backbone):
    assert uses_labels(backbone) and uses_labels(load_backbone("tiny"))
    assert not uses_labels(load_backbone("tiny-ssl")) and not uses_labels(load_backbone("pixels"))
