"""Where the test media lie that are too large or too unfree to commit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared_path(relative: str) -> Path:
    """A file or folder of the shared test media; skips the test where it is absent.

    The folder is ``../shared`` beside the checkout, or ``COCADESK_SHARED``.
    """
    default = Path(__file__).resolve().parents[3] / "shared"
    root = Path(os.environ.get("COCADESK_SHARED", default))
    path = root / relative
    if not path.exists():
        pytest.skip(f"the shared test media are not here ({relative})")
    return path
