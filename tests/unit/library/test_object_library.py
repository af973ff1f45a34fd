"""A library in an object store, used from two machines (working folders) of one person."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cocadesk.annotations.vocabulary import (
    has_custom_vocabulary,
    library_vocabulary,
    set_custom_vocabulary,
)
from cocadesk.errors import UserError
from cocadesk.indexing.types import Again, IndexOptions
from cocadesk.library.lance_files import manifest_name, numbers_of
from cocadesk.library.layout import GROUPS_NAME, bases_in
from cocadesk.library.lease import Lease
from cocadesk.library.library import Library, Sizes
from cocadesk.library.object_store import ObjectStore, store_refusal
from cocadesk.library.pictures import ObjectPictures
from cocadesk.library.rows import MediaState
from cocadesk.library.storage import FileState, ObjectStorage, storage_of
from cocadesk.library_uri import parse_uri, working_folder
from cocadesk.search.searcher import Searcher, open_searcher
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.found_bytes import found_in
from tests.support.index_tools import run_index, set_human_caption, stored_vectors, write_photo
from tests.support.object_store import KEYS, Server, objects_of, serving

pytestmark = pytest.mark.usefixtures("account")

IMAGE_ID = FakeInfo().image_id


@pytest.fixture
def address(server: Server) -> str:
    """The address of a library that is not made yet."""
    return server.new_library()


@pytest.fixture
def here(address: str, tmp_path: Path) -> Path:
    """The library's folder on the first machine."""
    return working_folder(parse_uri(address), tmp_path / "here")


@pytest.fixture
def there(address: str, tmp_path: Path) -> Path:
    """The library's folder on the second machine."""
    return working_folder(parse_uri(address), tmp_path / "there")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photos."""
    for number in range(3):
        write_photo(tmp_path / "photos" / f"{number}.jpg", number)
    return tmp_path / "photos"


def filled(folder: Path, photos: Path) -> None:
    """Index the photos on the machine of this folder."""
    with Library.open(folder) as library:
        run_index(library, [photos])
        library.set_model(IMAGE_ID)


def kept_in(address: str, folder: Path) -> Path:
    """A folder with all objects of a library as files."""
    for name, data in objects_of(address).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_another_machine_sees_all_that_was_indexed(here: Path, there: Path, photos: Path) -> None:
    """Rows, vectors, thumbnails, words and the model in use."""
    filled(here, photos)
    with Library.open(here) as library:
        key = library.media.identities()[0].key
        set_human_caption(library, key, "a day at the lake")
        vectors = stored_vectors(library, IMAGE_ID)
    with Library.open(there, writer=False) as library:
        assert library.counts().photos == 3
        assert library.model == IMAGE_ID
        assert library.media.rows([key])[0].caption == "a day at the lake"
        found = stored_vectors(library, IMAGE_ID)
        assert found.keys() == vectors.keys()
        assert all(np.array_equal(found[mark], vectors[mark]) for mark in vectors)
        assert library.care.problems() == ["There is no backup of people's captions and tags yet."]


def test_another_machine_goes_on_with_the_work(here: Path, there: Path, photos: Path) -> None:
    """It writes, and the first one sees that."""
    filled(here, photos)
    write_photo(photos / "new.jpg", 7)
    with Library.open(there) as library:
        assert run_index(library, [photos]).indexed == 1
    with Library.open(here, writer=False) as library:
        assert library.counts().photos == 4


def test_another_machines_photos_at_the_same_path_are_offline_never_missing(
    here: Path, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people named alike: each look finds only its own photos, and takes none away.

    Their disks have numbers alone: one with a name of its own is the same on all machines.
    """
    monkeypatch.setattr("cocadesk.library.volumes.system_volume_names", dict)
    folder = tmp_path / "Pictures"
    for number in range(4):
        write_photo(folder / f"IMG_{number}.jpg", number)
    with Library.open(here) as library:
        run_index(library, [folder])
        for one in library.media.identities():
            set_human_caption(library, one.key, "of Anna")
    folder.rename(tmp_path / "of the first")
    for number in (2, 3, 7):
        write_photo(folder / f"IMG_{number}.jpg", 40 + number)
    with Library.open(there) as library:
        assert run_index(library, [folder]).indexed == 3
        assert states(library) == ["offline of Anna"] * 4 + ["present None"] * 3
        for one in library.media.identities():
            if one.state == MediaState.PRESENT:
                set_human_caption(library, one.key, "of Bert")
        (folder / "IMG_7.jpg").unlink()
        run_index(library, [folder])
        assert states(library).count("missing of Bert") == 1
    folder.rename(tmp_path / "of the second")
    (tmp_path / "of the first").rename(folder)
    (folder / "IMG_0.jpg").unlink()
    with Library.open(here) as library:
        assert run_index(library, [folder]).indexed == 0
        assert states(library) == sorted(
            ["missing of Anna", "missing of Bert"]
            + ["offline of Bert"] * 2
            + ["present of Anna"] * 3
        )


