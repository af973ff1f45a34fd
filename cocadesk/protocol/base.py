"""The bases of all values and messages."""

from __future__ import annotations

from typing import TypeVar

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all values: immutable, by keyword; defaults are not sent."""


class Message(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=True
):
    """Base of all messages: the class name travels as ``type``."""


AnyValue = TypeVar("AnyValue", bound=Value | Message)


def changed(value: AnyValue, **changes: object) -> AnyValue:
    """The value with other contents in these fields."""
    return msgspec.structs.replace(value, **changes)
