"""Forgetting through an engine: jobs, teaching runs, excludes, and what an index makes of it."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cocadesk.engine.job_records import JobSpec
from cocadesk.engine.job_steps import JobOutcome, JobStep, Steps
from cocadesk.engine.local import Access, LocalEngine
from cocadesk.engine.scheduler import Scheduler
from cocadesk.engine.teaching.runs import RunStore
from cocadesk.errors import UserError
from cocadesk.indexing.types import IndexReport
from cocadesk.library.in_hand import NOTE_NAME
from cocadesk.library.library import Library
from cocadesk.library.rows import JobRow, MediaState
from cocadesk.library.traces import Traces
from cocadesk.locations import log_file
from cocadesk.protocol.endpoint import log_file as engine_log
from cocadesk.protocol.messages import (
    AnnotationsReply,
    BackUpLibrary,
    CareReport,
    Excluded,
    Forget,
    Forgotten,
    GetKeys,
    JobReply,
    Jobs,
    Keys,
    ListJobs,
    ListNewest,
    ListRoots,
    Roots,
    SetAnnotations,
    SetExcludes,
    StartCaption,
    StartIndex,
    UndoAnnotations,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobKind, JobState, Scope
from cocadesk.trainer_messages import CaptionedPhoto, TuningDataset, TuningSpec
from tests.support.engines import coloured_photos, local_engine
from tests.support.found_bytes import found_in
from tests.support.index_tools import run_index


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five photos, two of them moved into a folder of their own."""
    folder = coloured_photos(tmp_path / "photos")
    (folder / "sub").mkdir()
    for name in ("green-1.jpg", "blue-2.jpg"):
        (folder / name).rename(folder / "sub" / name)
    return folder


@pytest.fixture
def engine(tmp_path: Path, photos: Path) -> Iterator[LocalEngine]:
    """An engine in this process with these photos indexed."""
    with Library.open(tmp_path / "library") as library:
        run_index(library, [photos])
    with local_engine(tmp_path / "library") as engine:
        yield engine


def forget(engine: LocalEngine, *paths: Path, is_missing: bool = False) -> Forgotten:
    """Forgets."""
    body = Forget(paths=tuple(map(WirePath.of, paths)), is_missing=is_missing)
    return engine.ask(body, Forgotten)


def names(engine: LocalEngine) -> set[str]:
    """The names of all media of the library, wherever they are."""
    engine.close()
    with Library.open(engine.folder, writer=False) as library:
        return {os.path.basename(os.fsdecode(one.path)) for one in library.media.identities()}  # noqa: PTH119


def indexed(engine: LocalEngine, folder: Path) -> IndexReport:
    """The report of another index; the engine opens the library again when it is next asked."""
    engine.close()
    with Library.open(engine.folder) as library:
        return run_index(library, [folder])


def test_a_forgotten_photo_does_not_come_back_with_the_next_index(
    engine: LocalEngine, photos: Path
) -> None:
    """It is excluded from its root; when the pattern is taken away it is new again."""
    done = forget(engine, photos / "red-0.jpg")
    assert done.excluded == (WirePath("/red-0.jpg"),)
    assert (photos / "red-0.jpg").exists()
    assert indexed(engine, photos).indexed == 0
    engine.ask(SetExcludes(folder=WirePath.of(photos), remove=done.excluded), Excluded)
    assert indexed(engine, photos).indexed == 1
    assert "red-0.jpg" in names(engine)


def test_no_byte_is_left_in_library_cache_logs_and_what_killed_writers_left(
    engine: LocalEngine, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Backups, drafts of files, notes of a crash, reports of bugs: found before, not after."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    photo, library = photos / "red-0.jpg", engine.folder
    secret = secrets.token_hex(20)
    (key,) = engine.ask(GetKeys(paths=(WirePath.of(photo),)), Keys).keys
    engine.ask(SetAnnotations(keys=(key,), caption=secret, add_tags=("sea",)), AnnotationsReply)
    engine.ask(BackUpLibrary(), CareReport)
    drafts = (
        library / "search.snapshot.1.tmp",
        library / "backups" / "a day.zip.1.tmp",
        library / "store" / "media.lance" / "data" / ".tmpAbC",
        library / "store" / "edits.lance" / "data" / "never-committed.lance",
    )
    logs = (log_file(), log_file().with_suffix(".old.log"), engine_log(library))
    for path in (*drafts, *logs):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"words set {photo} --caption {secret}")
    (library / NOTE_NAME).write_bytes(b"+" + os.fsencode(photo) + b"\0")
    wanted = {"caption": secret.encode(), "path": os.fsencode(photo), "key": key.encode()}
    before = found_in(wanted, library, tmp_path / "cache")
    assert len(before["caption"]) >= len(drafts) + len(logs) + 2
    assert NOTE_NAME in before["path"]
    forget(engine, photo)
    assert found_in(wanted, library, tmp_path / "cache") == {name: set() for name in wanted}


