"""Connections to an engine, the same to the fake and the real one: greeting, events, cancelling."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.launch import connect_or_start
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

pytestmark = pytest.mark.parametrize(
    "case", SERVED, indirect=True, scope="session", ids=lambda case: case.name
)


@pytest.fixture
def listener(client: AnyEngine) -> Iterator[EngineClient]:
    """Another client of the same engine; it has heard of nothing yet."""
    folder = client.ask(GetInfo(), Info, timeout_s=WAIT_S).folder
    with connect_or_start(Path(folder.to_str()), events=True) as made:
        yield made


def test_the_greeting_names_library_and_schema(listener: EngineClient) -> None:
    """A client knows what it is talking to before it asks anything."""
    info = listener.ask(GetInfo(), Info, timeout_s=WAIT_S)
    assert listener.welcome.library_id == info.library_id != ""
    assert listener.welcome.schema == info.schema != ""


def test_an_index_announces_its_rows_and_its_job(
    listener: EngineClient, case: EngineCase, tmp_path: Path
) -> None:
    """Windows that did not ask for it hear of both."""
    index(listener, case.new_folder(tmp_path))
    kinds: set[type] = set()
    while kinds != {RowsChanged, JobChanged}:
        event = listener.next_event(WAIT_S)
        if isinstance(event, RowsChanged | JobChanged):
            kinds.add(type(event))


def test_a_cancelled_request_is_answered_as_cancelled(
    listener: EngineClient, case: EngineCase, tmp_path: Path
) -> None:
    """Each request gets exactly one end, also when nobody waits any more."""
    job = listener.ask(
        StartIndex(folders=(WirePath.of(case.new_folder(tmp_path)),)), JobReply, timeout_s=WAIT_S
    ).job
    watch = listener.send(WatchJob(job_id=job.id))
    listener.cancel(watch)
    while True:
        message = listener.receive(WAIT_S)
        if isinstance(message, Cancelled | Done) and message.id == watch:
            break
    assert listener.ask(GetInfo(), Info, timeout_s=WAIT_S).counts.media >= 4


def test_every_window_hears_of_changed_words(listener: EngineClient) -> None:
    """Rows and what could be undone are announced."""
    key = listener.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys[2]
    reply = listener.ask(
        SetAnnotations(keys=(key,), caption="heard"), AnnotationsReply, timeout_s=WAIT_S
    )
    while True:
        event = listener.next_event(WAIT_S)
        if isinstance(event, AnnotationsChanged) and event.undo_title == reply.undo_title:
            break
    again = SetAnnotations(keys=(key,), caption="heard again")
    listener.ask(again, AnnotationsReply, timeout_s=WAIT_S)
    while True:
        event = listener.next_event(WAIT_S)
        if isinstance(event, RowsChanged) and key in event.keys:
            break
