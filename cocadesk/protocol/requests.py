"""The requests that a client may send."""

from __future__ import annotations

from typing import Literal, TypeAlias

from cocadesk.protocol.captions import CaptionWriting
from cocadesk.protocol.job_values import RayValue
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CaptionStyle,
    DescriptionKind,
    GroupLabel,
    JobAction,
    Message,
    ModelPurpose,
    ReadAgain,
    Scope,
    SortKey,
    TeachSource,
    TuningMethod,
)

Flag: TypeAlias = Literal["pick", "reject", "none"]
"""A person's flag; ``none`` also hides that a file calls itself rejected."""


class RequestBody(Message, frozen=True):
    """Base of all requests."""


class Search(RequestBody, frozen=True):
    """Media that fit the text, best first; answered by ``Hits``.

    ``filter``, here and in other requests, is text in the grammar of
    ``cocadesk.search.filters``; empty lets all media through. ``collapse``, here and in other
    requests: of each group with links of this label, or closer ones, only the first is given.
    ``sort`` brings the ``limit`` best matches in another order, ``is_reversed`` turns that round.

    The text is a query: words, ``-word``, ``2:word``, ``"phrase"``, ``like:PATH`` and terms of
    filters; dates in words are understood, but for those in ``as_words``. ``like`` and
    ``unlike`` are keys of media that hits should resemble, or not; these are no hits. Relative
    paths in the text are meant from ``folder``. Where hits are judged and ``folds`` is set, those
    that the model does not believe in are counted (``Hits.folded``) and not given.
    """

    text: str
    limit: int = 200
    filter: str = ""
    collapse: GroupLabel | None = None
    sort: SortKey = SortKey.RELEVANCE
    is_reversed: bool = False
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    as_words: tuple[str, ...] = ()
    folder: WirePath | None = None
    folds: bool = False


class ListNewest(RequestBody, frozen=True):
    """Keys by date, newest first, or in another order, a stretch at a time; ``Keys``.

    A stretch that does not begin the list belongs to the list of the one that did.
    ``with_layout``: with the media's shapes, and in the first stretch the days of all.
    """

    offset: int = 0
    limit: int = 2000
    filter: str = ""
    collapse: GroupLabel | None = None
    with_layout: bool = False
    sort: SortKey = SortKey.RELEVANCE
    is_reversed: bool = False


class GetKeys(RequestBody, frozen=True):
    """Keys of the library's files at these paths, in their order; answered by ``Keys``."""

    paths: tuple[WirePath, ...]


class GetRows(RequestBody, frozen=True):
    """The rows of these keys, in their order; unknown keys are left out."""

    keys: tuple[str, ...]


class GetDetail(RequestBody, frozen=True):
    """One row with all that is stored of it; answered by ``Detail``."""

    key: str


class Describe(RequestBody, frozen=True):
    """Caption and tags; computed and kept where missing, so written; ``Description``."""

    key: str
    writing: CaptionWriting = CaptionWriting()


class DescribeFiles(RequestBody, frozen=True):
    """Captions or tags of files and of all media in folders, in the library or not.

    Each file comes as a part of the answer (``DescribedFile``), in any order, then
    ``DescribedFiles``. Descriptions of the library's media are stored. ``labels`` are
    tags to choose from instead of the vocabulary; at most ``top`` are given. ``style`` and
    ``writing`` as in ``StartCaption``.
    """

    paths: tuple[WirePath, ...]
    kind: DescriptionKind
    labels: tuple[str, ...] = ()
    top: int = 8
    filter: str = ""
    style: CaptionStyle | None = None
    writing: CaptionWriting = CaptionWriting()


class GetPreview(RequestBody, frozen=True):
    """A screen-sized JPEG, upright and in sRGB; answered by ``Preview``.

    Of a video, the frame shown at ``time_s``, else the one that stands for it. One that
    ``is_full`` has every pixel of the picture (at most 65,500 along a side) and is kept for
    a while only; where the file is not there now, that is an error.
    """

    key: str
    time_s: float | None = None
    is_full: bool = False


class GetMoments(RequestBody, frozen=True):
    """The moments of a video in order of time; answered by ``Moments``."""

    key: str


# Words that people own ---------------------------------------------------------------


class SetAnnotations(RequestBody, frozen=True):
    """A person's words for these media, one undoable batch; answered by ``AnnotationsReply``.

    None leaves a thing as it is. An empty ``caption`` takes the person's away; adding a
    tag that a machine gave accepts it, removing it rejects it; ``rating`` is of 0 to 5
    stars, and 0 hides those of the file. ``no_caption``: neither a person's caption nor a
    machine's, now and after any job, until a ``caption`` is set again (an empty one lets the
    machine's come back).
    """

    keys: tuple[str, ...]
    caption: str | None = None
    no_caption: bool = False
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    rating: int | None = None
    flag: Flag | None = None
    favourite: bool | None = None
    hidden: bool | None = None


