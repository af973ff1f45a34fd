"""Metadata that change though the photo does not: read again, without decoding or embedding."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.refresh import Refreshing, Stale
from cocadesk.indexing.types import Again, IndexOptions, IndexStage
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaChange
from cocadesk.media.types import FoundFile
from tests.support.index_tools import (
    CountingBackend,
    InProcessDecoder,
    row_at,
    run_index,
    set_human_caption,
    views_at,
    write_photo,
)
from tests.support.xmp_packets import xmp


class World:
    """A folder with one photo, its library, and a decoder and a model that count."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "photos"
        self.photo = write_photo(self.folder / "crab.jpg", 1)
        self.sidecar = self.folder / "crab.jpg.xmp"
        self.library = Library.open(folder / "library")
        self.decoder = InProcessDecoder()
        self.backend = CountingBackend()

    def index(self, again: Again = Again.NOTHING) -> tuple[int, int, int]:
        """Index; the numbers of files read again, decoded and embedded."""
        self.decoder.decoded.clear()
        self.backend.embedded = 0
        options = IndexOptions(again=again)
        report = run_index(
            self.library,
            [self.folder],
            decoder=self.decoder,
            backend=self.backend,
            options=options,
        )
        return report.refreshed, len(self.decoder.decoded), self.backend.embedded


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An indexed photo without a sidecar."""
    made = World(tmp_path)
    assert made.index() == (0, 1, 1)
    return made


def test_a_sidecar_that_comes_changes_and_goes_is_noticed(world: World) -> None:
    """By the next index each time; the picture is neither decoded nor embedded again."""
    world.sidecar.write_bytes(xmp(xmp_Rating="4", dc_subject=["sea"]))
    assert world.index() == (1, 0, 0)
    row = row_at(world.library, world.photo)
    assert (row.rating, row.keywords) == (4, ("sea",))
    world.sidecar.write_bytes(xmp(xmp_Rating="2", dc_subject=["sea", "sand"]))
    assert world.index() == (1, 0, 0)
    assert row_at(world.library, world.photo).keywords == ("sea", "sand")
    assert world.index() == (0, 0, 0)
    world.sidecar.unlink()
    assert world.index() == (1, 0, 0)
    row = row_at(world.library, world.photo)
    assert (row.rating, row.keywords) == (None, ())


def test_what_a_person_wrote_here_never_loses_to_a_sidecar(world: World) -> None:
    """Theirs is added beside it."""
    key = row_at(world.library, world.photo).key
    set_human_caption(world.library, key, "mine")
    world.sidecar.write_bytes(xmp(dc_description="theirs", xmp_Rating="3"))
    world.index()
    row = row_at(world.library, world.photo)
    assert (row.caption, row.description, row.rating) == ("mine", "theirs", 3)


def test_metadata_that_an_older_program_read_are_read_again_once(world: World) -> None:
    """What it did not know of a file is filled in by the next index."""
    world.sidecar.write_bytes(xmp(xmp_Label="Red"))
    world.index()
    row = row_at(world.library, world.photo)
    before = dataclasses.replace(row, label=None, metadata_mark="")
    world.library.media.commit([MediaChange(row=before, is_new=False)])
    assert world.index() == (1, 0, 0)
    assert row_at(world.library, world.photo) == dataclasses.replace(
        row, indexed_utc=row.indexed_utc
    )
    assert world.index() == (0, 0, 0)


def test_a_sidecars_position_and_time_reach_the_views(world: World) -> None:
    """Filters of a search read them there."""
    packet = xmp(
        exif_GPSLatitude="48,8.2N",
        exif_GPSLongitude="11,34.5E",
        exif_DateTimeOriginal="2021-05-05T05:05:05",
    )
    world.sidecar.write_bytes(packet)
    world.index()
    (view,) = views_at(world.library, world.photo)
    row = row_at(world.library, world.photo)
    assert (view.latitude, view.taken) == (row.latitude, row.taken)
    assert row.latitude == pytest.approx(48.1367, abs=1e-3)


def test_a_photo_that_moves_away_from_its_sidecar_loses_what_that_said(world: World) -> None:
    """It is the same photo, and its metadata are read again in the same index."""
    world.sidecar.write_bytes(xmp(xmp_Rating="4"))
    world.index()
    key = row_at(world.library, world.photo).key
    moved = world.photo.rename(world.folder / "prawn.jpg")
    assert world.index() == (1, 0, 0)
    row = row_at(world.library, moved)
    assert (row.key, row.rating) == (key, None)


def test_a_photo_that_moves_together_with_its_sidecar_is_not_read_again(world: World) -> None:
    """Nothing about it has changed."""
    world.sidecar.write_bytes(xmp(xmp_Rating="4"))
    world.index()
    moved = world.photo.rename(world.folder / "prawn.jpg")
    world.sidecar.rename(world.folder / "prawn.jpg.xmp")
    assert world.index() == (0, 0, 0)
    assert row_at(world.library, moved).rating == 4


def test_a_sidecar_that_can_not_be_read_leaves_the_photo_in_the_library(world: World) -> None:
    """Broken XML says nothing; it is not tried at every index."""
    world.sidecar.write_bytes(b"<no xml")
    assert world.index() == (1, 0, 0)
    assert world.index() == (0, 0, 0)


def test_an_index_that_is_stopped_keeps_the_metadata_that_it_has_read(world: World) -> None:
    """The next one goes on with the rest."""
    photos = [write_photo(world.folder / f"{number}.jpg", number) for number in range(60)]
    world.index()
    for photo in photos:
        photo.with_suffix(".xmp").write_bytes(xmp(xmp_Rating="4"))
    steps = index_steps(
        world.library, world.backend, [os.fsencode(world.folder)], pool=world.decoder
    )
    stages = (step.stage for step in steps)
    assert IndexStage.METADATA in stages
    steps.close()
    read = sum(row_at(world.library, photo).rating == 4 for photo in photos)
    assert 0 < read < 60
    assert world.index() == (60 - read, 0, 0)


class TidiedLibrary(Library):
    """A library that counts how often it is tidied."""

    tidied = 0

    def tidy(self) -> None:
        """As the library does, and counted."""
        self.tidied += 1
        super().tidy()


def test_a_long_refresh_tidies_the_tables_in_between(world: World) -> None:
    """Each commit leaves small pieces of tables; thousands of them make the next ones slow."""
    row = row_at(world.library, world.photo)
    world.library.close()
    path = os.fsencode(world.photo)
    found = FoundFile.of(os.fsencode(world.folder), path, world.photo.stat())
    with TidiedLibrary.open(world.library.folder) as library:
        assert isinstance(library, TidiedLibrary)
        stale = [Stale(found, row.key, row.kind)] * 5
        refreshing = Refreshing(library, stale, rows_a_commit=1, tidy_every=2)
        for _ in refreshing.steps(world.decoder):
            assert refreshing.done <= 5
        assert (refreshing.done, library.tidied) == (5, 2)


def test_an_index_of_everything_reads_the_sidecars_with_the_photos(world: World) -> None:
    """Once, with the decode."""
    world.sidecar.write_bytes(xmp(xmp_Rating="4"))
    assert world.index(Again.ALL)[:2] == (0, 1)
    assert row_at(world.library, world.photo).rating == 4
    assert world.index() == (0, 0, 0)
