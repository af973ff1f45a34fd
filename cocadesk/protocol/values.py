"""The values that messages carry: rows, jobs, facts of the library."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from cocadesk.protocol.base import *  # noqa: F403 - one place to import values from
from cocadesk.protocol.base import Value
from cocadesk.protocol.job_values import *  # noqa: F403
from cocadesk.protocol.model_roles import *  # noqa: F403
from cocadesk.protocol.model_values import *  # noqa: F403
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.sorting import *  # noqa: F403


class Priority(StrEnum):
    """Urgency of a request: a person waits, it is on the screen, or nobody waits."""

    INTERACTIVE = "interactive"
    VISIBLE = "visible"
    BATCH = "batch"


class MediaKind(StrEnum):
    PHOTO = "photo"
    VIDEO = "video"


class Moment(Value, frozen=True):
    """A place in a video: seconds from its start and how well it matches."""

    time_s: float
    score: float


class PartValue(Value, frozen=True):
    """One more file of a medium: the RAW of a JPEG, the video of a Live Photo, a photo."""

    path: WirePath
    role: str


class Hit(Value, frozen=True):
    """One medium that answers a search, with what a list of results shows of it.

    ``parts`` are its other files. ``score`` is 0 where only filters were asked for: such media
    come newest first. Of a video, ``time_s`` is the best moment, ``moments`` are all, best
    first; ``thumbnail`` shows the best. That of a photo is named for the first ones only, to be
    seen before their rows come. ``copies`` are the other media of its group that it
    stands for. ``rank`` falls along the list. ``by`` says what it was found by: ``tag``,
    ``person``, ``album``, ``caption``, ``title``, ``keyword``, ``name``, ``folder``,
    ``description``, ``place``, ``camera``, ``suggested tag``, ``suggested caption``,
    ``picture``.
    ``probability`` is that of its showing what the text says, and ``relevant`` is
    False where the model does not believe it; None and True where that is not judged.
    """

    key: str
    score: float
    path: WirePath
    kind: MediaKind = MediaKind.PHOTO
    caption: str | None = None
    time_s: float | None = None
    moments: tuple[Moment, ...] = ()
    thumbnail: WirePath | None = None
    copies: int = 0
    parts: tuple[PartValue, ...] = ()
    rank: float = 0.0
    by: tuple[str, ...] = ()
    relevant: bool = True
    probability: float | None = None


class GroupLabel(StrEnum):
    """The link between media of a group, the closest first.

    The same bytes; the same picture (another size, format, crop or save); taken within seconds
    of each other and alike.
    """

    EXACT = "exact"
    SAME = "same"
    BURST = "burst"


NO_DAY = -1_000_000
"""A number that is no day: before the calendar."""


class Days(Value, frozen=True):
    """The days of a list in order of time, in its order, and the number of media of each.

    A day is a number of days since 1970-01-01; the time is that taken, else that of the file.
    Without either it is ``NO_DAY``.
    """

    days: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()


class VideoMoment(Value, frozen=True):
    """A stretch of a video in seconds, the frame that stands for it and its picture."""

    time_s: float
    start_s: float
    end_s: float
    thumbnail: WirePath | None = None


class DescriptionKind(StrEnum):
    """The kinds of description that a machine gives of a picture."""

    CAPTION = "caption"
    TAGS = "tags"


class TagValue(Value, frozen=True):
    """A tag; the score is the machine's, None for a person's."""

    tag: str
    score: float | None = None
    by_person: bool = False


class Row(Value, frozen=True):
    """One medium, as much of it as a grid or a detail shows; ``thumbnail`` is a file.

    ``width`` and ``height`` are pixels after orientation; ``taken`` is the camera's wall time.
    ``parts`` are the medium's files beside the one at ``path``. An empty ``caption`` by a person
    says that there shall be none. ``caption_score`` says how sure the machine is of its caption,
    0 to 1; None of a person's, and where it is not known.
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
    camera: str | None = None
    thumbnail: WirePath | None = None
    caption: str | None = None
    caption_by_person: bool = False
    caption_score: float | None = None
    tags: tuple[TagValue, ...] = ()
    state: str = "present"
    stars: int = 0
    flag: str = "none"
    favourite: bool = False
    hidden: bool = False
    parts: tuple[PartValue, ...] = ()