def test_a_forgotten_folder_of_a_root_does_not_come_back(engine: LocalEngine, photos: Path) -> None:
    """The whole folder is excluded, with files that will come into it."""
    done = forget(engine, photos / "sub")
    assert (done.counts.media, done.counts.folders) == (2, 0)
    assert done.excluded == (WirePath("/sub"),)
    (photos / "white-3.jpg").rename(photos / "sub" / "white-3.jpg")
    report = indexed(engine, photos)
    assert (report.indexed, report.missing) == (0, 0 + 1)
    assert "green-1.jpg" not in names(engine)


def test_a_forgotten_root_can_be_added_again(engine: LocalEngine, photos: Path) -> None:
    """All its photos are new then: nothing is known of them, no pattern holds them off."""
    engine.ask(SetExcludes(folder=WirePath.of(photos), add=(WirePath("*.gif"),)), Excluded)
    done = forget(engine, photos)
    assert (done.counts.media, done.counts.folders, done.excluded) == (5, 1, ())
    assert indexed(engine, photos).indexed == 5
    (root,) = engine.ask(ListRoots(), Roots).roots
    assert root.excludes == ()


def test_the_missing_are_purged_and_nothing_else(engine: LocalEngine, photos: Path) -> None:
    """Gone and excluded media; only in a folder, where one is given."""
    (photos / "red-0.jpg").unlink()
    (photos / "sub" / "blue-2.jpg").unlink()
    indexed(engine, photos)
    assert forget(engine, photos / "sub", is_missing=True).counts.media == 1
    engine.ask(SetExcludes(folder=WirePath.of(photos), add=(WirePath("white*"),)), Excluded)
    done = forget(engine, is_missing=True)
    assert (done.counts.media, done.excluded) == (2, ())
    assert forget(engine, is_missing=True).counts.media == 0
    assert names(engine) == {"green-1.jpg", "red-4.jpg"}


def test_excluded_media_are_listed_only_where_one_asks_for_them(
    engine: LocalEngine, photos: Path
) -> None:
    """Neither among the newest nor under another filter; nothing of them is lost."""
    engine.ask(SetExcludes(folder=WirePath.of(photos), add=(WirePath("white*"),)), Excluded)
    totals = [
        engine.ask(ListNewest(filter=text), Keys).total
        for text in ("", "kind:photo", "state:missing")
    ]
    assert totals == [4, 4, 1]


def test_no_pattern_is_made_for_a_file_that_is_gone_already(
    engine: LocalEngine, photos: Path
) -> None:
    """Another photo of that name would never be found."""
    (photos / "red-0.jpg").unlink()
    indexed(engine, photos)
    assert forget(engine, photos / "red-0.jpg").excluded == ()


def test_a_link_to_a_folder_names_it_too(engine: LocalEngine, photos: Path, tmp_path: Path) -> None:
    """The library knows folders without links."""
    (tmp_path / "link").symlink_to(photos)
    assert forget(engine, tmp_path / "link" / "sub").counts.media == 2


def test_what_was_forgotten_cannot_be_undone(engine: LocalEngine, photos: Path) -> None:
    """The history of other media is as it was."""
    paths = tuple(WirePath.of(photos / name) for name in ("red-0.jpg", "white-3.jpg"))
    for key in engine.ask(GetKeys(paths=paths), Keys).keys:
        engine.ask(SetAnnotations(keys=(key,), caption="words"), AnnotationsReply)
    assert forget(engine, photos / "white-3.jpg").counts.edits == 1
    assert engine.ask(UndoAnnotations(), AnnotationsReply).title == "Caption of red-0.jpg"
    assert engine.ask(UndoAnnotations(), AnnotationsReply).title == ""


