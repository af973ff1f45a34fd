"""``cocadesk info``: what the library holds and which model answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cocadesk.cli import session
from cocadesk.cli.guard import OK
from cocadesk.cli.options import Options
from cocadesk.cli.report import Report
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.model.backend import ModelInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryInfo:
    """The fields of the document, in its order."""

    media: int
    photos: int
    videos: int
    views: int
    missing: int
    offline: int
    failed: int
    model: str
    schema: str
    device: str
    precision: str
    reason: str
    model_source: str


def info(options: Options, report: Report) -> int:
    """Prints the counts of the library and the model in use."""
    facts = _from_engine(options) or _read(options)
    document = {**asdict(facts), "library": str(options.library)}
    report.document(document) if report.as_json else _show(report, document)
    return OK


def _from_engine(options: Options) -> LibraryInfo | None:
    from cocadesk.protocol.messages import GetInfo, Info
    from cocadesk.protocol.values import ModelState

    client = session.running_engine(options)
    if client is None:
        return None
    with client:
        answer = client.ask(GetInfo(), Info)
    if answer.model.state is not ModelState.READY:
        return None
    counts = answer.counts
    return LibraryInfo(
        media=counts.media,
        photos=counts.photos,
        videos=counts.videos,
        views=counts.views,
        missing=counts.missing,
        offline=counts.offline,
        failed=counts.failed,
        model=answer.model.model_id,
        schema=answer.schema,
        device=answer.model.device,
        precision=answer.model.precision,
        reason=answer.model.reason,
        model_source=answer.model.source,
    )


def _read(options: Options) -> LibraryInfo:
    with session.reading_library(options) as library:
        counts = library.counts(library.model)
        facts, why = _model(options)
        return LibraryInfo(
            media=counts.media,
            photos=counts.photos,
            videos=counts.videos,
            views=counts.views,
            missing=counts.missing,
            offline=counts.offline,
            failed=counts.failed,
            model=facts.model_id if facts else library.model or "",
            schema=str(library.schema_version),
            device=facts.device if facts else "",
            precision=facts.precision if facts else "",
            reason=facts.reason if facts else why,
            model_source=session.chosen_source(options),
        )


def _model(options: Options) -> tuple[ModelInfo | None, str]:
    """The model, or why it cannot be opened."""
    try:
        with session.open_model(options) as backend:
            return backend.info(), ""
    except UserError as error:
        return None, str(error)


def _show(report: Report, document: dict[str, object]) -> None:
    width = max(len(name) for name in document)
    for name, value in document.items():
        report.line(f"{name:<{width}}  {value}")
