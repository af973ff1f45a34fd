"""Forgetting: nothing of a medium is left in library and backups, and all others are as before."""

from __future__ import annotations

import io
import json
import os
import secrets
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cocadesk.errors import UserError
from cocadesk.library.backups import read_backup
from cocadesk.library.forgetting import JOURNAL, ForgetOrder, Forgotten
from cocadesk.library.library import Library, Sizes
from cocadesk.library.rows import MediaRow, MediaState
from tests.support.fake_backend import FakeInfo
from tests.support.found_bytes import contents, found_in
from tests.support.index_tools import (
    human_caption,
    row_at,
    run_index,
    views_at,
    write_photo,
    write_video,
)
from tests.support.library_rows import IMAGE_ID, insert, media_row, view_row

SMALL = Sizes(key_index_rows=200)


def needles(library: Library, photo: Path) -> dict[str, bytes]:
    """Bytes that only this medium has left in the library, by what they are."""
    row = row_at(library, photo)
    (view, *_) = views_at(library, photo)
    assert row.machine_caption is not None
    assert row.human_caption is not None
    return {
        "vector": np.asarray(view.vector, np.float16).tobytes(),
        "machine caption": row.machine_caption.encode(),
        "human caption": row.human_caption.encode(),
        "thumbnail": library.thumbnails.path(row.picture_hash).read_bytes()[-64:],
        "picture hash": row.picture_hash.encode(),
        "file hash": row.file_hash.encode(),
        "key": row.key.encode(),
    }


def order_for(
    library: Library, photos: Sequence[Path], folders: Iterable[Path] = ()
) -> ForgetOrder:
    """The order to forget these files, and folders as a whole."""
    places = [os.fsencode(path) for path in (*photos, *folders)]
    chosen, kept = [], []
    for one in library.media.identities():
        is_in = any(one.path == place or one.path.startswith(place + b"/") for place in places)
        (chosen if is_in else kept).append(one)
    return library.forgetting.order(chosen, kept, [os.fsencode(f) for f in folders])


