"""A ranking: right order, nothing undefined as a number, one pass a source, and never the test."""

import numpy as np
import pytest
from scipy.special import softmax

from transferlab.backbones import Backbone, load_backbone
from transferlab.backbones.classifier import own_classifier
from transferlab.data import ImageSet, load_task
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.transfer import SCORES, SavedModel, leep, nce, rank_sources

POOR, GOOD = "zoo-untrained", "zoo-all"


@pytest.fixture(scope="module")
def few():
    return load_task("materials", labels_per_class=5)


def test_a_trained_source_is_before_an_untrained_one(few):
    found = rank_sources([POOR, GOOD], few)
    assert [s.name for s in found.sources] == [GOOD, POOR] and found.by == "linear probe"
    assert (found.n, found.classes, found.target) == (60, 12, "materials")
    for score in ("linear probe", "kNN"):
        assert found.order(score) == [GOOD, POOR]
    assert few.test.looks == 0


def test_scores_that_need_source_labels_are_none_with_a_reason(few):
    found = rank_sources(["tiny-ssl", "pixels", POOR, GOOD], few)
    reasons = {s.name: s.reasons for s in found.sources}
    for name, says in (
        ("tiny-ssl", "not trained on labels"),
        (POOR, "not trained on labels"),
        ("pixels", "no linear"),
    ):
        assert set(reasons[name]) == {"NCE", "LEEP"} and says in reasons[name]["LEEP"]
    assert reasons[GOOD] == {} and found.order("LEEP") == [GOOD]
    table = found.table()
    assert table.loc["tiny-ssl", "LEEP"] is None
    assert not any(isinstance(v, float) and np.isnan(v) for v in table.to_numpy().ravel())


def test_leep_and_nce_are_of_the_networks_own_answers(few):
    """The source's classifier on the pooled features is what the whole network computes."""
    import timm
    import torch

    source = load_backbone(GOOD)
    images = np.concatenate([few.train.images, few.validation.images])
    labels = np.concatenate([few.train.labels, few.validation.labels])
    whole = timm.create_model("transferlab_zoo_all", pretrained=True).eval()
    with torch.no_grad():
        logits = whole(source.preprocess(images)).numpy()
    [found] = rank_sources([GOOD], few).sources
    assert found.scores["LEEP"] == pytest.approx(leep(softmax(logits, axis=1), labels), abs=1e-4)
    assert found.scores["NCE"] == pytest.approx(nce(logits.argmax(1), labels), abs=1e-4)


FOREIGN = ("timm/resnet18", "torchvision/mobilenet_v3_small", "timm/convnext_atto", "timm/vgg11")


@pytest.mark.parametrize("name", FOREIGN)
def test_the_own_classifier_of_foreign_families(name):
    import torch

    net = load_backbone(name, pretrained=False)
    weight, bias = own_classifier(net)
    x = torch.rand(2, 3, net.preprocessing.input_size, net.preprocessing.input_size)
    with torch.inference_mode():
        assert np.allclose(net.forward(x).numpy() @ weight.T + bias, net._net(x).numpy(), atol=1e-3)


def test_no_classifier_is_found_where_there_is_none():
    assert own_classifier(load_backbone("torchvision/squeezenet1_0", pretrained=False)) is None
    assert own_classifier(load_backbone("pixels")) is None


def test_each_source_is_computed_once(few):
    cache = BoundaryCache()
    rank_sources([POOR, GOOD], few, cache=cache)
    computed = cache.computed
    rank_sources([POOR, GOOD], few, cache=cache)
    assert computed == 2 * 60 == cache.computed


def test_a_saved_model_brings_its_own_head(few):
    net = load_backbone("tiny-ssl")
    rng = np.random.default_rng(0)
    model = SavedModel(net, rng.normal(size=(3, net.feature_dim)), np.zeros(3), ("a", "b", "c"), 64)
    [found] = rank_sources({"mine": model}, few, ["LEEP"]).sources
    assert found.name == "mine" and found.scores["LEEP"] < 0


def test_a_single_label_a_class_leaves_the_probe_undefined_and_says_why():
    found = rank_sources([GOOD], load_task("materials", labels_per_class=1))
    [source] = found.sources
    assert source.scores["linear probe"] is None and "single labelled image" in source.reasons["linear probe"]
    assert source.scores["LogME"] is not None


def test_mistakes_end_in_one_sentence(few):
    images = np.zeros((4, 3, 32, 32), np.uint8)
    for arguments, says in (
        (([], few), "no source"),
        (([GOOD, GOOD], few), "twice"),
        (([GOOD], few, ["magic"]), "no score 'magic'"),
        (([GOOD], ImageSet(images, None, ("a", "b"))), "no labels"),
        (([GOOD], ImageSet(images, np.zeros(4, np.int64), ("a", "b"))), "two classes"),
        ((["nonsense"], few), "no backbone"),
    ):
        with pytest.raises(UserError, match=says):
            rank_sources(*arguments)


def test_a_backbone_is_named_by_itself(few, backbone):
    assert isinstance(backbone, Backbone)
    assert rank_sources([backbone], few, ["kNN"]).sources[0].name == backbone.name
    assert SCORES[0] == "linear probe"
