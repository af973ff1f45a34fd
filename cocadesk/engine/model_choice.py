"""What a person chooses a model by: how fast it is here, what is here of it, what becomes of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from msgspec.structs import replace

from cocadesk.engine.handlers import EngineContext
from cocadesk.engine.model_fetching import fetched_source
from cocadesk.engine.model_speed import KEPT, ModelSpeeds
from cocadesk.engine.switch_orders import switch_source
from cocadesk.locations import cache_folder
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import Models
from cocadesk.protocol.values import JobKind, JobState, JobValue, ModelEntry, ModelOffer

if TYPE_CHECKING:
    from cocadesk.protocol.messages import MeasureModel

AnyModel = TypeVar("AnyModel", ModelEntry, ModelOffer)
HOST = "huggingface.co"


class ModelChoice:
    """Completes lists of models by what this machine, this library and its jobs say of them."""

    def __init__(self, context: EngineContext, speeds: ModelSpeeds | None = None) -> None:
        self._context = context
        self._speeds = speeds or ModelSpeeds(cache_folder() / KEPT)

    def close(self) -> None:
        """Ends a measuring."""
        self._speeds.close()

    def measured(self, body: MeasureModel, call: Call, listed: Callable[[], Models]) -> None:
        """Measures a model, and then answers with the models as they are ``listed``."""

        def work() -> Models:
            is_busy = self._context.jobs().is_busy()
            self._speeds.measure(body.source, call.check, is_busy=is_busy)
            return listed()

        self._context.run_long(call, work, name="model speed")

    def completed(self, models: Models) -> Models:
        """The same models and offers, with all that is known of each."""
        pictures = self._pictures()
        entries = [self._timed(entry, pictures) for entry in models.models]
        jobs = [job for job in self._context.jobs().all() if job.kind in _OF_MODELS]
        free = _free_bytes()
        offers = [self._offer(offer, entries, jobs) for offer in models.offers]
        return Models(
            models=tuple(entries),
            offers=tuple(
                replace(
                    self._timed(offer, pictures),
                    free_bytes=free,
                    fetched_from="" if offer.is_here else host_of_hub(),
                )
                for offer in offers
            ),
        )

    def _offer(
        self, offer: ModelOffer, entries: Iterable[ModelEntry], jobs: Iterable[JobValue]
    ) -> ModelOffer:
        from cocadesk.model.checkpoints.hub import same_model

        entry = next((one for one in entries if same_model(one.source, offer.source)), None)
        own = [job for job in jobs if same_model(self._source(job), offer.source)]
        is_open = [job for job in own if not job.state.is_final]
        newest = own[0] if own else None
        has_failed = newest is not None and newest.state is JobState.FAILED and not offer.is_here
        return replace(
            offer,
            listed_as=entry.source if entry else "",
            is_awaited=any(job.kind is JobKind.SWITCH_MODEL for job in is_open),
            is_used=entry.is_used if entry else False,
            is_used_for_captions=entry.is_used_for_captions if entry else False,
            coverage=entry.coverage if entry else 0.0,
            # What fetches it comes before the switch that waits for it.
            job_id=offer.job_id or (is_open[0].id if is_open else ""),
            problem=newest.message if newest and has_failed else "",
        )

    def _source(self, job: JobValue) -> str:
        spec = self._context.jobs().spec(job.id)
        return fetched_source(spec) if job.kind is JobKind.FETCH_MODEL else switch_source(spec)

    def _timed(self, model: AnyModel, pictures: int) -> AnyModel:
        rate = self._speeds.known(model.source)
        if rate is None:
            return model
        seconds = pictures * max(0.0, 1.0 - model.coverage) / rate
        return replace(model, photos_per_second=rate, seconds_for_library=seconds)

    def _pictures(self) -> int:
        """The pictures that a model has to read: of a video there are many."""
        library = self._context.library
        views = library.views.count(library.model) if library.model else 0
        return max(library.counts().media, views)


_OF_MODELS = (JobKind.FETCH_MODEL, JobKind.SWITCH_MODEL)


def host_of_hub() -> str:
    """The host that models are fetched from: the hub's own, or a mirror (``HF_ENDPOINT``)."""
    return urlsplit(os.environ.get("HF_ENDPOINT", "")).netloc or HOST


def _free_bytes() -> int | None:
    """The room that is free where models are kept; None where it cannot be told."""
    from cocadesk.model.checkpoints.hub import hub_cache

    return min(filter(None, map(_room, (hub_cache(), cache_folder()))), default=None)


def _room(folder: Path) -> int | None:
    """The free bytes of the disk of a folder, which need not be there yet."""
    for place in (folder, *folder.absolute().parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None
