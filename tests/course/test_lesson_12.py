"""Lesson 12: who wins without labels depends on the images, and a test shows why."""

import numpy as np
import pytest

from transferlab import load_task
from transferlab.course import (
    lesson12,
    lesson12_cards,
    lesson12_labels,
    lesson12_moves,
    lesson12_neighbours,
    lesson12_own,
)
from transferlab.course.lesson12 import PIXELS, SETS, SSL, STROKES
from transferlab.course.lesson12_moves import (
    BY_FOUR,
    BY_TWO,
    IN_PLACE,
    MOVES,
    NARROW,
    PIXELS_BACK,
    PUT_BACK,
    WIDE,
)
from transferlab.widgets import neighbours

SEEDS = range(3)


@pytest.fixture(scope="module")
def moves():
    return lesson12_moves.moves_trial(range(2), (IN_PLACE, BY_TWO, BY_FOUR, PUT_BACK))


def test_transferred_features_win_on_materials_and_pixels_on_digits():
    ari = {(n, o): lesson12.half_ari(n, o, SEEDS) for n in SETS for o in (PIXELS, STROKES, SSL)}
    assert (ari["materials", SSL] > ari["materials", PIXELS] + 10).all()
    assert (ari["materials", STROKES] > ari["materials", PIXELS] + 10).all()
    assert (ari["digits", PIXELS] > ari["digits", SSL] + 10).all()
    assert (ari["digits", STROKES] - ari["digits", PIXELS]).mean() > 0


def test_the_side_by_side_marks_labels_upstream_and_says_what_it_rests_on():
    side = {name: lesson12.clustered(name, SEEDS, every=4, draws=50) for name in SETS}
    noted = {row.features: row.note for row in side["digits"].rows}
    assert noted["tiny"] == "labels used upstream" and not any(v for k, v in noted.items() if k != "tiny")
    lines = lesson12.scores_lines(side["materials"])
    assert [line.split()[0] for line in lines[1:]] == [PIXELS, "random", STROKES, SSL, "tiny"]
    assert [line.endswith("labels used upstream") for line in lines] == [False] * 5 + [True]
    card = lesson12_cards.side_card(side)
    assert "n = 144 and 151 images, 3 seeds" in card.finding and "on digits -" in card.finding
    assert len(lesson12.origins(SSL)) == 4, "a network is not shown twice"


def test_matched_accuracy_has_no_fixed_zero_and_ari_has():
    scores = lesson12.toy_scores()
    assert scores["classes, other numbers"] == pytest.approx((1, 1, 1))
    assert scores["nearly all in one"][2] > 0.85 and abs(scores["nearly all in one"][1]) < 0.02
    assert abs(scores["by chance, two"][1]) < 0.02


def test_a_small_move_breaks_pixels_and_putting_back_mends_them(moves):
    assert (moves.lost(PIXELS, BY_TWO) > 30).all()
    assert (moves.lost(PIXELS, BY_TWO) > moves.lost(SSL, BY_TWO) + 10).all()
    assert (moves.lost(PIXELS, PUT_BACK) < 10).all() and (moves.lost(PIXELS, BY_FOUR) > 50).all()
    card = lesson12_cards.moves_card(moves)
    assert f"{BY_TWO} 0.2" in card.finding and "n = 601 digits, 2 seeds" in card.finding
    assert len(card.axes) == 3


def test_no_move_cuts_a_digit_off():
    digits = lesson12.images("digits").images[:80]
    ink = {move: lesson12_moves.moved(digits, 3, move).astype(float).sum((1, 2, 3)) for move in MOVES}
    for move in MOVES:
        assert np.allclose(ink[move], ink[IN_PLACE], rtol=0.06), move
    again = lesson12_moves.moved(digits, 3, BY_TWO)
    assert np.array_equal(again, lesson12_moves.moved(digits, 3, BY_TWO))
    assert not np.array_equal(again, lesson12_moves.moved(digits, 4, BY_TWO))


def test_wide_views_make_a_network_ignore_place():
    trial = lesson12_moves.views_trial(range(2), epochs=10, device="cpu")
    assert (trial.ari[BY_TWO, WIDE] > trial.ari[BY_TWO, NARROW] + 0.1).all()
    assert (trial.ari[BY_TWO, WIDE] > trial.ari[BY_TWO, PIXELS] + 0.1).all()
    assert (trial.ari[BY_TWO, PIXELS_BACK] > trial.ari[BY_TWO, PIXELS] + 0.1).all()
    finding = lesson12_cards.views_card(trial).finding
    assert finding.index(WIDE) < finding.index(PIXELS_BACK) and NARROW not in finding


def test_labels_turn_the_order_on_digits():
    trials = {o: lesson12_labels.labels_trial("digits", o, SEEDS, (1, 5)) for o in (PIXELS, SSL)}
    assert (trials[PIXELS].matched > trials[SSL].matched + 0.1).all()
    assert (trials[SSL].probe[5] > trials[PIXELS].probe[5]).all()
    assert trials[SSL].overtakes((5,)) == 5 and trials[PIXELS].overtakes((1,)) is None
    rows = trials[SSL].rows()
    assert list(rows) == ["clusters, best names", "1 label a class", "5 labels a class"]


def test_partners_are_found_by_what_ignores_the_views():
    (a, b), found = lesson12.partner_trial()
    assert a.shape == b.shape == (192, 1, 32, 32) and not np.array_equal(a, b)
    assert found[SSL].mean() > found[PIXELS].mean() + 0.1
    assert lesson12.partners_found(np.eye(3), np.eye(3)).all()
    assert "n = 192 images" in lesson12_cards.partners_card((a, b), found).finding


def test_neighbours_leave_the_image_itself_out():
    cases = lesson12_neighbours.cases(most=60)
    assert [case["images"] for case in cases] == ["materials", "digits", f"digits, {BY_FOUR}"]
    for case in cases:
        assert case["upstream"] == ["tiny"]
        for nearest in case["nearest"].values():
            assert nearest.shape == (60, neighbours.SHOWN)
            assert (nearest != np.arange(60)[:, None]).all()


def test_own_images_are_scored_by_their_labels_alone():
    lines = lesson12_own.own_lines(load_task("faces", progress=False), "tiny")
    assert "2 clusters" in lines[0] and [line.split()[0] for line in lines[1:]] == [PIXELS, SSL, "tiny"]
    assert [line.endswith("labels used upstream") for line in lines[1:]] == [False, False, True]
