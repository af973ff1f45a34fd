"""The requests that a client may send."""

from __future__ import annotations

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    DescriptionKind,
    JobAction,
    Message,
    Scope,
    TeachSource,
    TuningMethod,
)


class Search(Message, frozen=True):
    """Media that fit the text, best first; answered by ``Hits``.

    ``filter``, here and in other requests, is text in the grammar of
    ``cocadesk.search.filters``; empty lets all media through.
    """

    text: str
    limit: int = 200
    filter: str = ""


class Similar(Message, frozen=True):
    """Media that look like this one, best first; answered by ``Hits``."""

    key: str
    limit: int = 200
    filter: str = ""


class ListNewest(Message, frozen=True):
    """Keys by date, newest first, a stretch at a time; answered by ``Keys``."""

    offset: int = 0
    limit: int = 2000
    filter: str = ""


class GetKeys(Message, frozen=True):
    """Keys of the library's files at these paths, in their order; answered by ``Keys``."""

    paths: tuple[WirePath, ...]


class GetRows(Message, frozen=True):
    """The rows of these keys, in their order; unknown keys are left out."""

    keys: tuple[str, ...]


class GetDetail(Message, frozen=True):
    """One row with all that is stored of it; answered by ``Detail``."""

    key: str


class Describe(Message, frozen=True):
    """Caption and tags; computed and kept where missing; ``Description``."""

    key: str


class DescribeFiles(Message, frozen=True):
    """Captions or tags of files and of all media in folders, in the library or not.

    Each file comes as a part of the answer (``DescribedFile``), in any order, then
    ``DescribedFiles``. Descriptions of the library's media are stored. ``labels`` are
    tags to choose from instead of the vocabulary; at most ``top`` are given.
    """

    paths: tuple[WirePath, ...]
    kind: DescriptionKind
    labels: tuple[str, ...] = ()
    top: int = 8
    filter: str = ""


class GetPreview(Message, frozen=True):
    """A screen-sized JPEG, upright and in sRGB; answered by ``Preview``.

    Of a video, the frame shown at ``time_s``, else the one that stands for it.
    """

    key: str
    time_s: float | None = None


class GetMoments(Message, frozen=True):
    """The moments of a video in order of time; answered by ``Moments``."""

    key: str


# Words that people own ---------------------------------------------------------------


class SetAnnotations(Message, frozen=True):
    """A person's words for these media, one undoable batch; answered by ``AnnotationsReply``.

    ``caption`` None leaves it, an empty one takes the person's caption away.
    Adding a tag that a machine gave accepts it; removing it rejects it.
    """

    keys: tuple[str, ...]
    caption: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()


class UndoAnnotations(Message, frozen=True):
    """Takes the last batch of words back, files included; ``AnnotationsReply``."""


class RedoAnnotations(Message, frozen=True):
    """Does again what was last undone; ``AnnotationsReply``."""


class GetUndoState(Message, frozen=True):
    """The titles of what could be undone and redone; ``AnnotationsReply`` with nothing changed."""


class GetHistory(Message, frozen=True):
    """All human words of one medium, oldest first; answered by ``History``."""

    key: str


class GetVocabulary(Message, frozen=True):
    """The tags that the machine chooses from; answered by ``VocabularyReply``."""


class SetVocabulary(Message, frozen=True):
    """The person's own tags instead of the shipped ones (none brings those back).

    Starts a job that tags all media anew from stored vectors; ``JobReply``.
    """

    tags: tuple[str, ...] = ()


class PlanWrite(Message, frozen=True):
    """The changes that writing captions beside the photos would make; ``WritePlan``.

    ``is_streamed``: all files come as parts of the answer, a thousand at a time.
    """

    scope: Scope
    overwrite: bool = False
    is_streamed: bool = False


class StartWrite(Message, frozen=True):
    """Writes captions beside the photos, one undoable batch; a job, ``JobReply``."""

    scope: Scope
    overwrite: bool = False


class StartCaption(Message, frozen=True):
    """Captions and tags media that this model has not described; ``JobReply``.

    ``again`` describes those too that it has; a person's words are left alone.
    """

    scope: Scope
    again: bool = False


# Teaching and models -----------------------------------------------------------------


class PreviewDataset(Message, frozen=True):
    """The photos to learn from, and the time it takes; ``DatasetSummary``.

    The counts come first, as a part of the answer; the time needs a dry run, which
    is left out unless ``is_timed``.
    """

    source: TeachSource
    method: TuningMethod = TuningMethod.HEAD
    is_timed: bool = True


class StartTeach(Message, frozen=True):
    """Starts a teaching run; a job, ``JobReply``. Its id is the run's too."""

    source: TeachSource
    method: TuningMethod = TuningMethod.HEAD
    title: str = ""


class GetRun(Message, frozen=True):
    """A teaching run with its curve; answered by ``Run``."""

    run_id: str


class ListRuns(Message, frozen=True):
    """All teaching runs, newest first, without their curves; ``Runs``."""


class DecideRun(Message, frozen=True):
    """Keeps a finished run's model or discards it; answered by ``Run``.

    Where keeping needs no new vectors, search answers with the new model when
    the answer comes; else a job that switches models has begun.
    """

    run_id: str
    keep: bool


class ListModels(Message, frozen=True):
    """The models that this machine has; answered by ``Models``."""


class UseModel(Message, frozen=True):
    """Switches to another model, in a job where its vectors must be made first; ``JobReply``."""

    source: str


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


class ListJobFailures(Message, frozen=True):
    """The files that one job could not do, with reasons; answered by ``Failures``."""

    job_id: str
    offset: int = 0
    limit: int = 1000


class ListFailures(Message, frozen=True):
    """Files that could not be read; answered by ``Failures``."""

    offset: int = 0
    limit: int = 1000


class ListRoots(Message, frozen=True):
    """The folders that the library covers; answered by ``Roots``."""


class GetInfo(Message, frozen=True):
    """Counts of the library and the model in use; answered by ``Info``.

    ``waits``: only once the model is open, or cannot be.
    """

    waits: bool = False


class StopEngine(Message, frozen=True):
    """Ends the engine after this answer; running jobs go on at the next start."""


RequestBody = (
    Search
    | Similar
    | ListNewest
    | GetKeys
    | GetRows
    | GetDetail
    | Describe
    | DescribeFiles
    | GetPreview
    | GetMoments
    | SetAnnotations
    | UndoAnnotations
    | RedoAnnotations
    | GetUndoState
    | GetHistory
    | GetVocabulary
    | SetVocabulary
    | PlanWrite
    | StartWrite
    | StartCaption
    | PreviewDataset
    | StartTeach
    | GetRun
    | ListRuns
    | DecideRun
    | ListModels
    | UseModel
    | StartIndex
    | ListJobs
    | ControlJob
    | WatchJob
    | ListJobFailures
    | ListFailures
    | ListRoots
    | GetInfo
    | StopEngine
)
