"""From the scope of a request to the keys of its media."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Sequence

from cocadesk.errors import UserError, tr
from cocadesk.library.library import Library
from cocadesk.library.paths import is_under
from cocadesk.library.rows import MediaRow, paths_of
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Scope
from cocadesk.search.filters import parse_filter
from cocadesk.search.matching import keys_in_scope

_SEPARATOR = os.fsencode(os.sep)


def row_of(library: Library, key: str) -> MediaRow:
    """The row of this key.

    Raises:
        UserError: there is none.
    """
    rows = library.media.rows([key])
    if not rows:
        raise UserError(tr("This photo or video is no longer in the library."))
    return rows[0]


def scope_keys(library: Library, scope: Scope) -> list[str]:
    """The media of a scope that are present now; there may be none."""
    folders = [folder.to_bytes() for folder in scope.folders]
    return keys_in_scope(library, scope.keys, folders, parse_filter(scope.filter))


def some_scope_keys(library: Library, scope: Scope) -> list[str]:
    """The media of a scope, for a request that needs some.

    Raises:
        UserError: there are none, or a folder or file names nothing in the library.
    """
    keys = scope_keys(library, scope)
    if not keys or len(scope.folders) > 1:
        _check_folders(library, [folder.to_bytes() for folder in scope.folders])
    if not keys and scope.filter:
        raise UserError(
            tr("Nothing there fits the filter."),
            tr("It was: {filter}", filter=scope.filter),
            tr("Try a wider one."),
        )
    if not keys:
        raise UserError(
            tr("There are no photos in the library yet."), "", tr("Add a folder first.")
        )
    return keys


def _check_folders(library: Library, folders: Sequence[bytes]) -> None:
    paths = sorted(path for one in library.media.present() for path in paths_of(one))
    for folder in folders:
        # Files of the folder come after siblings like "folder.jpg": '.' is before '/'.
        places = (
            bisect_left(paths, folder),
            bisect_left(paths, folder.rstrip(_SEPARATOR) + _SEPARATOR),
        )
        if not any(place < len(paths) and is_under(paths[place], folder) for place in places):
            raise not_in_library(folder)


def not_in_library(path: bytes) -> UserError:
    """The sentence for a file or folder that names nothing in the library."""
    return UserError(
        tr("{path} is not in the library.", path=WirePath.of(path).text),
        "",
        tr("Check the path, or add it: cocadesk index FOLDER."),
    )
