"""A command on words in a few plain words: "Caption of dog.jpg", "Tags of 12 photos"."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cocadesk.library import Edit, Library, MediaKind
from cocadesk.library.edits import FILE_FIELD

_SUBJECTS = {
    "human_caption": "caption",
    "human_tags_added": "tags",
    "human_tags_removed": "tags",
    "human_rating": "rating",
    "human_verdict": "verdict",
    FILE_FIELD: "caption file",
}
_LOOKED_AT = 200
"""So many of a command's media are looked at to call them photos or videos."""
_MANY = {"caption": "captions", "caption file": "caption files", "rating": "ratings"}


def title_of(library: Library, edits: Sequence[Edit]) -> str:
    """What the edits of one batch are about."""
    keys = list(dict.fromkeys(edit.key for edit in edits))
    subjects = list(dict.fromkeys(_SUBJECTS.get(edit.field, edit.field) for edit in edits))
    if len(keys) > 1:
        subjects = [_MANY.get(subject, subject) for subject in subjects]
    words = " and ".join(subjects)
    return f"{words[:1].upper()}{words[1:]} of {things(library, keys)}"


def things(library: Library, keys: Sequence[str]) -> str:
    """A file's name, or how many photos and videos."""
    rows = library.rows(keys[:_LOOKED_AT])
    if len(keys) == 1 and rows:
        return os.path.basename(rows[0].path).decode("utf-8", "replace")  # noqa: PTH119
    kinds = {row.kind for row in rows} or {MediaKind.PHOTO}
    if len(kinds) > 1:
        return f"{len(keys):,} photos and videos"
    return f"{len(keys):,} {kinds.pop().value}{'' if len(keys) == 1 else 's'}"
