"""One writing machine at a time: a lease in the object store that its holder renews.

The kernel's lock holds off other processes of this machine and dies with them; a lease can
only run out. All times are the store's own (of an object written now, and of the lease), so
machines with wrong clocks agree.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from dataclasses import asdict, dataclass
from uuid import uuid4

from cocadesk.errors import UserError, decimal, tr
from cocadesk.library.object_store import ObjectStore

LEASE_NAME = "lease.json"
LEASE_S = 60.0
"""A machine that crashed keeps others from writing for so long."""
_RENEWALS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """The content of a lease; ``owner`` "" is one that was given back."""

    owner: str = ""
    machine: str = ""
    seconds: float = LEASE_S
    nonce: str = ""

    @classmethod
    def of(cls, data: bytes) -> _Held:
        try:
            return cls(**json.loads(data))
        except (ValueError, TypeError):
            return cls()  # damaged: nobody's

    def encoded(self) -> bytes:
        return json.dumps(asdict(self)).encode()


class Lease:
    """The lease of one library, taken for ``owner``; a crash of the same owner is taken over."""

    def __init__(self, store: ObjectStore, owner: str, *, seconds: float = LEASE_S) -> None:
        self._store = store
        self._owner = f"{owner} {socket.gethostname()}"
        self._seconds = seconds
        self._lock = threading.Lock()
        self._tag: str | None = None
        self._renewed = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self) -> None:
        """Take the lease, and renew it on a thread until ``release``.

        Raises:
            UserError: another machine has it (named), or the store can't be asked.
        """
        tag, held = self._found()
        if held.owner not in ("", self._owner) and not self._is_over(held):
            raise self._taken(held)
        with self._lock:
            self._write(tag)
        if self._tag is None:
            raise self._taken(self._found()[1])
        self._thread = threading.Thread(target=self._renew_always, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Make sure that nobody else may write, asking the store where that is not certain.

        Raises:
            UserError: another machine has taken over, or the store can't be asked.
        """
        if self._age() > self._seconds / 2:
            self._renew()
        if self._tag is None:
            raise UserError(
                tr("Another machine has taken over the library {uri}.", uri=self._store.uri),
                tr(
                    "This one could not renew its right to write in time "
                    "(it slept, or was cut off)."
                ),
                tr("What was committed before is kept; close the library and open it again."),
            )

    def release(self) -> None:
        """Give the lease back; where the store can't be asked, it runs out."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock, contextlib.suppress(UserError):
            if self._tag is not None:
                self._store.swap(LEASE_NAME, _Held(nonce=uuid4().hex).encoded(), self._tag)
        self._tag = None

    def _found(self) -> tuple[str | None, _Held]:
        try:
            data, mark = self._store.read_marked(LEASE_NAME)
        except FileNotFoundError:
            return None, _Held()
        return mark.tag, _Held.of(data)

    def _is_over(self, held: _Held) -> bool:
        """True where a lease was not renewed in its time, by the clock of the store."""
        probe = f"lease-{uuid4().hex}.probe"
        try:
            self._store.write(probe, b"")
            now = self._store.read_marked(probe)[1].when
            renewed = self._store.read_marked(LEASE_NAME)[1].when
        except FileNotFoundError:  # somebody has removed the lease just now
            return True
        finally:
            self._store.delete([probe])
        return (now - renewed).total_seconds() >= held.seconds

    def _write(self, tag: str | None) -> None:
        began = self._now()
        mine = _Held(
            owner=self._owner,
            machine=socket.gethostname(),
            seconds=self._seconds,
            nonce=uuid4().hex,
        )
        found = self._store.swap(LEASE_NAME, mine.encoded(), tag)
        if found is None:
            # The answer to a write that was done may have been lost: then it is ours still.
            # Where the store can't say so now, the tag of before stays, to be tried again.
            there, held = self._found()
            if there is not None and held.owner == self._owner:
                found = self._store.swap(LEASE_NAME, mine.encoded(), there)
        self._tag = found
        self._renewed = began

    def _now(self) -> float:
        # Not the monotonic clock: it stands still while the machine sleeps.
        return time.time()

    def _age(self) -> float:
        return abs(self._now() - self._renewed)

    def _renew(self) -> None:
        with self._lock:
            if self._tag is not None:
                self._write(self._tag)

    def _renew_always(self) -> None:
        while not self._ended.wait(self._seconds / _RENEWALS or LEASE_S):
            with contextlib.suppress(UserError):  # whoever writes next says so
                self._renew()

    def _taken(self, held: _Held) -> UserError:
        return UserError(
            tr(
                "The library {uri} is already open for writing on the machine {machine}.",
                uri=self._store.uri,
                machine=held.machine or "?",
            ),
            tr("Only one engine at a time may write a library."),
            tr(
                "Close it there; after a crash there, it is free in {seconds} seconds.",
                seconds=decimal(held.seconds, 0),
            ),
        )
