"""A small engine with made-up rows: for the window's tests and its designers.

``python -P -m cocadesk.fake_engine --library DIR`` serves it like a real one.
It speaks the whole protocol; nothing is read but its own pictures.
"""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from cocadesk.errors import UserError
from cocadesk.fake_engine.annotations import FakeAnnotations
from cocadesk.fake_engine.handlers import Answer, FakeContext, FakeHandler
from cocadesk.fake_engine.jobs import FakeJobs, FakeWork
from cocadesk.fake_engine.models import FakeModels, FakeVocabulary
from cocadesk.fake_engine.rows import make_medium
from cocadesk.fake_engine.sidecars import FakeWriting
from cocadesk.fake_engine.teaching import FakeTeaching
from cocadesk.fake_engine.videos import FakeVideos
from cocadesk.protocol.calls import Call, Identity
from cocadesk.protocol.endpoint import Transport
from cocadesk.protocol.messages import (
    ControlJob,
    Detail,
    Failures,
    GetDetail,
    GetInfo,
    GetRows,
    Hits,
    Info,
    JobReply,
    Jobs,
    Keys,
    ListFailures,
    ListJobFailures,
    ListJobs,
    ListNewest,
    ListRoots,
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
    IndexReport,
    JobValue,
    MediaKind,
    ModelState,
    ModelValue,
    RootValue,
)

PHOTOS_A_FOLDER = 24


