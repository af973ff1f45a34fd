"""A decoder worker that breaks on purpose, by what stands in the file's name.

``crash`` ends the process, ``killed`` as the system does where memory runs out, ``hang``
never answers, ``spin`` computes for ever, ``babble`` sends bytes that are no message,
``slow`` sends many heartbeats first, ``endless`` sends them for ever; ``stillborn`` in the
environment ends it before it is ready.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from cocadesk.media.pool import worker
from cocadesk.media.pool.arena import Arena
from cocadesk.media.pool.messages import Job, WorkerSettings


def _break(
    job: Job, settings: WorkerSettings, arena: Arena, heartbeat: worker.Heartbeat
) -> worker.Decoded:
    if b"crash" in job.path:
        os._exit(9)
    if b"killed" in job.path:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"hang" in job.path:
        threading.Event().wait()
    while b"spin" in job.path:
        pass
    if b"babble" in job.path:
        for descriptor in range(3, 64):  # one of these is the pipe
            try:
                os.write(descriptor, b"\x05\x00\x00\x00hello")
            except OSError:
                continue
        threading.Event().wait()
    beats = 0
    while b"endless" in job.path or (b"slow" in job.path and beats < 15):
        threading.Event().wait(settings.patience.deadline_s / 10)
        heartbeat.beat(beats / 15 if b"slow" in job.path else 0.0)
        beats += 1
    return worker.decode_job(job, settings, arena, heartbeat)


if __name__ == "__main__":
    if "COCADESK_TEST_STILLBORN" in os.environ:
        sys.exit(4)
    sys.exit(worker.main(_break))
