"""The first minute: what is read is said, the samples, better models, the program's icon."""

from __future__ import annotations

import configparser
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.locations import LIBRARY_VARIABLE
from cocadesk.protocol.messages import ModelChanged
from cocadesk.protocol.values import JobKind, JobState, JobValue, ModelState, ModelValue
from cocadesk.resources import resource_path
from ui.engine.link import EngineLink, LinkState
from ui.kit import desktop
from ui.kit.app_theme import AppTheme
from ui.kit.icons import program_icon
from ui.library.empty_states import (
    MODELS,
    OTHER_LIBRARY,
    SAMPLES,
    Reading,
    empty_state_for,
    reading_of,
)
from ui.library.listing import Listing
from ui.library.query import Showing
from ui.shell.first_minute import ARE_SAMPLES
from ui.shell.libraries import RECENT, samples_library, start_library
from ui.shell.pages import Pages
from ui.shell.window import MainWindow

WAIT_MS = 30_000
SEARCH = Listing(showing=Showing.SEARCH, query="a dog", is_filtered=True)

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


def _job(state: JobState = JobState.RUNNING, **how_far: object) -> JobValue:
    return JobValue(id="j", kind=JobKind.INDEX, title="Indexing", state=state, **how_far)  # type: ignore[arg-type]


def _title(listing: Listing, reading: Reading | None) -> tuple[str, str]:
    shown = empty_state_for(
        LinkState.CONNECTED, None, listing, is_working=reading is not None, reading=reading
    )
    assert shown is not None
    return shown.title, shown.text


def test_a_search_before_anything_is_read_says_so() -> None:
    """With numbers once files are counted; a search that finds nothing later says of how many."""
    assert _title(SEARCH, None)[0] == "Nothing found"
    counting = reading_of([_job(stage="Looking for photos and videos")])
    assert _title(SEARCH, counting)[0] == "Nothing read yet"
    assert _title(SEARCH, counting)[1].startswith("Looking for photos and videos…")
    begun = reading_of([_job(done=0, total=1500, seconds_left=180.0)])
    title, text = _title(SEARCH, begun)
    assert title == "Nothing read yet: 0 of 1,500"
    assert text.startswith("Reading 1,500 photos and videos, about 3 minutes left.")
    later = reading_of([_job(done=120, total=1500)])
    assert _title(SEARCH, later)[0] == "Nothing found among the 120 of 1,500 that are read"


def test_the_first_reading_says_how_long_it_takes() -> None:
    """And while the model is opened, that."""
    waiting = reading_of([_job(stage="Waiting for the model")])
    newest = Listing(showing=Showing.NEWEST)
    assert _title(newest, waiting)[1].startswith("Waiting for the model…")
    begun = reading_of([_job(done=3, total=40, seconds_left=20.0)])
    assert "Reading 40 photos and videos, about 20 seconds left." in _title(newest, begun)[1]


def test_only_an_index_counts_as_reading_the_one_that_runs_first() -> None:
    """A lesson reads nothing new."""
    lesson = replace_kind(_job(), JobKind.TEACH)
    assert reading_of([lesson]) is None
    waits, runs = _job(JobState.QUEUED, total=9), _job(done=2, total=5)
    assert reading_of([waits, runs]) == Reading(done=2, total=5)
    assert reading_of([waits, lesson]) == Reading(total=9)


def replace_kind(job: JobValue, kind: JobKind) -> JobValue:
    """The job as one of another kind."""
    return JobValue(id=job.id, kind=kind, title=job.title, state=job.state)


def test_the_headline_says_that_the_model_is_loading(window: MainWindow, qtbot: QtBot) -> None:
    """Until it is open."""
    loading = ModelValue(state=ModelState.LOADING)
    window.session.link.event_received.emit(ModelChanged(model=loading))
    assert window.widgets.results.text.text().endswith("· loading the model…")
    ready = ModelValue(state=ModelState.READY)
    window.session.link.event_received.emit(ModelChanged(model=ready))
    assert "loading" not in window.widgets.results.text.text()


