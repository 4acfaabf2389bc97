"""What the summary of a factorial says of curves that are known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.active.factorial_effects import (
    Corners,
    costs,
    crossover,
    effects,
    effects_in_labels,
    labels_to,
    log_odds,
)
from transferlab.active.factorial_summary import (
    Answers,
    comparisons,
    paired_differences,
    recommend,
    saved,
)
from transferlab.active.study_plan import curve_name
from transferlab.errors import UserError
from transferlab.evaluation import holm, paired_difference


def table(accuracies, seeds=3, n=200):
    """bool (B, S, N): exactly so many right, the same images at each seed."""
    return np.stack([(np.arange(n) < round(a * n))[None].repeat(seeds, 0) for a in accuracies])


def noisy(accuracies, seed, seeds=10, n=300):
    """bool (B, S, N): each image has its own chance, each seed its own luck."""
    rng = np.random.default_rng(seed)
    lift = rng.normal(size=n)
    odds = np.log(np.array(accuracies) / (1 - np.array(accuracies)))[:, None, None]
    return rng.random((len(accuracies), seeds, n)) < 1 / (1 + np.exp(-odds - lift))


def answers(curves, images="test", budgets=(10, 20, 40), without=None):
    some = next(iter(curves.values()))
    return Answers(budgets, tuple(range(some.shape[1])), curves, without or {}, None, images)


SR, SM = ("scratch", "random", "none"), ("scratch", "margin", "own")
FR, FM = ("frozen", "random", "none"), ("frozen", "margin", "pretrained")


def test_effects_in_log_odds_by_hand():
    sr, sc, tr, tc = 0.25, 0.5, 0.6, 0.9
    found = effects(Corners(*(table([a]) for a in (sr, sc, tr, tc))))[0]
    odds = [np.log((round(a * 200) + 0.5) / (200 - round(a * 200) + 0.5)) for a in (sr, sc, tr, tc)]
    assert found["transfer"].estimate == pytest.approx(odds[2] - odds[0])
    assert found["choosing, scratch"].estimate == pytest.approx(odds[1] - odds[0])
    assert found["choosing, transferred"].estimate == pytest.approx(odds[3] - odds[2])
    assert found["interaction"].estimate == pytest.approx(odds[3] - odds[2] - odds[1] + odds[0])
    assert all(e.low <= e.estimate <= e.high for e in found.values())
    perfect = effects(Corners(*(table([1.0]) for _ in range(4))))[0]
    assert all(np.isfinite([e.estimate, e.low, e.high]).all() and e.estimate == 0 for e in perfect.values())


def test_the_ceiling_makes_no_interaction_in_log_odds():
    step = 1.2
    at = 1 / (1 + np.exp(-(np.array([0, 1, 2, 3]) * step - 0.5)))
    found = effects(Corners(*(table([a], n=100_000, seeds=2) for a in (at[0], at[1], at[2], at[3]))))[0]
    assert found["interaction"].estimate == pytest.approx(0, abs=1e-3)
    assert (at[3] - at[2]) - (at[1] - at[0]) < -0.1  # on plain accuracy it looks like one


def test_intervals_of_effects_hold_what_is_true():
    truth = {"transfer": 0.0, "choosing, scratch": 0.0, "choosing, transferred": 0.0, "interaction": 0.0}
    inside = dict.fromkeys(truth, 0)
    for seed in range(40):
        found = effects(Corners(*(noisy([0.6], 4 * seed + i, n=120) for i in range(4))))[0]
        for name, value in truth.items():
            inside[name] += found[name].low <= value <= found[name].high
    assert min(inside.values()) >= 33, inside  # 38 of 40 expected


def test_log_odds_by_hand():
    np.testing.assert_allclose(
        log_odds([0, 0.25, 1], 4), [np.log(0.5 / 4.5), np.log(1.5 / 3.5), np.log(4.5 / 0.5)]
    )


def test_labels_to_a_target_and_censoring():
    found = labels_to([10, 20, 40], {"a": table([0.2, 0.4, 0.6]), "b": table([0.5, 0.6, 0.7])}, 0.5)
    assert found["a"].needed == pytest.approx(np.sqrt(20 * 40)) and found["b"].needed == 10
    never = labels_to([10, 20, 40], {"a": table([0.2, 0.4, 0.6])}, 0.95)["a"]
    assert never.needed == never.high == np.inf
    for target in (0, 1.1, -1):
        with pytest.raises(UserError, match="target accuracy"):
            labels_to([10], {"a": table([0.5])}, target)
    with pytest.raises(UserError, match="ascend"):
        labels_to([20, 10], {"a": table([0.5, 0.6])}, 0.5)
    with pytest.raises(UserError, match="1 tables for 2 budgets"):
        labels_to([10, 20], {"a": table([0.5])}, 0.5)


def test_effects_in_labels_by_hand_and_unknown_where_a_corner_never_gets_there():
    # to 0.6: 40, 20, 10 and 10 labels
    corners = Corners(
        table([0.2, 0.4, 0.6]), table([0.4, 0.6, 0.7]), table([0.6, 0.7, 0.8]), table([0.6, 0.8, 0.9])
    )
    found = effects_in_labels([10, 20, 40], corners, 0.6)
    by_hand = {"transfer": 4, "choosing, scratch": 2, "choosing, transferred": 1, "interaction": 0.5}
    assert {name: pytest.approx(e.estimate) for name, e in found.items()} == by_hand
    assert all(e.low <= e.estimate <= e.high for e in found.values())
    far = effects_in_labels([10, 20, 40], corners, 0.85)
    assert all(e is None for e in far.values())
    some = effects_in_labels([10, 20, 40], corners, 0.75)
    assert some["transfer"] is None and some["choosing, transferred"].estimate > 1
    with pytest.raises(UserError, match="four corners"):
        effects(replace(corners, scratch_random=table([0.2])))


@settings(max_examples=50, deadline=None)
@given(st.floats(1, 1e4), st.floats(0, 1e4), st.floats(1, 1e4), st.floats(0, 1e4))
def test_at_the_crossover_both_cost_the_same_and_beyond_it_they_change_places(na, fa, nb, fb):
    price = crossover(na, fa, nb, fb)
    if price is None:
        few, many = ((na, fa), (nb, fb)) if na < nb else ((nb, fb), (na, fa))
        assert na == nb or few[1] <= many[1]
        return
    at = costs({"a": na, "b": nb}, price, {"a": fa, "b": fb})
    assert at["a"] == pytest.approx(at["b"], rel=1e-6, abs=1e-6)
    above = costs({"a": na, "b": nb}, 2 * price + 1, {"a": fa, "b": fb})
    assert (above["a"] <= above["b"] + 1e-6) == (na < nb) or above["a"] == pytest.approx(above["b"], rel=1e-6)


def test_unreached_costs_more_than_any_money_and_prices_are_not_negative():
    assert costs({"a": np.inf}, 0.0) == {"a": np.inf}
    with pytest.raises(UserError, match="from 0 on"):
        costs({"a": 3}, -1)


def test_labels_saved_by_a_strategy():
    a = answers({FR: table([0.2, 0.4, 0.8]), FM: table([0.4, 0.8, 0.9])})
    needed = [s.needed for s in saved(a, FM, FR)]
    assert needed[:2] == pytest.approx([20, 40]) and needed[2] == np.inf


def test_comparisons_are_paired_and_adjusted_together():
    a = answers(
        {SR: noisy([0.3, 0.5], 0), SM: noisy([0.3, 0.5], 1), FR: noisy([0.7, 0.9], 2)}, budgets=(10, 20)
    )
    found = comparisons(a)
    assert [(b, c.a, c.b) for b, c in found] == [
        (b, curve_name(x), curve_name(SR)) for x in (SM, FR) for b in (10, 20)
    ]  # fmt: skip
    assert all(c.p_adjusted >= c.p_value for _, c in found)
    assert [c.p_adjusted < 0.05 for _, c in found] == [False, False, True, True]
    assert found[3][1].difference == pytest.approx(a.correct[FR][1].mean() - a.correct[SR][1].mean())
    assert comparisons(answers({FR: noisy([0.5], 0)}, budgets=(10,))) == []


def test_many_comparisons_at_once_are_those_of_one_at_a_time():
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 40, 300).astype(str)
    for g in (None, groups):
        pairs = [(noisy([0.6 + d], i)[0], noisy([0.6], 9)[0]) for i, d in enumerate((0.0, 0.03, 0.2))]
        pairs.append((pairs[0][1], pairs[0][1]))
        for one, (a, b) in zip(paired_differences(pairs, g), pairs, strict=True):
            alone = paired_difference(a, b, g)
            assert (one.difference, one.n, one.seeds, one.method) == (
                alone.difference, alone.n, alone.seeds, alone.method,
            )  # fmt: skip
            assert one.p_value == pytest.approx(alone.p_value, abs=0.02)
            np.testing.assert_allclose([one.low, one.high], [alone.low, alone.high], atol=0.005)
    lone = [(noisy([0.9], 0, seeds=1)[0], noisy([0.5], 1, seeds=1)[0])]
    assert paired_differences(lone)[0] == paired_difference(*lone[0])


def test_a_clear_difference_stays_clear_among_hundreds():
    clear = (noisy([0.9], 0)[0], noisy([0.4], 1)[0])
    none = (noisy([0.5], 2)[0], noisy([0.5], 3)[0])
    found = paired_differences([clear] * 2 + [none] * 300)
    assert holm([c.p_value for c in found])[0] < 0.05


def test_the_cheapest_way_that_reaches_the_target_is_recommended():
    held = answers(
        {SR: table([0.2, 0.4, 0.8]), FR: table([0.6, 0.8, 0.9]), FM: table([0.8, 0.9, 0.95])}, "validation"
    )
    assert recommend(held, 0.8).curve == FM and recommend(held, 0.8).budget == 10
    dear = recommend(held, 0.8, label_price=1.0, fixed={"frozen": 100.0})
    assert (dear.curve, dear.budget, dear.cost) == (SR, 40, 40.0)
    beyond = recommend(held, 0.99)
    assert (beyond.curve, beyond.reached, beyond.budget) == (FM, False, 40)
    test = answers({**held.correct, FM: table([0.7, 0.8, 0.9])})
    assert "70.0% of the test images" in recommend(held, 0.8).sentence(test)
    assert "Nothing reached 99%" in beyond.sentence(test) and "\n" not in beyond.sentence(test)
    with pytest.raises(UserError, match="validation images"):
        recommend(test, 0.8)


def test_an_arm_without_labels_is_recommended_where_it_is_good_enough():
    good = table([0.85])[0]
    held = answers(
        {SR: table([0.2, 0.4, 0.8]), FR: table([0.6, 0.8, 0.9])}, "validation", without={"SHOT": good}
    )
    free = recommend(held, 0.8, fixed={"SHOT": 5.0})
    assert (free.curve, free.budget, free.cost, free.reached) == (("SHOT", "none", "none"), 0, 5.0, True)
    assert free.needed == pytest.approx({SR: 40, FR: 20, ("SHOT", "none", "none"): 0})
    assert recommend(held, 0.8, fixed={"SHOT": 25.0}).curve == FR  # dearer than 20 labels
    assert recommend(held, 0.88).curve == FR and recommend(held, 0.99).curve == FR
    test = answers(held.correct, without={"SHOT": table([0.7])[0]})
    assert "Take SHOT: label nothing (cost 5); with 0 labels 70.0% of the test" in free.sentence(test)


def test_a_strategy_that_is_not_told_from_chance_is_not_recommended():
    lucky = table([0.6, 0.8, 0.9])
    barely = lucky.copy()
    barely[:, :, -1] = True  # one image more
    held = answers({FR: lucky, FM: barely}, "validation")
    assert recommend(held, 0.905).curve == FR and recommend(held, 0.7).curve == FR
