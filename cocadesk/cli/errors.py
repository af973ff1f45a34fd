"""The edge: from what a command raises to sentences and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cocadesk.cli.report import Report
from cocadesk.errors import UserError, disk_error, tr
from cocadesk.locations import log_file

OK = 0
SOME_FAILED = 1
USER_ERROR = 2
BUG = 3
INTERRUPTED = 130
_BROKEN_PIPE = 141
_MAX_LOG_BYTES = 2**20


STOPPED = UserError(
    tr("Stopped."), tr("What is done is kept."), tr("The same command goes on from there.")
)


class _OneLine(logging.Formatter):
    """A remark of the program with the names in it spelled out; see ``printable``."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging names it
        from cocadesk.protocol.paths import printable

        return printable(super().formatMessage(record))


class StoppedError(Exception):
    """Somebody stopped the command; what was done is kept."""


def guarded(command: Callable[[], int], report: Report, *, log: Path | None = None) -> int:
    """Runs a command and gives the process's exit code.

    0 all well, 1 some files failed, 2 usage or user error, 3 a bug (its traceback is in
    the file ``log``), 130 stopped by Ctrl-C.
    """
    remarks = logging.StreamHandler(sys.stderr)
    remarks.setFormatter(_OneLine("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[remarks])
    try:
        return command()
    except UserError as error:
        report.error(error)
        return USER_ERROR
    except (KeyboardInterrupt, StoppedError):
        report.error(STOPPED)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has left; keep the interpreter from writing again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except ConnectionError:
        report.error(_engine_gone())
        return USER_ERROR
    except Exception as error:  # noqa: BLE001 - the edge: a bug becomes a sentence and a log
        if told := disk_error(error):
            report.error(told)
            return USER_ERROR
        report.error(_bug(error, log or log_file()))
        return BUG


def _engine_gone() -> UserError:
    from cocadesk.protocol.endpoint import run_folder

    return UserError(
        tr("The engine of this library ended while it was asked."),
        tr(
            "It was stopped, or something went wrong in it; its log lies in {run_folder}.",
            run_folder=run_folder(),
        ),
        tr("What is done is kept: the same command goes on from there."),
    )


def _bug(error: Exception, file: Path) -> UserError:
    """Keeps the traceback and gives the sentence that points to it."""
    import traceback

    text = "".join(traceback.format_exception(error))
    what = tr(
        "Something is wrong in CocaDesk itself ({name}: {error}).",
        name=type(error).__name__,
        error=error,
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and file.stat().st_size > _MAX_LOG_BYTES:
            file.replace(file.with_suffix(".old.log"))
        with file.open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(f"\n{datetime.now().astimezone().isoformat()} {sys.argv}\n{text}")
    except OSError:
        sys.stderr.write(text)
        return UserError(what, "", tr("The details stand above."))
    return UserError(what, "", tr("The details are in {file}.", file=file))
