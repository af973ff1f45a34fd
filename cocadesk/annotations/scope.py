"""The media that a command on captions or tags is for."""

from __future__ import annotations

from collections.abc import Sequence

from cocadesk.library import Library, MediaState
from cocadesk.library.paths import is_under


def keys_in_scope(library: Library, keys: Sequence[str], folders: Sequence[bytes]) -> list[str]:
    """``keys`` in their order, then the present media under ``folders`` by path.

    Neither means all present media. A folder may also be a single file.
    """
    chosen = dict.fromkeys(keys)
    if folders or not chosen:
        present = [
            (identity.path, identity.key)
            for identity in library.media.identities()
            if identity.state == MediaState.PRESENT
        ]
        chosen.update(
            dict.fromkeys(
                key
                for path, key in sorted(present)
                if not folders or any(is_under(path, folder) for folder in folders)
            )
        )
    return list(chosen)
