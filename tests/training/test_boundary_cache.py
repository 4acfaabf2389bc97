"""What is frozen is computed once, and gives the predictions of the uncached run."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.backbones import Architecture, Backbone, Preprocessing
from transferlab.data import load_task
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache, Views, agreement, prune
from transferlab.transfer import FeatureExtraction, FineTuning

ARCHITECTURE = Architecture(
    "transferlab", "small_resnet", {"channels": [8, 16, 16, 24], "layers": [1, 1, 1, 1]}
)


def make_backbone(seed=0, size=32):
    return Backbone(
        ARCHITECTURE.build(seed), ARCHITECTURE, Preprocessing((0.5,) * 3, (0.25,) * 3, size), "small"
    )


BACKBONE = make_backbone()
IMAGES = np.random.default_rng(0).integers(0, 256, (30, 3, 32, 32), np.uint8)


def uncached(backbone, boundary, images):
    stop = None if boundary == len(backbone.stages) else boundary
    with torch.inference_mode():
        return backbone.forward(backbone.preprocess(images), 0, stop)


@pytest.mark.parametrize("boundary", range(6))
def test_rows_equal_the_uncached_forward(boundary):
    rows = BoundaryCache().activations(BACKBONE, boundary, IMAGES, device="cpu")
    torch.testing.assert_close(rows.all(), uncached(BACKBONE, boundary, IMAGES), atol=1e-5, rtol=1e-4)


@given(st.lists(st.lists(st.integers(0, 29), min_size=1, max_size=12), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_any_subsets_in_any_order_are_computed_once(subsets):
    cache = BoundaryCache()
    truth = uncached(BACKBONE, 5, IMAGES)
    for subset in subsets:
        rows = cache.activations(BACKBONE, 5, IMAGES[subset], device="cpu")
        torch.testing.assert_close(rows.all(), truth[subset], atol=1e-5, rtol=1e-4)
    assert cache.computed == len({i for subset in subsets for i in subset})


def test_other_weights_boundary_size_or_pixels_are_other_rows():
    cache = BoundaryCache()
    for backbone, boundary, images in (
        (BACKBONE, 4, IMAGES),
        (make_backbone(1), 4, IMAGES),
        (BACKBONE.with_input_size(64), 4, IMAGES),
        (BACKBONE, 3, IMAGES),
        (BACKBONE, 4, 255 - IMAGES),
    ):
        before = cache.computed
        cache.activations(backbone, boundary, images, device="cpu")
        assert cache.computed == before + len(IMAGES)
    cache.activations(make_backbone(0), 4, IMAGES, device="cpu")  # equal weights in another object
    assert cache.computed == before + len(IMAGES)


def test_preprocessed_images_do_not_depend_on_the_weights():
    cache = BoundaryCache()
    for seed in range(3):
        cache.activations(make_backbone(seed), 0, IMAGES, device="cpu")
    assert cache.computed == len(IMAGES)


def test_beyond_the_budget_rows_are_memory_mapped_and_the_same(tmp_path):
    small, large = BoundaryCache(memory_budget=1), BoundaryCache()
    one, two = (c.activations(BACKBONE, 3, IMAGES, device="cpu") for c in (small, large))
    assert small.in_memory == 0 < large.in_memory
    assert all(isinstance(b, np.memmap) for b in one._blocks)
    assert torch.equal(one.all(), two.all())
    folder = small.overflow
    assert list(folder.glob("*.npy"))
    del one, small
    assert not folder.exists()


def test_a_folder_is_shared_with_later_runs(tmp_path):
    first = BoundaryCache(folder=tmp_path).activations(BACKBONE, 5, IMAGES[:20], device="cpu").all()
    later = BoundaryCache(folder=tmp_path)
    rows = later.activations(BACKBONE, 5, IMAGES, device="cpu")
    assert (later.computed, later.reused) == (10, 20)
    assert torch.equal(rows.all()[:20], first)


def test_preprocessed_images_are_never_kept_for_later(tmp_path):
    """What lies before the first stage is the picture itself."""
    cache = BoundaryCache(folder=tmp_path, memory_budget=1)
    cache.activations(BACKBONE, 0, IMAGES, device="cpu")
    assert not list(tmp_path.iterdir())
    cache.activations(BACKBONE, 1, IMAGES, device="cpu")
    assert list(tmp_path.iterdir())


def test_a_full_disk_budget_is_kept_while_writing(tmp_path):
    cache = BoundaryCache(folder=tmp_path, disk_budget=3000)
    for i in range(0, 30, 5):
        cache.activations(BACKBONE, 5, IMAGES[i : i + 5], device="cpu")
        assert sum(p.stat().st_size for p in tmp_path.glob("*.npy")) <= 3000
    assert list(tmp_path.glob("*.npy"))


def test_old_blocks_go_when_the_disk_budget_is_spent(tmp_path):
    cache = BoundaryCache(folder=tmp_path)
    cache.activations(BACKBONE, 5, IMAGES, device="cpu")
    assert len(list(tmp_path.iterdir())) == 2
    prune(tmp_path, 10)
    assert not list(tmp_path.iterdir())


def test_half_precision_is_only_taken_when_asked_and_agreement_is_measured():
    full, half = (
        BoundaryCache(dtype=d).activations(BACKBONE, 4, IMAGES, device="cpu").all()
        for d in ("float32", "float16")
    )
    assert not torch.equal(full, half)
    torch.testing.assert_close(full, half, rtol=2e-3, atol=1e-3)
    assert agreement(full.mean((2, 3)).numpy(), half.mean((2, 3)).numpy()) > 0.9
    assert agreement(np.eye(2), np.eye(2)[::-1]) == 0
    with pytest.raises(UserError, match="float32 or float16"):
        BoundaryCache(dtype="int8")


def test_views_differ_repeat_and_do_not_depend_on_order():
    views = Views(3, 0.8, True, seed=4)
    rows = BoundaryCache().activations(BACKBONE, 0, IMAGES, views=views, device="cpu")
    again = BoundaryCache().activations(BACKBONE, 0, IMAGES[::-1], views=views, device="cpu")
    assert rows.views == 3
    assert not torch.equal(rows.all(0), rows.all(1))
    for view in range(3):
        assert torch.equal(rows.all(view), again.all(view).flip(0))


def test_tuned_model_on_the_cache_predicts_as_the_whole_network():
    """Predictions through cached activations against a plain forward of the tuned network on pixels."""
    task = load_task("materials", labels_per_class=5)
    model = FineTuning(BACKBONE, trainable_from="layer3", epochs=3, device="cpu").fit(task.train)
    with torch.inference_mode():
        prefix = BACKBONE.forward(BACKBONE.preprocess(task.test.images), 0, model.boundary_)
        plain = model.module_(prefix).softmax(1).numpy()
    np.testing.assert_allclose(model.predict_proba(task.test.images), plain, atol=1e-5)


def test_seeds_heads_and_label_budgets_share_one_computation():
    task = load_task("materials", labels_per_class=20)
    cache = BoundaryCache()
    for seed in (0, 1):
        for budget in (5, 20):
            for head in ("logistic", "ridge"):
                drawn = task.draw(budget, seed)
                FeatureExtraction(BACKBONE, head=head, cache=cache).fit(drawn.train).predict(drawn.validation)
    seen = {
        im.tobytes()
        for seed in (0, 1)
        for budget in (5, 20)
        for part in (task.draw(budget, seed).train, task.draw(budget, seed).validation)
        for im in part.images
    }
    assert cache.computed == len(seen)
