"""The figures of an active report; every title states a finding with its n."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab import viz
from transferlab.active.factorial_effects import Effect
from transferlab.active.factorial_summary import Answers
from transferlab.active.study_plan import CellResult, Curve, curve_name, first_of
from transferlab.reports.active_costs import shown_ways, way_cost
from transferlab.reports.active_findings import Crossed, Findings
from transferlab.reports.active_study import ActiveFits, ActivePlan
from transferlab.viz import Card
from transferlab.viz.words import count, in_line

_SHOWN = 8
_PICKING_FOOT = (
    "points of accuracy, mean over budgets; bars: 95 % intervals, one at a time; red where beside zero"
)


def basis(test: Answers) -> str:
    """What the test's numbers rest on."""
    return f"n = {count(test.n, 'test image')}, {count(len(test.seeds), 'seed')}"


def pool_cards(plan: ActivePlan) -> list[Card]:
    """Images a class in the pool, and some of them."""
    pool = plan.images.pool
    counts = np.bincount(pool.labels, minlength=len(pool.classes)).tolist()
    return [
        viz.class_balance(dict(zip(pool.classes, counts, strict=True))),
        viz.examples(pool.images, pool.labels, pool.classes),
    ]


def curves_card(plan: ActivePlan, found: Findings, test: Answers) -> Card:
    """Accuracy over labels, an arm a panel, each strategy picking by the arm's own features."""
    panels: dict[str, dict[str, list]] = {}
    for row in found.curves:
        arm, strategy, picker = row["arm"], row["strategy"], row["picker_features"]
        picks = "pretrained" if arm == "frozen" else "own" if "own" in plan.study.pickers else "pretrained"
        if strategy in found.headline.shown and picker in ("none", picks):
            point = (row["budget"], row["accuracy"], row["ci_low"], row["ci_high"])
            panels.setdefault(arm, {}).setdefault(strategy, []).append(point)
    levels = {"chance": 1 / len(plan.task.classes)}
    levels |= {f"{arm}, no label": float(table.mean()) for arm, table in test.without_labels.items()}
    return viz.budget_curves(
        panels,
        _curves_finding(found, test),
        grey=("random",),
        levels=levels,
        foot="accuracy; across: labels in all, logarithmic; bands: 95 % intervals over seeds and images",
    )


def _curves_finding(found: Findings, test: Answers) -> str:
    budget = test.budgets[-1]
    at = {
        (r["arm"], r["strategy"], r["picker_features"]): r["accuracy"]
        for r in found.curves
        if r["budget"] == budget
    }
    arms = sorted((c for c in at if c[1] == "random"), key=lambda c: -at[c])
    if not arms:
        best = max(at, key=at.get)
        return f"With {count(budget, 'label')} {curve_name(best)} reaches {viz.percent(at[best])} ({basis(test)})"
    reached = ", ".join(f"{c[0]} {viz.percent(at[c])}" for c in arms)
    said = f"With {count(budget, 'label')} picked at random: {reached}"
    arm, strategy = found.headline.arm or arms[0][0], found.headline.strategy
    gain = next(
        (
            c
            for b, c in found.compared
            if b == budget and strategy and c.a.startswith(f"{arm}, {strategy}") and c.b == f"{arm}, random"
        ),
        None,
    )
    if gain is not None:
        points = f"{100 * gain.difference:+.1f} points ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
        said += f"; choosing by {strategy} moves {arm} by {points}"
    return f"{said} ({basis(test)})"


def effects_card(found: Crossed, test: Answers) -> Card:
    """Gains in log odds at each budget: from transfer, and from choosing without and with it."""

    def line(name: str) -> list[tuple[float, float, float, float]]:
        effects = [by[name] for by in found.by_budget]
        return [(b, e.estimate, e.low, e.high) for b, e in zip(test.budgets, effects, strict=True)]

    panels = {
        f"from transfer: {found.arm} less scratch": {"at random picks": line("transfer")},
        f"from choosing: {found.strategy} less random": {
            "scratch": line("choosing, scratch"),
            found.arm: line("choosing, transferred"),
        },
    }
    return viz.budget_curves(
        panels,
        _effects_finding(found, test),
        grey=("scratch",),
        levels={"no gain": 0.0},
        unit="{:+g}".format,
        foot="gain in log odds; across: labels in all, logarithmic; bands: 95 % intervals over seeds and images",
    )


def _effects_finding(found: Crossed, test: Answers) -> str:
    last = found.by_budget[-1]
    transfer, choosing, both = (last[name] for name in ("transfer", "choosing, transferred", "interaction"))
    said = (
        f"With {count(test.budgets[-1], 'label')} transfer brings {_in_odds(transfer)} in log odds, choosing by "
        f"{found.strategy} {_in_odds(choosing)}"
    )
    if both.high < 0:
        tail = f"transfer shrinks what choosing gains, by {_in_odds(both)}"
    elif both.low > 0:
        tail = f"transfer raises what choosing gains, by {_in_odds(both)}"
    else:
        tail = f"that transfer changes what choosing gains is not shown, {_in_odds(both)}"
    return f"{said}; {tail} ({basis(test)})"


