"""Albums and saved searches of people: changed by name, in one history with all else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cocadesk.annotations.albums import AlbumEditor
from cocadesk.annotations.human import AnnotationEdit, HumanAnnotations
from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.library.marks import Flag
from cocadesk.library.rows import MediaState
from tests.support.annotated_library import AnnotatedCase, annotated_library, reopened
from tests.support.found_bytes import found_in
from tests.support.index_tools import run_index
from tests.support.library_rows import insert, media_row

ODD_NAMES = ("a/b\\c", 'say "hi", it\'s', "🐶 ÄRGER", "-rating:5", "100%_")


class Lists:
    """Albums of a small library by the names of the photos in them."""

    def __init__(self, case: AnnotatedCase) -> None:
        self.case = case
        self.editor = AlbumEditor(case.library, case.annotations)

    def keys(self, names: str) -> list[str]:
        """The keys of photos by one letter each."""
        return [self.case.key(f"{name}.jpg") for name in names]

    def all(self) -> dict[str, str]:
        """The letters of each album's photos in its order."""
        letter = {key: name for name, key in zip("abcd", self.keys("abcd"), strict=True)}
        albums = self.case.library.albums
        return {
            name: "".join(letter[key] for key in albums.places(album))
            for album, name in albums.names().items()
        }


