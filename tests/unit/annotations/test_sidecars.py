"""Captions beside the photos: what is written, what is skipped, and what undo puts back."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from cocadesk.annotations import sidecar_files as text_files
from cocadesk.annotations.human import AnnotationEdit
from cocadesk.annotations.progress import AnnotationStage
from cocadesk.annotations.sidecar_files import MAX_FILE_BYTES
from cocadesk.annotations.sidecar_job import write_steps
from cocadesk.annotations.sidecars import FileAction, WrittenFiles, plan_write
from cocadesk.library.rows import new_key
from cocadesk.texts.reading import usual_text_of
from tests.support.annotated_library import MODEL, AnnotatedCase, annotated_library
from tests.support.index_tools import run_index


def skipped_files(case: AnnotatedCase, *, overwrite: bool = False) -> dict[str, str]:
    """Name and reason of each file that a write would leave alone."""
    return {
        Path(os.fsdecode(item.path)).name: item.reason
        for item in plan_write(case.library, case.keys(), overwrite=overwrite)
        if item.action is FileAction.SKIPPED
    }


@pytest.mark.parametrize(
    ("photo", "text"),
    [
        (b"/p/a.jpg", b"/p/a.txt"),
        (b"/p.d/noending", b"/p.d/noending.txt"),
        (b"/p/a.b.JPEG", b"/p/a.b.txt"),
        (b"/p/.hidden", b"/p/.hidden.txt"),
        (b"/p/caf\xe9.jpg", b"/p/caf\xe9.txt"),
    ],
)
def test_a_caption_has_the_photos_name(photo: bytes, text: bytes) -> None:
    """Only the last ending goes, whatever the bytes of the name."""
    assert usual_text_of(photo) == text


def test_the_persons_caption_is_written_else_the_machines(tmp_path: Path) -> None:
    """One line of UTF-8; ``who`` is the one who said it; again is unchanged."""
    with annotated_library(tmp_path) as case:
        case.machine_captions()
        case.annotations.set([case.key("a.jpg")], AnnotationEdit(caption="Mädchen am Strand"))
        report = case.write()
        assert (report.written, report.unchanged, report.skipped) == (3, 0, ())
        assert case.texts() == {
            "a.txt": "Mädchen am Strand\n",
            "b.txt": "a machine's b\n",
            "c.txt": "a machine's c\n",
        }
        assert case.annotations.history(case.key("a.jpg"))[-1].who == "person"
        assert case.annotations.history(case.key("b.jpg"))[-1].who == MODEL
        again = case.write()
        assert (again.written, again.unchanged, again.skipped) == (0, 3, ())
        assert case.annotations.titles().undo == "Caption files of 3 photos"


def test_a_preview_writes_nothing(tmp_path: Path) -> None:
    """It says what is new, what changes, and what is skipped for which reason."""
    with annotated_library(tmp_path) as case:
        (case.photos / "b.txt").write_text("my own notes")
        case.library.media.set_captions({case.key("a.jpg"): "x", case.key("b.jpg"): "y"}, MODEL)
        plan = list(plan_write(case.library, case.keys(), overwrite=False))
        assert [item.action for item in plan] == [
            FileAction.NEW,
            FileAction.SKIPPED,
            FileAction.SKIPPED,
        ]
        assert "did not write" in plan[1].reason
        assert (plan[1].old.text, plan[1].new.text) == ("my own notes", "y")
        assert "no caption yet" in plan[2].reason
        plan = list(plan_write(case.library, case.keys(), overwrite=True))
        assert plan[1].action is FileAction.CHANGED
        assert case.texts() == {"b.txt": "my own notes"}


def test_a_file_is_ours_only_while_it_holds_what_we_wrote_last(tmp_path: Path) -> None:
    """Changed by a person it is skipped, even where it holds what we wrote earlier."""
    with annotated_library(tmp_path, "a.jpg") as case:
        text = case.photos / "a.txt"
        for caption in ("first", "second"):
            case.annotations.set(case.keys(), AnnotationEdit(caption=caption))
            assert case.write().written == 1
        assert text.read_text() == "second\n"
        for mine in ("second, and more\n", "first\n"):
            text.write_text(mine)
            case.annotations.set(case.keys(), AnnotationEdit(caption="third"))
            report = case.write()
            assert report.written == 0
            assert [item.reason for item in report.skipped] == [
                "It was changed after CocaDesk wrote it."
            ]
            assert text.read_text() == mine
        assert case.write(overwrite=True).written == 1
        assert text.read_text() == "third\n"


def test_a_file_that_happens_to_say_the_same_is_not_ours(tmp_path: Path) -> None:
    """It is left as it is, now and when the caption changes."""
    with annotated_library(tmp_path, "a.jpg") as case:
        (case.photos / "a.txt").write_text("the same\n")
        case.annotations.set(case.keys(), AnnotationEdit(caption="the same"))
        assert case.write().unchanged == 1
        case.annotations.set(case.keys(), AnnotationEdit(caption="another"))
        assert [item.reason for item in case.write().skipped] == ["CocaDesk did not write it."]


def test_undo_puts_back_what_was_there_and_redo_writes_again(tmp_path: Path) -> None:
    """Bytes as they were, or no file; the person's own are still the person's after it."""
    with annotated_library(tmp_path) as case:
        case.machine_captions()
        notes = "notes\r\nof my own\n\xe9".encode("latin-1")
        (case.photos / "b.txt").write_bytes(notes)
        (case.photos / "b.txt").chmod(0o640)
        assert case.write(overwrite=True).written == 3
        assert (case.photos / "b.txt").stat().st_mode & 0o777 == 0o640
        change = case.annotations.undo()
        assert (change.files, change.skipped, len(change.keys)) == (3, (), 3)
        assert [p.name for p in sorted(case.photos.glob("*.txt"))] == ["b.txt"]
        assert (case.photos / "b.txt").read_bytes() == notes
        assert (case.photos / "b.txt").stat().st_mode & 0o777 == 0o640
        assert "did not write" in skipped_files(case)["b.txt"]
        assert case.annotations.redo().files == 3
        assert case.texts()["b.txt"] == "a machine's b\n"
        assert skipped_files(case) == {}


def test_undo_keeps_what_somebody_has_changed_since(tmp_path: Path) -> None:
    """Each with its reason; the others go back; a redo does not touch them either."""
    with annotated_library(tmp_path) as case:
        case.machine_captions()
        case.write()
        (case.photos / "a.txt").write_text("better")
        (case.photos / "b.txt").unlink()
        change = case.annotations.undo()
        assert {Path(os.fsdecode(k.path)).name: k.reason for k in change.skipped} == {
            "a.txt": "It was changed since."
        }
        assert case.texts() == {"a.txt": "better"}
        redone = case.annotations.redo()
        assert [item.reason for item in redone.skipped] == ["Somebody has written it since."]
        assert case.texts() == {
            "a.txt": "better",
            "b.txt": "a machine's b\n",
            "c.txt": "a machine's c\n",
        }


def test_an_undo_that_finds_nothing_to_do_still_counts(tmp_path: Path) -> None:
    """The command is off the stack, so the one before it is next."""
    with annotated_library(tmp_path, "a.jpg") as case:
        case.annotations.set(case.keys(), AnnotationEdit(caption="mine"))
        case.write()
        (case.photos / "a.txt").write_text("better")
        assert case.annotations.undo().files == 0
        assert case.annotations.undo().title == "Caption of a.jpg"
        assert case.annotations.titles().undo == ""


def test_of_two_photos_with_one_name_the_first_gets_the_file(tmp_path: Path) -> None:
    """The other is skipped with the reason, whatever the command names first."""
    with annotated_library(tmp_path, "a.jpg", "a.png", "b.jpg") as case:
        case.machine_captions()
        report = case.write(case.key("a.png"), case.key("a.jpg"))
        assert report.written == 1
        assert [item.reason for item in report.skipped] == [
            "It holds the caption of a.jpg, which has the same name."
        ]
        history = case.annotations.history(case.key("a.png"))
        assert history == []
        assert case.annotations.history(case.key("a.jpg"))[-1].new == "a machine's a"


def test_odd_things_in_the_place_of_the_file_are_skipped(tmp_path: Path) -> None:
    """Links, folders, pipes and large files: named, never opened for writing."""
    with annotated_library(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg") as case:
        case.machine_captions()
        other = tmp_path / "other.txt"
        other.write_text("far away")
        (case.photos / "a.txt").symlink_to(other)
        (case.photos / "b.txt").mkdir()
        os.mkfifo(case.photos / "c.txt")
        (case.photos / "d.txt").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
        report = case.write(overwrite=True)
        assert report.written == 0
        assert {Path(os.fsdecode(k.path)).name: k.reason for k in report.skipped} == {
            "a.txt": "It is a link.",
            "b.txt": "It is not a plain file.",
            "c.txt": "It is not a plain file.",
            "d.txt": "It is larger than a caption can be.",
        }
        assert other.read_text() == "far away"
        assert case.library.edits.all() == []


def test_a_closed_folder_and_a_photo_that_is_gone_do_not_stop_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file that cannot be written has its reason; the others are written."""
    with annotated_library(tmp_path, "a.jpg", "closed/b.jpg", "c.jpg") as case:
        case.machine_captions()
        closed = case.photos / "closed"
        (case.photos / "c.jpg").unlink()
        closed.chmod(0o500)
        if os.geteuid() == 0:  # whom no folder is closed to
            named = os.fsencode(closed)
            monkeypatch.setattr(text_files.os, "access", lambda path, _mode: path != named)
        report = case.write()
        closed.chmod(0o700)
        skipped = {Path(os.fsdecode(item.path)).name: item.reason for item in report.skipped}
        assert (report.written, report.failed) == (1, 1)
        assert skipped == {
            "b.txt": "The folder or the file can't be written to.",
            "c.txt": "The photo or video is not there now.",
        }
        assert case.texts() == {"a.txt": "a machine's a\n"}


