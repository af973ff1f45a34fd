"""Words stay with their photo, whatever is done to files and disks between two indexes."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from cocadesk.annotations.human import AnnotationEdit, HumanAnnotations
from cocadesk.indexing.types import Again, IndexOptions
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaRow
from tests.support.disks import Plug, mounted
from tests.support.index_tools import (
    CountingBackend,
    InProcessDecoder,
    human_caption,
    photo_bytes,
    row_at,
    run_index,
    write_photo,
)


def caption(library: Library, path: Path, text: str) -> str:
    """Write a caption for the photo at ``path``; gives its key."""
    key = row_at(library, path).key
    HumanAnnotations(library).set([key], AnnotationEdit(caption=text))
    return key


def captions(library: Library) -> dict[str, str | None]:
    """The caption of each present photo by its file's name."""
    return {
        Path(os.fsdecode(row.path)).name: row.human_caption
        for row in library.media.iter_rows()
        if row.state == "present"
    }


def rows(library: Library, state: str) -> list[MediaRow]:
    """The media in a state."""
    return [row for row in library.media.iter_rows() if row.state == state]


@pytest.fixture
def three(library: Library, tmp_path: Path) -> Path:
    """A folder with 1.jpg to 3.jpg, each with its number as caption."""
    folder = tmp_path / "photos"
    for number in (1, 2, 3):
        write_photo(folder / f"{number}.jpg", number)
    run_index(library, [folder])
    keys = {number: row_at(library, folder / f"{number}.jpg").key for number in (1, 2, 3)}
    library.edits.record([human_caption(key, str(number)) for number, key in keys.items()])
    return folder


def test_renumbered_files_keep_their_captions(library: Library, three: Path) -> None:
    """A chain of names, each of which was another photo's before."""
    for number in (3, 2, 1):
        (three / f"{number}.jpg").rename(three / f"{number + 1}.jpg")
    backend = CountingBackend()
    report = run_index(library, [three], backend=backend)
    assert captions(library) == {"2.jpg": "1", "3.jpg": "2", "4.jpg": "3"}
    assert (report.moved, report.missing, backend.embedded) == (3, 0, 0)


def test_two_photos_that_swap_names_swap_nothing_else(library: Library, three: Path) -> None:
    """A cycle."""
    (three / "1.jpg").rename(three / "spare")
    (three / "2.jpg").rename(three / "1.jpg")
    (three / "spare").rename(three / "2.jpg")
    run_index(library, [three])
    assert captions(library) == {"1.jpg": "2", "2.jpg": "1", "3.jpg": "3"}


def test_another_picture_at_the_place_of_a_missing_one_is_a_new_medium(
    library: Library, three: Path
) -> None:
    """The old words stay with the old row."""
    old = row_at(library, three / "1.jpg").key
    (three / "1.jpg").unlink()
    run_index(library, [three])
    write_photo(three / "1.jpg", 7)
    run_index(library, [three])
    assert captions(library) == {"1.jpg": None, "2.jpg": "2", "3.jpg": "3"}
    assert library.media.rows([old])[0].state == "missing"
    assert library.media.rows([old])[0].human_caption == "1"


def test_an_edited_photo_keeps_its_words(library: Library, three: Path) -> None:
    """The same place, there until now, and the old bytes are nowhere else."""
    write_photo(three / "1.jpg", 7)
    assert run_index(library, [three]).indexed == 1
    assert captions(library)["1.jpg"] == "1"


def test_a_photo_overwritten_by_a_copy_of_another_is_a_copy(library: Library, three: Path) -> None:
    """Known bytes come before the place: the words of the one that is gone stay with it."""
    shutil.copy(three / "2.jpg", three / "1.jpg")
    run_index(library, [three])
    assert captions(library) == {"1.jpg": None, "2.jpg": "2", "3.jpg": "3"}
    assert [row.human_caption for row in rows(library, "missing")] == ["1"]


