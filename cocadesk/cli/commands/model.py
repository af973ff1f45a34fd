"""``cocadesk model``: the models of this machine, and the one that answers."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cocadesk.cli.errors import OK, SOME_FAILED
from cocadesk.cli.options import Options, command
from cocadesk.cli.parser import App
from cocadesk.cli.report import Report, duration, failed_fields, percent, size
from cocadesk.errors import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cocadesk.protocol.values import ModelEntry, ModelOffer


class Purpose(StrEnum):
    """What a model shall do; as ``cocadesk.protocol.values.ModelPurpose``, which is slow."""

    SEARCH = "search"
    CAPTIONS = "captions"
    BOTH = "both"


app = App(help=tr("List the models, fetch and remove them, and choose the one in use."))
SourceArgument = Annotated[
    str, typer.Argument(metavar=tr("SOURCE"), help=tr("open_clip:NAME/TAG or hf-hub:ORG/NAME."))
]


@app.command("list")
@command(takes_model=False)
def list_models(options: Options, report: Report) -> int:
    """List the models that this machine has."""
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import ListModels, Models

    without_model = Options(library=options.library, as_json=options.as_json)
    with open_engine(without_model, report, Access.OPTIONAL) as engine:
        found = engine.ask(ListModels(), Models)
    report.document(
        {
            "models": [_fields(entry) for entry in found.models],
            "offers": [_offer_fields(offer) for offer in found.offers],
        }
    )
    width = max(len(entry.source) for entry in found.models)
    for entry in found.models:
        facts = [
            entry.model_id or entry.name,
            size(entry.size_bytes) if entry.size_bytes else "",
            tr("has read {share} of the library", share=percent(entry.coverage))
            if entry.image_id
            else "",
            tr("writes the captions") if entry.is_used_for_captions and not entry.is_used else "",
            _time_needed(entry),
            entry.note,
        ]
        mark = "*" if entry.is_used else " "
        report.line(f"{mark} {entry.source:<{width}}  {', '.join(filter(None, facts))}")
    report.line(tr("* is in use. To use another: cocadesk model use SOURCE"))
    _show_offers([offer for offer in found.offers if not offer.is_here], report)
    return OK


def _show_offers(offers: Sequence[ModelOffer], report: Report) -> None:
    """The models that may be fetched, with what each is good for."""
    if offers:
        report.line("")
        report.line(tr("To fetch one of these: cocadesk model get SOURCE"))
    for offer in offers:
        facts = [f"{offer.title}: {offer.name}", size(offer.size_bytes), _time_needed(offer)]
        if offer.job_id:
            facts.append(tr("is being fetched"))
        elif offer.fetched_bytes:
            facts.append(tr("{size} are here already", size=size(offer.fetched_bytes)))
        report.line(f"  {offer.source}")
        report.line(f"    {', '.join(filter(None, facts))}")
        report.line(f"    {offer.good_for}")
        for figure in offer.recall if offer.is_for_search else ():
            recall = tr(
                "finds a caption's photo first: {at_1}, among the first five {at_5} ({data})",
                at_1=percent(figure.at_1, 1),
                at_5=percent(figure.at_5, 1),
                data=figure.data,
            )
            report.line(f"    {recall}")


def _time_needed(model: ModelEntry | ModelOffer) -> str:
    """The time for this library; empty where it was not measured."""
    if not model.seconds_for_library:
        return ""
    return tr("about {duration} for this library", duration=duration(model.seconds_for_library))


@app.command("get")
@command(takes_model=False)
def get(
    options: Options,
    report: Report,
    source: SourceArgument,
    folder: Annotated[
        str,
        typer.Option(
            "--from",
            metavar=tr("DIR"),
            help=tr("Copy it from this folder, a hub's cache of another computer; no network."),
        ),
    ] = "",
) -> int:
    """Fetch a model from the hub; Ctrl-C stops, and the next time it goes on where it was."""
    from cocadesk.cli.options import existing_folders
    from cocadesk.cli.session import do_job, do_steps, started_engine
    from cocadesk.engine.local import is_library
    from cocadesk.engine.model_fetching import fetched_without_library
    from cocadesk.protocol.messages import FetchModel

    started_s = time.monotonic()
    place = existing_folders([folder])[0] if folder else None
    if is_library(options.library):
        with started_engine(Options(library=options.library)) as engine:
            end = do_job(engine, FetchModel(source=source, folder=place), report)
        message = end.job.message
    else:
        message = do_steps(fetched_without_library(source, place), report)
    seconds = round(time.monotonic() - started_s, 3)
    report.document({"source": source, "message": message, "seconds": seconds})
    report.line(message)
    report.line(tr("To use it: cocadesk model use {source}", source=source))
    return OK


@app.command("remove")
@command(takes_model=False)
def remove(options: Options, report: Report, source: SourceArgument) -> int:
    """Remove a model that CocaDesk fetched, all its versions; not one that a library uses."""
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import ModelRemoved, RemoveModel

    with open_engine(Options(library=options.library), report, Access.OPTIONAL) as engine:
        freed = engine.ask(RemoveModel(source=source), ModelRemoved).freed_bytes
    report.document({"source": source, "freed_bytes": freed})
    report.line(tr("{source} is removed: {size} are free.", source=source, size=size(freed)))
    return OK


@app.command("use")
@command(takes_model=False)
def use(
    options: Options,
    report: Report,
    source: Annotated[
        str,
        typer.Argument(
            metavar=tr("SOURCE"),
            help=tr("starter, run:ID, a folder or file, open_clip:NAME/TAG or hf-hub:ORG/NAME."),
        ),
    ],
    purpose: Annotated[
        Purpose | None,
        typer.Option(
            "--for",
            help=tr("Use it for search, for captions, or for both; else for all that it can do."),
            show_default=False,
        ),
    ] = None,
) -> int:
    """Use another model; it first reads what it has not read yet, while the old one answers.

    One model may search while another writes captions: --for says what this one shall do.
    """
    from cocadesk.cli.session import follow, started_engine
    from cocadesk.locations import durable_source
    from cocadesk.protocol.messages import FetchModel, GetInfo, Info, JobReply, UseModel
    from cocadesk.protocol.values import IndexReport, ModelPurpose

    started_s = time.monotonic()
    with started_engine(Options(library=options.library)) as engine:
        wanted = None if purpose is None else ModelPurpose(purpose.value)
        body = UseModel(source=durable_source(source), purpose=wanted)
        job = engine.ask(body, JobReply).job
        if job.waits_for and _is_absent(body.source):
            # The job that fetches it already, for which the switch waits.
            fetching = engine.ask(FetchModel(source=body.source), JobReply).job
            if not fetching.state.is_final:
                follow(engine, fetching, report)
        end = follow(engine, job, report)
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


def _is_absent(source: str) -> bool:
    """True for a model of the hub that is not on this machine."""
    from cocadesk.model.checkpoints import hub

    return hub.is_of_hub(source) and not hub.is_here(hub.parse_repository(source))


@app.command("export")
@command(takes_model=False)
def export(
    options: Options,
    report: Report,
    source: Annotated[
        str,
        typer.Argument(
            metavar=tr("SOURCE"),
            help=tr(
                "A CoCa model that came from open_clip, taught or not: run:ID, a folder or file."
            ),
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar=tr("FOLDER"), help=tr("A new folder for it."))],
) -> int:
    """Write a model as open_clip reads it: its weights and open_clip_config.json."""
    from cocadesk.model.checkpoints.exported import export_open_clip
    from cocadesk.model.source import find_checkpoint, resolve_source
    from cocadesk.protocol.paths import WirePath

    checkpoint = find_checkpoint(resolve_source(source, options.library / "runs"))
    written = export_open_clip(checkpoint, folder.expanduser().absolute())
    report.document({"folder": str(written), "model": checkpoint.ids().model_id})
    report.line(
        tr(
            "{source} is in {folder} now, for open_clip: local-dir:FOLDER",
            source=source,
            folder=WirePath.of(written).text,
        )
    )
    return OK


def _offer_fields(offer: ModelOffer) -> dict[str, Any]:
    return {
        "source": offer.source,
        "name": offer.name,
        "title": offer.title,
        "good_for": offer.good_for,
        "size_bytes": offer.size_bytes,
        "needs_bytes": offer.needs_bytes,
        "here": offer.is_here,
        "fetched_bytes": offer.fetched_bytes,
        "search": offer.is_for_search,
        "captions": offer.is_for_captions,
        "recall": [
            {"data": one.data, "t2i_r1": one.at_1, "t2i_r5": one.at_5, "ours": one.is_ours}
            for one in offer.recall
        ],
        "photos_per_second": offer.photos_per_second,
        "seconds_for_library": offer.seconds_for_library,
    }


def _fields(entry: ModelEntry) -> dict[str, Any]:
    return {
        "source": entry.source,
        "name": entry.name,
        "model": entry.model_id,
        "image_id": entry.image_id,
        "used": entry.is_used,
        "used_for_captions": entry.is_used_for_captions,
        "coverage": round(entry.coverage, 4),
        "size_bytes": entry.size_bytes,
        "note": entry.note,
        "search": entry.is_for_search,
        "seconds_for_library": entry.seconds_for_library,
    }
