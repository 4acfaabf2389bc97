"""What an active report is asked for, and what it says of known answers."""

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from transferlab.active.arms import WITHOUT_LABELS, StudyImages
from transferlab.active.factorial_effects import labels_to
from transferlab.active.factorial_summary import Answers, recommend, usual_target
from transferlab.active.study_plan import Cell, CellResult, study_of
from transferlab.cli import app
from transferlab.data import ImageSet, SealedTest, Task
from transferlab.errors import UserError
from transferlab.reports import active_costs, active_figures, active_gains, active_stored, active_text
from transferlab.reports.active_findings import find, headline
from transferlab.reports.active_request import Request, check_request
from transferlab.reports.active_study import ActiveFits, load_active_images, make_active_plan

SR, SM, SP = ("scratch", "random", "none"), ("scratch", "margin", "own"), ("scratch", "margin", "pretrained")
FR, FM = ("frozen", "random", "none"), ("frozen", "margin", "pretrained")
N, BUDGETS, SEEDS = 200, (4, 8, 16), (0, 1, 2)


def table(accuracies, seed, n=N):
    """bool (B, S, N): each answer right with that chance."""
    rng = np.random.default_rng(seed)
    return rng.random((len(accuracies), len(SEEDS), n)) < np.array(accuracies)[:, None, None]


def answers(curves, images, n=N, without=None):
    made = {curve: table(a, i, n) for i, (curve, a) in enumerate(curves.items())}
    return Answers(BUDGETS, SEEDS, made, without or {}, None, images)


CURVES = {
    SR: [0.5, 0.55, 0.6], SM: [0.5, 0.55, 0.6], SP: [0.5, 0.7, 0.8],
    FR: [0.6, 0.7, 0.8], FM: [0.7, 0.85, 0.95],
}  # fmt: skip


def images_of(n, classes=("a", "b<i>"), size=8):
    labels = np.arange(n) % len(classes)
    pixels = np.random.default_rng(n).integers(0, 255, (n, 1, size, size), np.uint8)
    return ImageSet(pixels, labels, tuple(classes))


@pytest.fixture
def task():
    return Task("t", images_of(64), images_of(16), images_of(4), SealedTest(images_of(20), printing=False))


@pytest.fixture
def images(task):
    return StudyImages(task.train, task.validation, task.test)


@pytest.fixture
def told(task, images):
    """Plan, fits, test and findings of curves that are known."""
    plan = make_active_plan(task, images, Request(profile="smoke", target=0.75, budgets=BUDGETS, seeds=3))
    held, test = answers(CURVES, "validation"), answers(CURVES, "test")
    cells = [
        CellResult(Cell(*curve, seed), np.array(BUDGETS), None, None, None, np.arange(16), 1.0)
        for curve in CURVES for seed in SEEDS
    ]  # fmt: skip
    fits = ActiveFits(cells, held, recommend(held, 0.75))
    return plan, fits, test, find(held, test, fits.choice)


# What is asked for


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--strategy", "best"], "there is no strategy 'best'; choose from random"),
        (["--arm", "half"], "there is no arm 'half'; choose from scratch"),
        (["--target", "80"], "a fraction above 0 and up to 1, such as 0.8, not 80"),
        (["--target", "-0.1"], "a fraction above 0"),
        (["--target", "nan"], "a fraction above 0"),
        (["--label-price", "-1"], "price of a label is a number from 0 on, not -1"),
        (["--label-price", "inf"], "price of a label"),
        (["--fixed-cost", "frozen=-3"], "'frozen=-3' is not ARM=PRICE"),
        (["--fixed-cost", "frozen=inf"], "is not ARM=PRICE"),
        (["--fixed-cost", "magic=3"], "with an arm out of scratch"),
        (["--fixed-cost", "frozen"], "is not ARM=PRICE"),
        (["--budget", "0"], "whole numbers of labels from 1 on"),
        (["--source", "nowhere"], "neither a bundled set"),
        (["--source", "materials"], "both 'materials'"),
    ],
)
def test_a_mistake_is_told_before_a_kernel_starts(tmp_path, monkeypatch, options, says):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["report", "active", "materials", *options])
    assert isinstance(done.exception, UserError), done.exception
    assert says in str(done.exception) and "\n" not in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_prices_and_targets_at_their_ends_are_taken():
    assert Request(target=1.0, label_price=0.0, fixed_costs=["SHOT=0", "all=2.5"]).fixed == {
        "SHOT": 0,
        "all": 2.5,
    }
    check_request("materials", "", seeds=2)


