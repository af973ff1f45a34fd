"""Titles of commands on captions, tags, ratings, flags and albums, for undo, redo and people."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from cocadesk.errors import kept, retold, tr, tr_count
from cocadesk.library.edits import FILE_FIELD, GROUP_BEST, album_of, apart_from
from cocadesk.library.library import Library
from cocadesk.library.marks import Flag
from cocadesk.library.rows import ALBUM, SAVED_SEARCH, Edit, MediaKind

_ADDED, _REMOVED = "human_tags_added", "human_tags_removed"
_SUBJECTS = {
    "human_caption": tr("caption"),
    _ADDED: tr("tags"),
    _REMOVED: tr("tags"),
    "human_rating": tr("rating"),
    "human_flag": tr("flag"),
    "human_favourite": tr("favourite mark"),
    "human_hidden": tr("hiding"),
    FILE_FIELD: tr("caption file"),
}
_MANY = {
    "human_caption": tr("captions"),
    "human_rating": tr("ratings"),
    "human_flag": tr("flags"),
    "human_favourite": tr("favourite marks"),
    FILE_FIELD: tr("caption files"),
}
_FLAGS = {
    Flag.PICK: tr("Pick flag"),
    Flag.REJECT: tr("Reject flag"),
    Flag.NONE: tr("No flag"),
}
_LOOKED_AT = 200
"""So many of a command's media are looked at to call them photos or videos."""


def title_of(library: Library, edits: Sequence[Edit]) -> str:
    """The title of a command: "Caption of dog.jpg", "4 stars on 12 photos", "New album Sea"."""
    lists = [edit for edit in edits if edit.field in (ALBUM, SAVED_SEARCH)]
    if lists and not any(edit.field in (_ADDED, _REMOVED) for edit in edits):
        return _title_of_list(lists[0])
    # A tag's new name in saved searches is told by that of the tag.
    edits = [edit for edit in edits if edit.field not in (ALBUM, SAVED_SEARCH)]
    fields = {edit.field for edit in edits}
    keys = list(dict.fromkeys(edit.key for edit in edits))
    albums = {album_of(field) for field in fields}
    if len(albums) == 1 and (album := albums.pop()):
        return _title_of_places(library, edits, album, keys)
    if apart := [other for edit in edits if (other := apart_from(edit.field))]:
        each = list(dict.fromkeys((*keys, *apart)))
        return tr("Set apart: {things}", things=things(library, each))
    if fields == {GROUP_BEST}:
        best = [edit.key for edit in edits if json.loads(edit.new)]
        if not best:
            return tr("No best of its group")
        return tr("Best of its group: {things}", things=things(library, best))
    is_of_tags = fields <= {_ADDED, _REMOVED}
    is_rejected = all(map(_is_rejection, edits))
    values = {edit.new for edit in edits}
    if len(fields) == len(values) == 1 and (said := _said(field := fields.pop(), values.pop())):
        if field == "human_hidden":
            return tr("{what} of {things}", what=said, things=things(library, keys))
        return tr("{what} on {things}", what=said, things=things(library, keys))
    if is_of_tags and (change := _tag_change(edits, things(library, keys))):
        return change
    subjects = list(dict.fromkeys(_subject(edit.field, len(keys) > 1) for edit in edits))
    listed = ", ".join(subjects[:-1])
    text = tr("{listed} and {last}", listed=listed, last=subjects[-1]) if listed else subjects[-1]
    if is_rejected:
        return tr("Rejected: {what} of {things}", what=text, things=things(library, keys))
    what = text[:1].upper() + text[1:]
    return tr("{what} of {things}", what=what, things=things(library, keys))


def _tag_change(edits: Sequence[Edit], of_what: str) -> str:
    """That one tag is taken away or gets another name; empty where a command does more."""
    lost, gained = set[str](), set[str]()
    for field, old, new in {(edit.field, edit.old, edit.new) for edit in edits}:
        before, after = (_texts(json.loads(text)) for text in (old, new))
        lost |= before - after if field == _ADDED else after - before
        gained |= after - before if field == _ADDED else set()
        if len(lost) > 1 or len(gained) > 1:
            return ""
    if not lost:
        return ""
    tag = lost.pop()
    if gained:
        return tr(
            "Tag “{tag}” renamed to “{new}” on {things}", tag=tag, new=gained.pop(), things=of_what
        )
    return tr("Tag “{tag}” removed from {things}", tag=tag, things=of_what)


