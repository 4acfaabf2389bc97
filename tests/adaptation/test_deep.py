"""Deep methods on real pictures with a small network: what they may see, keep and refuse."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from transferlab.adaptation.adversarial import CDAN, DANN
from transferlab.adaptation.batchnorm import collect_statistics, statistics, use_statistics
from transferlab.adaptation.deep_base import DeepSourceOnly
from transferlab.adaptation.deep_joint import DAN, MCC, DeepCORAL
from transferlab.adaptation.m3sda import M3SDA
from transferlab.adaptation.pseudo_labels import PseudoLabels, surest
from transferlab.adaptation.shot import SHOT, nearest_centroids
from transferlab.adaptation.source_free import AdaBN
from transferlab.adaptation.tent import TENT
from transferlab.backbones import Architecture, Backbone, Preprocessing
from transferlab.data import ImageSet
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache

JOINT = (DAN, DeepCORAL, MCC, DANN, CDAN)
SOURCE_FREE = (AdaBN, SHOT, PseudoLabels, TENT)
FAST = {"source_epochs": 25, "epochs": 1, "learning_rate": 3e-3, "device": "cpu"}


@pytest.fixture(scope="module")
def backbone():
    kwargs = {"channels": [8, 16, 16, 24], "layers": [1, 1, 1, 1], "num_classes": 5}
    architecture = Architecture("transferlab", "small_resnet", kwargs)
    return Backbone(architecture.build(0), architecture, Preprocessing((0.5,) * 3, (0.25,) * 3, 32), "small")


@pytest.fixture(scope="module")
def source():
    printed = load_bundled("printed-digits").development
    return printed[np.flatnonzero(np.isin(printed.labels, (0, 1, 7)))[::5]]


@pytest.fixture(scope="module")
def target():
    written = load_bundled("digits").development
    return written[np.flatnonzero(np.isin(written.labels, (0, 1, 7)))[::2]]


@pytest.fixture(scope="module")
def started(backbone, source):
    return DeepSourceOnly(backbone, **FAST, random_state=3).fit(source, None, source)


@pytest.mark.parametrize("method", JOINT + SOURCE_FREE)
def test_target_labels_change_nothing(method, backbone, source, target, started):
    """The same images with their labels, with wrong labels and with none give the same answers."""
    wrong = ImageSet(target.images, (target.labels + 1) % 10, target.classes)
    answers = [
        method(backbone, **FAST, random_state=3).fit(source, None, given, start=started).predict_proba(target)
        for given in (target, wrong, target.without_labels())
    ]
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[0], answers[2])


@pytest.mark.parametrize("method", JOINT + SOURCE_FREE)
def test_settings_survive_a_clone_and_a_fit(method, backbone, source, target):
    model = method(backbone, **FAST | {"learning_rate": 2e-3}, random_state=5)
    before = model.get_params()
    copied = clone(model)
    assert copied.get_params() == before
    assert {"learning_rate", "resolution", "augmentation", "backbone"} <= before.keys()
    copied.fit(source, None, target)
    assert copied.get_params() == before
    assert copied.predict_proba(target.images[:3]).shape == (3, 10)
    assert copied.transform(target[:4]).shape == (4, backbone.feature_dim)
    with pytest.raises(TypeError, match="no_such"):
        method(backbone, no_such=1)


@pytest.mark.parametrize("method", [m for m in JOINT if m not in (DANN, CDAN)])
def test_the_loss_between_domains_counts_from_the_first_epoch(method, backbone, source, target, started):
    answers = [
        method(backbone, weight=weight, **FAST, random_state=3)
        .fit(source, None, target, start=started)
        .predict_proba(target)
        for weight in (0.0, 50.0)
    ]
    assert np.abs(answers[0] - answers[1]).max() > 0.01


@pytest.mark.parametrize("method", [SHOT, PseudoLabels, TENT])
def test_an_adapted_network_has_its_own_statistics_of_the_source(method, backbone, source, target):
    """With those of the network before, accuracy on the source falls for no reason of the method's."""
    model = method(backbone, **FAST | {"epochs": 4}, random_state=3).fit(source, None, target)
    kept = model.predict_proba(source, domain="source")
    model._measure("source", source.images)
    assert np.allclose(model.predict_proba(source, domain="source"), kept, atol=1e-6)
    alone = model.adapt(target)
    with pytest.raises(UserError, match="adapted without the source at hand"):
        alone.predict_proba(source, domain="source")


def test_the_backbone_given_is_never_changed(backbone, source, target):
    before = backbone.weights_digest
    SHOT(backbone, rounds=1, **FAST).fit(source, None, target)
    fresh = Backbone(backbone._net, backbone.architecture, backbone.preprocessing, "again")
    assert fresh.weights_digest == before


