"""A library whose starter is older than the one that the program ships now."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.annotations.human import AnnotationEdit, HumanAnnotations
from cocadesk.engine.crash_guard import CrashGuard
from cocadesk.engine.handlers import EngineContext
from cocadesk.engine.index_job import STAGES
from cocadesk.engine.library_requests import LibraryHandler
from cocadesk.engine.loaded_model import ModelHolder
from cocadesk.engine.local import Access, LocalEngine
from cocadesk.errors import UserError
from cocadesk.indexing.reembed import reembed_steps
from cocadesk.indexing.types import IndexOptions, IndexStage
from cocadesk.library.layout import Manifest, read_manifest
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaRow, Tag
from cocadesk.locations import STARTER
from cocadesk.model.backend import Backend
from cocadesk.protocol.calls import Call, answers_of
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    CareReport,
    CheckLibrary,
    ControlJob,
    GetInfo,
    GetKeys,
    GetMoments,
    Hits,
    Info,
    JobReply,
    Jobs,
    Keys,
    ListJobs,
    ModelUpdate,
    Moments,
    Progress,
    Search,
    StartIndex,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import IndexReport, JobAction, JobKind, JobState, JobValue
from tests.support.engines import (
    coloured_photos,
    filled_library,
    index,
    photos_and_a_broken_one,
    use_model,
    watch,
)
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.index_tools import InProcessDecoder, run_index, write_photo, write_video
from tests.support.inner_engine import inner_engine
from tests.support.other_model import OTHER, OtherBackend, check_filled
from tests.support.waiting import until

WAIT_S = 20.0
OLD = FakeInfo()
THIRD = FakeInfo(
    name="third", model_id="third-000000000000", image_id="third-111111111111", embedding_dim=32
)


class SlowOther(OtherBackend):
    """The new starter; it reads no picture before it may."""

    def __init__(self, leave: threading.Event) -> None:
        super().__init__()
        self._leave = leave

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert self._leave.wait(WAIT_S)
        return super().embed_images(images_BHWC)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder with a library of five photos that the older starter has read."""
    return filled_library(tmp_path)


