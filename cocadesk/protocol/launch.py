"""Finds a library's engine, or starts one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from io import BufferedWriter
from pathlib import Path

from cocadesk.errors import UserError, decimal, tr
from cocadesk.locations import umask_of_person
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.endpoint import log_file, read_endpoint, remove_endpoint

ENGINE_MODULE = "cocadesk.engine"
FAKE_MODULE = "cocadesk.fake_engine"
START_LIMIT_S = 60.0
_POLL_S = 0.05


def running_engine(
    library: Path, *, name: str = "client", events: bool = False
) -> EngineClient | None:
    """A connection to the engine that serves this library now, or None.

    Raises:
        UserError: an engine is there but refuses us, e.g. another version.
    """
    endpoint = read_endpoint(library)
    if endpoint is None:
        return None
    try:
        return EngineClient(endpoint, name=name, events=events)
    except OSError:
        if not _is_alive(endpoint.pid):
            remove_endpoint(library, endpoint)
        return None


def connect_or_start(
    library: Path,
    *,
    name: str = "client",
    events: bool = False,
    module: str = ENGINE_MODULE,
    extra: Sequence[str] = (),
    limit_s: float = START_LIMIT_S,
) -> EngineClient:
    """A connection to the library's engine, which is started where none runs.

    Raises:
        UserError: the engine did not start; its own sentence where it left one.
    """
    client = running_engine(library, name=name, events=events)
    if client is not None:
        return client
    process = start_engine(library, module=module, extra=extra)
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        client = running_engine(library, name=name, events=events)
        if client is not None:
            return client
        if process.poll() is not None:
            raise start_failure(library)
        time.sleep(_POLL_S)
    raise UserError(
        tr("The engine did not start in time."),
        tr("Nothing answered for {limit_s} seconds.", limit_s=decimal(limit_s, 0)),
        tr("Look into {log_file}.", log_file=log_file(library)),
    )


def engine_command(
    library: Path, *, module: str = ENGINE_MODULE, extra: Sequence[str] = ()
) -> list[str]:
    """The command that starts an engine; ``-P`` keeps the current folder out."""
    return [sys.executable, "-P", "-m", module, "--library", os.fspath(library), *extra]


def engine_environment() -> dict[str, str]:
    """Our environment, with the folder of this very package found first."""
    environment = dict(os.environ)
    root = os.fspath(Path(__file__).resolve().parents[2])
    others = [p for p in environment.get("PYTHONPATH", "").split(os.pathsep) if p and p != root]
    environment["PYTHONPATH"] = os.pathsep.join([root, *others])
    return environment


def start_engine(
    library: Path, *, module: str = ENGINE_MODULE, extra: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """Starts an engine that outlives us; its output goes to ``log_file``.

    Raises:
        UserError: the folder of caches can't be written.
    """
    with _new_log(library) as log:
        process = subprocess.Popen(
            engine_command(library, module=module, extra=extra),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # The text tower's small products are up to 20 times slower where OpenBLAS'
            # threads wait for each other beside an index (cli/threads.py).
            env={"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": _arenas()} | engine_environment(),
            start_new_session=sys.platform != "win32",
            umask=umask_of_person(),
            creationflags=_windows_flags(),
        )
    # It outlives us; while both live, somebody must take note of its end, else its number stays
    # taken. The thread also holds the object, which would complain where we end first.
    threading.Thread(target=process.wait, name="engine-end", daemon=True).start()
    return process


def _arenas() -> str:
    """How many heaps glibc may share out among the threads; by itself 8 a processor.

    What is free in one serves no other thread: an index of 60,000 files took 30 MB more.
    """
    return str(max(2, (os.cpu_count() or 1) // 4))


def _new_log(library: Path) -> BufferedWriter:
    """An empty log; appended to, so that whoever empties it meanwhile leaves no hole."""
    try:
        path = log_file(library)
        path.write_bytes(b"")
        path.chmod(0o600)
        return path.open("ab")
    except OSError as error:
        raise UserError(
            tr("The engine can't be started: the folder of its address and log can't be written."),
            f"{error.filename}: {error.strerror}.",
            tr("Make room there, or name another folder in the variable COCADESK_CACHE."),
        ) from error


def start_failure(library: Path) -> UserError:
    """The error for an engine that ended at its start, with its last line."""
    try:
        lines = log_file(library).read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return UserError(
        tr("The engine could not start."),
        lines[-1] if lines else "",
        tr("Its log: {log_file}", log_file=log_file(library)),
    )


def _windows_flags() -> int:
    if sys.platform != "win32":
        return 0
    return subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":
        return False  # os.kill would end the process there; a dead address is enough
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
