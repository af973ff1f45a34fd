"""What was said of one medium, in words for people."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from cocadesk.annotations.sidecars import FileState
from cocadesk.library import Edit
from cocadesk.library.edits import FILE_FIELD

_FIELDS = {
    "human_caption": "caption",
    "human_verdict": "verdict",
    "human_tags_added": "tags added",
    "human_tags_removed": "tags removed",
    "human_rating": "rating",
    FILE_FIELD: "file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEdit:
    """One entry of the log for people; ``old`` and ``new`` are empty where nothing was.

    ``is_undone`` where it was taken back, and that was not taken back in turn.
    """

    when: datetime
    who: str
    field: str
    old: str
    new: str
    is_undone: bool


def past_edits(edits: Iterable[Edit], taken_back: Collection[str]) -> list[PastEdit]:
    """The entries that say something, in their order."""
    return [
        PastEdit(
            when=edit.when,
            who=edit.who,
            field=_FIELDS.get(edit.field, edit.field),
            old=_shown(edit.field, edit.old),
            new=_shown(edit.field, edit.new),
            is_undone=edit.batch in taken_back,
        )
        for edit in edits
        if edit.old != edit.new
    ]


def _shown(field: str, text: str) -> str:
    if field == FILE_FIELD:
        return FileState.from_json(text).text
    value = json.loads(text)
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
