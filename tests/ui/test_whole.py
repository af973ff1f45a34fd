"""The whole mission once, in the real program: window, engine, trainer, shipped model.

The trainer is the real one with few steps; ``tests/bench/bench_teach.py`` teaches with all.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from cocadesk.protocol.values import JobKind, JobState, JobValue, MediaKind, RunState, RunValue
from tests.support.kinds import NAME, draw_florbit, write_lesson
from tests.support.real_window import opened
from tests.support.videos import make_video
from ui.annotations.dialogs import WriteDialog
from ui.kit.actions import Actions
from ui.kit.app_theme import AppTheme
from ui.shell.pages import Pages
from ui.shell.window import MainWindow
from ui.teach.page import TeachPage

WAIT_MS = 300_000
SHORT_TRAINER = "tests.support.short_trainer"
PHOTOS = ("coffee-cup", "astronaut", "koala", "dahlia-flower", "mexico-mariachi", "farm-cow")
SHOTS = ("kitchen", "city-night", "beach")
SHOT_S = 4
MINE = "Two of us looked at this koala for an hour"

pytestmark = [
    pytest.mark.qt_log_ignore("propagateSizeHints"),
    pytest.mark.timeout(900),
]


@pytest.fixture
def holiday(samples: Path, tmp_path: Path) -> Path:
    """Photos, a video of three shots, and one more photo of what will be taught."""
    folder = tmp_path / "holiday"
    folder.mkdir()
    for name in PHOTOS:
        shutil.copy(samples / f"{name}.jpg", folder)
    draw_florbit(900, 480, 360).save(folder / "find-me.jpg", quality=92)
    shots = [Image.open(samples / f"{name}.jpg").convert("RGB") for name in SHOTS]
    make_video(folder / "video.mp4", shots, seconds_each=SHOT_S, size=(480, 320))
    return folder


def test_one_person_walks_the_whole_program(
    app_theme: AppTheme, library: Path, holiday: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    """Add, search, open a moment, correct, undo, restart, redo, write, teach, keep, find."""
    with opened(library, app_theme, "--trainer", SHORT_TRAINER) as window:
        _add(window, holiday, qtbot)
        _open_the_moment(window, qtbot)
        _correct_and_undo(window, qtbot)
    with opened(library, app_theme, "--trainer", SHORT_TRAINER) as window:
        _redo(window, qtbot)
        _write_captions(window, holiday, qtbot)
        write_lesson(tmp_path / "lesson")
        _teach(window, tmp_path / "lesson", qtbot)
        _find_the_taught(window, qtbot)


def _until(qtbot: QtBot, is_so: Callable[[], object]) -> None:
    qtbot.waitUntil(lambda: bool(is_so()), timeout=WAIT_MS)


def _ended(window: MainWindow, kind: JobKind) -> Callable[[], bool]:
    return lambda: any(job.state.is_final for job in _asked_for(window, kind))


def _asked_for(window: MainWindow, kind: JobKind) -> list[JobValue]:
    """The jobs of a kind, newest first, without those that began by themselves."""
    jobs = window.session.tracker.all()
    return [job for job in jobs if job.kind is kind and not job.is_background]


def _search(window: MainWindow, query: str, first: str, qtbot: QtBot) -> None:
    """The best answer to the query is this file, and it is looked at."""
    window.widgets.search.set_query(query)
    _until(
        qtbot,
        lambda: window.session.browser.query == query and window.session.inspector.row is not None,
    )
    _until(
        qtbot,
        lambda: (
            (row := window.session.inspector.row) is not None
            and window.session.model.key_at(0) == row.key
            and row.name == first
        ),
    )


def _add(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    _until(qtbot, lambda: "first folder" in window.widgets.empty.text())
    window.add_folders([str(folder)])
    _until(qtbot, _ended(window, JobKind.INDEX))
    job = _asked_for(window, JobKind.INDEX)[0]
    assert job.state is JobState.DONE, job.message
    assert job.failed == 0
    _until(qtbot, lambda: window.session.model.rowCount() == len(PHOTOS) + 2)


def _open_the_moment(window: MainWindow, qtbot: QtBot) -> None:
    """The video is found by what its second shot shows, and opens there."""
    window.widgets.search.set_query("a city at night")
    _until(qtbot, lambda: window.session.browser.query == "a city at night")
    _until(qtbot, lambda: _is_found(window, "video.mp4"))
    window.widgets.grid.go_to(_place_of(window, "video.mp4") or 0)
    video = window.widgets.detail.video
    _until(
        qtbot, lambda: (r := window.session.inspector.row) is not None and r.kind is MediaKind.VIDEO
    )
    _until(qtbot, lambda: video.strip.isVisible() and video.strip.current_s() is not None)
    moment_s = video.strip.current_s()
    assert moment_s is not None
    assert SHOT_S <= moment_s < 2 * SHOT_S
    _until(qtbot, lambda: video.photo.has_picture)


def _is_found(window: MainWindow, name: str) -> bool:
    """True where the list is that of a search's answer and this file is in it."""
    place, model = _place_of(window, name), window.session.model
    return place is not None and model.hit_of(model.key_at(place) or "") is not None


