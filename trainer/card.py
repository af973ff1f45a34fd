"""The model cards that trainings write beside the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.config import TrainConfig


def train_card(
    config: TrainConfig, notes: Mapping[str, Any], figures: Mapping[str, float], step: int
) -> str:
    """Markdown of a trained model: its data, its training, its figures on the dev sets."""
    data = "\n".join(f"- {name}" for name in notes.get("shards", []))
    rows = [(name, f"{value:.4g}") for name, value in figures.items()]
    return f"""# {config.model.name}

A CoCa network (contrastive captioner, arXiv 2205.01917) trained by CocaDesk.
Model id: `{{model_id}}`.

## Training data

{data}

{notes.get("pictures", 0)} pictures with {notes.get("captions", 0)} captions;
skipped: {_counts(notes.get("skipped") or {})}.

## Training

Step {step} of {config.optimiser.steps}, batch {config.optimiser.batch}, weights averaged over
time: {"yes" if config.optimiser.ema_decay else "no"}. Loss: {config.loss.contrastive} ×
contrastive (both directions summed, as in the paper) + {config.loss.caption} × captioning.

## Figures on the dev sets (used to choose this checkpoint)

{_table(("metric", "value"), rows)}

Recall (r1, r5, r10) is in percent; cider_d 1.0 is what papers print as 100; captions
are written with {config.evaluation.beams} beam(s) here.
"""


def tuning_card(title: str, learns: str, base_id: str, result: Mapping[str, Any]) -> str:
    """Markdown of a tuned model: what it was tuned on, and its figures before and after."""
    trial = (
        "They were measured in a trial that held these photos out; this model has learned "
        "from all of them."
        if result["is_trial"]
        else "They were not learned from; the step that does best on them was taken."
    )
    skipped = _counts({reason: files["count"] for reason, files in result["skipped"].items()})
    return f"""# {title or "A tuned model"}

Tuned by CocaDesk from `{base_id}`. Model id: `{{model_id}}`.

Learned from {result["photos"]} photos with {result["captions"]} human captions;
skipped: {skipped}. Trained parts: {learns}.
{result["steps"]} steps.

## The owner's photos, held out

{result["held_out"]} photos. {trial}

{_before_after(result["before"], result["after"])}

## The general set

The sample photos that ship with CocaDesk; their captions were never learned from.

{_before_after(result["general_before"], result["general_after"])}

Recall (r1, r5, r10) is in percent with Wilson's 95 % interval, cider_d with a bootstrap
interval; n counts photos. The licence terms of the base model hold for this one.
"""


def _counts(skipped: Mapping[str, int]) -> str:
    return ", ".join(f"{count} × {reason}" for reason, count in skipped.items()) or "nothing"


def _before_after(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> str:
    past = {row["name"]: _figure(row) for row in before}
    rows = [(r["name"], past.get(r["name"], "–"), _figure(r), str(r["n"])) for r in after]
    return _table(("metric", "before", "after", "n"), rows)


def _figure(row: Mapping[str, Any]) -> str:
    return f"{row['value']:.4g} ({row['low']:.4g} to {row['high']:.4g})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
