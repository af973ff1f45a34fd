"""Long photos are indexed whole and in boxes, and found by either."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cocadesk.indexing.types import Again, IndexOptions
from cocadesk.library.library import Library
from cocadesk.library.rows import ViewShows
from cocadesk.library.vectors import moments_of, representative_moment, tagging_vectors
from cocadesk.search.searcher import Searcher, open_searcher
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.index_tools import (
    CountingBackend,
    InProcessDecoder,
    row_at,
    run_index,
    views_at,
    write_photo,
)
from tests.support.other_model import OTHER, OtherBackend, check_filled, switch_model

IMAGE_ID = FakeInfo().image_id
GREY, RED, OCHRE = (128, 128, 128), (250, 5, 5), (200, 180, 60)
WHOLE_AND_SIX = [(0, ViewShows.WHOLE), *((n, ViewShows.BOX) for n in range(1, 7))]


def write_panorama(path: Path, *, sky: int = 240) -> Path:
    """Six times as long as high, all sky but for a red thing at the right end."""
    picture = np.full((80, 480, 3), sky, np.uint8)
    picture[:, 420:] = RED
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A panorama, and photos of which one has more red in it than that as a whole."""
    folder = tmp_path / "photos"
    write_panorama(folder / "wide.png")
    for name, colour in {"grey": GREY, "ochre": OCHRE}.items():
        Image.new("RGB", (40, 30), colour).save(folder / f"{name}.png")
    return folder


def shown(library: Library, path: Path, image_id: str = IMAGE_ID) -> list[tuple[int, ViewShows]]:
    """Number of each view, and what it shows."""
    return [(view.view, view.shows) for view in views_at(library, path, image_id)]


def found(library: Library, text: str = "red") -> list[str]:
    """The names of the photos found, best first."""
    hits = Searcher(library, FakeBackend()).search(text)
    return [Path(os.fsdecode(hit.path)).name for hit in hits]


def as_indexed_before(library: Library, *paths: Path) -> None:
    """Leave the whole alone of these photos, as an index did that knew no boxes."""
    library.views.remove_from(IMAGE_ID, {row_at(library, path).key: 1 for path in paths})


READ_ALL = IndexOptions(again=Again.ALL)


def test_a_small_thing_at_the_end_of_a_panorama_is_found(library: Library, photos: Path) -> None:
    """By the box that shows it large; the whole alone would come behind another photo."""
    run_index(library, [photos])
    assert found(library)[0] == "wide.png"
    as_indexed_before(library, photos / "wide.png")
    assert found(library)[0] == "ochre.png"


def test_a_panorama_has_a_view_for_each_box_and_an_ordinary_photo_one(
    library: Library, photos: Path
) -> None:
    """Numbered from the left end on, after the whole; none of them a moment."""
    run_index(library, [photos])
    assert shown(library, photos / "wide.png") == WHOLE_AND_SIX
    assert shown(library, photos / "ochre.png") == [(0, ViewShows.WHOLE)]
    assert library.counts().views == 7 + 1 + 1
    assert all(view.time_s is None for view in views_at(library, photos / "wide.png"))


def test_a_panorama_stands_in_the_results_once(library: Library, photos: Path) -> None:
    """However many of its views are near; so it does among similar photos."""
    Image.new("RGB", (480, 80), RED).save(photos / "all red.png")
    run_index(library, [photos])
    searcher = Searcher(library, FakeBackend())
    hits = searcher.search("red", limit=2)
    assert [Path(os.fsdecode(hit.path)).name for hit in hits] == ["all red.png", "wide.png"]
    assert [(hit.time_s, hit.moments) for hit in hits] == [(None, ()), (None, ())]
    alike = searcher.similar(hits[0].key)
    assert [hit.key for hit in alike].count(hits[1].key) == 1
    assert len(alike) == 3


def test_a_photo_is_like_the_part_of_a_panorama_that_shows_the_same(
    library: Library, photos: Path
) -> None:
    """The photo as a whole is held against every view of the others."""
    Image.new("RGB", (40, 30), RED).save(photos / "red.png")
    run_index(library, [photos])
    searcher = Searcher(library, FakeBackend())
    alike = searcher.similar(row_at(library, photos / "red.png").key, limit=1)
    assert [hit.path for hit in alike] == [os.fsencode(photos / "wide.png")]


def test_a_panorama_is_tagged_as_a_whole_and_has_no_moment(library: Library, photos: Path) -> None:
    """Probabilities are fitted on whole photos."""
    run_index(library, [photos])
    views = views_at(library, photos / "wide.png")
    assert len(tagging_vectors(views)) == 1
    np.testing.assert_allclose(tagging_vectors(views)[0], views[0].vector, atol=1e-3)
    assert moments_of(views) == []
    assert representative_moment(views) is None


def test_boxes_lack_no_thumbnail(library: Library, photos: Path) -> None:
    """Only moments of videos have thumbnails of their own."""
    run_index(library, [photos])
    assert not any("Thumbnails" in text for text in library.care.problems())


def test_a_quick_search_finds_the_same_panorama(library: Library, photos: Path) -> None:
    """The snapshot holds all views."""
    run_index(library, [photos])
    slow = Searcher(library, FakeBackend()).search("red")
    library.close()
    with open_searcher(library.folder, FakeBackend()) as quick:
        hits = quick.search("red")
    assert [hit.key for hit in hits] == [hit.key for hit in slow]
    assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in slow], abs=1e-3)


