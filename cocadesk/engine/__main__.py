"""The engine: one process a library, its only writer.

``python -P -m cocadesk.engine --library DIR`` serves windows and commands over
a local socket until nobody has used it for two minutes and no job runs.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.engine.engine import Engine
from cocadesk.engine.handlers import TRAINER
from cocadesk.engine.local import library_source, open_source
from cocadesk.errors import UserError, tr
from cocadesk.indexing.watching import WatchPace
from cocadesk.library.layout import read_manifest
from cocadesk.library.library import Library
from cocadesk.library_uri import shown_name
from cocadesk.locations import collect_rarely, keep_private
from cocadesk.protocol.server import LINGER_S

if TYPE_CHECKING:
    from cocadesk.model.backend import Backend

EXIT_USER_ERROR = 2

_log = logging.getLogger(__name__)


def _opener(library: Library, chosen: str | None, factory: str | None) -> Callable[[str], Backend]:
    """A function that opens a source; ``factory`` (``module:name``) is for tests."""
    if factory is None:
        return partial(open_source, library.folder, chosen)
    module, _, name = factory.partition(":")
    make: Callable[[], Backend] = getattr(importlib.import_module(module), name)
    return lambda _source: make()


def main(arguments: list[str] | None = None) -> int:
    """Runs an engine; its exit code is 2 where it could not open the library."""
    parser = argparse.ArgumentParser(prog="cocadesk.engine", description="Serves one library.")
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--model", help="a source; else the one that the library uses")
    parser.add_argument("--threads", type=int, help="use so many cores of the processor")
    parser.add_argument("--existing", action="store_true", help="make no library where none is")
    parser.add_argument("--linger-s", type=float, default=LINGER_S)
    parser.add_argument("--no-watching", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--backend", help=argparse.SUPPRESS)
    parser.add_argument("--trainer", default=TRAINER, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    keep_to_cores(options.threads)
    collect_rarely()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    try:
        if options.existing:
            check_there(options.library)
        with Library.open(options.library) as library:
            source = options.model or library_source(options.library)
            opener = _opener(library, options.model, options.backend)
            engine = Engine(
                library,
                opener,
                source,
                linger_s=options.linger_s,
                trainer=options.trainer,
                watch=None if options.no_watching else WatchPace(),
            )
            _stop_on_signals(engine)
            _log.info("serving %s", options.library)
            engine.run()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USER_ERROR
    _log.info("ended")
    return 0


def check_there(folder: Path) -> None:
    """Makes sure that a library which was there before is there.

    Raises:
        UserError: it is not; a new one must not be made in its place.
    """
    if read_manifest(folder) is None:
        raise UserError(
            tr("The library is not in {shown_name} now.", shown_name=shown_name(folder)),
            tr("It was there before; perhaps its disk is not connected."),
            tr("Connect it and try again, or open another library."),
        )


def keep_to_cores(number: int | None) -> None:
    """Keeps this process and its children to so many cores; all libraries count those alone.

    Before anything heavy is imported, which counts them once. Where the system can't be told
    (macOS, Windows), the libraries are.
    """
    if number is None or number < 1:
        return
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[:number])
    else:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(number)


def _stop_on_signals(engine: Engine) -> None:
    def stop(_number: int, _frame: object) -> None:
        engine.server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


if __name__ == "__main__":
    keep_private()
    sys.exit(main())
