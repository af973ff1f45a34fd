"""Connections to an engine, the same to the fake and the real one: greeting, events, cancelling."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    AnnotationsChanged,
    AnnotationsReply,
    Cancelled,
    Done,
    GetInfo,
    Info,
    JobChanged,
    JobReply,
    Keys,
    ListNewest,
    RowsChanged,
    SetAnnotations,
    StartIndex,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from tests.support.engines import ENGINES, EngineCase, index

WAIT_S = 60.0
SERVED = [case for case in ENGINES if case.name != "local"]


@pytest.fixture(scope="module", params=SERVED, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> EngineCase:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def client(case: EngineCase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    """A client that hears events; one for all tests of a case."""
    with case.open(tmp_path_factory.mktemp(case.name)) as client:
        assert isinstance(client, EngineClient)
        yield client


def test_the_greeting_names_library_and_schema(client: EngineClient) -> None:
    """A client knows what it is talking to before it asks anything."""
    info = client.ask(GetInfo(), Info, timeout_s=WAIT_S)
    assert client.welcome.library_id == info.library_id != ""
    assert client.welcome.schema == info.schema != ""


def test_an_index_announces_its_rows_and_its_job(
    client: EngineClient, case: EngineCase, tmp_path: Path
) -> None:
    """Windows that did not ask for it hear of both."""
    index(client, case.new_folder(tmp_path))
    kinds: set[type] = set()
    while kinds != {RowsChanged, JobChanged}:
        event = client.next_event(WAIT_S)
        if isinstance(event, RowsChanged | JobChanged):
            kinds.add(type(event))


def test_a_cancelled_request_is_answered_as_cancelled(
    client: EngineClient, case: EngineCase, tmp_path: Path
) -> None:
    """Each request gets exactly one end, also when nobody waits any more."""
    job = client.ask(
        StartIndex(folders=(WirePath.of(case.new_folder(tmp_path)),)), JobReply, timeout_s=WAIT_S
    ).job
    watch = client.send(WatchJob(job_id=job.id))
    client.cancel(watch)
    while True:
        message = client.receive(WAIT_S)
        if isinstance(message, Cancelled | Done) and message.id == watch:
            break
    assert client.ask(GetInfo(), Info, timeout_s=WAIT_S).counts.media >= 4


def test_every_window_hears_of_changed_words(client: EngineClient) -> None:
    """Rows and what could be undone are announced."""
    key = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys[2]
    reply = client.ask(
        SetAnnotations(keys=(key,), caption="heard"), AnnotationsReply, timeout_s=WAIT_S
    )
    while True:
        event = client.next_event(WAIT_S)
        if isinstance(event, AnnotationsChanged) and event.undo_title == reply.undo_title:
            break
    again = SetAnnotations(keys=(key,), caption="heard again")
    client.ask(again, AnnotationsReply, timeout_s=WAIT_S)
    while True:
        event = client.next_event(WAIT_S)
        if isinstance(event, RowsChanged) and key in event.keys:
            break
