"""``cocadesk model``: the models of this machine, and the one that answers."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cocadesk.cli.errors import OK, SOME_FAILED
from cocadesk.cli.options import Options, command
from cocadesk.cli.report import Report, failed_fields

if TYPE_CHECKING:
    from cocadesk.protocol.values import ModelEntry


class Purpose(StrEnum):
    """What a model shall do; as ``cocadesk.protocol.values.ModelPurpose``, which is slow."""

    SEARCH = "search"
    CAPTIONS = "captions"
    BOTH = "both"


app = typer.Typer(help="List the models, and choose the one in use.")


@app.command("list")
@command(takes_model=False)
def list_models(options: Options, report: Report) -> int:
    """List the models that this machine has."""
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import ListModels, Models

    without_model = Options(library=options.library, as_json=options.as_json)
    with open_engine(without_model, report, Access.OPTIONAL) as engine:
        entries = engine.ask(ListModels(), Models).models
    report.document({"models": [_fields(entry) for entry in entries]})
    width = max(len(entry.source) for entry in entries)
    for entry in entries:
        facts = [
            entry.model_id or entry.name,
            f"{entry.size_bytes / 1e6:.0f} MB" if entry.size_bytes else "",
            f"has read {entry.coverage:.0%} of the library" if entry.image_id else "",
            entry.note,
        ]
        mark = "*" if entry.is_used else " "
        report.line(f"{mark} {entry.source:<{width}}  {', '.join(filter(None, facts))}")
    report.line("* is in use. To use another: cocadesk model use SOURCE")
    return OK


@app.command("use")
@command(takes_model=False)
def use(
    options: Options,
    report: Report,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="starter, run:ID, a folder or file, open_clip:NAME/TAG or hf-hub:ORG/NAME.",
        ),
    ],
    purpose: Annotated[
        Purpose | None,
        typer.Option(
            "--for",
            help="Use it for search, for captions, or for both; else for all that it can do.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Use another model; it first reads what it has not read yet, while the old one answers.

    One model may search while another writes captions: --for says what this one shall do.
    """
    from cocadesk.cli.session import do_job, started_engine
    from cocadesk.locations import durable_source
    from cocadesk.protocol.messages import GetInfo, Info, UseModel
    from cocadesk.protocol.values import IndexReport, ModelPurpose

    started_s = time.monotonic()
    with started_engine(Options(library=options.library)) as engine:
        wanted = None if purpose is None else ModelPurpose(purpose.value)
        body = UseModel(source=durable_source(source), purpose=wanted)
        end = do_job(engine, body, report)
        model = engine.ask(GetInfo(), Info).model
    done = end.report if isinstance(end.report, IndexReport) else IndexReport()
    report.document(
        {
            "model": model.model_id,
            "source": model.source,
            "caption_source": model.captions.source if model.captions else model.source,
            "filled": done.indexed,
            "failed": failed_fields(done.failed),
            "seconds": round(time.monotonic() - started_s, 3),
        }
    )
    report.line(end.job.message)
    report.failures(done.failed)
    return SOME_FAILED if done.failed else OK


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
