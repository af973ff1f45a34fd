"""Searches, lists and scopes with a filter, from memory, from the tables, from the snapshot."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from cocadesk.errors import UserError
from cocadesk.library.columns import MediaColumns
from cocadesk.library.library import Library, Sizes
from cocadesk.library.rows import (
    Chosen,
    Edit,
    MediaChange,
    MediaKind,
    MediaRow,
    MediaState,
    Nearest,
    ResultRow,
    StoredVector,
    Tag,
    ViewRow,
    new_key,
)
from cocadesk.search.filters import parse_filter
from cocadesk.search.matching import keys_in_scope, newest_keys
from cocadesk.search.searcher import Searcher, open_searcher
from tests.support.columns import columns_of
from tests.support.fake_backend import FakeBackend, FakeInfo

IMAGE_ID = FakeInfo().image_id
TEXT = FakeBackend().embed_texts(["red"])[0]
FILTERS = [
    "kind:video",
    "-kind:video",
    "tag:dog",
    "-tag:dog",
    "folder:2014",
    "folder:/photos/2015",
    "taken:2014",
    "has:caption",
    "caption:beach tag:dog,cat",
    "rating:>=4 -folder:2014",
    "name:img_1",
    "tag:nothing",
    "-tag:nothing",
    "state:missing",
    "-state:missing",
]
SIZES = {
    "in memory": Sizes(),
    "few keys in the question": Sizes(memory_rows=0),
    "filtered after the question": Sizes(memory_rows=0, keys_in_question=1),
}


def media_row(number: int) -> MediaRow:
    """One of sixty media that differ in all that the filters ask for."""
    year = 2013 + number % 3
    return MediaRow(
        key=new_key(),
        root=b"/photos",
        path=b"/photos/%d/IMG_%d.JPG" % (year, number),
        kind=MediaKind.VIDEO if number % 4 == 0 else MediaKind.PHOTO,
        size_bytes=1,
        mtime_ns=number,
        file_hash=str(number),
        picture_hash=str(number),
        embedded=(IMAGE_ID,),
        state=MediaState.MISSING if number % 10 == 0 else MediaState.PRESENT,
        taken_local=datetime(year, 6, 1 + number % 28) if number % 5 else None,
        rating=number % 6 or None,
        machine_caption="a beach" if number % 2 else None,
        machine_tags=(Tag(tag=["Dog", "cat", "sea"][number % 3], score=0.5),),
    )


def fill(library: Library) -> list[MediaRow]:
    """Sixty media, videos with three views; their nearness to "red" is mixed."""
    rng = np.random.default_rng(5)
    rows = [media_row(number) for number in range(60)]
    library.views.create(IMAGE_ID, len(TEXT))
    views = []
    for row in rows:
        for number in range(3 if row.kind is MediaKind.VIDEO else 1):
            vector = TEXT + rng.standard_normal(len(TEXT)) * rng.uniform(0.05, 1)
            views.append(
                ViewRow(
                    key=row.key,
                    view=number,
                    picture_hash=row.picture_hash,
                    vector=(vector / np.linalg.norm(vector)).astype(np.float32),
                    root=row.root,
                    folder_text=row.folder_text,
                    kind=row.kind,
                    taken=row.taken,
                    time_s=number * 1.0 if number else None,
                )
            )
    library.views.commit(IMAGE_ID, views)
    library.media.commit([MediaChange(row=row, is_new=True) for row in rows])
    library.set_model(IMAGE_ID)
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed library of them, with its snapshot."""
    folder = tmp_path_factory.mktemp("filtered") / "library"
    with Library.open(folder) as library:
        fill(library)
    return folder


def check_filtered(library: Library) -> None:
    """Each filter gives the hits of the search without one, but for what does not pass."""
    searcher = Searcher(library, FakeBackend())
    rows = {row.key: row for row in library.media.iter_rows()}
    found = searcher.search("red", 100, parse_filter("state:present,missing"))
    ranked = [rows[hit.key] for hit in found]
    for text in FILTERS:
        among = parse_filter(text)
        mask = among.mask(columns_of(ranked, among.fields()))
        wanted = [
            row.key
            for row, passes in zip(ranked, mask, strict=True)
            if passes and ("state" in text or row.state is not MediaState.MISSING)
        ]
        for limit in (3, 100):
            hits = searcher.search("red", limit, among)
            assert [hit.key for hit in hits] == wanted[:limit], text


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_a_filtered_search_is_the_search_without_what_does_not_pass(
    folder: Path, sizes: Sizes
) -> None:
    """The same hits in the same order, at any limit; the missing only where asked for."""
    with Library.open(folder, writer=False, sizes=sizes) as library:
        check_filtered(library)


