"""Tags as a whole: random histories against a slow model, and what files and suggestions keep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cocadesk.annotations.albums import AlbumEditor
from cocadesk.annotations.human import AnnotationChange, AnnotationEdit, HumanAnnotations
from cocadesk.annotations.tags import Retagging, TagEditor
from cocadesk.annotations.text import joined_tags
from cocadesk.errors import UserError
from cocadesk.library.library import Library, Sizes
from cocadesk.library.rows import MediaState, Tag, TaggedMedium
from cocadesk.search.query import renamed
from cocadesk.search.tag_uses import TagUses
from tests.support.library_rows import insert, media_row

WORDS = ("dog", "Dog", "DOG", "cat", "a/b", "🐈", 'say "x"')
SUGGESTED = (("dog", "cat"), ("Cat",), (), ("a/b", "dog"))
STATES = (MediaState.PRESENT, MediaState.PRESENT, MediaState.MISSING, MediaState.OFFLINE)
MEDIA = range(len(SUGGESTED))

Step: TypeAlias = tuple[str, set[int], str, str, bool]

words = st.sampled_from(WORDS)
kinds = ("add", "add", "take", "rename", "rename", "remove", "undo", "redo")
steps = st.lists(
    st.tuples(st.sampled_from(kinds), st.sets(st.sampled_from(MEDIA)), words, words, st.booleans()),
    min_size=6,
    max_size=16,
)


@dataclass
class Said:
    """A medium's tags of a person, each written out as a list."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def has(self, tag: str) -> bool:
        return tag.lower() in [one.lower() for one in self.added]

    def rejects(self, tag: str) -> bool:
        return tag.lower() in [one.lower() for one in self.removed]

    def copy(self) -> Said:
        return Said(list(self.added), list(self.removed))


class Model:
    """All media's tags, and the states before and after each command."""

    def __init__(self) -> None:
        self.now = [Said() for _ in MEDIA]
        self.done: list[tuple[list[Said], list[Said]]] = []
        self.undone: list[tuple[list[Said], list[Said]]] = []

    def keep(self, after: list[Said]) -> None:
        if after != self.now:
            self.done.append((self.now, after))
            self.undone.clear()
            self.now = after

    def undo(self) -> None:
        if self.done:
            self.undone.append(self.done.pop())
            self.now = self.undone[-1][0]

    def redo(self) -> None:
        if self.undone:
            self.done.append(self.undone.pop())
            self.now = self.done[-1][1]

    def is_suggested(self, medium: int, tag: str) -> bool:
        said = self.now[medium]
        machine = [one.lower() for one in SUGGESTED[medium]]
        return tag.lower() in machine and not said.has(tag) and not said.rejects(tag)

    def add(self, media: set[int], tag: str) -> list[Said]:
        after = [said.copy() for said in self.now]
        for medium in media:
            said, known = after[medium], [*SUGGESTED[medium]]
            known += [*said.removed, *said.added]
            spelling = [one for one in known if one.lower() == tag.lower()][-1:] or [tag]
            said.removed = [one for one in said.removed if one.lower() != tag.lower()]
            if not said.has(tag):
                said.added.append(spelling[0])
        return after

    def take(self, media: set[int], tag: str) -> list[Said]:
        after = [said.copy() for said in self.now]
        for medium in media:
            said, known = after[medium], [*SUGGESTED[medium]]
            known += [*said.removed, *said.added]
            spelling = [one for one in known if one.lower() == tag.lower()][-1:] or [tag]
            said.added = [one for one in said.added if one.lower() != tag.lower()]
            if not said.rejects(tag):
                said.removed.append(spelling[0])
        return after

    def retag(self, tag: str, name: str, with_suggested: bool) -> list[Said] | None:
        """The state after a rename, or (without a name) a removal; None: nothing has the tag."""
        own = [medium for medium in MEDIA if self.now[medium].has(tag)]
        more = [medium for medium in MEDIA if with_suggested and self.is_suggested(medium, tag)]
        if not own and not more:
            return None
        after = [said.copy() for said in self.now]
        for medium in (*own, *more):
            said, found = after[medium], list[str]()
            known = next(
                one for one in (*said.added, *SUGGESTED[medium]) if one.lower() == tag.lower()
            )
            for one in said.added if medium in own else [*said.added, tag]:
                new = name if one.lower() == tag.lower() else one
                if new and new.lower() not in [other.lower() for other in found]:
                    found.append(new)
            said.added = found
            said.removed = [one for one in said.removed if one.lower() != name.lower()]
            if name.lower() != tag.lower() and not said.rejects(tag):
                said.removed.append(known)
        return after


