"""Search by meaning, on a real library with the small stand-in model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cocadesk.errors import UserError
from cocadesk.indexing.index import index_steps
from cocadesk.indexing.types import IndexOptions
from cocadesk.library.library import Library, Sizes
from cocadesk.library.rows import MediaChange, MediaKind, MediaRow, MediaState, ViewRow, new_key
from cocadesk.search.searcher import MOMENTS_SHOWN, Searcher
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.index_tools import CountingBackend, InProcessDecoder, run_index

IMAGE_ID = FakeInfo().image_id
COLOURS = {"red": (250, 5, 5), "green": (5, 250, 5), "blue": (5, 5, 250), "white": (250,) * 3}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """One photo of each colour."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in COLOURS.items():
        Image.new("RGB", (40, 30), colour).save(folder / f"{name}.jpg")
    return folder


@pytest.fixture
def library(tmp_path: Path, photos: Path) -> Iterator[Library]:
    """A library of the coloured photos."""
    with Library.open(tmp_path / "library") as opened:
        run_index(opened, [photos])
        yield opened


def add_medium(library: Library, vectors: Sequence[Sequence[float]], **values: object) -> MediaRow:
    """A medium with one view for each vector."""
    row = MediaRow(
        key=new_key(),
        root=b"/v",
        path=b"/v/" + os.urandom(4).hex().encode(),
        size_bytes=1,
        mtime_ns=1,
        file_hash="f",
        picture_hash="p",
        embedded=(IMAGE_ID,),
    )
    row = replace(row, **values)  # type: ignore[arg-type]
    library.views.create(IMAGE_ID, len(vectors[0]))
    views = [
        ViewRow(
            key=row.key,
            view=number,
            picture_hash="p",
            vector=np.asarray(vector, np.float32),
            root=b"/v",
            folder_text="/v/",
            kind=row.kind,
            time_s=number * 10.0 if row.kind is MediaKind.VIDEO and number else None,
        )
        for number, vector in enumerate(vectors)
    ]
    library.views.commit(IMAGE_ID, views)
    library.media.commit([MediaChange(row=row, is_new=True)])
    return row


@pytest.mark.parametrize("colour", COLOURS)
def test_a_text_finds_the_photo_it_describes(library: Library, photos: Path, colour: str) -> None:
    """The best hit is the photo of that colour; scores fall."""
    hits = Searcher(library, FakeBackend()).search(f"a {colour} thing")
    assert len(hits) == 4
    assert hits[0].path == os.fsencode(photos / f"{colour}.jpg")
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert library.thumbnails.path(hits[0].picture_hash).exists()


def test_limit_is_kept_and_nothing_is_asked_of_zero(library: Library) -> None:
    """The number of hits."""
    searcher = Searcher(library, FakeBackend())
    assert len(searcher.search("red", limit=2)) == 2
    assert searcher.search("red", limit=0) == []


def test_a_text_is_embedded_once(library: Library) -> None:
    """Text vectors are remembered, spaces do not make another text."""
    backend = CountingBackend()
    searcher = Searcher(library, backend)
    assert searcher.search("red  car ") == searcher.search(" red car")
    assert backend.texts == ["red car"]


def test_an_empty_text_is_a_sentence(library: Library) -> None:
    """Nothing to search for."""
    with pytest.raises(UserError, match="nothing to search for"):
        Searcher(library, FakeBackend()).search("  \n")


def test_an_empty_library_has_no_results(tmp_path: Path) -> None:
    """Before anything is indexed."""
    with Library.open(tmp_path / "empty") as library:
        assert Searcher(library, FakeBackend()).search("red") == []


def test_a_library_of_another_model_says_so(library: Library) -> None:
    """Vectors of two image ids are never compared."""

    class Other(FakeBackend):
        def info(self) -> FakeInfo:
            return FakeInfo(image_id="other-1")

    with pytest.raises(UserError, match="another model"):
        Searcher(library, Other()).search("red")


def test_missing_media_are_left_out_and_offline_ones_shown(library: Library, photos: Path) -> None:
    """Gone photos cannot be opened; unplugged ones come back."""
    (photos / "red.jpg").unlink()
    run_index(library, [photos])
    searcher = Searcher(library, FakeBackend())
    hits = searcher.search("red", limit=4)
    assert len(hits) == 3
    photos.rename(photos.parent / "unplugged")
    run_index(library, [photos])
    offline = searcher.search("green", limit=1)[0]
    assert (offline.path, offline.state) == (
        os.fsencode(photos / "green.jpg"),
        MediaState.OFFLINE,
    )


def test_a_vector_without_a_media_row_is_not_shown(library: Library) -> None:
    """What a crash left between the two tables is no result, and does not use up the limit."""
    vector = FakeBackend().embed_texts(["red"])[0]
    orphans = [
        ViewRow(key=new_key(), view=0, picture_hash="p", vector=vector, root=b"/", folder_text="/")
        for _ in range(60)
    ]
    library.views.commit(IMAGE_ID, orphans)
    hits = Searcher(library, FakeBackend()).search("red", limit=4)
    assert len(hits) == 4


@pytest.fixture(params=["in memory", "from the table"])
def sizes(request: pytest.FixtureRequest) -> Sizes:
    """Vectors are few enough for the memory, or too many."""
    return Sizes() if request.param == "in memory" else Sizes(memory_rows=0)