class Fact(Value, frozen=True):
    """One thing known of a medium: the field's ``name``, its label and value as text."""

    name: str
    label: str
    text: str


class FailureValue(Value, frozen=True):
    """A file that could not be read, with the reason as a sentence.

    ``is_passing``: the next index tries again though the file has not changed.
    """

    path: WirePath
    reason: str
    stage: str = ""
    when: str = ""
    is_passing: bool = False


class Scope(Value, frozen=True):
    """The media of a job: these and all under these folders (none: all), if they fit.

    ``filter`` is text in the grammar of ``cocadesk.search.filters``.
    """

    keys: tuple[str, ...] = ()
    folders: tuple[WirePath, ...] = ()
    filter: str = ""


class EditValue(Value, frozen=True):
    """One human word (or file written for one): who changed which field, from what to what.

    ``who`` is ``person`` or a model id, ``field`` a word for the field, ``album`` or ``file``;
    ``old`` and ``new`` are for people.
    """

    when: str
    who: str
    field: str
    old: str = ""
    new: str = ""
    is_undone: bool = False


class WriteKind(StrEnum):
    """The change that writing a caption beside a photo makes."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


class WriteItem(Value, frozen=True):
    """One ``.txt`` beside a photo; ``reason`` says why a file is kept."""

    path: WirePath
    kind: WriteKind
    new: str = ""
    old: str = ""
    reason: str = ""


class Report(Value, frozen=True, tag_field="type", tag=True):
    """Base of what a job of a kind reports at its end, and in between where it failed."""


class IndexReport(Report, frozen=True):
    """Numbers of an index job (or a switch of models), in files; ``videos`` of the indexed ones.

    The metadata of ``refreshed`` ones, unchanged or moved, were read again.
    ``seconds`` runs from the start of the scan to the last commit. ``unsettled`` ones were
    being written: only a job that begins by itself leaves them for the next. ``notes`` are
    sentences about computers of a cluster that read nothing.
    """

    indexed: int = 0
    videos: int = 0
    unchanged: int = 0
    refreshed: int = 0
    moved: int = 0
    copied: int = 0
    missing: int = 0
    offline: int = 0
    failed: tuple[FailureValue, ...] = ()
    seconds: float = 0.0
    unsettled: int = 0
    notes: tuple[str, ...] = ()


class WriteReport(Report, frozen=True):
    """Numbers of a write job, in files."""

    written: int = 0
    unchanged: int = 0
    skipped: tuple[WriteItem, ...] = ()


class TakeOverReport(Report, frozen=True):
    """Numbers of a job that takes texts beside media over as captions, in media.

    ``without`` have no text beside them.
    """

    taken: int = 0
    unchanged: int = 0
    without: int = 0
    skipped: tuple[WriteItem, ...] = ()


class CaptionReport(Report, frozen=True):
    """Numbers of a caption or tag job, in media; human captions are never replaced."""

    described: int = 0
    unchanged: int = 0
    by_person: int = 0
    failed: tuple[FailureValue, ...] = ()


class GroupReport(Report, frozen=True):
    """Numbers of a job that compares media: those compared, and all groups by label."""

    compared: int = 0
    exact: int = 0
    same: int = 0
    burst: int = 0
    seconds: float = 0.0


class TuningMethod(StrEnum):
    """The parts that learn: the text side and decoder, or the poolers as well."""

    HEAD = "head"
    DEEPER = "deeper"


class CaptionLines(StrEnum):
    """The meaning of a text's lines: seen in each text, a caption each, or all one caption."""

    AUTO = "auto"
    EACH = "each"
    JOINED = "joined"