@contextmanager
def _tagged_library(base: Path) -> Iterator[tuple[Library, list[str]]]:
    """A library of media in all states, with suggestions, and their keys in that order."""
    with Library.open(base / "library") as opened:
        rows = [media_row(f"{n}.jpg".encode(), state=state) for n, state in enumerate(STATES)]
        insert(opened, *rows)
        opened.media.set_tags(
            {
                row.key: [Tag(tag=tag, score=0.9) for tag in tags]
                for row, tags in zip(rows, SUGGESTED, strict=True)
            },
            "model-1",
        )
        yield opened, [row.key for row in rows]


tag_sets = st.lists(words, max_size=4).map(lambda tags: joined_tags(tags, (), ()))


@given(added=tag_sets, removed=tag_sets, tag=words, name=words, is_wide=st.booleans())
def test_one_mediums_tags_change_as_a_slow_model_says(
    added: tuple[str, ...], removed: tuple[str, ...], tag: str, name: str, is_wide: bool
) -> None:
    """A rename and a removal, of media with every suggestion."""
    removed = joined_tags(removed, (), added)
    for new in (name, ""):
        model = Model()
        model.now = [Said(list(added), list(removed)) for _ in MEDIA]
        expected = model.retag(tag, new, is_wide) or model.now
        for suggested, said in zip(SUGGESTED, expected, strict=True):
            after = Retagging(tag, new, is_wide).tags_of(
                TaggedMedium("key", added, removed, suggested)
            )
            assert Said(list(after.human_tags_added), list(after.human_tags_removed)) == said


@settings(max_examples=4, deadline=None)
@given(history=steps)
def test_any_history_of_tags_leaves_what_a_slow_model_says(history: list[Step]) -> None:
    """Renames, merges, removals, edits, undo and redo; each command is one step."""
    with TemporaryDirectory() as base, _tagged_library(Path(base)) as (library, keys):
        annotations = HumanAnnotations(library)
        model = Model()
        for what, media, tag, name, is_wide in history:
            if what in ("undo", "redo"):
                getattr(annotations, what)()
                getattr(model, what)()
            elif what == "add" and media:
                annotations.set([keys[n] for n in media], AnnotationEdit(add_tags=(tag,)))
                model.keep(model.add(media, tag))
            elif what == "take" and media:
                annotations.set([keys[n] for n in media], AnnotationEdit(remove_tags=(tag,)))
                model.keep(model.take(media, tag))
            elif what in ("rename", "remove"):
                _retag(TagEditor(library, annotations), model, tag, name, what, is_wide)
            rows = library.media.rows(keys)
            found = [Said(list(r.human_tags_added), list(r.human_tags_removed)) for r in rows]
            assert found == model.now
            state = annotations.state()
            assert (len(state.undo), len(state.redo)) == (len(model.done), len(model.undone))
        assert library.edits.differing() == 0
        _check_counts(library, model)


def _retag(editor: TagEditor, model: Model, tag: str, name: str, what: str, is_wide: bool) -> None:
    """One command on all media, in the library and in the model."""
    wanted = model.retag(tag, name if what == "rename" else "", is_wide)

    def change() -> AnnotationChange:
        if what == "rename":
            return editor.rename(tag, name, with_suggested=is_wide)
        return editor.remove(tag, with_suggested=is_wide)

    if wanted is None:
        with pytest.raises(UserError):
            change()
        return
    changed = sum(old != new for old, new in zip(model.now, wanted, strict=True))
    assert len(change().keys) == changed
    model.keep(wanted)


