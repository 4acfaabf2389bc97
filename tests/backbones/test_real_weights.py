"""Weights trained by others load strictly, see what they should, and separate real images."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from transferlab.backbones import load_backbone, random_backbone
from transferlab.backbones.weights_file import file_sha256
from transferlab.errors import UserError

DESCRIPTIONS = {
    "squeezenet1_0": {
        "library": "torchvision",
        "architecture": "squeezenet1_0",
        "kwargs": {},
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    },
    "mobilenetv1_025": {
        "library": "transferlab",
        "architecture": "mobilenetv1",
        "kwargs": {"channel_multiplier": 0.25, "pad_type": "same", "bn_eps": 1e-3},
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
    },
}

pytestmark = pytest.mark.data


@pytest.fixture(scope="module", params=DESCRIPTIONS)
def backbone(request, data_folder, tmp_path_factory, tiny_description):

    folder = tmp_path_factory.mktemp(request.param)
    path = folder / f"{request.param}.safetensors"
    shutil.copyfile(data_folder.parent / "weights" / path.name, path)
    common = {"input_size": 224, "interpolation": "bilinear", "classes": None, "card": {}}
    described = tiny_description | common | DESCRIPTIONS[request.param] | {"sha256": file_sha256(path)}
    path.with_suffix(".json").write_text(json.dumps(described))
    return load_backbone(path)


def read_images(folders, each: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The first ``each`` images of each folder, uint8 (N, 3, side, side), and the folder's number."""
    images, labels = [], []
    for label, folder in enumerate(folders):
        for path in sorted(folder.iterdir())[:each]:
            with Image.open(path) as picture:
                images.append(np.asarray(picture.convert("RGB").resize((side, side))).transpose(2, 0, 1))
            labels.append(label)
    return np.stack(images), np.array(labels)


def bee_against_ant(backbone, images, labels) -> float:
    """Area under the curve of the network's own bee (309) minus ant (310) output."""
    with torch.inference_mode():
        logits = backbone._net(backbone.preprocess(images))
    return roc_auc_score(labels, (logits[:, 309] - logits[:, 310]).numpy())


def test_the_networks_own_classes_tell_bees_from_ants(backbone, data_folder):
    folder = data_folder / "ants_bees" / "val"
    pictures = read_images([folder / "ants", folder / "bees"], 25, 128)
    small = backbone.with_input_size(128)
    trained = bee_against_ant(small, *pictures)
    # Chance is 0.5 with a standard error of 0.08 on 50 images.
    assert trained > 0.85
    assert bee_against_ant(random_backbone(small, 0), *pictures) < 0.75
    washed_out = dataclasses.replace(
        small, preprocessing=dataclasses.replace(small.preprocessing, std=(9.0, 9.0, 9.0))
    )
    assert bee_against_ant(washed_out, *pictures) < trained


def test_a_logistic_head_on_the_features_learns_flowers(backbone, data_folder):
    images, labels = read_images(sorted((data_folder / "flowers5").iterdir()), 40, 128)
    order = np.random.default_rng(0).permutation(len(labels))
    train, test = order[:100], order[100:]
    features = backbone.with_input_size(128).features(images)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    accuracy = model.fit(features[train], labels[train]).score(features[test], labels[test])
    # Chance is 0.2 with a standard error of 0.04 on 100 images.
    assert accuracy > 0.4


def test_wrong_settings_do_not_load(backbone, data_folder, tmp_path):

    name = backbone.name
    path = tmp_path / f"{name}.safetensors"
    path.symlink_to(data_folder.parent / "weights" / path.name)
    described = backbone.description() | {"library": "timm", "architecture": "mobilenetv1_100", "kwargs": {}}
    path.with_suffix(".json").write_text(json.dumps(described))
    with pytest.raises(UserError, match="do not fit the architecture"):
        load_backbone(path)
