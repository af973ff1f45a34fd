"""Literals and lists for the store's filters (SQL)."""

from __future__ import annotations

from collections.abc import Sequence


def text_literal(text: str) -> str:
    """``text`` as a literal, with its quotes doubled."""
    return "'" + text.replace("'", "''") + "'"


def bytes_literal(data: bytes) -> str:
    """``data`` as a literal."""
    return f"X'{data.hex()}'"


def is_in(column: str, literals: Sequence[str]) -> str:
    """The condition ``column IN (…)``; of nothing it is false."""
    return f"{column} IN ({', '.join(literals)})" if literals else "false"
