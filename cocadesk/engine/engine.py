"""The served engine: the core behind a socket, for windows and commands."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from cocadesk.engine.core import EngineCore
from cocadesk.engine.handlers import TRAINER
from cocadesk.engine.loaded_model import ModelHolder
from cocadesk.errors import UserError
from cocadesk.indexing.watching import WatchPace
from cocadesk.library.library import Library
from cocadesk.locations import text_vectors_folder
from cocadesk.protocol.calls import Call, Identity
from cocadesk.protocol.messages import ModelChanged, ReplyBody, RequestBody
from cocadesk.protocol.server import LINGER_S, EngineServer
from cocadesk.protocol.values import ModelValue

if TYPE_CHECKING:
    from cocadesk.model.backend import Backend

_log = logging.getLogger(__name__)
_SWITCH_S = 0.0005
"""Python's 5 ms: a search lets go of its lock at each product, and waits so long for it beside
an index (measured at 1,000,000 rows: p95 175 ms, and 81 ms this way)."""


class Engine:
    """Serves one library to any number of clients; jobs and model have threads of their own.

    ``watch``: changes in the library's folders become jobs at this pace, unless a person has
    turned that off; None never watches.
    """

    def __init__(
        self,
        library: Library,
        open_source: Callable[[str], Backend],
        source: str,
        *,
        linger_s: float = LINGER_S,
        trainer: str = TRAINER,
        watch: WatchPace | None = None,
    ) -> None:
        self._library = library
        self._watch = watch
        self.server = EngineServer(self, library.folder, linger_s=linger_s)
        self._model = ModelHolder(
            library,
            open_source,
            source,
            cache=text_vectors_folder(),
            on_change=self._on_model,
            wait_until_quiet=self.server.wait_until_quiet,
        )
        self._core = EngineCore(
            library,
            self._model,
            publish=self.server.publish,
            run_long=_run_in_thread,
            trainer=trainer,
            wait_until_quiet=self.server.wait_until_quiet,
        )

    def run(self) -> None:
        """Serves until the server ends, then stops jobs after the step in hand."""
        sys.setswitchinterval(_SWITCH_S)
        jobs = self._core.jobs()
        self._model.start()
        jobs.start()
        if self._watch is not None:
            self._core.watching.start(self._watch)
        try:
            self.server.run()
        finally:
            self._core.close()

    def _on_model(self, model: ModelValue) -> None:
        self.server.publish(ModelChanged(model=model))
        try:
            self._core.update_model()
        except UserError as error:  # e.g. a full disk: the next engine tries again
            _log.warning("the improved model reads no photos yet: %s", error)

    def identity(self) -> Identity:
        """The library that is served."""
        return Identity(
            library_id=self._library.manifest.id, schema=str(self._library.manifest.schema)
        )

    def is_busy(self) -> bool:
        """True while a job runs or waits, or a base of searches is made."""
        return self._core.jobs().is_busy() or self._library.is_making_base

    def answer(self, body: RequestBody, call: Call) -> ReplyBody | None:
        """Answers any request; see ``cocadesk.protocol.calls.Handler``."""
        return self._core.answer(body, call)


def _run_in_thread(call: Call, work: Callable[[], ReplyBody], *, name: str) -> None:
    """Gives an answer that takes long on a thread of its own, so that no lane is held up.

    A person's request would else keep jobs waiting (``wait_until_quiet``) all the while.
    """
    threading.Thread(target=call.answer, args=(work, name), name=name, daemon=True).start()
