"""A saved model answers as the one in memory, and is a weights file like any other."""

import json

import numpy as np
import pytest

from transferlab.backbones import load_backbone
from transferlab.errors import UserError
from transferlab.transfer import FeatureExtraction, FineTuning, FromScratch, load_model, save_model


@pytest.mark.parametrize("kind", ["pixels", "frozen", "ridge", "tuned", "scratch"])
def test_loaded_model_equals_the_one_in_memory(backbone, task, tmp_path, kind):
    model = {
        "pixels": FeatureExtraction("pixels"),
        "frozen": FeatureExtraction(backbone),
        "ridge": FeatureExtraction(backbone, head="ridge"),
        "tuned": FineTuning(backbone, trainable_from="layer2", epochs=2),
        "scratch": FromScratch(backbone, epochs=1),
    }[kind].fit(task.train)
    save_model(model, tmp_path / "model", classes=task.classes, image_size=32, card={"task": "materials"})
    loaded = load_model(tmp_path / "model")
    images = task.test.images[:100]
    np.testing.assert_allclose(loaded.predict_proba(images), model.predict_proba(images), atol=1e-5)
    assert (loaded.predict_proba(images).argmax(1) == model.predict(images)).all()
    assert loaded.classes == task.classes
    assert load_backbone(tmp_path / "model" / "model.safetensors").feature_dim == model.backbone_.feature_dim


def test_damaged_weights_are_refused(backbone, task, tmp_path):
    save_model(FeatureExtraction(backbone).fit(task.train), tmp_path, classes=task.classes, image_size=32)
    path = tmp_path / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError):
        load_model(tmp_path)


def test_instance_head_is_refused(backbone, task, tmp_path):
    model = FeatureExtraction(backbone, head="nearest-centroid").fit(task.train)
    with pytest.raises(UserError, match="logistic or ridge"):
        save_model(model, tmp_path, classes=task.classes, image_size=32)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(UserError, match=r"model\.safetensors"):
        load_model(tmp_path)


def test_json_says_what_the_model_is(backbone, task, tmp_path):
    save_model(FeatureExtraction(backbone).fit(task.train), tmp_path, classes=task.classes, image_size=48)
    described = json.loads((tmp_path / "model.json").read_text())
    assert described["classes"] == list(task.classes)
    assert described["image_size"] == 48
    assert len(described["sha256"]) == 64
