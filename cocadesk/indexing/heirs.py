"""Human annotations of media that are gone go to an equal file that is still there."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from cocadesk.indexing.identity import common_ending
from cocadesk.library.edits import NO_WORDS, PERSON, fields_of
from cocadesk.library.library import Library
from cocadesk.library.rows import Edit, Identity, MediaRow, MediaState, new_key


def inherit(library: Library, identities: Sequence[Identity]) -> None:
    """Give what people said of missing files to their copies.

    A copy inherits where no other holder of its bytes is left that has annotations, and
    where nobody ever said anything about it: who takes the inheritance back keeps it so.
    It is one batch of the log, which undo takes back.
    """
    wanted = _missing_with_equal(identities)
    if not wanted:
        return
    # Held from the look into the log to the entry: a person may be writing at this moment.
    with library.writing():
        heirs = dict(_heirs(wanted, library.edits.annotated_keys()))
        rows = {row.key: row for row in library.media.rows(sorted({*heirs, *heirs.values()}))}
        batch, now, nothing = new_key(), datetime.now(UTC), fields_of(NO_WORDS)
        library.edits.record(
            [
                Edit(
                    batch=batch,
                    key=heir,
                    who=PERSON,
                    when=now,
                    field=name,
                    old=json.dumps(nothing.get(name)),
                    new=json.dumps(value),
                )
                for heir, giver in heirs.items()
                if heir in rows and giver in rows
                for name, value in _said_of(rows[giver]).items()
                if value != nothing.get(name)
            ]
        )


def _said_of(row: MediaRow) -> dict[str, Any]:
    """All that people have said of a medium, its places in albums too, as the log has it."""
    return fields_of({name: getattr(row, name) for name in NO_WORDS})


def _missing_with_equal(identities: Iterable[Identity]) -> list[list[Identity]]:
    """The groups of equal files of which one is missing and one is there."""
    missing = {i.file_hash for i in identities if i.state == MediaState.MISSING}
    groups: dict[str, list[Identity]] = defaultdict(list)
    for identity in identities:
        if identity.file_hash in missing:
            groups[identity.file_hash].append(identity)
    return [group for group in groups.values() if any(i.state == MediaState.PRESENT for i in group)]


def _heirs(groups: Iterable[Sequence[Identity]], annotated: set[str]) -> Iterable[tuple[str, str]]:
    """Heir and giver of each group that has both."""
    for group in groups:
        holders = [i for i in group if i.key in annotated]
        if not holders or any(i.state != MediaState.MISSING for i in holders):
            continue
        giver = max(holders, key=lambda i: i.key)
        heirs = [i for i in group if i.state == MediaState.PRESENT]
        heir = min(heirs, key=partial(_distance, giver))
        yield heir.key, giver.key


def _distance(giver: Identity, heir: Identity) -> tuple[bool, int, bytes]:
    """Sorts heirs: those on the giver's disk first, then those whose path ends most alike."""
    return heir.volume != giver.volume, -common_ending(heir.path, giver.path), heir.path
