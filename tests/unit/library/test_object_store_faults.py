"""A library in an object store while its processes are killed and its store is cut off."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cocadesk.engine.local import Access
from cocadesk.errors import UserError
from cocadesk.indexing.types import IndexOptions
from cocadesk.library.lance import lancedb
from cocadesk.library.layout import VIEWS_PREFIX
from cocadesk.library.lease import Lease
from cocadesk.library.library import Library
from cocadesk.library.object_store import ObjectStore
from cocadesk.library.store import Store
from cocadesk.library.store_errors import store_in_words
from cocadesk.library_uri import parse_uri, working_folder
from cocadesk.protocol.messages import Hits, JobReply, Search, StartIndex, WatchJob
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobState
from tests.support.connections import connections_of
from tests.support.engines import coloured_photos, index, local_engine
from tests.support.index_tools import run_index, write_photo
from tests.support.killed_index import check_whole, index_and_kill
from tests.support.live_photos import still, video
from tests.support.object_store import KEYS, Server, line_to
from tests.support.power_cut import STORE_WRITES, power_cuts

pytestmark = pytest.mark.usefixtures("account")


@pytest.fixture
def store(server: Server) -> ObjectStore:
    """The objects of a library that is not made yet."""
    return ObjectStore(parse_uri(server.new_library()), KEYS)


def test_an_index_that_is_killed_goes_on_and_is_whole_on_every_machine(
    server: Server, tmp_path: Path
) -> None:
    """SIGKILL in the midst of commits; the same machine needs not wait for its own lease."""
    uri = parse_uri(server.new_library())
    here, there = (working_folder(uri, tmp_path / name) for name in ("here", "there"))
    photos = tmp_path / "photos"
    for number in range(8):
        write_photo(photos / f"{number}.jpg", number)
    for steps in (4, 9):
        index_and_kill(here, photos, steps)
    with pytest.raises(UserError, match="already open for writing on the machine"):
        Library.open(there)
    with Library.open(here) as library:
        run_index(library, [photos])
        check_whole(library, photos)
        assert library.care.problems() == []
    with Library.open(there) as library:
        rows = list(library.media.iter_rows())
        library.thumbnails.bring(library.thumbnails.path(row.picture_hash) for row in rows)
        check_whole(library, photos)
        assert run_index(library, [photos]).indexed == 0


def test_an_index_cut_between_any_two_writes_is_finished_by_another_machine(
    server: Server, tmp_path: Path
) -> None:
    """Of tables and of other objects; thumbnails come before the rows that speak of them."""
    photos = tmp_path / "photos"
    for number in range(3):
        write_photo(photos / f"{number}.jpg", number)
    writes = (*STORE_WRITES, (ObjectStore, "write"))
    for cut in power_cuts(every=4):
        uri = parse_uri(server.new_library())
        here, there = (working_folder(uri, tmp_path / str(cut.last) / n) for n in ("a", "b"))
        # A thumbnail on its way may meet the cut as well, and say so when the library closes.
        with suppress(KeyboardInterrupt), Library.open(here) as library, cut.during(*writes):
            run_index(library, [photos], options=IndexOptions(commit_rows=1, embed_batch=1))
        with Library.open(there) as library:
            rows = list(library.media.iter_rows())
            paths = [library.thumbnails.path(row.picture_hash) for row in rows]
            assert set(library.thumbnails.sizes_bytes(paths)) == set(paths)
            library.thumbnails.bring(paths)
            run_index(library, [photos])
            check_whole(library, photos)
            assert library.care.problems() == []


def test_no_vector_is_written_before_its_thumbnail_however_slow_the_store_is(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of photos, and of the videos of Live Photos, which come by another way."""
    uri = parse_uri(server.new_library())
    store, photos = ObjectStore(uri, KEYS), tmp_path / "photos"
    for number in range(3):
        write_photo(photos / f"{number}.jpg", number)
    still(photos / "IMG_2.jpg")
    video(photos / "IMG_2.MOV")
    lacking, written, write = list[str](), list[str](), ObjectStore.write

    def slow(self: ObjectStore, name: str, data: bytes) -> None:
        threading.Event().wait(0.1)
        write(self, name, data)

    def watched(whole: Callable[..., None]) -> Callable[..., None]:
        def watching(own: Store, table: str, *given: Any, **named: Any) -> None:
            rows = next(one for one in given if isinstance(one, pa.Table))
            if table.startswith(VIEWS_PREFIX) and "vector" in rows.column_names:
                there = {name.rpartition("/")[2] for name in store.objects("thumbs")}
                for row in rows.select(["picture_hash", "view"]).to_pylist():
                    suffix = f"-{row['view']}" if row["view"] else ""
                    written.append(f"{row['picture_hash']}{suffix}.jpg")
                    lacking.extend({written[-1]} - there)
            whole(own, table, *given, **named)

        return watching

    monkeypatch.setattr(ObjectStore, "write", slow)
    for name in ("append", "merge"):
        monkeypatch.setattr(Store, name, watched(getattr(Store, name)))
    with Library.open(working_folder(uri, tmp_path / "here")) as library:
        run_index(library, [photos])
    assert (len(written), lacking) == (5, [])


