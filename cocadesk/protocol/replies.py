"""The answers of an engine."""

from __future__ import annotations

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CountsValue,
    EditValue,
    Fact,
    FailureValue,
    Hit,
    JobReport,
    JobValue,
    Message,
    ModelEntry,
    ModelValue,
    RootValue,
    Row,
    RunValue,
    SkippedValue,
    TagValue,
    TeachSample,
    VideoMoment,
    WriteItem,
)


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
    """One row with all that is known of it, ready to be shown."""

    row: Row
    facts: tuple[Fact, ...] = ()


class Description(Message, frozen=True):
    """Words for one medium; ``reason`` says why some are missing."""

    key: str
    caption: str | None = None
    caption_by_person: bool = False
    tags: tuple[TagValue, ...] = ()
    reason: str = ""


class DescribedFile(Message, frozen=True):
    """The caption or tags of one file; ``place`` is its number among the files asked for."""

    place: int
    path: WirePath
    caption: str | None = None
    tags: tuple[TagValue, ...] = ()


class DescribedFiles(Message, frozen=True):
    """The end of a ``DescribeFiles``; ``unkept`` says why nothing could be stored."""

    failed: tuple[FailureValue, ...] = ()
    unkept: str = ""


class Preview(Message, frozen=True):
    key: str
    path: WirePath
    width: int
    height: int


class Moments(Message, frozen=True):
    key: str
    moments: tuple[VideoMoment, ...]


class AnnotationsReply(Message, frozen=True):
    """The keys that have changed, and what could be undone and redone next (a title, or nothing).

    ``files`` counts the files beside photos that were put back or written again;
    ``skipped`` are those that somebody has changed since.
    """

    changed: tuple[str, ...] = ()
    title: str = ""
    undo_title: str = ""
    redo_title: str = ""
    files: int = 0
    skipped: tuple[WriteItem, ...] = ()


class History(Message, frozen=True):
    key: str
    edits: tuple[EditValue, ...]


class VocabularyReply(Message, frozen=True):
    """The tags in use; ``is_own`` where a person chose them."""

    tags: tuple[str, ...]
    is_own: bool = False


class WritePlan(Message, frozen=True):
    """The changes that a write would make, by file (the first thousand) and in numbers."""

    items: tuple[WriteItem, ...]
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0


class DatasetSummary(Message, frozen=True):
    """The content of a source. ``seconds`` is None until the dry run has measured.

    ``held_out`` photos measure the run; with ``is_trial`` the kept run then learns
    from all. ``problem`` says why nothing can be learned from it.
    """

    photos: int = 0
    captions: int = 0
    skipped: tuple[SkippedValue, ...] = ()
    samples: tuple[TeachSample, ...] = ()
    held_out: int = 0
    is_trial: bool = False
    seconds: float | None = None
    reembed_seconds: float = 0.0
    problem: str = ""


class Run(Message, frozen=True):
    run: RunValue


class Runs(Message, frozen=True):
    """``own_words``: how many present photos have a person's words; None where not counted."""

    runs: tuple[RunValue, ...]
    own_words: int | None = None


class Models(Message, frozen=True):
    models: tuple[ModelEntry, ...]


class JobReply(Message, frozen=True):
    """A job; its report comes with its end."""

    job: JobValue
    report: JobReport | None = None


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
    | DescribedFile
    | DescribedFiles
    | Preview
    | Moments
    | AnnotationsReply
    | History
    | VocabularyReply
    | WritePlan
    | DatasetSummary
    | Run
    | Runs
    | Models
    | JobReply
    | Jobs
    | Failures
    | Roots
    | Info
    | Ok
)
