"""Measures a library with a long log: opening it, its albums, one edit and its undo.

    python tests/bench/bench_albums.py FOLDER [--rows 100000] [--albums 5000] [--edits 100000]

Makes the library in FOLDER unless it is there: one album of 10,000 photos, the others of
six, and captions up to the number of edits. Prints milliseconds of processor time, which a
busy machine can't lengthen much.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cocadesk.annotations.albums import AlbumEditor
from cocadesk.annotations.human import CAPTION, AnnotationEdit, HumanAnnotations
from cocadesk.library.edits import place_field
from cocadesk.library.layout import EDITS, MEDIA, STORE_FOLDER, views_table
from cocadesk.library.library import Library
from cocadesk.library.places import places_between
from cocadesk.library.rows import ALBUM, Edit, new_key
from cocadesk.library.schema import rows_to_arrow
from cocadesk.library.store import Store
from tests.bench.large_library import keys_of, media_table, views_of

IMAGE_ID = "bench-000000000000"
LARGE, SMALL = 10_000, 6
T = TypeVar("T")


def edits_of(rows: int, albums: int, edits: int) -> Iterator[Edit]:
    """The log: albums with their media, then captions, four to a command."""
    rng, keys, now = np.random.default_rng(0), keys_of(range(rows)), datetime.now(UTC)
    left = edits

    def said(batch: str, key: str, field: str, new: object) -> Edit:
        return Edit(
            batch=batch, key=key, who="person", when=now, field=field,
            old="null", new=json.dumps(new),
        )  # fmt: skip

    for number in range(albums):
        album, count = new_key(), SMALL if number else LARGE
        yield said(album, album, ALBUM, f"Album {number}")
        places = places_between(None, None, count)
        for row, place in zip(rng.choice(rows, count, replace=False), places, strict=True):
            yield said(album, keys[row], place_field(album), place)
        left -= count + 1
    for _ in range(0, left, 4):
        batch = new_key()
        for row in rng.choice(rows, 4, replace=False):
            yield said(batch, keys[row], CAPTION, f"caption {row}")


def make(folder: Path, rows: int, albums: int, edits: int) -> None:
    """Makes the library; the first writer projects the log."""
    with Library.open(folder) as library:
        library.views.create(IMAGE_ID, 4)
        library.set_model(IMAGE_ID)
    store = Store(folder / STORE_FOLDER, read_only=False)
    store.append(MEDIA, media_table(IMAGE_ID, range(rows)))
    store.append(views_table(IMAGE_ID), views_of(range(rows), np.full((rows, 4), 0.5, np.float32)))
    log = [replace(edit, seq=n) for n, edit in enumerate(edits_of(rows, albums, edits), start=1)]
    store.append(EDITS, rows_to_arrow(EDITS, log))
    store.close()
    with Library.open(folder) as library:
        library.tidy()


def timed(name: str, work: Callable[[], T]) -> T:
    """Does it, and prints the processor time that it took."""
    start = time.process_time()
    done = work()
    print(f"{name:34} {(time.process_time() - start) * 1000:9.1f} ms", flush=True)
    return done


def main() -> int:
    """Makes the library if need be, and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--albums", type=int, default=5_000)
    parser.add_argument("--edits", type=int, default=100_000)
    options = parser.parse_args()
    if not options.folder.exists():
        make(options.folder, options.rows, options.albums, options.edits)
    library = timed("opening", lambda: Library.open(options.folder))
    timed("projecting the whole log", library.edits.replay)
    annotations = HumanAnnotations(library)
    editor, keys = AlbumEditor(library, annotations), keys_of(range(3))
    timed("what can be undone, first", annotations.titles)
    timed("names of albums, first", library.albums.names)
    timed("list of albums", library.albums.contents)
    for key in keys[:2]:
        timed("adding one to the large album", lambda key=key: editor.add("Album 0", [key]))
    timed("stars for one", lambda: annotations.set(keys[2:], AnnotationEdit(rating=4)))
    timed("what can be undone", annotations.titles)
    for _ in range(3):
        timed("undo", annotations.undo)
    library.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