def _is_rejection(edit: Edit) -> bool:
    """True where it takes back what a machine suggested, and says nothing in its place."""
    if edit.field == "human_caption":
        return bool(json.loads(edit.new) == "")
    old, new = _texts(json.loads(edit.old)), _texts(json.loads(edit.new))
    return edit.field == _REMOVED and old < new


def _texts(value: object) -> set[str]:
    return set(value) if isinstance(value, list) else set()


def _subject(field: str, is_of_many: bool) -> str:
    if album_of(field):
        return tr("albums")
    one = _SUBJECTS.get(field, field)
    return _MANY.get(field, one) if is_of_many else one


def _said(field: str, value: str) -> str:
    """The one thing that a command says of all its media; empty where a title names none."""
    said = json.loads(value)
    if field == "human_caption" and said == "":
        return tr("No caption")
    if field == "human_rating" and said is not None:
        return tr_count(said, "{n} star", "{n} stars") if said else tr("No stars")
    if field == "human_flag" and said is not None:
        return _FLAGS[Flag(said)]
    if field == "human_favourite":
        return tr("Favourite mark") if said else tr("No favourite mark")
    if field == "human_hidden":
        return tr("Hiding") if said else tr("No hiding")
    return ""


def _title_of_list(edit: Edit) -> str:
    """The title of a command on an album or a saved search itself."""
    old, new = (json.loads(text) for text in (edit.old, edit.new))
    if edit.field == SAVED_SEARCH and old and new and old[0] == new[0]:
        return tr("Query of saved search {name}", name=new[0])
    before, after = (one if edit.field == ALBUM else one and one[0] for one in (old, new))
    if edit.field == ALBUM:
        if before is None:
            return tr("New album {name}", name=after)
        if after is None:
            return tr("Deletion of album {name}", name=before)
        return tr("Name of album {name}", name=after)
    if before is None:
        return tr("New saved search {name}", name=after)
    if after is None:
        return tr("Deletion of saved search {name}", name=before)
    return tr("Name of saved search {name}", name=after)


def _title_of_places(
    library: Library, edits: Sequence[Edit], album: str, keys: Sequence[str]
) -> str:
    name = library.albums.name_ever(album)
    if all(json.loads(edit.old) is None for edit in edits):
        return tr("Adding {things} to {name}", things=things(library, keys), name=name)
    if all(json.loads(edit.new) is None for edit in edits):
        return tr("Removing {things} from {name}", things=things(library, keys), name=name)
    return tr("Order of {name}", name=name)


def things(library: Library, keys: Sequence[str]) -> str:
    """A file's name, or how many photos and videos."""
    return retold(kept_things(library, keys))


def kept_things(library: Library, keys: Sequence[str]) -> str:
    """The same in English, for the title of a job."""
    rows = library.media.rows(keys[:_LOOKED_AT])
    if len(keys) == 1 and rows:
        return os.path.basename(rows[0].path).decode("utf-8", "replace")  # noqa: PTH119
    kinds = {row.kind for row in rows} or {MediaKind.PHOTO}
    number, is_one = f"{len(keys):,}", len(keys) == 1
    if len(kinds) > 1:
        return kept("{number} photos and videos", number=number)
    if kinds.pop() is MediaKind.VIDEO:
        return kept("1 video") if is_one else kept("{number} videos", number=number)
    return kept("1 photo") if is_one else kept("{number} photos", number=number)


def all_media() -> str:
    """The whole library, where a job's title (in English, as all of these) names it."""
    return kept("all photos and videos")


def captions_title(things: str) -> str:
    """The title of a job that describes these; a person's own words stay."""
    return kept("Suggesting captions and tags for {things}", things=things)


def writing_title(things: str) -> str:
    """The title of a job that writes text files."""
    return kept("Writing captions beside {things}", things=things)


def taking_over_title(things: str) -> str:
    """The title of a job that reads text files."""
    return kept("Taking over captions beside {things}", things=things)


def new_tags_title() -> str:
    """The title of a job that tags all media with another vocabulary."""
    return kept("Suggesting new tags for all photos and videos")
