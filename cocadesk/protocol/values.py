"""The values that messages carry: rows, jobs, facts of the library."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cocadesk.protocol.paths import WirePath


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all values: immutable, by keyword; defaults are not sent."""


class Priority(StrEnum):
    """Who waits for the answer: a person, what is on the screen, or nobody."""

    INTERACTIVE = "interactive"
    VISIBLE = "visible"
    BATCH = "batch"


class MediaKind(StrEnum):
    PHOTO = "photo"
    VIDEO = "video"


class JobKind(StrEnum):
    INDEX = "index"
    CAPTION = "caption"
    TAG = "tag"
    WRITE = "write"
    TEACH = "teach"
    CHANGE_OVER = "change-over"
    EXPORT = "export"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job will not move again."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class JobAction(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


class ModelState(StrEnum):
    ABSENT = "absent"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class Moment(Value, frozen=True):
    """A place in a video: seconds from its start and how well it matches."""

    time_s: float
    score: float


class Hit(Value, frozen=True):
    """One medium that answers a search; ``moments`` best first, for videos."""

    key: str
    score: float
    time_s: float | None = None
    moments: tuple[Moment, ...] = ()


class TagValue(Value, frozen=True):
    """A tag; the score is the machine's, None for a person's."""

    tag: str
    score: float | None = None
    by_person: bool = False


class Row(Value, frozen=True):
    """One medium, as much of it as a grid or a detail shows.

    ``width`` and ``height`` are pixels after orientation; ``taken`` is the
    camera's wall time as ISO text; ``thumbnail`` is a file in the library.
    """

    key: str
    path: WirePath
    name: str
    folder: str
    kind: MediaKind = MediaKind.PHOTO
    width: int = 0
    height: int = 0
    size_bytes: int = 0
    duration_s: float | None = None
    taken: str | None = None
    modified: str | None = None
    camera: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    rating: int | None = None
    title: str | None = None
    description: str | None = None
    thumbnail: WirePath | None = None
    caption: str | None = None
    caption_by_person: bool = False
    tags: tuple[TagValue, ...] = ()
    state: str = "present"


class FailureValue(Value, frozen=True):
    """A file that could not be read, with the reason in words."""

    path: WirePath
    reason: str
    stage: str = ""
    when: str = ""


class JobValue(Value, frozen=True):
    """A job as people see it: what it does, how far it is, how it ended."""

    id: str
    kind: JobKind
    title: str
    state: JobState
    stage: str = ""
    done: int = 0
    total: int | None = None
    failed: int = 0
    seconds_left: float | None = None
    current: str = ""
    message: str = ""
    created: str = ""
    finished: str = ""


class IndexOutcome(Value, frozen=True):
    """What an index job did, in files; ``seconds`` from first look to last commit."""

    indexed: int = 0
    unchanged: int = 0
    moved: int = 0
    copied: int = 0
    missing: int = 0
    offline: int = 0
    failed: tuple[FailureValue, ...] = ()
    seconds: float = 0.0


class ModelValue(Value, frozen=True):
    """The network in use, where it runs and why there."""

    state: ModelState
    name: str = ""
    model_id: str = ""
    image_id: str = ""
    device: str = ""
    precision: str = ""
    reason: str = ""


class CountsValue(Value, frozen=True):
    """Media of the library by what they are and where they are."""

    media: int = 0
    photos: int = 0
    videos: int = 0
    views: int = 0
    missing: int = 0
    offline: int = 0
    failed: int = 0


class RootValue(Value, frozen=True):
    """A folder that the library covers."""

    path: WirePath
    online: bool = True
