"""The program with a library in an object store: commands, an engine of its own, the window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.locations import library_folder
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.launch import connect_or_start
from cocadesk.protocol.messages import (
    GetPreview,
    GetRows,
    Info,
    JobReply,
    Keys,
    ListNewest,
    Preview,
    Rows,
    StartTeach,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.requests import GetInfo
from cocadesk.protocol.values import TeachSource
from tests.support.engines import FAKE_MODEL, coloured_photos, stop
from tests.support.object_store import VARIABLES, objects_of, serving
from tests.support.program import invoked
from ui.engine.link import EngineLink
from ui.kit.app_theme import AppTheme
from ui.kit.theme import Appearance
from ui.shell.window import MainWindow

WAIT_MS = 60_000


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of a store for this file."""
    with serving() as server:
        yield server.new_library("my-pictures")


@pytest.fixture
def address(endpoint: str, request: pytest.FixtureRequest) -> str:
    """The address of a library of this test."""
    return endpoint.replace("holiday", request.node.name.replace("_", "-"))


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with credentials and an empty cache."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def client(address: str) -> Iterator[EngineClient]:
    """A client of a real engine that serves the library, with a small model."""
    with connect_or_start(library_folder(address), extra=FAKE_MODEL) as engine:
        try:
            yield engine
        finally:
            stop(engine)


def test_an_engine_serves_a_library_in_a_store_to_commands_and_clients(
    client: EngineClient, address: str, tmp_path: Path
) -> None:
    """The address names it everywhere; thumbnails and previews are files of this machine."""
    photos = coloured_photos(tmp_path / "photos")
    common = ("--library", address, "--json")
    indexed = invoked("index", photos, *common)
    assert indexed.document["indexed"] == 5, indexed.err
    found = invoked("search", "something red", "--limit", "2", *common)
    assert {Path(hit["path"]).stem for hit in found.document["results"]} == {"red-0", "red-4"}
    assert client.ask(GetInfo(), Info).folder.text == address.partition("?")[0]
    keys = client.ask(ListNewest(), Keys).keys
    rows = client.ask(GetRows(keys=keys), Rows).rows
    assert all(row.thumbnail and Path(row.thumbnail.to_str()).is_file() for row in rows)
    preview = client.ask(GetPreview(key=keys[0]), Preview)
    assert Path(preview.path.to_str()).is_file()
    names = objects_of(address)
    assert sum(name.startswith("thumbs/") for name in names) == 5
    assert sum(name.startswith("previews/") for name in names) == 1
    with pytest.raises(UserError, match="in an object store can't be taught"):
        client.ask(StartTeach(source=TeachSource(folders=(WirePath.of(photos),))), JobReply)


def test_commands_on_two_machines_share_a_library(
    address: str, tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words of one are found by the other, which checks, backs up and purges as well."""
    common = ("--library", address, "--json")
    photo = samples / "koala.jpg"
    assert invoked("index", photo, samples / "beach.jpg", *common).document["indexed"] == 2
    said = invoked("words", "set", photo, "--caption", "our koala", *common)
    assert said.document["changed"] == 1, said.err
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "other"))
    found = invoked("search", "our koala", *common)
    assert found.document["results"][0]["caption"] == "our koala", found.err
    assert invoked("info", *common).document["library"] == address.partition("?")[0]
    backup = invoked("library", "backup", *common)
    assert backup.code == 0, backup.err
    assert invoked("library", "check", *common).document["problems"] == []
    assert invoked("library", "repair", *common).document["problems"] == []
    forgotten = invoked("forget", photo, "--yes", *common)
    assert forgotten.document["media"] == 1, forgotten.err
    kept = b"".join(objects_of(address).values())
    assert b"our koala" not in kept
    assert [
        Path(hit["path"]).stem for hit in invoked("search", "koala", *common).document["results"]
    ] == ["beach"]


def test_a_mistyped_address_is_a_sentence_and_code_2() -> None:
    """As any mistake of a person; with --json too."""
    outcome = invoked("info", "--library", "s3://no-name", "--json")
    assert outcome.code == 2
    assert "no address of a library" in outcome.document["error"]["what"]


def test_the_window_opens_a_library_in_a_store(
    client: EngineClient, address: str, tmp_path: Path, qtbot: QtBot, qapp: object
) -> None:
    """It shows the photos of another machine's index."""
    photos = coloured_photos(tmp_path / "photos")
    assert invoked("index", photos, "--library", address).code == 0
    theme = AppTheme(qapp, Appearance.LIGHT)  # type: ignore[arg-type]
    window = MainWindow(EngineLink(library_folder(address)), theme)
    try:
        window.show()
        window.session.link.open()
        model = window.session.model
        qtbot.waitUntil(lambda: model.rowCount() == 5, timeout=WAIT_MS)
        qtbot.waitUntil(
            lambda: bool((row := model.known_row(model.key_at(0) or "")) and row.thumbnail),
            timeout=WAIT_MS,
        )
    finally:
        window.close()
        shiboken6.delete(window)
