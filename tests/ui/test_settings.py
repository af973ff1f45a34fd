"""The page of settings: found by words, in force at once, remembered, reset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QFont, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.captions import MOST_BEAMS, CaptionLength, CaptionWriting
from cocadesk.protocol.endpoint import library_name
from cocadesk.protocol.messages import (
    Describe,
    Info,
    JobReply,
    RequestBody,
    StartCaption,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CaptionStyle,
    CountsValue,
    IndexReport,
    JobKind,
    JobState,
    JobValue,
    ModelState,
    ModelValue,
)
from tests.support.stand_in_link import StandInLink
from ui.annotations.by_itself import BY_ITSELF, CaptionsByItself
from ui.annotations.styles import (
    BEAMS,
    LEAST,
    MOST,
    SEED,
    STYLE,
    TEMPERATURE,
    StyleChoice,
    chosen_writing,
)
from ui.engine.link import EngineLink, Ticket
from ui.engine.tracker import JobTracker
from ui.kit import desktop
from ui.kit.actions import Actions, ActionSet
from ui.kit.app_theme import APPEARANCE, COMPACT, TEXT_PERCENT, AppTheme
from ui.kit.theme import DARK, LIGHT, Appearance, current_theme
from ui.shell.engine_choices import THREADS, engine_options
from ui.shell.pages import Pages
from ui.shell.settings.about import details
from ui.shell.settings.engine import CaptionsSection, EngineSection, thread_choices
from ui.shell.settings.folders import FoldersSection
from ui.shell.settings.keys import KeysSection
from ui.shell.settings.libraries import LibrarySection, PrivacySection
from ui.shell.settings.look import LookSection
from ui.shell.settings.page import SettingsPage
from ui.shell.settings.rows import Section, SettingRow
from ui.shell.window import MainWindow

WAIT_MS = 30_000

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> SettingsPage:
    """The page, opened by its key."""
    window.activateWindow()
    window.widgets.grid.setFocus()
    QTest.keyClick(window.widgets.grid, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.switcher.page is Pages.SETTINGS, timeout=WAIT_MS)
    made = window.switcher.built(Pages.SETTINGS)
    assert isinstance(made, SettingsPage)
    return made


def _section(page: SettingsPage, kind: type[Section]) -> Section:
    return next(section for section in page.sections if isinstance(section, kind))


def _shown(page: SettingsPage) -> dict[str, list[str]]:
    return {
        section.title: [row.title for row in section.rows if row.isVisible()]
        for section in page.sections
        if section.isVisible()
    }


def _pick(row: SettingRow, text: str) -> None:
    box = row.findChild(QComboBox)
    assert isinstance(box, QComboBox)
    place = box.findText(text)
    assert place >= 0
    box.setCurrentIndex(place)
    box.activated.emit(place)


def test_every_setting_has_a_sentence_and_no_title_comes_twice(page: SettingsPage) -> None:
    """Each row can be found by its own words, too."""
    rows = [row for section in page.sections for row in section.rows]
    assert len({row.title for row in rows}) == len(rows)
    for row in rows:
        assert row.sentence.text().strip().endswith((".", "…")) or "/" in row.sentence.text()
        assert row.fits(row.title.casefold().split())


@pytest.mark.parametrize(
    ("words", "title", "row"),
    [
        ("battery", "Engine", "Wait on battery"),
        ("DARK", "Look", "Theme"),
        ("gpu", "Engine", "Device"),
        ("stored where", "Privacy", "Captions, tags, thumbnails and vectors"),
        ("forget queries", "Privacy", "Search history"),
        ("backup", "Library", "Care"),
    ],
)
def test_what_is_typed_leaves_only_what_fits(
    page: SettingsPage, words: str, title: str, row: str
) -> None:
    """All words count, in any case; Esc brings everything back, and only then leads out."""
    page.field.setText(words)
    shown = _shown(page)
    assert row in shown[title]
    assert sum(map(len, shown.values())) < 12
    assert page.step_back()
    assert len(_shown(page)) == len(page.sections)
    assert not page.step_back()


def test_nonsense_says_so_and_a_heading_finds_its_section(page: SettingsPage) -> None:
    """An empty page would say nothing."""
    page.field.setText("zzz qqq")
    assert _shown(page) == {}
    assert page.nothing.isVisible()
    page.field.setText("look")
    assert "Density" in _shown(page)["Look"]
    assert not page.nothing.isVisible()


def test_an_action_is_found_with_its_keys(page: SettingsPage) -> None:
    """The table has then only what fits."""
    page.field.setText("favourite")
    keys = cast("KeysSection", _section(page, KeysSection))
    assert keys.isVisible()
    assert keys.tree.topLevelItemCount() == 1
    assert keys.chosen() is Actions.FAVOURITE


def test_the_look_changes_at_once_and_is_reset(
    page: SettingsPage, app_theme: AppTheme, window: MainWindow
) -> None:
    """Theme, texts and density; the way back is offered only where there is one."""
    look = cast("LookSection", _section(page, LookSection))
    assert not look.theme.reset.isVisible()
    before_px = QFont(window.font()).pixelSize()
    height_px = window.widgets.header.add.sizeHint().height()
    try:
        _pick(look.theme, "Dark")
        assert current_theme() is DARK
        assert APPEARANCE.read() is Appearance.DARK
        _pick(look.text, "130 %")
        assert window.font().pixelSize() == round(before_px * 1.3)
        _pick(look.text, "100 %")
        _pick(look.density, "Compact")
        assert window.widgets.header.add.sizeHint().height() < height_px
        assert look.theme.reset.isVisible()
        look.density.reset.click()
        assert COMPACT.read() is False
        assert window.widgets.header.add.sizeHint().height() == height_px
        assert TEXT_PERCENT.read() == 100
    finally:
        app_theme.choose(Appearance.LIGHT)
    assert current_theme() is LIGHT


# Keys -------------------------------------------------------------------------------


@pytest.fixture
def keys(page: SettingsPage) -> KeysSection:
    """The section on keys."""
    return cast("KeysSection", _section(page, KeysSection))


def test_a_key_is_changed_and_reset(keys: KeysSection, window: MainWindow) -> None:
    """At once, in the tip, in the palette and for the next start."""
    actions = window.action_set
    keys.go_to(Actions.ALBUMS)
    assert not keys.use.isEnabled()
    keys.field.setKeySequence(QKeySequence("Ctrl+Shift+9"))
    keys.use.click()
    assert [key.toString() for key in actions[Actions.ALBUMS].shortcuts()] == ["Ctrl+Shift+9"]
    assert actions[Actions.ALBUMS].toolTip().endswith("(Ctrl+Shift+9)")
    again = ActionSet(window)
    assert again.keys(Actions.ALBUMS) == ("Ctrl+Shift+9",)
    assert keys.list.reset.isVisible()
    keys.default.click()
    assert actions.keys(Actions.ALBUMS) == Actions.ALBUMS.keys
    assert not keys.list.reset.isVisible()


def test_a_key_that_is_taken_is_said_and_moves(keys: KeysSection, window: MainWindow) -> None:
    """No key belongs to two; what a view does with a key can't be taken."""
    actions = window.action_set
    keys.go_to(Actions.ALBUMS)
    keys.field.setKeySequence(QKeySequence("Ctrl+D"))
    assert Actions.CAPTION_SELECTION.text in keys.said.text()
    keys.use.click()
    assert actions.keys(Actions.ALBUMS) == ("Ctrl+D",)
    assert actions.keys(Actions.CAPTION_SELECTION) == ()
    keys.go_to(Actions.CAPTION_SELECTION)
    keys.default.click()
    assert actions.keys(Actions.CAPTION_SELECTION) == ("Ctrl+D",)
    assert actions.keys(Actions.ALBUMS) == ()
    keys.field.setKeySequence(QKeySequence("Space"))
    assert "can't be another's" in keys.said.text()
    assert not keys.use.isEnabled()
    keys.list.reset.click()
    assert actions.keys(Actions.ALBUMS) == Actions.ALBUMS.keys


