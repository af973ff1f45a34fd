"""Verdicts of comparisons between two ways to compute, kept in the cache folder."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from cocadesk.locations import cache_folder
from cocadesk.model.ids import ModelIds

log = logging.getLogger(__name__)
#: Grows when the code of decoders of captions changes: they are compared anew.
CAPTION_VERSION = 5


def read_verdict(path: Path) -> dict[str, float] | None:
    """What ``keep_verdict`` wrote; None where there is nothing, or it cannot be read."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return {str(name): float(value) for name, value in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def keep_verdict(found: dict[str, float], path: Path) -> None:
    """Keeps a verdict, whole or not at all; where that fails, it is compared again next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.new")
        fresh.write_text(json.dumps(found), "utf-8")
        fresh.replace(path)
    except OSError as error:
        log.warning("The comparison could not be kept: %s", error)


def are_captions_compared(ids: ModelIds) -> bool:
    """True where a decoder of captions has its verdicts, as far as is known without torch."""
    return _mark_of(ids).exists()


def note_captions_compared(ids: ModelIds) -> None:
    """Lets ``are_captions_compared`` know."""
    try:
        _mark_of(ids).parent.mkdir(parents=True, exist_ok=True)
        _mark_of(ids).touch()
    except OSError as error:
        log.warning("That captions were compared could not be kept: %s", error)


def _mark_of(ids: ModelIds) -> Path:
    return cache_folder() / "compiled" / f"{ids.model_id}-captions-{CAPTION_VERSION}.compared"
