"""The engine's work: wires the rooms and answers requests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from cocadesk.engine.annotations import AnnotationHandler
from cocadesk.engine.conversions import to_facts, to_hits, to_moments, to_row
from cocadesk.engine.handlers import Answer, EngineContext, RequestHandler
from cocadesk.engine.index_job import IndexJobs
from cocadesk.engine.loaded_model import ModelHolder
from cocadesk.engine.media_details import MediaDetails
from cocadesk.engine.model_switch import ModelSwitcher
from cocadesk.engine.models import ModelHandler
from cocadesk.engine.scheduler import Scheduler
from cocadesk.engine.teaching.requests import TeachingHandler
from cocadesk.errors import UserError
from cocadesk.library import Library
from cocadesk.protocol.calls import Call, Identity, JobWatchers
from cocadesk.protocol.messages import (
    ControlJob,
    Describe,
    Detail,
    Failures,
    GetDetail,
    GetInfo,
    GetMoments,
    GetPreview,
    GetRows,
    Hits,
    Info,
    JobChanged,
    JobReply,
    Jobs,
    Keys,
    ListFailures,
    ListJobs,
    ListNewest,
    ListRoots,
    ModelChanged,
    ReplyBody,
    RequestBody,
    Roots,
    Rows,
    RowsChanged,
    Search,
    Similar,
    StartIndex,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.server import LINGER_S, EngineServer
from cocadesk.protocol.values import (
    CountsValue,
    FailureValue,
    JobKind,
    JobValue,
    ModelValue,
    RootValue,
)
from cocadesk.search import newest_keys, parse_filter, split_query

if TYPE_CHECKING:
    from cocadesk.model.backend import Backend


class Engine:
    """Wires library, model, jobs and server; answers requests from them."""

    def __init__(
        self,
        library: Library,
        open_source: Callable[[str], Backend],
        source: str,
        *,
        linger_s: float = LINGER_S,
        trainer: str = "trainer",
    ) -> None:
        self._library = library
        self.server = EngineServer(self, library.folder, linger_s=linger_s)
        self._model = ModelHolder(
            library,
            open_source,
            source,
            cache=_text_cache(),
            on_change=self._on_model,
        )
        self._words = MediaDetails(library, self._model, on_change=self._on_rows)
        self._index = IndexJobs(library, self._model, on_commit=self._on_commit)
        self._watchers = JobWatchers()
        parts = EngineContext(
            library=library,
            model=self._model,
            jobs=lambda: self._jobs,
            publish=self.server.publish,
            trainer=trainer,
        )
        self._job_listeners = parts.job_listeners
        self._handlers = _create_handlers(parts)
        works = {JobKind.INDEX: self._index.steps}
        for handler in self._handlers:
            works.update(handler.works())
        self._jobs = Scheduler(
            library.jobs,
            works,
            on_change=self._on_job,
            wait_until_quiet=self.server.wait_until_quiet,
        )
        self._newest: list[str] | None = None
        self._answers: dict[type[Any], Answer] = {
            Search: self._search,
            Similar: self._similar,
            ListNewest: self._list_newest,
            GetRows: self._get_rows,
            GetDetail: self._get_detail,
            Describe: self._describe,
            GetPreview: self._get_preview,
            GetMoments: self._get_moments,
            StartIndex: self._start_index,
            ListJobs: self._list_jobs,
            ControlJob: self._control_job,
            WatchJob: self._watch_job,
            ListFailures: self._list_failures,
            ListRoots: self._list_roots,
            GetInfo: self._get_info,
        }
        for handler in self._handlers:
            self._answers.update(handler.answers())

    def run(self) -> None:
        """Serves until the server ends, then stops jobs after the step in hand."""
        self._model.start()
        self._jobs.start()
        try:
            self.server.run()
        finally:
            self._jobs.close()
            for handler in self._handlers:
                handler.close()
            self._words.close()
            self._model.close()

    def identity(self) -> Identity:
        return Identity(library_id=self._library.id, schema=str(self._library.schema_version))

    def is_busy(self) -> bool:
        return self._jobs.is_busy()

    def answer(self, body: RequestBody, call: Call) -> ReplyBody | None:
        """Answers any request; see ``Handler``."""
        try:
            answer = self._answers[type(body)]
        except KeyError:
            raise UserError(
                "This engine does not know that request.", type(body).__name__
            ) from None
        return answer(body, call)

    # Looking ------------------------------------------------------------------------

    def _search(self, body: Search, call: Call) -> Hits:
        searcher = self._model.searcher()
        call.check()
        words, terms = split_query(body.text)
        found = searcher.search(words, body.limit + 1, terms & parse_filter(body.filter))
        return to_hits(self._library, found, body.limit)

    def _similar(self, body: Similar, call: Call) -> Hits:
        searcher = self._model.searcher()
        call.check()
        found = searcher.similar(body.key, body.limit + 1, parse_filter(body.filter))
        return to_hits(self._library, found, body.limit)

    def _list_newest(self, body: ListNewest, call: Call) -> Keys:
        among = parse_filter(body.filter)
        keys = newest_keys(self._library, among) if among else self._newest
        if keys is None:
            keys = self._newest = newest_keys(self._library)
        part = keys[body.offset : body.offset + body.limit]
        return Keys(keys=tuple(part), offset=body.offset, total=len(keys))

    def _get_rows(self, body: GetRows, call: Call) -> Rows:
        rows = self._library.media.rows(body.keys)
        return Rows(rows=tuple(to_row(self._library, row) for row in rows))

    def _get_detail(self, body: GetDetail, call: Call) -> Detail:
        row = self._words.row(body.key)
        return Detail(row=to_row(self._library, row), facts=to_facts(row))

    def _describe(self, body: Describe, call: Call) -> ReplyBody:
        return self._words.describe(body.key, call)

    def _get_preview(self, body: GetPreview, call: Call) -> ReplyBody:
        return self._words.preview(body.key, body.time_s, call)

    def _get_moments(self, body: GetMoments, call: Call) -> ReplyBody:
        return to_moments(self._library, self._words.row(body.key))

    # Jobs ---------------------------------------------------------------------------

    def _start_index(self, body: StartIndex, call: Call) -> JobReply:
        title, spec = self._index.order(body.folders)
        return JobReply(job=self._jobs.add(JobKind.INDEX, title, spec))

    def _list_jobs(self, body: ListJobs, call: Call) -> Jobs:
        return Jobs(jobs=self._jobs.all())

    def _control_job(self, body: ControlJob, call: Call) -> JobReply:
        return self._reply(self._jobs.control(body.job_id, body.action))

    def _watch_job(self, body: WatchJob, call: Call) -> None:
        self._watchers.add(call, self._reply(self._jobs.get(body.job_id)))
        # It may have ended in between; the watchers finish each call once only.
        self._watchers.tell(self._reply(self._jobs.get(body.job_id)))

    def _reply(self, job: JobValue) -> JobReply:
        report = self._jobs.report(job.id) if job.state.is_final else None
        return JobReply(job=job, report=report)

    # Facts --------------------------------------------------------------------------

    def _list_failures(self, body: ListFailures, call: Call) -> Failures:
        rows = self._library.media.failures()
        return Failures(
            failures=tuple(
                FailureValue(
                    path=WirePath.of(row.path),
                    reason=row.reason,
                    stage=row.stage,
                    when=row.when.isoformat(timespec="seconds"),
                )
                for row in rows[body.offset : body.offset + body.limit]
            ),
            total=len(rows),
        )

    def _list_roots(self, body: ListRoots, call: Call) -> Roots:
        return Roots(
            roots=tuple(
                RootValue(path=WirePath.of(root.path), online=_is_there(root.path))
                for root in self._library.roots.all()
            )
        )

    def _get_info(self, body: GetInfo, call: Call) -> Info:
        model = self._model.value()
        counts = self._library.counts(model.image_id or None)
        identity = self.identity()
        return Info(
            library_id=identity.library_id,
            folder=WirePath.of(self._library.folder),
            schema=identity.schema,
            counts=CountsValue(
                media=counts.media,
                photos=counts.photos,
                videos=counts.videos,
                views=counts.views,
                missing=counts.missing,
                offline=counts.offline,
                failed=counts.failed,
            ),
            model=model,
        )

    # Events -------------------------------------------------------------------------

    def _on_commit(self) -> None:
        self._newest = None
        self.server.publish(RowsChanged())

    def _on_rows(self, keys: tuple[str, ...]) -> None:
        self.server.publish(RowsChanged(keys=keys))

    def _on_job(self, job: JobValue) -> None:
        self.server.publish(JobChanged(job=job))
        for listener in self._job_listeners:
            listener(job)
        self._watchers.tell(self._reply(job))

    def _on_model(self, model: ModelValue) -> None:
        self.server.publish(ModelChanged(model=model))


def _create_handlers(parts: EngineContext) -> list[RequestHandler]:
    """Every handler but the engine's own."""
    changer = ModelSwitcher(parts)
    return [AnnotationHandler(parts), ModelHandler(parts, changer), TeachingHandler(parts, changer)]


def _text_cache() -> Path:
    """Where vectors of vocabularies are kept; shared with the commands."""
    named = os.environ.get("COCADESK_CACHE")
    return (Path(named) if named else platformdirs.user_cache_path("cocadesk")) / "text-vectors"


def _is_there(path: bytes) -> bool:
    return Path(WirePath.of(path).to_str()).exists()