def test_images_and_source_of_other_classes_are_told():
    with pytest.raises(UserError, match="different classes"):
        load_active_images("digits", "letters")


def test_one_class_and_too_few_images_are_told(tmp_path):
    for i in range(12):
        (tmp_path / "one" / "only").mkdir(parents=True, exist_ok=True)
        (tmp_path / "one" / "only" / f"{i}.png").write_bytes(_png(i))
    with pytest.raises(UserError, match="class"):
        load_active_images(str(tmp_path / "one"))
    for name in "ab":
        (tmp_path / "few" / name).mkdir(parents=True)
        (tmp_path / "few" / name / "1.png").write_bytes(_png(ord(name)))
    with pytest.raises(UserError, match="image"):
        load_active_images(str(tmp_path / "few"))


def _png(seed):
    import io

    from PIL import Image

    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (9, 9, 3), np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_the_plan_is_the_profiles_with_what_was_asked_for(task, images):
    plain = make_active_plan(task, images, Request(profile="smoke")).study
    assert plain == replace(study_of("smoke", 2, 64), settings=plain.settings)
    asked = make_active_plan(
        task, images,
        Request(profile="smoke", strategies=["badge"], arms=["all", "scratch"], budgets=[9, 3, 9], seeds=4, seed=5),
    ).study  # fmt: skip
    assert (asked.strategies, asked.arms, asked.budgets) == (("random", "badge"), ("scratch", "all"), (3, 9))
    assert asked.seeds == (5, 6, 7, 8) and asked.without_labels == ()
    from_elsewhere = replace(images, source=images.pool)
    assert (
        make_active_plan(task, from_elsewhere, Request("tiny", "smoke")).study.without_labels
        == WITHOUT_LABELS
    )
    with pytest.raises(UserError, match="65 labels, but 64 images are left"):
        make_active_plan(task, images, Request(budgets=[65]))


# The stored grid


def test_the_stored_grid_is_for_its_own_images_and_settings_alone():
    from transferlab.course.grid16 import STUDY

    found = active_stored.released_for("materials", replace(STUDY, seeds=(0,)))
    assert found and set(active_stored.whole_seeds(STUDY, found)) <= set(STUDY.seeds)
    changed = replace(STUDY, budgets=STUDY.budgets[:-1])
    assert (
        active_stored.released_for("materials", changed) == active_stored.released_for("digits", STUDY) == {}
    )
    lacking = dict(list(found.items())[1:])  # its first seed is not whole any more
    assert active_stored.whole_seeds(STUDY, lacking) == active_stored.whole_seeds(STUDY, found)[1:]


# What is said of known curves


def test_the_headline_is_taken_on_validation_and_the_choice_comes_first(told):
    _, fits, test, found = told
    assert (found.headline.arm, found.headline.strategy) == ("frozen", "margin")
    assert found.headline == headline(fits.validation, fits.choice)
    swapped = replace(test, correct={c: ~t for c, t in test.correct.items()})
    assert find(fits.validation, swapped, fits.choice).headline == found.headline
    many = answers(
        {FR: [0.5] * 3} | {("frozen", f"s{i}", "pretrained"): [i / 10] * 3 for i in range(9)}, "validation"
    )
    shown = headline(many, replace(fits.choice, curve=("frozen", "s2", "pretrained"))).shown
    assert shown == ("random", "s2", "s6", "s7", "s8")


