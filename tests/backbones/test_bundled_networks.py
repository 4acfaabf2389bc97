"""The networks that come with the package: their shapes, cards, files, and what they are worth."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import timm
import torch

from data_scripts import tiny_imagenet
from data_scripts.source_table import LABELS, PERSON, README, SEEDS, Probe
from data_scripts.sources import SOURCES
from data_scripts.train_backbones import validation_accuracy
from transferlab.backbones import backbone_card, bundled_names, load_backbone, random_backbone
from transferlab.backbones.bundled import WEIGHTS, bundled_file
from transferlab.data import load_task
from transferlab.evaluation import evaluate

ZOO = [name for name in bundled_names() if name.startswith("zoo-")]


def test_every_source_is_there_and_nothing_else():
    assert set(bundled_names()) == set(SOURCES)
    assert len(ZOO) >= 12


@pytest.mark.parametrize("name", ["tiny", "tiny-ssl"])
def test_tiny_is_small_and_keeps_a_map(name):
    backbone = load_backbone(name)
    assert sum(s.parameters for s in backbone.stages) <= 3_000_000
    assert bundled_file(name).stat().st_size <= 6_000_000
    assert backbone.stages[-1].output_shape[1:] == (4, 4)
    assert [s.stride for s in backbone.stages] == [2, 2, 4, 8, 16]
    assert backbone.preprocessing.input_size == 64


def test_tiny_knows_all_classes_and_its_twin_none():
    assert len(load_backbone("tiny").classes) == 200
    assert backbone_card("tiny")["uses_labels"]
    assert not backbone_card("tiny-ssl")["uses_labels"]
    assert not load_backbone("tiny-ssl").classes


@pytest.mark.parametrize("name", ZOO)
def test_sources_of_the_zoo_are_small(name):
    assert bundled_file(name).stat().st_size <= 300_000


@pytest.mark.parametrize("name", bundled_names())
def test_cards_say_what_was_done_and_it_was_learning(name):
    card = backbone_card(name)
    assert {"summary", "data", "recipe", "seed", "train_loss", "validation_top1", "limits", "licence"} <= set(
        card
    )
    curve = card["train_loss"]
    assert len(curve) == (card["recipe"]["epochs"] if card["recipe"] else 0)
    if len(curve) > 3 and name != "zoo-shuffled":
        assert curve[-1] < 0.9 * curve[0]
        assert sum(b < a for a, b in pairwise(curve)) >= 0.7 * (len(curve) - 1)


@pytest.mark.parametrize("name", bundled_names())
def test_weights_are_half_precision_and_whole(name):
    from safetensors.torch import load_file

    tensors = load_file(bundled_file(name))
    assert {t.dtype for t in tensors.values()} <= {torch.float16, torch.int64}
    assert all(torch.isfinite(t).all() for t in tensors.values())
    load_backbone(name)  # checks the SHA-256


def test_timm_creates_the_same_network():
    net = timm.create_model("transferlab_tiny", pretrained=True).eval()
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 64, 64), np.uint8)
    backbone = load_backbone("tiny")
    x = backbone.preprocess(images)
    with torch.inference_mode():
        assert torch.equal(net.forward_head(net.forward_features(x), pre_logits=True), backbone.forward(x))


def test_licence_of_the_weights_lies_beside_them():
    assert "ImageNet" in (WEIGHTS / "WEIGHTS_LICENSE").read_text(encoding="utf-8")


@pytest.mark.data
@pytest.mark.parametrize("name", ["tiny", "zoo-animals"])
def test_accuracy_on_the_card_comes_out_again(name, test_data, tmp_path):
    """Every validation image of the first half's classes, decoded anew."""
    arrays = tiny_imagenet.load(test_data, tmp_path)
    described = json.loads((WEIGHTS / f"{name}.json").read_text())
    net = timm.create_model(f"transferlab_{name.replace('-', '_')}", pretrained=True).eval()
    assert validation_accuracy(net, arrays, described["classes"]) == pytest.approx(
        described["card"]["validation_top1"], abs=0.003
    )


def readme_numbers(network: str) -> list[float]:
    """What the README's table of sources says of ``network``, a number a target."""
    [line] = [s for s in README.read_text(encoding="utf-8").splitlines() if s.startswith(f"| {network} |")]
    return [float(cell.split()[0]) for cell in line.split("|")[2:-1]]


@pytest.mark.data
@pytest.mark.parametrize(
    ("column", "folder", "regex", "wanted"),
    [(0, "flowers5", None, 0.46), (1, "sign_digits", None, 0.68), (2, "sign_digits", PERSON, 0.60)],
)
def test_tiny_is_worth_its_place_as_a_source(column, folder, regex, wanted, test_data: Path):
    """Frozen features with a logistic head, 10 labels a class; far above the same network untrained."""
    tiny = load_backbone("tiny")
    task = load_task(test_data / folder, image_size=64, group_regex=regex, progress=False)
    probes = {"tiny": Probe(tiny), "untrained": Probe(random_backbone(tiny, 0))}
    found = evaluate(probes, task, SEEDS, labels_per_class=LABELS)
    assert found["tiny"].accuracy >= wanted
    assert found["tiny"].accuracy == pytest.approx(readme_numbers("tiny, 64 px")[column], abs=0.01)
    assert found.compare("tiny", "untrained").low > 0.1