def test_letters_are_turned_off_as_keys(keys: KeysSection, window: MainWindow) -> None:
    """Nothing happens to a photo by a slip; keys with Ctrl stay."""
    actions = window.action_set
    keys.letters.click()
    live = [key.toString() for action in actions.all() for key in action.shortcuts()]
    assert not [key for key in live if len(key) == 1 and key.isalnum()]
    assert "Ctrl+K" in live
    assert actions.keys(Actions.EDIT_CAPTION) == ("F2",)
    assert ActionSet(window).keys(Actions.FIVE_STARS) == ()
    assert keys.row.reset.isVisible()
    keys.row.reset.click()
    assert actions.keys(Actions.FIVE_STARS) == ("5",)


def test_no_key_belongs_to_two_after_any_change(keys: KeysSection, window: MainWindow) -> None:
    """Qt would answer to neither."""
    for key in ("Ctrl+F", "E", "Ctrl+1"):
        keys.go_to(Actions.HELP)
        keys.field.setKeySequence(QKeySequence(key))
        keys.use.click()
        live = [one for entry in window.action_set.entries for one in window.action_set.keys(entry)]
        assert len(set(live)) == len(live)
        assert window.action_set.keys(Actions.HELP) == (key,)


def test_letters_that_are_off_still_belong_to_their_actions(
    keys: KeysSection, window: MainWindow
) -> None:
    """One that is given away is lost by its owner, and no other letter is with it."""
    actions = window.action_set
    keys.letters.click()
    keys.go_to(Actions.HIDE)
    keys.field.setKeySequence(QKeySequence("X"))
    assert "Reject" in keys.said.text()
    keys.use.click()
    keys.go_to(Actions.HELP)
    keys.field.setKeySequence(QKeySequence("F2"))
    keys.use.click()
    keys.letters.click()
    assert actions.keys(Actions.HIDE) == ("X",)
    assert actions.keys(Actions.REJECT) == ()
    assert actions.keys(Actions.EDIT_CAPTION) == ("E",)
    live = [one for entry in actions.entries for one in actions.keys(entry)]
    assert len(set(live)) == len(live)


