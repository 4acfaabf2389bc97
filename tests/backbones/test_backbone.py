"""A backbone does not change, is shared by clone, and its digest tells networks apart."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from torch.nn import functional as F

from transferlab.backbones import Preprocessing, load_backbone, random_backbone, write_weights
from transferlab.errors import UserError


@pytest.fixture
def backbone(small_file):
    return load_backbone(small_file)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 3, 40, 40), dtype=np.uint8)


class Holder(BaseEstimator):
    def __init__(self, backbone=None):
        self.backbone = backbone


def test_immutable_and_shared(backbone):
    with pytest.raises(dataclasses.FrozenInstanceError):
        backbone.name = "other"
    with pytest.raises(dataclasses.FrozenInstanceError):
        backbone.new = 1
    assert clone(Holder(backbone)).backbone is backbone
    assert copy.deepcopy({"a": backbone})["a"] is backbone
    assert copy.copy(backbone) is backbone
    assert not backbone._net.training
    assert not any(p.requires_grad for p in backbone._net.parameters())


def test_use_leaves_the_weights_and_their_statistics(backbone, images):
    before = {k: v.clone() for k, v in backbone._net.state_dict().items()}
    tail = backbone.trainable_copy("layer1")
    optimizer = torch.optim.SGD(tail.parameters(), lr=1.0)
    x = backbone.preprocess(images)
    tail(backbone.forward(x, stop="layer1")).square().sum().backward()
    optimizer.step()
    backbone.features(images)
    after = backbone._net.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert any(not torch.equal(before[k], v) for k, v in tail.state_dict().items())


def test_digest_depends_on_weights_size_and_preprocessing(backbone, small_file):
    assert load_backbone(small_file).digest == backbone.digest
    normal = dataclasses.replace(backbone.preprocessing, mean=(0.5, 0.5, 0.5))
    others = [
        random_backbone(backbone, 0),
        random_backbone(backbone, 1),
        backbone.with_input_size(48),
        dataclasses.replace(backbone, preprocessing=normal),
    ]
    assert len({b.digest for b in (backbone, *others)}) == 5
    assert random_backbone(backbone, 1).digest == random_backbone(backbone, 1).digest


def test_one_changed_bit_changes_the_digest(backbone):
    state = {k: v.clone() for k, v in backbone._net.state_dict().items()}
    net = backbone.architecture.build()
    state["bn1.running_var"][0] = torch.nextafter(state["bn1.running_var"][0], torch.tensor(9.0))
    net.load_state_dict(state)
    assert dataclasses.replace(backbone, _net=net).digest != backbone.digest


def test_building_leaves_the_callers_generator(backbone):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    random_backbone(backbone, 7)
    assert torch.equal(torch.rand(1), expected)


def test_features_do_not_depend_on_the_batch(backbone, images):
    whole = backbone.features(images)
    assert whole.dtype == np.float32
    assert whole.shape == (5, backbone.feature_dim)
    np.testing.assert_allclose(backbone.features(images, batch_size=2), whole, rtol=1e-5, atol=1e-6)
    assert backbone.features(images[:0]).shape == (0, backbone.feature_dim)


def test_another_input_size_shares_the_weights(backbone, images):
    large = backbone.with_input_size(64)
    assert large._net is backbone._net
    assert large.stages[0].output_shape == (8, 32, 32)
    assert backbone.stages[0].output_shape == (8, 16, 16)
    assert not np.allclose(large.features(images), backbone.features(images))


def test_boundaries_by_name_and_number(backbone):
    assert [backbone.boundary(n) for n in ("images", "stem", "layer1", "layer4")] == [0, 1, 2, 5]
    assert [backbone.boundary(np.int64(b)) for b in range(6)] == [0, 1, 2, 3, 4, 5]
    for wrong in (-1, 6, "layer9", True, None, 1.0):
        with pytest.raises(UserError, match="stem, layer1, layer2, layer3, layer4"):
            backbone.boundary(wrong)
    with pytest.raises(UserError, match="in order"):
        backbone.forward(torch.zeros(1, 3, 32, 32), start="layer2", stop="stem")


@pytest.mark.parametrize("start", [0, "stem", "layer3", 5])
def test_what_was_trained_is_written_back_and_read_again(backbone, images, tmp_path, start):
    tail = backbone.trainable_copy(start)
    with torch.no_grad():
        for p in tail.parameters():
            p.add_(0.1)
    before = backbone.weights_digest
    trained = backbone.with_trained(start, tail)
    head = {"transfer_head.weight": torch.ones(2, backbone.feature_dim)}
    path = write_weights(tmp_path / "tuned.safetensors", trained.tensors() | head, trained.description())
    again = load_backbone(path)
    x = backbone.preprocess(images)
    with torch.inference_mode():
        expected = tail.eval()(backbone.forward(x, stop=start))
        assert torch.equal(again.forward(x), expected)
        assert torch.equal(trained.forward(x), expected)
    assert load_backbone(path).weights_digest == trained.weights_digest
    assert backbone.weights_digest == before
    assert again.preprocessing == backbone.preprocessing
    assert again.classes == backbone.classes


def test_a_part_from_elsewhere_is_not_written_back(backbone):
    with pytest.raises(UserError, match="trainable_copy"):
        backbone.with_trained("stem", backbone.trainable_copy("layer1"))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 3),
    st.sampled_from([1, 3]),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from(["bilinear", "bicubic", "nearest"]),
)
def test_preprocessing_of_any_shape(n, channels, sides, interpolation):
    images = np.random.default_rng(n).integers(0, 256, (n, channels, *sides), dtype=np.uint8)
    given_images = images.copy()
    out = Preprocessing((0.1, 0.2, 0.3), (0.5, 0.6, 0.7), 16, interpolation)(images)
    assert out.shape == (n, 3, 16, 16)
    assert out.dtype == torch.float32
    low, high = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.5, 0.6, 0.7])
    pixels = out * high.view(1, 3, 1, 1) + low.view(1, 3, 1, 1)
    assert n == 0 or (pixels.min() > -1e-5 and pixels.max() < 1 + 1e-5)
    assert (images == given_images).all()
    if channels == 1 and n:
        assert torch.allclose(pixels[:, 0], pixels[:, 2], atol=1e-5)


def test_preprocessing_is_resize_then_normalize(images):
    out = Preprocessing((0.1, 0.2, 0.3), (0.5, 0.6, 0.7), 20)(images)
    pixels = torch.from_numpy(images).float() / 255
    small = F.interpolate(pixels, (20, 20), mode="bilinear", antialias=True)
    mean, std = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.5, 0.6, 0.7])
    expected = (small - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    assert (out - expected).abs().max() < 1 / 255 / 0.5  # uint8 rounding
    same = Preprocessing((0, 0, 0), (1, 1, 1), 40)(images)
    assert torch.equal(same, pixels)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 3, 8, 8), np.float32),
        np.zeros((3, 8, 8), np.uint8),
        np.zeros((2, 4, 8, 8), np.uint8),
        [1],
        None,
    ],
)
def test_wrong_images_are_named(backbone, wrong):
    with pytest.raises(UserError, match="uint8"):
        backbone.preprocess(wrong)


@pytest.mark.parametrize("size", [0, 7, -64, 64.0, "64", True])
def test_wrong_input_sizes(backbone, size):
    with pytest.raises(UserError, match="at least 8"):
        backbone.with_input_size(size)


def test_input_too_small_for_the_network():
    with pytest.raises(UserError, match=r"16 pixels.*another input size"):
        load_backbone("timm/inception_v3", pretrained=False).with_input_size(16)


@pytest.mark.gpu
def test_on_a_gpu(backbone, images):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    np.testing.assert_allclose(
        backbone.features(images, device="cuda"), backbone.features(images), rtol=1e-2, atol=1e-2
    )
    assert backbone.to("cuda").digest == backbone.digest