def test_a_video_is_found_once_with_all_its_moments_best_first(
    tmp_path: Path, sizes: Sizes
) -> None:
    """The maximum over the views of a medium; the hit names the moments and their scores."""
    text = FakeBackend().embed_texts(["red"])[0]
    other = np.roll(text, 1)
    with Library.open(tmp_path / "library", sizes=sizes) as library:
        video = add_medium(library, [other, other, text, (text + other)], kind=MediaKind.VIDEO)
        photo = add_medium(library, [(text + other * 2) / 2])
        hits = Searcher(library, FakeBackend()).search("red")
        assert [(hit.key, hit.time_s) for hit in hits] == [(video.key, 20.0), (photo.key, None)]
        assert hits[0].score == pytest.approx(1.0, abs=2e-3)
        assert [(m.time_s, m.view) for m in hits[0].moments] == [(20.0, 2), (30.0, 3), (10.0, 1)]
        scores = [moment.score for moment in hits[0].moments]
        assert scores[0] == pytest.approx(hits[0].score, abs=1e-6)
        mixed = text @ (text + other) / np.linalg.norm(text + other)
        np.testing.assert_allclose(scores[1:], [mixed, text @ other], atol=3e-3)
        assert hits[1].moments == ()


def test_the_whole_may_fit_best_and_the_best_moment_is_named_all_the_same(tmp_path: Path) -> None:
    """There is always a place to play from."""
    text = FakeBackend().embed_texts(["red"])[0]
    other = np.roll(text, 1)
    with Library.open(tmp_path / "library") as library:
        add_medium(library, [text, other, text + other], kind=MediaKind.VIDEO)
        hit = Searcher(library, FakeBackend()).search("red")[0]
        assert hit.score == pytest.approx(1.0, abs=2e-3)
        assert (hit.time_s, hit.moments[0].time_s) == (20.0, 20.0)
        assert hit.moments[0].score < hit.score


def test_the_limit_counts_media_and_not_moments(tmp_path: Path) -> None:
    """A film of many fitting moments leaves room for the others, and names its best ones."""
    text = FakeBackend().embed_texts(["red"])[0]
    near = [text + 0.01 * np.roll(text, number) for number in range(300)]
    with Library.open(tmp_path / "library") as library:
        film = add_medium(library, near, kind=MediaKind.VIDEO)
        others = [add_medium(library, [np.roll(text, number)]) for number in range(1, 5)]
        hits = Searcher(library, FakeBackend()).search("red", limit=5)
        assert {hit.key for hit in hits} == {film.key, *(row.key for row in others)}
        assert (hits[0].key, len(hits[0].moments)) == (film.key, MOMENTS_SHOWN)


def test_what_is_similar_to_a_video_is_similar_to_its_whole(tmp_path: Path, sizes: Sizes) -> None:
    """View 0, not whichever moment comes first."""
    text = FakeBackend().embed_texts(["red"])[0]
    other = np.roll(text, 1)
    with Library.open(tmp_path / "library", sizes=sizes) as library:
        video = add_medium(library, [other, text, text], kind=MediaKind.VIDEO)
        like_whole = add_medium(library, [other])
        like_moment = add_medium(library, [text])
        hits = Searcher(library, FakeBackend()).similar(video.key)
        assert [hit.key for hit in hits] == [like_whole.key, like_moment.key]


def test_similar_photos_leave_out_the_photo_itself(library: Library, photos: Path) -> None:
    """The nearest other photos."""
    row = library.media.row_by_path(os.fsencode(photos / "red.jpg"))
    assert row is not None
    hits = Searcher(library, FakeBackend()).similar(row.key)
    assert row.key not in [hit.key for hit in hits]
    assert len(hits) == 3
    with pytest.raises(UserError, match="not been read by the model"):
        Searcher(library, FakeBackend()).similar("nobody")


def test_search_answers_beside_a_running_index(tmp_path: Path, photos: Path) -> None:
    """In the same process and from a reader: each commit is seen at once."""
    folder = tmp_path / "library"
    for number in range(20):
        Image.new("RGB", (40, 30), (number * 9, 5, 5)).save(photos / f"{number}.png")
    options = IndexOptions(embed_batch=2, commit_rows=2)
    with Library.open(folder) as library, Library.open(folder, writer=False) as reader:
        searchers = [Searcher(opened, FakeBackend()) for opened in (library, reader)]
        seen: list[int] = []
        for _ in index_steps(
            library,
            FakeBackend(),
            [os.fsencode(photos)],
            pool=InProcessDecoder(),
            options=options,
        ):
            found = [len(searcher.search("red", limit=99)) for searcher in searchers]
            assert found[0] == found[1] == library.counts().media
            seen.append(found[0])
        assert seen == sorted(seen)
        assert len(searchers[1].search("red", limit=99)) == 24


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    counts=st.lists(st.integers(1, 5), min_size=1, max_size=30),
    limit=st.integers(1, 12),
    seed=st.integers(0, 10),
)
def test_the_order_is_that_of_a_plain_maximum_over_views(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], limit: int, seed: int
) -> None:
    """Media with many views never push others out of the results."""
    rng = np.random.default_rng(seed)
    text = FakeBackend().embed_texts(["red"])[0]
    with Library.open(tmp_path_factory.mktemp("library")) as library:
        scores: dict[str, float] = {}
        for count in counts:
            vectors = rng.standard_normal((count, 32)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            row = add_medium(library, vectors.tolist(), kind=MediaKind.VIDEO)
            scores[row.key] = float((vectors.astype(np.float16).astype(np.float32) @ text).max())
        hits = Searcher(library, FakeBackend()).search("red", limit=limit)
        expected = sorted(scores.values(), reverse=True)[:limit]
        np.testing.assert_allclose([hit.score for hit in hits], expected, atol=2e-3)
        for hit in hits:
            assert hit.score == pytest.approx(scores[hit.key], abs=2e-3)