@pytest.mark.parametrize("stray", [".DS_Store", "1.jpg", "other.jpg", "lost+found/x"])
def test_words_do_not_wander_to_a_backup_while_the_disk_is_away(
    library: Library, three: Path, tmp_path: Path, stray: str
) -> None:
    """Whatever lies at the mount point, also a photo of the same name on another disk."""
    shutil.copytree(three, tmp_path / "backup")
    three.rename(tmp_path / "unplugged")
    three.mkdir()
    (three / stray).parent.mkdir(exist_ok=True)
    (three / stray).write_bytes(photo_bytes(9))
    report = run_index(library, [three, tmp_path / "backup"])
    assert (report.moved, report.offline, report.copied) == (0, 3, 3)
    assert all(row.human_caption is None for row in rows(library, "present"))
    shutil.rmtree(three)
    (tmp_path / "unplugged").rename(three)
    report = run_index(library, [three])
    assert (report.unchanged, report.offline) == (3, 0)
    back = [row for row in rows(library, "present") if row.root == os.fsencode(three)]
    assert sorted(row.human_caption or "" for row in back) == ["1", "2", "3"]


def test_the_words_follow_to_a_copy_when_the_original_is_deleted(
    library: Library, three: Path
) -> None:
    """Copied first, indexed, deleted later; in the log, and undo takes it back for good."""
    (three / "sorted").mkdir()
    shutil.copy(three / "1.jpg", three / "sorted" / "one.jpg")
    run_index(library, [three])
    assert captions(library)["one.jpg"] is None
    (three / "1.jpg").unlink()
    run_index(library, [three])
    assert captions(library)["one.jpg"] == "1"
    HumanAnnotations(library).undo()
    run_index(library, [three])
    assert captions(library)["one.jpg"] is None


