"""Ray on this computer alone: a process that starts it, says its address, and ends it.

``python -m cocadesk.indexing.ray_host WORKERS BYTES`` keeps Ray until its standard input ends,
also where its parent was killed. Ray starts its own processes by a fork with work in between,
which is not for a process with the library's threads in it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from cocadesk.indexing.ray_cluster import begin_alone, end_alone
from cocadesk.indexing.ray_process import REFUSED
from cocadesk.media.video.spool import folder_of_process

_PREFIX = "cocadesk-ray-"


def main(workers: str, store_bytes: str) -> None:
    """Start Ray for so many workers, with so much memory for what they answer."""
    # Sockets lie in it, whose names may not be long.
    base = Path("/tmp" if os.name == "posix" else tempfile.gettempdir())
    folder = folder_of_process(_PREFIX, base)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            try:
                address = begin_alone(int(workers), int(store_bytes), folder)
            except Exception as error:  # noqa: BLE001 - said by the parent
                address = REFUSED + " ".join(f"{error}".split())
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        with contextlib.redirect_stdout(sys.stderr):
            end_alone()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
