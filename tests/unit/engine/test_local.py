"""The engine in a command's own process: access, jobs, Ctrl-C, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.engine.local import Access, LocalEngine, library_source, running_or, serves_model
from cocadesk.errors import UserError
from cocadesk.library.backups import backups_of
from cocadesk.library.library import Library
from cocadesk.model.backend import Backend
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import AnnotationsReply as Reply
from cocadesk.protocol.messages import (
    ControlJob,
    DescribedFile,
    DescribedFiles,
    DescribeFiles,
    GetHistory,
    GetInfo,
    GetKeys,
    GetRows,
    GetUndoState,
    History,
    Hits,
    Info,
    JobReply,
    Jobs,
    Keys,
    ListJobs,
    ListModels,
    ListNewest,
    Models,
    Progress,
    ReplyBody,
    Rows,
    Search,
    SetAnnotations,
    StartIndex,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    DescriptionKind,
    IndexReport,
    JobAction,
    JobState,
    ModelState,
    changed,
)
from cocadesk.protocol.wire import ProtocolError
from tests.support.engines import coloured_photos, filled_library, index, local_engine
from tests.support.fake_backend import FakeBackend
from tests.support.inner_engine import inner_engine
from tests.support.program import environment


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library of five plain pictures, only read by the tests."""
    base = tmp_path_factory.mktemp("filled")
    with local_engine(base / "library") as engine:
        index(engine, coloured_photos(base / "photos"))
    return base


def test_the_first_engine_of_a_library_leaves_a_backup_as_it_ends(filled: Path) -> None:
    """When it began there was nothing to keep yet."""
    assert len(backups_of(filled / "library")) == 1


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The same, for tests that write."""
    return filled_library(tmp_path)


def _no_model(source: str) -> Backend:
    raise AssertionError(f"the model {source} is not needed")


def _paths(base: Path) -> tuple[WirePath, ...]:
    return tuple(WirePath.of(path) for path in sorted((base / "photos").iterdir()))


# Access ------------------------------------------------------------------------------


def test_the_first_index_makes_the_library(tmp_path: Path) -> None:
    """CREATE is for the one command that may; its model is the library's from then on."""
    photos = coloured_photos(tmp_path / "photos")
    with local_engine(tmp_path / "library") as engine:
        report = index(engine, photos).report
    assert isinstance(report, IndexReport)
    assert (report.indexed, report.unchanged, report.failed) == (5, 0, ())
    with local_engine(tmp_path / "library", Access.READ) as engine:
        info = engine.ask(GetInfo(waits=True), Info)
    assert (info.counts.media, info.model.image_id) == (5, FakeBackend().info().image_id)


@pytest.mark.parametrize("access", [Access.READ, Access.WRITE, Access.OPTIONAL])
@pytest.mark.parametrize("body", [GetInfo(), Search(text="red"), GetUndoState()], ids=str)
def test_without_a_library_it_says_so_and_makes_none(
    tmp_path: Path, access: Access, body: GetInfo | Search | GetUndoState
) -> None:
    """The sentence tells how to begin."""
    folder = tmp_path / "library"
    with local_engine(folder, access) as engine, pytest.raises(UserError, match="no library") as no:
        engine.ask(body, Info)
    assert "cocadesk index" in no.value.what_to_do
    assert not folder.exists()


def test_the_models_of_the_machine_are_listed_without_a_library(tmp_path: Path) -> None:
    """The starter is the one that would answer."""
    with local_engine(tmp_path / "library", Access.READ) as engine:
        models = engine.ask(ListModels(), Models).models
    assert [entry.source for entry in models if entry.is_used] == ["starter"]
    assert not (tmp_path / "library").exists()


def test_reading_goes_on_beside_a_writer(base: Path) -> None:
    """Search, lists and history need no lock."""
    with Library.open(base / "library"), local_engine(base / "library", Access.READ) as engine:
        assert len(engine.ask(Search(text="red"), Hits).hits) == 5
        keys = engine.ask(ListNewest(), Keys).keys
        assert len(keys) == 5
        assert engine.ask(GetHistory(key=keys[0]), History).edits == ()


def test_who_else_writes_the_library_is_said(base: Path) -> None:
    """The process is named; nothing is changed."""
    with Library.open(base / "library"), local_engine(base / "library", Access.WRITE) as engine:
        key = GetKeys(paths=_paths(base)[:1])
        with pytest.raises(UserError, match=f"process {os.getpid()}"):
            engine.ask(key, Keys)


