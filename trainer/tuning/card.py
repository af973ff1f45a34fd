"""The model card of a taught model."""

from __future__ import annotations

from typing import Any

from trainer.tuning.spec import TeachSpec

_METHODS = {
    "head": "the text side and the decoder; the image side is as it was, so are its vectors",
    "deeper": "the text side, the decoder and the poolers; pictures must be embedded again",
}


def write_card(spec: TeachSpec, base_id: str, result: dict[str, Any]) -> str:
    """Markdown: what it was taught, from what, and how it does before and after."""
    skipped = ", ".join(f"{n} × {reason}" for reason, n in result["skipped"].items())
    trial = (
        "They were measured in a trial that held these photos out; this model has learned "
        "from all of them."
        if result["is_trial"]
        else "They were not learned from; the step that does best on them was taken."
    )
    return f"""# {spec.title or "A taught model"}

Taught by CocaDesk from `{base_id}`. Model id: `{{model_id}}`.

Learned from {result["photos"]} photos with {result["captions"]} captions of a person;
left out: {skipped or "nothing"}. What learned: {_METHODS[spec.method]}.
{result["steps"]} steps.

## The person's own photos, held out

{result["held_out"]} photos. {trial}

{_table(result["before"], result["after"])}

## The general set

The sample photos that ship with CocaDesk; their captions were never learned from.

{_table(result["general_before"], result["general_after"])}

Recall (r1, r5, r10) is in percent with Wilson's 95 % interval, cider_d with a bootstrap
interval; n counts photos. The terms of the model that it was taught from hold for this one.
"""


def _table(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> str:
    past = {row["name"]: row for row in before}
    lines = ["| metric | before | after | n |", "| --- | --- | --- | --- |"]
    for row in after:
        old = past.get(row["name"])
        lines.append(
            f"| {row['name']} | {_figure(old) if old else '–'} | {_figure(row)} | {row['n']} |"
        )
    return "\n".join(lines)


def _figure(row: dict[str, Any]) -> str:
    return f"{row['value']:.4g} ({row['low']:.4g} to {row['high']:.4g})"
