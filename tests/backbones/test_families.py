"""Every family: stages compose to the library's own forward, and a trainable copy gives the same features."""

import numpy as np
import pytest
import timm
import torch
from timm.models.resnet import ResNet
from torch import nn

from transferlab.backbones import Architecture, load_backbone
from transferlab.backbones.pixels import Pixels
from transferlab.backbones.stages import ADAPTERS, split
from transferlab.errors import UserError

# One small architecture for each class that has an adapter, and the side of the images to run it on.
NETWORKS = {
    "timm/vgg11": 64,
    "timm/resnet18": 64,
    "timm/inception_v3": 96,
    "timm/legacy_xception": 64,
    "timm/mobilenetv1_100": 64,
    "timm/mobilenetv2_100": 64,
    "timm/mobilenetv3_small_100": 64,
    "timm/densenet121": 64,
    "timm/efficientnet_b0": 64,
    "timm/convnext_atto": 64,
    "torchvision/vgg11_bn": 64,
    "torchvision/resnet18": 64,
    "torchvision/inception_v3": 96,
    "torchvision/mobilenet_v2": 64,
    "torchvision/mobilenet_v3_small": 64,
    "torchvision/squeezenet1_0": 64,
    "torchvision/densenet121": 64,
    "torchvision/efficientnet_b0": 64,
    "torchvision/convnext_tiny": 64,
}


def classifier_input(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """What the network's last linear layer sees in a plain forward; SqueezeNet's map pooled instead."""
    seen = []
    if type(net).__name__ == "SqueezeNet":
        last = net.classifier[0]  # dropout before the 1 x 1 convolution
    else:
        last = [m for m in net.modules() if isinstance(m, nn.Linear)][-1]
    handle = last.register_forward_pre_hook(lambda module, args: seen.append(args[0].clone()))
    net(x)
    handle.remove()
    return seen[0].mean((2, 3)) if seen[0].ndim == 4 else seen[0]


def shake(net: nn.Module) -> None:
    """BatchNorm and scales away from their start, where they would hide a stage left out."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.8, 1.2)
                module.weight.data.uniform_(0.5, 1.5)
        for name, p in net.named_parameters():
            if name.endswith("gamma") or "layer_scale" in name:
                p.data.uniform_(0.5, 1.0)


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda spec: spec.replace("/", "-"))
def backbone(request):
    built = load_backbone(request.param, pretrained=False, seed=1).with_input_size(NETWORKS[request.param])
    shake(built._net)
    return built


@pytest.fixture(scope="module")
def x(backbone):
    size = backbone.preprocessing.input_size
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))


def test_composition_is_the_plain_forward(backbone, x):
    net = backbone._net
    with torch.inference_mode():
        whole = backbone.forward(x)
        if backbone.architecture.library == "timm":
            plain = net.forward_head(net.forward_features(x), pre_logits=True)
            assert torch.equal(whole, plain)
        if type(net).__name__ == "SqueezeNet":
            torch.testing.assert_close(whole, classifier_input(net, x))
        else:
            assert torch.equal(whole, classifier_input(net, x))
        assert whole.shape == (2, backbone.feature_dim)
        assert whole.std() > 0

        stepwise = x
        for b, stage in enumerate(backbone.stages):
            before = stepwise.clone()
            after = backbone.forward(stepwise, start=b, stop=b + 1)
            assert torch.equal(stepwise, before), f"{stage.name} changed its input in place"
            assert tuple((*after.shape[1:], 1, 1)[:3]) == stage.output_shape
            assert torch.equal(after, backbone.forward(x, stop=stage.name))
            assert torch.equal(backbone.forward(after, start=b + 1), whole)
            stepwise = after


def test_every_parameter_before_the_classifier_is_in_one_stage(backbone):
    net = backbone._net
    paths = [path for _, steps in backbone._split.stages for path, m in steps if list(m.parameters())]
    assert len(paths) == len(set(paths))
    covered = {f"{p}.{n}" for p in paths for n, _ in net.get_submodule(p).named_parameters()}
    last = {"SqueezeNet": "classifier.1"}.get(type(net).__name__)
    last = last or [n for n, m in net.named_modules() if isinstance(m, nn.Linear)][-1]
    left_out = {
        n for n, _ in net.named_parameters() if not n.startswith(("AuxLogits.", f"{last}."))
    } - covered
    assert not left_out
    assert sum(s.parameters for s in backbone.stages) == sum(
        p.numel() for n, p in net.named_parameters() if n in covered
    )
    assert not [p for _, m in backbone._split.pool for p in m.parameters()]


def test_trainable_copy_of_every_depth(backbone, x):
    start = len(backbone.stages) // 2
    with torch.inference_mode():
        middle = backbone.forward(x, stop=start)
        tail = backbone.trainable_copy(start).eval()
        assert torch.equal(tail(middle), backbone.forward(x))
    assert all(p.requires_grad for p in tail.parameters())
    assert not any(p.requires_grad for p in backbone._net.parameters())
    own = backbone._net.state_dict()
    for name, tensor in tail.state_dict().items():
        assert torch.equal(own[name], tensor)
        assert own[name].data_ptr() != tensor.data_ptr()
    assert list(tail.modules_by_stage()) == [s.name for s in backbone.stages[start:]]


def test_raw_pixels_are_a_backbone_that_learns_nothing():
    backbone = load_backbone("pixels")
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 32, 32), np.uint8)
    expected = np.repeat(images, 3, axis=1).reshape(3, -1) / np.float32(255)
    np.testing.assert_allclose(backbone.features(images), expected, atol=1e-6)
    assert [(s.name, s.parameters, s.receptive_field) for s in backbone.stages] == [("pixels", 0, 1)]


def test_every_adapter_is_tested():
    with torch.device("meta"):
        tested = {type(Architecture(*spec.split("/")).build()) for spec in NETWORKS}
    assert tested == set(ADAPTERS) - {Pixels}


def test_unsupported_family_is_named():
    with pytest.raises(UserError, match=r"VisionTransformer.*ResNet.*ConvNeXt"):
        load_backbone("timm/vit_tiny_patch16_224", pretrained=False)


def test_a_subclass_with_another_forward_is_refused():
    class Backwards(ResNet):
        pass

    net = timm.create_model("resnet10t")
    net.__class__ = Backwards
    with pytest.raises(UserError, match="Backwards"):
        split(net)