def test_a_started_method_equals_one_that_trained_on_the_source_itself(backbone, source, target, started):
    alone = AdaBN(backbone, **FAST, random_state=3).fit(source, None, target)
    taken = AdaBN(backbone, **FAST, random_state=3).fit(source, None, target, start=started)
    later = AdaBN(backbone, **FAST, random_state=3).adapt(target, start=started)
    assert np.array_equal(alone.predict_proba(target), taken.predict_proba(target))
    assert np.array_equal(alone.predict_proba(target), later.predict_proba(target))


def test_adapting_twice_starts_from_the_source_each_time(backbone, source, target):
    model = SHOT(backbone, rounds=1, **FAST).fit(source)
    once = model.adapt(target).predict_proba(target)
    model.adapt(ImageSet(255 - target.images, None, target.classes))
    assert np.array_equal(model.adapt(target).predict_proba(target), once)


def test_adabn_changes_statistics_and_no_weight(backbone, source, target):
    model = AdaBN(backbone, **FAST).fit(source)
    weights = {k: v.clone() for k, v in model.module_.named_parameters()}
    before = model.predict_proba(source, domain="source")
    model.adapt(target)
    assert all(torch.equal(v, weights[k]) for k, v in model.module_.named_parameters())
    kept, new = model.statistics_["source"], model.statistics_["target"]
    assert any(not torch.equal(kept[k], new[k]) for k in kept)
    assert np.array_equal(model.predict_proba(source, domain="source"), before)
    assert not np.array_equal(model.predict_proba(source, domain="target"), before)


def test_collected_statistics_are_those_of_all_rows_at_once():
    module = torch.nn.Sequential(torch.nn.BatchNorm1d(3))
    x = torch.randn(256, 3, generator=torch.Generator().manual_seed(0)) * 4 + 2
    ordered = x[x[:, 0].argsort()]  # as a folder lists its classes: batches in this order vary too little
    collect_statistics(module, _AsRows(ordered), batch_size=64)
    assert torch.allclose(module[0].running_mean, x.mean(0), atol=1e-5)
    assert torch.allclose(module[0].running_var, x.var(0), rtol=0.05)
    assert not module[0].training
    assert module[0].momentum == 0.1
    kept = statistics(module)
    collect_statistics(module, _AsRows(ordered * 2))
    use_statistics(module, kept)
    assert torch.allclose(module[0].running_mean, x.mean(0), atol=1e-5)


class _AsRows:
    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def __getitem__(self, indices):
        return self.x[indices]


def collapse(model, target):
    """Share of the commonest answer."""
    return float(np.bincount(model.predict(target)).max() / len(target))


def test_tent_collapses_without_its_guard(backbone):
    """Entropy alone is least where all images get one answer; the guard keeps classes in use."""
    source, target = load_bundled("printed-digits").development[::5], load_bundled("digits").development[::2]
    start = AdaBN(backbone, **FAST, random_state=3).fit(source, None, target)
    hard = {"epochs": 20, "learning_rate": 0.03, "batch_size": 8, "device": "cpu", "random_state": 3}
    free, guarded = (
        TENT(backbone, guard=guard, **hard).fit(source, None, target, start=start) for guard in (False, True)
    )
    assert collapse(free, target) > 0.6
    assert free.score(target) < start.score(target) - 0.2
    assert collapse(guarded, target) < 0.4
    assert guarded.score(target) > free.score(target) + 0.2
    assert guarded.history_["tent"].stopped_early


def test_tent_trains_scales_and_shifts_alone(backbone, source, target, started):
    model = TENT(backbone, **FAST, guard=False).fit(source, None, target, start=started)
    changed = {k for k, v in model.module_.state_dict().items() if not torch.equal(v, model.source_state_[k])}
    affine = {k for k in changed if "running" not in k and "num_batches" not in k}
    norms = {name for name, part in model.module_.named_modules() if isinstance(part, torch.nn.BatchNorm2d)}
    assert affine
    assert all(k.rpartition(".")[0] in norms for k in affine)


def test_shot_keeps_the_source_s_head(backbone, source, target, started):
    model = SHOT(backbone, **FAST, rounds=1).fit(source, None, target, start=started)
    assert torch.equal(model.module_.head.weight, started.source_state_["head.weight"])
    assert not torch.equal(next(model.module_.body.parameters()), next(iter(started.source_state_.values())))