def test_jobs_that_name_what_is_forgotten_go(engine: LocalEngine, photos: Path) -> None:
    """Their order or their report holds its path; other jobs stay."""
    scope = Scope(folders=(WirePath.of(photos / "sub"),))
    engine.ask(StartIndex(folders=(WirePath.of(photos),)), JobReply)
    engine.ask(StartCaption(scope=scope), JobReply)
    assert [job.kind for job in engine.ask(ListJobs(), Jobs).jobs] == [
        JobKind.CAPTION,
        JobKind.INDEX,
    ]
    assert forget(engine, photos / "sub").counts.jobs == 1
    assert [job.kind for job in engine.ask(ListJobs(), Jobs).jobs] == [JobKind.INDEX]
    assert forget(engine, photos).counts.jobs == 1
    engine.close()
    with Library.open(engine.folder, writer=False) as library:
        assert library.jobs.all() == []
    assert len(engine.ask(ListNewest(), Keys).keys) == 0


class JobsInMemory:
    """A table of jobs."""

    def __init__(self) -> None:
        self.rows: dict[str, JobRow] = {}

    def all(self) -> list[JobRow]:
        """All rows."""
        return list(self.rows.values())

    def save(self, job: JobRow) -> None:
        """Keeps a row."""
        self.rows[job.id] = job

    def forget(self, job_id: str) -> None:
        """Drops a row."""
        del self.rows[job_id]


def test_nothing_is_forgotten_while_a_job_runs() -> None:
    """It knows the media by heart and would write them again."""
    is_at_work, may_end = threading.Event(), threading.Event()

    def work(spec: str) -> Steps:
        is_at_work.set()
        may_end.wait(20)
        yield JobStep(done=1)
        return JobOutcome(message="done")

    table = JobsInMemory()
    scheduler = Scheduler(
        table,
        {JobKind.INDEX: work},
        on_change=lambda _job: None,
        wait_until_quiet=lambda _limit_s: True,
    )
    job = scheduler.add(JobKind.INDEX, "Adding photos", '{"folders": ["/photos"]}')
    thread = threading.Thread(
        target=scheduler.run, args=(job.id,), kwargs={"is_stopped": lambda: False}
    )
    thread.start()
    assert is_at_work.wait(20)
    with pytest.raises(UserError, match="Adding photos"), scheduler.at_rest():
        pass
    may_end.set()
    thread.join()
    with scheduler.at_rest() as forget_jobs:
        assert forget_jobs(Traces((), (), [b"/other"]).is_in) == 0
        assert forget_jobs(Traces((), (), [b"/photos"]).is_in) == 1
    assert table.rows == {}


def test_media_are_forgotten_while_a_model_is_fetched() -> None:
    """Which takes an hour, and knows nothing of them; its own row stays until it has ended."""
    is_at_work, may_end = threading.Event(), threading.Event()

    def work(spec: str) -> Steps:
        is_at_work.set()
        may_end.wait(20)
        yield JobStep(done=1)
        return JobOutcome(message="done")

    table = JobsInMemory()
    scheduler = Scheduler(
        table,
        {JobKind.FETCH_MODEL: work},
        on_change=lambda _job: None,
        wait_until_quiet=lambda _limit_s: True,
    )
    job = scheduler.add(JobKind.FETCH_MODEL, "Fetching a model", '{"folder": "/photos/hub"}')
    thread = threading.Thread(
        target=scheduler.run, args=(job.id,), kwargs={"is_stopped": lambda: False}
    )
    thread.start()
    assert is_at_work.wait(20)
    with scheduler.at_rest() as forget_jobs:
        assert forget_jobs(Traces((), (), [b"/photos"]).is_in) == 0
    may_end.set()
    thread.join()
    assert scheduler.get(job.id).state is JobState.DONE


def test_a_finished_run_loses_the_notes_and_keeps_the_model(tmp_path: Path) -> None:
    """What it has learned can't be taken out of it, but its words can."""
    gone = CaptionedPhoto(path=b"/photos/a.jpg", captions=("secret words",))
    kept = CaptionedPhoto(path=b"/photos/b.jpg", captions=("other words",))
    folder = tmp_path / "R1"
    (folder / "checkpoints" / "best").mkdir(parents=True)
    (folder / "spec.json").write_bytes(msgspec.json.encode(TuningSpec(photos=(gone, kept))))
    (folder / "dataset.json").write_bytes(msgspec.json.encode(TuningDataset(photos=(gone, kept))))
    (folder / "result.json").write_text(json.dumps({"skipped": {}}))
    (folder / "trainer.log").write_text("looked at /photos/a.jpg")
    runs = RunStore(tmp_path)
    assert runs.forget(Traces((), [b"/photos/c.jpg"], ())) == 0
    assert runs.forget(Traces((), [b"/photos/a.jpg"], ())) == 1
    spec = msgspec.json.decode((folder / "spec.json").read_bytes(), type=TuningSpec)
    assert spec.photos == (kept,)
    assert runs.counts("R1") == (1, 1)
    assert runs.has_model("R1")
    assert not any(b"secret" in p.read_bytes() for p in folder.rglob("*") if p.is_file())
    assert not (folder / "trainer.log").exists()


