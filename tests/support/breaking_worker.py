"""A decoder worker that breaks on purpose, by what stands in the file's name.

``crash`` ends the process, ``hang`` never answers, ``babble`` sends bytes that
are no message, ``stillborn`` in the environment ends it before it is ready.
"""

from __future__ import annotations

import os
import sys
import threading

from cocadesk.media import worker
from cocadesk.media.arena import Arena
from cocadesk.media.wire import Done, Job, Setup

_decode = worker._decode


def _break(job: Job, setup: Setup, arena: Arena) -> Done:
    if b"crash" in job.path:
        os._exit(9)
    if b"hang" in job.path:
        threading.Event().wait()
    if b"babble" in job.path:
        for descriptor in range(3, 64):  # one of these is the pipe
            try:
                os.write(descriptor, b"\x05\x00\x00\x00hello")
            except OSError:
                continue
        threading.Event().wait()
    return _decode(job, setup, arena)


if __name__ == "__main__":
    if "COCADESK_TEST_STILLBORN" in os.environ:
        sys.exit(4)
    worker._decode = _break
    sys.exit(worker.main())
