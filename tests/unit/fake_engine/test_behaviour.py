"""The fake engine behaves: jobs, annotations, teaching, and what tests ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.fake_engine.library import PHOTOS_A_FOLDER
from cocadesk.fake_engine.models import MAX_TAG_CHARACTERS, SHIPPED_TAGS
from cocadesk.fake_engine.teaching import STEPS_A_TICK, TICKS
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    AnnotationsReply,
    ControlJob,
    DecideRun,
    Describe,
    Description,
    Failures,
    FetchModel,
    GetHistory,
    GetInfo,
    GetMoments,
    GetRows,
    GetRun,
    GetVocabulary,
    History,
    Hits,
    Info,
    JobReply,
    Jobs,
    Keys,
    ListFailures,
    ListJobFailures,
    ListJobs,
    ListModels,
    ListNewest,
    ModelRemoved,
    Models,
    Moments,
    RedoAnnotations,
    RemoveModel,
    Rows,
    Run,
    Search,
    SetAnnotations,
    SetVocabulary,
    StartIndex,
    StartTeach,
    UndoAnnotations,
    UseModel,
    VocabularyReply,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    IndexReport,
    JobAction,
    JobState,
    MediaKind,
    ModelOffer,
    RunState,
    RunValue,
    TeachSource,
)

WAIT_S = 20


@pytest.fixture
def engine(library: Path) -> Iterator[FakeEngine]:
    """An engine of thirty media."""
    with FakeEngine(library, media=30) as engine:
        yield engine


@pytest.fixture
def client(engine: FakeEngine) -> Iterator[EngineClient]:
    """A client that asks it."""
    assert engine.server.endpoint is not None
    with EngineClient(engine.server.endpoint) as client:
        yield client


def ended(client: EngineClient, started: JobReply) -> JobReply:
    """The end of a job."""
    return client.ask(WatchJob(job_id=started.job.id), JobReply, timeout_s=WAIT_S)


def first_key(client: EngineClient) -> str:
    """The newest medium's key."""
    return client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys[0]


def test_the_same_media_are_made_up_each_time(library: Path, tmp_path: Path) -> None:
    """Tests and screenshots look alike on every machine."""
    other = tmp_path / "other"
    other.mkdir()
    found = []
    for folder in (library, other):
        with FakeEngine(folder, media=5) as engine:
            assert engine.server.endpoint is not None
            with EngineClient(engine.server.endpoint) as client:
                keys = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys
                rows = client.ask(GetRows(keys=keys), Rows, timeout_s=WAIT_S).rows
        found.append([(row.key, row.name, row.width, row.taken) for row in rows])
    assert found[0] == found[1]


def test_requests_may_be_left_waiting_from_the_start(library: Path) -> None:
    """All others are answered."""
    with FakeEngine(library, media=2) as engine:
        engine.never_answer(GetInfo)
        assert engine.server.endpoint is not None
        with EngineClient(engine.server.endpoint) as client:
            with pytest.raises(TimeoutError):
                client.ask(GetInfo(), Info, timeout_s=0.05)
            assert client.ask(ListNewest(), Keys, timeout_s=WAIT_S).total == 2


def test_requests_may_be_refused_at_any_time(engine: FakeEngine, client: EngineClient) -> None:
    """With the very error, until the engine ends."""
    assert client.ask(GetInfo(), Info, timeout_s=WAIT_S).counts.media == 30
    engine.refuse(GetInfo, UserError("The disk is full.", "Really.", "Make room."))
    for _ in range(2):
        with pytest.raises(UserError, match="disk is full"):
            client.ask(GetInfo(), Info, timeout_s=WAIT_S)
    engine.never_answer(ListNewest)
    with pytest.raises(TimeoutError):
        client.ask(ListNewest(), Keys, timeout_s=0.05)


def test_a_search_finds_by_caption_and_tag(client: EngineClient) -> None:
    """The more words of the query a medium has, the higher it stands."""
    hits = client.ask(Search(text="a dog at the beach"), Hits, timeout_s=WAIT_S).hits
    assert "dog" in (hits[0].caption or "")
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert client.ask(Search(text="xylophone"), Hits, timeout_s=WAIT_S).hits == ()