def test_moved_copied_and_touched_panoramas_keep_all_views_and_are_not_read(
    library: Library, photos: Path
) -> None:
    """As every photo."""
    run_index(library, [photos])
    shutil.copy(photos / "wide.png", photos / "copy.png")
    (photos / "wide.png").rename(photos / "moved.png")
    backend, decoder = CountingBackend(), InProcessDecoder()
    run_index(library, [photos], backend=backend, decoder=decoder)
    assert (backend.embedded, decoder.decoded) == (0, [])
    for name in ("copy.png", "moved.png"):
        assert shown(library, photos / name) == WHOLE_AND_SIX


def test_other_metadata_of_a_panorama_is_read_and_nothing_embedded(
    library: Library, photos: Path
) -> None:
    """The same picture in other bytes."""
    run_index(library, [photos])
    with Image.open(photos / "wide.png") as image:
        image.save(photos / "wide.png", compress_level=1, dpi=(72, 72))
    backend = CountingBackend()
    assert run_index(library, [photos], backend=backend).indexed == 1
    assert backend.embedded == 0
    assert shown(library, photos / "wide.png") == WHOLE_AND_SIX


def test_a_panorama_that_is_cut_short_loses_its_boxes(library: Library, photos: Path) -> None:
    """And gets them with its first picture."""
    run_index(library, [photos])
    write_photo(photos / "wide.png", 3)
    run_index(library, [photos])
    assert shown(library, photos / "wide.png") == [(0, ViewShows.WHOLE)]
    write_panorama(photos / "wide.png", sky=90)
    run_index(library, [photos])
    assert shown(library, photos / "wide.png") == WHOLE_AND_SIX


def test_a_panorama_of_an_older_library_is_found_whole_until_it_is_read_again(
    library: Library, photos: Path
) -> None:
    """An index leaves it alone; one of all files gives it its boxes, and the next does nothing."""
    run_index(library, [photos])
    shutil.copy(photos / "wide.png", photos / "copy.png")
    run_index(library, [photos])
    as_indexed_before(library, photos / "wide.png", photos / "copy.png")
    backend = CountingBackend()
    assert run_index(library, [photos], backend=backend).unchanged == 4
    assert (backend.embedded, shown(library, photos / "wide.png")) == (0, [(0, ViewShows.WHOLE)])
    assert "wide.png" in found(library)
    run_index(library, [photos], backend=backend, options=READ_ALL)
    assert backend.embedded == 7
    for name in ("copy.png", "wide.png"):
        assert shown(library, photos / name) == WHOLE_AND_SIX
    run_index(library, [photos], backend=backend, options=READ_ALL)
    assert backend.embedded == 7
    assert library.counts().views == 2 * 7 + 2


def test_reading_a_panorama_again_keeps_what_was_said_of_it(library: Library, photos: Path) -> None:
    """Its picture is the same."""
    run_index(library, [photos])
    as_indexed_before(library, photos / "wide.png")
    before = row_at(library, photos / "wide.png")
    library.media.set_captions({before.key: "a machine's"}, "m")
    run_index(library, [photos], options=READ_ALL)
    after = row_at(library, photos / "wide.png")
    assert (after.key, after.machine_caption) == (before.key, "a machine's")


def test_a_switch_of_models_fills_the_boxes_too(library: Library, photos: Path) -> None:
    """Also where the old model had none; copies borrow them."""
    run_index(library, [photos])
    as_indexed_before(library, photos / "wide.png")
    shutil.copy(photos / "wide.png", photos / "copy.png")
    run_index(library, [photos])
    backend = OtherBackend()
    switch_model(library, backend)
    assert backend.embedded == 7 + 2
    check_filled(library)
    for name in ("copy.png", "wide.png"):
        assert shown(library, photos / name, OTHER.image_id) == WHOLE_AND_SIX


def test_panoramas_go_through_the_decoder_processes(library: Library, photos: Path) -> None:
    """The same views as when decoded here."""
    run_index(library, [photos], own_pool=True)
    pooled = views_at(library, photos / "wide.png")
    with Library.open(library.folder.parent / "other") as other:
        run_index(other, [photos])
        here = views_at(other, photos / "wide.png")
    assert [view.shows for view in pooled] == [view.shows for view in here]
    for one, another in zip(pooled, here, strict=True):
        np.testing.assert_array_equal(one.vector, another.vector)


class LargestBatch(FakeBackend):
    """Remembers the largest batch that it was given."""

    def __init__(self) -> None:
        self.largest = 0

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As the fake."""
        self.largest = max(self.largest, len(images_BHWC))
        return super().embed_images(images_BHWC)


def test_a_folder_of_panoramas_is_embedded_in_bounded_batches(
    library: Library, tmp_path: Path
) -> None:
    """Boxes count as pictures: a batch is full with the photo that fills it."""
    for number in range(30):
        write_panorama(tmp_path / "wide" / f"{number}.png", sky=100 + number)
    backend = LargestBatch()
    run_index(library, [tmp_path / "wide"], backend=backend, options=IndexOptions(embed_batch=16))
    assert library.counts().views == 30 * 7
    assert 7 < backend.largest <= 16 + 6