def forget(library: Library, *photos: Path, folders: Iterable[Path] = ()) -> Forgotten:
    """Forgets these files and folders."""
    return library.forgetting.run(order_for(library, photos, folders))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of eight photos."""
    for number in range(8):
        write_photo(tmp_path / "photos" / f"{number}.jpg", number)
    return tmp_path / "photos"


@pytest.fixture
def library(tmp_path: Path, photos: Path) -> Iterator[Library]:
    """A library of them, each with captions of its own by a machine and by a person."""
    with Library.open(tmp_path / "library") as library:
        run_index(library, [photos])
        keys = sorted(one.key for one in library.media.identities())
        library.media.set_captions({key: secrets.token_hex(20) for key in keys}, "model-1")
        library.edits.record([human_caption(key, secrets.token_hex(20)) for key in keys])
        yield library


def add_backups(library: Library) -> list[Path]:
    """Backups in the forms that there are: Parquet in a zip file, Parquet alone, JSON."""
    rows = [
        {
            "key": row.key,
            "path": row.path,
            "human_caption": row.human_caption,
            "file_hash": row.file_hash,
        }
        for row in library.media.iter_rows()
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    folder = library.folder / "backups"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "a day.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("annotated.parquet", buffer.getvalue())
        archive.writestr("library.json", (library.folder / "library.json").read_bytes())
    (folder / "edits.parquet").write_bytes(buffer.getvalue())
    plain = [{"key": r["key"], "caption": r["human_caption"]} for r in rows]
    (folder / "words.json").write_text(json.dumps({"rows": plain}))
    return sorted(folder.iterdir())


def test_no_byte_of_a_forgotten_photo_is_left_in_library_and_backups(
    library: Library, photos: Path
) -> None:
    """Vector, captions, thumbnail and history: found before, not after; old versions too."""
    backups = [*add_backups(library), library.care.back_up()]
    preview = library.folder / "previews"
    row = row_at(library, photos / "3.jpg")
    place = preview / row.picture_hash[:2] / row.picture_hash[2:4] / f"{row.picture_hash}.jpg"
    place.parent.mkdir(parents=True)
    place.write_bytes(secrets.token_bytes(99))
    wanted = needles(library, photos / "3.jpg") | {"preview": place.read_bytes()}
    others = needles(library, photos / "4.jpg")
    library.keep_snapshot()
    before = found_in(wanted, library.folder)
    assert all(before.values()), before
    assert len(before["human caption"]) > len(backups)
    done = forget(library, photos / "3.jpg")
    assert found_in(wanted, library.folder) == {name: set() for name in wanted}
    assert all(found_in(others, library.folder).values())
    assert (done.media, done.vectors, done.captions, done.edits) == (1, 1, 1, 1)
    assert (done.thumbnails, done.previews, done.backups) == (1, 1, 4)
    assert done.versions > 0
    assert done.freed_bytes > 0


def test_a_backup_that_was_cleaned_restores_the_others(library: Library, photos: Path) -> None:
    """It stays a backup: only the forgotten photo is no longer in it."""
    path = library.care.back_up()
    before = read_backup(path)
    key = row_at(library, photos / "3.jpg").key
    forget(library, photos / "3.jpg")
    after = read_backup(path)
    assert set(after.annotated) == set(before.annotated) - {key}
    assert after.edits == tuple(edit for edit in before.edits if edit.key != key)


def test_all_other_media_are_found_as_before(library: Library, photos: Path) -> None:
    """Rows, vectors and captions of the others, and their order in a search."""
    image_id = FakeInfo().image_id
    key = row_at(library, photos / "3.jpg").key
    query = views_at(library, photos / "5.jpg")[0].vector
    rows = {row.key: row for row in library.media.iter_rows() if row.key != key}
    nearest = [one for one in library.views.nearest(image_id, query, 10) if one.key != key]
    history = [edit for edit in library.edits.all() if edit.key != key]
    forget(library, photos / "3.jpg")
    assert {row.key: row for row in library.media.iter_rows()} == rows
    assert library.views.nearest(image_id, query, 10) == nearest
    assert library.edits.all() == history


def test_pictures_of_a_copy_stay_until_the_last_copy_is_forgotten(tmp_path: Path) -> None:
    """A thumbnail belongs to the picture; two files may show it."""
    for name in ("a", "b"):
        write_photo(tmp_path / "photos" / f"{name}.jpg", 1)
    with Library.open(tmp_path / "library") as library:
        run_index(library, [tmp_path / "photos"])
        row = row_at(library, tmp_path / "photos" / "a.jpg")
        thumbnail = library.thumbnails.path(row.picture_hash)
        assert forget(library, tmp_path / "photos" / "a.jpg").thumbnails == 0
        assert thumbnail.exists()
        assert forget(library, tmp_path / "photos" / "b.jpg").thumbnails == 1
        assert not thumbnail.exists()


def test_all_moments_of_a_forgotten_video_go(tmp_path: Path) -> None:
    """Their vectors and their thumbnails."""
    video = write_video(tmp_path / "videos" / "v.mp4", "red", "green", "blue")
    write_photo(tmp_path / "videos" / "a.jpg", 1)
    with Library.open(tmp_path / "library") as library:
        run_index(library, [tmp_path / "videos"])
        views = views_at(library, video)
        assert len(views) > 2
        row = row_at(library, video)
        vectors = {str(v.view): np.asarray(v.vector, np.float16).tobytes() for v in views}
        assert all(found_in(vectors, library.folder / "store").values())
        done = forget(library, video)
        assert (done.media, done.vectors) == (1, len(views))
        assert done.thumbnails == len(views)
        assert library.thumbnails.found(row.picture_hash) == []
        assert not any(found_in(vectors, library.folder).values())


def test_a_forgotten_folder_is_no_root_any_more(library: Library, photos: Path) -> None:
    """Its root, its media and the notes of its unreadable files go; the path with them."""
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(64))
    run_index(library, [photos])
    assert len(library.media.failures()) == 1
    done = forget(library, folders=[photos])
    assert (done.media, done.folders, done.failures) == (8, 1, 1)
    assert library.media.identities() == []
    assert library.roots.all() == []
    assert library.media.failures() == []
    assert found_in({"path": os.fsencode(photos)}, library.folder) == {"path": set()}


def test_what_would_go_is_counted_before_and_nothing_is_changed(
    library: Library, photos: Path
) -> None:
    """The same numbers as afterwards, but for files that are only cleaned."""
    before = dict(contents(library.folder / "store"))
    order = order_for(library, [photos / "1.jpg", photos / "2.jpg"])
    planned = library.forgetting.counts(order)
    assert dict(contents(library.folder / "store")) == before
    done = library.forgetting.run(order)
    assert (planned.media, planned.vectors, planned.captions, planned.edits) == (2, 2, 2, 2)
    assert (done.media, done.vectors, done.captions, done.edits) == (2, 2, 2, 2)
    assert (planned.thumbnails, done.thumbnails) == (2, 2)


def test_an_interrupted_forgetting_is_finished_when_the_library_is_opened(
    library: Library, photos: Path, tmp_path: Path
) -> None:
    """The journal says what goes; it goes with it."""
    wanted = needles(library, photos / "6.jpg")
    order = order_for(library, [photos / "6.jpg"])
    library.close()
    (tmp_path / "library" / JOURNAL).write_bytes(order.to_json())
    with Library.open(tmp_path / "library") as opened:
        assert opened.media.row_by_path(os.fsencode(photos / "6.jpg")) is None
        assert found_in(wanted, opened.folder) == {name: set() for name in wanted}
    assert not (tmp_path / "library" / JOURNAL).exists()


def test_a_damaged_journal_is_put_aside(library: Library, tmp_path: Path) -> None:
    """The library opens with all that it has."""
    library.close()
    (tmp_path / "library" / JOURNAL).write_bytes(b"{")
    with Library.open(tmp_path / "library") as opened:
        assert len(opened.media.identities()) == 8
    assert not (tmp_path / "library" / JOURNAL).exists()


def test_a_damaged_backup_is_removed_since_it_cannot_be_cleaned(
    library: Library, photos: Path
) -> None:
    """What can't be looked into may hold what was to go: cut or flipped."""
    path = library.care.back_up()
    data = bytearray(path.read_bytes())
    path.with_name("cut.zip").write_bytes(b"PK\x03\x04" + bytes(30))
    data[len(data) // 2 - 9 : len(data) // 2] = b"\xff" * 9
    path.write_bytes(data)
    assert forget(library, photos / "0.jpg").backups == 2
    assert list(path.parent.iterdir()) == []


def test_a_backup_that_cannot_be_changed_keeps_no_library_closed(
    library: Library, photos: Path
) -> None:
    """It is said; the journal stays, and the next writer goes on with it."""
    path, folder = library.care.back_up(), library.folder
    hindrance = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    hindrance.mkdir()
    with pytest.raises(UserError, match="backup could not be changed"):
        forget(library, photos / "0.jpg")
    library.close()
    with Library.open(folder) as again:
        assert "backup could not be changed" in again.notices[0]
        assert len(again.media.identities()) == 7
    hindrance.rmdir()
    with Library.open(folder):
        assert not (folder / JOURNAL).exists()
    assert len(read_backup(path).annotated) == 7


@pytest.fixture
def indexed(tmp_path: Path) -> Iterator[tuple[Library, list[MediaRow]]]:
    """A library of 600 rows in one file with an index over their vectors."""
    with Library.open(tmp_path / "library", sizes=SMALL) as library:
        rows = [media_row(f"{number:04d}.jpg".encode()) for number in range(600)]
        insert(library, *rows)
        library.views.create(IMAGE_ID, 32)
        rng = np.random.default_rng(3)
        vectors = rng.standard_normal((600, 32)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        library.views.commit(IMAGE_ID, [view_row(row, vectors[i]) for i, row in enumerate(rows)])
        library.tidy()
        yield library, rows


@pytest.mark.parametrize("count", [1, 40, 300])
def test_vectors_are_erased_from_one_large_file_with_an_index(
    indexed: tuple[Library, list[MediaRow]], count: int
) -> None:
    """Few deleted rows of a file, which LanceDB's own compaction would leave in it, or many."""
    library, rows = indexed
    gone, stays = rows[100 : 100 + count], rows[100 + count]
    stored = library.views.of_keys(IMAGE_ID, [row.key for row in (*gone, stays)])
    wanted = {key: np.asarray(v[0].vector, np.float16).tobytes() for key, v in stored.items()}
    assert all(found_in(wanted, library.folder / "store").values())
    by_key = {one.key: one for one in library.media.identities()}
    chosen = [by_key.pop(row.key) for row in gone]
    library.forgetting.run(library.forgetting.order(chosen, by_key.values(), ()))
    left = found_in(wanted, library.folder / "store")
    assert [key for key, places in left.items() if places] == [stays.key]
    assert library.views.count(IMAGE_ID) == 600 - count
    (nearest, *_) = library.views.nearest(IMAGE_ID, stored[stays.key][0].vector, 1)
    assert nearest.key == stays.key


def test_what_a_missing_medium_leaves_behind_is_no_other_ones_at_its_path(
    library: Library, photos: Path
) -> None:
    """Another picture took its name; the notes by that path are the new one's."""
    gone = row_at(library, photos / "2.jpg")
    (photos / "2.jpg").unlink()
    run_index(library, [photos])
    write_photo(photos / "2.jpg", 99)
    run_index(library, [photos])
    identities = library.media.identities()
    chosen = [one for one in identities if one.state == MediaState.MISSING]
    assert [one.key for one in chosen] == [gone.key]
    order = library.forgetting.order(chosen, [o for o in identities if o not in chosen], ())
    assert order.paths == ()
    library.forgetting.run(order)
    assert row_at(library, photos / "2.jpg").key != gone.key