def test_an_index_job_adds_media_and_fails_at_a_few(client: EngineClient, tmp_path: Path) -> None:
    """Its report, its own failures and all failures agree."""
    folders = tuple(WirePath.of(tmp_path / name) for name in ("a", "b"))
    done = ended(client, client.ask(StartIndex(folders=folders), JobReply, timeout_s=WAIT_S))
    assert done.job.state is JobState.DONE
    assert isinstance(done.report, IndexReport)
    failed = client.ask(ListJobFailures(job_id=done.job.id), Failures, timeout_s=WAIT_S)
    assert failed.total == done.job.failed > 0
    assert done.report.indexed == 2 * PHOTOS_A_FOLDER - failed.total
    every = client.ask(ListFailures(limit=1), Failures, timeout_s=WAIT_S)
    assert (every.total, len(every.failures)) == (failed.total, 1)
    info = client.ask(GetInfo(), Info, timeout_s=WAIT_S)
    assert info.counts.media == 30 + done.report.indexed
    assert str(done.report.indexed) in done.job.message


def test_a_job_can_be_paused_resumed_and_cancelled(library: Path, tmp_path: Path) -> None:
    """And an ended one stays as it is."""
    with FakeEngine(library, media=0, step_s=0.01) as engine:
        assert engine.server.endpoint is not None
        with EngineClient(engine.server.endpoint) as client:

            def control(action: JobAction) -> JobState:
                request = ControlJob(job_id=job_id, action=action)
                return client.ask(request, JobReply, timeout_s=WAIT_S).job.state

            folder = WirePath.of(tmp_path / "a")
            started = client.ask(StartIndex(folders=(folder,)), JobReply, timeout_s=WAIT_S)
            job_id = started.job.id
            assert control(JobAction.PAUSE) is JobState.PAUSED
            assert not engine.is_busy()
            assert control(JobAction.RESUME) is JobState.QUEUED
            assert engine.is_busy()
            assert control(JobAction.CANCEL) is JobState.CANCELLED
            assert control(JobAction.RESUME) is JobState.CANCELLED
            assert ended(client, started).job.state is JobState.CANCELLED
            jobs = client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs
            assert [job.id for job in jobs] == [job_id]


def test_a_job_that_is_not_there_is_a_sentence(client: EngineClient) -> None:
    """For each request about one."""
    for request in (WatchJob(job_id="x"), ControlJob(job_id="x", action=JobAction.PAUSE)):
        with pytest.raises(UserError, match="no such job"):
            client.ask(request, JobReply, timeout_s=WAIT_S)


def test_annotations_are_undone_and_redone_in_their_order(
    engine: FakeEngine, client: EngineClient
) -> None:
    """The history names every change, the undoing too."""
    key = first_key(client)
    for text in ("one", "two"):
        client.ask(SetAnnotations(keys=(key,), caption=text), AnnotationsReply, timeout_s=WAIT_S)
    captions = []
    for request in (UndoAnnotations(), UndoAnnotations(), UndoAnnotations(), RedoAnnotations()):
        client.ask(request, AnnotationsReply, timeout_s=WAIT_S)
        captions.append(engine.row(key).caption)
    assert captions == ["one", None, None, "one"]
    edits = client.ask(GetHistory(key=key), History, timeout_s=WAIT_S).edits
    assert [edit.new for edit in edits] == ["one", "two", "one", "", "one"]


def test_a_new_change_forgets_what_was_undone(client: EngineClient) -> None:
    """As in every editor."""
    key = first_key(client)
    for tag in ("a", "b"):
        client.ask(SetAnnotations(keys=(key,), add_tags=(tag,)), AnnotationsReply, timeout_s=WAIT_S)
    client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
    reply = client.ask(
        SetAnnotations(keys=(key,), remove_tags=("a",)), AnnotationsReply, timeout_s=WAIT_S
    )
    assert reply.redo_title == ""
    assert "a" in reply.undo_title


def test_a_change_of_nothing_is_none(client: EngineClient) -> None:
    """Nothing to undo comes of it."""
    request = SetAnnotations(keys=(first_key(client),), caption="")
    reply = client.ask(request, AnnotationsReply, timeout_s=WAIT_S)
    assert (reply.changed, reply.undo_title) == ((), "")


def test_a_person_s_caption_hides_the_machines(client: EngineClient) -> None:
    """And gives it back once it is taken away."""
    key = first_key(client)
    machine = client.ask(Describe(key=key), Description, timeout_s=WAIT_S)
    assert machine.caption
    assert not machine.caption_by_person
    for caption in ("mine", ""):
        request = SetAnnotations(keys=(key,), caption=caption)
        client.ask(request, AnnotationsReply, timeout_s=WAIT_S)
        shown = client.ask(Describe(key=key), Description, timeout_s=WAIT_S)
        assert (shown.caption, shown.caption_by_person) == (
            (caption, True) if caption else (machine.caption, False)
        )