def test_a_disk_that_refuses_leaves_log_and_files_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that could not be written is taken out of the log: undo does not touch it."""
    with annotated_library(tmp_path) as case:
        case.machine_captions()
        real = os.fsync
        left = [1]

        def full(descriptor: int) -> None:
            inode = os.fstat(descriptor).st_ino
            # The disk of the photos, not that of the library.
            if any(file.stat().st_ino == inode for file in case.photos.iterdir()):
                left[0] -= 1
                if left[0] < 0:
                    raise OSError(28, "No space left on device")
            real(descriptor)

        with monkeypatch.context() as patch:
            patch.setattr(text_files.os, "fsync", full)
            report = case.write()
        assert report.failed == len(report.skipped) == 2
        assert {item.reason for item in report.skipped} == {"The disk is full."}
        assert case.texts() == {"a.txt": "a machine's a\n"}
        assert case.annotations.undo().files == 1
        assert case.texts() == {}
        assert case.annotations.redo().files == 1
        assert case.write().written == 2


def test_an_undo_on_a_disk_that_is_away_is_kept_for_later(tmp_path: Path) -> None:
    """Named with the reason; undo after redo reaches it once the disk is back."""
    with annotated_library(tmp_path, "disk/a.jpg", "b.jpg") as case:
        case.machine_captions()
        case.write()
        (case.photos / "disk").rename(tmp_path / "unplugged")
        change = case.annotations.undo()
        assert (change.files, [item.reason for item in change.skipped]) == (
            1,
            ["Its folder is not there."],
        )
        (tmp_path / "unplugged").rename(case.photos / "disk")
        assert sorted(case.texts()) == ["a.txt"]
        case.annotations.redo()
        assert case.annotations.undo().files == 2
        assert case.texts() == {}


def test_a_caption_that_moves_with_its_photo_stays_ours(tmp_path: Path) -> None:
    """By its medium: it is written again, and a machine's still teaches nothing."""
    with annotated_library(tmp_path, "a.jpg", "b.jpg") as case:
        case.machine_captions()
        case.write()
        (case.photos / "sub").mkdir()
        for name in ("a.jpg", "a.txt"):
            (case.photos / name).rename(case.photos / "sub" / name)
        run_index(case.library, [case.photos])
        row = case.row("sub/a.jpg")
        written = WrittenFiles(case.library.edits.of_files())
        moved = os.fsencode(case.photos / "sub" / "a.txt")
        assert moved in written.machines_of([row])
        case.annotations.set([row.key], AnnotationEdit(caption="mine"))
        assert case.write(row.key).written == 1
        assert (case.photos / "sub" / "a.txt").read_text() == "mine\n"
        written = WrittenFiles(case.library.edits.of_files())
        assert moved not in written.machines_of([row])
        assert os.fsencode(case.photos / "b.txt") in written.machines()