@pytest.mark.parametrize("keys_in_question", [3, 10_000])
def test_vectors_too_many_for_memory_are_searched_for_media_that_are_in_it(
    tmp_path: Path, keys_in_question: int
) -> None:
    """As of some videos with many moments each."""
    sizes = Sizes(memory_rows=60, keys_in_question=keys_in_question)
    with Library.open(tmp_path / "library", sizes=sizes) as library:
        fill(library)
        assert library.results.columns(()) is not None
        assert library.views.in_memory(IMAGE_ID) is None
        check_filtered(library)


def test_the_snapshot_gives_the_same_filtered_hits(folder: Path) -> None:
    """Without LanceDB, by the columns that it carries."""
    backend = FakeBackend()
    with (
        open_searcher(folder, backend) as quick,
        Library.open(folder, writer=False) as library,
    ):
        slow = Searcher(library, backend)
        for text in FILTERS:
            among = parse_filter(text)
            one, other = quick.search("red", 20, among), slow.search("red", 20, among)
            assert [(h.key, h.caption, h.kind) for h in one] == [
                (h.key, h.caption, h.kind) for h in other
            ], text
            assert [h.score for h in one] == pytest.approx([h.score for h in other], abs=1e-3)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_similar_media_are_filtered_too(folder: Path, sizes: Sizes) -> None:
    """The medium itself need not pass, and is never its own answer."""
    with Library.open(folder, writer=False, sizes=sizes) as library:
        searcher = Searcher(library, FakeBackend())
        video = next(row for row in library.media.iter_rows() if row.kind is MediaKind.VIDEO)
        everything = [hit.key for hit in searcher.similar(video.key, 100)]
        kinds = {row.key: row.kind for row in library.media.iter_rows()}
        for text, kind in (("kind:photo", MediaKind.PHOTO), ("kind:video", MediaKind.VIDEO)):
            hits = searcher.similar(video.key, 100, parse_filter(text))
            assert [hit.key for hit in hits] == [key for key in everything if kinds[key] is kind]


class NoVectors:
    """A library of one photo whose vectors may not be asked for."""

    model = IMAGE_ID

    @property
    def views(self) -> NoVectors:
        """Itself."""
        return self

    @property
    def results(self) -> NoVectors:
        """Itself."""
        return self

    def has(self, image_id: str) -> bool:
        """True: there are vectors."""
        return True

    def nearest(
        self, image_id: str, vector: object, limit: int, chosen: Chosen | None
    ) -> list[Nearest]:
        """Nothing, and only where nothing is chosen."""
        assert chosen is not None
        assert not chosen.keys
        return []

    def vectors_of(self, image_id: str, keys: Sequence[str]) -> dict[str, list[StoredVector]]:
        """None are asked for."""
        raise AssertionError("vectors were read")

    def of_keys(self, keys: Sequence[str]) -> list[ResultRow]:
        """None are asked for."""
        assert not keys
        return []

    def columns(self, fields: Collection[str]) -> MediaColumns:
        """Those of one photo."""
        return columns_of([media_row(1)], fields)

    def keys_where(self, where: str) -> set[str]:
        """None are asked for."""
        raise AssertionError("the store was asked")


