"""The fetching of a checkpoint as a program: lines of JSON for whoever started it.

``python -P -m cocadesk.model.checkpoints.fetch_process SOURCE [FOLDER]`` ends with its standard
input. The library of the hub reads its settings when it is imported, and a network that hangs
can't be interrupted otherwise.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.model.checkpoints.cache_files import copy_from
from cocadesk.model.checkpoints.fetching import find_snapshot

REPORT_EVERY_S = 0.2


def main(arguments: list[str]) -> int:
    """Fetches a source, or copies it from a folder; 2 for an error that it has printed."""
    from cocadesk.resources import settle_language

    settle_language()
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    last_s = 0.0
    done_total = (0, 0)

    def report(done: int, total: int) -> None:
        nonlocal last_s, done_total
        done_total = done, total
        if time.monotonic() - last_s >= REPORT_EVERY_S or done == total:
            last_s = time.monotonic()
            _print({"done": done, "total": total})

    def tell_wait(seconds: float) -> None:
        _print({"done": done_total[0], "total": done_total[1], "wait_s": seconds})

    try:
        if len(arguments) > 1:
            copy_from(arguments[0], Path(arguments[1]), report)
        else:
            find_snapshot(arguments[0], fetch=True, report=report, on_wait=tell_wait)
    except UserError as error:
        _print({"what": error.what, "why": error.why, "what_to_do": error.what_to_do})
        return 2
    return 0


def _print(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _end_with_stdin() -> None:
    """Ends this process with the one that started it, however that ends."""
    with suppress(OSError):
        while os.read(0, 1):
            pass
    os._exit(1)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    sys.exit(main(sys.argv[1:]))
