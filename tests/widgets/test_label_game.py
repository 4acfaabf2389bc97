"""The labelling game: labels are shown once they are paid for, the test is opened at the end alone."""

import dataclasses

import numpy as np
import pytest

from transferlab.active.arms import StudyImages
from transferlab.active.learners import HeadLearner
from transferlab.data import ImageSet, SealedTest
from transferlab.errors import UserError
from transferlab.evaluation import Comparison, paired_difference
from transferlab.training.heads import make_head
from transferlab.widgets import label_game
from transferlab.widgets.label_game import LabelGame, Outcome, State
from transferlab.widgets.label_game_board import RANDOM, make_board

CLASSES = ("owl", "rat", "<i>yak</i>")
SMALL = {"shown": 24, "rounds": 2, "picks": 4, "strategies": ("typiclust", "margin"), "draws": 8, "plays": 2}


def made(n, seed):
    """Features in three clumps with their images and labels, in order of class."""
    rng = np.random.default_rng(seed)
    y = np.sort(np.arange(n) % 3)
    x = np.eye(3)[y] + 0.45 * rng.normal(size=(n, 3))
    return x, ImageSet(rng.integers(0, 255, (n, 1, 8, 8)).astype(np.uint8), y, CLASSES)


@pytest.fixture
def images():
    (pool, validation, test) = (made(n, seed)[1] for n, seed in ((60, 0), (40, 1), (90, 2)))
    return StudyImages(pool, validation, SealedTest(test))


@pytest.fixture
def learner():
    (x, v, t) = (made(n, seed)[0] for n, seed in ((60, 0), (40, 1), (90, 2)))
    return HeadLearner(x, np.concatenate([v, t]), 3)


@pytest.fixture
def board(images, learner):
    return make_board(images, learner, **SMALL)


def press(game, picks, rounds=None):
    """As the page asks for a round."""
    content = {"do": "reveal", "rounds": game.shown["rounds"] if rounds is None else rounds, "picks": picks}
    game._handle_custom_msg(content, [])


def test_the_images_come_in_an_order_that_tells_no_class(images, learner, board):
    assert (np.diff(board.images.labels) < 0).any(), "the pool is in order of class, the board must not be"
    again, other = (make_board(images, learner, **SMALL, seed=seed) for seed in (0, 1))
    assert np.array_equal(again.images.images, board.images.images)
    assert not np.array_equal(other.images.images, board.images.images)
    for image, features in zip(board.images.images, board.learner.start_features, strict=True):
        place = next(k for k, known in enumerate(images.pool.images) if np.array_equal(known, image))
        assert np.array_equal(learner.start_features[place], features)


def test_rivals_play_as_often_and_as_long_as_asked(board):
    assert {name: table.shape for name, table in board.rivals.items()} == {
        RANDOM: (8, 2, 130), "typiclust": (2, 2, 130), "margin": (2, 2, 130)
    }  # fmt: skip
    assert len({tuple(play[-1]) for play in board.rivals[RANDOM]}) > 4, "draws differ"
    assert board.test.looks == 0


@pytest.mark.parametrize(
    "change", [{"shown": 7}, {"shown": 61}, {"rounds": 0}, {"picks": 0}, {"draws": 0}, {"plays": 0}]
)
def test_a_board_that_cannot_be_is_refused(images, learner, change):
    with pytest.raises(UserError, match="a game shows at least"):
        make_board(images, learner, **{**SMALL, **change})


def test_the_accuracy_is_that_of_a_head_on_the_labels_paid_for(images, learner, board):
    picks = (5, 0, 9, 3, 11, 7, 20, 1)
    found = label_game.compute(board, State(picks, 1))
    assert set(found.labels) == {5, 0, 9, 3} and found.left == 0 and found.n == 40
    x, y = board.learner.start_features, board.images.labels
    head = make_head("logistic")
    for r, one in zip((1, 2), label_game.compute(board, State(picks, 2)).rounds, strict=True):
        got = list(picks[: 4 * r])
        answers = head.fit(x[got], y[got]).predict(learner.unseen_features[:40])
        assert one.labels == 4 * r
        assert one.you == pytest.approx((answers == images.validation.labels).mean())
        shares = (board.rivals[RANDOM][:, r - 1, :40] == images.validation.labels).mean(1)
        assert one.rivals[RANDOM][0] == pytest.approx(shares.mean())
        assert one.beaten == pytest.approx(((shares < one.you).mean() + (shares <= one.you).mean()) / 2)
    assert board.test.looks == 0, "rounds are judged by validation images"


def test_labels_of_one_class_are_answered_by_that_class(board):
    owls = np.flatnonzero(board.images.labels == 0)[:4].tolist()
    found = label_game.compute(board, State(tuple(owls), 1))
    assert found.rounds[0].you == pytest.approx((board.validation.labels == 0).mean())


