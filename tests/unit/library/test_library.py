"""The library on disk, on a real LanceDB store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cocadesk.errors import UserError
from cocadesk.library.layout import SCHEMA_VERSION, Manifest, write_manifest
from cocadesk.library.library import Library, Sizes
from cocadesk.library.rows import (
    Chosen,
    Edit,
    FailureRow,
    JobRow,
    MediaChange,
    MediaKind,
    MediaState,
    Tag,
    ViewShows,
    new_key,
)
from tests.support.library_rows import IMAGE_ID, insert, media_row, view_row


def test_a_row_comes_back_as_it_was_written_with_any_bytes_in_its_path(tmp_path: Path) -> None:
    """Paths that are not UTF-8, quotes and every field survive the store."""
    row = media_row(
        b"it's \xff\xfe.jpg",
        width=3,
        height=4,
        taken_utc=datetime(1999, 12, 31, 23, 59, 59, 5, tzinfo=UTC),
        taken_local=datetime(2000, 1, 1, 0, 59, 59, 5),
        utc_offset_min=60,
        latitude=1.5,
        longitude=-2.5,
        camera="O'Neil 7",
        rating=5,
        keywords=("a", "b'c"),
        title="ünï",
    )
    with Library.open(tmp_path / "lib") as library:
        insert(library, row)
        assert library.media.row_by_path(row.path) == row
        assert library.media.rows([row.key]) == [row]
        assert library.media.row_by_path(b"/photos/it's") is None


def test_text_that_is_no_unicode_is_replaced_rather_than_refused(tmp_path: Path) -> None:
    """A lone surrogate in a file's title does not stop a commit."""
    row = media_row(b"a.jpg", title="bad \udcff title")
    with Library.open(tmp_path) as library:
        insert(library, row)
        assert library.media.rows([row.key])[0].title == "bad ? title"


def test_rows_come_in_the_order_of_their_keys_and_unknown_keys_are_left_out(
    tmp_path: Path,
) -> None:
    """The caller's order is kept over more keys than one query takes."""
    rows = [media_row(b"%d.jpg" % i, mtime_ns=10**18 + i * 1000) for i in range(2500)]
    with Library.open(tmp_path) as library:
        insert(library, *rows)
        keys = [row.key for row in reversed(rows)]
        assert [row.key for row in library.media.rows([*keys, "nobody"])] == keys
        assert library.media.all_keys() == keys
        assert [row.key for row in library.media.iter_rows()] == keys


def test_committing_twice_equals_committing_once(tmp_path: Path) -> None:
    """Merges are keyed, for media, views and failures."""
    row = media_row(b"a.jpg")
    failure = FailureRow(
        path=b"/x",
        root=b"/",
        reason="no",
        stage="decode",
        when=datetime.now(UTC),
        size_bytes=1,
        mtime_ns=2,
    )
    with Library.open(tmp_path) as library:
        library.views.create(IMAGE_ID, 2)
        for _ in range(2):
            library.views.commit(IMAGE_ID, [view_row(row, [1, 0])])
            insert(library, row)
            library.media.record_failures([failure, failure])
        counts = library.counts(IMAGE_ID)
        assert (counts.media, counts.photos, counts.views, counts.failed) == (1, 1, 1, 1)
        library.media.forget_failures([b"/x"])
        assert library.media.failures() == []


def test_a_changed_file_keeps_its_words_and_loses_only_the_machines(tmp_path: Path) -> None:
    """Human columns are outside what a re-index writes."""
    row = media_row(b"a.jpg")
    with Library.open(tmp_path) as library:
        insert(library, row)
        library.media.set_captions({row.key: "a machine's"}, "m-1", {row.key: 0.5})
        library.media.set_tags({row.key: [Tag(tag="it's", score=0.5)]}, "m-1")
        library.edits.record([edit(row.key, "human_caption", None, "mine")])
        library.media.commit([MediaChange(row=media_row(b"b.jpg", key=row.key), is_new=False)])
        kept = library.media.rows([row.key])[0]
        assert kept.path == b"/photos/b.jpg"
        assert (kept.caption, kept.machine_caption) == ("mine", "a machine's")
        assert kept.tags == (Tag(tag="it's", score=0.5),)
        change = MediaChange(row=row, is_new=False, drops_machine_words=True)
        library.media.commit([change])
        redrawn = library.media.rows([row.key])[0]
        assert (redrawn.caption, redrawn.machine_caption, redrawn.tags) == ("mine", None, ())
        assert library.counts().media == 1


def edit(key: str, field: str, old: object, new: object, batch: str = "b") -> Edit:
    """An edit by the person, now."""
    return Edit(
        batch=batch,
        key=key,
        who="person",
        when=datetime.now(UTC),
        field=field,
        old=json.dumps(old),
        new=json.dumps(new),
    )


