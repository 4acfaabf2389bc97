"""The training loop: resumed runs are bit for bit the same, frozen parts do not move, mistakes end in a sentence."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from transferlab.errors import UserError
from transferlab.training.checkpoint import load_state, save_state
from transferlab.training.devices import faster_memory_format
from transferlab.training.freezing import freeze, set_train_mode, state_hash
from transferlab.training.loop import Recipe, merged_chunks, schedule, train

GENERATOR = torch.Generator().manual_seed(0)
X = torch.rand(65, 3, 8, 8, generator=GENERATOR)
Y = (X.mean((1, 2, 3)) > X.mean()).long()


def net(seed=0):
    torch.manual_seed(seed)
    first = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3))
    return nn.Sequential(first, nn.Sequential(nn.Flatten(), nn.Linear(8 * 36, 2)))


def batch(indices, epoch, generator):
    noise = 0.01 * torch.randn(len(indices), 1, 1, 1, generator=generator)
    return X[indices] + noise, Y[indices]


def cross_entropy(module, b):
    return F.cross_entropy(module(b[0]), b[1])


def run(module, recipe, **kwargs):
    return train(module, batch, len(X), cross_entropy, recipe, device="cpu", **kwargs)


def test_last_batch_of_one_is_merged():
    seen = []

    def watch(indices, epoch, generator):
        seen.append(len(indices))
        return batch(indices, epoch, generator)

    train(net(), watch, len(X), cross_entropy, Recipe(epochs=1, batch_size=16), device="cpu")
    assert seen[-4:] == [16, 16, 16, 17]


@given(st.integers(1, 200), st.integers(2, 50))
def test_chunks_hold_everything_once_and_never_one_alone(n, size):
    chunks = merged_chunks(torch.arange(n), size)
    assert torch.cat(chunks).tolist() == list(range(n))
    assert n == 1 or min(map(len, chunks)) > 1


def test_every_process_gets_at_least_two_samples():
    chunks = merged_chunks(torch.arange(67), 16, least=4)
    assert [len(c) for c in chunks] == [16, 16, 16, 19]
    assert min(len(c[rank::2]) for c in chunks for rank in (0, 1)) >= 2


@given(st.floats(0, 1), st.floats(0, 0.5))
@settings(max_examples=200)
def test_schedule_stays_within_its_peak(done, warmup):
    assert 0 <= schedule(done, warmup) <= 1


def test_same_seed_same_weights_other_seed_other_weights():
    nets = [net() for _ in range(3)]
    for module, seed in zip(nets, (5, 5, 6), strict=True):
        run(module, Recipe(epochs=2, batch_size=16), seed=seed)
    assert state_hash(nets[0]) == state_hash(nets[1]) != state_hash(nets[2])


def test_global_random_state_is_left_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    run(net_without_seeding(), Recipe(epochs=1))
    assert torch.equal(torch.rand(1), expected)


def net_without_seeding():
    with torch.random.fork_rng():
        return net()


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("stop_after", [1, 3])
def test_interrupted_and_resumed_is_bit_for_bit_the_same(tmp_path, optimizer, stop_after):
    recipe = Recipe(epochs=5, batch_size=16, optimizer=optimizer, learning_rate=0.01, patience=3)

    def validate(module):
        return float(F.cross_entropy(module(X[:20]), Y[:20]))

    straight = net()
    expected = run(straight, recipe, validate=validate)

    def interrupt(record):
        if record["epoch"] + 1 == stop_after:
            raise KeyboardInterrupt

    file = tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        run(net(), recipe, validate=validate, checkpoint=file, on_epoch=interrupt)
    resumed = net(seed=99)  # the checkpoint decides, not what is passed in
    history = run(resumed, recipe, validate=validate, checkpoint=file)
    assert state_hash(resumed) == state_hash(straight)
    assert [r["train_loss"] for r in history.epochs] == [r["train_loss"] for r in expected.epochs]
    assert history.best_epoch == expected.best_epoch


def test_killed_process_resumes_bit_for_bit(tmp_path):
    """A real process, a real SIGKILL somewhere in the middle."""
    script = tmp_path / "job.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys, time, torch
            sys.path.insert(0, sys.argv[2])
            import test_loop as t
            from transferlab.training.freezing import state_hash
            def slow(record): time.sleep(0.4)
            module = t.net()
            t.run(module, t.Recipe(epochs=12, batch_size=16), checkpoint=sys.argv[1], on_epoch=slow)
            print(state_hash(module))
            """
        )
    )

    def start(file):
        command = [sys.executable, str(script), str(file), os.path.dirname(__file__)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    file = tmp_path / "killed.safetensors"
    job = start(file)
    deadline = time.monotonic() + 120
    while not file.exists() and job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.4)
    job.send_signal(signal.SIGKILL)
    job.communicate()
    assert job.returncode == -signal.SIGKILL
    done = len(load_state(file)[1]["history"]["epochs"])
    assert 1 <= done < 12
    resumed = start(file).communicate()[0].split()[-1]
    straight = start(tmp_path / "straight.safetensors").communicate()[0].split()[-1]
    assert resumed == straight


def test_frozen_part_keeps_parameters_and_batchnorm_statistics():
    module = net()
    freeze(module[0])
    before, head = state_hash(module[0]), state_hash(module[1])
    run(module, Recipe(epochs=1, batch_size=16))
    assert state_hash(module[0]) == before
    assert state_hash(module[1]) != head


