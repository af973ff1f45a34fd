"""The first use of a network on a computer, which takes a while, is what the job says it does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from cocadesk.engine.index_job import PREPARING, stage_of
from cocadesk.engine.local import Access, LocalEngine
from cocadesk.model.backend import open_backend
from cocadesk.model.checkpoints import checkpoint
from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from cocadesk.model.ids import IDS, ModelIds, compute_ids
from cocadesk.model.network.config import CocaConfig, ImageEncoderKind
from cocadesk.protocol.messages import JobReply, Progress, StartIndex, WatchJob
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobState
from tests.support.configs import tiny_config
from tests.support.engines import coloured_photos
from tests.support.tiny_model import tiny_model, tiny_tokenizer


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A network that OpenVINO converts, and a cache folder in which nothing is kept yet."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    config = tiny_config(kind=ImageEncoderKind.EFFICIENTNET_LITE)
    save_checkpoint(tmp_path / "model", tiny_model(config=config), tiny_tokenizer(), "")
    return str(tmp_path / "model")


def stages(engine: LocalEngine, body: StartIndex) -> list[str]:
    """What a job said that it does, in order; it ends well."""
    told: list[Progress] = []
    job = engine.ask(body, JobReply).job
    end = engine.ask(WatchJob(job_id=job.id), JobReply, on_progress=told.append)
    assert end.job.state is JobState.DONE, end.job.message
    return list(dict.fromkeys(now.stage for now in told))


def test_a_first_index_says_that_the_model_is_prepared(tmp_path: Path, model: str) -> None:
    """After looking for files and before reading them; never again on this computer."""
    with open_backend(model, "cpu") as backend:
        assert not backend.info().is_prepared
    photos = StartIndex(folders=(WirePath.of(coloured_photos(tmp_path / "photos")),))
    with LocalEngine(tmp_path / "one", model=model, access=Access.CREATE) as engine:
        first = stages(engine, photos)
    assert PREPARING in first
    assert first.index(PREPARING) > 0
    assert first[-1] != PREPARING
    with open_backend(model, "cpu") as backend:
        assert backend.info().is_prepared
        assert stage_of(backend, "reading") == "reading"


def test_weights_are_not_read_again_at_each_look(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job asks after each step, and the starter's ids are not kept beside its weights."""
    (Path(model) / IDS).unlink()
    read: list[str] = []

    def counted(config: CocaConfig, weights: Mapping[str, NDArray[Any]]) -> ModelIds:
        read.append(config.name)
        return compute_ids(config, weights)

    monkeypatch.setattr(checkpoint, "compute_ids", counted)
    with open_backend(model, "cpu") as backend:
        assert not backend.info().is_prepared
        once = len(read)
        assert once
        for _ in range(5):
            assert not backend.info().is_prepared
        assert len(read) == once
