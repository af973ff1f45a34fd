"""Folders that live: when what has changed in them is due to be looked at.

Pure but for looks at the roots themselves, so that times are the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cocadesk.library.paths import device_and_inode

CALM = 20
"""A look may take at most this part of the time between two of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPace:
    """The times of watching.

    A file that is written is waited for until it was still for ``quiet_s``; the first change
    waits at most ``most_s`` for others. Roots are looked for every ``tick_s``. Their content is
    looked through every ``remote_every_s`` where the system does not tell of changes, and
    every ``watched_every_s`` where it does: events get lost.
    """

    quiet_s: float = 2.0
    most_s: float = 30.0
    tick_s: float = 3.0
    remote_every_s: float = 600.0
    watched_every_s: float = 6 * 3600.0


@dataclass(slots=True)
class _Since:
    first_s: float
    last_s: float


class Changes:
    """The roots in which something has changed, until they are due.

    A thousand changes at once are one look.
    """

    def __init__(self, pace: WatchPace) -> None:
        self._pace = pace
        self._roots: dict[bytes, _Since] = {}

    def note(self, root: bytes, now_s: float) -> None:
        """Something has changed in ``root``."""
        since = self._roots.setdefault(root, _Since(now_s, now_s))
        since.last_s = now_s

    def wait_s(self, now_s: float) -> float | None:
        """The seconds until something is due; None where nothing has changed."""
        due = [self._due_s(since) for since in self._roots.values()]
        return max(0.0, min(due) - now_s) if due else None

    def take(self, now_s: float) -> list[bytes]:
        """The roots to look at now: once one is due, the others come with it.

        A move from one to another is told of both, and is seen whole.
        """
        if not any(self._due_s(since) <= now_s for since in self._roots.values()):
            return []
        taken = sorted(self._roots)
        self._roots.clear()
        return taken

    def forget(self, roots: Iterable[bytes]) -> None:
        """Nothing is to be looked at in roots that are none any more."""
        for root in roots:
            self._roots.pop(root, None)

    def _due_s(self, since: _Since) -> float:
        return min(since.last_s + self._pace.quiet_s, since.first_s + self._pace.most_s)


class Looks:
    """The times at which each root is looked at without an event, and disks that come and go.

    ``identity_of`` gives device and inode of a folder, None where it is away.
    """

    def __init__(
        self,
        pace: WatchPace,
        *,
        identity_of: Callable[[bytes], tuple[int, int] | None] = device_and_inode,
    ) -> None:
        self._pace = pace
        self._identity_of = identity_of
        self._identities: dict[bytes, tuple[int, int] | None] = {}
        self._looked_at_s: dict[bytes, float] = {}
        self._took_s = 0.0

    def came_or_went(self, roots: Iterable[bytes]) -> list[bytes]:
        """The roots that are other folders than at the last call, e.g. on a disk put back."""
        now = {root: self._identity_of(root) for root in roots}
        moved = [r for r, one in now.items() if self._identities.get(r, one) != one]
        self._identities = now
        return moved

    def due(self, reasons: Mapping[bytes, str], now_s: float) -> list[bytes]:
        """The roots whose time has come; those never looked at before are due at once.

        ``reasons`` say of each why its changes are not told, or nothing.
        """
        return [
            root
            for root, reason in reasons.items()
            if root not in self._looked_at_s
            or now_s - self._looked_at_s[root] >= self._every_s(reason)
        ]

    def forget(self) -> None:
        """All are to be looked at again: nobody has watched them for a while."""
        self._looked_at_s.clear()

    def note(self, roots: Iterable[bytes], now_s: float, took_s: float | None = None) -> None:
        """These were looked at now, which took so long; None where it did other things too."""
        self._looked_at_s.update(dict.fromkeys(roots, now_s))
        self._took_s = self._took_s if took_s is None else took_s

    def _every_s(self, reason: str) -> float:
        every_s = self._pace.remote_every_s if reason else self._pace.watched_every_s
        return max(every_s, CALM * self._took_s)
