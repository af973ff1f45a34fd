"""Paths on the wire: text for people, bytes for programs."""

from __future__ import annotations

import base64
import os

import msgspec

# C0 without the tab, C1, what ends a line, what turns the reading direction round, and the
# halves of letters that no encoding has.
_STEERING = (
    *range(9),
    *range(10, 32),
    *range(127, 160),
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),
)
_SPELLED_OUT = {code: ascii(chr(code))[1:-1] for code in _STEERING}


def printable(text: str) -> str:
    """A name for people: letters that steer a terminal or turn a line round are spelled out."""
    return text.translate(_SPELLED_OUT)


class WirePath(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file's path in a message.

    ``text`` is for display; ``raw`` is the base64 of the bytes and is there
    only where the bytes are not UTF-8, so that no file name is ever lost.
    """

    text: str
    raw: str | None = None

    @classmethod
    def of(cls, path: bytes | str | os.PathLike[str]) -> WirePath:
        """The message form of a path of this machine."""
        data = os.fsencode(path)
        try:
            return cls(data.decode("utf-8"))
        except UnicodeDecodeError:
            text = os.fsdecode(data).encode("utf-8", "replace").decode()
            return cls(text, base64.b64encode(data).decode("ascii"))

    def to_bytes(self) -> bytes:
        """The path as the file system knows it."""
        if self.raw is not None:
            return base64.b64decode(self.raw)
        return os.fsencode(self.text)

    def to_str(self) -> str:
        """The path for ``open``; bytes that are not UTF-8 as surrogates."""
        return os.fsdecode(self.to_bytes())