def test_effects_and_gains_of_picking_are_those_of_the_tables(told):
    _, _, test, found = told
    [main] = found.crossed
    assert found.main is main and len(main.by_budget) == 3
    assert (
        main.by_budget[-1]["transfer"].low > 0 and main.in_labels["transfer"] is None
    )  # scratch never gets there
    [gain] = found.picking
    expected = test.correct[SP].mean() - test.correct[SM].mean()
    assert (gain.arm, gain.strategy) == ("scratch", "margin")
    assert gain.points.estimate == pytest.approx(expected) and gain.points.low > 0


def test_figures_say_what_the_numbers_say(told):
    plan, fits, test, found = told
    card = active_figures.curves_card(plan, found, test)
    reached = round(100 * test.correct[FR][-1].mean())
    assert f"frozen {reached} %" in card.finding and "choosing by margin moves frozen by +" in card.finding
    assert f"n = {N} test images, 3 seeds" in card.finding
    axes = {a.get_title(loc="left"): a for a in card.axes}
    assert set(axes) == {"scratch", "frozen"}
    drawn = [line.get_ydata()[-1] for line in axes["frozen"].lines if len(line.get_xdata()) == 3]
    assert sorted(drawn) == pytest.approx(sorted(test.correct[c][-1].mean() for c in (FR, FM)))
    assert "transfer brings +" in active_figures.effects_card(found.main, test).finding
    assert (
        "raises what choosing gains with 8 and 16 labels (n"
        in active_figures.effects_card(found.main, test).finding
    )
    nothing = tuple({**by, "interaction": by["choosing, scratch"]} for by in found.main.by_budget)
    flat = active_figures.effects_card(replace(found.main, by_budget=nothing), test)
    assert "no interaction is shown" in flat.finding
    on_test = f"that way needs {found.needed[FM].needed:.0f} labels"
    assert on_test in active_text.tested(fits, found, test)
    assert "moves scratch, margin by +" in active_figures.picking_card(found, test).finding
    needed = active_figures.needed_card(plan, fits, found, test)
    assert (
        needed.finding.startswith("To 75 % on the test frozen, margin") and "more than 16" in needed.finding
    )


def test_costs_cross_where_they_do(told):
    plan, _, _, found = told
    few, many = found.needed[FM].needed, found.needed[FR].needed
    assert few < many < np.inf
    said = " ".join(active_costs.crossovers(plan, found, 16))
    assert f"about {many - few:,.0f} labels fewer" in said and "Not reached with 16 labels: scratch" in said
    # frozen costs 10 in any case, so that only ways within the arm can be compared
    dear = replace(plan, request=replace(plan.request, label_price=2.0, fixed_costs=["frozen=10"]))
    assert active_costs.way_cost(dear, FM, few) == pytest.approx(2 * few + 10)
    assert active_costs.way_cost(dear, SR, np.inf) == np.inf
    reached = {**found.needed, SR: replace(found.needed[SR], needed=10.0, low=9.0, high=11.0)}
    said = " ".join(active_costs.crossovers(dear, replace(found, needed=reached), 16))
    price = 10 / (10.0 - few)
    assert f"Scratch, random is cheaper than {'frozen, margin'} on pretrained features where a label costs less than " \
        f"{price:.2g}" in said  # fmt: skip


def test_labels_saved_are_censored_and_not_claimed_where_the_interval_says_no(told):
    _, fits, _, found = told
    assert "does not reach with 16: censored" in active_costs.saved_html(fits, found)
    row = found.saved[SR][0]
    close = replace(row, labels=8.0, needed=9.0, low=6.0, high=14.0)
    assert "no label is shown to be saved" in active_costs.saved_sentence(FM, FR, [close])
    clear = replace(row, labels=4.0, needed=9.0, low=6.0, high=np.inf)
    assert "about 9 for that (95 % interval 6 to more than 16)" in active_costs.saved_sentence(
        FM, FR, [clear]
    )


