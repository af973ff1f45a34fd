"""The model card that a run writes beside its weights."""

from __future__ import annotations

from typing import Any

from trainer.config import TrainConfig


def write_card(
    config: TrainConfig, notes: dict[str, Any], figures: dict[str, float], step: int
) -> str:
    """Markdown: what the model is, what it learned from, how well it does on the dev sets."""
    data = "\n".join(f"- {name}" for name in notes.get("shards", []))
    table = "\n".join(f"| {name} | {value:.4g} |" for name, value in figures.items())
    skipped = notes.get("skipped") or {}
    passed = ", ".join(f"{count} × {reason}" for reason, count in skipped.items()) or "nothing"
    return f"""# {config.model.name}

A CoCa network (contrastive captioner, arXiv 2205.01917) trained by CocaDesk.
Model id: `{{model_id}}`.

## Learned from

{data}

{notes.get("pictures", 0)} pictures with {notes.get("captions", 0)} captions; left out: {passed}.

## Training

Step {step} of {config.optimiser.steps}, batch {config.optimiser.batch}, weights averaged over
time: {"yes" if config.optimiser.ema_decay else "no"}. Loss: {config.loss.contrastive} ×
contrastive (both directions summed, as in the paper) + {config.loss.caption} × captioning.

## Figures on the dev sets (used to choose this checkpoint)

| metric | value |
| --- | --- |
{table}

Recall (r1, r5, r10) is in percent; cider_d 1.0 is what papers print as 100; captions
are written with {config.evaluation.beams} beam(s) here.
"""
