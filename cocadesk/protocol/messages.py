"""Every message between the engine and its clients.

Client to engine: ``Hello``, then any number of ``Request`` and ``Cancel``.
Engine to client: ``Welcome`` or ``Refused``, then for each request any number
of ``Progress`` and ``Partial`` and exactly one of ``Done``, ``Failed`` and
``Cancelled``; and ``Event`` for those that asked for events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

from cocadesk.protocol.albums import *  # noqa: F403 - one place to import messages from
from cocadesk.protocol.browsing import *  # noqa: F403
from cocadesk.protocol.explaining import *  # noqa: F403
from cocadesk.protocol.filters import *  # noqa: F403
from cocadesk.protocol.groups import *  # noqa: F403
from cocadesk.protocol.groups import GroupsChanged
from cocadesk.protocol.maps import *  # noqa: F403
from cocadesk.protocol.moving import *  # noqa: F403
from cocadesk.protocol.replies import *  # noqa: F403
from cocadesk.protocol.replies import ReplyBody
from cocadesk.protocol.requests import *  # noqa: F403
from cocadesk.protocol.requests import RequestBody
from cocadesk.protocol.suggestions import *  # noqa: F403
from cocadesk.protocol.tags import *  # noqa: F403
from cocadesk.protocol.values import (
    JobValue,
    Message,
    ModelValue,
    Priority,
    RunValue,
    TeachPoint,
    WorkState,
)

PROTOCOL_VERSION = 12

# What happens without being asked ----------------------------------------------------


class RowsChanged(Message, frozen=True):
    """Rows came or changed; ``keys`` empty means: any may have.

    ``only_suggestions``: nothing but captions and tags that a model suggests.
    """

    keys: tuple[str, ...] = ()
    only_suggestions: bool = False


class JobChanged(Message, frozen=True):
    job: JobValue


class ModelChanged(Message, frozen=True):
    model: ModelValue


class RunChanged(Message, frozen=True):
    """A run moved: its new points (those since the last event) and its state."""

    run: RunValue
    points: tuple[TeachPoint, ...] = ()


class AnnotationsChanged(Message, frozen=True):
    """Titles of the next undo and redo; empty where there is none."""

    undo_title: str = ""
    redo_title: str = ""


EventBody = (
    RowsChanged | JobChanged | ModelChanged | RunChanged | AnnotationsChanged | GroupsChanged
)


if TYPE_CHECKING:
    AnyRequest = RequestBody
    AnyReply = ReplyBody
else:
    # The wire's decoder wants every class by name, to tell them apart by their type.
    AnyRequest = Union[tuple(RequestBody.__subclasses__())]  # noqa: UP007
    AnyReply = Union[tuple(ReplyBody.__subclasses__())]  # noqa: UP007

# Envelopes ---------------------------------------------------------------------------


class Hello(Message, frozen=True):
    """The first frame of a client, within a few seconds of connecting."""

    protocol: int
    token: str
    client: str = ""
    events: bool = False


class Request(Message, frozen=True):
    """``id`` is the client's own and unique on its connection."""

    id: int
    body: AnyRequest
    priority: Priority = Priority.INTERACTIVE


class Cancel(Message, frozen=True):
    """Stop working on that request; its answer is then ``Cancelled``."""

    id: int


class Welcome(Message, frozen=True):
    protocol: int
    library_id: str
    schema: str
    engine_pid: int


class Refused(Message, frozen=True):
    """Instead of ``Welcome``; the connection ends."""

    what: str
    why: str = ""
    what_to_do: str = ""


class Progress(Message, WorkState, frozen=True, kw_only=True):
    """The state of a long request; a slow client misses some of these."""

    id: int


class Partial(Message, frozen=True):
    id: int
    body: AnyReply


class Done(Message, frozen=True):
    id: int
    body: AnyReply


class Failed(Message, frozen=True):
    """The sentences of a UserError, or ``is_bug`` and a pointer to the log."""

    id: int
    what: str
    why: str = ""
    what_to_do: str = ""
    is_bug: bool = False


class Cancelled(Message, frozen=True):
    id: int


class Event(Message, frozen=True):
    body: EventBody


ClientMessage = Hello | Request | Cancel
EngineMessage = Welcome | Refused | Progress | Partial | Done | Failed | Cancelled | Event
FinalMessage = Done | Failed | Cancelled
