"""The orders to let another model answer, as their jobs keep them."""

from __future__ import annotations

import msgspec

from cocadesk.engine.scheduler import Scheduler
from cocadesk.protocol.values import JobKind


class ModelSwitchSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The model that shall answer; ``update`` is the image id of a starter that does already."""

    source: str
    update: str = ""


def switch_source(spec: str) -> str:
    """The model that a switch's order asks for."""
    return msgspec.json.decode(spec, type=ModelSwitchSpec).source


def awaited_sources(jobs: Scheduler) -> set[str]:
    """The models to which switches lead that wait or run."""
    return {
        switch_source(jobs.spec(job.id))
        for job in jobs.all()
        if job.kind is JobKind.SWITCH_MODEL and not job.state.is_final
    }
