"""Models of the hub that are fetched as jobs, counted in bytes, and removed again."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cocadesk.engine.conversions import to_value
from cocadesk.engine.fetch_child import FetchChild
from cocadesk.engine.handlers import EngineContext
from cocadesk.engine.job_steps import JobOutcome, JobStep, Steps
from cocadesk.errors import UserError, tr
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobKind, JobValue, ModelEntry, ModelOffer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from cocadesk.model.offers import OfferedModel

STEP_S = 0.3
SPEED_OF_LAST_S = 20.0


class FetchSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The order to fetch a model; ``folder`` may hold its files."""

    source: str
    folder: WirePath | None = None


class ModelFetcher:
    """Orders, does and finds the jobs that fetch models."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context

    def order(self, source: str, folder: WirePath | None) -> JobValue:
        """The job that fetches a model; done already where its files are here.

        Raises:
            UserError: the source is none of the hub, or there is no room for it.
        """
        from cocadesk.model.checkpoints import hub

        repository = hub.parse_repository(source)
        name = name_of(source)
        title = tr("Fetching {name}", name=name)
        spec = msgspec.json.encode(FetchSpec(source=source, folder=folder)).decode()
        jobs = self._context.jobs()
        if hub.snapshot_of(repository.folder, repository.revision) is not None:
            outcome = JobOutcome(message=tr("{name} is on this computer already.", name=name))
            return jobs.record(JobKind.FETCH_MODEL, title, spec, outcome)
        return jobs.add(JobKind.FETCH_MODEL, title, spec)

    def steps(self, spec: str) -> Steps:
        """The fetching of a spec; see ``cocadesk.engine.job_steps.JobFactory``."""
        order = msgspec.json.decode(spec, type=FetchSpec)
        yield from fetched(order.source, order.folder)
        name = name_of(order.source)
        return JobOutcome(message=tr("{name} is on this computer now.", name=name))

    def offers(self, models: Sequence[ModelEntry]) -> tuple[ModelOffer, ...]:
        """The models that are offered, with what is here of each; ``models`` are on the disk."""
        from cocadesk.model.offers import OFFERED

        sizes = {model.source: model.size_bytes for model in models}
        return tuple(self._offer(offer, sizes.get(offer.source, 0)) for offer in OFFERED)

    def _offer(self, offer: OfferedModel, known_bytes: int) -> ModelOffer:
        from cocadesk.model.checkpoints import hub

        if not hub.is_of_hub(offer.source):
            return to_value(offer, ModelOffer, is_here=True, size_bytes=known_bytes)
        repository = hub.parse_repository(offer.source)
        is_here = hub.snapshot_of(repository.folder, repository.revision) is not None
        fetched = min(hub.fetched_bytes(repository), offer.size_bytes)
        return to_value(
            offer,
            ModelOffer,
            is_here=is_here,
            fetched_bytes=0 if is_here else fetched,
            needs_bytes=offer.size_bytes * (1 if is_here else 2) - (0 if is_here else fetched),
            job_id=self.open_job(offer.source),
        )

    def open_job(self, source: str) -> str:
        """The id of the job that fetches this model now, or waits or is paused; else empty."""
        from cocadesk.model.checkpoints import hub

        jobs = self._context.jobs()
        for job in jobs.all():
            if job.kind is JobKind.FETCH_MODEL and not job.state.is_final:
                spec = msgspec.json.decode(jobs.spec(job.id), type=FetchSpec)
                if hub.same_model(spec.source, source):
                    return job.id
        return ""

    def remove(self, source: str) -> int:
        """Removes a model's files; gives the bytes that they had.

        Raises:
            UserError: it is none of the hub's, or it is needed.
        """
        from cocadesk.model.checkpoints import hub

        if not hub.is_of_hub(source):
            raise UserError(
                tr("{source} can't be removed.", source=source),
                tr("Only models that were fetched from the hub are."),
            )
        used = self._context.model.value().source
        if hub.same_model(source, used) or self.open_job(source):
            raise UserError(
                tr("{source} can't be removed.", source=source),
                tr("It is in use."),
                tr("Use another model first, or stop the job that fetches it."),
            )
        return hub.remove(hub.parse_repository(source))


def fetched(source: str, folder: WirePath | None = None) -> Generator[JobStep, None, None]:
    """Steps until a model is here; it goes on where it was left.

    Raises:
        UserError: it can't be fetched.
    """
    stage = tr("Fetching {name}", name=name_of(source))
    speed = _Speed()
    child = FetchChild(source, None if folder is None else Path(os.fsdecode(folder.to_bytes())))
    try:
        while not child.has_ended(STEP_S):
            yield JobStep(
                stage=stage,
                done=child.done,
                total=child.total or None,
                is_bytes=True,
                seconds_left=speed.seconds_left(child.done, child.total or None),
            )
    finally:
        child.close()


class _Speed:
    """The time left by the speed of the last seconds: a network has no lasting one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._points: deque[tuple[float, int]] = deque()

    def seconds_left(self, done: int, total: int | None) -> float | None:
        """For ``total`` bytes of which ``done`` are here; None while nothing can be said."""
        now_s = self._clock()
        self._points.append((now_s, done))
        while len(self._points) > 2 and now_s - self._points[0][0] > SPEED_OF_LAST_S:
            self._points.popleft()
        first_s, first = self._points[0]
        if total is None or done <= first:
            return None
        return (now_s - first_s) / (done - first) * max(0, total - done)


def name_of(source: str) -> str:
    """A model's name in a sentence."""
    from cocadesk.model.offers import offered

    offer = offered(source)
    return offer.name if offer else source
