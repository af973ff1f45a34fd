"""Damaged tables: found by their files, and set back to the newest state that can be read.

A healthy table costs one read of its newest manifest and one look at each file that this
names. A file whose time differs from the one that it was committed with is read against
its checksum. Nothing is thrown away: what is damaged goes into ``damaged/``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cocadesk.errors import kept
from cocadesk.library.lance_files import manifest_name, without
from cocadesk.library.layout import MEDIA, VIEWS_PREFIX
from cocadesk.library.table_files import Candidate, TableFiles, all_tables

log = logging.getLogger(__name__)

_CONTENTS = {
    "media": kept("photos and videos"),
    "edits": kept("people's captions and tags"),
    "roots": kept("folders"),
    "jobs": "jobs",
    "failures": kept("files that could not be read"),
}
# A row of media that is lost loses its key, and with it its vectors; what people said is
# written anew from the log, and the rest by an index that reads all again.
_READ_AS_IT_IS = frozenset({MEDIA})


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What became of a damaged table: in words, for the person."""

    table: str
    notice: str


def damaged_tables(store: Path, *, thorough: bool = False) -> list[str]:
    """The tables whose newest version cannot be used as it was committed."""
    return [one.table for one in all_tables(store, thorough=thorough) if one.is_damaged()]


def mend_tables(
    store: Path,
    aside: Path,
    *,
    can_read: Callable[[str], bool],
    before: Callable[[str], None],
    thorough: bool = False,
) -> Iterator[Damage]:
    """Set each damaged table back, newest readable state first; a lost one is lost.

    ``can_read`` tries to read a table whole: asked where files have no marks because a
    crash came between a commit and its marks. ``aside`` gets the damaged files;
    ``before`` hears of a table before anything of it is moved.
    """
    for files in all_tables(store, thorough=thorough):
        notice = _mend(files, _Aside(files, aside, partial(before, files.table)), can_read)
        if notice is not None:
            log.warning("%s", notice)
            yield Damage(table=files.table, notice=notice)


def _mend(files: TableFiles, aside: _Aside, can_read: Callable[[str], bool]) -> str | None:
    """Make one table readable; a sentence where something was wrong with it."""
    newest = files.newest()
    if newest is not None and not newest.bad and not newest.bad_indexes:
        if newest.is_recorded or can_read(files.table):
            files.settle(newest.version)
            return None
        aside.move(manifest_name(newest.version.number))
    while (chosen := _chosen(files)) is not None:
        _drop_newer(files, chosen, aside)
        if chosen.bad and files.table in _READ_AS_IT_IS and can_read(files.table):
            _accept(files, chosen)
            return kept(
                "The table of {contents} was damaged; some values may be wrong.",
                contents=contents_of(files.table),
            )
        _drop_bad(files, chosen, aside)
        if chosen.is_recorded or can_read(files.table):
            files.settle(chosen.version)
            return _notice(files.table, chosen)
        aside.move(manifest_name(chosen.version.number))
    was_committed = files.was_committed() or aside.holds_any
    aside.move("")
    files.drop()
    if not was_committed:
        return None  # A crash while the table was being made.
    return kept(
        "The table of {contents} was damaged; nothing of it could be saved.",
        contents=contents_of(files.table),
    )


def _chosen(files: TableFiles) -> Candidate | None:
    """The newest version that is whole, unless a newer damaged one holds more rows."""
    best: Candidate | None = None
    for number in files.versions():
        found = files.candidate(number)
        if found is None:
            continue
        if not found.bad:
            return found if best is None or found.rows >= best.rows else best
        if best is None or found.rows > best.rows:
            best = found
    return best


def _drop_newer(files: TableFiles, chosen: Candidate, aside: _Aside) -> None:
    """Make ``chosen`` the newest version."""
    for number in files.versions():
        if number > chosen.version.number:
            aside.move(manifest_name(number))


def _accept(files: TableFiles, chosen: Candidate) -> None:
    """Take the damaged files of ``chosen`` for what they are."""
    for fragment in chosen.version.fragments:
        for path, _ in fragment.files if fragment.number in chosen.bad else ():
            files.forget(path)
    files.settle(chosen.version)


def _drop_bad(files: TableFiles, chosen: Candidate, aside: _Aside) -> None:
    """Write the manifest of ``chosen`` anew without what is damaged of it."""
    version = chosen.version
    if not chosen.bad and not chosen.bad_indexes:
        return
    name = manifest_name(version.number)
    aside.move(name)
    for fragment in version.fragments:
        if fragment.number in chosen.bad:
            for path, _ in fragment.files:
                aside.move(path)
    for index in version.indexes if chosen.bad_indexes else ():
        aside.move(index)
    manifest = without(chosen.manifest, chosen.bad, indexes=not chosen.bad_indexes)
    files.write(name, manifest)


class _Aside:
    """Takes damaged files out of a table's folder into one of their own."""

    def __init__(self, files: TableFiles, aside: Path, before: Callable[[], None]) -> None:
        self._files = files
        self._before = before
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        self._aside = aside / f"{stamp} {files.folder.name}"
        self.holds_any = False

    def move(self, path: str) -> None:
        """Move a file or folder; one that is not there is passed over."""
        if not self._files.has(path):
            return
        if not self.holds_any:
            self._before()
        self._files.move(path, self._aside / (path or "rest"))
        self.holds_any = True


def _notice(table: str, chosen: Candidate) -> str:
    contents = contents_of(table)
    lost = chosen.version.rows - chosen.rows
    if lost:
        return kept(
            "The table of {contents} was damaged; {lost} of its {rows} rows could not be saved.",
            contents=contents,
            lost=f"{lost:,}",
            rows=f"{chosen.version.rows:,}",
        )
    if chosen.bad_indexes:
        return kept(
            "An index of the table of {contents} was damaged; it will be made again.",
            contents=contents,
        )
    when = chosen.version.committed_utc.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return kept(
        "The table of {contents} was damaged; its state of {when} is used.",
        contents=contents,
        when=when,
    )


def contents_of(table: str) -> str:
    """The content of a table in plain words."""
    return kept("search vectors") if table.startswith(VIEWS_PREFIX) else _CONTENTS.get(table, table)
