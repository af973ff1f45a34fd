"""The first photos of an index on the real engine: listed while its model opens, then found."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.launch import running_engine
from cocadesk.protocol.messages import (
    Describe,
    Description,
    GetRows,
    JobReply,
    Keys,
    ListNewest,
    Rows,
    StartIndex,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobState, Priority
from tests.support.engines import watch
from tests.support.fake_backend import FakeCaption
from tests.support.index_tools import CountingBackend, write_photo
from tests.support.inner_engine import inner_engine
from tests.support.waiting import until

WAIT_S = 60.0


class OpeningBackend(CountingBackend):
    """A model that is open for pictures once it ``is_open``."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open = threading.Event()

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As the fake, once it is open."""
        assert self.is_open.wait(WAIT_S)
        return super().embed_images(images_BHWC)

    def caption(self, images_BHWC: NDArray[np.uint8], options: object = None) -> list[FakeCaption]:
        """As the fake; nobody asks for a caption before photos have vectors."""
        assert self.is_open.is_set()
        return super().caption(images_BHWC, options)


def _described(library: Path, key: str) -> Description:
    """The answer to a client of its own."""
    client = running_engine(library)
    assert client is not None
    with client:
        asked = Describe(key=key)
        return client.ask(asked, Description, priority=Priority.VISIBLE, timeout_s=WAIT_S)


def _listed(client: EngineClient) -> tuple[str, ...]:
    return client.ask(ListNewest(limit=100), Keys, timeout_s=WAIT_S).keys


def test_photos_are_listed_while_the_model_opens_and_described_once_they_are_found(
    tmp_path: Path,
) -> None:
    """Descriptions that wait for it hold up no rows, whose threads are two."""
    photos, library, backend = tmp_path / "photos", tmp_path / "library", OpeningBackend()
    for number in range(3):
        write_photo(photos / f"{number}.jpg", number)
    with (
        inner_engine(library, "fake", opener=lambda _: backend) as client,
        ThreadPoolExecutor(3) as threads,
    ):
        try:
            order = StartIndex(folders=(WirePath.of(photos),))
            job = client.ask(order, JobReply, timeout_s=WAIT_S).job
            until(lambda: len(_listed(client)) == 3)
            keys = _listed(client)
            wanted = [threads.submit(_described, library, key) for key in keys]
            asked = GetRows(keys=keys)
            rows = client.ask(asked, Rows, priority=Priority.VISIBLE, timeout_s=WAIT_S).rows
            assert all(row.thumbnail is not None for row in rows)
            assert not any(one.done() for one in wanted)
        finally:
            backend.is_open.set()
        assert all(one.result(WAIT_S).caption for one in wanted)
        assert watch(client, job).job.state is JobState.DONE
        assert backend.captioned == 3
