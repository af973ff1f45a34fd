"""Messages on the wire: frames of four bytes of length (big endian), then JSON."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from cocadesk.protocol.messages import ClientMessage, EngineMessage, Request

HEADER_BYTES = 4
MAX_FRAME_BYTES = 32 * 1024 * 1024
MAX_HELLO_BYTES = 64 * 1024

_LENGTH = struct.Struct(">I")
_ENCODER = msgspec.json.Encoder()
_FROM_CLIENT: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_FROM_ENGINE: msgspec.json.Decoder[EngineMessage] = msgspec.json.Decoder(EngineMessage)


class ProtocolError(Exception):
    """The other side sent something that is no message of ours."""


def frame(payload: bytes) -> bytes:
    """The payload with its length before it.

    Raises:
        ProtocolError: it is longer than a frame may be.
    """
    if len(payload) > MAX_FRAME_BYTES:
        raise ProtocolError(f"a message of {len(payload)} bytes is too long")
    return _LENGTH.pack(len(payload)) + payload


class FrameReader:
    """Cuts a stream of bytes into payloads; one for each connection."""

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self._buffer = bytearray()
        self.max_bytes = max_bytes

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every payload that is complete once ``data`` has arrived.

        Raises:
            ProtocolError: a length beyond the limit, from a foreign client.
        """
        self._buffer += data
        while len(self._buffer) >= HEADER_BYTES:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > self.max_bytes:
                raise ProtocolError(f"a message of {length} bytes is too long")
            end = HEADER_BYTES + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[HEADER_BYTES:end])
            del self._buffer[:end]
            yield payload


def encode(message: ClientMessage | EngineMessage) -> bytes:
    """The whole frame of a message.

    Raises:
        ProtocolError: it is too long, or a text in it holds half a letter.
    """
    try:
        return frame(_ENCODER.encode(message))
    except UnicodeEncodeError as error:
        raise ProtocolError(str(error)) from error


class _Named(msgspec.Struct):
    """What tells a request from other messages, and its number."""

    type: str
    id: int


_NAMED: msgspec.json.Decoder[_Named] = msgspec.json.Decoder(_Named)


def request_id(payload: bytes) -> int | None:
    """The number of a request whose body may be none of ours; None of anything else."""
    try:
        named = _NAMED.decode(payload)
    except msgspec.MsgspecError:
        return None
    return named.id if named.type == Request.__name__ else None


def decode_client_message(payload: bytes) -> ClientMessage:
    """The message in a client's payload.

    Raises:
        ProtocolError: it is no message of this protocol.
    """
    try:
        return _FROM_CLIENT.decode(payload)
    except msgspec.MsgspecError as error:
        raise ProtocolError(str(error)) from error


def decode_engine_message(payload: bytes) -> EngineMessage:
    """The message in an engine's payload.

    Raises:
        ProtocolError: it is no message of this protocol.
    """
    try:
        return _FROM_ENGINE.decode(payload)
    except msgspec.MsgspecError as error:
        raise ProtocolError(str(error)) from error
