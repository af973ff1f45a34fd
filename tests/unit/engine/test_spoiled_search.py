"""A model that only captions, named for one process: nothing is indexed or found with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cocadesk.engine.local import Access, LocalEngine
from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.model.values import ModelInfo
from cocadesk.protocol.messages import Hits, JobReply, Search, StartIndex, WatchJob
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobState
from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import write_photo


class SpoiledBackend(FakeBackend):
    """As the checkpoint that was tuned on captions alone."""

    def info(self) -> ModelInfo:
        return replace(super().info(), is_for_search=False)


def test_a_model_that_only_captions_neither_indexes_nor_searches(tmp_path: Path) -> None:
    """Its vectors would fill the library, and every search would be wrong."""
    write_photo(tmp_path / "photos" / "a.jpg", 1)
    with LocalEngine(
        tmp_path / "library", access=Access.CREATE, open_model=lambda _source: SpoiledBackend()
    ) as engine:
        folders = (WirePath.of(tmp_path / "photos"),)
        job = engine.ask(StartIndex(folders=folders), JobReply).job
        ended = engine.ask(WatchJob(job_id=job.id), JobReply).job
        assert ended.state is JobState.FAILED
        assert "is not for search" in ended.message
        assert "--for captions" in ended.message
        with pytest.raises(UserError, match="is not for search"):
            engine.ask(Search(text="a dog"), Hits)
    with Library.open(tmp_path / "library", create=False, writer=False) as library:
        assert library.counts().photos == 0