def test_warnings_come_where_they_should(told):
    plan, fits, test, found = told
    assert any("3 seeds" in w for w in active_text.warnings(plan, fits))
    assert any("Only 16 validation images" in w for w in active_text.warnings(plan, fits))
    assert active_text.opened_warnings(fits, found, test) == []
    alike = {c: [0.5, 0.5, 0.5] for c in CURVES}
    held, tiny = answers(alike, "validation"), answers(alike, "test", 40)
    flat = ActiveFits([], held, recommend(held, 0.9))
    said = active_text.warnings(plan, flat)
    assert any("No way reached 90 %" in w for w in said) and any("Nothing was learnt" in w for w in said)
    opened = active_text.opened_warnings(flat, find(held, tiny, flat.choice), tiny)
    assert any("only 40 images" in w for w in opened) and any("None of" in w for w in opened)
    worse = answers({c: [a / 2 for a in accuracies] for c, accuracies in CURVES.items()}, "test")
    assert any(
        "flattered" in w
        for w in active_text.opened_warnings(fits, find(fits.validation, worse, fits.choice), worse)
    )


def test_an_arm_without_labels_that_is_good_enough_is_the_choice(told):
    plan, fits, test, _ = told
    good, bad = table([0.9], 7)[0], table([0.3], 8)[0]
    held = replace(fits.validation, without_labels={"SHOT": good, "source-only": bad})
    free = ActiveFits(fits.cells, held, recommend(held, 0.75, fixed={"SHOT": 3.0}))
    assert (free.choice.curve, free.choice.budget, free.choice.cost) == (("SHOT", "none", "none"), 0, 3.0)
    assert "label nothing" in active_text.choice(plan, free)
    alone = replace(held, correct={SR: held.correct[SR]})
    assert usual_target(replace(alone, without_labels={})) < usual_target(alone) == 0.8
    opened = replace(test, without_labels={"SHOT": good, "source-only": bad})
    found = find(held, opened, free.choice)
    assert found.saved == {} and found.main is not None
    needed = labels_to(BUDGETS, {FR: test.correct[FR]}, bad.mean())[FR].needed
    assert found.free["source-only"].needed == pytest.approx(needed) and found.free["SHOT"].needed == np.inf
    said = active_costs.saved_html(free, found)
    assert "With no labels SHOT is at" in said and "frozen, random does not reach with 16: censored" in said
    priced = replace(plan, request=replace(plan.request, fixed_costs=["SHOT=3"]))
    table_of_costs = active_costs.costs_html(priced, free, found, opened)
    assert "<td>SHOT</td><td>0</td><td></td><td>3</td><td>3</td>" in table_of_costs
    assert "<td>source-only</td><td>not reached</td>" in table_of_costs
    assert f"{good.mean():.1%}" in active_text.tested(free, found, opened)
    assert "SHOT, no label" in str([t.get_text() for k in active_figures.curves_card(plan, found, opened).legends
                                    for t in k.get_texts()])  # fmt: skip
    assert recommend(held, 0.95).curve != ("SHOT", "none", "none")


def test_one_arm_or_random_alone_still_make_a_report(told):
    plan, _, _, _ = told
    for curves in ({FR: CURVES[FR]}, {FR: CURVES[FR], FM: CURVES[FM]}, {SR: CURVES[SR], FR: CURVES[FR]}):
        held, test = answers(curves, "validation"), answers(curves, "test")
        fits = ActiveFits([], held, recommend(held, usual_target(held)))
        found = find(held, test, fits.choice)
        assert found.main is None and not found.free
        assert "need the arm scratch" in active_gains.effects_html(fits, found, test)
        assert active_figures.curves_card(plan, found, test).finding
        assert active_figures.needed_card(plan, fits, found, test).finding
        assert active_gains.comparisons(found).startswith("<p>") and active_gains.picking_html(found)
        assert active_costs.costs_html(plan, fits, found, test)
