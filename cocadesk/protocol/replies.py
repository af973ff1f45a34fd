"""The answers of an engine."""

from __future__ import annotations

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CountsValue,
    Days,
    EditValue,
    Fact,
    FailureValue,
    ForgottenValue,
    Hit,
    JobReport,
    JobValue,
    Message,
    ModelEntry,
    ModelOffer,
    ModelValue,
    RootValue,
    Row,
    RunValue,
    SkippedValue,
    TagValue,
    TeachSample,
    Value,
    VideoMoment,
    WatchedFolder,
    WriteItem,
)


class ReplyBody(Message, frozen=True):
    """Base of all answers."""


class ModelUpdate(Value, frozen=True):
    """An update of the program brought another starter, for which all media are read again.

    Searches find those that are ``done``, of ``total`` present ones.
    """

    done: int = 0
    total: int = 0

    @property
    def text(self) -> str:
        """The state of the reading in a sentence."""
        return (
            "Photos and videos are being read again with the improved model: "
            f"{self.done:,} of {self.total:,}; until then results are incomplete."
        )


class ReadAs(Value, frozen=True):
    """Words of a query that were understood as a filter: ``summer 2016`` as ``taken:…``.

    They are words again where ``Search.as_words`` holds ``text``.
    """

    text: str
    filter: str


class Hits(ReplyBody, frozen=True):
    """Best first; ``complete`` is False where the limit cut the list.

    ``note`` is a sentence where the model does not know what a query is written in, and
    ``read_as`` what was understood as dates.

    ``shapes`` and ``days`` as in ``Keys``; no days where the best match comes first. ``relevant``
    counts the hits that the model believes to show what was asked for; None where that is not
    judged. The other ``folded`` ones were found and are not given.
    """

    hits: tuple[Hit, ...]
    complete: bool = True
    seconds: float = 0.0
    update: ModelUpdate | None = None
    shapes: bytes = b""
    days: Days | None = None
    note: str = ""
    read_as: tuple[ReadAs, ...] = ()
    relevant: int | None = None
    folded: int = 0


class Keys(ReplyBody, frozen=True):
    """A stretch of keys and how many there are in all.

    ``copies``: for each, the other media of its group that it stands for; empty where nothing
    was collapsed. ``shapes``: for each the byte of ``cocadesk.protocol.shapes``; empty where not
    asked for or not known. ``days`` are those of the whole list, where it is in order of time.
    """

    keys: tuple[str, ...]
    offset: int = 0
    total: int = 0
    copies: tuple[int, ...] = ()
    shapes: bytes = b""
    days: Days | None = None


class Rows(ReplyBody, frozen=True):
    rows: tuple[Row, ...]


class Detail(ReplyBody, frozen=True):
    """One row with all that is known of it, ready to be shown."""

    row: Row
    facts: tuple[Fact, ...] = ()


class Description(ReplyBody, frozen=True):
    """Words for one medium; ``reason`` says why some are missing."""

    key: str
    caption: str | None = None
    caption_by_person: bool = False
    tags: tuple[TagValue, ...] = ()
    reason: str = ""


class DescribedFile(ReplyBody, frozen=True):
    """The caption or tags of one file; ``place`` is its number among the files asked for."""

    place: int
    path: WirePath
    caption: str | None = None
    tags: tuple[TagValue, ...] = ()


class DescribedFiles(ReplyBody, frozen=True):
    """The end of a ``DescribeFiles``; ``unkept`` says why nothing could be stored."""

    failed: tuple[FailureValue, ...] = ()
    unkept: str = ""


class Preview(ReplyBody, frozen=True):
    key: str
    path: WirePath
    width: int
    height: int


class Moments(ReplyBody, frozen=True):
    key: str
    moments: tuple[VideoMoment, ...]


