"""The folder of files that the program can make again."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """Compiled and converted models: ``COCADESK_CACHE`` or the user's cache folder."""
    chosen = os.environ.get("COCADESK_CACHE")
    return Path(chosen) if chosen else user_cache_path("cocadesk")