@pytest.fixture
def leave() -> Iterator[threading.Event]:
    """Lets the new starter read pictures."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def elsewhere(base: Path) -> Path:
    """A folder of one photo that is not in the library."""
    write_photo(base / "elsewhere" / "6.jpg", 6)
    return base / "elsewhere"


@contextmanager
def updated(
    base: Path, leave: threading.Event, make: Callable[[], FakeBackend] | None = None
) -> Iterator[EngineClient]:
    """A client of an engine of the program after its update."""

    def open_model(_source: str) -> Backend:
        return (make or (lambda: SlowOther(leave)))()  # type: ignore[return-value]

    with inner_engine(base / "library", STARTER, opener=open_model) as client:
        try:
            yield client
        finally:
            leave.set()


def updated_local(base: Path, access: Access = Access.READ) -> LocalEngine:
    """An engine in this process after the update."""
    return LocalEngine(
        base / "library",
        access=access,
        open_model=lambda _source: OtherBackend(),  # type: ignore[arg-type, return-value]
    )


def _info(client: EngineClient | LocalEngine) -> Info:
    return client.ask(GetInfo(waits=True), Info, timeout_s=WAIT_S)


def _by_names_alone(found: Hits) -> bool:
    """True where no picture was looked at: the files whose names hold the word."""
    names = {hit.path.text.rpartition("/")[2] for hit in found.hits}
    return names == {"red-0.jpg", "red-4.jpg"} and not any(hit.score for hit in found.hits)


def _search(client: EngineClient | LocalEngine, text: str = "red") -> Hits:
    return client.ask(Search(text=text), Hits, timeout_s=WAIT_S)


def _switches(client: EngineClient | LocalEngine) -> list[JobValue]:
    jobs = client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs
    return [job for job in jobs if job.kind is JobKind.SWITCH_MODEL]


def _begun(client: EngineClient) -> JobValue:
    """The job that the engine has begun by itself, a moment after its model is open."""
    until(lambda: _switches(client))
    (job,) = _switches(client)
    return job


def _manifest(base: Path) -> Manifest:
    manifest = read_manifest(base / "library")
    assert manifest is not None
    return manifest


def _names(base: Path) -> tuple[str | None, str | None, str | None]:
    found = _manifest(base)
    return found.image_id, found.model_id, found.model_source


NEW = (OTHER.image_id, OTHER.model_id, STARTER)


def test_the_engine_reads_all_again_by_itself_and_answers_meanwhile(
    base: Path, leave: threading.Event
) -> None:
    """Nobody does anything; searches say how far it is, and filters answer all the time."""
    with updated(base, leave) as client:
        job = _begun(client)
        before = _search(client)
        assert before.update == ModelUpdate(done=0, total=5)
        assert _by_names_alone(before)
        assert len(_search(client, "kind:photo").hits) == 5
        info = _info(client)
        assert (info.update, info.counts.without_vectors) == (before.update, 5)
        assert info.model.model_id == OTHER.model_id
        leave.set()
        assert watch(client, job).job.state is JobState.DONE
        after = _search(client)
        assert (len(after.hits), after.update, _info(client).update) == (5, None, None)
        alike = Search(text="", like=(after.hits[0].key,))
        assert client.ask(alike, Hits, timeout_s=WAIT_S).update is None
    assert _names(base) == NEW
    with Library.open(base / "library") as library:
        check_filled(library)


def test_the_reading_goes_on_with_the_next_engine_and_begins_once(
    base: Path, leave: threading.Event
) -> None:
    """The engine may end at any time; later ones find nothing to do."""
    with updated(base, leave) as client:
        job = _begun(client)
    with updated(base, leave) as client:
        assert watch(client, job).job.state is JobState.DONE
    with updated(base, leave) as client:
        _search(client)
        assert [job.id for job in _switches(client)] == [job.id]


def test_a_person_who_stops_it_is_not_asked_again_but_may_go_on(
    base: Path, leave: threading.Event
) -> None:
    """A later engine leaves it; choosing the starter goes on, with no second copy of the model."""
    with updated(base, leave) as client:
        body = ControlJob(job_id=_begun(client).id, action=JobAction.CANCEL)
        client.ask(body, JobReply, timeout_s=WAIT_S)
    opened: list[OtherBackend] = []

    def make() -> FakeBackend:
        opened.append(OtherBackend())
        return opened[-1]

    with updated(base, leave, make) as client:
        assert _info(client).update == ModelUpdate(done=0, total=5)
        assert [job.state for job in _switches(client)] == [JobState.CANCELLED]
        assert watch(client, use_model(client, STARTER)).job.state is JobState.DONE
        assert len(_search(client).hits) == 5
    assert (len(opened), _names(base)) == (1, NEW)


def test_an_index_of_any_folder_reads_all_of_the_library_again(base: Path) -> None:
    """Unchanged files too, and those of other folders; then every name is the new one."""
    (base / "elsewhere").mkdir()
    write_photo(base / "elsewhere" / "6.jpg", 6)
    with Library.open(base / "library") as library:
        run_index(library, [base / "elsewhere"])
    with updated_local(base, Access.WRITE) as engine:
        report = index(engine, base / "elsewhere").report
        assert isinstance(report, IndexReport)
        assert (report.indexed, report.failed) == (1, ())
        assert _switches(engine) == []
    assert _names(base) == NEW
    with updated_local(base) as engine:
        assert (len(_search(engine).hits), _info(engine).update) == (6, None)
    with Library.open(base / "library") as library:
        check_filled(library)


def test_an_index_of_a_running_engine_and_the_reading_do_the_work_once(
    base: Path, leave: threading.Event
) -> None:
    """New photos come in, one that is broken is named, and the ids are the new ones."""
    with updated(base, leave) as client:
        job = _begun(client)
        leave.set()
        done = index(client, photos_and_a_broken_one(base))
        assert done.job.state is JobState.DONE
        assert watch(client, job).job.state is JobState.DONE
        assert len(_search(client).hits) == 8
    assert _names(base) == NEW


def test_a_search_without_an_engine_answers_from_what_is_read(base: Path) -> None:
    """It writes nothing, begins nothing, and says how far the reading is."""
    with updated_local(base) as engine:
        found = _search(engine)
        assert found.update == ModelUpdate(done=0, total=5)
        assert _by_names_alone(found)
        assert len(_search(engine, "kind:photo").hits) == 5
        assert _info(engine).counts.without_vectors == 5
    with Library.open(base / "library") as library:
        steps = reembed_steps(
            library,
            OtherBackend(),
            source=STARTER,
            pool=InProcessDecoder(),
            options=IndexOptions(embed_batch=1, commit_rows=1, progress_s=0.001),
        )
        assert any(progress.done >= 2 for progress in itertools.islice(steps, 100))
        steps.close()
        done, _ = library.covered(OTHER.image_id)
    assert 0 < done < 5
    with updated_local(base) as engine:
        found = _search(engine)
        seen = [hit for hit in found.hits if hit.score]
        assert (len(seen), found.update) == (done, ModelUpdate(done=done, total=5))
    assert _names(base) == (OLD.image_id, OLD.model_id, STARTER)


@pytest.mark.parametrize("way", ["by itself", "index"])
def test_annotations_suggestions_and_thumbnails_stay(
    base: Path, leave: threading.Event, way: str
) -> None:
    """Only vectors are made anew."""
    with Library.open(base / "library") as library:
        keys = [row.key for row in library.media.iter_rows()]
        human = HumanAnnotations(library)
        library.media.set_captions({keys[0]: "a pier", keys[1]: "a dog"}, OLD.model_id)
        library.media.set_tags({keys[0]: [Tag(tag="pier", score=0.7)]}, OLD.model_id)
        human.set([keys[1]], AnnotationEdit(caption="Ida", add_tags=("beach",)))
        human.set([keys[0]], AnnotationEdit(remove_tags=("pier",)))
    before = _kept(base)
    if way == "index":
        with updated_local(base, Access.WRITE) as engine:
            index(engine, base / "photos")
    else:
        leave.set()
        with updated(base, leave) as client:
            watch(client, _begun(client))
    assert _names(base) == NEW
    assert _kept(base) == before


def _kept(base: Path) -> tuple[list[MediaRow], dict[Path, tuple[int, bytes]]]:
    """All rows, but for the marks of their vectors and the time of the index; all thumbnails."""
    with Library.open(base / "library", writer=False) as library:
        rows = [replace(row, embedded=(), indexed_utc=None) for row in library.media.iter_rows()]
    thumbs = (base / "library" / "thumbs").rglob("*.jpg")
    return sorted(rows, key=lambda row: row.key), {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in thumbs
    }


@pytest.mark.parametrize("source", ["run:7", "/models/mine"])
def test_a_model_that_a_person_chose_or_taught_stays_in_use(
    base: Path, leave: threading.Event, source: str
) -> None:
    """Its files are where they were; nothing begins by itself, and search answers."""
    with Library.open(base / "library") as library:
        library.set_model(OLD.image_id, model_id=OLD.model_id, source=source)
    with updated(base, leave, FakeBackend) as client:
        found = _search(client)
        assert (len(found.hits), found.update, _switches(client)) == (5, None, [])
    assert _names(base) == (OLD.image_id, OLD.model_id, source)


def test_other_weights_at_the_place_of_a_chosen_model_are_no_update(
    base: Path, leave: threading.Event
) -> None:
    """A person has put them there and decides: a search says what is the matter."""
    with Library.open(base / "library") as library:
        library.set_model(OLD.image_id, model_id=OLD.model_id, source="/models/mine")
    with updated(base, leave) as client:
        with pytest.raises(UserError, match="another model"):
            _search(client)
        assert (_switches(client), _info(client).update) == ([], None)
        assert _info(client).counts.without_vectors == 5


def test_a_person_may_choose_another_model_meanwhile(base: Path, leave: threading.Event) -> None:
    """The last choice counts: the reading for the starter ends."""

    backends = iter((SlowOther(leave), OtherBackend(), OtherBackend()))
    with updated(base, leave, lambda: next(backends)) as client:
        job = _begun(client)
        leave.set()
        assert watch(client, use_model(client, "/models/mine")).job.state is JobState.DONE
        assert watch(client, job).job.state.is_final
    assert _manifest(base).model_source == "/models/mine"


def test_a_starter_with_other_words_and_the_same_vectors_is_noted(
    base: Path, leave: threading.Event
) -> None:
    """Nothing is read again; the library names the model that answers."""

    class Reworded(FakeBackend):
        def info(self) -> FakeInfo:
            return FakeInfo(model_id="fake-999999999999")

    with updated(base, leave, Reworded) as client:
        assert (len(_search(client).hits), _switches(client)) == (5, [])
    assert _names(base) == (OLD.image_id, "fake-999999999999", STARTER)


def test_a_new_library_awaits_nothing(tmp_path: Path) -> None:
    """Its first index names the starter of now."""
    manifest = Manifest(id="new")
    assert not manifest.awaits(STARTER, OTHER.image_id)
    with updated_local(tmp_path, Access.CREATE) as engine:
        index(engine, coloured_photos(tmp_path / "photos"))
        assert _info(engine).update is None
    assert _names(tmp_path) == NEW


@pytest.mark.parametrize("chosen", [FakeBackend(), OtherBackend(THIRD)], ids=["fits", "differs"])
def test_an_index_leaves_the_model_that_a_person_chose_meanwhile(
    base: Path, elsewhere: Path, chosen: FakeBackend
) -> None:
    """It answers before the index has come to its end, or is read for next, not last."""
    stages: list[str] = []
    switches: list[JobValue] = []
    folders = (WirePath.of(elsewhere),)

    def open_model(source: str) -> Backend:
        return OtherBackend() if source == STARTER else chosen  # type: ignore[return-value]

    with LocalEngine(base / "library", access=Access.WRITE, open_model=open_model) as engine:

        def choose(now: Progress) -> None:
            is_reading_again = STAGES[IndexStage.FINISH] in stages
            stages.append(now.stage)
            if is_reading_again and now.stage == STAGES[IndexStage.EMBED]:
                stages.clear()
                switches.append(use_model(engine, "/models/mine"))

        job = engine.ask(StartIndex(folders=folders), JobReply).job
        done = engine.ask(WatchJob(job_id=job.id), JobReply, on_progress=choose).job
        assert (done.state, STAGES[IndexStage.FINISH] in stages) == (JobState.DONE, False)
        for switch in switches:
            assert watch(engine, switch).job.state is JobState.DONE
    info = chosen.info()
    assert _names(base) == (info.image_id, info.model_id, "/models/mine")


def test_a_video_that_comes_meanwhile_shows_its_moments(base: Path) -> None:
    """It has vectors of the new starter alone, others of the old one; a check finds no fault."""
    old = write_video(base / "before" / "old.mp4", "red", "blue")
    new = write_video(base / "meanwhile" / "new.mp4", "green", "white")
    with Library.open(base / "library") as library:
        run_index(library, [old.parent])
        run_index(library, [new.parent], backend=OtherBackend())
        library.care.back_up()
    with updated_local(base) as engine:
        assert _info(engine).update == ModelUpdate(done=1, total=7)
        paths = tuple(map(WirePath.of, (old, new)))
        for key in engine.ask(GetKeys(paths=paths), Keys).keys:
            assert len(engine.ask(GetMoments(key=key), Moments).moments) == 2
        assert engine.ask(CheckLibrary(), CareReport).problems == ()


def test_an_index_names_the_files_that_the_new_starter_could_not_read(
    base: Path, elsewhere: Path
) -> None:
    """They are its failures too, and it says how many it has read again."""
    broken = base / "photos" / "red-4.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(64))
    with updated_local(base, Access.WRITE) as engine:
        done = index(engine, elsewhere)
    assert isinstance(done.report, IndexReport)
    assert [failed.path for failed in done.report.failed] == [WirePath.of(broken)]
    assert done.job.failed == 1
    assert done.job.message == "1 photo added. Read again with the improved model: 4."


def _context(library: Library, model: ModelHolder) -> EngineContext:
    """One for a handler that only reads."""

    def refuse(*_: object, **_more: object) -> NoReturn:
        raise AssertionError

    return EngineContext(
        library=library,
        model=model,
        jobs=refuse,
        publish=lambda _event: None,
        run_long=refuse,
        crash_guard=CrashGuard(library),
    )


def test_the_count_of_what_is_read_stands_for_two_seconds(base: Path) -> None:
    """Many searches while it is awaited do not count the whole library each."""
    now_s = 100.0
    with Library.open(base / "library") as library:
        model = ModelHolder(
            library,
            lambda _source: OtherBackend(),  # type: ignore[arg-type, return-value]
            STARTER,
            cache=base / "cache",
        )
        handler = LibraryHandler(_context(library, model), clock=lambda: now_s)

        def update() -> ModelUpdate | None:
            call = Call(1, lambda _message: None)
            info = answers_of(handler)[GetInfo](GetInfo(waits=True), call)
            assert isinstance(info, Info)
            return info.update

        assert update() == ModelUpdate(done=0, total=5)
        run_index(library, [base / "photos"], backend=OtherBackend())
        now_s += 1.9
        assert update() == ModelUpdate(done=0, total=5)
        now_s += 0.1
        assert update() == ModelUpdate(done=5, total=5)
        model.close()
