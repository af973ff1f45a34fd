"""The door to Ray: workers on this computer or on a cluster, and what they answer.

Ray is an optional package and is imported when workers are first started.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, TypeVar

from cocadesk.errors import UserError, tr
from cocadesk.indexing.range_reader import (
    OpenedReader,
    RangeAnswer,
    RangeReader,
    UnseenFile,
    WantedFile,
)
from cocadesk.indexing.ray_process import HOST, RayProcess, not_started

_LOG = logging.getLogger(__name__)
_STORE_BYTES, _STORE_BYTES_EACH = 128 << 20, 8 << 20
_CONNECT_S = 10.0
_CHECK_S = 5.0
_LEAVE_S = 3.0
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_ALWAYS = {
    "RAY_usage_stats_enabled": "0",  # its makers are told nothing
    "RAY_SCHEDULER_EVENTS": "0",
    # Else SIGTERM would end this process at once: Ray's handler takes the place of ours.
    "RAY_DISABLE_FAILURE_SIGNAL_HANDLER": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Else this process would be ended a minute after its cluster: no time to end in order.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
}
_LOCAL = {
    "RAY_usage_stats_enabled": "0",
    # The switch by which Ray keeps to the loopback address, as it does on Windows and macOS.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Else its agents outlive what started them.
    "RAY_enable_pipe_based_agent_to_parent_health_check": "1",
    "RAY_worker_niceness": "0",  # decoders give way, and beside them the model does not wait
}

T = TypeVar("T")


class WorkerLostError(Exception):
    """The process of a worker has ended, its computer is gone, or it failed: ``is_error``."""

    def __init__(self, why: str, *, is_error: bool = False) -> None:
        super().__init__(why)
        self.is_error = is_error


@dataclass(frozen=True, slots=True, kw_only=True)
class RayOptions:
    """Workers on this computer (as many as processors unless told), or on a cluster.

    ``address`` is HOST:PORT of the cluster's head, or "auto" for the one that this computer
    belongs to.
    """

    workers: int = 0
    address: str = ""


def require_ray(package: str = "ray") -> None:
    """Make sure that Ray is here, without importing it; tests name another package.

    Raises:
        UserError: it is not installed.
    """
    if find_spec(package) is None:
        raise UserError(
            tr("Ray is not installed."),
            tr("Indexing with --ray needs it, and CocaDesk does not bring it along."),
            tr('Install it: pip install "cocadesk[ray]".'),
        )


class Call(Generic[T]):
    """Something that a worker does; its answers come one by one."""

    def __init__(self, generator: Any) -> None:
        self.generator = generator

    def next(self) -> T | None:
        """The next answer, None after the last; for a call that is ``ready``.

        Raises:
            WorkerLostError: the worker is gone, or failed.
        """
        import ray

        try:
            answer: T = ray.get(next(self.generator))
        except StopIteration:
            return None
        except ray.exceptions.RayTaskError as error:
            cause = error.cause or error
            why = f"{cause}" if isinstance(cause, UserError) else f"{type(cause).__name__}: {cause}"
            raise WorkerLostError(why.partition("\n")[0], is_error=True) from error
        except ray.exceptions.RayError as error:
            raise WorkerLostError(f"{error}".strip().partition("\n")[0]) from error
        # Arrays would lie in Ray's memory, which goes with its end.
        return copy.deepcopy(answer)


class RemoteReader:
    """A ``RangeReader`` in a process of Ray's."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._looking: Any = None
        self._leaving: Any = None
        self._leaves_by_s = 0.0
        self._seen: dict[bytes, float] = {}

    def open(self) -> Call[OpenedReader]:
        """Let it open its model."""
        return Call(self._actor.open.remote())

    def read(
        self, files: Sequence[WantedFile], *, is_metadata: bool
    ) -> Call[list[RangeAnswer | UnseenFile]]:
        """Let it read these files, behind those that it has."""
        return Call(self._actor.read.remote(files, is_metadata=is_metadata))

    def under_way(self) -> dict[bytes, float]:
        """The videos in its hands, as of a moment ago; never waits."""
        import ray

        if self._looking is not None and ray.wait([self._looking], timeout=0)[0]:
            done, self._looking = self._looking, None
            with contextlib.suppress(ray.exceptions.RayError):
                self._seen = ray.get(done)
        if self._looking is None:
            self._looking = self._actor.under_way.options(concurrency_group="look").remote()
        return self._seen

    def leave(self) -> None:
        """Let it take its files away; for one that is open."""
        self._leaving = self._actor.leave.options(concurrency_group="look").remote()
        self._leaves_by_s = time.monotonic() + _LEAVE_S

    def end(self) -> None:
        """End its process, in the middle of whatever it does."""
        import ray

        if self._leaving is not None:
            ray.wait([self._leaving], timeout=max(0.0, self._leaves_by_s - time.monotonic()))
        with contextlib.suppress(ray.exceptions.RayError):
            ray.kill(self._actor)


