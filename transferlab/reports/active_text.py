"""What the active report says in words and tables: results in, escaped HTML out."""

from __future__ import annotations

import shlex
from html import escape

import numpy as np

from transferlab.active.factorial_summary import Answers, Recommendation
from transferlab.active.strategies import STRATEGIES
from transferlab.active.study_plan import cells, curve_name
from transferlab.backbones import load_backbone
from transferlab.reports.active_findings import Findings
from transferlab.reports.active_study import ActiveFits, ActivePlan
from transferlab.reports.html import audit_html
from transferlab.reports.text import percent
from transferlab.viz import percent as whole
from transferlab.viz import sentence
from transferlab.viz.words import count, in_line, needed_said, range_said

_FEW_SEEDS, _FEW_HELD, _FEW_TESTED = 5, 50, 100

_ARMS = {
    "scratch": "a network trained from nothing",
    "frozen": "a head on the pretrained network's features",
    "last-stage": "the pretrained network, its last stage trained on",
    "all": "the pretrained network, all of it trained on",
    "source-only": "the network trained on the source, no label of these images",
    "SHOT": "the same, adapted to these images without a label",
}


def summary(plan: ActivePlan) -> str:
    """Images, backbone and what is crossed."""
    images, study, net = plan.images, plan.study, load_backbone(plan.study.backbone)
    arms = _listed("What is trained", "arm", {a: _ARMS[a] for a in (*study.arms, *study.without_labels)})
    strategies = _listed(
        "What picks the images", "strategy", {s: STRATEGIES[s].text for s in study.strategies}, "strategies"
    )
    source = ""
    if images.source is not None:
        source = (
            f" Source <strong>{escape(in_line(plan.source_name))}</strong>: {len(images.source):,} labelled images of "
            "the same classes."
        )
    size = "×".join(map(str, images.pool.images.shape[2:]))
    return (
        f"<p><strong>{escape(in_line(plan.task.name))}</strong>: {len(plan.task.classes)} classes; a pool of "
        f"{len(images.pool):,} images whose labels are hidden and told one at a time, {len(images.validation):,} "
        f"labelled images for validation, {len(images.test):,} sealed for the test, {size} pixels"
        f"{', grouped' if plan.task.grouped else ''}.{source}</p>"
        f"<p>Backbone <strong>{escape(in_line(net.name))}</strong>: {sum(s.parameters for s in net.stages):,} "
        f"parameters. Budgets, labels in all: {', '.join(f'{b:,}' for b in study.budgets)}; "
        f"{count(len(study.seeds), 'seed')}, which all ways share; {len(cells(study)):,} learning curves.</p>"
        f"{arms}{strategies}"
    )


def _listed(what: str, noun: str, said: dict[str, str], plural: str = "") -> str:
    items = "".join(
        f"<li><strong>{escape(name)}</strong>: {escape(text)}</li>" for name, text in said.items()
    )
    return f"<details><summary>{what}: {count(len(said), noun, plural)}</summary><ul>{items}</ul></details>"


def audit(plan: ActivePlan) -> str:
    """What reading the images brought up."""
    if not plan.task.audit:
        return "<p>The set comes with transferlab and was checked there.</p>"
    return audit_html(plan.task.audit)


def choice(plan: ActivePlan, fits: ActiveFits) -> str:
    """The recommendation on validation images, what they flatter, warnings, and every candidate."""
    given = (
        "as asked"
        if plan.request.target
        else "nine tenths of the best at random picks or without labels, rounded down to 5 %"
    )
    return (
        f'<p class="finding"><strong>{escape(fits.choice.advice)}.</strong> {escape(reason(fits))} No test label had a '
        "part in it.</p>"
        + _warned(warnings(plan, fits))
        + (
            ""
            if fits.again is None
            else f"<p>{escape(fits.again.sentence(fits.stored, len(fits.cells)))}</p>"
        )
        + f"<p>The target is {whole(fits.choice.target)}, {given}. A strategy is a candidate only where it was told "
        "from random picks in its arm (p below 0.05 after Holm's correction). Validation images flatter: they come "
        "from the same place as the pool, so that what a new place would change is not seen; and the cheapest of many "
        "ways is partly the luckiest. The test below had no say.</p>" + _candidates(fits)
    )


def reason(fits: ActiveFits) -> str:
    """Why it was chosen, and what its name means."""
    n = f"n = {count(fits.validation.n, 'validation image')}, {count(len(fits.validation.seeds), 'seed')}"
    ways, target = count(len(fits.choice.needed), "way"), whole(fits.choice.target)
    why = "the most accurate" if not fits.choice.reached else "the cheapest"
    where = "on validation images" if not fits.choice.reached else f"to {target} of the validation images"
    arm, strategy, _ = fits.choice.curve
    meant = f"{sentence(arm)} is {_ARMS[arm]}"
    if strategy in STRATEGIES:
        meant += f"; {strategy} asks {STRATEGIES[strategy].text}"
    return f"It is {why} of {ways} {where} ({n}). {meant}."


def _candidates(fits: ActiveFits) -> str:
    needed, last = fits.choice.needed, fits.validation.budgets[-1]
    accuracy = {c: float(stack[-1].mean()) for c, stack in fits.validation.correct.items()}
    accuracy |= {(a, "none", "none"): float(t.mean()) for a, t in fits.validation.without_labels.items()}
    order = sorted(accuracy, key=lambda c: (needed.get(c, np.inf), c not in needed, -accuracy[c]))
    body = "".join(
        f"<tr><td>{escape(curve_name(c))}</td><td>{percent(accuracy[c])}</td>"
        f"<td>{needed_said(needed[c], last) if c in needed else 'not told from random picks'}</td></tr>"
        for c in order
    )
    return (
        f"<details><summary>All {len(order)} ways on validation images</summary><table><tr><th>way</th>"
        f"<th>accuracy with {count(last, 'label')}</th><th>labels to the target</th></tr>{body}</table></details>"
    )