def test_an_empty_class_keeps_its_centroid():
    features = torch.tensor([[1.0, 0], [0.9, 0.1], [0, 1]])
    probabilities = torch.tensor([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    assert nearest_centroids(features, probabilities, turns=5).isfinite().all()


def test_the_surest_share_of_each_class_is_taken():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), 200)
    picks = surest(p, 0.25)
    guessed = p.argmax(1)
    for c in range(4):
        members, taken = np.flatnonzero(guessed == c), picks[guessed[picks] == c]
        assert len(taken) == round(0.25 * len(members))
        left = np.setdiff1d(members, taken)
        assert p[taken].max(1).min() >= p[left].max(1).max()


def test_the_discriminator_s_accuracy_is_told_for_every_epoch(backbone, source, target, started):
    model = DANN(backbone, **FAST | {"epochs": 3}).fit(source, None, target, start=started)
    assert len(model.domain_accuracy_) == 3
    assert all(0 <= a <= 1 for a in model.domain_accuracy_)


def test_a_few_target_labels_are_learned(backbone, source, target, started):
    wrong = (target.labels + 1) % 3  # a mapping that nothing but these labels teaches
    for method in (SHOT, MCC):
        model = method(backbone, **FAST | {"epochs": 12}, random_state=3)
        model.fit(
            source,
            None,
            target,
            X_target_labelled=target.images,
            y_target_labelled=wrong,
            start=started,
        )
        plain = method(backbone, **FAST | {"epochs": 12}, random_state=3).fit(
            source, None, target, start=started
        )
        assert (model.predict(target) == wrong).mean() > (plain.predict(target) == wrong).mean() + 0.2


def test_frozen_stages_run_once(backbone, source, target):
    cache = BoundaryCache()
    settings = FAST | {"trainable_from": 2, "augmentation": 0.0, "cache": cache}
    start = DeepSourceOnly(backbone, **settings).fit(source, None, target)
    SHOT(backbone, **settings).fit(source, None, target, start=start)
    DANN(backbone, **settings).fit(source, None, target, start=start)
    assert cache.computed == len(source) + len(target)
    with pytest.raises(UserError, match="no stage is left"):
        DANN(backbone, trainable_from=5).fit(source, None, target)


def test_a_fit_goes_on_after_a_kill(backbone, source, target, tmp_path):
    class Killed(Exception):
        pass

    def kill(record):
        if record["phase"] == "round 2":
            raise Killed

    settings = FAST | {"rounds": 3, "random_state": 1}
    whole = SHOT(backbone, **settings).fit(source, None, target)
    with pytest.raises(Killed):
        SHOT(backbone, **settings, checkpoint=tmp_path, on_epoch=kill).fit(source, None, target)
    seen = []
    again = SHOT(backbone, **settings, checkpoint=tmp_path, on_epoch=lambda r: seen.append(r["phase"]))
    again.fit(source, None, target)
    assert np.array_equal(again.predict_proba(target), whole.predict_proba(target))
    assert seen == ["round 3"]


def test_one_bad_source_does_not_sink_m3sda(backbone, source, target):
    names = np.random.default_rng(0).choice(["a", "b", "bad"], len(source))
    labels = np.where(names == "bad", (source.labels * 3 + 1) % 10, source.labels)
    labels = np.where(np.isin(labels, (0, 1, 7)), labels, 0)
    model = M3SDA(backbone, **FAST | {"epochs": 15}, random_state=1)
    model.fit(source, labels, target, source_domain=names)
    assert sum(model.head_weights_.values()) == pytest.approx(1)
    assert model.head_weights_["bad"] == min(model.head_weights_.values())
    assert model.head_weights_["bad"] < 0.2
    copied = copy.deepcopy(model)
    assert np.array_equal(copied.predict_proba(target), model.predict_proba(target))
    few = {"X_target_labelled": target.images, "y_target_labelled": (target.labels + 1) % 3}
    taught = clone(model).set_params(epochs=30).fit(source, labels, target, source_domain=names, **few)
    wrong = few["y_target_labelled"]
    assert (taught.predict(target) == wrong).mean() > (model.predict(target) == wrong).mean() + 0.2
    untrained = clone(model).set_params(on_epoch=_nothing_is_trained)
    with pytest.raises(UserError, match="source_domain is missing"):
        untrained.fit(source, None, target)
    with pytest.raises(UserError, match="there is one source"):
        untrained.fit(source, None, target, source_domain=np.full(len(source), "a"))