class RayCluster:
    """Ray of this process, from ``start`` to ``close``.

    On this computer it listens on the loopback address alone, behind a secret of its own, and
    its files go with it. Where the process uses Ray already, that is taken and left as it is.
    ``command`` starts it, and is given up after ``start_s`` seconds; it is killed where it has
    not ended after ``end_s``.
    """

    def __init__(
        self,
        options: RayOptions,
        *,
        command: Sequence[str] = (sys.executable, "-P", "-m", HOST),
        start_s: float = 120.0,
        end_s: float = 20.0,
    ) -> None:
        self._options = options
        self._process = RayProcess(command, start_s=start_s, end_s=end_s)
        self._is_ours = False
        self._address = ""
        self._checked_s = 0.0
        self._environment: dict[str, str | None] = {}

    def start(self, is_stopped: Callable[[], bool] = lambda: False) -> int:
        """Start or join it; gives the number of workers that it is to have, 0 where stopped.

        Raises:
            UserError: it is not installed, does not start, or is not there.
        """
        require_ray()
        imported = sys.modules.get("ray")
        if imported is None or not imported.is_initialized():
            self._set_environment(_ALWAYS)  # before Ray is imported
            if self._options.address:
                look_for(self._options.address)
            address = self._options.address or self._start_host(is_stopped)
            if not address:
                self.close()
                return 0
            self._join(address)
        import ray

        self._address = ray.get_runtime_context().gcs_address
        if self._options.workers:
            return self._options.workers
        return max(1, int(ray.cluster_resources().get("CPU", 1)))

    def reader(self, reader: partial[RangeReader]) -> RemoteReader:
        """A new worker; it begins when there is a processor for it.

        Raises:
            UserError: Ray has ended.
        """
        import ray

        self._check()  # else the call below would not come back
        actors = ray.remote(concurrency_groups={"look": 1})(reader.func)
        options = {"num_cpus": 1, "max_restarts": 0, "scheduling_strategy": "SPREAD"}
        return RemoteReader(actors.options(**options).remote(*reader.args, **reader.keywords))

    def ready(self, calls: Sequence[Call[Any]], timeout_s: float) -> list[Call[Any]]:
        """A call that has an answer or has ended, as soon as there is one.

        Raises:
            UserError: Ray has ended.
        """
        import ray

        if time.monotonic() - self._checked_s > _CHECK_S:
            self._check()
        generators = [call.generator for call in calls]
        found, _ = ray.wait(generators, num_returns=1, timeout=timeout_s)
        return [call for call in calls if any(call.generator is one for one in found)]

    def close(self) -> None:
        """End it, unless it was there before."""
        if self._is_ours:
            import ray

            ray.shutdown()
            self._is_ours = False
        self._process.end()
        for name, value in self._environment.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        self._environment.clear()

    def _check(self) -> None:
        """Make sure that it is still there: Ray waits for a head that is gone."""
        try:
            look_for(self._address)
        except UserError as error:
            raise UserError(
                tr("Ray has ended."), error.why, tr("Index again; it goes on from here.")
            ) from error
        self._checked_s = time.monotonic()

    def _set_environment(self, wanted: Mapping[str, str]) -> None:
        """Set variables until ``close``."""
        self._environment |= {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)

    def _start_host(self, is_stopped: Callable[[], bool]) -> str:
        """Start Ray on this computer; gives its address, none where stopped meanwhile."""
        workers = self._options.workers or processors()
        # Others on this computer can reach the loopback address too. Without a secret, Ray
        # would write one of its own into the person's home.
        secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._set_environment(secret)
        store_bytes = _STORE_BYTES + workers * _STORE_BYTES_EACH
        address = self._process.start(
            (str(workers), str(store_bytes)),
            {name: value for name, value in os.environ.items() if name not in _ALWAYS} | _LOCAL,
            is_stopped,
        )
        if address and address.rpartition(":")[0] not in _LOOPBACK:
            raise not_started(
                tr("It listens at {address}, where other computers can reach it.", address=address)
            )
        return address

    def _join(self, address: str) -> None:
        import ray
        from ray._private import ray_constants
        from ray._private import worker as ray_worker

        # What is in the environment is read once, when Ray is imported: another use of it may
        # have come before.
        raylet = import_module("ray._raylet")
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()
        if address != "auto":
            ray_constants.ENABLE_RAY_CLUSTER = address.rpartition(":")[0] not in _LOOPBACK
        # It says on stdout what befell its workers, where a command's document goes.
        ray_worker.print_to_stdstream = _log_lines
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
        except Exception as error:
            raise _nothing_at(address, " ".join(f"{error}".split())) from error
        self._is_ours = True


def begin_alone(workers: int, store_bytes: int, folder: Path) -> str:
    """Ray of the calling process, its files in ``folder``; gives its address."""
    import ray

    ray.init(
        address="local",
        num_cpus=workers,
        include_dashboard=False,
        object_store_memory=store_bytes,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=str(folder),
    )
    address: str = ray.get_runtime_context().gcs_address
    return address


def end_alone() -> None:
    """End what ``begin_alone`` began; nothing where it could not."""
    if "ray" in sys.modules:
        import ray

        ray.shutdown()


def processors() -> int:
    """The processors that this process may use."""
    is_told = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if is_told else os.cpu_count() or 1


def look_for(address: str) -> None:
    """Make sure that something answers: Ray itself would wait for it for a day.

    Raises:
        UserError: nothing does, or the address is none.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise UserError(
            tr("{address} is no address of a Ray cluster.", address=address),
            "",
            tr("Give HOST:PORT of its head, or auto."),
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise _nothing_at(address, f"{getattr(error, 'strerror', '') or error}.") from error


def _nothing_at(address: str, why: str) -> UserError:
    return UserError(
        tr("There is no Ray cluster at {address}.", address=address), why, tr("Check the address.")
    )


def _log_lines(data: dict[str, Any], ignore_prefix: bool) -> None:
    for line in data.get("lines", ()):
        _LOG.info("%s", line)
