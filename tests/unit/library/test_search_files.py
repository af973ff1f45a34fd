"""A large library's searches: most from a base in cells, the rest from what came later."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.library.columns import TextMatch, TextTest
from cocadesk.library.key_numbers import KeyNumbers
from cocadesk.library.layout import SNAPSHOT_NAME, base_name, bases_in, draft_of, drafts_in
from cocadesk.library.library import Library, Sizes
from cocadesk.library.parts_file import Parts
from cocadesk.library.rows import Chosen, Identity, MediaRow
from cocadesk.library.search_base import BaseMaker, write_base
from cocadesk.vectors import unit_vectors
from tests.support.found_bytes import found_in
from tests.support.library_rows import IMAGE_ID, insert, media_row, view_row

SIZES = Sizes(memory_rows=60)
DIMENSION = 12


def vectors(count: int, seed: int) -> NDArray[np.float32]:
    """Unit vectors as the table gives them back."""
    drawn = unit_vectors(np.random.default_rng(seed).standard_normal((count, DIMENSION)))
    return drawn.astype(np.float16).astype(np.float32)


def add(
    library: Library, count: int, seed: int, **values: object
) -> dict[str, NDArray[np.float32]]:
    """Photos with their vectors, by key."""
    rows = [media_row(b"%d-%d" % (seed, n), **values) for n in range(count)]
    drawn = vectors(count, seed)
    library.views.commit(IMAGE_ID, list(map(view_row, rows, drawn)))
    insert(library, *rows)
    return {row.key: vector for row, vector in zip(rows, drawn, strict=True)}


@pytest.fixture
def known() -> dict[str, NDArray[np.float32]]:
    """The vectors of all photos by key, filled by ``library``."""
    return {}


@pytest.fixture
def library(tmp_path: Path, known: dict[str, NDArray[np.float32]]) -> Iterator[Library]:
    """A library with a base of 200 photos."""
    with Library.open(tmp_path / "library", sizes=SIZES) as opened:
        opened.views.create(IMAGE_ID, DIMENSION)
        opened.set_model(IMAGE_ID)
        known.update(add(opened, 200, 1, camera="Leica", machine_caption="a Leica's dog"))
        opened.renew_base()
        yield opened


def nearest(library: Library, query: NDArray[np.float32], keys: Sequence[str] = ()) -> list[str]:
    """The ten nearest."""
    chosen = Chosen(set(keys)) if keys else None
    return [one.key for one in library.views.nearest(IMAGE_ID, query, 10, chosen)]


def wanted(known: dict[str, NDArray[np.float32]], query: NDArray[np.float32]) -> list[str]:
    """The same by a plain product."""
    cosines = {key: float(vector @ query) for key, vector in known.items()}
    return sorted(cosines, key=lambda key: -cosines[key])[:10]


def has_base(folder: Path) -> bool:
    """True where there is one base."""
    return len(bases_in(folder)) == 1


def check_equal(library: Library, known: dict[str, NDArray[np.float32]]) -> None:
    """The library's answers are those of a plain product over ``known``, read anew as well."""
    with Library.open(library.folder, writer=False, sizes=Sizes(memory_rows=0)) as plain:
        assert plain.counts() == library.counts()
    for query in vectors(5, seed=77):
        assert nearest(library, query) == wanted(known, query)
        some = dict(list(known.items())[::3])
        assert nearest(library, query, list(some)) == wanted(some, query)
    keys = list(known)
    assert [row.key for row in library.results.of_keys(keys)] == keys


