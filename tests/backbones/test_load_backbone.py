"""Names and weights files, good, damaged and hostile."""

import json
import pickle
import socket

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from transferlab.backbones import (
    Architecture,
    backbone_card,
    bundled_names,
    load_backbone,
    random_backbone,
    read_tensors,
    write_weights,
)
from transferlab.errors import UserError


def one_sentence(error) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert text.endswith((".", "?"))
    return text


def test_file_gives_its_weights_as_float32(small_file, tiny_description):
    backbone = load_backbone(small_file)
    stored = read_tensors(small_file)
    assert stored["conv1.weight"].dtype == torch.float16
    own = backbone._net.state_dict()
    assert own["conv1.weight"].dtype == torch.float32
    assert torch.equal(own["conv1.weight"], stored["conv1.weight"].float())
    assert (backbone.name, backbone.classes, backbone.card) == (
        "small",
        ("a", "b", "c"),
        tiny_description["card"],
    )
    assert load_backbone(small_file, pretrained=False, seed=9).digest != backbone.digest


def edit(path, **changes):
    place = path.with_suffix(".json")
    described = json.loads(place.read_text()) | changes
    place.write_text(json.dumps({k: v for k, v in described.items() if v != "drop"}))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"mean": "drop"}, "mean"),
        ({"std": [1, 2]}, "std"),
        ({"std": [0, 1, 1]}, "std"),
        ({"input_size": 0}, "input_size"),
        ({"interpolation": "lanczos"}, "interpolation"),
        ({"library": "os"}, "library"),
        ({"architecture": "huge"}, "huge"),
        ({"kwargs": {"channels": [8, 16], "layers": [1]}}, "channels"),
        ({"kwargs": {"checkpoint_path": "evil.pth"}}, "checkpoint_path"),
        ({"kwargs": {"nonsense": 1}}, "nonsense"),
        ({"kwargs": {"channels": [8, 8, 16, 16], "layers": [1, 1, 1, 1], "num_classes": 4}}, "fc.bias"),
        ({"kwargs": {"channels": [8, 8, 16, 16], "layers": [1, 2, 1, 1], "num_classes": 3}}, "missing"),
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"library": "timm", "architecture": "hf-hub:someone/net", "kwargs": {}}, "hf-hub"),
        ({"library": "timm", "architecture": "resnett18", "kwargs": {}}, "resnet18"),
        ({"library": "torchvision", "architecture": "fcn_resnet50", "kwargs": {}}, "fcn_resnet50"),
    ],
)
def test_wrong_descriptions_are_named(small_file, changes, named):
    edit(small_file, **changes)
    with pytest.raises(UserError) as error:
        load_backbone(small_file)
    assert named in one_sentence(error)


def test_damaged_files(small_file, tmp_path):
    whole = small_file.read_bytes()
    small_file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="SHA-256"):
        load_backbone(small_file)
    edit(small_file, sha256="drop")
    with pytest.raises(UserError, match="not a whole safetensors file"):
        load_backbone(small_file)
    small_file.with_suffix(".json").write_text("{")
    with pytest.raises(UserError, match="cannot be read as JSON"):
        load_backbone(small_file)
    small_file.with_suffix(".json").unlink()
    with pytest.raises(UserError, match=r"has no small\.json beside it"):
        load_backbone(small_file)
    with pytest.raises(UserError, match="there is no weights file"):
        load_backbone(tmp_path / "absent.safetensors")


class Trap:
    sprung = False

    def __reduce__(self):
        return (setattr, (Trap, "sprung", True))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("suffix", [".pt", ".pth"])
def test_pickles_are_never_run(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UserError) as error:
        load_backbone(path)
    assert "convert" in one_sentence(error)
    assert "safetensors" in str(error.value)
    torch.save(Trap(), path)
    with pytest.raises(UserError, match="convert"):
        load_backbone(path)
    assert not Trap.sprung


def test_a_pickle_of_tensors_alone_is_read(small_file, tiny_description):
    path = small_file.with_name("net.pth")
    torch.save({"state_dict": read_tensors(small_file)}, path)
    path.with_suffix(".json").write_text(json.dumps(tiny_description))
    assert load_backbone(path).weights_digest == load_backbone(small_file).weights_digest


@pytest.mark.parametrize("spec", ["nothing", "", "timm/", "timm/resnett18", "torchvision/nothing", "../tiny"])
def test_unknown_names(bundled_file, spec):
    with pytest.raises(UserError) as error:
        load_backbone(spec)
    one_sentence(error)


def test_unknown_name_lists_the_bundled(bundled_file):
    with pytest.raises(UserError, match=bundled_file.stem):
        load_backbone("nothing")


@pytest.mark.parametrize("spec", ["timm/resnet10t", "torchvision/squeezenet1_1"])
def test_without_a_network_one_sentence(bundled_file, monkeypatch, tmp_path, spec):
    def no_network(*args, **kwargs):
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    with pytest.raises(UserError) as error:
        load_backbone(spec)
    assert f"{bundled_file.stem} (bundled)" in one_sentence(error)
    assert spec in str(error.value)
    assert load_backbone(spec, pretrained=False).feature_dim == 512


def test_bundled_network_by_name_and_through_timm(bundled_file, tiny_description):
    name = bundled_file.stem
    timm_name = "transferlab_" + name.replace("-", "_")
    assert bundled_names() == [name]
    assert backbone_card(name) == tiny_description["card"]
    backbone = load_backbone(name)
    net = timm.create_model(timm_name, pretrained=True).eval()
    assert next(net.parameters()).dtype == torch.float32
    assert net.num_classes == 3
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32), dtype=np.uint8)
    x = backbone.preprocess(images)
    with torch.inference_mode():
        assert torch.equal(net.forward_head(net.forward_features(x), pre_logits=True), backbone.forward(x))
    config = timm.data.resolve_model_data_config(net)
    assert (config["mean"], config["std"]) == (backbone.preprocessing.mean, backbone.preprocessing.std)
    maps = timm.create_model(timm_name, features_only=True)(x)
    assert [m.shape[-1] for m in maps] == [16, 16, 8, 4, 2]
    assert timm.create_model(timm_name, pretrained=True, num_classes=7).fc.out_features == 7
    with pytest.raises(UserError, match=name):
        backbone_card("absent")


def test_changed_bundled_weights_are_not_loaded(bundled_file):
    state = read_tensors(bundled_file)
    state["conv1.weight"][0, 0, 0, 0] += 1
    save_file(state, bundled_file)
    with pytest.raises(UserError, match="SHA-256"):
        load_backbone(bundled_file.stem)
    with pytest.raises(UserError, match="SHA-256"):
        timm.create_model(f"transferlab_{bundled_file.stem}".replace("-", "_"), pretrained=True)


def test_untrained_weights_follow_the_seed():
    one, same, other = (load_backbone("timm/resnet10t", pretrained=False, seed=s) for s in (1, 1, 2))
    assert one.digest == same.digest != other.digest
    assert random_backbone(other, 1).digest == one.digest


def test_weights_are_written_whole_or_not_at_all(small_file, tmp_path, monkeypatch, tiny_description):
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(*args, **kwargs):
        raise OSError("no space left")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match="no space"):
        write_weights(small_file, {"a": torch.zeros(1)}, tiny_description)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    with pytest.raises(UserError, match="safetensors"):
        write_weights(tmp_path / "net.pth", {}, tiny_description)


def test_unknown_library():
    with pytest.raises(UserError, match="torchvision"):
        Architecture("keras", "resnet").build()
