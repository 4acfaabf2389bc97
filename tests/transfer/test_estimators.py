"""Estimators: scikit-learn's habits, frozen parts that stay, seeds that count, mistakes that end in a sentence."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.training.freezing import state_hash
from transferlab.transfer import FeatureExtraction, FineTuning, FromScratch, RandomFrozen


def fast(backbone, **kwargs):
    return FineTuning(backbone, **{"trainable_from": "layer2", "epochs": 2, "device": "cpu", **kwargs})


def estimators(backbone):
    return {
        "pixels": FeatureExtraction("pixels"),
        "feature_extraction": FeatureExtraction(backbone),
        "nearest": FeatureExtraction(backbone, head="nearest-neighbour"),
        "random_frozen": RandomFrozen(backbone),
        "fine_tuning": fast(backbone),
        "everything": fast(backbone, trainable_from=0),
        "scratch": FromScratch(backbone, epochs=2),
    }


def test_settings_are_kept_and_clones_share_the_backbone(backbone):
    cache = BoundaryCache()
    for name, estimator in estimators(backbone).items():
        estimator.set_params(cache=cache)
        copy = clone(estimator)
        assert copy.get_params() == estimator.get_params(), name
        assert copy.cache is cache
        assert name == "pixels" or copy.backbone is backbone


def test_probabilities_have_a_column_for_every_class(backbone, task):
    two = np.flatnonzero(task.train.labels < 2)
    for name, estimator in estimators(backbone).items():
        p = estimator.fit(task.train[two]).predict_proba(task.test.images[:7])
        assert p.shape == (7, 12), name
        np.testing.assert_allclose(p.sum(1), 1, atol=1e-6)


def test_plain_arrays_with_labels_of_ones_own(backbone, task):
    y = task.train.labels * 10 + 3
    for name, estimator in estimators(backbone).items():
        estimator.fit(task.train.images, y)
        assert set(estimator.predict(task.test.images[:20])) <= set(y), name
        assert list(estimator.classes_) == sorted(set(y))


def test_same_random_state_same_answers(backbone, task):
    def answers(seed):
        return (
            fast(backbone, trainable_from=0, random_state=seed)
            .fit(task.train)
            .predict_proba(task.test.images[:9])
        )

    np.testing.assert_array_equal(answers(1), answers(1))
    assert not np.array_equal(answers(1), answers(2))


def test_random_state_draws_the_random_weights(backbone, task):
    one, two = (RandomFrozen(backbone, random_state=s).fit(task.train).backbone_.digest for s in (1, 2))
    assert one != two


def test_the_backbone_never_changes(backbone, task):
    before = backbone.weights_digest, state_hash(backbone.trainable_copy(0))
    for name, estimator in estimators(backbone).items():
        estimator.fit(task.train)
        assert state_hash(backbone.trainable_copy(0)) == before[1], name


@pytest.mark.parametrize("boundary", [1, 2, 3, 4])
def test_only_the_stages_above_the_boundary_move(backbone, task, boundary):
    model = fast(backbone, trainable_from=boundary).fit(task.train)
    whole = backbone.with_trained(boundary, model.module_.body).tensors()
    original = backbone.tensors()
    moved = {k.split(".")[0] for k, v in whole.items() if not np.array_equal(v, original[k])}
    assert moved == {f"layer{i}" for i in range(boundary, 5)}


def test_gradual_unfreezing_gives_every_stage_its_turn(backbone, task):
    model = fast(backbone, epochs=7, gradual_unfreezing=True).fit(task.train)
    assert [len(h.epochs) for h in model.history_] == [3, 2, 2]


def test_layer_decay_slows_the_lower_stages(backbone, task):
    model = fast(backbone, layer_decay=0.5).fit(task.train)
    assert [g["scale"] for g in model._groups()] == [1.0, 0.125, 0.25, 0.5]


def test_l2_sp_keeps_the_weights_nearer(backbone, task):
    def distance(strength):
        model = fast(backbone, l2_sp=strength, epochs=4, learning_rate=3e-3).fit(task.train)
        start = dict(backbone.trainable_copy(model.boundary_).named_parameters())
        return sum(
            float(((p - start[n]) ** 2).sum().detach()) for n, p in model.module_.body.named_parameters()
        )

    assert distance(1.0) < distance(0.0)


def test_head_first_starts_from_the_logistic_head(backbone, task):
    """Before the first step the network answers as feature extraction does."""
    tuned = fast(backbone, epochs=1).fit(task.train)
    start = tuned._new_module(task.train.images, task.train.labels).eval()
    frozen = FeatureExtraction(backbone).fit(task.train)
    images = task.test.images[:50]
    with torch.inference_mode():
        answers = start(backbone.forward(backbone.preprocess(images), 0, tuned.boundary_)).softmax(1)
    np.testing.assert_allclose(answers, frozen.predict_proba(images), atol=1e-4)


def test_early_stopping_uses_validation_and_keeps_the_best(backbone, task):
    model = fast(backbone, head_first=False, epochs=30, patience=2, learning_rate=0.03).fit(
        task.train, validation=task.validation
    )
    history = model.history_[0]
    losses = [r["validation_loss"] for r in history.epochs]
    assert history.stopped_early
    assert losses[history.best_epoch] == min(losses)


def test_tuning_that_only_harms_leaves_the_fitted_head(backbone, task):
    model = fast(backbone, epochs=2, patience=2, learning_rate=1.0)
    model.fit(task.train, validation=task.validation)
    assert model.history_[0].best_epoch is None
    frozen = FeatureExtraction(backbone).fit(task.train)
    images = task.test.images[:50]
    np.testing.assert_allclose(model.predict_proba(images), frozen.predict_proba(images), atol=1e-4)


def test_images_in_the_place_of_labels_end_in_a_sentence(backbone, task):
    with pytest.raises(UserError, match="validation="):
        fast(backbone).fit(task.train, task.validation)


def test_interrupted_fit_resumes_to_the_same_model(backbone, task, tmp_path):
    def interrupt(record):
        if record["epoch"] == 1:
            raise KeyboardInterrupt

    settings = {"trainable_from": 0, "epochs": 4}
    straight = fast(backbone, **settings).fit(task.train)
    with pytest.raises(KeyboardInterrupt):
        fast(backbone, **settings, checkpoint=tmp_path, on_epoch=interrupt).fit(task.train)
    epochs = []
    resumed = fast(backbone, **settings, checkpoint=tmp_path, on_epoch=epochs.append).fit(task.train)
    assert [r["epoch"] for r in epochs] == [2, 3]
    assert state_hash(resumed.module_) == state_hash(straight.module_)


def test_a_checkpoint_never_serves_another_fit(backbone, task, tmp_path):
    """Other labels, pixels, seed or settings: each trains anew."""
    images, labels = task.train.images, task.train.labels
    fits = [
        (images, labels, {}),
        (255 - images, labels, {}),
        (images, labels[::-1].copy(), {}),
        (images, labels, {"random_state": 1}),
        (images, labels, {"trainable_from": "layer3"}),
    ]
    for i, (x, y, settings) in enumerate(fits):
        epochs = []
        fast(backbone, **settings, checkpoint=tmp_path, on_epoch=epochs.append).fit(x, y)
        assert len(epochs) == 2
        assert len(list(tmp_path.iterdir())) == i + 1


def test_verbose_tells_loss_and_time_left(backbone, task, capsys):
    fast(backbone, epochs=3, verbose=True).fit(task.train, validation=task.validation)
    lines = capsys.readouterr().err.strip().splitlines()
    assert [line.split(":")[0] for line in lines] == [f"epoch {i} of 3" for i in (1, 2, 3)]
    assert all("validation" in line and line.endswith(" s left") for line in lines)


@pytest.mark.parametrize("boundary", [0, 3])
def test_augmentation_gives_new_pictures_each_epoch(backbone, task, boundary):
    model = fast(backbone, trainable_from=boundary, augmentation=0.7, views=3).fit(task.train)
    batch = model._batches(task.train.images, torch.from_numpy(task.train.labels))
    draw = [batch(torch.arange(4), epoch, torch.Generator().manual_seed(epoch))[0] for epoch in (0, 1, 3)]
    assert not torch.equal(draw[0], draw[1])
    assert torch.equal(draw[0], draw[2]) == (boundary == 3)  # the fourth epoch is the first view again


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (np.zeros((4, 3, 8, 8), np.float32), [0, 1, 0, 1], "uint8"),
        (np.zeros((4, 8, 8), np.uint8), [0, 1, 0, 1], "shape"),
        (np.zeros((4, 3, 8, 8), np.uint8), [0, 1], "4 images but 2 labels"),
        (np.zeros((4, 3, 8, 8), np.uint8), [1, 1, 1, 1], "at least two classes"),
        (np.zeros((4, 3, 8, 8), np.uint8), None, "no labels"),
        (ImageSet(np.zeros((4, 3, 8, 8), np.uint8), None, ("a", "b")), None, "no labels"),
    ],
)
def test_bad_input_ends_in_a_sentence(backbone, x, y, says):
    with pytest.raises(UserError, match=says):
        FeatureExtraction(backbone).fit(x, y)


@pytest.mark.parametrize("labels", [["x", "y"] * 6, [1, 3] * 6])
def test_validation_labels_that_training_has_not_are_named(backbone, labels):
    images = np.zeros((12, 3, 8, 8), np.uint8)
    held_out = ImageSet(images[:4], np.array([0, 1, 2, 2]), ("a", "b", "c"))
    with pytest.raises(UserError, match="label"):
        FeatureExtraction(backbone).fit(images, labels, validation=held_out)


def test_labels_beyond_the_classes_of_an_image_set_are_named(backbone, task):
    with pytest.raises(UserError, match="label 100"):
        FeatureExtraction(backbone).fit(task.train, task.train.labels + 100)


def test_nothing_left_to_train_ends_in_a_sentence(backbone, task):
    with pytest.raises(UserError, match="FeatureExtraction"):
        fast(backbone, trainable_from="layer4").set_params(trainable_from=5).fit(task.train)


def test_unknown_stage_names_the_stages(backbone, task):
    with pytest.raises(UserError, match="layer3"):
        fast(backbone, trainable_from="layer9").fit(task.train)


def test_unfitted_says_so(backbone):
    with pytest.raises(NotFittedError, match="fit first"):
        FeatureExtraction(backbone).predict(np.zeros((1, 3, 8, 8), np.uint8))