class UndoAnnotations(RequestBody, frozen=True):
    """Takes the last batch of words back, files included; ``AnnotationsReply``."""


class RedoAnnotations(RequestBody, frozen=True):
    """Does again what was last undone; ``AnnotationsReply``."""


class GetUndoState(RequestBody, frozen=True):
    """The titles of what could be undone and redone; ``AnnotationsReply`` with nothing changed."""


class GetHistory(RequestBody, frozen=True):
    """All human words of one medium, oldest first; answered by ``History``."""

    key: str


class GetVocabulary(RequestBody, frozen=True):
    """The tags that the machine chooses from; answered by ``VocabularyReply``."""


class SetVocabulary(RequestBody, frozen=True):
    """The person's own tags instead of the shipped ones (none brings those back).

    Starts a job that tags all media anew from stored vectors; ``JobReply``.
    """

    tags: tuple[str, ...] = ()


class PlanWrite(RequestBody, frozen=True):
    """The changes that writing captions beside the photos would make; ``WritePlan``.

    ``is_streamed``: all files come as parts of the answer, a thousand at a time.
    """

    scope: Scope
    overwrite: bool = False
    is_streamed: bool = False


class StartWrite(RequestBody, frozen=True):
    """Writes captions beside the photos, one undoable batch; a job, ``JobReply``."""

    scope: Scope
    overwrite: bool = False


class StartTakeOver(RequestBody, frozen=True):
    """Takes texts beside media over as the person's captions, one undoable batch; ``JobReply``.

    Never over a caption that the person wrote here, nor a text that was written from here.
    """

    scope: Scope


class StartCaption(RequestBody, frozen=True):
    """Captions and tags media that this model has not described; ``JobReply``.

    ``again`` describes those too that it has; a person's words are left alone. With a
    ``style``, captions in another are made anew; without, those of any style stay and new
    ones are sentences. ``writing`` counts for what is made, and lets what is there stand.
    """

    scope: Scope
    again: bool = False
    style: CaptionStyle | None = None
    writing: CaptionWriting = CaptionWriting()


# Teaching and models -----------------------------------------------------------------


class PreviewDataset(RequestBody, frozen=True):
    """The photos to learn from, and the time it takes; ``DatasetSummary``.

    The counts come first, as a part of the answer; the time needs a dry run, which
    is left out unless ``is_timed``.
    """

    source: TeachSource
    method: TuningMethod = TuningMethod.HEAD
    is_timed: bool = True


class StartTeach(RequestBody, frozen=True):
    """Starts a teaching run; a job, ``JobReply``. Its id is the run's too."""

    source: TeachSource
    method: TuningMethod = TuningMethod.HEAD
    title: str = ""


class GetRun(RequestBody, frozen=True):
    """A teaching run with its curve; answered by ``Run``."""

    run_id: str


class ListRuns(RequestBody, frozen=True):
    """All teaching runs, newest first, without their curves; ``Runs``."""


class DecideRun(RequestBody, frozen=True):
    """Keeps a finished run's model or discards it; answered by ``Run``.

    Where keeping needs no new vectors, search answers with the new model when
    the answer comes; else a job that switches models has begun.
    """

    run_id: str
    keep: bool


class ListModels(RequestBody, frozen=True):
    """The models that this machine has, and those that it may fetch; answered by ``Models``."""


class UseModel(RequestBody, frozen=True):
    """Switches to another model, in a job where its vectors must be made first; ``JobReply``.

    A model of the hub that is not on this machine is fetched first, by a job of its own that this
    one waits for. One whose search is spoiled is refused, except for captions. ``purpose`` is what
    for. SEARCH: captions come from the model that writes them now. CAPTIONS: nothing is read,
    searches go on as before. Without one it does what it can: a model that can only search leaves
    captions to the starter.
    """

    source: str
    purpose: ModelPurpose | None = None


class FetchModel(RequestBody, frozen=True):
    """Fetches a model of the hub, and goes on where an earlier fetching ended; ``JobReply``.

    ``source`` is ``open_clip:NAME/TAG`` or ``hf-hub:ORG/NAME``. The job counts bytes. It is done
    already where the files are here: in the hub's cache, or in ``folder`` (a cache, a copy of
    the repository), from where they are copied. Refused where the disk has no room for it.
    """

    source: str
    folder: WirePath | None = None


