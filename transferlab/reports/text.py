"""What the transfer report says in words and tables: results in, escaped HTML out."""

from __future__ import annotations

from html import escape

from transferlab.backbones import load_backbone
from transferlab.data import Task
from transferlab.reports.html import audit_html
from transferlab.reports.transfer_study import Fits, Opened, Plan
from transferlab.viz import method_name
from transferlab.viz.words import labels


def summary(task: Task, backbones: list[str]) -> str:
    """Task and backbones in two paragraphs."""
    everything = task.draw(None, 0)
    size = "×".join(map(str, task.test.images.shape[2:]))
    parts = [
        f"<p><strong>{escape(task.name)}</strong>: {len(task.classes)} classes, {len(everything.train)} images to "
        f"train on, {len(everything.validation or ())} to validate, {len(task.test)} sealed for the test, "
        f"{size} pixels{', grouped' if task.grouped else ''}.</p>"
    ]
    if task.card:
        parts.append(
            f"<p>It can show: {escape(_sentence(task.card['shows']))} It cannot show: "
            f"{escape(_sentence(task.card['cannot_show']))}</p>"
        )
    for name in backbones:
        backbone = load_backbone(name)
        parameters = sum(s.parameters for s in backbone.stages)
        licence = backbone.card.get("licence")
        parts.append(
            f"<p>Backbone <strong>{escape(name)}</strong>: {parameters:,} parameters, images of "
            f"{backbone.preprocessing.input_size} pixels{'. Licence: ' + escape(licence) if licence else ''}.</p>"
        )
    return "".join(parts)


def _sentence(text: str) -> str:
    return text.rstrip(".") + "."


def audit(task: Task) -> str:
    """The audit of the images as tables."""
    return audit_html(task.audit)


def recommendation(plan: Plan, fits: Fits) -> str:
    """The recommendation and the validation accuracies it was made on."""
    chosen = fits.recommendation
    budget = labels(plan.budgets[chosen.fitted])
    accuracies = fits.fitted[chosen.fitted].val_accuracy
    body = "".join(
        f"<tr><td>{escape(_arm_name(arm))}</td><td>{percent(accuracies[arm.name])}</td></tr>"
        for arm in plan.arms
    )
    return (
        f'<p class="finding"><strong>Use {escape(_arm_name(chosen.arm))}.</strong> {escape(chosen.reason)} '
        f"Made with {budget}, before the test was opened.</p>"
        f"<details><summary>Validation accuracies with {budget}</summary><table><tr><th>method</th>"
        f"<th>validation accuracy</th></tr>{body}</table></details>"
    )


def comparisons(plan: Plan, fits: Fits, opened: Opened) -> str:
    """Every arm less the recommended one on the same images and seeds, corrected by Holm."""
    chosen = fits.recommendation
    names = {arm.name: _arm_name(arm) for arm in plan.arms}
    evaluation = opened.evaluations[chosen.fitted]
    found = evaluation.comparisons(chosen.arm.name)
    body = "".join(
        f"<tr><td>{escape(names[c.a])}</td><td>{100 * c.difference:+.1f}</td>"
        f"<td>{100 * c.low:+.1f} to {100 * c.high:+.1f}</td><td>{p_value(c.p_adjusted)}</td></tr>"
        for c in found
    )
    worse = sum(c.p_adjusted < 0.05 and c.difference < 0 for c in found)
    better = sum(c.p_adjusted < 0.05 and c.difference > 0 for c in found)
    return (
        f"<p>With {labels(plan.budgets[chosen.fitted])}, {worse} of the other {len(found)} methods are worse than the "
        f"recommended one and {better} better, on the same {len(evaluation.truth)} test images and "
        f"{len(plan.seeds)} seeds (p below 0.05 after Holm's correction).</p>"
        "<table><tr><th>less the recommended one</th><th>points</th><th>95 % interval</th><th>p (Holm)</th></tr>"
        f"{body}</table>"
    )


def table(rows: list[dict]) -> str:
    """All results in a folded table."""
    body = "".join(
        f"<tr><td>{escape(method_name(r))}</td><td>{escape(r['backbone'] or '')}</td>"
        f"<td>{'all' if r['labels_per_class'] is None else r['labels_per_class']}</td>"
        f"<td>{percent(r['val_accuracy'])}</td><td>{percent(r['accuracy'])}</td>"
        f"<td>{percent(r['ci_low'])} to {percent(r['ci_high'])}</td><td>{escape(r['interval_method'])}</td>"
        f"<td>{r['fit_seconds']:.1f}</td>"
        f"<td>{r['trainable_parameters']:,}</td></tr>"
        for r in rows
    )
    heads = "method,backbone,labels a class,validation,test,95 % interval,interval by,seconds a fit,trained parameters"
    return (
        f"<details><summary>All {len(rows)} results (n = {rows[0]['n_test']} test images, {rows[0]['seeds']} "
        "seeds)</summary><table><tr>"
        + "".join(f"<th>{h}</th>" for h in heads.split(","))
        + f"</tr>{body}</table></details>"
    )


def _arm_name(arm) -> str:
    name = method_name({"method": arm.method, "trainable_from": arm.trainable_from})
    return f"{name} ({arm.backbone})" if arm.backbone else name


def percent(value: float | None) -> str:
    """A fraction with one decimal of a per cent."""
    return "–" if value is None else f"{value:.1%}"


def p_value(value: float) -> str:
    """A p-value with three decimals, as HTML."""
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"