@pytest.mark.parametrize("method", [SHOT, DANN])
def test_bad_input_is_named_before_anything_is_trained(method, backbone, source, target, started):
    model = method(backbone, on_epoch=lambda record: pytest.fail("something was trained"), **FAST)
    same = ImageSet(np.repeat(target.images[:1], 5, 0), None, target.classes)
    other = ImageSet(target.images, None, ("cat", "dog"))
    cases = [
        ((source.without_labels(), None, target), "y_source is missing"),
        ((source, None, target[:1]), "X_target has 1 image, which show"),
        ((source, None, same), "all images of X_target are the same"),
        ((source, None, other), "name different classes"),
        ((source, target, source.labels), "y_source takes labels, not images; the order is"),
        ((source, source.labels[:5], target), r"y_source has 5 labels for \d+ samples"),
        ((source, np.zeros(len(source), int), target), "one class alone"),
        ((source.images.astype(float), source.labels, target), "uint8 array"),
        ((source, None, np.zeros((4, 64))), "X_target must be an ImageSet"),
    ]
    for arguments, sentence in cases:
        with pytest.raises(UserError, match=sentence):
            model.fit(*arguments)
    with pytest.raises(UserError, match="belong together"):
        model.fit(source, None, target, X_target_labelled=target.images)
    with pytest.raises(UserError, match="none of the source's 10 classes"):
        model.fit(source, None, target, X_target_labelled=target.images[:2], y_target_labelled=[1, 11])
    with pytest.raises(NotFittedError, match="call fit first"):
        method(backbone).predict(target)
    if method is DANN:
        with pytest.raises(UserError, match="X_target is missing"):
            model.fit(source)
    with pytest.raises(UserError, match="another backbone"):
        method("tiny").fit(source, None, target, start=started)
    with pytest.raises(UserError, match="domain 'print' is not known"):
        started.predict_proba(target, domain="print")
    swapped = ImageSet(target.images, target.labels, target.classes[::-1])
    with pytest.raises(UserError, match="they stand in another order"):
        model.fit(source, None, target, X_target_labelled=swapped)
    with pytest.raises(UserError, match="there are no labels to score by"):
        started.score(target.without_labels())
    for settings, sentence in (
        ({"batch_size": 0}, "batch_size is 0, but has to be a whole number of at least 2"),
        ({"epochs": -1}, "epochs is -1"),
        ({"random_state": None}, "random_state is None"),
        ({"learning_rate": 0}, "learning_rate is 0, but has to be a number above 0"),
        ({"augmentation": 2.0}, "augmentation is 2.0"),
        (
            {"weight": -1.0} if method is DANN else {"rounds": 0},
            "weight is -1.0" if method is DANN else "rounds is 0",
        ),
    ):
        with pytest.raises(UserError, match=sentence):
            clone(model).set_params(**settings).fit(source, None, target)


def test_adapting_checks_what_fitting_checks(backbone, source, target):
    model = SHOT(backbone, **FAST).fit(source)
    before = model.predict_proba(source, domain="source")
    for given, sentence in (
        (ImageSet(target.images, None, ("cat", "dog")), "name different classes"),
        (target[:1], "X_target has 1 image"),
        (None, "X_target is missing"),
    ):
        with pytest.raises(UserError, match=sentence):
            model.adapt(given)
    assert np.array_equal(model.predict_proba(source, domain="source"), before)


def test_phases_of_an_earlier_fit_are_forgotten(backbone, source, target):
    model = SHOT(backbone, rounds=3, **FAST).fit(source, None, target)
    assert set(model.history_) == {"source", "round 1", "round 2", "round 3"}
    assert set(model.set_params(rounds=1).fit(source, None, target).history_) == {"source", "round 1"}


def _nothing_is_trained(record):
    pytest.fail("something was trained")


def test_methods_of_batchnorm_refuse_a_network_without_any(source, target):
    from transferlab.backbones import load_backbone

    plain = load_backbone("torchvision/squeezenet1_0", pretrained=False).with_input_size(32)
    for method in (AdaBN, TENT):
        with pytest.raises(UserError, match="has no BatchNorm"):
            method(plain, on_epoch=_nothing_is_trained).fit(source[:8], None, target[:8])
    for method in (AdaBN, TENT):
        with pytest.raises(UserError, match="learns from no labels"):
            method("tiny", on_epoch=_nothing_is_trained).fit(
                source[:8],
                None,
                target[:8],
                X_target_labelled=target.images[:2],
                y_target_labelled=target.labels[:2],
            )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("method", [SHOT, CDAN])
def test_adapts_on_a_gpu(method, backbone, source, target):
    model = method(backbone, **FAST | {"device": "cuda"}).fit(source, None, target)
    assert np.isfinite(model.predict_proba(target)).all()
    assert model.transform(target).shape == (len(target), backbone.feature_dim)
