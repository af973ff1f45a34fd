"""Models of the hub that are fetched as jobs, counted in bytes, and removed again."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cocadesk.engine.conversions import to_value
from cocadesk.engine.fetch_child import FetchChild
from cocadesk.engine.handlers import EngineContext
from cocadesk.engine.job_steps import JobOutcome, JobStep, Steps
from cocadesk.engine.model_removal import is_ours, remove_model
from cocadesk.engine.switch_orders import switch_source
from cocadesk.errors import UserError, kept, retold, tr
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    JobAction,
    JobKind,
    JobState,
    JobValue,
    ModelEntry,
    ModelOffer,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from cocadesk.engine.job_records import Job
    from cocadesk.model.offers import OfferedModel

STEP_S = 0.3
SPEED_OF_LAST_S = 20.0


class FetchSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The order to fetch a model; ``folder`` may hold its files.

    ``is_for_switch``: nobody asked for it but a switch, which waits for it.
    """

    source: str
    folder: WirePath | None = None
    is_for_switch: bool = False


def fetched_source(spec: str) -> str:
    """The model that an order fetches."""
    return msgspec.json.decode(spec, type=FetchSpec).source


class ModelFetcher:
    """Orders, does and finds the jobs that fetch models."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context

    def order(
        self, source: str, folder: WirePath | None = None, *, is_for_switch: bool = False
    ) -> JobValue:
        """The job that fetches a model; done already where its files are here.

        One that fetches it already is that job, and goes on where it was paused.

        Raises:
            UserError: the source is none of the hub, or there is no room for it.
        """
        from cocadesk.model.checkpoints import hub

        repository = hub.parse_repository(source)
        title = kept("Fetching {model}", model=kept_name_of(source))
        order = FetchSpec(source=source, folder=folder, is_for_switch=is_for_switch)
        spec = msgspec.json.encode(order).decode()
        jobs = self._context.jobs()
        if hub.is_here(repository):
            outcome = JobOutcome(message=here_already(source))
            return jobs.record(JobKind.FETCH_MODEL, title, spec, outcome)
        if known := self.open_job(source):
            return jobs.control(known, JobAction.RESUME)
        check_room_for(source)
        return jobs.add(JobKind.FETCH_MODEL, title, spec)

    def order_where_absent(self, source: str) -> None:
        """Lets a model of the hub be fetched that a switch is about to wait for.

        Raises:
            UserError: as with ``order``.
        """
        from cocadesk.model.checkpoints import hub

        if not hub.is_here(hub.parse_repository(source)):
            self.order(source, is_for_switch=True)

    def give_up_unwanted(self) -> None:
        """Stops what is fetched for switches alone that somebody has given up; what came stays."""
        from cocadesk.model.checkpoints import hub

        jobs = self._context.jobs()
        still_open = [job for job in jobs.all() if not job.state.is_final]
        awaited = [
            switch_source(jobs.spec(job.id))
            for job in still_open
            if job.kind is JobKind.SWITCH_MODEL
        ]
        for job in still_open:
            if job.kind is not JobKind.FETCH_MODEL:
                continue
            order = msgspec.json.decode(jobs.spec(job.id), type=FetchSpec)
            is_awaited = any(hub.same_model(source, order.source) for source in awaited)
            if order.is_for_switch and not is_awaited:
                jobs.control(job.id, JobAction.CANCEL)

    def why_held(self, job: Job) -> str:
        """The fetching that a switch waits for; empty where it may run."""
        if job.value.kind is not JobKind.SWITCH_MODEL:
            return ""
        fetching = self.open_job(switch_source(job.spec.work))
        return f"“{self._context.jobs().get(fetching).title}”" if fetching else ""

    def on_job(self, job: JobValue) -> None:
        """Stops the switches that wait for a fetching which a person stops."""
        if job.kind is not JobKind.FETCH_MODEL or job.state is not JobState.CANCELLED:
            return
        from cocadesk.model.checkpoints import hub

        jobs = self._context.jobs()
        source = self._source_of(job)
        for other in jobs.all():
            is_waiting = other.kind is JobKind.SWITCH_MODEL and other.state is JobState.QUEUED
            if is_waiting and hub.same_model(switch_source(jobs.spec(other.id)), source):
                jobs.control(other.id, JobAction.CANCEL)

    def steps(self, spec: str) -> Steps:
        """The fetching of a spec; see ``cocadesk.engine.job_steps.JobFactory``."""
        order = msgspec.json.decode(spec, type=FetchSpec)
        yield from fetched(order.source, order.folder)
        return JobOutcome(message=here_now(order.source))

    def offers(self, models: Sequence[ModelEntry]) -> tuple[ModelOffer, ...]:
        """The models that are offered, with what is here of each; ``models`` are on the disk."""
        return offers_now(models, self.open_job)

    def open_job(self, source: str) -> str:
        """The id of the job that fetches this model now, or waits or is paused; else empty."""
        from cocadesk.model.checkpoints import hub

        for job in self._context.jobs().all():
            is_open = job.kind is JobKind.FETCH_MODEL and not job.state.is_final
            if is_open and hub.same_model(self._source_of(job), source):
                return job.id
        return ""

    def _source_of(self, job: JobValue) -> str:
        spec = self._context.jobs().spec(job.id)
        return msgspec.json.decode(spec, type=FetchSpec).source

    def is_needed(self, source: str) -> bool:
        """True where its files are those of a model in use, or that a job fetches or waits for.

        In use are those of this process and of the library; all versions lie in one folder.
        """
        from cocadesk.model.checkpoints import hub

        value, jobs = self._context.model.value(), self._context.jobs()
        manifest = self._context.library.manifest
        needed = {value.source, manifest.model_source, manifest.caption_source}
        if value.captions is not None:
            needed.add(value.captions.source)
        is_open = [job for job in jobs.all() if not job.state.is_final]
        for job in is_open:
            if job.kind is JobKind.SWITCH_MODEL:
                needed.add(switch_source(jobs.spec(job.id)))
            elif job.kind is JobKind.FETCH_MODEL:
                needed.add(self._source_of(job))
        folder = hub.folder_of(source)
        return folder is not None and folder in {hub.folder_of(other) for other in needed if other}

    def is_removable(self, source: str) -> bool:
        """True where ``remove`` may take it, unless another library needs it."""
        return is_ours(source) and not self.is_needed(source)

    def remove(self, source: str) -> int:
        """Removes a model's files; gives the bytes that they had.

        Raises:
            UserError: it is none of the hub's, did not come from us, is needed, or is not here.
        """
        if self.is_needed(source):
            raise UserError(
                tr("{source} can't be removed.", source=source),
                tr("It is in use, or a job waits for it."),
                tr("Use another model first, or stop the job."),
            )
        return remove_model(source, self._context.library.folder)


def fetched_without_library(
    source: str, folder: WirePath | None = None
) -> Generator[JobStep, None, str]:
    """As ``fetched``, for somebody who has no library yet; gives the sentence at its end.

    Raises:
        UserError: the source is none of the hub, or it can't be fetched.
    """
    from cocadesk.model.checkpoints import hub

    if hub.is_here(hub.parse_repository(source)):
        return retold(here_already(source))
    check_room_for(source)
    yield from fetched(source, folder)
    return retold(here_now(source))


def check_room_for(source: str) -> None:
    """Looks whether the disk has room for a model, where its size is known.

    Raises:
        UserError: it has not.
    """
    from cocadesk.model.checkpoints import cache_files, hub
    from cocadesk.model.offers import bytes_to_prepare, offered

    offer = offered(source)
    if offer is not None:
        missing = max(0, offer.size_bytes - hub.fetched_bytes(hub.parse_repository(source)))
        prepared = bytes_to_prepare(source, offer.size_bytes)
        cache_files.check_room(name_of(source), missing, prepared)


def here_already(source: str) -> str:
    """The sentence for a model that need not be fetched, kept in English."""
    return kept("{model} is on this computer already.", model=kept_name_of(source))


def here_now(source: str) -> str:
    """The sentence at the end of a fetching, kept in English."""
    return kept("{model} is on this computer now.", model=kept_name_of(source))


def fetched_where_absent(source: str) -> Generator[JobStep, None, None]:
    """As ``fetched``; no step where the files are here."""
    from cocadesk.model.checkpoints import hub

    if not hub.is_here(hub.parse_repository(source)):
        yield from fetched(source)


def fetched(source: str, folder: WirePath | None = None) -> Generator[JobStep, None, None]:
    """Steps until a model is here; it goes on where it was left.

    Raises:
        UserError: it can't be fetched.
    """
    stage = retold(kept("Fetching {model}", model=kept_name_of(source)))
    speed = _Speed()
    child = FetchChild(source, None if folder is None else Path(folder.to_str()))
    try:
        while not child.has_ended(STEP_S):
            left = speed.seconds_left(child.done, child.total or None)
            is_left_alone = child.wait_s > 0
            now = asked_to_wait(child.wait_s) if is_left_alone else stage
            yield _step(now, child.done, child.total, None if is_left_alone else left)
        yield _step(stage, child.total, child.total, None)  # its last words may say less
    finally:
        child.close()


def asked_to_wait(seconds: float) -> str:
    """The stage of a fetching that the hub has asked to wait."""
    from cocadesk.model.checkpoints.hub_waits import duration

    return tr("The hub is busy: it is asked again in {time}", time=duration(seconds))


def _step(stage: str, done: int, total: int, seconds_left: float | None) -> JobStep:
    return JobStep(
        stage=stage, done=done, total=total or None, is_bytes=True, seconds_left=seconds_left
    )


def ids_where_converted(source: str) -> tuple[str, str] | None:
    """Model id and image id of a model of the hub that was used before; else None."""
    from cocadesk.model.checkpoints import converted, hub

    if not hub.is_of_hub(source):
        return None
    ids = converted.ids_of(hub.parse_repository(source).folder)
    return None if ids is None else (ids.model_id, ids.image_id)


def offers_now(
    models: Sequence[ModelEntry], open_job: Callable[[str], str] = lambda _source: ""
) -> tuple[ModelOffer, ...]:
    """The models that are offered; ``open_job`` gives the job that fetches a source."""
    from cocadesk.model.offers import OFFERED

    sizes = {model.source: model.size_bytes for model in models}
    return tuple(
        _offer(offer, sizes.get(offer.source, 0), open_job(offer.source)) for offer in OFFERED
    )


def _offer(offer: OfferedModel, known_bytes: int, job_id: str) -> ModelOffer:
    from cocadesk.model.checkpoints import converted, hub
    from cocadesk.model.offers import bytes_to_prepare

    if not hub.is_of_hub(offer.source):
        name = retold(offer.name)
        return to_value(offer, ModelOffer, name=name, is_here=True, size_bytes=known_bytes)
    repository = hub.parse_repository(offer.source)
    is_here = hub.is_here(repository)
    fetched_bytes = 0 if is_here else min(hub.fetched_bytes(repository), offer.size_bytes)
    to_fetch = 0 if is_here else offer.size_bytes - fetched_bytes
    is_ready = converted.is_kept_of(repository.folder)
    to_prepare = 0 if is_ready else bytes_to_prepare(offer.source, offer.size_bytes)
    return to_value(
        offer,
        ModelOffer,
        name=retold(offer.name),
        is_here=is_here,
        fetched_bytes=fetched_bytes,
        needs_bytes=to_fetch + to_prepare,
        job_id=job_id,
    )


class _Speed:
    """The time left by the speed of the last seconds: a network has no lasting one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._points: deque[tuple[float, int]] = deque()

    def seconds_left(self, done: int, total: int | None) -> float | None:
        """For ``total`` bytes of which ``done`` are here; None while nothing can be said."""
        if total is None:  # the hub has not said yet what there is
            return None
        now_s = self._clock()
        self._points.append((now_s, done))
        while len(self._points) > 2 and now_s - self._points[0][0] > SPEED_OF_LAST_S:
            self._points.popleft()
        first_s, first = self._points[0]
        if done <= first:
            return None
        return (now_s - first_s) / (done - first) * max(0, total - done)


def name_of(source: str) -> str:
    """A model's name in a sentence."""
    return retold(kept_name_of(source))


def kept_name_of(source: str) -> str:
    """The same in English, for the title of a job."""
    from cocadesk.model.offers import offered

    offer = offered(source)
    return offer.name if offer else source