def test_a_video_has_moments_that_cover_it_and_a_photo_has_none(client: EngineClient) -> None:
    """Each with a picture on the disk."""
    keys = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys
    for row in client.ask(GetRows(keys=keys), Rows, timeout_s=WAIT_S).rows:
        moments = client.ask(GetMoments(key=row.key), Moments, timeout_s=WAIT_S).moments
        assert bool(moments) is (row.kind is MediaKind.VIDEO)
        for before, after in pairwise(moments):
            assert before.end_s == after.start_s
        for moment in moments:
            assert Path(moment.thumbnail.to_str()).is_file()


def test_a_model_answers_once_its_job_has_ended(client: EngineClient) -> None:
    """Until then the old one does."""
    models = client.ask(ListModels(), Models, timeout_s=WAIT_S).models
    other = next(model for model in models if not model.is_used)
    done = ended(client, client.ask(UseModel(source=other.source), JobReply, timeout_s=WAIT_S))
    assert other.name in done.job.message
    used = [
        m.source for m in client.ask(ListModels(), Models, timeout_s=WAIT_S).models if m.is_used
    ]
    assert used == [other.source]
    with pytest.raises(UserError, match="not a model"):
        client.ask(UseModel(source="/tmp/x.txt"), JobReply, timeout_s=WAIT_S)


def test_own_tags_stand_in_for_the_shipped_ones(client: EngineClient) -> None:
    """None means the shipped ones again; a tag has an end."""
    shipped = client.ask(GetVocabulary(), VocabularyReply, timeout_s=WAIT_S)
    assert (shipped.tags, shipped.is_own) == (SHIPPED_TAGS, False)
    for tags in (("dog", "cat"), ()):
        ended(client, client.ask(SetVocabulary(tags=tags), JobReply, timeout_s=WAIT_S))
        found = client.ask(GetVocabulary(), VocabularyReply, timeout_s=WAIT_S)
        assert (found.tags, found.is_own) == (tags or SHIPPED_TAGS, bool(tags))
    request = SetVocabulary(tags=("x" * (MAX_TAG_CHARACTERS + 1),))
    with pytest.raises(UserError, match="too long"):
        client.ask(request, JobReply, timeout_s=WAIT_S)


def test_a_run_learns_waits_and_is_decided_once(client: EngineClient, tmp_path: Path) -> None:
    """Its points are all there at the end; a second decision is refused."""
    source = TeachSource(folders=(WirePath.of(tmp_path / "quillet"),))
    started = client.ask(StartTeach(source=source, title="quillet"), JobReply, timeout_s=WAIT_S)
    done = ended(client, started)
    assert isinstance(done.report, RunValue)
    run = client.ask(GetRun(run_id=done.report.id), Run, timeout_s=WAIT_S).run
    assert run.state is RunState.WAITING
    assert [point.step for point in run.points] == [STEPS_A_TICK * n for n in range(1, TICKS + 1)]
    assert run.after[0].value > run.before[0].value
    kept = client.ask(DecideRun(run_id=run.id, keep=True), Run, timeout_s=WAIT_S).run
    assert kept.state is RunState.KEPT
    with pytest.raises(UserError, match="not waiting for a decision"):
        client.ask(DecideRun(run_id=run.id, keep=False), Run, timeout_s=WAIT_S)


def test_an_offered_model_is_fetched_in_bytes_and_removed(client: EngineClient) -> None:
    """It is in the list of models while it is here; what was fetched of it before counts."""
    source = "open_clip:coca_ViT-L-14/mscoco_finetuned_laion2b_s13b_b90k"

    def models() -> Models:
        return client.ask(ListModels(), Models, timeout_s=WAIT_S)

    def offer() -> ModelOffer:
        return next(offer for offer in models().offers if offer.source == source)

    assert not offer().is_here
    assert 0 < offer().fetched_bytes < offer().size_bytes < offer().needs_bytes
    started = client.ask(FetchModel(source=source), JobReply, timeout_s=WAIT_S)
    assert started.job.is_bytes
    assert started.job.total == offer().size_bytes
    end = ended(client, started).job
    assert (end.state, end.done) == (JobState.DONE, end.total)
    assert offer().is_here
    assert offer().job_id == ""
    entry = next(model for model in models().models if model.source == source)
    assert entry.is_removable
    freed = client.ask(RemoveModel(source=source), ModelRemoved, timeout_s=WAIT_S).freed_bytes
    assert freed == entry.size_bytes
    assert not offer().is_here
    assert source not in {model.source for model in models().models}
