"""Source-free and test-time methods: what moves, what stays, and what becomes of TENT without its guard."""

import numpy as np
import pytest
import torch

from transferlab.adaptation import SHOT, TENT, AdaBN, PseudoLabels
from transferlab.adaptation.batchnorm import collect_statistics, statistics, use_statistics
from transferlab.adaptation.pseudo_labels import surest
from transferlab.adaptation.shot import nearest_centroids
from transferlab.data import ImageSet
from transferlab.data.bundled import load_bundled
from transferlab.errors import UserError

FAST = {"source_epochs": 25, "epochs": 1, "learning_rate": 3e-3, "device": "cpu"}


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