@pytest.mark.parametrize(
    ("picks", "rounds", "said"),
    [((0, 0), 0, "each once"), ((24,), 0, "places from 0 to 23"), ((-1,), 0, "places from 0"), ((0,), 1, "4 picks"),
     ((0, 1, 2, 3, 4), 0, "4 picks"), (tuple(range(9)), 2, "4 picks"), (tuple(range(8)), 3, "4 picks")],
)  # fmt: skip
def test_picks_that_cannot_be_are_refused(board, picks, rounds, said):
    with pytest.raises(UserError, match=said):
        label_game.compute(board, State(picks, rounds))


def test_the_test_is_opened_once_and_at_the_end(board, images):
    picks = tuple(range(8))
    with pytest.raises(UserError, match="after 2 rounds, not before"):
        label_game.outcome(board, State(picks, 1))
    assert board.test.looks == 0
    end = label_game.outcome(board, State(picks, 2))
    assert board.test.looks == end.look == 1
    truth = made(90, 2)[1].labels
    right = board.answers(picks)[40:] == truth
    assert end.you == pytest.approx(right.mean())
    for name, c in end.against.items():
        known = board.rivals[name][:, -1, 40:] == truth
        wanted = paired_difference(right[None].repeat(len(known), 0), known, draws=2000)
        assert (c.difference, c.low, c.high) == pytest.approx((wanted.difference, wanted.low, wanted.high))
        assert c.n == 90


def test_the_verdict_follows_the_intervals():
    def against(low, high):
        return Comparison((low + high) / 2, low, high, 0.5, 90, 8, "")

    ends = {RANDOM: against(0.1, 0.2), "margin": against(-0.2, -0.1), "badge": against(-0.1, 0.1)}
    said = label_game.verdict(Outcome(0.5, ends, 0.9, 3))
    assert "ahead of random; behind margin; not told apart from badge" in said
    assert "One game is one seed" in said and "look 3" in said
    assert "behind" not in label_game.verdict(Outcome(0.5, {RANDOM: against(0.1, 0.2)}, 0.9, 1))


def test_the_page_is_told_labels_of_what_is_paid_for_alone(board):
    game = LabelGame(board)
    assert game.shown["labels"] == {} and game.shown["figure"] == "" and len(game.tiles) == 24
    press(game, [3, 1])
    assert "pick 2 more images first" in game.shown["trouble"] and game.shown["rounds"] == 0
    press(game, [3, 1, 1, 2])
    assert "each once" in game.shown["trouble"]
    press(game, [3, 1, 0, 2])
    labels = {str(p): CLASSES[board.images.labels[p]] for p in (3, 1, 0, 2)}
    assert game.shown["labels"] == labels and game.shown["trouble"] == "" and game.picks == [3, 1, 0, 2]
    assert game.shown["figure"].startswith("data:image/png") and board.test.looks == 0
    assert "4 labels: you" in game.shown["finding"] and "40 validation images" in game.shown["finding"]


def test_a_round_asked_for_twice_is_paid_for_once(board):
    game = LabelGame(board)
    press(game, [3, 1, 0, 2])
    token = game.shown["token"]
    press(game, [3, 1, 0, 2], rounds=0)
    assert game.shown["rounds"] == 1 and game.shown["token"] > token, "the page is told that it may go on"
    press(game, [3, 1, 0, 2, 5, 6, 7, 8])
    assert game.shown["rounds"] == 2 and board.test.looks == 1
    press(game, list(range(8)))
    assert "the game is over" in game.shown["trouble"] and board.test.looks == 1


def test_what_is_paid_for_cannot_be_exchanged(board):
    game = LabelGame(board)
    press(game, [3, 1, 0, 2])
    press(game, [9, 1, 0, 2, 5, 6, 7, 8])
    assert "has been paid for" in game.shown["trouble"] and game.shown["rounds"] == 1


def test_a_failure_is_said(board):
    def fail(picked):
        raise RuntimeError("no head")

    game = LabelGame(board)
    object.__setattr__(board, "answers", fail)
    press(game, [3, 1, 0, 2])
    assert game.shown["trouble"] == "RuntimeError: no head" and game.shown["rounds"] == 0


def test_one_of_each_takes_classes_in_turn(board):
    picks = label_game.one_of_each(board)
    assert len(set(picks)) == 8
    for number in range(2):
        counts = np.bincount(board.images.labels[picks[: 4 * number + 4]], minlength=3)
        assert np.ptp(counts) <= 1
    rare = dataclasses.replace(board, images=board.images[np.argsort(board.images.labels)[:10]])
    assert len(set(label_game.one_of_each(rare))) == 8, "where a class runs out, others are taken"


def test_the_figure_shows_a_played_game(board):
    card = label_game.static(board)
    assert card.finding.startswith("One of each: ") and "less random" in card.finding
    assert "n = 90 test images, one game" in card.finding and card.png()[1:4] == b"PNG"
    assert label_game.static(board, range(8)).finding.startswith("You: ")
