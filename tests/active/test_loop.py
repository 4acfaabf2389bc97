"""The loop: what it asks, learns and keeps; killed anywhere, it ends as if it had not been."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from transferlab.active.learners import HeadLearner
from transferlab.active.loop import run_loop
from transferlab.active.oracles import Answer, HiddenLabels
from transferlab.active.rounds import open_loops
from transferlab.active.stopping import NoGain
from transferlab.data import ImageSet, SealedTest
from transferlab.errors import UserError

N, M, K = 120, 40, 3


def blobs(seed=0, spread=1.0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, K, N + M)
    return (rng.normal(size=(N + M, 5)) * spread + 2 * np.eye(K, 5)[y]), y


def make(spread=1.0, head="logistic"):
    x, y = blobs(spread=spread)
    return HeadLearner(x[:N], x[N:], K, head), y


class Counting:
    """A learner that counts its fits."""

    def __init__(self, learner):
        self.learner, self.fits = learner, 0
        self.n_unseen, self.start_features, self.key = learner.n_unseen, learner.start_features, learner.key

    def __call__(self, *given):
        self.fits += 1
        return self.learner(*given)


def same(a, b):
    assert len(a.rounds) == len(b.rounds) and a.stopped == b.stopped
    for one, other in zip(a.rounds, b.rounds, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
        np.testing.assert_array_equal(one.unseen, other.unseen)
        assert (one.asked, one.labelled, one.spent, one.note, one.held_out) == (
            other.asked, other.labelled, other.spent, other.note, other.held_out,
        )  # fmt: skip
    facts = [
        [(q.round, q.answer.position, q.answer.label, q.answer.price) for q in x.queries] for x in (a, b)
    ]
    assert facts[0] == facts[1]


@pytest.mark.parametrize("strategy", ["random", "margin", "badge", "bald"])
def test_rounds_follow_an_explicit_loop(strategy):
    from transferlab.active.strategies import query, round_seed

    learner, y = make()
    found = run_loop(learner, HiddenLabels(y[:N]), [9, 6, 6], strategy=strategy, seed=4)
    asked = np.zeros(0, np.int64)
    for number, n in enumerate([9, 6, 6]):
        fit = learner(asked, y[asked], 4) if number else None
        given = {"labelled": asked, "n": n, "seed": round_seed(4, number)}
        if number == 0 or strategy == "random":
            picks = query("random", features=np.zeros((N, 1)), **given)
        elif strategy == "margin":
            picks = query("margin", probabilities=fit.pool, **given)
        elif strategy == "bald":
            picks = query("bald", probabilities=fit.draws, **given)
        else:
            picks = query("badge", features=fit.features, probabilities=fit.pool, **given)
        np.testing.assert_array_equal(found.rounds[number].positions, picks)
        asked = np.concatenate([asked, picks])
        np.testing.assert_array_equal(found.rounds[number].unseen, learner(asked, y[asked], 4).unseen)
    assert len(set(asked.tolist())) == 21 and found.stopped == ""


def test_the_first_set_does_not_depend_on_labels():
    learner, y = make()
    other = np.random.default_rng(9).permutation(y[:N])
    first = [run_loop(learner, HiddenLabels(v), [12], first=f).rounds[0].positions.tolist()
             for f in ("random", "k-centre", "typical-then-uncertain") for v in (y[:N], other)]  # fmt: skip
    assert first[::2] == first[1::2] and first[0] != first[2] != first[4]


def test_one_look_opens_all_loops():
    learner, y = make()
    test = SealedTest(ImageSet(np.zeros((M, 1, 8, 8), np.uint8), y[N:], tuple("abc")), printing=False)
    loops = {s: run_loop(learner, HiddenLabels(y[:N]), [9, 9], strategy=s) for s in ("random", "margin")}
    right = open_loops(loops, test)
    assert test.looks == 1
    for name, loop in loops.items():
        for number, r in enumerate(loop.rounds):
            np.testing.assert_array_equal(right[name][number], r.unseen.argmax(1) == y[N:])


def test_another_picker_picks():
    learner, y = make()
    x, _ = blobs()
    weak = HeadLearner(x[:N, 3:], x[N:, 3:], K)
    crossed = run_loop(learner, HiddenLabels(y[:N]), [9, 9], picker=weak)
    own = run_loop(weak, HiddenLabels(y[:N]), [9, 9])
    np.testing.assert_array_equal(crossed.rounds[1].positions, own.rounds[1].positions)
    assert not np.array_equal(crossed.rounds[1].unseen, own.rounds[1].unseen)


def test_one_class_so_far_asks_on_and_says_so():
    learner, _ = make()
    order = np.full(N, 0)
    order[60:] = 1  # found late or early, by chance alone
    found = run_loop(
        learner, HiddenLabels(order, classes=K), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], strategy="margin", seed=1
    )
    lone = [r for r in found.rounds if r.classes_seen < 2]
    assert lone and all(r.unseen.max(1).min() == 1 for r in lone)
    assert all("1 class so far" in r.note for r in found.rounds[1 : len(lone) + 1])
    assert found.rounds[-1].classes_seen == 2 and found.rounds[-1].note == ""
    only = run_loop(learner, HiddenLabels(np.zeros(N, int), classes=K), [5, 5], strategy="margin")
    assert (only.rounds[1].unseen == np.eye(K)[0]).all()


def test_an_oracle_that_never_answers_stops_the_loop():
    learner, y = make()
    found = run_loop(learner, HiddenLabels(y[:N], abstention=1.0), [10] * 10)
    assert "abstained" in found.stopped and len(found.rounds) == 2
    assert (found.rounds[-1].unseen == 1 / K).all()
    short = run_loop(learner, HiddenLabels(y[:N], abstention=1.0), [4])
    assert "no label for 4 images" in short.stopped


def test_abstentions_are_paid_and_not_asked_again():
    learner, y = make()
    found = run_loop(
        learner, HiddenLabels(y[:N], abstention=0.5, prices=np.full(N, 2.0)), [20] * 6, strategy="margin"
    )
    asked = [q.answer.position for q in found.queries]
    assert sorted(asked) == list(range(N)) and found.rounds[-1].spent == 2 * N
    assert found.rounds[-1].labelled == sum(q.answer.label is not None for q in found.queries) < N


def test_equal_probabilities_and_equal_images_still_give_a_batch():
    learner = HeadLearner(np.ones((30, 2)), np.ones((5, 2)), 2)
    found = run_loop(learner, HiddenLabels(np.arange(30) % 2), [4, 4, 4], strategy="margin")
    assert len({q.answer.position for q in found.queries}) == 12
    np.testing.assert_allclose(found.rounds[-1].unseen.sum(1), 1)


class Wrong:
    classes = K

    def __init__(self, answers):
        self._answers = answers

    def __len__(self):
        return N

    def ask(self, positions):
        return self._answers(positions)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"batches": [100, 30]}, "120 images, fewer than the 130"),
        ({"batches": []}, "whole numbers from 1"),
        ({"batches": [5, 0]}, "whole numbers from 1"),
        ({"strategy": "best"}, "'best' is not known"),
        ({"first": "bald"}, "nothing is fitted yet"),
        ({"prices": np.ones(3)}, "120 numbers"),
        ({"oracle": Wrong(lambda p: [])}, "something else"),
        ({"oracle": Wrong(lambda p: [Answer(p[0] + 1, 0, "", "")])}, "something else"),
        ({"oracle": Wrong(lambda p: [Answer(p[0], K, "", "")])}, "none of 3 classes"),
    ],
)
def test_what_makes_no_loop_is_told(change, sentence):
    learner, y = make()
    given = {"oracle": HiddenLabels(y[:N]), "batches": [9, 9]} | change
    with pytest.raises(UserError, match=sentence):
        run_loop(learner, given.pop("oracle"), given.pop("batches"), **given)


def test_broken_off_between_any_two_answers_it_ends_the_same(tmp_path):
    learner, y = make()
    oracle = HiddenLabels(y[:N], noise=0.2, abstention=0.1)
    whole = run_loop(learner, oracle, [9, 5, 5], stopping=[NoGain(50)], folder=tmp_path / "whole")
    for stop in range(20):
        folder = tmp_path / str(stop)
        left = [stop]

        def ask(positions, left=left):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return oracle.ask(positions)

        try:
            run_loop(learner, Wrong(ask), [9, 5, 5], stopping=[NoGain(50)], folder=folder)
        except KeyboardInterrupt:
            assert (folder / "queries.csv").read_text().count("\n") == stop + 1  # no answer was lost
        same(run_loop(learner, oracle, [9, 5, 5], stopping=[NoGain(50)], folder=folder), whole)


def test_what_is_done_is_not_done_again(tmp_path):
    learner, y = make()
    first, again = Counting(learner), Counting(learner)
    never = Wrong(lambda positions: pytest.fail("asked again"))
    a = run_loop(first, HiddenLabels(y[:N]), [9, 5, 5], folder=tmp_path)
    b = run_loop(again, never, [9, 5, 5], folder=tmp_path)
    same(a, b)
    assert (first.fits, again.fits) == (3, 0)


def test_a_line_cut_short_is_asked_again(tmp_path):
    learner, y = make()
    oracle = HiddenLabels(y[:N])
    whole = run_loop(learner, oracle, [9, 5], folder=tmp_path)
    log = tmp_path / "queries.csv"
    text = log.read_bytes()
    (tmp_path / "round-0001.npz").unlink()
    for cut in range(1, 60, 7):
        log.write_bytes(text[:-cut])
        same(run_loop(learner, oracle, [9, 5], folder=tmp_path), whole)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"seed": 1}, "seed differs"),
        ({"strategy": "random"}, "strategy differs"),
        ({"batches": [9, 4]}, "other batches"),
        ({"batches": [8, 5]}, "other batches"),
        ({"batches": [9]}, "other batches"),
    ],
)
def test_another_loop_is_refused_and_nothing_changes(tmp_path, change, sentence):
    learner, y = make()
    run_loop(learner, HiddenLabels(y[:N]), [9, 5], folder=tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    given = {"batches": [9, 5]} | change
    with pytest.raises(UserError, match=sentence):
        run_loop(learner, HiddenLabels(y[:N]), given.pop("batches"), folder=tmp_path, **given)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "spoil, sentence",
    [
        (lambda t: t + t.splitlines(keepends=True)[-1], "an image twice"),
        (lambda t: t.replace("round,", "runde,"), "not one that a loop wrote"),
        (lambda t: "\n".join(t.splitlines()[:4]) + "\n0,x,1,a,b,1.0\n", "not one that a loop wrote"),
    ],
)
def test_a_log_changed_by_hand_is_told(tmp_path, spoil, sentence):
    learner, y = make()
    run_loop(learner, HiddenLabels(y[:N]), [9, 5], folder=tmp_path)
    log = tmp_path / "queries.csv"
    log.write_text(spoil(log.read_text()))
    with pytest.raises(UserError, match=sentence):
        run_loop(learner, HiddenLabels(y[:N]), [9, 5], folder=tmp_path)


SCRIPT = """
    import os, signal, sys
    from tests.active.test_loop import resumed
    from transferlab.active import query_log

    def killed_at(kill_at, folder):
        seen = 0
        def counted(real):
            def call(*given):
                nonlocal seen
                seen += 1
                if seen == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*given)
            return call
        os.fsync = counted(os.fsync)        # a line is written and not yet on disk
        os.replace = counted(os.replace)    # a file is written and not yet in place
        resumed(folder)

    for folder, *points in (line.split() for line in sys.argv[1:]):
        for kill_at in map(int, points):
            child = os.fork()
            if not child:
                killed_at(kill_at, folder)
                os._exit(0)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def resumed(folder=None):
    learner, y = make()
    return run_loop(learner, HiddenLabels(y[:N], noise=0.2), [6, 4, 4], stopping=[NoGain(50)], folder=folder)


def test_killed_at_any_point_a_process_ends_as_an_unbroken_one(tmp_path):
    whole = resumed()
    alone = [
        f"{tmp_path / str(point)} {point}" for point in range(1, 22)
    ]  # each point in a folder of its own
    in_turn = f"{tmp_path / 'turn'} 1 2 4 7 2 3"  # and processes that go on where the one before was killed
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), *alone, in_turn],
        capture_output=True,
        text=True,
        check=True,
    )
    codes = list(map(int, run.stdout.split()))
    assert set(codes) <= {0, -9} and codes[:10] == [-9] * 10 and codes.count(-9) >= 13
    for folder in tmp_path.iterdir():
        same(resumed(folder), whole)