def test_an_undo_stops_a_write_that_still_runs(tmp_path: Path) -> None:
    """The files that it has written go back, and no more come."""
    names = [f"{number:02}.jpg" for number in range(40)]
    with annotated_library(tmp_path, *names) as case:
        case.machine_captions()
        steps = write_steps(case.library, case.annotations, case.keys(), batch=new_key())
        next(steps)
        assert next(steps).done == 32
        assert len(case.texts()) == 32
        assert case.annotations.undo().files == 32
        with pytest.raises(StopIteration) as end:
            next(steps)
        assert end.value.value.was_undone
        assert case.texts() == {}


def test_a_write_goes_on_where_it_was_stopped_as_one_command(tmp_path: Path) -> None:
    """A person's words in between are a command of their own, also for undo."""
    names = [f"{number:02}.jpg" for number in range(40)]
    with annotated_library(tmp_path, *names) as case:
        case.machine_captions()
        batch = new_key()
        steps = write_steps(case.library, case.annotations, case.keys(), batch=batch)
        next(steps)
        next(steps)
        steps.close()
        case.annotations.set([case.key("39.jpg")], AnnotationEdit(caption="mine"))
        report = case.write(batch=batch)
        assert (report.written, report.unchanged) == (40, 0)
        assert case.texts()["39.txt"] == "mine\n"
        assert case.annotations.undo().title == "Caption of 39.jpg"
        assert case.annotations.undo().files == 40
        assert case.texts() == {}


