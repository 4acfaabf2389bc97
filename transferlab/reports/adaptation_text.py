"""What the adaptation report says in words and tables: results in, escaped HTML out."""

from __future__ import annotations

from html import escape

import numpy as np

from transferlab.adaptation import METHODS, VALIDATORS
from transferlab.adaptation.study import SOURCE_ONLY
from transferlab.reports.adaptation_domains import Domains
from transferlab.reports.adaptation_study import AdaptationFits, AdaptationPlan, Choice
from transferlab.reports.html import audit_html
from transferlab.reports.text import percent
from transferlab.viz.words import count, in_line


def summary(domains: Domains) -> str:
    """Both domains and the backbone in two paragraphs."""
    labels = (
        "without labels; there is no column of accuracies then"
        if domains.test is None
        else f"and {len(domains.test)} others with labels, sealed, which choose nothing"
    )
    net = domains.backbone
    parameters = sum(stage.parameters for stage in net.stages)
    return (
        f"<p>Source <strong>{escape(in_line(domains.source_name))}</strong>: {len(domains.classes)} classes, "
        f"{len(domains.source)} labelled images and {len(domains.source_held)} others for "
        f"validators. Target <strong>{escape(in_line(domains.target_name))}</strong>: "
        f"{len(domains.target)} images to adapt to, {labels}.</p>"
        f"<p>Backbone <strong>{escape(net.name)}</strong>: {parameters:,} parameters, images of "
        f"{net.preprocessing.input_size} pixels; both domains are first reduced to {domains.resolution} pixels where "
        "they have more, so that sharpness does not tell them apart.</p>"
    )


def audits(domains: Domains) -> str:
    """What reading brought up, for either domain."""
    parts = []
    for name, audit in (
        (domains.source_name, domains.source_audit),
        (domains.target_name, domains.target_audit),
    ):
        if audit:
            parts.append(f"<p><strong>{escape(in_line(name))}</strong></p>{audit_html(audit)}")
    return "".join(parts) or "<p>Both sets come with transferlab and were checked there.</p>"


def diagnosis(fits: AdaptationFits) -> str:
    """What held-out source images and target images show of the shift, sentence by sentence."""
    found = fits.diagnosis
    if isinstance(found, str):
        return f'<p class="warning">{escape(found)}</p>'
    first, *rest = found.sentences
    items = "".join(f"<li>{escape(text)}</li>" for text in rest)
    return f'<p class="finding">{escape(first)}</p><ul>{items}</ul>'


def warnings(fits: AdaptationFits) -> list[str]:
    """Why adaptation may not help here; empty where nothing speaks against it."""
    choice, found, said = fits.choice, fits.diagnosis, []
    if choice.method == SOURCE_ONLY:
        said.append(
            "Nothing helps here: the validator prefers no method to the source-only model, which is therefore kept."
        )
    elif not choice.helps:
        said.append(
            f"It is not sure that adaptation helps: {choice.method} scores above the source-only model in "
            f"{choice.better_in} of {count(choice.seeds, 'seed')}. Label some target images before you rely on it."
        )
    if not isinstance(found, str):
        if not found.detected:
            said.append("No shift was detected between the domains, so there may be nothing to repair.")
        if found.proportions_changed:
            said.append(
                "Class proportions seem to have changed, or the source-only model fails for some classes more than for "
                "others. If they have, methods that make whole domains alike may then harm, and the "
                f"validator ({choice.validator}), which prefers all classes to be equally frequent, may prefer the "
                "wrong ones: label some target images before you rely on the choice."
            )
    return said


def recommendation(plan: AdaptationPlan, fits: AdaptationFits) -> str:
    """The choice, warnings, and every validator's score of every method."""
    choice = fits.choice
    left = [name for name in METHODS if name not in plan.methods]
    not_tried = f"<p>Not tried in this profile: {escape(', '.join(left))}.</p>" if left else ""
    return (
        f'<p class="finding"><strong>Use {escape(choice.method)}.</strong> {escape(reason(choice))} No target label '
        "had a part in it.</p>"
        + "".join(f'<p class="warning">{escape(text)}</p>' for text in warnings(fits))
        + not_tried
    )


def reason(choice: Choice) -> str:
    """Why it was chosen, in one sentence."""
    if choice.method == SOURCE_ONLY:
        return f"No method has a larger {choice.validator} score (mean over {count(choice.seeds, 'seed')})."
    return (
        f"It has the largest {choice.validator} score, {choice.mean(choice.method):.3f} against "
        f"{choice.mean(SOURCE_ONLY):.3f} of the source-only model (mean over {count(choice.seeds, 'seed')})."
    )


