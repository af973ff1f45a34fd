"""The orders to let another model answer, as their jobs keep them."""

from __future__ import annotations

import msgspec

from cocadesk.engine.scheduler import Scheduler
from cocadesk.protocol.values import JobKind, ModelPurpose


class ModelSwitchSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The model that shall answer; ``update`` is the image id of a starter that does already.

    ``purpose``: see ``UseModel``. ``captions_before`` was the source of captions when this was
    ordered: one that was chosen since stays.
    """

    source: str
    update: str = ""
    purpose: ModelPurpose | None = None
    captions_before: str | None = None

    @property
    def is_for_captions_alone(self) -> bool:
        """True where searches are answered as before."""
        return self.purpose is ModelPurpose.CAPTIONS

    def encoded(self) -> str:
        """The order as a job keeps it."""
        return msgspec.json.encode(self).decode()


def switch_spec(spec: str) -> ModelSwitchSpec:
    """The order that ``encoded`` gave."""
    return msgspec.json.decode(spec, type=ModelSwitchSpec)


def switch_source(spec: str) -> str:
    """The model that a switch's order asks for."""
    return switch_spec(spec).source


def awaited_sources(jobs: Scheduler) -> set[str]:
    """The models that are to search after the switches that wait or run."""
    return {
        switch_source(jobs.spec(job.id))
        for job in jobs.all()
        if job.kind is JobKind.SWITCH_MODEL and not job.state.is_final
        if not switch_spec(jobs.spec(job.id)).is_for_captions_alone
    }