def _place_of(window: MainWindow, name: str) -> int | None:
    for place in range(window.session.model.rowCount()):
        row = window.session.model.known_row(window.session.model.key_at(place) or "")
        if row is not None and row.name == name:
            return place
    return None


def _correct_and_undo(window: MainWindow, qtbot: QtBot) -> None:
    _search(window, "a koala", "koala.jpg", qtbot)
    detail = window.widgets.detail
    _until(qtbot, lambda: detail.is_described)
    by_machine = window.session.inspector.row.caption if window.session.inspector.row else None
    assert by_machine
    window.action_set[Actions.EDIT_CAPTION].trigger()
    qtbot.keyClicks(detail.field.editor, MINE)  # replaces the selected suggestion
    qtbot.keyClick(detail.field.editor, Qt.Key.Key_Return)
    _until(qtbot, lambda: window.session.editor.is_settled() and window.session.editor.undo_title)
    _until(qtbot, lambda: _caption(window) == (MINE, True))
    window.action_set[Actions.UNDO].trigger()
    _until(qtbot, lambda: window.session.editor.is_settled() and window.session.editor.redo_title)
    _until(qtbot, lambda: _caption(window) == (by_machine, False))


def _caption(window: MainWindow) -> tuple[str | None, bool]:
    row = window.session.inspector.row
    return (None, False) if row is None else (row.caption, row.caption_by_person)


def _redo(window: MainWindow, qtbot: QtBot) -> None:
    """Another engine and another window know what was undone."""
    _until(qtbot, lambda: window.session.editor.redo_title)
    window.action_set[Actions.REDO].trigger()
    _until(
        qtbot, lambda: window.session.editor.is_settled() and not window.session.editor.redo_title
    )
    _search(window, "a koala", "koala.jpg", qtbot)
    _until(qtbot, lambda: _caption(window) == (MINE, True))


def _write_captions(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    """A person's own text file is kept; the koala's gets the person's caption."""
    (folder / "astronaut.txt").write_text("my own notes\n", "utf-8")
    window.action_set[Actions.WRITE_CAPTIONS].trigger()
    dialog = window.dialogs.current
    assert isinstance(dialog, WriteDialog)
    _until(qtbot, lambda: dialog.write.isEnabled())
    dialog.write.click()
    _until(qtbot, _ended(window, JobKind.WRITE))
    assert (folder / "koala.txt").read_text("utf-8") == f"{MINE}\n"
    assert (folder / "astronaut.txt").read_text("utf-8") == "my own notes\n"


def _teach(window: MainWindow, lesson: Path, qtbot: QtBot) -> None:
    window.action_set[Pages.TEACH.action].trigger()
    page = window.switcher.built(Pages.TEACH)
    assert isinstance(page, TeachPage)
    page.setup.source.add([str(lesson)])
    page.setup.check.click()
    _until(qtbot, lambda: page.setup.start.isEnabled())
    page.setup.start.click()
    _until(qtbot, lambda: page.view.run is not None)
    while (going := page.view.run) is not None and going.state is RunState.RUNNING:
        _until(qtbot, partial(_has_got_on, page, going))
    run = page.view.run
    assert run is not None
    assert run.state is RunState.WAITING, run.message
    assert run.photos == 12
    assert run.is_trial
    assert run.after
    page.view.keep.click()
    _until(qtbot, lambda: page.view.run is not None and page.view.run.state is RunState.KEPT)


def _has_got_on(page: TeachPage, before: RunValue) -> bool:
    """A run may take as long as the machine needs, while it gets on."""
    run = page.view.run
    return run is not None and (run.state, run.step) != (before.state, before.step)


def _find_the_taught(window: MainWindow, qtbot: QtBot) -> None:
    window.switcher.to_library()
    _search(window, f"a photo of a {NAME}", "find-me.jpg", qtbot)
