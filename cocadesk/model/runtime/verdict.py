"""Verdicts of comparisons between two ways to compute, kept in the cache folder."""

from __future__ import annotations

import json
import logging
from pathlib import Path

log = logging.getLogger(__name__)


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
