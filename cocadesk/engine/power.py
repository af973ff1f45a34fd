"""The computer's power, as far as the system tells: mains or battery."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from cocadesk.errors import tr

SUPPLIES = Path("/sys/class/power_supply")
_STANDS_S = 5.0
_MOST_REST_S = 1.0


class Power:
    """Knows whether the computer runs on its battery; cheap to ask, looked at now and then.

    Linux alone tells; elsewhere there is always mains power. ``sleep`` is how work rests.
    """

    def __init__(
        self,
        supplies: Path = SUPPLIES,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._supplies = supplies
        self._clock = clock
        self._sleep = sleep
        self._looked_at_s: float | None = None
        self._is_on_battery = False

    def is_on_battery(self) -> bool:
        """True where a battery is being emptied."""
        now_s = self._clock()
        if self._looked_at_s is None or now_s - self._looked_at_s >= _STANDS_S:
            self._looked_at_s = now_s
            self._is_on_battery = _is_discharging(self._supplies)
        return self._is_on_battery

    def rest(self, worked_s: float) -> None:
        """Rest on battery as long as was worked; a second at most, for whoever stops the work."""
        if self.is_on_battery():
            self._sleep(min(worked_s, _MOST_REST_S))

    def said_of(self, stage: str) -> str:
        """The stage of a job that rests, for people."""
        if not self.is_on_battery():
            return stage
        return tr("{stage}, at half speed on battery", stage=stage)


def _is_discharging(supplies: Path) -> bool:
    """True where a battery of the computer, not of a mouse or the like, is being emptied."""
    try:
        found = list(supplies.iterdir())
    except OSError:
        return False
    return any(
        _read(one / "type") == "Battery"
        and _read(one / "scope") != "Device"
        and _read(one / "status") == "Discharging"
        for one in found
    )


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, ValueError):
        return ""