def test_the_log_holds_paths_and_bytes_of_any_kind(tmp_path: Path) -> None:
    """Names that are not UTF-8 and bytes that are no text come back as they were."""
    name = os.fsdecode(b"caf\xe9.jpg")
    with annotated_library(tmp_path, name) as case:
        case.machine_captions()
        path = case.photos / os.fsdecode(b"caf\xe9.txt")
        path.write_bytes(bytes(range(256)))
        case.write(overwrite=True)
        entry = json.loads(case.library.edits.of_files()[0].old)
        assert set(entry) == {"path", "bytes", "by"}
        case.annotations.undo()
        assert path.read_bytes() == bytes(range(256))


def test_a_write_says_how_far_it_is_and_what_it_has_skipped_since(tmp_path: Path) -> None:
    """Step by step, a few files at a time; a refusal by the disk counts as failed."""
    with annotated_library(tmp_path, *(f"{number:02d}.jpg" for number in range(40))) as case:
        case.machine_captions()
        (case.photos / "03.txt").write_text("notes")
        (case.photos / "35.jpg").unlink()
        steps = list(write_steps(case.library, case.annotations, case.keys(), batch="b"))
    assert [(step.stage, step.done, step.total) for step in steps] == [
        (AnnotationStage.PLAN, 0, 40),
        (AnnotationStage.WRITE, 32, 40),
        (AnnotationStage.WRITE, 40, 40),
    ]
    skipped = [[Path(os.fsdecode(one.path)).name for one in step.skipped] for step in steps]
    assert skipped == [[], ["03.txt"], ["35.txt"]]
    assert steps[-1].seconds_left == 0.0


def test_machine_captions_that_were_written_are_known_by_their_bytes(tmp_path: Path) -> None:
    """So that nothing learns from them as if a person had written them."""
    with annotated_library(tmp_path, "a.jpg", "b.jpg") as case:
        case.machine_captions()
        case.annotations.set([case.key("b.jpg")], AnnotationEdit(caption="mine"))
        case.write()
        written = WrittenFiles(case.library.edits.of_files())
        path = os.fsencode(case.photos / "a.txt")
        digest = sha256(b"a machine's a\n").hexdigest()
        assert written.machines() == {path: digest}
        (case.photos / "a.jpg").rename(case.photos / "moved.jpg")
        run_index(case.library, [case.photos])
        row = case.row("moved.jpg")
        assert written.machines_of([row]) == {os.fsencode(case.photos / "moved.txt"): digest}
        assert written.author(row.key, os.fsencode(case.photos / "moved.txt"), b"other") is None


@pytest.mark.parametrize("name", ["A.TXT", "A.jpg.txt", "A.caption", "a.txt"])
def test_no_machine_caption_is_put_beside_a_persons_text_of_another_spelling(
    tmp_path: Path, name: str
) -> None:
    """It is the photo's text: skipped, replaced in its place only with --overwrite, undoable."""
    with annotated_library(tmp_path, "A.jpg") as case:
        mine = case.photos / name
        mine.write_text("our panda Lin")
        case.machine_captions()
        report = case.write()
        assert [(Path(os.fsdecode(s.path)).name, s.reason) for s in report.skipped] == [
            (name, "CocaDesk did not write it.")
        ]
        assert case.texts() == {name: "our panda Lin"}
        assert case.write(overwrite=True).written == 1
        assert list(case.texts()) == [name]
        assert mine.read_text() != "our panda Lin"
        case.annotations.undo()
        assert case.texts() == {name: "our panda Lin"}


def test_a_skipped_text_whose_encoding_was_guessed_says_so(tmp_path: Path) -> None:
    """The person sees the words, and that they are a guess."""
    with annotated_library(tmp_path, "a.jpg") as case:
        (case.photos / "a.txt").write_bytes("我们的小猫".encode("gbk"))
        case.machine_captions()
        (item,) = plan_write(case.library, case.keys(), overwrite=False)
        assert item.old.text == "我们的小猫"
        assert item.reason == "CocaDesk did not write it. It reads as GB18030, which is a guess."
