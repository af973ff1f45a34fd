"""The door to files beside photos: read carefully, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cocadesk.annotations.sidecar_files import (
    MAX_FILE_BYTES,
    RefusedError,
    check_folder,
    check_there,
    drop_temporary,
    put_file,
    read_file,
    sync_folders,
    temporary_of,
)
from cocadesk.annotations.sidecar_journal import NetChange, net_changes, planned_states
from cocadesk.annotations.sidecars import FileState
from cocadesk.library.edits import FILE_FIELD
from cocadesk.library.rows import Edit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place for a file."""
    return tmp_path / "beach.txt"


def names(folder: Path) -> list[str]:
    """All entries of a folder, hidden ones too."""
    return sorted(os.listdir(folder))  # noqa: PTH208


def test_a_file_is_read_whole_and_none_is_none(path: Path) -> None:
    """Bytes as they are, also those that are no UTF-8."""
    assert read_file(os.fsencode(path)) is None
    path.write_bytes(b"caf\xe9\r\n")
    assert read_file(os.fsencode(path)) == b"caf\xe9\r\n"


def test_a_file_of_the_largest_size_is_read_and_one_byte_more_is_not(path: Path) -> None:
    """Content that is replaced is stored for undo, so it must be small."""
    path.write_bytes(b"x" * MAX_FILE_BYTES)
    assert len(read_file(os.fsencode(path)) or b"") == MAX_FILE_BYTES
    path.write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    with pytest.raises(RefusedError, match="larger than a caption"):
        read_file(os.fsencode(path))


def test_a_new_file_is_put_in_its_place_with_nothing_beside_it(path: Path) -> None:
    """Written beside it and renamed; the other name is gone."""
    put_file(os.fsencode(path), None, b"a beach\n")
    assert path.read_bytes() == b"a beach\n"
    assert names(path.parent) == ["beach.txt"]


def test_a_replaced_file_keeps_its_permissions(path: Path) -> None:
    """A private note stays private."""
    path.write_bytes(b"old")
    path.chmod(0o600)
    put_file(os.fsencode(path), b"old", b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_is_removed_where_none_is_wanted(path: Path) -> None:
    """An undo of a first write."""
    path.write_bytes(b"ours")
    put_file(os.fsencode(path), b"ours", None)
    assert names(path.parent) == []


@pytest.mark.parametrize(("expected", "wanted"), [(b"ours", b"new"), (None, b"new"), (b"o", None)])
def test_a_file_that_holds_something_else_is_refused_and_stays(
    path: Path, expected: bytes | None, wanted: bytes | None
) -> None:
    """Somebody was faster; that is no failure of the disk."""
    path.write_bytes(b"theirs")
    with pytest.raises(RefusedError, match="changed it just now") as caught:
        put_file(os.fsencode(path), expected, wanted)
    assert not caught.value.is_failure
    assert path.read_bytes() == b"theirs"
    assert names(path.parent) == ["beach.txt"]


def test_a_file_in_a_folder_that_is_away_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    """A disk may not be connected."""
    away = os.fsencode(tmp_path / "stick" / "a.txt")
    for look in (check_there, check_folder, lambda one: put_file(one, None, b"x")):
        with pytest.raises(RefusedError, match="Its folder is not there") as caught:
            look(away)
        assert caught.value.is_failure


def test_a_name_that_is_too_long_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """The photo's name may just fit, with another ending it may not."""
    with pytest.raises(RefusedError, match="name would be too long"):
        read_file(os.fsencode(tmp_path) + b"/" + b"x" * 300)


def test_what_a_killed_write_has_left_is_dropped(path: Path) -> None:
    """Its name is hidden, so that no index looks at it; dropping nothing is fine."""
    left = Path(os.fsdecode(temporary_of(os.fsencode(path))))
    assert left.name.startswith(".")
    left.write_bytes(b"half")
    drop_temporary(os.fsencode(path))
    drop_temporary(os.fsencode(path))
    assert names(path.parent) == []


def test_a_leftover_of_a_killed_write_is_no_obstacle(path: Path) -> None:
    """The next write of the same file takes its place."""
    Path(os.fsdecode(temporary_of(os.fsencode(path)))).write_bytes(b"half")
    put_file(os.fsencode(path), None, b"whole")
    assert names(path.parent) == ["beach.txt"]
    assert path.read_bytes() == b"whole"


def test_folders_are_synced_also_where_one_is_gone(path: Path) -> None:
    """The file is in its place all the same."""
    sync_folders([os.fsencode(path), os.fsencode(path.parent / "gone" / "a.txt")])


def state(path: Path, data: bytes | None, by: str | None = None) -> FileState:
    """The content of a file."""
    return FileState(path=os.fsencode(path), data=data, by=by)


def file_edit(old: FileState, new: FileState) -> Edit:
    """A write as it stands in the log."""
    from datetime import UTC, datetime

    return Edit(
        batch="b",
        key="k",
        who="person",
        when=datetime.now(UTC),
        field=FILE_FIELD,
        old=old.to_json(),
        new=new.to_json(),
    )


def test_a_state_of_any_bytes_comes_back_from_the_log(path: Path) -> None:
    """Names and contents need not be UTF-8."""
    for one in (
        FileState(path=b"/p/caf\xe9.txt", data=b"\xff\0", by=None),
        FileState(path=b"/p/a.txt", data=None, by=None),
        FileState(path=b"/p/a.txt", data=b"", by="model-1"),
    ):
        assert FileState.from_json(one.to_json()) == one


def test_a_batch_that_wrote_a_file_twice_has_one_change_of_it(path: Path) -> None:
    """From before the first to after the last; a correction takes a write away."""
    first = file_edit(state(path, None), state(path, b"1"))
    second = file_edit(state(path, b"1"), state(path, b"2"))
    back = file_edit(state(path, b"2"), state(path, None))
    assert net_changes([first, second]) == [
        NetChange(key="k", before=state(path, None), after=state(path, b"2"))
    ]
    assert net_changes([first, second, back]) == []


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (b"after", None),
        (b"before", ""),
        (b"edited", "It was changed since."),
        (None, "It is not there any more."),
    ],
)
def test_an_undo_writes_only_what_the_command_has_left(
    path: Path, now: bytes | None, reason: str | None
) -> None:
    """A file that is back already needs nothing; any other is skipped with the reason."""
    if now is not None:
        path.write_bytes(now)
    change = NetChange(key="k", before=state(path, b"before"), after=state(path, b"after"))
    wanted, skipped = planned_states([change], is_undo=True)
    assert [one.after.data for one in wanted] == ([b"before"] if reason is None else [])
    assert [one.reason for one in skipped] == ([reason] if reason else [])


def test_a_redo_skips_a_file_that_somebody_has_written_since(path: Path) -> None:
    """The undo had left none."""
    change = NetChange(key="k", before=state(path, None), after=state(path, b"after"))
    assert planned_states([change], is_undo=False)[0] == [change]
    path.write_bytes(b"theirs")
    wanted, skipped = planned_states([change], is_undo=False)
    assert wanted == []
    assert [one.reason for one in skipped] == ["Somebody has written it since."]