@pytest.fixture
def lists(tmp_path: Path) -> Iterator[Lists]:
    """Four photos."""
    with annotated_library(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg") as case:
        yield Lists(case)


def test_an_album_is_made_filled_emptied_and_deleted(lists: Lists) -> None:
    """Titles say what was done; what is so already is no command."""
    editor = lists.editor
    assert editor.new("  My   sea ", lists.keys("b")).title == "New album My sea"
    added = editor.add("my SEA", lists.keys("dab"))
    assert (added.title, set(added.keys)) == (
        "Adding 2 photos to My sea", set(lists.keys("da")),
    )  # fmt: skip
    assert lists.all() == {"My sea": "bda"}
    assert editor.add("My sea", lists.keys("dab")).title == ""
    assert editor.remove("My sea", lists.keys("bc")).title == "Removing b.jpg from My sea"
    assert editor.remove("My sea", lists.keys("bc")).title == ""
    assert lists.all() == {"My sea": "da"}
    assert editor.delete("My sea").title == "Deletion of album My sea"
    assert lists.all() == {}
    assert len(lists.case.keys()) == 4


@pytest.mark.parametrize(
    ("moved", "before", "order"),
    [
        ("a", None, "bcda"),
        ("d", "a", "dabc"),
        ("db", "c", "adbc"),
        ("ca", "ends", "bdca"),
        ("b", "b", "abcd"),
        ("b", "c", "abcd"),
        ("cd", None, "abcd"),
        ("abcd", None, "abcd"),
        ("dcba", None, "dcba"),
    ],
)
def test_photos_move_within_an_album(
    lists: Lists, moved: str, before: str | None, order: str
) -> None:
    """Before another one or to the end, several in the order in which they are named."""
    lists.editor.new("x", lists.keys("abcd"))
    target = lists.keys(before)[0] if before in ("a", "b", "c") else None
    change = lists.editor.move("x", lists.keys(moved), target)
    assert lists.all() == {"x": order}
    assert change.title == ("" if order == "abcd" else "Order of x")


def test_only_what_moves_is_written(lists: Lists) -> None:
    """An album of many thousands is put in another order by one short entry."""
    lists.editor.new("x", lists.keys("abcd"))
    before = len(lists.case.library.edits.all())
    lists.editor.move("x", lists.keys("d"), lists.keys("b")[0])
    (entry,) = lists.case.library.edits.all()[before:]
    assert entry.key == lists.keys("d")[0]
    assert len(entry.new) + len(entry.old) < 40


def test_one_undo_history_holds_albums_captions_and_ratings(lists: Lists) -> None:
    """Back to nothing and forth again, each step in a new process's library."""
    case, editor = lists.case, lists.editor
    said = AnnotationEdit(caption="mine", rating=4, flag=Flag.PICK, favourite=True)
    commands: list[Callable[[], object]] = [
        lambda: editor.new("x", lists.keys("abc")),
        lambda: case.annotations.set(lists.keys("ab"), said),
        lambda: editor.move("x", lists.keys("c"), lists.keys("a")[0]),
        lambda: editor.rename("x", "X y"),
        lambda: case.annotations.set(lists.keys("a"), AnnotationEdit(rating=0, favourite=False)),
        lambda: editor.remove("X y", lists.keys("b")),
        lambda: editor.save_search("dogs", "dog rating:>=4"),
        lambda: editor.save_search("Dogs", "dog", replaces=True),
        lambda: editor.rename_search("dogs", "Hunde"),
        lambda: editor.delete_search("hunde"),
        lambda: editor.delete("x y"),
    ]
    states = [_state(lists)]
    for command in commands:
        command()
        states.append(_state(lists))
    assert len(case.annotations.state().undo) == len(commands)
    base = case.photos.parent
    case.library.close()
    for expected in reversed(states[:-1]):
        with reopened(base) as again:
            again.annotations.undo()
            assert _state(Lists(again)) == expected
    for expected in states[1:]:
        with reopened(base) as again:
            again.annotations.redo()
            assert _state(Lists(again)) == expected


def _state(lists: Lists) -> object:
    rows = [
        (row.human_caption, row.human_rating, row.human_flag, row.human_favourite)
        for row in lists.case.rows()
    ]
    searches = [(one.name, one.query) for one in lists.case.library.albums.searches()]
    return lists.all(), rows, searches


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_text_may_be_a_name(lists: Lists, name: str) -> None:
    """Slashes, quotes, emoji; a name in another case is the same."""
    lists.editor.new(name, lists.keys("a"))
    lists.editor.add(name.upper(), lists.keys("b"))
    assert lists.all() == {name: "ab"}
    with pytest.raises(UserError, match="is taken by another album"):
        lists.editor.new(name.swapcase())


def test_a_name_that_can_not_be_is_said(lists: Lists) -> None:
    """Empty, far too long, taken, or of nothing that there is; the nearest one is named."""
    lists.editor.new("Summer")
    lists.editor.save_search("Dogs", "dog")
    with pytest.raises(UserError, match="name of the album is empty"):
        lists.editor.new(" \n ")
    with pytest.raises(UserError, match="too long"):
        lists.editor.rename("Summer", "x" * 300)
    with pytest.raises(UserError, match="Did you mean Summer"):
        lists.editor.delete("Sumer")
    with pytest.raises(UserError, match=r"no saved search “Cats”.*There are: Dogs"):
        lists.editor.delete_search("Cats")
    with pytest.raises(UserError, match="taken by another saved search"):
        lists.editor.save_search("DOGS", "cat")
    with pytest.raises(UserError, match="is not in the album"):
        lists.editor.move("Summer", lists.keys("a"), lists.keys("b")[0])
    with pytest.raises(UserError, match="no longer in the library"):
        lists.editor.add("Summer", ["gone"])
    assert lists.editor.rename("Summer", "SUMMER").title == "Name of album SUMMER"


def test_history_tells_of_albums_by_name(lists: Lists) -> None:
    """Also of one that is deleted by now; another place in it says nothing."""
    key = lists.keys("a")[0]
    lists.editor.new("Sea", lists.keys("ab"))
    lists.editor.move("Sea", [key], None)
    lists.case.annotations.set([key], AnnotationEdit(rating=3, flag=Flag.PICK, favourite=True))
    lists.editor.delete("Sea")
    history = [(one.field, one.old, one.new) for one in lists.case.annotations.history(key)]
    assert history == [
        ("album", "", "Sea"),
        ("rating", "", "3"),
        ("flag", "", "pick"),
        ("favourite", "", "yes"),
        ("album", "Sea", ""),
    ]


@pytest.mark.parametrize(
    ("edit", "title"),
    [
        (AnnotationEdit(rating=4), "4 stars on 2 photos"),
        (AnnotationEdit(rating=1), "1 star on 2 photos"),
        (AnnotationEdit(rating=0), "No stars on 2 photos"),
        (AnnotationEdit(flag=Flag.REJECT), "Reject flag on 2 photos"),
        (AnnotationEdit(flag=Flag.NONE), "No flag on 2 photos"),
        (AnnotationEdit(favourite=True), "Favourite mark on 2 photos"),
        (AnnotationEdit(rating=4, flag=Flag.PICK), "Ratings and flags of 2 photos"),
    ],
)
def test_stars_and_flags_are_told_by_their_values(
    lists: Lists, edit: AnnotationEdit, title: str
) -> None:
    """What undo would take back is plain from its title."""
    assert lists.case.annotations.set(lists.keys("ab"), edit).title == title
    assert lists.case.annotations.titles().undo == title


def test_a_person_has_the_last_word_on_stars_and_rejection(lists: Lists) -> None:
    """0 and no flag hide what the file says; there are no six stars."""
    key = lists.keys("a")[0]
    library = lists.case.library
    for rating, stars, flag in ((3, 3, Flag.NONE), (-1, 0, Flag.REJECT)):
        row = library.media.rows([key])[0]
        insert(library, media_row(b"x", key=key, path=row.path, rating=rating))
        row = library.media.rows([key])[0]
        assert (row.stars, row.flag) == (stars, flag)
    lists.case.annotations.set([key], AnnotationEdit(rating=0, flag=Flag.NONE))
    row = library.media.rows([key])[0]
    assert (row.stars, row.flag) == (0, Flag.NONE)
    with pytest.raises(UserError, match="no rating of 6"):
        AnnotationEdit(rating=6)


def test_two_thousand_photos_are_one_quick_command(tmp_path: Path) -> None:
    """Added, put first, taken out, deleted and all of it undone."""
    rows = [media_row(b"%d" % number) for number in range(2100)]
    keys = [row.key for row in rows]
    with Library.open(tmp_path / "many") as library:
        insert(library, *rows)
        annotations = HumanAnnotations(library)
        editor = AlbumEditor(library, annotations)
        assert editor.new("all", keys).keys == tuple(keys)
        (album,) = library.albums.names()
        editor.move("all", keys[-2000:], keys[0])
        assert [*library.albums.places(album)] == keys[-2000:] + keys[:100]
        editor.remove("all", keys[:100])
        assert [*library.albums.places(album)] == keys[-2000:]
        editor.delete("all")
        assert not any(row.human_albums for row in library.media.rows(keys[:5] + keys[-5:]))
        for _ in range(3):
            annotations.undo()
        assert [*library.albums.places(album)] == keys


def test_a_forgotten_photo_leaves_albums_and_their_history(lists: Lists) -> None:
    """Its key is in no file of the library; the others keep their order, undo still works."""
    library, editor = lists.case.library, lists.editor
    editor.new("Sea", lists.keys("abcd"))
    editor.move("Sea", lists.keys("c"), lists.keys("a")[0])
    lists.case.annotations.set(lists.keys("c"), AnnotationEdit(rating=5, favourite=True))
    library.care.back_up()
    wanted = {"key": lists.keys("c")[0].encode()}
    assert found_in(wanted, library.folder)["key"]
    every = library.media.identities()
    (gone,) = [one for one in every if one.key == lists.keys("c")[0]]
    order = library.forgetting.order([gone], [one for one in every if one != gone], ())
    library.forgetting.run(order)
    assert found_in(wanted, library.folder) == {"key": set()}
    (album,) = library.albums.names()
    assert [*library.albums.places(album)] == lists.keys("abd")
    lists.case.annotations.undo()
    lists.case.annotations.undo()
    lists.case.annotations.undo()
    assert library.albums.names() == {}


def test_a_copy_inherits_stars_and_places_from_the_last_holder(lists: Lists) -> None:
    """When the file that bore them is gone; one undo takes the inheritance back."""
    photos, library = lists.case.photos, lists.case.library
    (photos / "copy.jpg").write_bytes((photos / "b.jpg").read_bytes())
    run_index(library, [photos])
    lists.editor.new("Sea", lists.keys("abc"))
    lists.case.annotations.set(lists.keys("b"), AnnotationEdit(rating=4, flag=Flag.PICK))
    (photos / "b.jpg").unlink()
    run_index(library, [photos])
    heir = library.media.row_by_path(os.fsencode(photos / "copy.jpg"))
    assert heir is not None
    assert heir.state is MediaState.PRESENT
    assert (heir.stars, heir.flag) == (4, Flag.PICK)
    (album,) = library.albums.names()
    shown = [key for key in library.albums.places(album) if key != lists.keys("b")[0]]
    assert shown == [lists.keys("a")[0], heir.key, lists.keys("c")[0]]
    lists.editor.move("Sea", lists.keys("a"), lists.keys("c")[0])
    places = [*library.albums.places(album)]
    assert places[-2:] == [lists.keys("a")[0], lists.keys("c")[0]]


def test_a_restored_backup_brings_albums_and_ratings_back(lists: Lists, tmp_path: Path) -> None:
    """Into a new library of the same photos; what was said there stays beside it."""
    lists.editor.new("Sea", lists.keys("bca"))
    lists.editor.save_search("Dogs", "dog")
    lists.case.annotations.set(lists.keys("a"), AnnotationEdit(rating=4))
    backup = lists.case.library.care.back_up(tmp_path / "backup.zip")
    with Library.open(tmp_path / "other") as other:
        run_index(other, [lists.case.photos])
        case = AnnotatedCase(
            library=other, annotations=HumanAnnotations(other), photos=lists.case.photos
        )
        here = Lists(case)
        here.editor.new("SEA", here.keys("d"))
        other.care.restore(backup)
        assert here.all() == {"Sea": "bca", "SEA (2)": "d"}
        assert [one.query for one in other.albums.searches()] == ["dog"]
        assert case.row("a.jpg").human_rating == 4