def test_a_base_is_made_where_many_have_come(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """And not again for a few; the answers are the same as without."""
    (base,) = bases_in(library.folder)
    check_equal(library, known)
    known.update(add(library, 50, 2))
    assert library.views.count(IMAGE_ID) == len(known)
    check_equal(library, known)
    library.renew_base()
    assert bases_in(library.folder) == [base]
    known.update(add(library, 50, 3))
    library.renew_base()
    assert len(bases_in(library.folder)) == 1
    assert bases_in(library.folder) != [base]
    check_equal(library, known)


def test_the_first_base_is_made_at_half_as_many(tmp_path: Path) -> None:
    """A search of all of them would go through each."""
    with Library.open(tmp_path / "library", sizes=SIZES) as library:
        library.views.create(IMAGE_ID, DIMENSION)
        library.set_model(IMAGE_ID)
        known = add(library, SIZES.memory_rows // 2, 1)
        library.renew_base()
        assert not bases_in(library.folder)
        known |= add(library, 1, 2)
        library.renew_base()
        assert len(bases_in(library.folder)) == 1
        assert library.views.count(IMAGE_ID) == len(known)
        check_equal(library, known)


def test_no_base_is_made_of_media_without_vectors(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Their table may have been lost; the next index fills it."""
    with Library.open(tmp_path / "library", sizes=SIZES) as library:
        library.views.create(IMAGE_ID, DIMENSION)
        library.set_model(IMAGE_ID)
        insert(library, *[media_row(b"%d" % n) for n in range(200)])
        library.renew_base()
    assert caplog.text == ""
    assert bases_in(tmp_path / "library") == []


def test_each_change_after_the_base_is_seen_at_once(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """New captions, new vectors, new and removed media; also after closing and opening again."""
    keys = list(known)
    library.media.set_captions({keys[3]: "quite another"}, "m")
    moved = library.media.rows([keys[5]])[0]
    known[moved.key] = vectors(1, seed=5)[0]
    library.views.commit(IMAGE_ID, [view_row(moved, known[moved.key])])
    library.views.remove_from(IMAGE_ID, {keys[8]: 0})
    gone = {keys[8]: known.pop(keys[8])}
    known.update(add(library, 5, 6, camera="NIKON"))

    def check(opened: Library) -> None:
        for query in (known[moved.key], gone[keys[8]]):
            assert nearest(opened, query) == wanted(known, query)
        assert opened.results.of_keys([keys[3]])[0].caption == "quite another"
        columns = opened.results.columns(["camera", "caption"])
        assert columns is not None
        for field, text, count in (("camera", "leica", 200), ("camera", "nikon", 5),
                                   ("caption", "another", 1), ("caption", "dog", 199)):  # fmt: skip
            passes = columns.texts(field).where(TextTest(TextMatch.CONTAINS, text))
            assert np.count_nonzero(passes & columns.is_there) == count

    check(library)
    library.close()
    for writer in (False, True):
        with Library.open(library.folder, writer=writer, sizes=SIZES) as again:
            check(again)
            assert len(bases_in(library.folder)) == 1


def test_a_forgotten_photo_leaves_no_bytes_in_the_search_files(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """Neither in the base, which stays, nor in the snapshot; the others are found as before."""
    add_row = media_row(b"secret.jpg", camera="SecretCam", machine_caption="a secret dog")
    for row in (add_row, library.media.rows(list(known)[:1])[0]):
        if row is add_row:
            library.views.commit(IMAGE_ID, [view_row(row, vectors(1, seed=8)[0])])
            insert(library, row)
            library.keep_snapshot()
        needles = {"key": row.key.encode(), "path": row.path}
        if row is add_row:
            needles |= {"camera": b"secretcam", "caption": b"a secret dog"}
        files = found_in(needles, library.folder)
        assert all(files.values())
        others = [one for one in library.media.identities() if one.key != row.key]
        order = library.forgetting.order([row_identity(library, row)], others, ())
        library.forgetting.run(order)
        known.pop(row.key, None)
        assert not any(found_in(needles, library.folder).values())
        assert has_base(library.folder)
        assert library.results.of_keys([row.key]) == []
        check_equal(library, known)
    library.close()
    with Library.open(library.folder, sizes=SIZES) as again:
        check_equal(again, known)


def test_nothing_of_a_vector_stays_in_the_base_after_forgetting(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """Neither in its two forms nor as the center of a cell; keys one after the other go as well."""
    (base,) = bases_in(library.folder)
    keys = sorted(known)
    for key in (keys[50], keys[49], keys[48], keys[0], keys[1]):
        parts = Parts.of_file(base)
        numbers = KeyNumbers(parts.array("keys"), parts.array("keys order"))
        row = int(np.flatnonzero(parts.array("owners") == numbers.number(key))[0])
        needles = {
            "key": key.encode(),
            "short": parts.array("short")[row].tobytes(),
            "whole": parts.array("whole")[row].tobytes(),
        }
        vector = known.pop(key)
        others = [one for one in library.media.identities() if one.key != key]
        (medium,) = library.media.rows([key])
        order = library.forgetting.order([row_identity(library, medium)], others, ())
        library.forgetting.run(order)
        assert not any(found_in(needles, library.folder).values())
        assert bases_in(library.folder) == [base]
        centers = Parts.of_file(base).array("centers")
        assert (centers @ vector).max() < 0.99
        check_equal(library, known)


def forget(library: Library, key: str) -> None:
    """Forget one photo."""
    (row,) = library.media.rows([key])
    others = [one for one in library.media.identities() if one.key != key]
    library.forgetting.run(library.forgetting.order([row_identity(library, row)], others, ()))


def test_what_only_forgotten_photos_have_goes_with_the_last_of_them(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """A camera, a caption and keywords of two photos that are forgotten one after the other."""
    shared = {"camera": "SecretCam", "machine_caption": "a secret dog", "keywords": ["hush-hush"]}
    both = add(library, 2, 9, **shared)
    known.update(add(library, 90, 10) | both)
    library.renew_base()
    (base,) = bases_in(library.folder)
    needles = {"camera": b"secretcam", "caption": b"a secret dog", "keyword": b"hush-hush"}
    for key in both:
        assert all(base.name in found for found in found_in(needles, library.folder).values())
        forget(library, key)
        del known[key]
    assert bases_in(library.folder) == [base]
    assert not any(found_in(needles, library.folder).values())
    check_equal(library, known)


def test_a_base_gets_its_name_from_the_engine_alone(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """The process writes a draft; where its engine is gone, or forgets, nothing becomes of it."""
    before = bases_in(library.folder)
    BaseMaker().make(library.folder, IMAGE_ID, "new", rows=len(known), apart=1)
    assert bases_in(library.folder) == before
    assert draft_of(library.folder, "new").exists()
    key = known.popitem()[0]
    forget(library, key)
    assert drafts_in(library.folder) == []
    check_equal(library, known)


def test_the_process_that_makes_a_base_ends_with_its_engine(library: Library) -> None:
    """Its input ends with an engine that is killed; then it writes nothing any more."""
    command = [sys.executable, "-m", "cocadesk.library.search_base", str(library.folder)]
    with subprocess.Popen([*command, IMAGE_ID, "new"], stdin=subprocess.PIPE) as process:
        pass  # which closes its input
    assert process.returncode == 1
    assert not draft_of(library.folder, "new").exists()


def test_a_making_that_is_stopped_has_ended(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """A process that makes a base has ended when it was told to, and leaves no draft."""
    maker, failures = BaseMaker(), []

    def make() -> None:
        try:
            maker.make(library.folder, IMAGE_ID, "new", rows=len(known), apart=1)
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=make)
    thread.start()
    while thread.is_alive():
        maker.stop_this()
    assert "ended with" in str(failures[0])
    assert drafts_in(library.folder) == []


@pytest.mark.parametrize("kept", [True, False])
def test_drafts_of_a_killed_engine_are_removed_at_opening(library: Library, kept: bool) -> None:
    """Those of bases and of the snapshot, also where there is no base."""
    library.close()
    if not kept:
        bases_in(library.folder)[0].unlink()
    drafts = [
        library.folder / name
        for name in ("search-x.base.tmp", "search-x.base.tmp.7.tmp", f"{SNAPSHOT_NAME}.7.tmp")
    ]
    for draft in drafts:
        draft.write_bytes(b"half")
    with Library.open(library.folder, sizes=SIZES):
        assert not any(draft.exists() for draft in drafts)


def test_a_new_base_is_named_where_the_snapshot_was_just_kept(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """Nothing was written since, but the snapshot speaks of the base before."""
    known.update(add(library, 90, 4))
    library.tidy()
    library.keep_snapshot()
    library.renew_base()
    bases = bases_in(library.folder)
    library.close()
    with Library.open(library.folder, sizes=SIZES) as again:
        assert bases_in(library.folder) == bases
        assert again.results.columns(["camera"]) is not None
        check_equal(again, known)


def test_jobs_make_no_base(
    library: Library, known: dict[str, NDArray[np.float32]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They could not be paused meanwhile. One is made at a time, and it shows."""
    known.update(add(library, 90, 4))
    before = bases_in(library.folder)
    library.tidy()
    assert bases_in(library.folder) == before
    names = []

    def write(folder: Path, image_id: str, name: str) -> None:
        names.append(name)
        assert library.is_making_base
        library.renew_base()
        write_base(folder, image_id, name)

    with monkeypatch.context() as patched:
        patched.setattr("cocadesk.library.search_base.write_base", write)
        library.renew_base()
    assert bases_in(library.folder) == [library.folder / base_name(name) for name in names]
    assert not library.is_making_base
    check_equal(library, known)


def test_no_base_is_begun_that_the_disk_has_no_room_for(
    library: Library,
    known: dict[str, NDArray[np.float32]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It would take the last bytes from those who write."""
    known.update(add(library, 90, 4))
    before = bases_in(library.folder)
    with monkeypatch.context() as patched:
        patched.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=100_000))
        library.renew_base()
    assert "No space left" in caplog.text
    assert bases_in(library.folder) == before
    caplog.clear()
    library.renew_base()
    assert bases_in(library.folder) != before


def test_what_is_forgotten_is_not_said_to_be_while_a_file_stays(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """As Windows keeps one that is read; the next opening goes on."""
    bases_in(library.folder)[0].write_bytes(b"rubbish")
    snapshot = library.folder / SNAPSHOT_NAME
    snapshot.unlink()
    snapshot.mkdir()
    key = known.popitem()[0]
    with pytest.raises(UserError, match="files of searches could not be removed"):
        forget(library, key)
    library.close()
    snapshot.rmdir()
    needles = {"key": key.encode()}
    assert any(found_in(needles, library.folder).values())
    with Library.open(library.folder, sizes=SIZES) as again:
        assert not any(found_in(needles, library.folder).values())
        check_equal(again, known)


def test_many_changes_after_the_base_are_joined(
    library: Library, known: dict[str, NDArray[np.float32]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that stays for weeks would else keep each of them in memory."""
    monkeypatch.setattr("cocadesk.library.catalogue._MOST_PARTS", 3)
    keys = list(known)
    known.update(add(library, 3, 6, camera="NIKON"))
    scattered = set()
    for count in range(12):
        library.media.set_captions({keys[count % 4]: f"change {count}"}, "m")
        columns = library.results.columns(["camera", "caption"])
        assert columns is not None
        changed = columns.texts("caption").where(TextTest(TextMatch.CONTAINS, "change"))
        assert np.count_nonzero(changed & columns.is_there) == min(count + 1, 4)
        nikon = columns.texts("camera").where(TextTest(TextMatch.CONTAINS, "nikon"))
        assert np.count_nonzero(nikon & columns.is_there) == 3
        catalogue = library.results.catalogue()
        assert catalogue is not None
        scattered.add(catalogue.is_scattered if count >= 6 else True)
    assert scattered == {True, False}
    forget(library, keys[1])
    del known[keys[1]]
    captions = [row.caption for row in library.results.of_keys(keys[:4])]
    assert captions == ["change 8", "change 10", "change 11"]
    check_equal(library, known)


def row_identity(library: Library, row: MediaRow) -> Identity:
    """The identity of a row."""
    return next(one for one in library.media.identities() if one.key == row.key)


def test_what_is_forgotten_while_a_base_is_made_is_not_in_it(
    library: Library, known: dict[str, NDArray[np.float32]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new base is given up; the next tidying makes another."""
    known.update(add(library, 90, 4))
    (row,) = library.media.rows([next(iter(known))])
    before = bases_in(library.folder)

    def forgetting(folder: Path, image_id: str, name: str) -> None:
        write_base(folder, image_id, name)
        others = [one for one in library.media.identities() if one.key != row.key]
        library.forgetting.run(library.forgetting.order([row_identity(library, row)], others, ()))

    with monkeypatch.context() as patched:
        patched.setattr("cocadesk.library.search_base.write_base", forgetting)
        library.renew_base()
    del known[row.key]
    assert bases_in(library.folder) == before
    assert not any(found_in({"key": row.key.encode()}, library.folder).values())
    check_equal(library, known)
    library.renew_base()
    assert bases_in(library.folder) != before
    check_equal(library, known)


def test_a_base_whose_making_fails_leaves_the_old_one(
    library: Library,
    known: dict[str, NDArray[np.float32]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Searches go on with what there is, and the job that tidied goes on too."""
    before = bases_in(library.folder)

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    known.update(add(library, 90, 4))
    with monkeypatch.context() as patched:
        patched.setattr("cocadesk.library.search_base.write_base", full)
        library.renew_base()
    assert "No space left" in caplog.text
    assert bases_in(library.folder) == before
    check_equal(library, known)
    caplog.clear()


def test_a_base_that_nobody_names_is_not_used(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """As a writer leaves it that is killed between the new base and its snapshot."""
    library.close()
    write_base(library.folder, IMAGE_ID, "new")
    draft_of(library.folder, "new").rename(library.folder / base_name("new"))
    draft = library.folder / f"{base_name('other')}.1.tmp"
    draft.write_bytes(b"half")
    assert len(bases_in(library.folder)) == 2
    with Library.open(library.folder, sizes=SIZES) as again:
        assert has_base(library.folder)
        assert not draft.exists()
        check_equal(again, known)
        known.update(add(again, 90, 5))
        again.renew_base()
        assert len(bases_in(library.folder)) == 1
        check_equal(again, known)


@pytest.mark.parametrize("lost", ["base", "snapshot", "both"])
def test_a_library_without_its_search_files_is_searched_in_its_tables(
    library: Library, known: dict[str, NDArray[np.float32]], lost: str
) -> None:
    """More slowly; the next tidying makes them again."""
    library.close()
    if lost != "snapshot":
        bases_in(library.folder)[0].write_bytes(b"rubbish")
    if lost != "base":
        (library.folder / SNAPSHOT_NAME).unlink()
    with Library.open(library.folder, sizes=SIZES) as again:
        assert again.results.columns(["camera"]) is None
        check_equal(again, known)
        again.renew_base()
        assert again.results.columns(["camera"]) is not None
        check_equal(again, known)
        assert has_base(library.folder)


def test_a_damaged_base_is_reported_and_removed_by_a_repair(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """A flipped bit would be another ranking; a large base is not read whole at each start."""
    (base,) = bases_in(library.folder)
    assert not any("search index" in problem for problem in library.care.problems())
    data = bytearray(base.read_bytes())
    data[len(data) // 2] ^= 4
    base.write_bytes(data)
    assert any("search index is damaged" in problem for problem in library.care.problems())
    assert any("search index was removed" in done for done in library.care.repair())
    library.renew_base()
    check_equal(library, known)
    assert has_base(library.folder)


def test_a_base_is_made_in_a_process_of_its_own(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """With the very bytes; one that is stopped leaves nothing."""
    maker = BaseMaker()
    for name, apart in (("one", 1), ("two", 1000)):
        maker.make(library.folder, IMAGE_ID, name, rows=len(known), apart=apart)
    one, two = (draft_of(library.folder, name).read_bytes() for name in ("one", "two"))
    end = one.rindex(b'[["')  # where it says what it is, and its name
    assert end > 10_000
    assert one[:end] == two[:end]
    before = bases_in(library.folder)
    maker.stop()
    with pytest.raises(OSError, match="ended with"):
        maker.make(library.folder, IMAGE_ID, "three", rows=len(known), apart=1)
    assert bases_in(library.folder) == before


def test_media_of_another_model_get_a_base_of_their_own(
    library: Library, known: dict[str, NDArray[np.float32]]
) -> None:
    """After a switch the new vectors answer, and only they."""
    other = "other-0123456789ab"
    library.views.create(other, DIMENSION)
    rows = library.media.rows(list(known))
    turned = {row.key: np.roll(known[row.key], 1) for row in rows}
    library.views.commit(other, [view_row(row, turned[row.key]) for row in rows])
    before = bases_in(library.folder)
    library.tidy()  # as the job does before it switches
    assert bases_in(library.folder) == before
    library.set_model(other)
    library.renew_base()
    query = vectors(1, seed=11)[0]
    found = [one.key for one in library.views.nearest(other, query, 10)]
    assert found == wanted(turned, query)
    assert len(bases_in(library.folder)) == 1
    library.close()
    with Library.open(library.folder, writer=False, sizes=SIZES) as again:
        assert [one.key for one in again.views.nearest(other, query, 10)] == found