class RemoveModel(RequestBody, frozen=True):
    """Removes a model's files from the hub's cache and from ours; ``ModelRemoved``.

    What was fetched of one that is not whole goes too. Never the starter, a taught model, the one
    in use or one that a job needs, nor files in other places.
    """

    source: str


class MeasureModel(RequestBody, frozen=True):
    """Measures for some seconds how fast a model is on this machine; answered by ``Models``.

    They say so then. A released model need not be here. Cancelling ends the measuring.
    """

    source: str


class StartIndex(RequestBody, frozen=True):
    """Adds the folders and indexes them; none means all known folders.

    ``again``: the files that are read though nothing about them has changed. ``ray``: workers
    of Ray read them.
    """

    folders: tuple[WirePath, ...] = ()
    again: ReadAgain = ReadAgain.NOTHING
    ray: RayValue | None = None


class ListJobs(RequestBody, frozen=True):
    """Jobs of this library, newest first; answered by ``Jobs``."""


class ControlJob(RequestBody, frozen=True):
    """Pauses, resumes or cancels a job, or starts it again; answered by ``JobReply``."""

    job_id: str
    action: JobAction


class TryAgain(RequestBody, frozen=True):
    """Does again exactly what this job could not do; a job, ``JobReply``.

    Without a job: the files of the library that could not be read.
    """

    job_id: str = ""


class WatchJob(RequestBody, frozen=True):
    """Streams a job's ``Progress`` until it ends; answered by ``JobReply``."""

    job_id: str


class ListJobFailures(RequestBody, frozen=True):
    """The files that one job could not do, with reasons; answered by ``Failures``."""

    job_id: str
    offset: int = 0
    limit: int = 1000


class ListFailures(RequestBody, frozen=True):
    """Files that could not be read; answered by ``Failures``."""

    offset: int = 0
    limit: int = 1000


class ListRoots(RequestBody, frozen=True):
    """The folders that the library covers; answered by ``Roots``."""


class WatchFolders(RequestBody, frozen=True):
    """Turns the watching of the library's folders on or off; answered by ``Watching``.

    ``waits_on_battery``: long jobs wait for mains power. None leaves either as it is.
    """

    is_on: bool | None = None
    waits_on_battery: bool | None = None


class Forget(RequestBody, frozen=True):
    """Removes media for good: their rows, vectors, pictures and all words; ``Forgotten``.

    All under ``paths`` (roots, folders in them or single files); with ``is_missing`` only
    those whose files are gone, and without paths all such. What is still there in a root
    that stays is excluded, so that no index brings it back. ``is_preview``: only counts.
    Refused while a job runs.
    """

    paths: tuple[WirePath, ...] = ()
    is_missing: bool = False
    is_preview: bool = False


class NoteFiles(RequestBody, frozen=True):
    """Looks whether the files of these media are in their places; answered by ``FilesNoted``.

    For whoever has moved them, so that nobody waits for an index: a medium whose files are
    gone is missing, and one whose file is back is present. One on a disk that is away stays.
    """

    keys: tuple[str, ...]


class SetExcludes(RequestBody, frozen=True):
    """Adds and removes patterns of what is passed over in a root; answered by ``Excluded``.

    Media that a new pattern fits count as missing from now on; nothing of them is lost.
    """

    folder: WirePath
    add: tuple[WirePath, ...] = ()
    remove: tuple[WirePath, ...] = ()


class GetInfo(RequestBody, frozen=True):
    """Counts of the library and the model in use; answered by ``Info``.

    ``waits``: only once the model is open, or cannot be.
    """

    waits: bool = False


class CheckLibrary(RequestBody, frozen=True):
    """Reads every file of the library and compares its tables; answered by ``CareReport``."""


class RepairLibrary(RequestBody, frozen=True):
    """Mends what can be mended; refused while a job runs. Answered by ``CareReport``."""


class BackUpLibrary(RequestBody, frozen=True):
    """Writes a backup of people's annotations, folders and settings.

    ``path``: the file; None puts it among the library's own. Answered by ``CareReport``.
    """

    path: WirePath | None = None


class RestoreLibrary(RequestBody, frozen=True):
    """Brings a backup (the newest where none is named) in, keeping what is newer.

    Answered by ``CareReport``.
    """

    path: WirePath | None = None


class ExportLibrary(RequestBody, frozen=True):
    """Writes media with captions and tags, and the log of edits, as Parquet files.

    Answered by ``CareReport``.
    """

    folder: WirePath


class StopEngine(RequestBody, frozen=True):
    """Ends the engine after this answer; running jobs go on at the next start."""