class AnnotationsReply(ReplyBody, frozen=True):
    """The keys that have changed, and what could be undone and redone next (a title, or nothing).

    ``files`` counts the files beside photos that were put back or written again;
    ``skipped`` are those that somebody has changed since. ``count`` is the number of media
    that have changed, of which ``changed`` may name only some.
    """

    changed: tuple[str, ...] = ()
    title: str = ""
    undo_title: str = ""
    redo_title: str = ""
    files: int = 0
    skipped: tuple[WriteItem, ...] = ()
    count: int = 0


class History(ReplyBody, frozen=True):
    key: str
    edits: tuple[EditValue, ...]


class VocabularyReply(ReplyBody, frozen=True):
    """The tags in use; ``is_own`` where a person chose them."""

    tags: tuple[str, ...]
    is_own: bool = False


class WritePlan(ReplyBody, frozen=True):
    """The changes that a write would make, by file (the first thousand) and in numbers."""

    items: tuple[WriteItem, ...]
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0


class DatasetSummary(ReplyBody, frozen=True):
    """The content of a source. ``seconds`` is None until the dry run has measured.

    ``held_out`` photos measure the run; with ``is_trial`` the kept run then learns
    from all. ``problem`` says why nothing can be learned from it, ``notes`` how some
    texts were read: a sentence each; with ``is_joined`` lines of one were put together.
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
    notes: tuple[str, ...] = ()
    is_joined: bool = False


class Run(ReplyBody, frozen=True):
    run: RunValue


class Runs(ReplyBody, frozen=True):
    """``own_words``: how many present photos have a person's words; None where not counted."""

    runs: tuple[RunValue, ...]
    own_words: int | None = None


class Models(ReplyBody, frozen=True):
    """The models on this machine, and those that are offered, here or not: the smallest first."""

    models: tuple[ModelEntry, ...]
    offers: tuple[ModelOffer, ...] = ()


class ModelRemoved(ReplyBody, frozen=True):
    """The bytes that a removed model had on the disk."""

    freed_bytes: int = 0


class JobReply(ReplyBody, frozen=True):
    """A job; its report comes with its end."""

    job: JobValue
    report: JobReport | None = None


class Jobs(ReplyBody, frozen=True):
    jobs: tuple[JobValue, ...]


class Failures(ReplyBody, frozen=True):
    failures: tuple[FailureValue, ...]
    total: int


class Roots(ReplyBody, frozen=True):
    roots: tuple[RootValue, ...]


class Watching(ReplyBody, frozen=True):
    """The settings of watching, and of each folder why its changes are not told, or nothing."""

    is_on: bool
    waits_on_battery: bool = False
    folders: tuple[WatchedFolder, ...] = ()


class Forgotten(ReplyBody, frozen=True):
    """The things that went, or would go, in numbers.

    ``excluded`` are the patterns that keep them from coming back.
    """

    counts: ForgottenValue
    excluded: tuple[WirePath, ...] = ()


class FilesNoted(ReplyBody, frozen=True):
    """The keys of media that are missing, or present, since this was asked."""

    missing: tuple[str, ...] = ()
    present: tuple[str, ...] = ()


class Excluded(ReplyBody, frozen=True):
    """The patterns of a root; ``hidden`` media are not shown any more since this request."""

    folder: WirePath
    patterns: tuple[WirePath, ...] = ()
    hidden: int = 0


class Info(ReplyBody, frozen=True):
    """``notices`` are sentences about damage that was met and is not repaired yet.

    ``moved_from``: the folder with the old copy of a library that was moved.
    """

    library_id: str
    folder: WirePath
    schema: str
    counts: CountsValue
    model: ModelValue
    notices: tuple[str, ...] = ()
    update: ModelUpdate | None = None
    moved_from: WirePath | None = None


class CareReport(ReplyBody, frozen=True):
    """Sentences on what is wrong and on what was done, and the files that were written."""

    problems: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    paths: tuple[WirePath, ...] = ()
    seconds: float = 0.0


class Ok(ReplyBody, frozen=True):
    """It is done; there is nothing to tell."""
