"""Folders of the program outside a library, and the names of model sources.

The one reader of ``COCADESK_LIBRARY`` and ``COCADESK_CACHE``.
"""

from __future__ import annotations

import os
from pathlib import Path

LIBRARY_VARIABLE = "COCADESK_LIBRARY"
CACHE_VARIABLE = "COCADESK_CACHE"

STARTER = "starter"
"""The model that ships; it answers where nobody chose another."""
RUN_PREFIX = "run:"
"""Begins the source of a model that was taught in a library: ``run:ID``."""


def durable_source(source: str) -> str:
    """The source as it can be remembered: a path that is there is made absolute."""
    if source == STARTER or not Path(source).expanduser().exists():
        return source
    return str(Path(source).expanduser().absolute())


def library_folder() -> Path:
    """The person's own library, or where ``COCADESK_LIBRARY`` points."""
    import platformdirs

    named = os.environ.get(LIBRARY_VARIABLE)
    return Path(named) if named else platformdirs.user_data_path("cocadesk") / "library"


def cache_folder() -> Path:
    """The folder of files that can be made again, or where ``COCADESK_CACHE`` points."""
    import platformdirs

    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else platformdirs.user_cache_path("cocadesk")


def text_vectors_folder() -> Path:
    """The vectors of vocabularies, by model; shared by the engine and the commands."""
    return cache_folder() / "text-vectors"


def log_file() -> Path:
    """The file for tracebacks of bugs; ``COCADESK_CACHE`` moves it along."""
    import platformdirs

    named = os.environ.get(CACHE_VARIABLE)
    folder = Path(named) / "log" if named else platformdirs.user_log_path("cocadesk")
    return folder / "cocadesk.log"
