"""The engine without a process of its own: for one command, in the command's process.

``running_or`` gives a client of the library's running engine, else this; both are asked
in the same way. Importing this module is cheap: LanceDB is imported with the first
request that the snapshot of the library cannot answer.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias

from cocadesk.engine.interrupt import Interrupt
from cocadesk.errors import UserError, tr
from cocadesk.library_uri import shown_name
from cocadesk.locations import STARTER, durable_source, text_vectors_folder
from cocadesk.protocol.calls import Call, CallCancelledError
from cocadesk.protocol.client import Answer, EngineClient, answer_of
from cocadesk.protocol.messages import (
    Cancelled,
    DescribeFiles,
    Done,
    EngineMessage,
    Explain,
    Failed,
    ListModels,
    ModelRemoved,
    Models,
    Partial,
    Progress,
    RemoveModel,
    ReplyBody,
    RequestBody,
    Search,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import ModelEntry

if TYPE_CHECKING:
    from cocadesk.engine.core import EngineCore
    from cocadesk.library.layout import Manifest
    from cocadesk.library.library import Library
    from cocadesk.model.backend import Backend


class Access(Enum):
    """The use that a command makes of the library.

    READ: beside whoever writes it. WRITE: as its only writer. CREATE: the same, and it is
    made where it is missing. OPTIONAL: as WRITE where that can be, else as READ where
    there is a library, else without.
    """

    READ = auto()
    WRITE = auto()
    CREATE = auto()
    OPTIONAL = auto()


class LocalEngine:
    """Answers requests in this process, on the thread that asks; jobs run while watched.

    The library and the model are opened when a request first needs them. ``model`` is a
    source; None means the one that the library uses. ``on_stopping`` is called when Ctrl-C
    was pressed during long work, which then ends after the step in hand.
    """

    def __init__(
        self,
        folder: Path,
        *,
        model: str | None = None,
        access: Access = Access.READ,
        open_model: Callable[[str], Backend] | None = None,
        on_stopping: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = folder
        self.model = model
        self._access = access
        self._open_model = open_model or partial(open_source, folder, model)
        self._on_stopping = on_stopping
        self._backends: dict[str, Backend] = {}
        self._library: Library | None = None
        self._core: EngineCore | None = None

    def ask(
        self,
        body: RequestBody,
        answer: type[Answer],
        *,
        on_progress: Callable[[Progress], None] = lambda _now: None,
        on_partial: Callable[[ReplyBody], None] = lambda _part: None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Answers a request; see ``EngineClient.ask``. ``WatchJob`` does the job.

        Raises:
            UserError: it could not be done.
            KeyboardInterrupt: Ctrl-C; long work has ended after a step, all commits are kept.
        """
        interrupt = Interrupt(self._on_stopping)
        asking = _Asking(interrupt, on_progress, on_partial, timeout_s)
        if not isinstance(body, WatchJob | DescribeFiles):
            return answer_of(asking.final(self._answer(body, asking.call)), answer)
        with interrupt:
            try:
                reply = self._answer(body, asking.call)
                if isinstance(body, WatchJob) and not asking.call.is_finished:
                    self._opened().jobs().run(body.job_id, is_stopped=lambda: interrupt.is_wanted)
            except CallCancelledError:
                reply = None
            if interrupt.is_wanted and reply is None and not asking.call.is_finished:
                raise KeyboardInterrupt
            return answer_of(asking.final(reply), answer)

    def close(self) -> None:
        """Frees model and library; no thread is left behind."""
        core, self._core = self._core, None
        if core is not None:
            core.close()
        for backend in self._backends.values():
            backend.close()
        self._backends.clear()
        library, self._library = self._library, None
        if library is not None:
            library.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, body: RequestBody, call: Call) -> ReplyBody | None:
        is_made = self._core is not None or _manifest(self.folder) is not None
        if not is_made and self._access is not Access.CREATE:
            return self._answer_without_library(body, call)
        is_quick = self._core is None and self._access is Access.READ
        if is_quick and isinstance(body, Search) and not self._awaits_vectors():
            return self._search_quickly(body, call)
        return self._opened().answer(body, call)

    def _awaits_vectors(self) -> bool:
        """True where the starter came with an update of the program, after the vectors here."""
        manifest, source = _manifest(self.folder), self._source()
        image_id = self._backend(source).info().image_id
        return manifest is not None and manifest.awaits(source, image_id)

    def _search_quickly(self, body: Search, call: Call) -> ReplyBody | None:
        """Over the snapshot where it is exact, which spares the import of LanceDB."""
        from cocadesk.engine.loaded_model import calibrator_of
        from cocadesk.engine.picture_vectors import PictureVectors, hits_of, names_albums
        from cocadesk.library.layout import Thumbnails
        from cocadesk.search.searcher import open_searcher

        if names_albums(body):  # only the library's log knows them
            return self._opened().answer(body, call)
        backend = self._backend(self._source())
        calibrator = calibrator_of(backend, text_vectors_folder())
        with open_searcher(self.folder, backend, calibrator=calibrator) as searcher:
            picture_of = PictureVectors().finder(body.folder, backend, searcher)
            thumbnails = Thumbnails(self.folder / "thumbs")
            return hits_of(body, searcher, picture_of, thumbnails, call.check)

    def _answer_without_library(self, body: RequestBody, call: Call) -> ReplyBody:
        """The few requests that make sense before there is a library."""
        if isinstance(body, ListModels):
            return _machine_models()
        if isinstance(body, RemoveModel):
            from cocadesk.engine.model_removal import remove_model

            return ModelRemoved(freed_bytes=remove_model(body.source))
        if isinstance(body, DescribeFiles) and self._access is Access.OPTIONAL:
            from cocadesk.annotations.tagging import ZeroShotTagger
            from cocadesk.annotations.vocabulary import library_vocabulary
            from cocadesk.engine.file_descriptions import describe_files

            backend = self._backend(self._source())
            vocabulary = library_vocabulary(self.folder)
            cache = text_vectors_folder()
            return describe_files(
                body, call, backend, lambda: ZeroShotTagger(backend, vocabulary, cache=cache)
            )
        if isinstance(body, Explain) and self._access is Access.OPTIONAL:
            from cocadesk.annotations.describe import Captioner
            from cocadesk.annotations.tagging import ZeroShotTagger
            from cocadesk.annotations.vocabulary import library_vocabulary
            from cocadesk.engine.explaining import explained_file

            model = self._backend(self._source())
            own = library_vocabulary(self.folder)
            tagger = ZeroShotTagger(model, own, cache=text_vectors_folder())
            captioner = Captioner(model=model, tagger=lambda: tagger)
            return explained_file(body, model, lambda: captioner)
        raise UserError(
            tr("There is no library in {path}.", path=WirePath.of(shown_name(self.folder)).text),
            "",
            tr("Add a folder of photos first: cocadesk index FOLDER."),
        )

    def _opened(self) -> EngineCore:
        if self._core is None:
            from cocadesk.engine.core import EngineCore
            from cocadesk.engine.loaded_model import ModelHolder

            library, unkept = self._open_library()
            self._library = library
            model = ModelHolder(
                library,
                self._taken_backend,
                self._source(),
                cache=text_vectors_folder(),
                warms_up=False,
                open_elsewhere=self._open_model,
            )
            self._core = EngineCore(
                library, model, publish=lambda _event: None, run_long=_run_here, unkept=unkept
            )
        return self._core

    def _open_library(self) -> tuple[Library, str]:
        """The library, and why nothing can be stored in it where that is so."""
        from cocadesk.library.library import Library

        if self._access is Access.READ:
            return Library.open(self.folder, create=False, writer=False), ""
        try:
            return Library.open(self.folder, create=self._access is Access.CREATE), ""
        except UserError as error:
            if self._access is not Access.OPTIONAL:
                raise
            return Library.open(self.folder, create=False, writer=False), error.what

    def _source(self) -> str:
        return self.model or library_source(self.folder)

    def _backend(self, source: str) -> Backend:
        """The model of a source; opened once."""
        if source not in self._backends:
            self._backends[source] = self._open_model(source)
        return self._backends[source]

    def _taken_backend(self, source: str) -> Backend:
        """The model of a source, to be closed by whoever asked for it."""
        return self._backends.pop(source, None) or self._open_model(source)