def states(library: Library) -> list[str]:
    """The states and captions of all media."""
    return sorted(f"{row.state} {row.caption}" for row in library.media.iter_rows())


def test_a_search_without_an_engine_is_as_new_as_the_store(
    here: Path, there: Path, photos: Path
) -> None:
    """The snapshot of this machine is used until another one has written."""
    filled(here, photos)
    with open_searcher(here, FakeBackend()) as searcher:
        assert len(searcher.search("anything", 9)) == 3
    write_photo(photos / "new.jpg", 7)
    with Library.open(there) as library:
        run_index(library, [photos])
    with open_searcher(here, FakeBackend()) as searcher:
        assert len(searcher.search("anything", 9)) == 4


def test_thumbnails_are_brought_when_somebody_looks(here: Path, there: Path, photos: Path) -> None:
    """Into the working folder; one that nobody has is simply not there."""
    filled(here, photos)
    with Library.open(there, writer=False) as library:
        paths = [library.thumbnails.path(one.picture_hash) for one in library.media.identities()]
        assert not any(path.exists() for path in paths)
        library.thumbnails.bring([*paths, library.thumbnails.path("f" * 32)])
        assert all(path.read_bytes()[:2] == b"\xff\xd8" for path in paths)
        assert not library.thumbnails.path("f" * 32).exists()


def test_thumbnails_that_the_store_has_lost_are_drawn_again_for_all_machines(
    here: Path, there: Path, address: str, photos: Path
) -> None:
    """Though this machine has copies: the check says so, and what it says to do helps."""
    filled(here, photos)
    store = ObjectStore(parse_uri(address), KEYS)
    lost = sorted(store.objects("thumbs"))
    store.delete(lost)
    with Library.open(here) as library:
        assert any("Thumbnails lost or damaged: 3." in one for one in library.care.problems())
        run_index(library, [photos], options=IndexOptions(again=Again.ALL))
    assert sorted(store.objects("thumbs")) == lost
    with Library.open(there, writer=False) as library:
        assert not any("Thumbnails" in problem for problem in library.care.problems())


def test_a_library_that_is_not_made_is_not_made_by_looking(here: Path, address: str) -> None:
    """A search on a mistyped name leaves nothing behind."""
    with pytest.raises(UserError, match="There is no library in s3://"):
        Library.open(here, writer=False)
    assert objects_of(address) == {}


def test_credentials_are_never_written(here: Path, address: str, photos: Path) -> None:
    """Neither into the store nor into the working folder."""
    filled(here, photos)
    files = [path.read_bytes() for path in here.rglob("*") if path.is_file()]
    kept = [*files, *objects_of(address).values()]
    assert not any(KEYS.secret.encode() in data for data in kept)


