"""Media that are one now: the annotations of both are kept, and one row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cocadesk.errors import kept
from cocadesk.indexing.heirs import inherit
from cocadesk.library.edits import NO_WORDS, PERSON, apart_pairs, fields_of
from cocadesk.library.library import Library
from cocadesk.library.rows import Edit, Identity, MediaRow, MediaState, new_key

JOINED = kept("Its file is a part of another photo now, with all that was said of it.")
_LISTS = ("human_tags_added", "human_tags_removed")


class Joining:
    """Decides which media may be joined, and joins them. For one index."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._annotated: set[str] | None = None

    def may_join(self, one: str, other: str) -> bool:
        """True unless people have said different things of two media in one field."""
        if not self._are_annotated(one, other):
            return True
        rows = self._library.media.rows([one, other])
        return len(rows) < 2 or agreed(_said(rows[0]), _said(rows[1])) is not None

    def agree_now(self, one: str, other: str) -> bool:
        """True where people have said things of two media, and nothing different any more."""
        return self._are_annotated(one, other) and self.may_join(one, other)

    def _are_annotated(self, *keys: str) -> bool:
        if self._annotated is None:
            self._annotated = self._library.edits.annotated_keys()
        return self._annotated.issuperset(keys)

    def inherit(self, identities: Sequence[Identity]) -> None:
        """Give what people said of missing files to their copies; see ``heirs``."""
        inherit(self._library, identities)

    def join(self, joined: Mapping[str, str]) -> tuple[list[str], list[str]]:
        """Let media be parts of others: ``joined`` gives by key the medium that stays.

        What people said of them is said of the one that stays, and of them no more: were they
        to part again, words that are corrected meanwhile would come back. Their rows are missing
        then. It is no command of a person: undo takes back the last of those. Those of
        which nobody ever said anything are gone. Gives the keys of the ones that are gone, and
        of the missing ones.
        """
        if not joined:
            return [], []
        # Held from the look to the entry: a person may be writing at this moment.
        with self._library.writing():
            annotated = self._spoken_of()
            rows = {row.key: row for row in self._library.media.rows([*joined, *joined.values()])}
            said = {key: _said(row) for key, row in rows.items()}
            before = {key: dict(fields) for key, fields in said.items()}
            gone = [key for key in joined if key not in annotated and key in rows]
            missing = []
            for key, stays in joined.items():
                if key in annotated and key in rows and stays in rows:
                    both = agreed(said[stays], said[key])
                    if both is not None:
                        said[stays] = both
                        said[key] = {name: NO_WORDS.get(name) for name in said[key]}
                        missing.append(key)
            self._record(before, said)
            if missing:
                self._library.media.set_state(missing, MediaState.MISSING, JOINED)
            self._library.media.remove(gone)
            self._library.views.remove_media(gone)
        return gone, missing

    def _spoken_of(self) -> set[str]:
        """The media of which the log says anything: words, groups, files written."""
        log = self._library.edits
        pairs = {key for pair in apart_pairs(log) for key in pair}
        return log.annotated_keys() | pairs | {e.key for e in (*log.of_best(), *log.of_files())}

    def _record(
        self, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
    ) -> None:
        batch, now = new_key(), datetime.now(UTC)
        self._library.edits.record(
            [
                Edit(
                    batch=batch,
                    key=key,
                    who=PERSON,
                    when=now,
                    field=name,
                    old=json.dumps(before[key].get(name)),
                    new=json.dumps(value),
                    undoes=batch,  # itself: no command that undo takes back
                )
                for key, fields in after.items()
                for name, value in fields.items()
                if value != before[key].get(name)
            ]
        )


def _said(row: MediaRow) -> dict[str, Any]:
    """All that people have said of a medium, its places in albums too, as the log has it."""
    return fields_of({name: getattr(row, name) for name in NO_WORDS})


def agreed(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any] | None:
    """What people said of two media together; None where it contradicts itself.

    Tags and albums of both count. Of an album that holds both, the place of ``one`` counts.
    """
    both = dict(one)
    for name, value in other.items():
        mine, nothing = one.get(name), NO_WORDS.get(name)
        if name in _LISTS:
            both[name] = tuple({tag.casefold(): tag for tag in (*value, *one[name])}.values())
        elif mine == nothing:
            both[name] = value
        elif name in NO_WORDS and value not in (nothing, mine):
            return None
    added, removed = ({str(tag).casefold() for tag in both[name]} for name in _LISTS)
    return None if added & removed else both
