"""What each way to the target costs, where two ways cost the same, and the labels that the choice saves: in words."""

from __future__ import annotations

from html import escape

import numpy as np

from transferlab.active.factorial_effects import costs, crossover
from transferlab.active.factorial_summary import Answers
from transferlab.active.study_plan import Curve, curve_name
from transferlab.evaluation import LabelsSaved
from transferlab.reports.active_findings import Findings
from transferlab.reports.active_study import ActiveFits, ActivePlan
from transferlab.reports.text import percent
from transferlab.viz import percent as whole
from transferlab.viz import sentence
from transferlab.viz.words import count, needed_said, range_said


def shown_ways(found: Findings) -> list[Curve]:
    """At random, and by the strategy that is spoken of, in every arm; fewest labels on the test first."""
    wanted = ("random", found.headline.strategy)
    ways = [c for c in found.needed if c[1] in wanted and (c[0] == "frozen" or c[2] != "pretrained")]
    ways = ways or list(found.needed)
    return sorted(ways, key=lambda c: (found.needed[c].needed, found.needed[c].low))


def way_cost(plan: ActivePlan, curve: Curve, needed: float) -> float:
    """Labels and what the arm costs whatever is labelled, in the unit of the prices; infinite where never reached."""
    request = plan.request
    return costs({curve: needed}, request.label_price, {curve: request.fixed.get(curve[0], 0.0)})[curve]


def costs_html(plan: ActivePlan, fits: ActiveFits, found: Findings, test: Answers) -> str:
    """Every way's labels and cost to the target on the test, and the prices at which the cheaper one changes."""
    ways, most = shown_ways(found), test.budgets[-1]
    body = "".join(
        f"<tr><td>{escape(curve_name(c))}</td><td>{needed_said(need.needed, most)}</td>"
        f"<td>{range_said(need.low, need.high, most)}</td><td>{plan.request.fixed.get(c[0], 0.0):,.0f}</td>"
        f"<td>{_money(way_cost(plan, c, need.needed))}</td></tr>"
        for c, need in ((c, found.needed[c]) for c in ways)
    ) + "".join(_free_row(plan, fits, arm, table) for arm, table in test.without_labels.items())
    sentences = "".join(f"<li>{escape(text)}</li>" for text in crossovers(plan, found, most))
    return (
        f"<p>A label is taken to cost {plan.request.label_price:g}, in whatever unit; "
        "<code>--label-price</code> and <code>--fixed-cost ARM=PRICE</code> (training, licences, hours) "
        "set others. By the estimates, whose intervals stand beside them:</p>"
        + (f"<ul>{sentences}</ul>" if sentences else "")
        + f"<table><tr><th>way to {whole(fits.choice.target)}</th><th>labels</th><th>95 % interval</th>"
        f"<th>fixed</th><th>cost</th></tr>{body}</table>"
        f"<p>n = {count(test.n, 'test image')}, {count(len(test.seeds), 'seed')}. Curves are made monotone and never "
        f"continued: what {most:,} labels do not reach costs more than is known.</p>"
    )


def _free_row(plan: ActivePlan, fits: ActiveFits, arm: str, table: np.ndarray) -> str:
    fixed = plan.request.fixed.get(arm, 0.0)
    labels, cost = (
        ("0", f"{fixed:,.0f}") if table.mean() >= fits.choice.target else ("not reached", "not known")
    )
    return f"<tr><td>{escape(arm)}</td><td>{labels}</td><td></td><td>{fixed:,.0f}</td><td>{cost}</td></tr>"


def crossovers(plan: ActivePlan, found: Findings, most: int) -> list[str]:
    """A sentence for the way of fewest labels against every other one."""
    ways, fixed = shown_ways(found), plan.request.fixed
    first = ways[0]
    few, fixed_few = found.needed[first].needed, fixed.get(first[0], 0.0)
    if np.isinf(few):
        return []
    beyond = [curve_name(c) for c in ways[1:] if np.isinf(found.needed[c].needed)]
    said = []
    if beyond:
        one = len(beyond) == 1
        said.append(
            f"Not reached with {most:,} labels: {'; '.join(beyond)}. So no price of a label is known at which "
            f"{'it' if one else 'any of them'} would be cheaper than {curve_name(first)}."
        )
    for other in ways[1 : len(ways) - len(beyond)]:
        many, fixed_many = found.needed[other].needed, fixed.get(other[0], 0.0)
        a, b = curve_name(first), curve_name(other)
        price = crossover(many, fixed_many, few, fixed_few)
        if price is not None:
            said.append(f"{sentence(b)} is cheaper than {a} where a label costs less than {price:.2g}.")
        elif fixed_few == fixed_many and many > few:
            saved = many - few
            said.append(
                f"{sentence(a)} needs about {saved:,.0f} labels fewer than {b}: it pays as long as what it costs "
                f"beside labels is at most {saved * plan.request.label_price:,.0f} more."
            )
    return said


def saved_html(fits: ActiveFits, found: Findings) -> str:
    """At each budget, the labels that random picks and training from scratch need to be as accurate."""
    parts = [
        f'<p class="finding">{escape(saved_sentence((arm, "none", "none"), found.asking, [row]))}</p>'
        for arm, row in found.free.items()
    ]
    for rival, rows in found.saved.items():
        body = "".join(
            f"<tr><td>{row.labels:,.0f}</td><td>{percent(row.accuracy)}</td>"
            f"<td>{needed_said(row.needed, row.most)}</td><td>{range_said(row.low, row.high, row.most)}</td></tr>"
            for row in rows
        )
        parts.append(
            f'<p class="finding">{escape(saved_sentence(fits.choice.curve, rival, rows))}</p>'
            f"<details><summary>At every budget, against {escape(curve_name(rival))}</summary>"
            f"<table><tr><th>labels</th><th>accuracy</th><th>labels it needs for that</th><th>95 % interval</th></tr>"
            f"{body}</table></details>"
        )
    return (
        "".join(parts)
        or "<p>The choice is what labels would be saved against: there is nothing to compare.</p>"
    )


def saved_sentence(curve: Curve, rival: Curve, rows: list[LabelsSaved]) -> str:
    """What the choice saves at the middle of its budgets, with its n."""
    row = rows[len(rows) // 2] if len(rows) > 2 else rows[0]
    labels = f"{row.labels:,.0f}" if row.labels else "no"
    start = f"With {labels} labels {curve_name(curve)} is at {percent(row.accuracy)}"
    ground = f"(n = {count(row.n, 'test image')}, {count(row.seeds, 'seed')})"
    b = curve_name(rival)
    if np.isinf(row.needed):
        return (
            f"{start}, which {b} does not reach with {row.most:,.0f}: censored, more is not known {ground}."
        )
    ends = range_said(row.low, row.high, row.most)
    needs = f"{start}; {b} needs about {row.needed:,.0f} for that (95 % interval {ends})"
    if row.low <= row.labels <= row.high or row.needed <= row.labels:
        return f"{needs}, so that no label is shown to be saved {ground}."
    return f"{needs} {ground}."


def _money(cost: float) -> str:
    return "not known" if np.isinf(cost) else f"{cost:,.0f}"