def test_a_second_machine_is_refused_with_the_name_of_the_first(
    here: Path, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may read meanwhile; when the first has closed, it may write."""
    monkeypatch.setattr("socket.gethostname", lambda: "old-laptop")
    with Library.open(here):
        monkeypatch.setattr("socket.gethostname", lambda: "desktop")
        with pytest.raises(UserError, match="open for writing on the machine old-laptop"):
            Library.open(there)
        Library.open(there, writer=False).close()
    Library.open(there).close()


def test_a_machine_that_lost_its_lease_writes_no_more(here: Path, address: str) -> None:
    """It slept, and another one took over: nothing is written over that one's work."""
    storage = storage_of(here)
    assert isinstance(storage, ObjectStorage)
    with Library.open(here) as library:
        storage.let_go()
        storage.lease = Lease(storage.objects, "here", seconds=0)
        storage.lease.acquire()
        library.set_watching(True, waits_on_battery=True)
        ObjectStore(parse_uri(address), KEYS).write("lease.json", b"{}")
        with pytest.raises(UserError, match="Another machine has taken over"):
            library.set_watching(False)


def test_what_another_machine_wrote_into_the_description_is_not_written_over(
    here: Path, address: str
) -> None:
    """The write has a condition, so that even a lost lease does no harm."""
    with Library.open(here) as library:
        store = ObjectStore(parse_uri(address), KEYS)
        changed = json.dumps({"id": "other", "schema": 7}).encode()
        store.write("library.json", changed)
        with pytest.raises(UserError, match="Another machine has changed the library"):
            library.set_watching(False)
        assert store.read("library.json") == changed


def test_a_description_that_was_written_though_the_answer_was_lost_is_ours(
    here: Path, address: str
) -> None:
    """The store has what was to be written: nobody else has changed it."""
    store = ObjectStore(parse_uri(address), KEYS)
    with Library.open(here) as library:
        library.set_watching(False)
        wanted = store.read("library.json")
        library.set_watching(True)
        store.write("library.json", wanted)
        library.set_watching(False)
        library.set_watching(True)


def test_a_damaged_newest_version_falls_back_to_the_one_before(
    here: Path, there: Path, address: str, photos: Path
) -> None:
    """As on the disk: with a notice, and what is damaged is kept aside."""
    filled(here, photos)
    store = ObjectStore(parse_uri(address), KEYS)
    folder = "store/media.lance"
    newest = numbers_of(name[len(folder) + 1 :] for name in store.objects(folder))[0]
    store.write(f"{folder}/{manifest_name(newest)}", b"")
    with Library.open(there) as library:
        assert any("photos and videos was damaged" in notice for notice in library.notices)
        run_index(library, [photos])
        assert library.counts().photos == 3
        assert library.care.problems() == list(library.notices)
    assert any(name.startswith("damaged/") for name in objects_of(address))


def test_a_lost_data_file_costs_only_its_rows(here: Path, address: str, photos: Path) -> None:
    """The rows of the file are read again by the next index."""
    filled(here, photos)
    write_photo(photos / "new.jpg", 7)
    with Library.open(here) as library:
        run_index(library, [photos])
    store = ObjectStore(parse_uri(address), KEYS)
    newest = max(store.objects("store/media.lance/data").items(), key=lambda item: item[1].when)[0]
    store.delete([newest])
    with Library.open(here) as library:
        assert any("photos and videos was damaged" in notice for notice in library.notices)
        run_index(library, [photos])
        assert library.counts().photos == 4
        library.care.repair()
        assert library.care.problems() == []


def test_what_is_forgotten_is_gone_from_all_objects(
    here: Path, there: Path, address: str, photos: Path, tmp_path: Path
) -> None:
    """Vector and thumbnail: found before, not after; other machines drop their copies."""
    filled(here, photos)
    with Library.open(there, writer=False) as library:
        gone = library.media.identities()[0]
        thumbnail = library.thumbnails.path(gone.picture_hash)
        library.thumbnails.bring([thumbnail])
        for name in (GROUPS_NAME, f"{GROUPS_NAME}.tmp", "forgetting.json"):
            (there / name).write_bytes(gone.key.encode())
        view = library.views.of_keys(IMAGE_ID, [gone.key])[gone.key][0]
        wanted = {
            "vector": np.asarray(view.vector, np.float16).tobytes(),
            "thumbnail": thumbnail.read_bytes()[-64:],
            "picture hash": gone.picture_hash.encode(),
            "key": gone.key.encode(),
        }
    assert all(found_in(wanted, kept_in(address, tmp_path / "before")).values())
    with Library.open(here) as library:
        kept = [one for one in library.media.identities() if one.key != gone.key]
        done = library.forgetting.run(library.forgetting.order([gone], kept, ()))
        assert (done.media, done.vectors, done.thumbnails) == (1, 1, 1)
    assert not any(found_in(wanted, kept_in(address, tmp_path / "after")).values())
    with Library.open(there, writer=False) as library:
        assert library.counts().photos == 2
        assert not thumbnail.exists()
    assert not any(found_in(wanted, there, here).values())


def test_a_forgetting_that_was_interrupted_is_finished_by_any_machine(
    here: Path, there: Path, address: str, photos: Path
) -> None:
    """Its journal lies in the store until all is gone, copies in the working folder too."""
    filled(here, photos)
    with Library.open(there, writer=False) as library:
        gone, *kept = library.media.identities()
        thumbnail = library.thumbnails.path(gone.picture_hash)
        library.thumbnails.bring([thumbnail])
        order = library.forgetting.order([gone], kept, ())
    assert thumbnail.exists()
    store = ObjectStore(parse_uri(address), KEYS)
    store.write("forgetting.json", order.to_json())
    store.delete([thumbnail.relative_to(there).as_posix()])
    with Library.open(there) as library:
        assert library.counts().photos == 2
    assert not thumbnail.exists()
    objects = objects_of(address)
    assert "forgetting.json" not in objects
    assert [name for name in objects if gone.picture_hash in name] == []


def test_backups_lie_in_the_store_and_are_restored_elsewhere(
    here: Path, there: Path, address: str, photos: Path
) -> None:
    """Words come back from them."""
    filled(here, photos)
    with Library.open(here) as library:
        key = library.media.identities()[0].key
        set_human_caption(library, key, "a day at the lake")
        written = library.care.back_up()
    assert f"backups/{written.name}" in objects_of(address)
    with Library.open(there) as library:
        assert library.care.restore().edits == 0
        assert library.care.problems() == []


def test_a_base_for_searches_of_many_photos_is_made_on_each_machine(
    here: Path, there: Path, photos: Path
) -> None:
    """It is read from the tables, and lies in the working folder alone."""
    filled(here, photos)
    for folder in (here, there):
        with Library.open(folder, sizes=Sizes(memory_rows=2)) as library:
            library.renew_base()
            assert len(bases_in(folder)) == 1
            assert len(Searcher(library, FakeBackend()).search("anything", 9)) == 3


def test_a_damaged_description_is_read_from_its_copy(here: Path, address: str) -> None:
    """Both lie in the store, and the next writer mends it."""
    Library.open(here).close()
    store = ObjectStore(parse_uri(address), KEYS)
    whole = store.read("library.json")
    store.write("library.json", whole[:40])
    with Library.open(here) as library:
        assert any("library.json was damaged" in notice for notice in library.notices)
    assert store.read("library.json") == whole


def test_a_persons_own_tags_are_the_same_on_every_machine(here: Path, there: Path) -> None:
    """They are part of the library; without any, the shipped ones count again."""
    with Library.open(here) as library:
        set_custom_vocabulary(library.folder, ["Ida", "our cat"])
    with Library.open(there) as library:
        assert library_vocabulary(library.folder).tags == ("Ida", "our cat")
        set_custom_vocabulary(library.folder, ())
    Library.open(here, writer=False).close()
    assert not has_custom_vocabulary(here)


def test_tags_that_another_machine_sets_while_the_library_is_opened_count(
    here: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It held the lease until just now: what it wrote is read once more."""
    Library.open(here).close()
    acquire = Lease.acquire

    def late(lease: Lease) -> None:
        ObjectStore(parse_uri(address), KEYS).write("vocabulary.txt", b"Ida\n")
        acquire(lease)

    monkeypatch.setattr(Lease, "acquire", late)
    with Library.open(here) as library:
        assert library_vocabulary(library.folder).tags == ("Ida",)


def test_what_could_not_be_dropped_after_a_forgetting_is_dropped_the_next_time(
    here: Path, there: Path, address: str
) -> None:
    """Another process may have a copy open."""
    Library.open(here).close()
    ObjectStore(parse_uri(address), KEYS).write("forgotten.mark", b"new")
    (there / "search-open.base").mkdir()
    Library.open(there, writer=False).close()
    (there / "search-open.base").rmdir()
    (there / "search-open.base").touch()
    Library.open(there, writer=False).close()
    assert not (there / "search-open.base").exists()


def test_a_machine_that_lost_its_lease_in_a_forgetting_erases_nothing_more(
    here: Path, address: str, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of no version may be those that the other machine is about to commit."""
    filled(here, photos)
    storage = storage_of(here)
    assert isinstance(storage, ObjectStorage)
    with Library.open(here) as library:
        gone, *kept = library.media.identities()
        storage.let_go()
        storage.lease = Lease(storage.objects, "here", seconds=0)
        storage.lease.acquire()
        files = ObjectStorage.files

        def slept(own: ObjectStorage, folder: Path) -> dict[str, FileState]:
            if folder.name == "_deletions":
                ObjectStore(parse_uri(address), KEYS).write("lease.json", b"{}")
            return files(own, folder)

        monkeypatch.setattr(ObjectStorage, "files", slept)
        with pytest.raises(UserError, match="Another machine has taken over"):
            library.forgetting.run(library.forgetting.order([gone], kept, ()))


def test_a_store_that_knows_only_half_of_the_conditions_is_refused(
    here: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New objects are kept, but those that were changed meanwhile are written over."""
    swap = ObjectStore.swap

    def careless(store: ObjectStore, name: str, data: bytes, tag: str | None) -> str | None:
        if tag is None:
            return swap(store, name, data, None)
        store.write(name, data)
        return store.read_marked(name)[1].tag

    monkeypatch.setattr(ObjectStore, "swap", careless)
    with pytest.raises(UserError, match="ignores conditions of writes"):
        Library.open(here)
    assert objects_of(address) == {}


def send_many(pictures: ObjectPictures, folder: Path) -> None:
    """More than are on their way at once."""
    for number in range(1000):
        pictures.send(folder / f"{number}.jpg", b"jpeg")


def test_a_picture_that_was_not_sent_is_said_again_before_rows_speak_of_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sent the next one was told; whoever commits must know too."""
    storage = storage_of(here)
    assert isinstance(storage, ObjectStorage)
    pictures = ObjectPictures(storage)

    def refused(*_given: object) -> None:
        raise UserError("The object store is full.", "")

    with monkeypatch.context() as patched:
        patched.setattr(ObjectStore, "write", refused)
        with pytest.raises(UserError, match="full"):
            send_many(pictures, here / "thumbs")
        with pytest.raises(UserError, match="full"):
            pictures.settle()


def test_a_wrong_clock_is_not_taken_for_wrong_credentials(address: str) -> None:
    """Stores refuse requests of another time."""
    text = "status code: 403 Forbidden: <Code>RequestTimeTooSkewed</Code>"
    said = store_refusal(parse_uri(address), text)
    assert said is not None
    assert "clock is wrong" in said.why


def test_a_library_has_a_name_of_its_own_in_the_bucket(here: Path, address: str) -> None:
    """Other things of the person are not mixed with it."""
    ObjectStore(parse_uri(address), KEYS).write("my letters.txt", b"Dear")
    with pytest.raises(UserError, match=r"not empty .*my letters"):
        Library.open(here)


def test_a_bucket_that_is_not_there_is_named(server: Server, tmp_path: Path) -> None:
    """It is not made by itself: it may be a mistyped name."""
    uri = parse_uri(f"s3://no-such-bucket/photos?endpoint={server.endpoint}")
    with pytest.raises(UserError, match="no bucket no-such-bucket"):
        Library.open(working_folder(uri, tmp_path))


def test_wrong_credentials_are_said_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store refuses them."""
    with serving(variables={"INITIAL_NO_AUTH_ACTION_COUNT": "0"}) as strict:
        uri = parse_uri(f"s3://some-bucket/photos?endpoint={strict.endpoint}")
        with pytest.raises(UserError, match="refuses access to s3://some-bucket/photos"):
            Library.open(working_folder(uri, tmp_path))


def test_searches_in_memory_go_on_while_the_store_is_away(tmp_path: Path, photos: Path) -> None:
    """What the engine holds needs no store."""
    with serving() as away:
        folder = working_folder(parse_uri(away.new_library()), tmp_path / "here")
        filled(folder, photos)
        with Library.open(folder) as library:
            searcher = Searcher(library, FakeBackend())
            assert len(searcher.search("anything", 9)) == 3
            away.stop()
            assert len(searcher.search("anything else", 9)) == 3
