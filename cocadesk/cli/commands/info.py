"""``cocadesk info``: what the library holds and which model answers."""

from __future__ import annotations

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import Choices, JsonOption, LibraryOption, ModelOption, Options, run
from cocadesk.cli.report import Report
from cocadesk.cli.session import open_engine
from cocadesk.protocol.messages import GetInfo, Info


def info(
    context: typer.Context,
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what the library holds and which model is in use."""
    run(context, Choices(library=library, model=model, as_json=as_json), _info)


def _info(options: Options, report: Report) -> int:
    with open_engine(options, report) as engine:
        answer = engine.ask(GetInfo(waits=True), Info)
    counts, model = answer.counts, answer.model
    document = {
        "media": counts.media,
        "photos": counts.photos,
        "videos": counts.videos,
        "views": counts.views,
        "missing": counts.missing,
        "offline": counts.offline,
        "failed": counts.failed,
        "model": model.model_id or model.image_id,
        "schema": answer.schema,
        "device": model.device,
        "precision": model.precision,
        "reason": model.reason,
        "model_source": model.source,
        "library": str(options.library),
    }
    if report.as_json:
        report.document(document)
    width = max(len(name) for name in document)
    for name, value in document.items():
        report.line(f"{name:<{width}}  {value}")
    return OK
