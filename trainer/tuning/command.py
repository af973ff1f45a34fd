"""The two tuning commands, as the engine starts them."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cocadesk.errors import UserError
from cocadesk.resources import settle_language
from cocadesk.trainer_messages import STOPPED
from trainer.tuning.progress_lines import ProgressLines

COMMANDS = ("teach", "inspect")
FINISHED, USER_ERROR = 0, 2
_STDIN = 0


def main(arguments: Sequence[str]) -> int:
    """``teach RUN_FOLDER`` or ``inspect RUN_FOLDER``; gives the exit code.

    0: finished, 2: a UserError (its sentences are the last line), 75: stopped by SIGTERM
    with a checkpoint saved; the same command goes on.
    """
    parser = argparse.ArgumentParser(prog="trainer", description="Teach a model your photos.")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("run", type=Path, help="a folder with a spec.json")
    parser.add_argument("--json-lines", action="store_true", help="the only form there is")
    parser.add_argument("--end-with-stdin", action="store_true", help="for the engine's child")
    options = parser.parse_args(arguments)
    if options.end_with_stdin:
        exit_with_parent(STOPPED)
    # Threads that spin while they wait slow everything down where others work too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    stop = threading.Event()
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: stop.set())
    with ProgressLines() as lines:
        return _run(options.command, options.run, lines, stop)


def speak() -> None:
    """Has all that is said from here on in the person's language."""
    settle_language()


def _run(command: str, run: Path, lines: ProgressLines, stop: threading.Event) -> int:
    # Late: the handlers above must stand before torch takes its seconds to load.
    from trainer.tuning.phase import StoppedError

    try:
        _work(command, run, lines, stop)
    except UserError as error:
        lines.error(error)
        sys.stderr.write(f"{error}\n")
        return USER_ERROR
    except StoppedError:
        return STOPPED
    return FINISHED


def _work(command: str, run: Path, lines: ProgressLines, stop: threading.Event) -> Any:
    if command == "teach":
        from trainer.tuning.run import teach

        return teach(run, lines, stop)
    from trainer.tuning.preview import inspect

    return inspect(run, lines, stop)


def exit_with_parent(code: int) -> None:
    """Ends the process at once, with ``code``, when the pipe to its stdin breaks: the one
    that started it has ended, in whatever way.

    Nothing is saved then: a new engine may already start the same run, and two
    trainers must not write one folder. What was saved last is whole.
    """
    threading.Thread(
        target=_wait_and_end, args=(code,), name="exit-with-parent", daemon=True
    ).start()


def _wait_and_end(code: int) -> None:
    # Unbuffered: the lock of sys.stdin's buffer would break an ordinary end.
    while os.read(_STDIN, 4096):
        pass
    os._exit(code)
