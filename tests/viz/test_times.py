"""Accuracy against seconds: what the title says follows from the rows."""

import matplotlib as mpl
import pytest

from transferlab import viz
from transferlab.errors import UserError


def row(method, accuracy, seconds, **other):
    return {"method": method, "accuracy": accuracy, "fit_seconds": seconds, "n_test": 90, "seeds": 3} | other


def test_the_quickest_row_that_reaches_it_is_told_in_any_order():
    rows = [row("scratch", 0.9, 30.0), row("scratch", 0.6, 4.0), row("scratch", 0.2, 1.0)]
    for order in (rows, rows[::-1]):
        assert viz.accuracy_over_time(order, 0.5).finding.startswith("To 50 %: from scratch 4 s (n = 90")
    assert "from scratch 30 s" in viz.accuracy_over_time(rows, 0.7).finding


def test_what_is_not_reached_is_said_with_the_best_there_was():
    rows = [row("feature_extraction", 0.7, 0.5), row("scratch", 0.3, 4.0), row("scratch", 0.25, 9.0)]
    finding = viz.accuracy_over_time(rows, 0.5).finding
    assert "feature extraction 0.5 s; from scratch not within 9 s, at best 30 %" in finding


@pytest.mark.parametrize("times", [(0.001, 0.002), (1.0, 1.0), (0.01, 50_000.0)])
def test_names_and_ticks_are_on_the_card(times):
    rows = [row("feature_extraction", 1.0, times[0], ci_low=0.9, ci_high=1.0), row("scratch", 0.0, times[1])]
    card = viz.accuracy_over_time(rows, 0.5)
    assert card.png()
    shown = [t.get_text() for t in card.findobj(mpl.text.Text)]
    assert {"Feature extraction", "From scratch", "wanted 50 %"} <= set(shown)


@pytest.mark.parametrize("seconds", [None, 0, -1])
def test_a_row_without_time_is_refused(seconds):
    with pytest.raises(UserError, match="seconds of every fit"):
        viz.accuracy_over_time([row("scratch", 0.5, seconds)], 0.5)


def test_no_rows_are_refused():
    with pytest.raises(UserError, match="no results"):
        viz.accuracy_over_time([], 0.5)