AnyEngine: TypeAlias = EngineClient | LocalEngine


def running_or(own: LocalEngine, *, name: str = "client") -> AnyEngine:
    """A client of the engine that serves the library now, else ``own``.

    An engine that serves another model than the one chosen for ``own`` is left alone: the
    library is then read beside it.

    Raises:
        UserError: an engine is there but refuses us, e.g. one of another version.
    """
    if not serves_model(own.folder, own.model):
        return own
    from cocadesk.protocol.launch import running_engine

    return running_engine(own.folder, name=name) or own


def serves_model(folder: Path, model: str | None) -> bool:
    """True where an engine of the library would answer with this model."""
    if model is None:
        return True
    return durable_source(model) == library_source(folder)


def library_source(folder: Path) -> str:
    """The source of the model that the library uses; the starter where it names none."""
    manifest = _manifest(folder)
    return (manifest.model_source if manifest else None) or STARTER


def open_source(folder: Path, chosen: str | None, source: str) -> Backend:
    """The model of a source, which may be a run of the library in ``folder``.

    ``chosen`` is the source that the person named for this process, if any.

    Raises:
        UserError: it cannot be opened.
    """
    from cocadesk.model import backend

    is_chosen_here = chosen is not None or source != library_source(folder)
    manifest = _manifest(folder)
    is_for_captions = manifest is not None and source == manifest.caption_source
    return backend.open_source(
        source,
        folder / "runs",
        is_chosen_here=is_chosen_here,
        fetch=is_chosen_here and not is_for_captions,
    )


