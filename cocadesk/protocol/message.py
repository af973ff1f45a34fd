"""The base of all messages."""

from __future__ import annotations

import msgspec


class Message(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=True
):
    """Base of all messages: the class name travels as ``type``."""
