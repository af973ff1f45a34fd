"""The module and the options that a window starts its engine with."""

from __future__ import annotations

from collections.abc import Sequence

from cocadesk.protocol.launch import ENGINE_MODULE, FAKE_MODULE
from ui.kit.preferences import Preference

THREADS = Preference("engine-threads", 0)
"""So many cores the engine may use; 0: all."""
_OPTION = "--threads"


def engine_module(*, is_fake: bool) -> str:
    """The engine itself, or the one that knows made-up photos."""
    return FAKE_MODULE if is_fake else ENGINE_MODULE


def engine_options(others: Sequence[str] = ()) -> tuple[str, ...]:
    """The engine's arguments with the choices as they are now; ``others`` stay."""
    kept = list(others)
    if _OPTION in kept:
        place = kept.index(_OPTION)
        del kept[place : place + 2]
    threads = THREADS.read()
    return (*kept, _OPTION, str(threads)) if threads > 0 else tuple(kept)