def test_an_unfinished_run_begins_anew_without_the_photo(tmp_path: Path) -> None:
    """Its features go by the places of photos in the data set, so they can't be kept."""
    gone = CaptionedPhoto(path=b"/photos/a.jpg", captions=("secret words",))
    folder = tmp_path / "R2"
    (folder / "features").mkdir(parents=True)
    (folder / "spec.json").write_bytes(msgspec.json.encode(TuningSpec(photos=(gone,))))
    (folder / "dataset.json").write_bytes(msgspec.json.encode(TuningDataset(photos=(gone,))))
    assert RunStore(tmp_path).forget(Traces((), (), [b"/photos"])) == 1
    assert [path.name for path in folder.iterdir()] == ["spec.json"]


def test_damaged_notes_of_a_run_do_not_hinder_forgetting(tmp_path: Path) -> None:
    """They may hold what was to go, so they go; the model of the finished run stays."""
    gone = CaptionedPhoto(path=b"/photos/a.jpg", captions=("secret words",))
    folder = tmp_path / "R3"
    (folder / "checkpoints" / "best").mkdir(parents=True)
    (folder / "dataset.json").write_bytes(msgspec.json.encode(TuningDataset(photos=(gone,))))
    (folder / "result.json").write_bytes(b'{"secret')
    runs = RunStore(tmp_path)
    assert runs.forget(Traces((), [b"/photos/a.jpg"], ())) == 1
    assert runs.has_model("R3")
    assert not (folder / "result.json").exists()


def test_patterns_belong_to_a_folder_that_was_added(engine: LocalEngine, photos: Path) -> None:
    """The sentence names it, and the pattern to give there."""
    body = SetExcludes(folder=WirePath.of(photos / "sub"), add=(WirePath("*.png"),))
    with pytest.raises(UserError) as caught:
        engine.ask(body, Excluded)
    assert str(photos) in caught.value.why
    assert "/sub/*.png" in caught.value.what_to_do


def test_the_library_needs_no_model_to_forget(engine: LocalEngine, photos: Path) -> None:
    """Who wants to forget need not wait for a network."""
    engine.close()

    def refuses(source: str) -> object:
        raise UserError("No model can be opened.", source)

    with LocalEngine(
        engine.folder,
        access=Access.WRITE,
        open_model=refuses,  # type: ignore[arg-type]
    ) as other:
        assert forget(other, photos / "sub").counts.media == 2


def test_offline_media_are_forgotten_and_stay_away(
    engine: LocalEngine, photos: Path, tmp_path: Path
) -> None:
    """Their disk is not there; the pattern waits for it."""
    photos.rename(tmp_path / "away")
    indexed(engine, photos)
    done = forget(engine, photos / "sub" / "green-1.jpg")
    assert (done.counts.media, done.excluded) == (1, (WirePath("/sub/green-1.jpg"),))
    (tmp_path / "away").rename(photos)
    assert indexed(engine, photos).indexed == 0
    engine.close()
    with Library.open(engine.folder, writer=False) as library:
        assert {one.state for one in library.media.identities()} == {MediaState.PRESENT}


def test_a_job_is_stored_with_texts_that_are_searched() -> None:
    """Also an order that is no JSON: what can't be read may name it."""
    traces = Traces(["KEY"], [b"/p/a.jpg", b"/p/\xff.jpg"], [b"/gone"])
    for text in (
        '{"x": ["KEY"]}',
        '{"path": {"text": "/p/a.jpg"}}',
        '["/gone/b.jpg"]',
        '["/gone"]',
        '["L3AvYS5qcGc="]',
        '["L3Av/y5qcGc="]',
        "no json",
    ):
        assert traces.is_in(text), text
    for text in ("[]", '["/gone2"]', '["KEYS"]', "{}", '{"n": 3}'):
        assert not traces.is_in(text), text
    assert JobSpec(title="t", work="{}").work == "{}"