def test_the_log_of_human_words_is_the_truth_and_is_projected_at_opening(tmp_path: Path) -> None:
    """A crash between the log and the media table heals at the next opening."""
    row = media_row(b"a.jpg")
    with Library.open(tmp_path) as library:
        insert(library, row)
        library.edits.record(
            [
                edit(row.key, "human_caption", None, "first"),
                edit(row.key, "human_caption", "first", "second"),
                edit(row.key, "human_tags_added", [], ["x", "y"]),
            ]
        )
        library.media._merge_columns([row], ("key", "human_caption", "human_tags_added"))
        assert library.media.rows([row.key])[0].human_caption is None
    with Library.open(tmp_path) as library:
        healed = library.media.rows([row.key])[0]
        assert healed.human_caption == "second"
        assert [tag.tag for tag in healed.tags] == ["x", "y"]
        assert [entry.seq for entry in library.edits.all()] == [1, 2, 3]


def test_a_video_with_several_views_is_carried_by_the_same_tables(tmp_path: Path) -> None:
    """Spans of time round-trip; views beyond a count can be dropped."""
    row = media_row(b"film.mp4", kind=MediaKind.VIDEO, duration_s=12.5)
    views = [
        view_row(row, [1, 0], 0, kind=MediaKind.VIDEO),
        view_row(row, [0, 1], 1, shows=ViewShows.SPAN, start_s=0.0, end_s=6.0, time_s=3.0),
    ]
    with Library.open(tmp_path) as library:
        library.views.create(IMAGE_ID, 2)
        library.views.commit(IMAGE_ID, views)
        insert(library, row)
        stored = library.views.of_keys(IMAGE_ID, [row.key])[row.key]
        assert [(v.shows, v.time_s, v.end_s) for v in stored] == [
            (ViewShows.WHOLE, None, None),
            (ViewShows.SPAN, 3.0, 6.0),
        ]
        library.views.remove_from(IMAGE_ID, {row.key: 1})
        assert library.views.count(IMAGE_ID) == 1
        assert library.counts().videos == 1


