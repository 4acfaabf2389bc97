"""The ONNX file answers as the model does, in another runtime."""

import json

import numpy as np
import pytest

from transferlab.backbones import load_backbone
from transferlab.transfer import FeatureExtraction, FineTuning, as_saved, write_onnx

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is in the extra 'test'")


def answers(path, images):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session, session.run(None, {"images": images})[0]


@pytest.mark.parametrize("kind", ["pixels", "frozen", "tuned", "squeezenet", "mobilenet"])
def test_onnx_equals_the_model(backbone, task, tmp_path, kind):
    model = {
        "pixels": FeatureExtraction("pixels"),
        "frozen": FeatureExtraction(backbone),
        "tuned": FineTuning(backbone, trainable_from="layer2", epochs=2),
        "squeezenet": FeatureExtraction(_small("torchvision/squeezenet1_1")),
        "mobilenet": FeatureExtraction(_small("timm/mobilenetv3_small_050")),
    }[kind].fit(task.train)
    saved = as_saved(model, classes=task.classes, image_size=task.test.images.shape[-1])
    path = write_onnx(saved, tmp_path / "model.onnx")
    images = _at_input_size(saved, task.test.images[:37])
    session, found = answers(path, images)
    np.testing.assert_allclose(found, saved.predict_proba(images), atol=2e-4)
    assert (found.argmax(1) == saved.predict_proba(images).argmax(1)).all()
    one = answers(path, images[:1])[1]
    np.testing.assert_allclose(one, found[:1], atol=1e-5)
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == list(task.classes)


def _small(name):
    return load_backbone(name, pretrained=False).with_input_size(64)


def _at_input_size(saved, images):
    """Nearest-neighbour to the input size and three channels: neither model then resizes anything."""
    size = saved.backbone.preprocessing.input_size
    at = np.arange(size) * images.shape[-1] // size
    return np.ascontiguousarray(np.broadcast_to(images[:, :, at][..., at], (len(images), 3, size, size)))


def test_exporting_says_nothing(backbone, task, tmp_path, capfd):
    saved = as_saved(FeatureExtraction(backbone).fit(task.train), classes=task.classes, image_size=64)
    write_onnx(saved, tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
