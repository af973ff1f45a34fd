"""The file with an engine's address: who may read it, and when it goes."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from cocadesk.protocol.endpoint import (
    UNIX_PATH_MAX_BYTES,
    Endpoint,
    Transport,
    default_transport,
    endpoint_file,
    library_name,
    log_file,
    new_socket_path,
    read_endpoint,
    remove_endpoint,
    remove_socket,
    run_folder,
    write_endpoint,
)

unix_only = pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix matter")


def endpoint(address: str = "/nowhere/engine", *, token: str = "t") -> Endpoint:
    """The address of an engine that does not run."""
    return Endpoint(
        protocol=2,
        transport=Transport.UNIX,
        address=address,
        token=token,
        pid=12345,
        library="/photos",
    )


def test_an_address_is_read_as_it_was_written(library: Path) -> None:
    """Once written, a client finds it by the library's folder alone."""
    assert read_endpoint(library) is None
    assert write_endpoint(library, endpoint()) == endpoint_file(library)
    assert read_endpoint(library) == endpoint()


@unix_only
def test_the_token_is_for_its_user_alone(library: Path) -> None:
    """From the first moment: the file is made closed, not closed later."""
    path = write_endpoint(library, endpoint())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [item.name for item in path.parent.iterdir()] == [path.name]


@unix_only
def test_an_open_run_folder_is_closed(library: Path) -> None:
    """An older program, or a person, may have made it readable to all."""
    run_folder().chmod(0o755)
    assert stat.S_IMODE(run_folder().stat().st_mode) == 0o700


def test_a_library_has_one_name_by_whichever_way_it_is_reached(library: Path) -> None:
    """A link, a dot and a slash at the end lead to the same engine."""
    link = library.parent / "link"
    link.symlink_to(library)
    ways = [library, link, library / ".", library.parent / "x" / ".." / library.name]
    assert {library_name(way) for way in ways} == {library_name(library)}
    assert library_name(library.parent) != library_name(library)


def test_a_library_whose_name_is_no_text_has_an_engine_all_the_same(tmp_path: Path) -> None:
    """Folders of other systems carry other encodings."""
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    assert library_name(odd).isalnum()


def test_log_and_address_lie_side_by_side(library: Path) -> None:
    """Whoever finds one finds the other."""
    assert log_file(library).with_suffix(".json") == endpoint_file(library)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"protocol": "two"}', b"\xff"])
def test_a_broken_address_is_none(library: Path, content: bytes) -> None:
    """A full disk or another program's file: an engine is started then."""
    endpoint_file(library).write_bytes(content)
    assert read_endpoint(library) is None


def test_an_engine_takes_away_only_its_own_address(library: Path) -> None:
    """A newer engine has left its own since."""
    newer = endpoint(token="newer")
    write_endpoint(library, newer)
    remove_endpoint(library, endpoint(token="older"))
    assert read_endpoint(library) == newer
    remove_endpoint(library, newer)
    assert read_endpoint(library) is None
    remove_endpoint(library, newer)


def test_a_socket_goes_with_its_folder_and_nothing_else_does(tmp_path: Path) -> None:
    """A folder in which something else lies stays."""
    own, shared = tmp_path / "own", tmp_path / "shared"
    for folder in (own, shared):
        folder.mkdir()
        (folder / "engine").touch()
    (shared / "other").touch()
    remove_socket(endpoint(str(own / "engine")))
    remove_socket(endpoint(str(shared / "engine")))
    assert not own.exists()
    assert [item.name for item in shared.iterdir()] == ["other"]
    (shared / "engine").touch()
    remove_socket(replace(endpoint(str(shared / "engine")), transport=Transport.TCP))
    assert (shared / "engine").exists()


@unix_only
def test_a_sockets_path_is_short_however_long_the_temporary_folders_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Systems take about a hundred bytes; macOS' own temporary folders are long."""
    long = tmp_path / ("x" * UNIX_PATH_MAX_BYTES)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    path = new_socket_path()
    try:
        assert len(os.fsencode(path)) <= UNIX_PATH_MAX_BYTES
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert list(long.iterdir()) == []
    finally:
        path.parent.rmdir()


def test_caches_move_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``COCADESK_CACHE`` first, then the system's own place."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "mine"))
    assert run_folder() == tmp_path / "mine" / "run"
    if sys.platform == "linux":
        monkeypatch.delenv("COCADESK_CACHE")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "system"))
        assert run_folder() == tmp_path / "system" / "cocadesk" / "run"


@pytest.mark.parametrize(
    ("platform", "transport"),
    [("linux", Transport.UNIX), ("darwin", Transport.UNIX), ("win32", Transport.TCP)],
)
def test_a_socket_in_the_file_system_is_used_wherever_there_is_one(
    monkeypatch: pytest.MonkeyPatch, platform: str, transport: Transport
) -> None:
    """Only its user can reach it; a port can be reached by all of the machine."""
    monkeypatch.setattr(sys, "platform", platform)
    assert default_transport() is transport
