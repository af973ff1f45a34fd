"""Every message between the engine and its clients.

Client to engine: ``Hello``, then any number of ``Request`` and ``Cancel``.
Engine to client: ``Welcome`` or ``Refused``, then for each request any number
of ``Progress`` and ``Partial`` and exactly one of ``Done``, ``Failed`` and
``Cancelled``; and ``Event`` for those that asked for events.
"""

from __future__ import annotations

import msgspec

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CountsValue,
    FailureValue,
    Hit,
    IndexOutcome,
    JobAction,
    JobValue,
    ModelValue,
    Priority,
    RootValue,
    Row,
    TagValue,
)

PROTOCOL_VERSION = 1


class Message(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=True
):
    """Base of all messages: the class name travels as ``type``."""


# What a client may ask ---------------------------------------------------------------


class Search(Message, frozen=True):
    """Media that fit the words, best first; answered by ``Hits``."""

    text: str
    limit: int = 200


class Similar(Message, frozen=True):
    """Media that look like this one, best first; answered by ``Hits``."""

    key: str
    limit: int = 200


class ListNewest(Message, frozen=True):
    """Keys by date, newest first, a stretch at a time; answered by ``Keys``."""

    offset: int = 0
    limit: int = 2000


class GetRows(Message, frozen=True):
    """The rows of these keys, in their order; unknown keys are left out."""

    keys: tuple[str, ...]


class GetDetail(Message, frozen=True):
    """One row with all that is stored of it; answered by ``Detail``."""

    key: str


class Describe(Message, frozen=True):
    """Caption and tags; computed and kept where missing; ``Description``."""

    key: str


class GetPreview(Message, frozen=True):
    """A screen-sized JPEG, upright and in sRGB; answered by ``Preview``."""

    key: str


class StartIndex(Message, frozen=True):
    """Adds the folders and indexes them; none means all known folders."""

    folders: tuple[WirePath, ...] = ()


class ListJobs(Message, frozen=True):
    """Jobs of this library, newest first; answered by ``Jobs``."""


class ControlJob(Message, frozen=True):
    """Pauses, resumes or cancels a job; answered by ``JobReply``."""

    job_id: str
    action: JobAction


class WatchJob(Message, frozen=True):
    """Streams a job's ``Progress`` until it ends; answered by ``JobReply``."""

    job_id: str


class ListFailures(Message, frozen=True):
    """Files that could not be read; answered by ``Failures``."""

    offset: int = 0
    limit: int = 1000


class ListRoots(Message, frozen=True):
    """The folders that the library covers; answered by ``Roots``."""


class GetInfo(Message, frozen=True):
    """Counts, model and schema; answered by ``Info``."""


class StopEngine(Message, frozen=True):
    """Ends the engine after this answer; running jobs go on at the next start."""


RequestBody = (
    Search
    | Similar
    | ListNewest
    | GetRows
    | GetDetail
    | Describe
    | GetPreview
    | StartIndex
    | ListJobs
    | ControlJob
    | WatchJob
    | ListFailures
    | ListRoots
    | GetInfo
    | StopEngine
)


# What the engine answers -------------------------------------------------------------


class Hits(Message, frozen=True):
    """Best first; ``complete`` is False where the limit cut the list."""

    hits: tuple[Hit, ...]
    complete: bool = True
    seconds: float = 0.0


class Keys(Message, frozen=True):
    """A stretch of keys and how many there are in all."""

    keys: tuple[str, ...]
    offset: int = 0
    total: int = 0


class Rows(Message, frozen=True):
    rows: tuple[Row, ...]


class Detail(Message, frozen=True):
    row: Row


class Description(Message, frozen=True):
    """Words for one medium; ``reason`` says why some are missing."""

    key: str
    caption: str | None = None
    caption_by_person: bool = False
    tags: tuple[TagValue, ...] = ()
    reason: str = ""


class Preview(Message, frozen=True):
    key: str
    path: WirePath
    width: int
    height: int


class JobReply(Message, frozen=True):
    """A job; ``outcome`` comes with the end of an index job."""

    job: JobValue
    outcome: IndexOutcome | None = None


class Jobs(Message, frozen=True):
    jobs: tuple[JobValue, ...]


class Failures(Message, frozen=True):
    failures: tuple[FailureValue, ...]
    total: int


class Roots(Message, frozen=True):
    roots: tuple[RootValue, ...]


class Info(Message, frozen=True):
    library_id: str
    folder: WirePath
    schema: str
    counts: CountsValue
    model: ModelValue


class Ok(Message, frozen=True):
    """It is done; there is nothing to tell."""


ReplyBody = (
    Hits
    | Keys
    | Rows
    | Detail
    | Description
    | Preview
    | JobReply
    | Jobs
    | Failures
    | Roots
    | Info
    | Ok
)


# What happens without being asked ----------------------------------------------------


class RowsChanged(Message, frozen=True):
    """Rows came or changed; ``keys`` empty means: any may have."""

    keys: tuple[str, ...] = ()


class JobChanged(Message, frozen=True):
    job: JobValue


class ModelChanged(Message, frozen=True):
    model: ModelValue


EventBody = RowsChanged | JobChanged | ModelChanged


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
    body: RequestBody
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


class Progress(Message, frozen=True):
    """How far a long request is; a slow client misses some of these."""

    id: int
    stage: str = ""
    done: int = 0
    total: int | None = None
    failed: int = 0
    seconds_left: float | None = None
    current: str = ""


class Partial(Message, frozen=True):
    id: int
    body: ReplyBody


class Done(Message, frozen=True):
    id: int
    body: ReplyBody


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