def _check_counts(library: Library, model: Model) -> None:
    uses = {use.tag.lower(): use for use in TagUses(library).all(())}
    listed = [n for n in MEDIA if STATES[n] is not MediaState.MISSING]
    for tag in {word.lower() for word in WORDS}:
        own = [n for n in MEDIA if model.now[n].has(tag)]
        suggested = [n for n in MEDIA if model.is_suggested(n, tag)]
        use = uses.get(tag)
        counts = (
            (0,) * 4 if use is None else (use.own, use.suggested, use.all_own, use.all_suggested)
        )
        assert counts == (
            len(set(own) & set(listed)),
            len(set(suggested) & set(listed)),
            len(own),
            len(suggested),
        )


def test_a_command_on_a_tag_is_named_by_it(tmp_path: Path) -> None:
    """In the title that undo shows."""
    with _tagged_library(tmp_path) as (library, keys):
        annotations = HumanAnnotations(library)
        editor = TagEditor(library, annotations)
        annotations.set(keys, AnnotationEdit(add_tags=("x", "y")))
        assert editor.rename("x", "z").title == "Tag “x” renamed to “z” on 4 photos"
        assert editor.rename("z", "Z").title == "Tag “z” renamed to “Z” on 4 photos"
        assert editor.rename("Z", "y").title == "Tag “Z” removed from 4 photos"
        assert editor.remove("y").title == "Tag “y” removed from 4 photos"
        assert annotations.titles().undo == "Tag “y” removed from 4 photos"


def test_keywords_of_files_and_captions_stay(tmp_path: Path) -> None:
    """They are no tags of a person."""
    with Library.open(tmp_path / "library") as library:
        row = media_row(b"a.jpg", keywords=("dog",))
        insert(library, row)
        annotations = HumanAnnotations(library)
        annotations.set([row.key], AnnotationEdit(caption="a dog", add_tags=("dog",)))
        TagEditor(library, annotations).rename("dog", "hound")
        (after,) = library.media.rows([row.key])
        assert (after.keywords, after.human_caption) == (("dog",), "a dog")
        assert after.human_tags_added == ("hound",)


def test_more_media_than_memory_holds_are_counted_in_the_table(tmp_path: Path) -> None:
    """The same numbers, from the store."""
    with _tagged_library(tmp_path) as (library, keys):
        annotations = HumanAnnotations(library)
        annotations.set(keys[:2], AnnotationEdit(add_tags=("Dog", "x")))
        expected = TagUses(library).all(("bird",))
    with Library.open(tmp_path / "library", sizes=Sizes(memory_rows=0)) as library:
        assert library.results.columns(("tag",)) is None
        assert TagUses(library).all(("bird",)) == expected


def test_saved_searches_follow_a_new_name_and_its_undo(tmp_path: Path) -> None:
    """Tags and albums alike; one undo takes all of it back, and its title names the tag."""
    with Library.open(tmp_path / "library") as library:
        row = media_row(b"/a.jpg")
        insert(library, row)
        annotations = HumanAnnotations(library)
        albums, tags = AlbumEditor(library, annotations), TagEditor(library, annotations)
        annotations.set([row.key], AnnotationEdit(add_tags=("dog",)))
        albums.new("Sea", [row.key])
        albums.save_search("Dogs", "tag:dog on a beach")
        albums.save_search("Both", "tag:dog,cat -album:sea")

        def queries() -> list[str]:
            return [one.query for one in library.albums.searches()]

        before = queries()
        done = tags.rename("Dog", "hound", rewritten=lambda q, a, b: renamed(q, "tag", a, b))
        assert queries() == ["tag:hound on a beach", "tag:hound,cat -album:sea"]
        assert done.keys == (row.key,)
        assert annotations.titles().undo == "Tag “dog” renamed to “hound” on a.jpg"
        annotations.undo()
        assert queries() == before
        albums.rename("sea", "Ocean", lambda q, a, b: renamed(q, "album", a, b))
        assert queries() == [before[0], "tag:dog,cat -album:Ocean"]
        assert annotations.titles().undo == "Name of album Ocean"
        annotations.undo()
        assert queries() == before
