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
from trainer.tuning.exit_with_parent import exit_with_parent
from trainer.tuning.progress_lines import ProgressLines

COMMANDS = ("teach", "inspect")
FINISHED, USER_ERROR, STOPPED = 0, 2, 75


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
