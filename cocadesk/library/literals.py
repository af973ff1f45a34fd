"""Literals and lists for the store's filters (SQL)."""

from __future__ import annotations

from collections.abc import Collection


def literal(value: str | bytes) -> str:
    """A text, with its quotes doubled, or bytes as a literal."""
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    return "'" + value.replace("'", "''") + "'"


def is_in(column: str, values: Collection[str | bytes]) -> str:
    """The condition ``column IN (…)``; of nothing it is false."""
    return f"{column} IN ({', '.join(map(literal, values))})" if values else "false"