class FakeEngine:
    """Answers every request from a list of made-up media, in memory.

    ``step_s`` is how long a step of its jobs takes. A context manager: serves
    on a thread of its own while it is open.
    """

    def __init__(
        self,
        library: Path,
        *,
        media: int = 60,
        step_s: float = 0.0,
        transport: Transport | None = None,
        linger_s: float = LINGER_S,
    ) -> None:
        self._library = library
        self._pictures = library / "pictures"
        self._lock = threading.Lock()
        self._roots: list[WirePath] = []
        self._failures: list[FailureValue] = []
        self.server = EngineServer(self, library, transport=transport, linger_s=linger_s)
        self._jobs = FakeJobs(step_s=step_s, publish=self.server.publish)
        self._parts = FakeContext(library=library, jobs=self._jobs, publish=self.server.publish)
        self._media = self._parts.media
        self._videos = FakeVideos(self._parts)
        self._words = FakeAnnotations(self._parts)
        self._handlers = self._create_handlers()
        self._thread = threading.Thread(target=self.server.run, name="fake-engine")
        if media:
            self._roots.append(WirePath.of(library / "Photos"))
            self._add(media, library / "Photos")

    def _create_handlers(self) -> dict[type[Any], Answer]:
        handlers: tuple[FakeHandler, ...] = (
            self._videos,
            self._words,
            FakeWriting(self._parts, self._words),
            FakeTeaching(self._parts),
            FakeModels(self._parts),
            FakeVocabulary(self._parts),
        )
        return {kind: answer for handler in handlers for kind, answer in handler.answers().items()}

    def __enter__(self) -> FakeEngine:
        self._thread.start()
        self.server.ready.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the server and the jobs."""
        self._jobs.close()
        self.server.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def identity(self) -> Identity:
        return Identity(library_id="fake-library", schema="1")

    def is_busy(self) -> bool:
        return self._jobs.is_busy()

    def answer(self, body: RequestBody, call: Call) -> ReplyBody | None:
        """Answers any request; see ``Handler``."""
        if isinstance(body, Search):
            return self._search(body)
        if isinstance(body, Similar):
            return self._similar(body)
        if isinstance(body, ListNewest):
            return self._newest(body)
        if isinstance(body, GetRows):
            return Rows(rows=tuple(self._words.dressed(k) for k in body.keys if k in self._media))
        if isinstance(body, GetDetail):
            self._parts.medium(body.key)
            return Detail(row=self._words.dressed(body.key))
        handler = self._handlers.get(type(body))
        return self._answer_about_jobs(body, call) if handler is None else handler(body, call)

    def _answer_about_jobs(self, body: RequestBody, call: Call) -> ReplyBody | None:
        if isinstance(body, StartIndex):
            return self._start_index(body)
        if isinstance(body, ListJobs):
            return Jobs(jobs=self._jobs.all())
        if isinstance(body, ControlJob):
            return JobReply(job=self._jobs.control(body.job_id, body.action))
        if isinstance(body, WatchJob):
            self._jobs.watch(body.job_id, call)
            return None
        if isinstance(body, ListFailures):
            shown = tuple(self._failures[body.offset : body.offset + body.limit])
            return Failures(failures=shown, total=len(self._failures))
        if isinstance(body, ListJobFailures):
            failed = self._jobs.failures(body.job_id)
            shown = failed[body.offset : body.offset + body.limit]
            return Failures(failures=shown, total=len(failed))
        if isinstance(body, ListRoots):
            return Roots(roots=tuple(RootValue(path=path) for path in self._roots))
        if isinstance(body, GetInfo):
            return self._info()
        raise UserError("The fake engine does not know that request.", type(body).__name__)

    def _add(self, count: int, folder: Path) -> list[str]:
        added = []
        for _ in range(count):
            medium = make_medium(len(self._media), folder, self._pictures)
            with self._lock:
                self._media[medium.row.key] = medium
            added.append(medium.row.key)
        return added

    def _search(self, body: Search) -> Hits:
        words = {word for word in body.text.lower().split() if len(word) > 2}
        hits = []
        for key, medium in list(self._media.items()):
            if shared := len(words & self._words.said_of(key)):
                hits.append(self._videos.hit(medium, shared / max(1, len(words))))
        hits.sort(key=lambda hit: -hit.score)
        return Hits(hits=tuple(hits[: body.limit]), complete=len(hits) <= body.limit)

    def _similar(self, body: Similar) -> Hits:
        caption = self._parts.medium(body.key).caption
        found = self._search(Search(text=caption, limit=body.limit))
        return replace(found, hits=tuple(hit for hit in found.hits if hit.key != body.key))

    def _newest(self, body: ListNewest) -> Keys:
        media = sorted(self._media.values(), key=lambda m: m.row.taken or "", reverse=True)
        keys = tuple(m.row.key for m in media)
        return Keys(
            keys=keys[body.offset : body.offset + body.limit], offset=body.offset, total=len(keys)
        )

    def _start_index(self, body: StartIndex) -> JobReply:
        folders = [Path(folder.to_str()) for folder in body.folders]
        for folder in body.folders:
            if folder not in self._roots:
                self._roots.append(folder)
        names = ", ".join(folder.name for folder in folders) or "all folders"
        work = FakeWork(
            title=f"Looking at {names}",
            total=PHOTOS_A_FOLDER * len(folders),
            step=lambda done: self._index_one(folders[done // PHOTOS_A_FOLDER], done),
            end=_index_reply,
        )
        return JobReply(job=self._jobs.start(work))

    def _index_one(self, folder: Path, done: int) -> FailureValue | None:
        if done % 12 == 7:
            failure = FailureValue(
                path=WirePath.of(folder / f"broken_{done}.jpg"),
                reason="The file ends in the middle of the picture.",
                stage="decode",
                when="2025-11-24T10:00:00",
            )
            self._failures.append(failure)
            return failure
        self.server.publish(RowsChanged(keys=tuple(self._add(1, folder))))
        return None

    def _info(self) -> Info:
        videos = sum(m.row.kind is MediaKind.VIDEO for m in self._media.values())
        count = len(self._media)
        return Info(
            library_id="fake-library",
            folder=WirePath.of(self._library),
            schema="1",
            counts=CountsValue(
                media=count, photos=count - videos, videos=videos, failed=len(self._failures)
            ),
            model=ModelValue(
                state=ModelState.READY, name="made-up", device="cpu", reason="It is a fake."
            ),
        )


def _index_reply(job: JobValue) -> JobReply:
    indexed = job.done - job.failed
    message = f"{indexed} photos added, {job.failed} could not be read."
    return JobReply(job=replace(job, message=message), report=IndexReport(indexed=indexed))


def main() -> int:
    """Serves a fake engine for a library folder until nobody uses it."""
    parser = argparse.ArgumentParser(prog="cocadesk.fake_engine")
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--media", type=int, default=60)
    parser.add_argument("--step-s", type=float, default=0.15)
    options = parser.parse_args()
    options.library.mkdir(parents=True, exist_ok=True)
    engine = FakeEngine(options.library, media=options.media, step_s=options.step_s)
    engine.server.run()
    engine.close()
    return 0
