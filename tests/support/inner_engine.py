"""A real engine on a thread of this process, so that a test may put parts of it aside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.engine.engine import Engine
from cocadesk.library.library import Library
from cocadesk.model.backend import open_source
from cocadesk.protocol.client import EngineClient

if TYPE_CHECKING:
    from cocadesk.indexing.watching import WatchPace
    from cocadesk.model.backend import Backend


@contextmanager
def inner_engine(
    folder: Path,
    model: str,
    *,
    opener: Callable[[str], Backend] | None = None,
    trainer: str = "trainer",
    watch: WatchPace | None = None,
) -> Iterator[EngineClient]:
    """A client of an engine with ``model`` that serves a library and teaches with ``trainer``.

    ``watch``: see ``Engine``.
    """
    with Library.open(folder) as library:

        def open_model(source: str) -> Backend:
            return open_source(source, library.runs_folder, is_chosen_here=True)

        engine = Engine(
            library,
            opener or open_model,
            library.manifest.model_source or model,
            trainer=trainer,
            watch=watch,
        )
        thread = threading.Thread(target=engine.run, name="inner-engine")
        thread.start()
        try:
            assert engine.server.ready.wait(30)
            assert engine.server.endpoint is not None
            with EngineClient(engine.server.endpoint, events=True) as client:
                yield client
        finally:
            engine.server.stop()
            thread.join()