def scores_table(fits: AdaptationFits) -> str:
    """All validators, folded; the largest of each stands out."""
    names = sorted(fits.choice.scores, key=lambda name: -fits.choice.mean(name))
    means = {v: {n: float(np.mean([r.scores[v][n] for r in fits.runs])) for n in names} for v in VALIDATORS}
    heads = "".join(f"<th>{escape(v)}</th>" for v in VALIDATORS)
    body = "".join(
        f"<tr><td>{escape(name)}</td>" + "".join(_score(means[v], name) for v in VALIDATORS) + "</tr>"
        for name in names
    )
    return (
        "<details><summary>All validators, mean over seeds; larger is better, the largest of each in bold</summary>"
        f"<table><tr><th>method</th>{heads}</tr>{body}</table></details>"
    )


def _score(column: dict[str, float], name: str) -> str:
    text = f"{column[name]:.3f}"
    return f"<td><strong>{text}</strong></td>" if column[name] == max(column.values()) else f"<td>{text}</td>"


def opened_text(fits: AdaptationFits, opened: dict | None) -> str:
    """What the target's labels say of the choice, once it is made."""
    if opened is None:
        return (
            "<p>The target has no labels, so nobody can know how many answers are right. The scores above order "
            "methods; they are no accuracies.</p>"
        )
    rows, chosen = opened["methods"], fits.choice.method
    best = max(rows, key=lambda name: rows[name]["estimate"])
    cost = 100 * (rows[best]["estimate"] - rows[chosen]["estimate"])
    lost = "is the best" if chosen == best else f"cost {cost:.1f} points against the best"
    parts = [
        f"<p>The choice without labels {lost} on these very labels. Points from the source-only model, paired by seed "
        f"and image: {'; '.join(_gain(rows, name) for name in dict.fromkeys((chosen, best)))}.</p>"
    ]
    if chosen != SOURCE_ONLY and rows[chosen]["gain"]["low"] <= 0:
        parts.append(
            '<p class="warning">On these labels adaptation is not shown to help: the interval of what it gains reaches '
            "down to zero.</p>"
        )
    return "".join(parts)


def _gain(rows: dict[str, dict], name: str) -> str:
    gain = rows[name]["gain"]
    if gain is None:
        return f"{escape(name)} none"
    ends = f"95 % interval {100 * gain['low']:+.1f} to {100 * gain['high']:+.1f}"
    return f"{escape(name)} {100 * gain['difference']:+.1f} ({ends})"


def table(rows: list[dict]) -> str:
    """Every method in one table; the accuracies stand there where the target has labels."""
    heads = ["method", "validator's score"]
    known = rows[0]["oracle_accuracy"] is not None
    heads += ["accuracy by target labels", "95 % interval"] if known else []
    heads += ["seconds a fit"]
    body = ""
    for r in sorted(rows, key=lambda r: -r["score"]):
        cells = [escape(r["method"]), f"{r['score']:.3f}"]
        if known:
            cells += [percent(r["oracle_accuracy"]), f"{percent(r['ci_low'])} to {percent(r['ci_high'])}"]
        cells.append(f"{r['fit_seconds']:.1f}")
        body += "<tr>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"
    n = f", n = {count(rows[0]['n_test'], 'target test image')}" if known else ""
    return (
        f"<details open><summary>All {len(rows)} methods ({count(rows[0]['seeds'], 'seed')}{n}); the first is the "
        f"choice</summary><table><tr>{''.join(f'<th>{h}</th>' for h in heads)}</tr>{body}</table></details>"
    )


def made_with(content: dict) -> str:
    """Files, environment and the exact command."""
    facts = ", ".join(f"{escape(str(k))} {escape(str(v))}" for k, v in content["environment"].items())
    command = f"<p>Command: <code>{escape(content['command'])}</code></p>" if content["command"] else ""
    looks = content["test_looks"]
    opened = (
        "The target has no labels to open"
        if not looks
        else f"The target's labels were opened {'once' if looks == 1 else f'{looks} times'}"
    )
    chosen = content["recommendation"]["method"]
    return (
        f"<p>{opened}. <code>results.json</code> holds every number, <code>model/</code> "
        f"{escape(chosen)} of the first seed, for this package and as ONNX; <code>transferlab predict model/ IMAGES"
        f"</code> applies it to images of the target.</p>{command}<p>Made with {facts}.</p>"
    )