def test_descriptions_beside_a_writer_are_made_and_not_kept(base: Path) -> None:
    """The answer says who has the library."""
    body = DescribeFiles(paths=_paths(base)[:2], kind=DescriptionKind.CAPTION)
    parts: list[ReplyBody] = []
    with Library.open(base / "library"), local_engine(base / "library", Access.OPTIONAL) as engine:
        end = engine.ask(body, DescribedFiles, on_partial=parts.append)
    assert len(parts) == 2
    assert str(os.getpid()) in end.unkept
    with local_engine(base / "library", Access.READ) as engine:
        keys = engine.ask(GetKeys(paths=body.paths), Keys).keys
        assert [row.caption for row in engine.ask(GetRows(keys=keys), Rows).rows] == [None, None]


def test_a_request_that_needs_no_model_opens_none(base: Path) -> None:
    """Words, undo and lists are quick even where the model is large, or gone."""
    with LocalEngine(base / "library", access=Access.WRITE, open_model=_no_model) as engine:
        keys = engine.ask(GetKeys(paths=_paths(base)), Keys).keys
        done = engine.ask(SetAnnotations(keys=keys[:1], caption="mine"), Reply)
        assert done.changed == keys[:1]
        models = engine.ask(ListModels(), Models).models
        assert [entry.source for entry in models if entry.is_used] == ["starter"]
        assert engine.ask(GetInfo(), Info).model.state is ModelState.LOADING


# The model ---------------------------------------------------------------------------


def test_a_model_that_cannot_be_opened_fails_what_needs_it(filled: Path) -> None:
    """Its own sentences; facts of the library are there all the same."""

    def gone(_source: str) -> Backend:
        raise UserError("The model is gone.", "Its file was deleted.", "Choose another.")

    with LocalEngine(filled / "library", open_model=gone) as engine:
        with pytest.raises(UserError, match="model is gone") as error:
            engine.ask(Search(text="red"), Hits)
        assert error.value.what_to_do == "Choose another."
        info = engine.ask(GetInfo(waits=True), Info)
    assert info.model.state is ModelState.FAILED
    assert "Its file was deleted." in info.model.reason
    assert (info.counts.media, info.model.image_id) == (5, FakeBackend().info().image_id)


def test_the_model_is_opened_once_for_all_requests(filled: Path) -> None:
    """A quick search and what comes after share it, and it is closed in the end."""
    opened: list[str] = []
    closed: list[str] = []

    class Counted(FakeBackend):
        def close(self) -> None:
            closed.append("closed")

    def open_model(source: str) -> Backend:
        opened.append(source)
        return Counted()  # type: ignore[return-value]

    with LocalEngine(filled / "library", open_model=open_model) as engine:
        engine.ask(Search(text="red"), Hits)
        engine.ask(GetInfo(waits=True), Info)
        engine.ask(Search(text="blue"), Hits)
        assert closed == []
    assert (opened, closed) == (["starter"], ["closed"])


def test_the_source_is_the_chosen_one_else_the_librarys(tmp_path: Path, filled: Path) -> None:
    """An engine of the library serves its model only."""
    assert library_source(tmp_path) == "starter"
    assert library_source(filled / "library") == "starter"
    assert serves_model(filled / "library", None)
    assert serves_model(filled / "library", "starter")
    assert not serves_model(filled / "library", "run:1")


# Searching ---------------------------------------------------------------------------


def test_a_quick_search_answers_as_the_whole_engine_does(filled: Path) -> None:
    """The snapshot and the tables give the same hits, to the last digit."""
    with local_engine(filled / "library", Access.READ) as quick:
        first = quick.ask(Search(text="something red", limit=3), Hits)
        quick.ask(ListNewest(), Keys)  # opens the library
        second = quick.ask(Search(text="something red", limit=3), Hits)
    # Shapes are for windows, and cost time.
    assert first == changed(second, shapes=b"", days=None)
    names = {hit.path.text.rpartition("/")[2] for hit in first.hits[:2]}
    assert names == {"red-0.jpg", "red-4.jpg"}
    assert not first.complete


