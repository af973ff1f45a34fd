"""What the program makes is its user's alone; what lies beside photos has the user's own modes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cocadesk.library.library import Library
from cocadesk.locations import close_to_others
from cocadesk.protocol.endpoint import read_endpoint
from cocadesk.protocol.launch import connect_or_start
from cocadesk.protocol.messages import JobReply, StartIndex, WatchJob
from cocadesk.protocol.paths import WirePath
from tests.support.engines import FAKE_MODEL, coloured_photos, stop
from tests.support.program import environment
from tests.support.tiny_model import write_tiny_checkpoint

COMMANDS = """
import json, sys
from cocadesk.cli.main import main
for command in json.loads(sys.argv[1]):
    sys.argv = ["cocadesk", *command]
    try:
        main()
    except SystemExit as end:
        assert end.code == 0, command
"""
WRITE = """
import sys
from cocadesk.locations import keep_private
keep_private()
from cocadesk.annotations.sidecar_files import put_file
put_file(sys.argv[1].encode(), None, b"a dog")
open(sys.argv[2], "w").close()
"""


def mode_of(path: Path) -> int:
    """The permissions of a file, as an octal number would say them."""
    return stat.S_IMODE(path.lstat().st_mode)


def open_to_others(folder: Path) -> list[str]:
    """The files and folders, this one among them, that somebody else could read or write."""
    found = [folder, *folder.rglob("*")]
    return [f"{path} {mode_of(path):o}" for path in found if mode_of(path) & 0o077]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_text_file_beside_a_photo_has_the_modes_of_its_user(tmp_path: Path, umask: int) -> None:
    """Own files are closed, whatever the umask; those of the user follow it."""
    text, own = tmp_path / "beach.txt", tmp_path / "own"
    subprocess.run(
        [sys.executable, "-P", "-c", WRITE, text, own], env=environment(), umask=umask, check=True
    )
    assert mode_of(text) == 0o666 & ~umask
    assert mode_of(own) == 0o600


def test_an_engine_opens_nothing_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Library, cache, log, address and socket, though the umask would let everybody write."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    before = os.umask(0)
    try:
        client = connect_or_start(tmp_path / "library", extra=FAKE_MODEL)
    finally:
        os.umask(before)
    with client:
        folder = WirePath.of(coloured_photos(tmp_path / "photos"))
        job = client.ask(StartIndex(folders=(folder,)), JobReply, timeout_s=60).job
        client.ask(WatchJob(job_id=job.id), JobReply, timeout_s=60)
        endpoint = read_endpoint(tmp_path / "library")
        assert open_to_others(tmp_path / "library") == []
        assert open_to_others(tmp_path / "cache") == []
        assert endpoint is not None
        assert open_to_others(Path(endpoint.address).parent) == []
        stop(client)


def test_a_command_opens_nothing_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model reads photos, captions are written beside them; only those are for all.

    The commands follow each other in one process, whose start takes longer than they do.
    """
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    photos, library = coloured_photos(tmp_path / "photos"), tmp_path / "library"
    model = write_tiny_checkpoint(tmp_path / "model")
    commands = (
        ("index", photos, "--model", model),
        ("tag", photos),
        ("words", "set", photos / "red-0.jpg", "--caption", "red"),
        ("words", "write", photos),
    )
    given = json.dumps([[*map(os.fspath, c), "--library", os.fspath(library)] for c in commands])
    subprocess.run(
        [sys.executable, "-P", "-c", COMMANDS, given], env=environment(), umask=0, check=True
    )
    assert mode_of(photos / "red-0.txt") == 0o666
    assert open_to_others(library) == []
    assert open_to_others(tmp_path / "cache") == []


def test_an_older_library_is_closed_when_it_is_opened(tmp_path: Path) -> None:
    """Its folder at least: nobody gets past that."""
    folder = tmp_path / "library"
    Library.open(folder).close()
    assert mode_of(folder) == 0o700
    folder.chmod(0o755)
    Library.open(folder, writer=False).close()
    assert mode_of(folder) == 0o700


def test_a_folder_that_is_meant_for_all_stays_so(tmp_path: Path) -> None:
    """A cache may be told to lie in /tmp itself."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    close_to_others(shared)
    assert mode_of(shared) == 0o1777