def _manifest(folder: Path) -> Manifest | None:
    # Here, because the library's package imports numpy, which ``--help`` must not.
    from cocadesk.library.layout import read_manifest

    return read_manifest(folder)


def is_library(folder: Path) -> bool:
    """True where a library is.

    Raises:
        UserError: its description can't be read, or it is of a newer CocaDesk.
    """
    return _manifest(folder) is not None


def _machine_models() -> Models:
    """The models of this machine, for somebody who has no library yet."""
    from cocadesk.engine.conversions import to_value
    from cocadesk.engine.model_fetching import offers_now
    from cocadesk.engine.model_removal import is_ours
    from cocadesk.model.known_models import known_models

    models = tuple(
        to_value(
            known,
            ModelEntry,
            is_used=known.source == STARTER,
            is_removable=is_ours(known.source),
        )
        for known in known_models()
    )
    return Models(models=models, offers=offers_now(models))


def _run_here(call: Call, work: Callable[[], ReplyBody], *, name: str) -> None:
    call.finish(work())


class _Asking:
    """One request being answered: passes its messages on, on the thread that asked.

    Ctrl-C (``interrupt``) makes its call unwanted.
    """

    def __init__(
        self,
        interrupt: Interrupt,
        on_progress: Callable[[Progress], None],
        on_partial: Callable[[ReplyBody], None],
        timeout_s: float | None,
    ) -> None:
        self._asker = threading.get_ident()
        self._on_progress = on_progress
        self._on_partial = on_partial
        self._timeout_s = timeout_s
        self._from_threads: queue.SimpleQueue[EngineMessage] = queue.SimpleQueue()
        self._final: Done | Failed | Cancelled | None = None
        self.call = Call(1, self._take, lambda: interrupt.is_wanted)

    def final(self, reply: ReplyBody | None) -> Done | Failed | Cancelled:
        """The last message; ``reply`` None: a thread of the handler sends it.

        Raises:
            TimeoutError: nothing came for the time given.
            KeyboardInterrupt: the call is cancelled then.
        """
        if reply is not None:
            self.call.finish(reply)
        try:
            while self._final is None:
                self._handle(self._from_threads.get(timeout=self._timeout_s))
        except queue.Empty:
            raise TimeoutError("the engine said nothing in time") from None
        except KeyboardInterrupt:
            self.call.cancel()
            raise
        return self._final

    def _take(self, message: EngineMessage) -> None:
        if threading.get_ident() == self._asker:
            self._handle(message)
        else:
            self._from_threads.put(message)

    def _handle(self, message: EngineMessage) -> None:
        if isinstance(message, Progress):
            self._on_progress(message)
        elif isinstance(message, Partial):
            self._on_partial(message.body)
        elif isinstance(message, Done | Failed | Cancelled):
            self._final = self._final or message