def test_a_quick_search_loads_neither_the_store_nor_torch(filled: Path) -> None:
    """A short command would spend most of its time there."""
    code = (
        "import sys\n"
        "from cocadesk.protocol.messages import Hits, Search\n"
        "from pathlib import Path\n"
        "from tests.support.fake_backend import FakeBackend\n"
        "from cocadesk.engine.local import LocalEngine\n"
        f"folder = Path({os.fspath(filled / 'library')!r})\n"
        "with LocalEngine(folder, open_model=lambda _: FakeBackend()) as engine:\n"
        "    hits = engine.ask(Search(text='red'), Hits).hits\n"
        "print(len(hits), [n for n in ('lancedb', 'pyarrow', 'torch') if n in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "5 []\n"


# Jobs --------------------------------------------------------------------------------


def test_a_job_runs_while_it_is_watched_and_stays_in_the_list(base: Path) -> None:
    """The next engine, of whatever kind, knows how it ended."""
    with local_engine(base / "library") as engine:
        job = engine.ask(StartIndex(), JobReply).job
        assert job.state is JobState.QUEUED
        steps: list[Progress] = []
        end = engine.ask(WatchJob(job_id=job.id), JobReply, on_progress=steps.append)
        assert end.job.state is JobState.DONE
        assert steps
        assert engine.ask(WatchJob(job_id=job.id), JobReply) == end
    with local_engine(base / "library") as engine:
        listed = {item.id: item for item in engine.ask(ListJobs(), Jobs).jobs}
        assert listed[job.id].state is JobState.DONE
        assert engine.ask(WatchJob(job_id=job.id), JobReply).report == end.report


def test_ctrl_c_ends_a_job_after_the_step_in_hand_and_it_can_go_on(base: Path) -> None:
    """The step is told of, all commits are kept, and the job waits again."""
    told: list[str] = []
    engine = LocalEngine(
        base / "library",
        access=Access.WRITE,
        open_model=lambda _source: FakeBackend(),  # type: ignore[arg-type, return-value]
        on_stopping=lambda: told.append("stopping"),
    )
    with engine:
        job = engine.ask(StartIndex(), JobReply).job

        def press(progress: Progress) -> None:
            if not told:
                signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            engine.ask(WatchJob(job_id=job.id), JobReply, on_progress=press)
        assert told == ["stopping"]
        (listed, *_) = engine.ask(ListJobs(), Jobs).jobs
        assert (listed.id, listed.state) == (job.id, JobState.QUEUED)
        end = engine.ask(WatchJob(job_id=job.id), JobReply)
        assert end.job.state is JobState.DONE


def test_a_cancelled_job_is_not_begun_and_a_paused_one_goes_on_when_watched(base: Path) -> None:
    """Nobody else could resume it here."""
    with local_engine(base / "library") as engine:
        first = engine.ask(StartIndex(), JobReply).job
        engine.ask(ControlJob(job_id=first.id, action=JobAction.CANCEL), JobReply)
        assert engine.ask(WatchJob(job_id=first.id), JobReply).job.state is JobState.CANCELLED
        second = engine.ask(StartIndex(), JobReply).job
        engine.ask(ControlJob(job_id=second.id, action=JobAction.PAUSE), JobReply)
        assert engine.ask(WatchJob(job_id=second.id), JobReply).job.state is JobState.DONE


def test_a_job_that_fails_says_why(base: Path) -> None:
    """The model's sentence is the job's message."""

    def gone(_source: str) -> Backend:
        raise UserError("The model is gone.")

    with LocalEngine(base / "library", access=Access.WRITE, open_model=gone) as engine:
        job = engine.ask(StartIndex(), JobReply).job
        end = engine.ask(WatchJob(job_id=job.id), JobReply)
    assert (end.job.state, end.job.message) == (JobState.FAILED, "The model is gone.")
    assert end.report is None


def test_another_thread_may_watch_a_job(base: Path) -> None:
    """Only Ctrl-C needs the main thread."""
    ends: list[JobState] = []

    def work() -> None:
        with local_engine(base / "library") as engine:
            ends.append(index(engine, base / "photos").job.state)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ends == [JobState.DONE]


# Descriptions ------------------------------------------------------------------------


def test_ctrl_c_ends_describing_and_the_described_are_kept(base: Path) -> None:
    """As with a job: nothing that was done is lost."""
    body = DescribeFiles(paths=_paths(base), kind=DescriptionKind.CAPTION)
    described: list[WirePath] = []

    def press(part: ReplyBody) -> None:
        assert isinstance(part, DescribedFile)
        described.append(part.path)
        signal.raise_signal(signal.SIGINT)

    with local_engine(base / "library", Access.OPTIONAL) as engine:
        with pytest.raises(KeyboardInterrupt):
            engine.ask(body, DescribedFiles, on_partial=press)
        keys = engine.ask(GetKeys(paths=tuple(described)), Keys).keys
        (row,) = engine.ask(GetRows(keys=keys), Rows).rows
    assert row.caption


def test_files_are_described_without_a_library(tmp_path: Path) -> None:
    """Nothing is made on disk for it."""
    photos = coloured_photos(tmp_path / "photos")
    body = DescribeFiles(paths=(WirePath.of(photos),), kind=DescriptionKind.CAPTION)
    parts: list[ReplyBody] = []
    with local_engine(tmp_path / "library", Access.OPTIONAL) as engine:
        end = engine.ask(body, DescribedFiles, on_partial=parts.append)
    captions = {p.path.text.rpartition("/")[2]: p.caption for p in parts if hasattr(p, "caption")}
    assert captions["red-0.jpg"] == "a red picture"
    assert (len(captions), end) == (5, DescribedFiles())
    assert not (tmp_path / "library").exists()


# Life --------------------------------------------------------------------------------


def test_no_thread_and_no_process_is_left_behind(base: Path) -> None:
    """A command ends when it has printed its answer."""
    before = set(threading.enumerate())
    with local_engine(base / "library", Access.OPTIONAL) as engine:
        engine.ask(DescribeFiles(paths=_paths(base), kind=DescriptionKind.TAGS), DescribedFiles)
        engine.ask(Search(text="red"), Hits)
        index(engine, base / "photos")
    assert {t for t in threading.enumerate() if not t.daemon} <= before
    with Library.open(base / "library") as library:  # the lock is free again
        assert library.is_writer


def test_an_engine_may_be_closed_twice_and_before_it_was_asked(filled: Path) -> None:
    """Neither is an error."""
    engine = local_engine(filled / "library", Access.READ)
    engine.close()
    engine.ask(Search(text="red"), Hits)
    engine.close()
    engine.close()


@pytest.fixture
def served(base: Path) -> Iterator[Path]:
    """The library, served by an engine on a thread of this process."""
    with inner_engine(
        base / "library",
        "starter",
        opener=lambda _source: FakeBackend(),  # type: ignore[arg-type, return-value]
    ):
        yield base / "library"


def test_a_running_engine_is_asked_where_there_is_one(served: Path) -> None:
    """Both answer the same; only one of them is in this process."""
    with running_or(LocalEngine(served)) as engine:
        assert isinstance(engine, EngineClient)
        assert engine.ask(GetInfo(waits=True), Info).counts.media == 5
    with running_or(LocalEngine(served, model="starter", access=Access.WRITE)) as engine:
        assert isinstance(engine, EngineClient)


def test_an_engine_with_another_model_is_left_alone(served: Path) -> None:
    """The library is read beside it with the model that was asked for; writing is refused."""
    asked: list[str] = []

    def open_model(source: str) -> Backend:
        asked.append(source)
        return FakeBackend()  # type: ignore[return-value]

    with running_or(LocalEngine(served, model="other", open_model=open_model)) as engine:
        assert isinstance(engine, LocalEngine)
        assert len(engine.ask(Search(text="red"), Hits).hits) == 5
    assert asked == ["other"]
    with (
        running_or(
            LocalEngine(served, model="other", access=Access.CREATE, open_model=open_model)
        ) as engine,
        pytest.raises(UserError, match="already open for writing"),
    ):
        engine.ask(StartIndex(), JobReply)


def test_without_an_engine_the_library_is_opened_here(base: Path) -> None:
    """No engine is started for a short command."""
    with running_or(LocalEngine(base / "library")) as engine:
        assert isinstance(engine, LocalEngine)


def test_an_answer_of_another_kind_is_a_mistake_of_the_program(filled: Path) -> None:
    """As with a client of a served engine."""
    with (
        local_engine(filled / "library", Access.READ) as engine,
        pytest.raises(ProtocolError, match="Keys came instead of Hits"),
    ):
        engine.ask(ListNewest(), Hits)