@pytest.fixture
def empty_window(library: Path, make_window: Callable[..., MainWindow], qtbot: QtBot) -> MainWindow:
    """A window on a library without photos, its engine still to come."""
    return make_window()


def test_the_first_page_offers_samples_and_models(
    empty_window: MainWindow, library: Path, qtbot: QtBot
) -> None:
    """The samples are another library; the models are one click away."""
    window, wanted = empty_window, []
    window.library_wanted.connect(wanted.append)
    with FakeEngine(library, media=0):
        empty = window.widgets.empty
        qtbot.waitUntil(lambda: "first folder" in empty.text(), timeout=WAIT_MS)
        links = {part.text(): part for part in empty.links()}
        assert list(links) == [SAMPLES, MODELS]
        links[SAMPLES].click()
        assert wanted == [samples_library()]
        links[MODELS].click()
        assert window.switcher.page is Pages.MODELS
        window.close()


def test_the_samples_are_read_into_a_library_of_their_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    app_theme: AppTheme,
    qtbot: QtBot,
    library: Path,
) -> None:
    """Once; it is no recent library, no start opens it, and one click leads back."""
    monkeypatch.setenv(LIBRARY_VARIABLE, str(library))
    folder = samples_library()
    folder.mkdir()
    (folder / "library.json").write_text("{}")
    with FakeEngine(folder, media=0) as engine:
        window = MainWindow(EngineLink(folder, starts_engine=False), app_theme)
        qtbot.addWidget(window)
        window.show()
        window.session.link.open()
        notice = window.widgets.notice
        qtbot.waitUntil(lambda: ARE_SAMPLES in notice.text(), timeout=WAIT_MS)
        qtbot.waitUntil(lambda: bool(window.session.tracker.all()), timeout=WAIT_MS)
        assert window.session.tracker.all()[0].kind is JobKind.INDEX
        wanted: list[object] = []
        window.library_wanted.connect(wanted.append)
        notice.button.click()
        assert wanted == [library]
        assert str(folder) not in RECENT.read()
        monkeypatch.delenv(LIBRARY_VARIABLE)
        assert start_library("") != folder
        window.close()
        assert engine is not None


def test_the_program_has_an_icon_and_an_entry_for_menus(app_theme: AppTheme) -> None:
    """In sizes from a title bar to a dock; the entry names both."""
    sizes = {size.width() for size in program_icon().availableSizes()}
    assert {16, 32, 256} <= sizes
    image = program_icon().pixmap(64, 64).toImage()
    assert image.pixelColor(8, 32).name() == "#0b726d"
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(resource_path("desktop", "cocadesk.desktop"), "utf-8")
    assert entry["Desktop Entry"]["Exec"] == "cocadesk"
    assert entry["Desktop Entry"]["Icon"] == "cocadesk"


@pytest.mark.timeout(120)
def test_a_library_of_a_newer_program_has_a_sentence_and_a_way_on(
    library: Path,
    make_window: Callable[..., MainWindow],
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    """The real engine refuses it; another library is one click away."""
    (library / "library.json").write_text('{"id": "01X", "schema": 999}')
    window = make_window(starts_engine=True)
    empty = window.widgets.empty
    qtbot.waitUntil(lambda: "newer CocaDesk" in empty.text(), timeout=100_000)
    assert "Update CocaDesk" in empty.text()
    other = tmp_path / "other"
    other.mkdir()
    (other / "library.json").write_text("{}")
    monkeypatch.setattr(desktop, "ask_for_folder", lambda *_: str(other))
    wanted: list[object] = []
    window.library_wanted.connect(wanted.append)
    links = {part.text(): part for part in empty.links()}
    links[OTHER_LIBRARY].click()
    assert wanted == [other]


@pytest.mark.timeout(120)
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_library_in_a_folder_that_can_not_be_written_says_so(
    library: Path, make_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    """Before anything was made in it."""
    library.chmod(0o500)
    window = make_window(starts_engine=True)
    empty = window.widgets.empty
    qtbot.waitUntil(lambda: "can't" in empty.text(), timeout=100_000)
    assert [part.text() for part in empty.links()] == [OTHER_LIBRARY]
    library.chmod(0o700)
