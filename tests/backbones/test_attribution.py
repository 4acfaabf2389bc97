"""Heat maps: closed forms, and what must not change."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from transferlab.backbones import (
    grad_cam,
    last_map,
    load_backbone,
    occlusion,
    randomization_check,
    randomized,
)
from transferlab.errors import UserError

FAMILIES = ["zoo-early", "timm/resnet18", "torchvision/squeezenet1_1", "timm/mobilenetv3_small_050"]


@pytest.fixture(scope="module", params=FAMILIES)
def network(request):
    return load_backbone(request.param, pretrained=request.param.startswith("zoo")).with_input_size(96)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 255, (3, 3, 50, 60), np.uint8)


def head_of(net, classes=4):
    rng = np.random.default_rng(1)
    return rng.normal(size=(classes, net.feature_dim)).astype(np.float32), np.zeros(classes, np.float32)


def test_at_the_last_map_it_is_the_class_activation_map(pictures):
    """With global average pooling and a linear head Grad-CAM is CAM (Zhou et al. 2016), rectified."""
    net = load_backbone("tiny")
    weight, _ = head_of(net)
    classes = np.array([0, 1, 2])
    with torch.inference_mode():
        maps = net.forward(net.preprocess(pictures), 0, "layer4")
        assert torch.allclose(maps.mean((2, 3)), net.forward(net.preprocess(pictures)), atol=1e-5)
        cam = (torch.from_numpy(weight[classes])[:, :, None, None] * maps).sum(1, keepdim=True)
        cam = F.interpolate(F.relu(cam), (50, 60), mode="bilinear")[:, 0].numpy()
    cam /= np.maximum(cam.max((1, 2), keepdims=True), 1e-12)
    np.testing.assert_allclose(grad_cam(net, weight, pictures, classes), cam, atol=1e-4)


def test_every_family_gives_maps_and_stays_as_it_is(network, pictures):
    weight, bias = head_of(network)
    maps = grad_cam(network, weight, pictures, np.array([0, 1, 2]), batch_size=2)
    assert maps.shape == (3, 50, 60)
    assert maps.min() >= 0
    assert set(np.round(maps.max((1, 2)), 5)) <= {0.0, 1.0}
    lost = occlusion(network, weight, bias, pictures[:1], np.array([1]), size=20, stride=15)
    assert np.isfinite(lost).all()
    assert not any(p.requires_grad or p.grad is not None for p in network._net.parameters())
    state = {name: t.clone() for name, t in network._net.state_dict().items()}
    grad_cam(network, weight, pictures, np.array([0, 1, 2]))
    assert all(torch.equal(t, state[name]) for name, t in network._net.state_dict().items())


def test_the_class_that_is_asked_for_is_explained(pictures):
    net = load_backbone("zoo-early")
    weight = np.abs(head_of(net)[0])  # features are not negative: every class then has evidence somewhere
    one = grad_cam(net, weight, pictures, np.array([0, 0, 0]))
    other = grad_cam(net, weight, pictures, np.array([3, 3, 3]))
    assert one.max() == other.max() == 1
    assert not np.allclose(one, other)
    np.testing.assert_allclose(grad_cam(net, 7 * weight, pictures, np.array([0, 0, 0])), one, atol=1e-4)


def test_covering_the_evidence_costs_the_most():
    """Only the left upper corner differs from grey, and the head asks for what differs from grey."""
    net = load_backbone("zoo-early")
    grey = np.full((1, 3, 64, 64), 128, np.uint8)
    marked = grey.copy()
    marked[:, :, 4:20, 4:20] = np.random.default_rng(0).integers(0, 255, (1, 3, 16, 16), np.uint8)
    difference = net.features(marked) - net.features(grey)
    weight = np.concatenate([difference, -difference]) * 20 / (difference**2).sum()
    middle = (net.features(marked) + net.features(grey)) / 2
    bias = -(weight @ middle[0])
    lost = occlusion(net, weight, bias, marked, np.array([0]), size=24, stride=8)[0]
    assert lost[4:20, 4:20].mean() > 0.3
    assert abs(lost[40:, 40:]).max() < 0.15
    assert np.unravel_index(lost.argmax(), lost.shape) < (24, 24)


def test_randomizing_leaves_what_lies_below(pictures):
    net = load_backbone("tiny")
    other = randomized(net, "layer3", seed=1)
    x = net.preprocess(pictures)
    with torch.inference_mode():
        assert torch.equal(other.forward(x, 0, "layer2"), net.forward(x, 0, "layer2"))
        assert not torch.allclose(other.forward(x), net.forward(x))
    assert randomized(net, "layer3", seed=2).weights_digest != other.weights_digest
    assert load_backbone("tiny").weights_digest == net.weights_digest


def test_the_check_goes_from_the_top_down_and_all_random_maps_differ():
    from transferlab import load_task
    from transferlab.transfer import FeatureExtraction

    task = load_task("materials", labels_per_class=10)
    model = FeatureExtraction("tiny").fit(task.train)
    shown = task.test.images[::40]
    answers = model.predict(shown)
    found = randomization_check(model.backbone_, model.linear_[0], shown, answers)
    assert found.stages == ("layer4", "layer3", "layer2", "layer1", "stem")
    assert all(
        low <= mean <= high for low, mean, high in zip(found.low, found.correlations, found.high, strict=True)
    )
    assert found.passed
    assert found.n == len(shown)


def test_a_network_without_places_and_heads_that_do_not_fit_are_refused(pictures):
    pixels = load_backbone("pixels")
    with pytest.raises(UserError, match="nowhere to look"):
        last_map(pixels)
    net = load_backbone("zoo-early")
    with pytest.raises(UserError, match="features"):
        grad_cam(net, np.zeros((2, 3), np.float32), pictures, np.zeros(3, int))
    with pytest.raises(UserError, match="one of 4 classes"):
        grad_cam(net, head_of(net)[0], pictures, np.array([0, 1, 9]))
    with pytest.raises(UserError, match="stride"):
        occlusion(net, *head_of(net), pictures, np.array([0, 1, 2]), size=70, stride=2)
