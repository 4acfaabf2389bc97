"""What the transfer report says beside accuracies: shortcuts, labels, confidence, size; escaped HTML out."""

from __future__ import annotations

import shlex
from html import escape

from transferlab import viz
from transferlab.reports.close_look import LEAST_VALIDATION, CloseLook, Explained
from transferlab.reports.text import percent
from transferlab.reports.transfer_study import Fits, Opened, Plan
from transferlab.viz.words import count, in_line

_SHORTCUTS = {
    "colour": "colour and brightness alone (six numbers an image)",
    "file": "the files alone (width, height, bytes, format, EXIF)",
}
LARGER = "timm/resnet50"


def labels_worth(plan: Plan, look: CloseLook) -> str:
    """Labels that pretraining saves, a sentence for each budget."""
    if not look.saved:
        return (
            "<p>There is nothing to compare: labels saved need a pretrained method and one from scratch.</p>"
        )
    first, *rest = look.saved
    more = "".join(f"<li>{escape(s.sentence)}</li>" for s in rest)
    folded = f"<details><summary>At the other budgets</summary><ul>{more}</ul></details>" if more else ""
    return f'<p class="finding">{escape(first.sentence)}</p>{folded}'


def no_curve(plan: Plan) -> str:
    """Why there is no estimate of what more labels would buy."""
    return "<p>One label budget makes no curve: give two or more to estimate what more labels would buy.</p>"


def shortcuts(plan: Plan, fits: Fits, opened: Opened) -> str:
    """How far one gets without looking at what is in the picture."""
    chosen = fits.recommendation
    own = opened.evaluations[chosen.fitted][chosen.arm.name]
    chance = 1 / len(plan.task.classes)
    rows = [(_SHORTCUTS[row.name], row) for row in opened.shortcuts.rows]
    body = "".join(
        f"<tr><td>{escape(name)}</td><td>{percent(r.accuracy)}</td>"
        f"<td>{percent(r.ci_low)} to {percent(r.ci_high)}</td></tr>"
        for name, r in [*rows, ("the recommended model", own)]
    )
    warned = [_warning(row, own, chance) for _, row in rows]
    absent = (
        ""
        if "file" in plan.shortcuts
        else "<p>These images come from no files, so there are no file facts to try.</p>"
    )
    return (
        f"{''.join(filter(None, warned)) or _no_shortcut(rows, chance)}"
        f"<table><tr><th>what is seen</th><th>test accuracy</th><th>95 % interval</th></tr>{body}</table>{absent}"
        f"<p>n = {own.n_test:,} test images, {own.seeds} seeds; always naming one class would be right about "
        f"{percent(chance)} of the time where classes are of equal size.</p>"
    )


def _warning(row, own, chance: float) -> str:
    """Where a shortcut goes half of the way from chance to the model, or further."""
    share = (row.ci_low - chance) / max(own.accuracy - chance, 1e-9)
    if share < 0.5:
        return ""
    return (
        f'<p class="warning">{escape(viz.sentence(_SHORTCUTS[row.name]))} reach {percent(row.accuracy)}. A network '
        "can do the same, and will fail where light, camera or software change: collect images in which these do "
        "not go with the class, and test on them.</p>"
    )


def _no_shortcut(rows, chance: float) -> str:
    best = max(rows, key=lambda pair: pair[1].accuracy)
    return (
        f"<p>No shortcut was found that explains the model: {escape(best[0])} reach {percent(best[1].accuracy)}, "
        f"chance is about {percent(chance)}.</p>"
    )


def threshold(look: CloseLook) -> str:
    """A confidence to abstain below, chosen on validation and measured on the test."""
    t = look.threshold
    if t is None:
        return (
            f"<p>No confidence to abstain below is proposed: that needs {LEAST_VALIDATION} validation images or more, "
            "and a confidence from which on 95 % of their answers are right.</p>"
        )
    return (
        f"<p>To answer only when 95 % of answers should be right, take a confidence of at least {t.confidence:.2f} "
        f"(chosen on {count(t.n_validation, 'validation image')}). On the test the model then answers "
        f"{percent(t.coverage)} of the images and is right in {percent(t.accuracy)} of those "
        f"(n = {count(t.n_test, 'test image')}, first seed).</p>"
    )


def heat_map_captions(explained: Explained, classes) -> list[tuple[str, str]]:
    """Two lines below each picture."""
    names = [in_line(name) for name in classes]
    return [
        (f"answer, {viz.percent(p)}: {names[said]}", "right" if said == true else f"truth: {names[true]}")
        for said, true, p in zip(explained.answers, explained.truth, explained.confidence, strict=True)
    ]


def heat_map_finding(explained: Explained) -> str:
    """Whether such maps may be read at all, by the randomization check."""
    check = explained.check
    r, low, high = check.correlations[-1], check.low[-1], check.high[-1]
    ground = f"(rank correlation with an untrained network's {r:.2f}, {low:.2f} to {high:.2f}, n = {check.n} images)"
    if check.passed:
        return f"Heat maps show what {explained.stage} uses for its answers, and depend on what was learnt {ground}"
    return f"Do not read these heat maps: an untrained network gives nearly the same ones {ground}"


def no_heat_maps() -> str:
    """Why there are none."""
    return (
        "<p>The recommended model has no map with places, so there is nowhere to look for its evidence.</p>"
    )


def no_suspects() -> str:
    """Why labels were not checked."""
    return "<p>Labels could not be checked: some class has too few images (or groups) to answer without them.</p>"


def size(look: CloseLook, plan: Plan, environment: dict) -> str:
    """Parameters, megabytes and milliseconds."""
    s = look.size
    where = (
        environment["device"]
        if plan.device != "cpu"
        else f"this CPU with {count(environment['threads'], 'thread')}"
    )
    return (
        f"<p>The recommended model has {s.parameters:,} parameters ({s.megabytes:.1f} MB). On {escape(where)}, from "
        f"pixels to an answer, one image takes {s.alone_ms:.1f} ms, and {s.batch_ms:.1f} ms each in a batch of "
        f"{s.batch} (medians).</p>"
    )


def larger(task: str, backbones: list[str]) -> str:
    """What to try next where only the small bundled network was a candidate."""
    if any(not name.startswith(("tiny", "zoo-")) for name in backbones):
        return ""
    names = " and ".join(map(escape, backbones))
    command = f"transferlab report transfer {shlex.quote(task)} --backbone tiny --backbone {LARGER} --out larger-report"
    return (
        f"<p>The only candidate was {names}, a small network for 64-pixel images. A larger one that sees 224 pixels is "
        f"usually better; its weights are downloaded once: <code>{escape(command)}</code></p>"
    )


def made_with(content: dict) -> str:
    """Looks at the test, files, environment and the exact command."""
    facts = ", ".join(f"{escape(str(k))} {escape(str(v))}" for k, v in content["environment"].items())
    looks = content["test_looks"]
    command = f"<p>Command: <code>{escape(content['command'])}</code></p>" if content["command"] else ""
    return (
        f"<p>The test was opened {looks} time{'' if looks == 1 else 's'}. <code>results.json</code> holds every "
        "number, <code>model/</code> the recommended model, for this package and as ONNX; "
        "<code>transferlab predict model/ IMAGES</code> applies it.</p>"
        f"{command}<p>Made with {facts}.</p>"
    )