# Captions, engine -------------------------------------------------------------------


def test_the_style_of_captions_is_one_choice_for_all(page: SettingsPage) -> None:
    """Here and in the dialog; where the model does not know it, any style is made."""
    captions = cast("CaptionsSection", _section(page, CaptionsSection))
    _pick(captions.style_row, "Short captions")
    assert STYLE.read() == "short"
    styles = StyleChoice()
    assert styles.last is None
    styles.learn(tuple(CaptionStyle))
    assert styles.last is CaptionStyle.SHORT


@pytest.mark.parametrize(("is_on", "indexed"), [(True, 3), (True, 0), (False, 3)])
def test_new_photos_are_captioned_by_themselves_where_that_is_wanted(
    owner: QObject, library: Path, is_on: bool, indexed: int
) -> None:
    """Only after an index that brought something, in the style that was chosen."""
    link = StandInLink(owner)
    link.library = library
    face = cast("EngineLink", link)
    tracker = JobTracker(face, owner)
    styles = StyleChoice()
    styles.learn(tuple(CaptionStyle))
    styles.last = CaptionStyle.ALT_TEXT
    BY_ITSELF.write(is_on, library_name(library))
    made = CaptionsByItself(face, tracker, styles)
    job = JobValue(id="j", kind=JobKind.INDEX, title="Indexing", state=JobState.RUNNING)
    tracker.take(job)
    done = JobValue(id="j", kind=JobKind.INDEX, title="Indexing", state=JobState.DONE)
    tracker.take(done)
    if is_on:
        link.answer(WatchJob, JobReply(job=done, report=IndexReport(indexed=indexed)))
    wanted = [body for body in link.sent if isinstance(body, StartCaption)]
    assert [body.style for body in wanted] == ([CaptionStyle.ALT_TEXT] if is_on and indexed else [])
    assert made.parent() is link


