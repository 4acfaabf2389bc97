"""What the active report says of gains: from transfer, from choosing, from who picks; and every comparison."""

from __future__ import annotations

from html import escape

import numpy as np

from transferlab.active.factorial_effects import Effect
from transferlab.active.factorial_summary import Answers
from transferlab.evaluation import Comparison
from transferlab.reports.active_findings import Crossed, Findings
from transferlab.reports.active_study import ActiveFits
from transferlab.reports.text import p_value
from transferlab.viz import percent as whole
from transferlab.viz.words import count

_GAINS = {
    "transfer": "transfer, at random picks",
    "choosing, scratch": "choosing, from scratch",
    "choosing, transferred": "choosing, transferred",
    "interaction": "interaction: choosing transferred less from scratch",
}


def effects_html(fits: ActiveFits, found: Findings, test: Answers) -> str:
    """Gains as labels to the target, and all of them in log odds, folded."""
    if found.main is None:
        return (
            "<p>Gains from transfer and from choosing need the arm scratch, another arm and a strategy other than "
            "random picks; leave fewer of them out.</p>"
        )
    return _in_labels(fits, found.main, test) + _all_effects(found, test)


def _in_labels(fits: ActiveFits, crossed: Crossed, test: Answers) -> str:
    target, way = whole(fits.choice.target), f"{escape(crossed.arm)} and {escape(crossed.strategy)}"
    if not any(crossed.in_labels.values()):
        return (
            f"<p>As labels to {target}, gains of {way} are not known: a curve of each does not reach it with "
            f"{count(test.budgets[-1], 'label')}.</p>"
        )
    body = "".join(
        f"<tr><td>{escape(_GAINS[name])}</td><td>{_factor(effect)}</td></tr>"
        for name, effect in crossed.in_labels.items()
    )
    return (
        f"<p>As labels to {target}, for {way}: how many times fewer are needed. 1 is no gain, and an interaction below "
        "1 says that transfer shrinks what choosing gains. On plain accuracy the ceiling alone would shrink it.</p>"
        f"<table><tr><th>gain</th><th>times fewer labels (95 % interval)</th></tr>{body}</table>"
    )


def _factor(effect: Effect | None) -> str:
    if effect is None:
        return "not known: one of its curves does not reach it"
    high = "unbounded" if np.isinf(effect.high) else f"{effect.high:.1f}"
    return f"{effect.estimate:.1f} ({effect.low:.1f} to {high})"


def _all_effects(found: Findings, test: Answers) -> str:
    body = "".join(
        f"<tr><td>{escape(c.arm)}, {escape(c.strategy)}</td><td>{budget:,}</td>"
        + "".join(f"<td>{_odds(by[name])}</td>" for name in _GAINS)
        + "</tr>"
        for c in found.crossed
        for budget, by in zip(test.budgets, c.by_budget, strict=True)
    )
    heads = "".join(f"<th>{escape(name)}</th>" for name in _GAINS)
    return (
        "<details><summary>All arms and strategies, in log odds at each budget, with 95 % intervals one at a time"
        f"</summary><table><tr><th>way</th><th>labels</th>{heads}</tr>{body}</table></details>"
    )


def _odds(effect: Effect) -> str:
    return f"{effect.estimate:+.1f} ({effect.low:+.1f} to {effect.high:+.1f})"


def picking_html(found: Findings) -> str:
    """What picking on pretrained features is."""
    if not found.picking:
        return (
            "<p>Only one kind of features picked here, or every arm's own are the pretrained ones, so there is nothing "
            "to compare.</p>"
        )
    scratch = (
        " A network from scratch whose images are picked so is no longer without transfer: the pretrained network "
        "chose what it learns from."
        if any(p.arm == "scratch" for p in found.picking)
        else ""
    )
    return (
        "<p>The same network is trained; what differs is whose features and answers pick its images: its own, or those "
        f"of a head on the frozen pretrained network, which costs next to nothing a round.{scratch}</p>"
    )


def comparisons(found: Findings) -> str:
    """Every comparison, folded, with what of them is told apart."""
    if not found.compared:
        return "<p>There is one way alone, so nothing is compared.</p>"
    against = [c for _, c in found.compared if c.p_adjusted < 0.05]
    better = sum(c.difference > 0 for c in against)
    body = "".join(_comparison(budget, c) for budget, c in found.compared)
    first = found.compared[0][1]
    heads = "".join(f"<th>{h}</th>" for h in ("way", "less", "labels", "points", "95 % interval", "p (Holm)"))
    return (
        f"<p>{len(against)} of {len(found.compared)} comparisons are told apart, {better} of them upwards: every "
        "strategy with random picks in its arm, and every arm with scratch at random picks, on the same images and "
        f"seeds (n = {count(first.n, 'test image')}, {count(first.seeds, 'seed')}; p below 0.05 after Holm's "
        f"correction over all of them).</p><details><summary>All {len(found.compared)} comparisons</summary>"
        f"<table><tr>{heads}</tr>{body}</table></details>"
    )


def _comparison(budget: int, c: Comparison) -> str:
    points = f"{100 * c.difference:+.1f}"
    shown = f"<strong>{points}</strong>" if c.p_adjusted < 0.05 else points
    return (
        f"<tr><td>{escape(c.a)}</td><td>{escape(c.b)}</td><td>{budget:,}</td><td>{shown}</td>"
        f"<td>{100 * c.low:+.1f} to {100 * c.high:+.1f}</td><td>{p_value(c.p_adjusted)}</td></tr>"
    )
