"""``cocadesk info``: what the library holds and which model answers."""

from __future__ import annotations

from cocadesk.cli.errors import OK
from cocadesk.cli.options import Options, command
from cocadesk.cli.report import Report


@command()
def info(options: Options, report: Report) -> int:
    """Say what the library holds and which model is in use."""
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import GetInfo, Info

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