def test_a_job_that_is_cut_off_from_the_store_goes_on_when_that_is_back(
    server: Server, tmp_path: Path
) -> None:
    """It fails with a sentence; nothing that was committed is lost."""
    photos = coloured_photos(tmp_path / "photos")
    bucket = parse_uri(server.new_library()).bucket
    with line_to(server) as line:
        uri = parse_uri(f"s3://{bucket}/photos?endpoint={line.endpoint}")
        folder = working_folder(uri, tmp_path / "here")
        with local_engine(folder) as engine:
            assert index(engine, photos).job.state is JobState.DONE
            write_photo(photos / "new.jpg", 7)
            order = StartIndex(folders=(WirePath.of(photos),))
            job = engine.ask(order, JobReply).job
            line.cut()
            with pytest.raises(UserError, match="does not answer"):
                engine.ask(WatchJob(job_id=job.id), JobReply)
            line.mend()
            assert index(engine, photos).job.state is JobState.DONE
        with local_engine(folder, Access.READ) as engine:
            assert len(engine.ask(Search(text="red", limit=9), Hits).hits) == 6


def test_a_lease_that_was_not_renewed_in_its_time_is_taken_over(store: ObjectStore) -> None:
    """By the store's clock; one that may still be renewed is not."""
    crashed = Lease(store, "one", seconds=0)
    crashed.acquire()
    second = Lease(store, "two")
    second.acquire()
    with pytest.raises(UserError, match="Another machine has taken over"):
        crashed.check()
    with pytest.raises(UserError, match="free in 60 seconds"):
        Lease(store, "three").acquire()
    second.check()
    for lease in (crashed, second):
        lease.release()


def test_a_renewal_whose_answer_was_lost_is_no_loss(store: ObjectStore) -> None:
    """The store took it: the lease is another object than the one known, and still ours."""
    lease = Lease(store, "one", seconds=0)
    lease.acquire()
    store.write("lease.json", store.read("lease.json") + b" ")
    lease.check()
    lease.check()
    lease.release()


def test_a_renewal_that_is_cut_off_at_its_end_is_no_loss(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store took it, but could not say so, nor be asked: it is asked when the line is back."""
    bucket = parse_uri(server.new_library()).bucket
    with line_to(server) as line:
        store = ObjectStore(parse_uri(f"s3://{bucket}/photos?endpoint={line.endpoint}"), KEYS)
        lease, swap = Lease(store, "one", seconds=0), ObjectStore.swap
        lease.acquire()

        def lost(self: ObjectStore, name: str, data: bytes, tag: str | None) -> None:
            swap(self, name, data, tag)
            line.cut()

        with monkeypatch.context() as patched:
            patched.setattr(ObjectStore, "swap", lost)
            with pytest.raises(UserError, match="does not answer"):
                lease.check()
        line.mend()
        lease.check()
        lease.release()


def test_a_lease_is_free_when_it_was_given_back(store: ObjectStore) -> None:
    """Giving back one that was lost takes nothing from its new holder."""
    first, second = Lease(store, "one", seconds=0), Lease(store, "two")
    first.acquire()
    second.acquire()
    first.release()
    second.check()
    second.release()
    third = Lease(store, "three")
    third.acquire()
    third.release()


def test_a_lease_of_the_same_owner_is_taken_over_at_once(store: ObjectStore) -> None:
    """Its process was killed, else the kernel's lock would hold the next one off."""
    Lease(store, "one").acquire()
    again = Lease(store, "one")
    again.acquire()
    again.check()
    again.release()


def test_a_damaged_lease_is_nobodys(store: ObjectStore) -> None:
    """A library is never closed for good by it."""
    store.write("lease.json", b"{")
    lease = Lease(store, "one")
    lease.acquire()
    lease.release()


def test_conditional_writes_let_one_of_two_win(store: ObjectStore) -> None:
    """The tag of what was read decides."""
    tag = store.swap("x", b"1", None)
    assert tag is not None
    assert store.swap("x", b"2", None) is None
    newer = store.swap("x", b"2", tag)
    assert newer not in (None, tag)
    assert store.swap("x", b"3", tag) is None
    assert store.swap("y", b"3", tag) is None
    assert store.read("x") == b"2"
    assert sorted(store.objects("")) == ["x"]


def test_a_store_that_takes_connections_and_says_nothing_is_said_to_be_away(
    tmp_path: Path,
) -> None:
    """After a while, by our own requests and by those of Lance."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = parse_uri(f"s3://bucket/photos?endpoint=http://127.0.0.1:{silent.getsockname()[1]}")
        folder = working_folder(uri, tmp_path)
        store = ObjectStore(uri, KEYS, silent_s=0.2)
        with pytest.raises(UserError, match="does not answer"):
            store.read("library.json")
        with (
            pytest.raises(UserError, match="does not answer"),
            store_in_words(folder / "store", "open"),
        ):
            lancedb.connect(f"{uri}/store", storage_options=store.table_options())


def test_only_the_store_itself_is_ever_connected_to(server: Server, tmp_path: Path) -> None:
    """By the system's own calls, as the libraries below us open their sockets without Python."""
    photos, folder = tmp_path / "photos", working_folder(parse_uri(server.new_library()), tmp_path)
    write_photo(photos / "a.jpg", 1)
    asked = connections_of("tests.support.index_child", folder, photos)
    assert asked == {("127.0.0.1", int(server.endpoint.rpartition(":")[2]))}
    with Library.open(folder, writer=False) as library:
        assert library.counts().photos == 1