def test_requires_grad_alone_would_not_have_been_enough():
    """The trap itself: in train mode the statistics of a frozen BatchNorm move."""
    module = net()
    module[0].requires_grad_(False)
    before = state_hash(module[0])
    module.train()
    module(X)
    assert state_hash(module[0]) != before
    set_train_mode(module)
    before = state_hash(module[0])
    module(X)
    assert state_hash(module[0]) == before


def test_early_stopping_keeps_the_best_epoch():
    losses = iter([5.0, 3.0, 1.0, 2.0, 2.5, 2.6, 9.0])  # the first is the one before training
    states = []

    def validate(module):
        states.append({k: v.clone() for k, v in module.state_dict().items()})
        return next(losses)

    module = net()
    history = run(module, Recipe(epochs=6, batch_size=16, patience=3), validate=validate)
    assert (history.best_epoch, history.stopped_early, len(history.epochs)) == (1, True, 5)
    assert all(torch.equal(v, states[2][k]) for k, v in module.state_dict().items())


def test_training_that_only_harms_leaves_the_module_as_it_was():
    module = net()
    before = state_hash(module)
    losses = iter([1.0, 3.0, 2.0, 1.5, 0.5])
    history = run(module, Recipe(epochs=6, batch_size=16, patience=3), validate=lambda m: next(losses))
    assert (history.start_loss, history.best_epoch, len(history.epochs)) == (1.0, None, 3)
    assert state_hash(module) == before


@pytest.mark.filterwarnings("ignore")
def test_nan_loss_ends_in_a_sentence():
    with pytest.raises(UserError, match="learning rate below"):
        train(
            net(), lambda i, e, g: (X[i] * float("nan"), Y[i]), len(X), cross_entropy, Recipe(), device="cpu"
        )


def test_out_of_memory_ends_in_a_sentence():
    def greedy(module, b):
        return cross_entropy(module, b) + torch.empty(2**50).sum()

    with pytest.raises(UserError, match="smaller batch size"):
        train(net(), batch, len(X), greedy, Recipe(), device="cpu")


def test_nothing_to_train_ends_in_a_sentence():
    with pytest.raises(UserError, match="nothing trains"):
        run(freeze(net()), Recipe(epochs=1))


@pytest.mark.parametrize(("recipe", "seed"), [(Recipe(epochs=2), 0), (Recipe(epochs=1), 7)])
def test_another_recipe_or_seed_refuses_the_checkpoint(tmp_path, recipe, seed):
    file = tmp_path / "run.safetensors"
    run(net(), Recipe(epochs=1), checkpoint=file)
    with pytest.raises(UserError, match="another recipe, seed"):
        run(net(), recipe, checkpoint=file, seed=seed)


def test_state_file_is_whole_or_absent(tmp_path, monkeypatch):
    import transferlab.training.checkpoint as files

    file = tmp_path / "a.safetensors"
    save_state(file, {"x": torch.ones(2)}, {"n": 1})

    def broken(tensors, path, metadata):
        with open(path, "wb") as f:
            f.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(files, "save_file", broken)
    with pytest.raises(OSError, match="disk full"):
        save_state(file, {"x": torch.zeros(2)}, {"n": 2})
    tensors, facts = load_state(file)
    assert facts == {"n": 1}
    assert tensors["x"].tolist() == [1, 1]
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_two_processes_train_one_model(tmp_path):
    """torchrun with two CPU processes: same weights in both, and the loss falls."""
    script = tmp_path / "job.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, sys, torch
            sys.path.insert(0, sys.argv[1])
            import test_loop as t
            from transferlab.training.freezing import state_hash
            torch.set_num_threads(1)
            module = t.net()
            history = t.run(module, t.Recipe(epochs=3, batch_size=8, learning_rate=0.01))
            open(f"{sys.argv[2]}/{os.environ['RANK']}", "w").write(
                f"{state_hash(module[1])} {history.epochs[0]['train_loss']} {history.epochs[-1]['train_loss']}")
            """
        )
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2"]
    command += ["--standalone", str(script), os.path.dirname(__file__), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    a, b = ((tmp_path / rank).read_text().split() for rank in "01")
    assert a == b
    assert float(a[2]) < float(a[1])


def test_memory_format_is_probed_once_and_stored(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFERLAB_CACHE", str(tmp_path))
    module = net()
    before = state_hash(module)
    chosen = faster_memory_format(module, X)
    assert state_hash(module) == before
    assert all(p.grad is None for p in module.parameters())
    file = tmp_path / "memory_format.json"
    [(key, stored)] = json.loads(file.read_text()).items()
    assert stored == chosen
    other = ({"contiguous", "channels_last"} - {chosen}).pop()
    file.write_text(json.dumps({key: other}))
    assert faster_memory_format(module, X) == other
    file.write_text("{half")
    assert faster_memory_format(module, X) in ("contiguous", "channels_last")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_gpu_learns_in_bf16():
    module = net()
    history = train(module, batch, len(X), cross_entropy, Recipe(epochs=5, learning_rate=0.01), device="cuda")
    assert history.epochs[-1]["train_loss"] < history.epochs[0]["train_loss"]
    assert next(module.parameters()).device.type == "cpu"
