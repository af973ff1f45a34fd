"""``cocadesk search``: the photos and videos that fit a description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cocadesk.cli import session
from cocadesk.cli.guard import OK
from cocadesk.cli.options import Options
from cocadesk.cli.report import Report, clock, path_fields, shown
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.protocol.client import EngineClient


_ROWS_AT_A_TIME = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One photo that fits, or a video with the time in seconds that fits best.

    ``moments`` are the times of a video and their scores, the best first.
    """

    path: bytes
    score: float
    caption: str | None
    time_s: float | None
    moments: tuple[tuple[float, float], ...] = ()


def search(options: Options, report: Report, query: str, limit: int) -> int:
    """Prints the best ``limit`` results for the query."""
    text = query.encode("utf-8", "replace").decode().strip()
    if not text:
        raise UserError("There is nothing to search for.", "The query is empty.", "Give words.")
    engine = session.running_engine(options)
    results = _ask(engine, text, limit) if engine else _search(options, text, limit)
    if report.as_json:
        report.document({"results": [_fields(result) for result in results]})
    else:
        _show(report, results)
    return OK


def _ask(engine: EngineClient, text: str, limit: int) -> list[Result]:
    """Lets the running engine search; rows are fetched for their paths and captions."""
    from cocadesk.protocol.messages import GetRows, Hits, Rows, Search

    with engine:
        hits = engine.ask(Search(text=text, limit=limit), Hits).hits
        keys = [hit.key for hit in hits]
        pieces = [
            engine.ask(GetRows(keys=tuple(keys[start : start + _ROWS_AT_A_TIME])), Rows).rows
            for start in range(0, len(keys), _ROWS_AT_A_TIME)
        ]
    by_key = {row.key: row for piece in pieces for row in piece}
    return [
        Result(
            path=by_key[hit.key].path.to_bytes(),
            score=hit.score,
            caption=by_key[hit.key].caption,
            time_s=hit.time_s,
            moments=tuple((moment.time_s, moment.score) for moment in hit.moments),
        )
        for hit in hits
        if hit.key in by_key
    ]


def _search(options: Options, text: str, limit: int) -> list[Result]:
    """Searches here; an up-to-date snapshot spares the import of LanceDB."""
    from cocadesk.search import open_searcher

    session.check_library(options)
    with (
        session.open_model(options) as backend,
        open_searcher(options.library, backend) as searcher,
    ):
        hits = searcher.search(text, limit=limit)
    return [
        Result(
            path=hit.path,
            score=hit.score,
            caption=hit.caption,
            time_s=hit.time_s,
            moments=tuple((moment.time_s, moment.score) for moment in hit.moments),
        )
        for hit in hits
    ]


def _fields(result: Result) -> dict[str, Any]:
    return {
        **path_fields(result.path),
        "score": round(result.score, 6),
        "caption": result.caption,
        "time": result.time_s,
        "moments": [{"time": time_s, "score": round(score, 6)} for time_s, score in result.moments],
    }


def _show(report: Report, results: list[Result]) -> None:
    if not results:
        report.line("Nothing in the library fits.")
    for result in results:
        moment = "" if result.time_s is None else f" at {clock(result.time_s)}"
        words = f"  {result.caption}" if result.caption else ""
        report.line(f"{result.score:6.3f}  {shown(result.path)}{moment}{words}")
