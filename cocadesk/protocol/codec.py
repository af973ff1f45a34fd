"""Messages to frames and back."""

from __future__ import annotations

import msgspec

from cocadesk.protocol.framing import ProtocolError, frame
from cocadesk.protocol.messages import ClientMessage, EngineMessage

_ENCODER = msgspec.json.Encoder()
_FROM_CLIENT: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_FROM_ENGINE: msgspec.json.Decoder[EngineMessage] = msgspec.json.Decoder(EngineMessage)


def encode(message: ClientMessage | EngineMessage) -> bytes:
    """The whole frame of a message."""
    return frame(_ENCODER.encode(message))


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