def test_length_and_care_go_with_the_next_captions(
    page: SettingsPage, window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """Of a job and of the photo that is looked at; the way back is offered."""
    captions = cast("CaptionsSection", _section(page, CaptionsSection))
    _pick(captions.length, "Longer")
    _pick(captions.beams, "Slow and best (8 beams)")
    asked: list[object] = []
    real = EngineLink.ask

    def ask(self: EngineLink, body: RequestBody, *rest: Any, **more: Any) -> Ticket:
        asked.append(body)
        return real(self, body, *rest, **more)

    monkeypatch.setattr(EngineLink, "ask", ask)
    window.switcher.to_library()
    window.widgets.grid.go_to(0)
    window.action_set[Actions.CAPTION_SELECTION].trigger()
    window.widgets.grid.go_to(2)
    kinds = (StartCaption, Describe)
    qtbot.waitUntil(lambda: {type(body) for body in asked} >= set(kinds), timeout=WAIT_MS)
    wished = CaptionWriting(length=CaptionLength.LONGER, beams=8)
    assert {body.writing for body in asked if isinstance(body, kinds)} == {wished}
    for row in (captions.length, captions.beams):
        assert not row.reset.isHidden()
        row.reset.click()
    assert chosen_writing() == CaptionWriting()
    BEAMS.write(99)
    assert chosen_writing().beams == MOST_BEAMS


def test_more_settings_for_captions_are_folded_and_found_and_kept(page: SettingsPage) -> None:
    """The button shows them, a search does too, and each goes with the next captions."""
    captions = cast("CaptionsSection", _section(page, CaptionsSection))
    more = captions.more
    assert not any(row.isVisible() for row in more.rows)
    page.field.setText("temperature")
    assert _shown(page) == {"Captions": ["Variety"]}
    page.field.clear()
    assert not any(row.isVisible() for row in more.rows)
    more.button.click()
    assert all(row.isVisible() for row in more.rows)
    assert more.button.text() == "Less"
    chosen = {
        "Variety": "Some (0.7)",
        "Words to draw from": "The 20 likeliest",
        "Share to draw from": "The likeliest 90 %",
        "Words that were said": "A little (1.1)",
        "The same words in a row": "Never two of them again",
        "The same thing twice": "Never again",
        "Shortest caption": "6 words",
        "Longest caption": "20 words",
        "Fit to the photo": "Much (20)",
    }
    lines = {"Beginning of captions": " a photo of ", "Number of the drawing": "42"}
    assert {row.title for row in more.rows} == chosen.keys() | lines.keys()
    for row in more.rows:
        if row.title in chosen:
            _pick(row, chosen[row.title])
        else:
            line = row.findChild(QLineEdit)
            assert isinstance(line, QLineEdit)
            line.clear()
            QTest.keyClicks(line, lines[row.title])
    assert chosen_writing() == CaptionWriting(
        prompt="a photo of",
        temperature=0.7,
        top_k=20,
        top_p=0.9,
        seed=42,
        repetition_penalty=1.1,
        no_repeat=2,
        no_repeat_phrases=True,
        min_tokens=6,
        max_tokens=20,
        rerank_weight=20.0,
    )
    captions.on_shown()
    assert all(row.isVisible() for row in more.rows)
    for row in more.rows:
        row.reset.click()
        assert row.reset.isHidden()
    assert chosen_writing() == CaptionWriting()
    more.button.click()
    assert not any(row.isVisible() for row in more.rows)


def test_damaged_settings_for_captions_are_bounded() -> None:
    """A file that somebody wrote in."""
    for preference, value in ((TEMPERATURE, 1e9), (SEED, -5), (LEAST, 99), (MOST, 7)):
        preference.write(value)  # type: ignore[attr-defined]
    found = chosen_writing()
    assert (found.temperature, found.seed, found.min_tokens, found.max_tokens) == (2.0, 0, 7, 7)


def test_the_caption_switch_is_of_this_library(page: SettingsPage, library: Path) -> None:
    """Another library keeps its own."""
    captions = cast("CaptionsSection", _section(page, CaptionsSection))
    captions.box.click()
    assert BY_ITSELF.read(library_name(library))
    assert not BY_ITSELF.read(library_name(library.parent))
    captions.when.reset.click()
    assert not BY_ITSELF.read(library_name(library))


def test_watching_and_battery_show_what_holds(page: SettingsPage, qtbot: QtBot) -> None:
    """The engine keeps both; the page and the menu show the same."""
    folders = cast("FoldersSection", _section(page, FoldersSection))
    engine = cast("EngineSection", _section(page, EngineSection))
    qtbot.waitUntil(folders.watch_box.isChecked, timeout=WAIT_MS)
    folders.watch_box.click()
    qtbot.waitUntil(lambda: not folders.watch_box.isChecked(), timeout=WAIT_MS)
    qtbot.waitUntil(folders.watching.reset.isVisible, timeout=WAIT_MS)
    folders.watching.reset.click()
    qtbot.waitUntil(lambda: not folders.watching.reset.isVisible(), timeout=WAIT_MS)
    assert folders.watch_box.isChecked()
    engine.box.click()
    qtbot.waitUntil(engine.battery.reset.isVisible, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "processor" in engine.device.sentence.text(), timeout=WAIT_MS)


def test_the_folders_are_listed_with_their_state(
    page: SettingsPage, library: Path, qtbot: QtBot
) -> None:
    """As in the dialog."""
    panel = cast("FoldersSection", _section(page, FoldersSection)).panel
    qtbot.waitUntil(lambda: panel.tree.topLevelItemCount() == 1, timeout=WAIT_MS)
    line = panel.tree.topLevelItem(0)
    assert line is not None
    qtbot.waitUntil(lambda: line.text(3) == "Available", timeout=WAIT_MS)
    assert line.text(0) == str(library / "Photos")


def test_the_engine_gets_so_many_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an option of its start; other options stay, and all cores are no option."""
    assert engine_options(("--model", "starter")) == ("--model", "starter")
    THREADS.write(2)
    assert engine_options(("--model", "starter")) == ("--model", "starter", "--threads", "2")
    assert engine_options(("--threads", "8", "--model", "x")) == ("--model", "x", "--threads", "2")
    THREADS.reset()
    assert engine_options(("--threads", "2")) == ()
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert thread_choices() == [1, 2, 3]


# The library and privacy ------------------------------------------------------------


def test_the_library_says_where_it_is_and_how_large(
    page: SettingsPage, library: Path, qtbot: QtBot
) -> None:
    """Size and numbers come later than the place."""
    section = cast("LibrarySection", _section(page, LibrarySection))
    assert str(library) in section.which.sentence.text()
    qtbot.waitUntil(lambda: "photos and" in section.which.sentence.text(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: " KB" in section.which.sentence.text(), timeout=WAIT_MS)


def test_places_are_shown_by_the_system(
    page: SettingsPage, monkeypatch: pytest.MonkeyPatch, library: Path
) -> None:
    """A folder that is not there yet: the one above."""
    opened: list[str] = []
    monkeypatch.setattr(desktop, "open_file", opened.append)
    for section in (_section(page, LibrarySection), _section(page, PrivacySection)):
        for part in section.findChildren(QPushButton):
            if part.text() == "Show":
                part.click()
    assert str(library) in opened
    assert len(opened) == 6
    assert all(Path(path).is_dir() for path in opened)


def test_searches_are_forgotten(page: SettingsPage, window: MainWindow, qtbot: QtBot) -> None:
    """Those of this session, and the last one of every library."""
    window.widgets.search.setText("dog")
    QTest.keyClick(window.widgets.search, Qt.Key.Key_Return)
    window.widgets.search.set_query("")
    window.keep()
    from ui.shell.memory import QUERY

    QUERY.write("cat", "other")
    privacy = cast("PrivacySection", _section(page, PrivacySection))
    next(
        part
        for part in privacy.findChildren(QPushButton)
        if part.accessibleName() == "Clear search history"
    ).click()
    assert QUERY.read("other") == ""
    QTest.keyClick(window.widgets.search, Qt.Key.Key_Up)
    assert window.widgets.search.query() == ""


def test_what_is_shown_of_a_search_is_forgotten_too(page: SettingsPage, window: MainWindow) -> None:
    """No way leads back to it, and the window writes nothing of it when it closes."""
    from ui.shell.memory import QUERY

    window.widgets.search.set_query("dog")
    window.switcher.show(Pages.SETTINGS)
    privacy = cast("PrivacySection", _section(page, PrivacySection))
    assert "last 50 searches" in " ".join(part.text() for part in privacy.findChildren(QLabel))
    buttons = privacy.findChildren(QPushButton)
    next(one for one in buttons if one.accessibleName() == "Clear search history").click()
    assert window.session.browser.question.is_everything
    assert not window._controllers.queries.can_go_back
    window.keep()
    assert QUERY.read(library_name(window.session.link.library)) == ""


def test_the_details_for_a_report_name_nothing_private() -> None:
    """Numbers, versions, the device; no path and no word."""
    info = Info(
        library_id="01SECRET",
        folder=WirePath("/home/ida/Photos"),
        schema="8",
        counts=CountsValue(media=12, photos=10, videos=2),
        model=ModelValue(
            state=ModelState.READY,
            name="my wedding",
            source="/home/ida/model",
            image_id="starter-1",
            device="cpu",
            reason="/home/ida",
        ),
        notices=("Damaged: /home/ida",),
    )
    text = details(info)
    assert "10 photos, 2 videos" in text
    assert "starter-1, on cpu" in text
    assert "1 notices" in text
    assert not any(word in text for word in ("ida", "SECRET", "wedding"))
    assert "has not answered" in details(None)


def test_the_page_survives_its_engine(
    page: SettingsPage,
    window: MainWindow,
    engine: FakeEngine,
    make_window: Callable[..., MainWindow],
) -> None:
    """Without one it is there, and what needs it is not."""
    engine.close()
    page.on_shown()
    assert page.isVisible()
    page.field.setText("theme")
    assert "Theme" in _shown(page)["Look"]
