"""Clients that follow jobs, for every engine."""

from __future__ import annotations

import threading

from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import JobReply


class JobWatchers:
    """Passes a job's progress to its watchers, and its end; any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, list[Call]] = {}

    def add(self, call: Call, reply: JobReply) -> None:
        """The call follows the job from its state ``reply`` on."""
        if not reply.job.state.is_final:
            with self._lock:
                self._calls.setdefault(reply.job.id, []).append(call)
        _tell(call, reply)

    def tell(self, reply: JobReply) -> None:
        """The job has moved, or ended."""
        with self._lock:
            calls = [c for c in self._calls.get(reply.job.id, ()) if not c.is_finished]
            if reply.job.state.is_final:
                self._calls.pop(reply.job.id, None)
            else:
                self._calls[reply.job.id] = calls
        for call in calls:
            _tell(call, reply)


def _tell(call: Call, reply: JobReply) -> None:
    job = reply.job
    if job.state.is_final:
        call.finish(reply)
        return
    call.progress(
        stage=job.stage,
        done=job.done,
        total=job.total,
        failed=job.failed,
        seconds_left=job.seconds_left,
        current=job.current,
    )