def _in_odds(effect: Effect) -> str:
    return f"{effect.estimate:+.1f} ({effect.low:+.1f} to {effect.high:+.1f})"


def picking_card(found: Findings, test: Answers) -> Card | None:
    """What it brings to pick on pretrained features; None where only one kind of features picked."""
    if not found.picking:
        return None
    rows = {
        f"{p.arm}, {p.strategy}": tuple(100 * v for v in (p.points.estimate, p.points.low, p.points.high))
        for p in found.picking
    }
    marked = [name for name, (_, low, high) in rows.items() if low > 0 or high < 0]
    return viz.effects(rows, _picking_finding(rows, marked, test), foot=_PICKING_FOOT, marked=marked)


def _picking_finding(rows: dict[str, tuple], marked: Sequence[str], test: Answers) -> str:
    start = "Picking on pretrained features instead of the network's own"
    if len(rows) == 1:
        [(name, (points, low, high))] = rows.items()
        return f"{start} moves {name} by {points:+.1f} points ({low:+.1f} to {high:+.1f}; {basis(test)})"
    better, worse = (sum(rows[name][0] * sign > 0 for name in marked) for sign in (1, -1))
    return (
        f"{start}: of {len(rows)} ways {better} get better, {worse} worse, and {len(rows) - better - worse} are not "
        f"told apart ({basis(test)})"
    )


def needed_card(plan: ActivePlan, fits: ActiveFits, found: Findings, test: Answers) -> Card:
    """Labels to the target on the test, with what they cost."""
    target, most = fits.choice.target, test.budgets[-1]
    ways = shown_ways(found)
    rows = [
        viz.Need(
            curve_name(curve),
            found.needed[curve].needed,
            found.needed[curve].low,
            found.needed[curve].high,
            _money(way_cost(plan, curve, found.needed[curve].needed)),
            curve[1] == "random",
        )
        for curve in ways
    ]
    first, last = found.needed[ways[0]], found.needed[ways[-1]]
    said = f"To {viz.percent(target)} on the test"
    if np.isinf(first.needed):
        finding = f"{said} no way shown here comes with {count(most, 'label')} ({basis(test)})"
    else:
        finding = f"{said} {curve_name(ways[0])} needs {_labels(first.needed, most)} labels"
        if len(ways) > 1:
            finding += f", {curve_name(ways[-1])} {_labels(last.needed, most)}"
        finding += f" ({basis(test)})"
    foot = "labels in all, logarithmic; dots: estimates; bars: 95 % intervals over seeds and images"
    return viz.labels_needed(rows, most, finding, foot=foot)


def _labels(needed: float, most: int) -> str:
    return f"more than {most:,}" if np.isinf(needed) else f"about {needed:,.0f}"


def _money(cost: float) -> str:
    return "unknown" if np.isinf(cost) else f"{cost:,.0f}"


def first_asked_cards(plan: ActivePlan, fits: ActiveFits, found: Findings) -> list[Card]:
    """The first images that each strategy picked by itself, in the first seed, and the classes its picks cover."""
    arms = plan.study.arms
    arm = "frozen" if "frozen" in arms else found.headline.arm or arms[0]
    cards, random = [], _classes_met(plan, fits, (arm, "random", "none"))
    for strategy in found.headline.shown:
        curve = next(c.cell.curve for c in fits.cells if c.cell.curve[:2] == (arm, strategy))
        first = next(c for c in fits.cells if c.cell.curve == curve and c.cell.seed == plan.study.seeds[0])
        cards.append(_asked_card(plan, first, _classes_met(plan, fits, curve), random))
    return cards


def _asked_card(plan: ActivePlan, cell: CellResult, met: float, random: float) -> Card:
    pool, strategy = plan.images.pool, cell.cell.strategy
    start = 0 if strategy in ("random", first_of(strategy)) else plan.study.budgets[0]
    if start >= len(cell.positions):
        start = 0
    few = cell.positions[start : start + _SHOWN]
    many = len(plan.task.classes)
    where = f"after {start} at random" if start else "from the start"
    beside = "" if strategy == "random" else f", those of random picks {random:.1f}"
    finding = (
        f"{viz.sentence(strategy)} {where}: the first {len(few)}; its first {_counted(plan)} labels show {met:.1f} of "
        f"{many} classes{beside} (mean of {count(len(plan.study.seeds), 'seed')})"
    )
    names = [(in_line(pool.classes[c]),) for c in pool.labels[few]]
    return viz.captioned(pool.images[few], names, finding, columns=_SHOWN)


def _counted(plan: ActivePlan) -> int:
    """The budget at which classes are counted: the second, which every strategy had a part in."""
    return plan.study.budgets[min(1, len(plan.study.budgets) - 1)]


def _classes_met(plan: ActivePlan, fits: ActiveFits, curve: Curve) -> float:
    labels = plan.images.pool.labels
    met: Sequence[int] = [
        len(np.unique(labels[c.positions[: _counted(plan)]])) for c in fits.cells if c.cell.curve == curve
    ]
    return float(np.mean(met))