def test_a_person_who_writes_at_that_moment_has_the_last_word(
    library: Library, three: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine writes what people say while an index runs: nothing overwrites it."""
    shutil.copy(three / "1.jpg", three / "copy.jpg")
    run_index(library, [three])
    (three / "1.jpg").unlink()
    looked = library.edits.annotated_keys
    writing = threading.Thread(target=caption, args=(library, three / "copy.jpg", "mine"))

    def look_while_somebody_writes() -> set[str]:
        found = looked()
        writing.start()
        writing.join(1)
        return found

    monkeypatch.setattr(library.edits, "annotated_keys", look_while_somebody_writes)
    run_index(library, [three])
    writing.join()
    assert captions(library)["copy.jpg"] == "mine"


def test_a_copy_does_not_inherit_while_another_holder_is_there(
    library: Library, three: Path
) -> None:
    """Nor where the original is on a disk that is away."""
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(three / "1.jpg", three / name)
    run_index(library, [three])
    caption(library, three / "a.jpg", "mine")
    (three / "1.jpg").unlink()
    run_index(library, [three])
    assert captions(library) == {"a.jpg": "mine", "b.jpg": None, "2.jpg": "2", "3.jpg": "3"}


def test_a_folder_that_is_spelled_in_other_case_is_moved(library: Library, tmp_path: Path) -> None:
    """Each photo once, under the new spelling."""
    write_photo(tmp_path / "photos" / "Trip" / "1.jpg", 1)
    write_photo(tmp_path / "photos" / "2.jpg", 2)
    run_index(library, [tmp_path / "photos"])
    key = caption(library, tmp_path / "photos" / "Trip" / "1.jpg", "mine")
    (tmp_path / "photos" / "Trip").rename(tmp_path / "photos" / "trip")
    report = run_index(library, [tmp_path / "photos"])
    assert (report.moved, report.missing, library.counts().media) == (1, 0, 2)
    assert row_at(library, tmp_path / "photos" / "trip" / "1.jpg").key == key


def test_a_folder_given_by_link_and_by_name_is_one_root(library: Library, three: Path) -> None:
    """And one inside another is no root of its own."""
    link = three.parent / "link"
    link.symlink_to(three)
    write_photo(three / "inner" / "4.jpg", 4)
    report = run_index(library, [link, three, three / "inner"])
    assert (report.indexed, library.counts().media) == (1, 4)
    assert [root.path for root in library.roots.all()] == [os.fsencode(three)]


def test_a_folder_around_a_known_one_takes_its_place(library: Library, three: Path) -> None:
    """One root; the photos that were known stay who they are."""
    write_photo(three.parent / "4.jpg", 4)
    report = run_index(library, [three.parent])
    assert (report.indexed, report.unchanged) == (1, 3)
    assert [root.path for root in library.roots.all()] == [os.fsencode(three.parent)]
    assert captions(library)["1.jpg"] == "1"


def test_photos_that_are_links_into_a_hidden_folder_are_found_under_their_names(
    library: Library, tmp_path: Path
) -> None:
    """As git-annex keeps them."""
    kept = write_photo(tmp_path / "photos" / ".git" / "annex" / "key1", 1)
    (tmp_path / "photos" / "1.jpg").symlink_to(kept)
    assert run_index(library, [tmp_path / "photos"]).indexed == 1
    assert captions(library) == {"1.jpg": None}


def test_a_known_folder_that_is_away_does_not_keep_others_from_being_read(
    library: Library, three: Path, tmp_path: Path
) -> None:
    """Its photos are offline."""
    write_photo(tmp_path / "more" / "4.jpg", 4)
    three.rename(tmp_path / "unplugged")
    report = run_index(library, [three, tmp_path / "more"])
    assert (report.indexed, report.offline, report.failed) == (1, 3, ())


class PulledDisk(InProcessDecoder):
    """The disk is pulled after some files."""

    def __init__(self, folder: Path, after: int) -> None:
        super().__init__()
        self._folder, self._after = folder, after

    def decode(self, requests):  # type: ignore[no-untyped-def]
        """Rename the folder away in the middle."""
        for number, answer in enumerate(super().decode(requests), start=1):
            yield answer
            if number == self._after:
                self._folder.rename(self._folder.parent / "unplugged")


def test_a_disk_that_is_pulled_during_an_index_is_said(library: Library, tmp_path: Path) -> None:
    """The files that went away are counted, and what was read is offline."""
    for number in range(8):
        write_photo(tmp_path / "stick" / f"{number}.jpg", number)
    decoder = PulledDisk(tmp_path / "stick", 3)
    report = run_index(library, [tmp_path / "stick"], decoder=decoder)
    (failed,) = report.failed
    assert failed.reason == "5 files went away during the index: the disk is not there."
    assert (report.indexed, report.offline) == (3, 3)


def test_metadata_edited_under_the_old_time_is_noticed(library: Library, three: Path) -> None:
    """Same size, same time of change: the inode's own time tells."""
    path = three / "1.jpg"
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    report = run_index(library, [three])
    assert (report.indexed, report.unchanged) == (1, 2)
    assert captions(library)["1.jpg"] == "1"


def test_an_index_again_reads_all_files_and_embeds_none_twice(
    library: Library, three: Path
) -> None:
    """For those who have reason to doubt."""
    backend, decoder = CountingBackend(), InProcessDecoder()
    options = IndexOptions(again=Again.ALL)
    report = run_index(library, [three], backend=backend, decoder=decoder, options=options)
    assert (report.indexed, len(decoder.decoded), backend.embedded) == (3, 3, 0)
    assert captions(library) == {"1.jpg": "1", "2.jpg": "2", "3.jpg": "3"}


def test_failed_files_are_read_again_where_that_is_asked_for(library: Library, three: Path) -> None:
    """A file that failed is passed over while it does not change."""
    (three / "bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    counts = []
    for again in (Again.NOTHING, Again.NOTHING, Again.FAILED):
        decoder = InProcessDecoder()
        run_index(library, [three], decoder=decoder, options=IndexOptions(again=again))
        counts.append(len(decoder.decoded))
    assert counts == [1, 0, 1]


def test_photos_on_a_disk_inside_a_folder_are_offline_when_it_is_unmounted(
    library: Library, tmp_path: Path
) -> None:
    """Each disk by itself: the folder around it is there. Another disk is not taken for it."""
    plug = Plug(tmp_path / "photos" / "card")
    card = plug.place
    with mounted(tmp_path / "disk") as disk:
        plug.put(disk)
        write_photo(card / "1.jpg", 1)
        write_photo(card.parent / "2.jpg", 2)
        run_index(library, [card.parent])
        caption(library, card / "1.jpg", "mine")
        plug.put(None)
        report = run_index(library, [card.parent])
        assert (report.offline, report.missing, report.unchanged) == (1, 0, 1)
    # Takes the number that the first disk had: one without a UUID is known by it alone.
    with mounted(tmp_path / "elsewhere"), mounted(tmp_path / "other") as other:
        plug.put(other)
        write_photo(card / "1.jpg", 5)
        report = run_index(library, [card.parent])
        assert (report.indexed, report.offline) == (1, 1)
        assert captions(library) == {"1.jpg": None, "2.jpg": None}
        plug.put(None)