def test_where_nothing_passes_nothing_is_read() -> None:
    """An empty set of media is an answer at once."""
    searcher = Searcher(NoVectors(), FakeBackend())
    assert searcher.search("red", 5, parse_filter("kind:video")) == []


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An open library of the same media."""
    with Library.open(tmp_path / "library") as opened:
        fill(opened)
        yield opened


def test_a_filter_sees_each_commit(library: Library) -> None:
    """Columns in memory are never older than the table."""
    searcher, among = Searcher(library, FakeBackend()), parse_filter("tag:ida caption:party")
    assert searcher.search("red", 5, among) == []
    key = newest_keys(library, parse_filter("kind:photo -state:missing"))[0]
    edits = [("human_tags_added", '["Ida"]'), ("human_caption", '"Ida\'s party"')]
    library.edits.record(
        [
            Edit(batch="b", key=key, who="person", when=datetime.now().astimezone(), field=name,
                 old="null", new=new)
            for name, new in edits
        ]
    )  # fmt: skip
    assert [hit.key for hit in searcher.search("red", 5, among)] == [key]
    library.media.set_state([key], MediaState.MISSING, "gone")
    assert searcher.search("red", 5, among) == []


def test_a_tag_that_a_person_removed_finds_nothing(library: Library) -> None:
    """Whatever the machine says of it afterwards."""
    searcher, among = Searcher(library, FakeBackend()), parse_filter("tag:dog")
    key = searcher.search("red", 1, among)[0].key
    removed = Edit(batch="b", key=key, who="person", when=datetime.now().astimezone(),
                   field="human_tags_removed", old="[]", new='["DOG"]')  # fmt: skip
    library.edits.record([removed])
    library.media.set_tags({key: [Tag(tag="dog", score=0.9)]}, "another-model")
    assert key not in [hit.key for hit in searcher.search("red", 100, among)]


def test_the_newest_are_listed_with_a_filter(library: Library) -> None:
    """In the order of the whole list."""
    everything = newest_keys(library)
    rows = {row.key: row for row in library.media.rows(everything)}
    videos = newest_keys(library, parse_filter("kind:video taken:2014.."))
    assert list(videos) == [
        key
        for key in everything
        if rows[key].kind is MediaKind.VIDEO and rows[key].taken and rows[key].taken.year >= 2014
    ]


def test_photos_of_one_time_stay_in_the_order_in_which_they_were_added(tmp_path: Path) -> None:
    """Whatever order they were committed in: a burst is not shuffled by the next start."""
    day = datetime(2014, 5, 1)
    burst = [replace(media_row(number), taken_local=day) for number in range(9)]
    burst.sort(key=lambda row: row.key)
    later = replace(media_row(9), taken_local=datetime(2014, 5, 2))
    wanted = [later.key, *(row.key for row in burst)]
    with Library.open(tmp_path / "library") as library:
        library.views.create(IMAGE_ID, 2)
        library.set_model(IMAGE_ID)
        for some in (burst[5:], [*burst[:5], later]):
            library.media.commit([MediaChange(row=row, is_new=True) for row in some])
            shown = set(newest_keys(library))
            assert list(newest_keys(library)) == [key for key in wanted if key in shown]
        assert list(newest_keys(library)) == wanted
    with Library.open(tmp_path / "library") as library:
        assert list(newest_keys(library)) == wanted
        assert library.media.all_keys() == wanted


@pytest.mark.parametrize("sizes", [Sizes(), Sizes(memory_rows=0)], ids=["in memory", "too many"])
def test_a_filter_without_words_gives_the_newest(folder: Path, sizes: Sizes) -> None:
    """What passes, without a score; the missing are not shown, nothing at all is a mistake."""
    among = parse_filter("tag:dog -kind:video")
    with Library.open(folder, writer=False, sizes=sizes) as library:
        searcher = Searcher(library, FakeBackend())
        hits = searcher.search(" ", 100, among)
        rows = library.media.rows([hit.key for hit in hits])
        assert {row.key for row in rows} == {
            row.key
            for row in library.media.iter_rows()
            if row.tags[0].tag == "Dog"
            and row.kind is MediaKind.PHOTO
            and row.state is not MediaState.MISSING
        }
        assert {hit.score for hit in hits} == {0.0}
        assert searcher.search("", 3, among) == hits[:3]
        if sizes.memory_rows:
            taken = [row.taken or datetime.min for row in rows]
            assert taken == sorted(taken, reverse=True)
        with pytest.raises(UserError, match="nothing to search for"):
            searcher.search(" ")
    with open_searcher(folder, FakeBackend()) as quick:
        assert {hit.key for hit in quick.search("", 100, among)} == {row.key for row in rows}


def test_a_scope_is_narrowed_by_a_filter(library: Library) -> None:
    """Chosen keys, folders and all media alike; without a filter nothing changes."""
    rows = list(library.media.iter_rows())
    keys = [row.key for row in rows[:20]]
    photos = {row.key for row in rows if row.kind is MediaKind.PHOTO}
    among = parse_filter("kind:photo")
    assert keys_in_scope(library, keys, ()) == keys
    assert keys_in_scope(library, keys, (), among) == [key for key in keys if key in photos]
    below = keys_in_scope(library, (), [b"/photos/2014"], among)
    assert below
    assert set(below) < photos
    assert keys_in_scope(library, (), [b"/photos/2014"], parse_filter("folder:2013")) == []
    present = {row.key for row in rows if row.state is MediaState.PRESENT}
    assert set(keys_in_scope(library, (), (), among)) == photos & present