def test_the_nearest_views_are_those_of_highest_cosine_in_memory_and_in_the_store(
    tmp_path: Path,
) -> None:
    """Both ways of searching give the order of a plain product."""
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((300, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = [media_row(b"%d" % i) for i in range(300)]
    with Library.open(tmp_path) as library:
        library.views.create(IMAGE_ID, 16)
        library.views.commit(IMAGE_ID, [view_row(r, v) for r, v in zip(rows, vectors, strict=True)])
        wanted = np.argsort(-(vectors @ vectors[7]))[:12]
        expected = [rows[i].key for i in wanted]
        in_memory = library.views.nearest(IMAGE_ID, vectors[7], 12)
        others = Chosen({row.key for row in rows} - {rows[7].key}, "kind = 'photo'")
        assert library.views.nearest(IMAGE_ID, vectors[7], 3, others)[0].key == expected[1]
    with Library.open(tmp_path, sizes=Sizes(memory_rows=0)) as library:
        in_store = library.views.nearest(IMAGE_ID, vectors[7], 12)
        assert library.views.nearest(IMAGE_ID, vectors[7], 3, others)[0].key == expected[1]
        assert [hit.key for hit in in_memory] == expected
        assert [hit.key for hit in in_store] == expected
        np.testing.assert_allclose(
            [hit.cosine for hit in in_memory], [hit.cosine for hit in in_store], atol=2e-3
        )
        assert in_memory[0].cosine == pytest.approx(1.0, abs=1e-3)


def test_search_in_memory_sees_each_commit(tmp_path: Path) -> None:
    """The copy in memory is never older than the table."""
    first, second = media_row(b"1"), media_row(b"2")
    with Library.open(tmp_path) as library:
        library.views.create(IMAGE_ID, 2)
        library.views.commit(IMAGE_ID, [view_row(first, [1, 0])])
        assert len(library.views.nearest(IMAGE_ID, np.asarray([1, 0], np.float32), 9)) == 1
        library.views.commit(IMAGE_ID, [view_row(second, [0, 1])])
        assert len(library.views.nearest(IMAGE_ID, np.asarray([1, 0], np.float32), 9)) == 2


def test_vectors_of_another_length_are_refused_in_a_sentence(tmp_path: Path) -> None:
    """An image id has one dimension."""
    with Library.open(tmp_path) as library:
        library.views.create(IMAGE_ID, 2)
        with pytest.raises(UserError, match="have 2 numbers, not 3"):
            library.views.create(IMAGE_ID, 3)


def test_a_reader_beside_the_writer_sees_its_commits_and_may_not_write(tmp_path: Path) -> None:
    """Reading needs no lock and is never stale."""
    row = media_row(b"a")
    with Library.open(tmp_path) as library, Library.open(tmp_path, writer=False) as reader:
        assert reader.counts().media == 0
        insert(library, row)
        library.views.create(IMAGE_ID, 2)
        library.views.commit(IMAGE_ID, [view_row(row, [1, 0])])
        assert reader.counts(IMAGE_ID) == library.counts(IMAGE_ID)
        assert reader.views.nearest(IMAGE_ID, np.asarray([1, 0], np.float32), 5)[0].key == row.key
        with pytest.raises(UserError, match="reading only"):
            reader.media.set_captions({row.key: "x"}, "m")


def test_a_second_writer_gets_one_sentence_that_names_the_first(tmp_path: Path) -> None:
    """The lock is exclusive and says who has it; closing frees it."""
    with Library.open(tmp_path), pytest.raises(UserError, match=f"process {os.getpid()}"):
        Library.open(tmp_path)
    Library.open(tmp_path).close()


def test_another_process_that_holds_the_lock_is_named_and_its_death_frees_it(
    tmp_path: Path,
) -> None:
    """The lock of a killed process is taken over."""
    code = (
        "import sys, pathlib\nfrom cocadesk.library.library import Library\n"
        "library = Library.open(pathlib.Path(sys.argv[1]))\n"
        "print('open', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        with pytest.raises(UserError, match=f"process {child.pid}"):
            Library.open(tmp_path)
        child.kill()
        child.wait()
        with Library.open(tmp_path) as library:
            assert library.is_writer


def test_a_lock_file_left_by_a_dead_process_does_not_hinder(tmp_path: Path) -> None:
    """Only the kernel's lock counts, not the file."""
    (tmp_path / "lock").write_text("99999999\n")
    with Library.open(tmp_path) as library:
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
        assert library.is_writer


def test_a_library_keeps_its_id_model_roots_and_jobs(tmp_path: Path) -> None:
    """What is written is there after a restart."""
    now = datetime.now(UTC)
    job = JobRow(
        id=new_key(), kind="index", spec="{}", state="runs", created_utc=now, updated_utc=now
    )
    with Library.open(tmp_path) as library:
        library.set_model(IMAGE_ID, model_id="model-x")
        library.roots.add(os.fsencode(tmp_path))
        library.roots.add(b"/nowhere/\xff")
        library.roots.add(os.fsencode(tmp_path))
        library.jobs.save(job)
        library.jobs.save(job)
        identity = library.manifest.id
    with Library.open(tmp_path) as library:
        assert (library.manifest.id, library.model, library.manifest.schema) == (
            identity,
            IMAGE_ID,
            SCHEMA_VERSION,
        )
        assert [root.path for root in library.roots.all()] == [
            b"/nowhere/\xff",
            os.fsencode(tmp_path),
        ]
        assert library.roots.all()[1].inode == tmp_path.stat().st_ino
        assert library.jobs.all() == [job]
        library.jobs.forget(job.id)
        assert library.jobs.all() == []


def test_states_are_counted(tmp_path: Path) -> None:
    """Missing and offline media stay and are counted."""
    rows = [media_row(b"%d" % i) for i in range(4)]
    with Library.open(tmp_path) as library:
        insert(library, *rows)
        library.media.set_state([rows[0].key], MediaState.MISSING, "gone")
        library.media.set_state([rows[1].key, rows[2].key], MediaState.OFFLINE, None)
        counts = library.counts()
        assert (counts.media, counts.missing, counts.offline) == (4, 1, 2)
        assert library.media.rows([rows[0].key])[0].reason == "gone"


def test_a_thumbnail_is_written_once_under_two_hex_levels(tmp_path: Path) -> None:
    """The path follows the pixels and no temporary file stays."""
    with Library.open(tmp_path) as library:
        library.thumbnails.write("abcdef", b"first")
        library.thumbnails.write("abcdef", b"second")
        path = tmp_path / "thumbs" / "ab" / "cd" / "abcdef.jpg"
        assert library.thumbnails.path("abcdef") == path
        assert path.read_bytes() == b"first"
        assert [entry.name for entry in path.parent.iterdir()] == ["abcdef.jpg"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"schema": "1", "id": "x"}', b'{"schema": 0, "id": "x"}', b"\xff",
     b'{"schema": %d, "id": "x", "image_id": 3}' % SCHEMA_VERSION],
)  # fmt: skip
def test_a_damaged_description_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    """Every kind of broken library.json is named where its copy is broken too."""
    Library.open(tmp_path).close()
    for name in ("library.json", "library.json.copy"):
        (tmp_path / name).write_bytes(content)
    for writer in (True, False):
        with pytest.raises(UserError, match=r"library\.json"):
            Library.open(tmp_path, writer=writer)


def test_a_library_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    """The schema version guards against writing what we do not know."""
    Library.open(tmp_path).close()
    write_manifest(tmp_path, Manifest(id="x", schema=99))
    with pytest.raises(UserError, match=r"newer CocaDesk.*99.*Update"):
        Library.open(tmp_path)


def test_a_library_of_a_much_older_program_is_refused(tmp_path: Path) -> None:
    """Its tables are others altogether; the sentence says what to do, for writer and reader."""
    Library.open(tmp_path).close()
    write_manifest(tmp_path, Manifest(id="x", schema=4))
    for writer in (True, False):
        with pytest.raises(UserError, match=r"much older CocaDesk.*new library"):
            Library.open(tmp_path, writer=writer)


def test_a_store_that_lost_its_files_is_opened_empty_and_says_so(tmp_path: Path) -> None:
    """Tables gone, manifests gone or data overwritten: never a raw error, never silence."""
    with Library.open(tmp_path) as library:
        insert(library, media_row(b"a"))
    for data in (tmp_path / "store" / "media.lance" / "data").iterdir():
        data.write_bytes(b"rubbish")
    with Library.open(tmp_path) as library:
        assert list(library.media.iter_rows()) == []
        insert(library, media_row(b"a"))
    for manifest in (tmp_path / "store" / "media.lance" / "_versions").iterdir():
        manifest.write_bytes(b"rubbish")
    with Library.open(tmp_path) as library:
        assert library.counts().media == 0
    for table in (tmp_path / "store").iterdir():
        table.rename(tmp_path / f".{table.name}")
    with Library.open(tmp_path) as library:
        assert [notice.split(";")[0] for notice in library.notices] == [
            "The table of photos and videos was damaged",
            "The table of photos and videos was damaged",
            "The library's tables were gone",
        ]


def test_a_reader_of_a_store_that_is_gone_gets_a_sentence(tmp_path: Path) -> None:
    """Where another process holds the lock, nothing can be mended beside it."""
    with Library.open(tmp_path):
        for table in (tmp_path / "store").iterdir():
            table.rename(tmp_path / f".{table.name}")
        with pytest.raises(UserError, match="tables are gone"):
            Library.open(tmp_path, writer=False)


def test_a_folder_with_other_things_in_it_is_not_made_a_library(tmp_path: Path) -> None:
    """Nothing is strewn among a person's photos."""
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(UserError, match=r"holiday\.jpg"):
        Library.open(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["holiday.jpg"]


def test_reading_where_there_is_no_library_says_what_to_do(tmp_path: Path) -> None:
    """No folder is made by looking."""
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(UserError, match="cocadesk index"):
            Library.open(folder, writer=False)
        with pytest.raises(UserError, match="cocadesk index"):
            Library.open(folder, create=False)
    assert not (tmp_path / "none").exists()


def test_many_small_commits_are_compacted(tmp_path: Path) -> None:
    """Tidying joins the fragments and loses no row."""
    with Library.open(tmp_path) as library:
        for i in range(20):
            insert(library, media_row(b"%d" % i))
        library.tidy()
        stats = library._store._table("media").stats()
        assert stats["fragment_stats"]["num_fragments"] == 1
        assert library.counts().media == 20


def test_reading_beside_writing_threads_never_fails(tmp_path: Path) -> None:
    """Searches run while another thread commits."""
    with Library.open(tmp_path) as library:
        library.views.create(IMAGE_ID, 8)

        def write() -> None:
            rng = np.random.default_rng(0)
            for i in range(15):
                row = media_row(b"%d" % i)
                library.views.commit(IMAGE_ID, [view_row(row, rng.standard_normal(8))])
                insert(library, row)

        thread = threading.Thread(target=write)
        thread.start()
        seen = [0]
        while thread.is_alive():
            seen.append(len(library.views.nearest(IMAGE_ID, np.ones(8, np.float32), 100)))
        thread.join()
        assert seen == sorted(seen)
        assert len(library.views.nearest(IMAGE_ID, np.ones(8, np.float32), 100)) == 15


def test_importing_the_room_does_not_import_the_store() -> None:
    """LanceDB's import is paid only by who opens a library."""
    code = (
        "import sys, cocadesk.library, cocadesk.search, cocadesk.indexing\n"
        "heavy = {'lancedb', 'pyarrow', 'torch', 'cv2', 'PIL'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
