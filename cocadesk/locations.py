"""What all processes of the program share: folders outside a library, who may read them, and
how a process begins; and the names of model sources.

The one reader of ``COCADESK_LIBRARY`` and ``COCADESK_CACHE``.
"""

from __future__ import annotations

import contextlib
import gc
import os
import stat
from pathlib import Path

from cocadesk.library_uri import followed, is_uri, parse_uri, working_folder

LIBRARY_VARIABLE = "COCADESK_LIBRARY"
CACHE_VARIABLE = "COCADESK_CACHE"

STARTER = "starter"
"""The model that ships; it answers where nobody chose another."""
RUN_PREFIX = "run:"
"""Begins the source of a model that was taught in a library: ``run:ID``."""
FOLDER_PREFIX = "local-dir:"
"""Begins the source of a model in a folder, as open_clip writes it; the path alone does, too."""

UNCHANGED = -1
_PRIVATE = 0o077
_umask_of_person = UNCHANGED


def keep_private() -> None:
    """Let nobody else read what this process makes, libraries below ours included.

    For the start of a process, before it has threads.
    """
    global _umask_of_person
    if _umask_of_person == UNCHANGED:
        _umask_of_person = os.umask(_PRIVATE)


def collect_rarely() -> None:
    """Let the collector look seldom; for the beginning of a process, before what it imports.

    What is imported and read stays, and the collector would go through it again and again:
    6 % of a search on the command line, 14 % of those in the engine, where all threads stood
    still for 150 ms each time.
    """
    gc.set_threshold(50_000, 20, 20)


def umask_of_person() -> int:
    """The umask that the person's own files get; ``UNCHANGED`` where it is the process's.

    For files beside photos, and for processes that a person works with (``Popen`` takes it).
    """
    return _umask_of_person


def close_to_others(folder: Path) -> None:
    """Take a folder that is there from all but its owner; not one that is meant for all (/tmp)."""
    with contextlib.suppress(OSError):
        if not folder.stat().st_mode & stat.S_ISVTX:
            folder.chmod(0o700)


def durable_source(source: str) -> str:
    """The source as it can be remembered: a path that is there is made absolute."""
    where = source.removeprefix(FOLDER_PREFIX)
    try:
        path = Path(where).expanduser()
        is_path = source != STARTER and bool(where.strip()) and path.exists()
    except (OSError, RuntimeError, ValueError):  # far too long, or the home of nobody
        return source
    return str(path.absolute()) if is_path else source


def library_folder(chosen: str = "", *, must_be_there: bool = True) -> Path:
    """The folder of the ``chosen`` library, else of ``COCADESK_LIBRARY``'s, else of the person's.

    Of one in an object store (``s3://…``), the folder on this machine that stands for it; of
    one that was moved, the folder where it is now.

    Raises:
        UserError: the address can't be one of a library, or it was moved and is not there
            though it ``must_be_there``.
    """
    return followed(_named_folder(chosen), must_be_there=must_be_there)


def _named_folder(chosen: str) -> Path:
    import platformdirs

    named = chosen or os.environ.get(LIBRARY_VARIABLE)
    if not named:
        return platformdirs.user_data_path("cocadesk") / "library"
    return working_folder(parse_uri(named), cache_folder()) if is_uri(named) else Path(named)


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
