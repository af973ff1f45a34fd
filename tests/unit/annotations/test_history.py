"""Edits in plain words: titles of commands and the history of a medium."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from cocadesk.annotations.history import past_edits
from cocadesk.annotations.sidecars import FileState
from cocadesk.annotations.titles import title_of
from cocadesk.library.edits import FILE_FIELD
from cocadesk.library.rows import Edit, MediaKind

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Rows:
    """A library as far as titles need one: the kind and path of each key."""

    def __init__(self, **kinds: str) -> None:
        self._rows = {
            key: SimpleNamespace(kind=MediaKind(kind), path=f"/p/{key}.jpg".encode())
            for key, kind in kinds.items()
        }

    @property
    def media(self) -> Rows:
        """The table of media."""
        return self

    def rows(self, keys: Sequence[str]) -> list[SimpleNamespace]:
        """Those that are there."""
        return [self._rows[key] for key in keys if key in self._rows]


def edit(key: str, field: str, old: object = None, new: object = "x", batch: str = "b") -> Edit:
    """An entry of the log."""
    return Edit(
        batch=batch,
        key=key,
        who="person",
        when=NOON,
        field=field,
        old=json.dumps(old),
        new=json.dumps(new),
    )


def title(library: Rows, *edits: Edit) -> str:
    """The title of one command."""
    return title_of(library, edits)  # type: ignore[arg-type]


PHOTOS = Rows(dog="photo", cat="photo", video="video")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["human_caption"], "Caption of dog.jpg"),
        (["human_tags_added"], "Tags of dog.jpg"),
        (["human_tags_added", "human_tags_removed"], "Tags of dog.jpg"),
        (["human_caption", "human_tags_added"], "Caption and tags of dog.jpg"),
        ([FILE_FIELD], "Caption file of dog.jpg"),
    ],
)
def test_a_command_on_one_medium_names_its_file(fields: list[str], expected: str) -> None:
    """Each subject once, in the order of the edits."""
    assert title(PHOTOS, *(edit("dog", field) for field in fields)) == expected


@pytest.mark.parametrize(
    ("keys", "field", "expected"),
    [
        (["dog", "cat"], "human_caption", "Captions of 2 photos"),
        (["dog", "cat"], FILE_FIELD, "Caption files of 2 photos"),
        (["dog", "video"], "human_tags_added", "Tags of 2 photos and videos"),
        (["dog", "cat", "dog"], "human_tags_added", "Tags of 2 photos"),
    ],
)
def test_a_command_on_many_media_counts_them(keys: list[str], field: str, expected: str) -> None:
    """Each medium once, with the kinds that there are."""
    assert title(PHOTOS, *(edit(key, field) for key in keys)) == expected


def test_one_tag_that_goes_or_gets_another_name_is_named() -> None:
    """Of several media as well; what does more is a change of tags."""
    added, removed = "human_tags_added", "human_tags_removed"
    renamed = [
        edit("dog", added, ["a", "x"], ["a", "y"]),
        edit("cat", added, ["x", "y"], ["y"]),
        edit("cat", removed, [], ["x"]),
    ]
    assert title(PHOTOS, *renamed) == "Tag “x” renamed to “y” on 2 photos"
    assert title(PHOTOS, *renamed[1:]) == "Tag “x” removed from cat.jpg"
    assert title(PHOTOS, *renamed, edit("video", added, ["b"], [])).startswith("Tags of 3")


def test_a_medium_that_is_no_longer_there_is_counted_as_a_photo() -> None:
    """The log outlives the rows."""
    assert title(Rows(), edit("gone", "human_caption")) == "Caption of 1 photo"


def test_names_that_are_not_utf8_are_shown_with_marks() -> None:
    """A title is text for people."""
    library = Rows(odd="photo")
    library.media.rows(["odd"])[0].path = b"/p/caf\xe9.jpg"
    assert title(library, edit("odd", "human_caption")) == "Caption of caf\ufffd.jpg"


def test_large_numbers_are_grouped() -> None:
    """As everywhere in texts for people."""
    library = Rows(**{f"k{number}": "photo" for number in range(1500)})
    edits = [edit(f"k{number}", "human_caption") for number in range(1500)]
    assert title(library, *edits) == "Captions of 1,500 photos"


def test_history_names_fields_and_values_for_people() -> None:
    """Lists with commas, nothing as nothing, files by their text."""
    old = FileState(path=b"/p/a.txt", data=None)
    new = FileState(path=b"/p/a.txt", data="a  dög\n".encode(), by="person")
    file = Edit(
        batch="b",
        key="dog",
        who="person",
        when=NOON,
        field=FILE_FIELD,
        old=old.to_json(),
        new=new.to_json(),
    )
    edits = [
        edit("dog", "human_caption", None, "a dog"),
        edit("dog", "human_tags_added", ["dog"], ["dog", "red barn"]),
        edit("dog", "human_tags_removed", ["cat"], []),
        file,
    ]
    assert [(one.field, one.old, one.new) for one in past_edits(edits, ())] == [
        ("caption", "", "a dog"),
        ("tags added", "dog", "dog, red barn"),
        ("tags removed", "cat", ""),
        ("file", "", "a dög"),
    ]


def test_history_marks_what_was_taken_back_and_skips_empty_entries() -> None:
    """An undo that found nothing to do leaves an entry that says nothing."""
    edits = [
        edit("dog", "human_caption", None, "one", batch="first"),
        edit("dog", "human_caption", "one", "two", batch="second"),
        edit("dog", "human_caption", "two", "two", batch="third"),
    ]
    found = past_edits(edits, {"second"})
    assert [(one.new, one.is_undone, one.when) for one in found] == [
        ("one", False, NOON),
        ("two", True, NOON),
    ]
