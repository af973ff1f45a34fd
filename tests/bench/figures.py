"""A table of measured numbers beside what they must reach and what they aim at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number; ``bar`` must be reached, ``aim`` should (None: it is only shown).

    ``is_most``: the number may be at most the bar, else at least.
    """

    name: str
    value: float
    unit: str = ""
    bar: float | None = None
    aim: float | None = None
    is_most: bool = True

    @property
    def is_reached(self) -> bool:
        """True where the bar is reached, or there is none."""
        if self.bar is None:
            return True
        return self.value <= self.bar if self.is_most else self.value >= self.bar

    def line(self) -> str:
        """The figure as a row of a Markdown table."""
        sign = "≤" if self.is_most else "≥"
        limits = [
            "" if limit is None else f"{sign} {limit:g} {self.unit}".rstrip()
            for limit in (self.bar, self.aim)
        ]
        value = f"{self.value:.3g}" if self.value < 1000 else f"{self.value:,.0f}"
        mark = "" if self.bar is None else "yes" if self.is_reached else "**no**"
        return f"| {self.name} | {value} {self.unit} | {limits[0]} | {limits[1]} | {mark} |"


HEAD = "| number | measured | must | aim | reached |\n|---|---|---|---|---|"


def print_table(figures: Sequence[Figure]) -> None:
    """Print all rows; a benchmark prints them as they come, and this at its end."""
    print(HEAD)
    for figure in figures:
        print(figure.line())


def exit_code(figures: Sequence[Figure]) -> int:
    """1 where one falls short of its bar."""
    return 0 if all(figure.is_reached for figure in figures) else 1