class TeachSource(Value, frozen=True):
    """Photos to learn from: folders with texts beside them, and the library's annotated ones.

    ``keys`` and ``filter`` (see ``Scope``) narrow the library's photos; ``lines`` says
    what the lines of a text are.
    """

    folders: tuple[WirePath, ...] = ()
    uses_library: bool = False
    keys: tuple[str, ...] = ()
    filter: str = ""
    lines: CaptionLines = CaptionLines.AUTO


class SkippedValue(Value, frozen=True):
    """Files that cannot teach, by reason; ``examples`` names a few."""

    reason: str
    count: int
    examples: tuple[WirePath, ...] = ()


class TeachSample(Value, frozen=True):
    """A photo to learn from, to look at before: its thumbnail (a JPEG) and captions."""

    path: WirePath
    captions: tuple[str, ...]
    thumbnail: WirePath | None = None


class MetricValue(Value, frozen=True):
    """A figure with what it rests on; ``low`` and ``high`` are its 95 % interval."""

    name: str
    value: float
    n: int
    low: float
    high: float


class TeachPoint(Value, frozen=True):
    """One point of a run's curve; figures that were not measured there are absent."""

    step: int
    loss: float | None = None
    contrastive: float | None = None
    caption: float | None = None
    own: float | None = None
    general: float | None = None


class RunState(StrEnum):
    """The state of a teaching run."""

    RUNNING = "running"
    WAITING = "waiting"
    KEPT = "kept"
    DISCARDED = "discarded"
    FAILED = "failed"


class RunValue(Report, frozen=True):
    """A teaching run: what it learned from, how it did, and what became of it.

    ``own`` is the person's own held-out photos, ``general`` the shipped set. A
    ``trial`` (under 20 photos) was measured on a run that held out a quarter.
    ``reembed_seconds`` is what keeping costs where stored vectors change.
    ``skipped`` of a finished run are also the photos that could not be read.
    """

    id: str
    folder: WirePath
    state: RunState
    method: TuningMethod
    title: str = ""
    created: str = ""
    photos: int = 0
    captions: int = 0
    is_trial: bool = False
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    before: tuple[MetricValue, ...] = ()
    after: tuple[MetricValue, ...] = ()
    general_before: tuple[MetricValue, ...] = ()
    general_after: tuple[MetricValue, ...] = ()
    reembed_seconds: float = 0.0
    points: tuple[TeachPoint, ...] = ()
    model_id: str = ""
    message: str = ""
    skipped: tuple[SkippedValue, ...] = ()


JobReport: TypeAlias = (
    IndexReport | CaptionReport | WriteReport | TakeOverReport | GroupReport | RunValue
)
"""The report of a job, by its kind; told apart by ``type``."""


class CountsValue(Value, frozen=True):
    """Media of the library by what they are and where they are.

    ``without_vectors`` are present ones that no search finds until the next index.
    """

    media: int = 0
    photos: int = 0
    videos: int = 0
    views: int = 0
    missing: int = 0
    offline: int = 0
    failed: int = 0
    without_vectors: int = 0


class RootValue(Value, frozen=True):
    """A folder that the library covers; ``excludes`` are patterns of what is passed over."""

    path: WirePath
    excludes: tuple[WirePath, ...] = ()


class WatchedFolder(Value, frozen=True):
    """A folder of the library; ``why_not`` says why the system does not tell of its changes."""

    path: WirePath
    why_not: str = ""


class ForgottenValue(Value, frozen=True):
    """The things that were forgotten, in numbers.

    ``captions`` are media that had one, ``edits`` entries of the log of human annotations,
    ``runs`` the teaching runs whose notes named one of the media: their models keep what
    they learned. ``versions`` are old states of tables.
    """

    media: int = 0
    vectors: int = 0
    captions: int = 0
    edits: int = 0
    thumbnails: int = 0
    previews: int = 0
    failures: int = 0
    folders: int = 0
    jobs: int = 0
    runs: int = 0
    backups: int = 0
    versions: int = 0
    freed_bytes: int = 0
