"""The bundled networks as lines of text."""

from __future__ import annotations

from transferlab.backbones import backbone_card, bundled_names
from transferlab.backbones.bundled import WEIGHTS


def model_lines() -> list[str]:
    """One line a network, then the licence of the weights."""
    lines = []
    for name in bundled_names():
        card = backbone_card(name)
        accuracy = card.get("validation_top1")
        reached = "" if accuracy is None else f", top-1 {accuracy:.1%} on held-out images of its source"
        lines.append(
            f"{name:16} {card.get('parameters', 0):>9,} parameters; {card.get('summary', '')}{reached}"
        )
    licence = (WEIGHTS / "WEIGHTS_LICENSE").read_text(encoding="utf-8")
    return [*lines, "", *licence.strip().splitlines()]