def warnings(plan: ActivePlan, fits: ActiveFits) -> list[str]:
    """What limits the choice, as far as is known before the test is opened."""
    seeds, held, said = len(plan.study.seeds), len(plan.images.validation), []
    if seeds < _FEW_SEEDS:
        said.append(
            f"{count(seeds, 'seed')} say little about luck in the draw: intervals are too narrow or very wide. "
            f"Take --seeds 10, or the profile report, before you act on it."
        )
    if held < _FEW_HELD:
        said.append(f"Only {count(held, 'validation image')} chose: another few might have chosen otherwise.")
    if not fits.choice.reached:
        said.append(
            f"No way reached {whole(fits.choice.target)} on validation images; the labels for it are not known, only "
            "that more are needed."
        )
    best = max(float(stack.mean((1, 2)).max()) for stack in fits.validation.correct.values())
    chance = 1 / len(plan.task.classes)
    if best < 1.5 * chance:
        said.append(
            f"Nothing was learnt: the best way is at {percent(best)} of the validation images, chance is about "
            f"{percent(chance)}. Give more labels or a larger profile."
        )
    return said


def opened_warnings(fits: ActiveFits, found: Findings, test: Answers) -> list[str]:
    """What the opened test warns of."""
    said = []
    if test.n < _FEW_TESTED:
        said.append(
            f"The test has only {count(test.n, 'image')}: intervals are wide, and small gains go unseen."
        )
    if found.compared and not found.told_apart:
        said.append(
            f"None of {len(found.compared)} comparisons is told apart after Holm's correction: no strategy is shown to "
            "differ from random picks, and no arm from training from scratch."
        )
    budget, interval = fits.choice.tested(test)
    flattered = _validation_accuracy(fits, fits.choice, budget) - interval.estimate
    if flattered > interval.high - interval.estimate:
        said.append(
            f"Validation flattered the choice: {percent(interval.estimate + flattered)} there, "
            f"{percent(interval.estimate)} on the test. Expect what the test says."
        )
    return said


def _validation_accuracy(fits: ActiveFits, chosen: Recommendation, budget: int) -> float:
    answers = fits.validation
    if chosen.curve[1] == "none":
        return float(answers.without_labels[chosen.curve[0]].mean())
    return float(answers.correct[chosen.curve][answers.budgets.index(budget)].mean())


def tested(fits: ActiveFits, found: Findings, test: Answers) -> str:
    """What the test says of the choice, and what it warns of."""
    budget, i = fits.choice.tested(test)
    there = _validation_accuracy(fits, fits.choice, budget)
    return (
        f'<p class="finding">{escape(curve_name(fits.choice.curve))} with {count(budget, "label")}: '
        f"<strong>{percent(i.estimate)}</strong> of the test images are right (95 % interval {percent(i.low)} to "
        f"{percent(i.high)}, n = {count(i.n, 'test image')}, {count(i.seeds, 'seed')}); on validation images it was "
        f"{percent(there)}.</p>" + _on_test(fits, found, test) + _warned(opened_warnings(fits, found, test))
    )


def _on_test(fits: ActiveFits, found: Findings, test: Answers) -> str:
    """The labels that the chosen way needs on the test, beside those it was chosen for."""
    need, chosen, most = found.needed.get(fits.choice.curve), fits.choice, test.budgets[-1]
    if need is None or not chosen.reached:
        return ""
    needs = f"{needed_said(need.needed, most)} labels (95 % interval {range_said(need.low, need.high, most)})"
    return (
        f"<p>To {whole(chosen.target)} of the test images that way needs {needs}; "
        f"on validation images it was {chosen.budget:,}. Plan with the larger number.</p>"
    )


def curves_table(found: Findings, test: Answers) -> str:
    """Every curve at every budget, folded."""
    body = "".join(
        f"<tr><td>{escape(curve_name((r['arm'], r['strategy'], r['picker_features'])))}</td><td>{r['budget']:,}</td>"
        f"<td>{percent(r['accuracy'])}</td><td>{percent(r['ci_low'])} to {percent(r['ci_high'])}</td></tr>"
        for r in found.curves
    )
    return (
        f"<details><summary>All {len(found.curves)} points of all curves (n = {count(test.n, 'test image')}, "
        f"{count(len(test.seeds), 'seed')})</summary><table><tr><th>way</th><th>labels</th><th>accuracy</th>"
        f"<th>95 % interval</th></tr>{body}</table></details>"
    )


def _warned(texts: list[str]) -> str:
    return "".join(f'<p class="warning">{escape(text)}</p>' for text in texts)


def made_with(plan: ActivePlan, content: dict) -> str:
    """What comes next, looks at the test, files, environment and the exact command."""
    facts = ", ".join(f"{escape(str(k))} {escape(str(v))}" for k, v in content["environment"].items())
    command = f"<p>Command: <code>{escape(content['command'])}</code></p>" if content["command"] else ""
    looks = content["test_looks"]
    strategy = content["recommendation"]["strategy"]
    following = ""
    if strategy not in ("none", "random"):
        asks = f"transferlab active next LABELLED --unlabelled FOLDER --strategy {shlex.quote(strategy)}"
        following = f"<p>To label by it: <code>{escape(asks)}</code></p>"
    return (
        f"{following}<p>The test was opened {'once' if looks == 1 else f'{looks} times'}, for all curves together. "
        "<code>results.json</code> holds every number. Curves are kept in the cache folder as they are done: the same "
        f"command goes on where it was stopped.</p>{command}<p>Made with {facts}.</p>"
    )
