"""``cocadesk model``: which models there are, and which one answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cocadesk.cli import session
from cocadesk.cli.following import follow
from cocadesk.cli.guard import OK, SOME_FAILED
from cocadesk.cli.options import Options
from cocadesk.cli.report import Failed, Report, failed_fields

if TYPE_CHECKING:
    from cocadesk.protocol.values import ModelEntry


def list_models(options: Options, report: Report) -> int:
    """Prints the models that this machine has, the one in use marked."""
    entries = _entries(options)
    if report.as_json:
        report.document({"models": [_fields(entry) for entry in entries]})
        return OK
    width = max(len(entry.source) for entry in entries)
    for entry in entries:
        facts = [
            entry.model_id or entry.name,
            f"{entry.size_bytes / 1e6:.0f} MB" if entry.size_bytes else "",
            f"covers {entry.coverage:.0%}" if entry.image_id else "",
            entry.note,
        ]
        mark = "*" if entry.is_used else " "
        report.line(f"{mark} {entry.source:<{width}}  {', '.join(filter(None, facts))}")
    report.line("* answers now. Change it: cocadesk model use SOURCE")
    return OK


def use_model(options: Options, report: Report, source: str) -> int:
    """Lets another model answer; where its vectors are missing, after they are made.

    Raises:
        UserError: there is no such model.
    """
    from cocadesk.model.in_use import durable_source
    from cocadesk.protocol.messages import GetInfo, Info, JobReply, UseModel
    from cocadesk.protocol.values import IndexReport, JobAction

    started_s = time.monotonic()
    with session.engine(Options(library=options.library, as_json=options.as_json)) as engine:
        job = engine.ask(UseModel(source=durable_source(source)), JobReply).job
        end = follow(engine, job, report, on_interrupt=JobAction.CANCEL)
        model = engine.ask(GetInfo(), Info).model
    done = end.report if isinstance(end.report, IndexReport) else None
    failed = [Failed(path=f.path.to_bytes(), reason=f.reason) for f in done.failed] if done else []
    if report.as_json:
        report.document(
            {
                "model": model.model_id,
                "source": model.source,
                "filled": done.indexed if done else 0,
                "failed": failed_fields(failed),
                "seconds": round(time.monotonic() - started_s, 3),
            }
        )
    else:
        report.line(end.job.message)
    report.failures(failed)
    return SOME_FAILED if failed else OK


def _entries(options: Options) -> tuple[ModelEntry, ...]:
    """From the library's engine; without a library, what the machine has."""
    from cocadesk.library.manifest import read_manifest
    from cocadesk.protocol.messages import ListModels, Models

    if read_manifest(options.library) is not None:
        with session.engine(Options(library=options.library)) as engine:
            return engine.ask(ListModels(), Models).models
    from cocadesk.locations import STARTER
    from cocadesk.model.source import known_models
    from cocadesk.protocol.values import ModelEntry

    return tuple(
        ModelEntry(
            source=known.source,
            name=known.name,
            size_bytes=known.size_bytes,
            note=known.note,
            is_used=known.source == STARTER,
        )
        for known in known_models()
    )


def _fields(entry: ModelEntry) -> dict[str, Any]:
    return {
        "source": entry.source,
        "name": entry.name,
        "model": entry.model_id,
        "image_id": entry.image_id,
        "used": entry.is_used,
        "coverage": round(entry.coverage, 4),
        "size_bytes": entry.size_bytes,
        "note": entry.note,
    }
