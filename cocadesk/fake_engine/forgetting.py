"""The fake engine's forgetting and excluding, by path."""

from __future__ import annotations

import dataclasses
import fnmatch
import os
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.fake_engine.library import FakeLibrary
from cocadesk.fake_engine.rows import FakeContext
from cocadesk.protocol.calls import Call
from cocadesk.protocol.endpoint import last_view_file
from cocadesk.protocol.messages import (
    Excluded,
    FilesNoted,
    Forget,
    Forgotten,
    ListRoots,
    NoteFiles,
    Roots,
    RowsChanged,
    SetExcludes,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import ForgottenValue, RootValue, changed


class FakeForgetting:
    """Takes media out of the list; none is ever missing here, so none is purged."""

    def __init__(self, context: FakeContext, library: FakeLibrary) -> None:
        self._context = context
        self._roots = library.roots
        self._excludes: dict[WirePath, tuple[WirePath, ...]] = {}

    def _forget(self, body: Forget, call: Call) -> Forgotten:
        if body.is_missing:
            return Forgotten(counts=ForgottenValue())
        media = self._context.media
        places = [path.to_str() for path in body.paths]
        chosen = [key for key, m in media.items() if _is_in(m.row.path, places)]
        gone = [root for root in self._roots if _is_in(root, places)]
        if not chosen and not gone:
            raise UserError(f"{body.paths[0].text} is not in the library.", "", "Add it first.")
        patterns = {
            root: tuple(
                WirePath.of("/" + os.path.relpath(place, root.to_str()))
                for place in places
                if Path(root.to_str()) in Path(place).parents
            )
            for root in self._roots
            if root not in gone
        }
        if not body.is_preview:
            last_view_file(self._context.library).unlink(missing_ok=True)
        counts = ForgottenValue(
            media=len(chosen),
            vectors=len(chosen),
            captions=sum(key in self._context.described for key in chosen),
            folders=len(gone),
        )
        if not body.is_preview:
            for key in chosen:
                del media[key]
            self._roots[:] = [root for root in self._roots if root not in gone]
            for root, own in patterns.items():
                self._excludes[root] = self._excludes.get(root, ()) + own
            self._context.publish(RowsChanged())
        return Forgotten(counts=counts, excluded=tuple(p for own in patterns.values() for p in own))

    def _note(self, body: NoteFiles, call: Call) -> FilesNoted:
        """Made-up files are never in their places: those that are asked about leave the list."""
        media = self._context.media
        gone = [key for key in body.keys if key in media and not media[key].is_missing]
        gone = [key for key in gone if not Path(media[key].row.path.to_str()).exists()]
        back = [key for key in body.keys if key in media and media[key].is_missing]
        back = [key for key in back if Path(media[key].row.path.to_str()).exists()]
        for key in (*gone, *back):
            media[key] = dataclasses.replace(media[key], is_missing=key in gone)
        if gone or back:
            self._context.publish(RowsChanged(keys=(*gone, *back)))
        return FilesNoted(missing=tuple(gone), present=tuple(back))

    def _set_excludes(self, body: SetExcludes, call: Call) -> Excluded:
        if body.folder not in self._roots:
            raise UserError(f"{body.folder.text} is not in the library.", "", "Add it first.")
        had = self._excludes.get(body.folder, ())
        for pattern in body.remove:
            if pattern not in had:
                raise UserError(f"{pattern.text} is not excluded in {body.folder.text}.")
        kept = [one for one in dict.fromkeys((*had, *body.add)) if one not in body.remove]
        self._excludes[body.folder] = tuple(kept)
        new = [one.text for one in body.add]
        hidden = [
            key
            for key, medium in self._context.media.items()
            if any(fnmatch.fnmatch(medium.row.name, pattern) for pattern in new)
        ]
        for key in hidden:
            medium = self._context.media[key]
            row = changed(medium.row, state="missing")
            self._context.media[key] = dataclasses.replace(medium, row=row)
        if hidden:
            self._context.publish(RowsChanged())
        return Excluded(folder=body.folder, patterns=tuple(kept), hidden=len(hidden))

    def _list_roots(self, body: ListRoots, call: Call) -> Roots:
        return Roots(
            roots=tuple(
                RootValue(path=root, excludes=self._excludes.get(root, ())) for root in self._roots
            )
        )


def _is_in(path: WirePath, places: list[str]) -> bool:
    own = Path(path.to_str())
    return any(own == Path(place) or Path(place) in own.parents for place in places)
