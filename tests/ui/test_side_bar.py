"""The side bar: what it lists, opens, folds and remembers, and albums that take photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, QObject, QPoint, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    AnnotationsReply,
    BranchValue,
    DeleteAlbum,
    Keys,
    ListName,
    ListNewest,
    ListValue,
    NewAlbum,
    RenameAlbum,
    RequestBody,
    SetAnnotations,
)
from tests.ui.conftest import WAIT_MS
from ui.annotations.albums import NameDialog
from ui.kit.actions import Actions
from ui.library.browse.lines import Node
from ui.library.browse.model import PAGE, BrowseModel
from ui.library.browse.sections import Section
from ui.library.browse.tree import BrowseTree
from ui.shell.pages import Pages
from ui.shell.window import MainWindow
from ui.vocabulary.tag_dialogs import NameTagDialog
from ui.vocabulary.tags_page import TagsPage

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")
Window = Callable[..., MainWindow]


def tell(engine: FakeEngine, *bodies: RequestBody) -> None:
    """Commands of somebody else, e.g. of the command line."""
    assert engine.server.endpoint is not None
    with EngineClient(engine.server.endpoint) as client:
        for body in bodies:
            client.ask(body, AnnotationsReply, timeout_s=30)


def some_keys(engine: FakeEngine, number: int) -> tuple[str, ...]:
    """The keys of the newest media."""
    assert engine.server.endpoint is not None
    with EngineClient(engine.server.endpoint) as client:
        return client.ask(ListNewest(limit=number), Keys, timeout_s=30).keys


def names(window: MainWindow, section: Section) -> list[str]:
    """The entries of a section as they are read out."""
    model = window.widgets.library.side.model
    return [model.index_of(node).data() for node in model.section(section).entries]


def entry(window: MainWindow, section: Section, name: str) -> Node:
    """The entry of this name."""
    below = window.widgets.library.side.model.section(section).entries
    return next(node for node in below if node.name == name)


def click(qtbot: QtBot, window: MainWindow, node: Node) -> None:
    """A click on the middle of a line."""
    tree = window.widgets.library.side.tree
    index = window.widgets.library.side.model.index_of(node)
    tree.scrollTo(index)
    where = QPoint(90, tree.visualRect(index).center().y())
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=where)


def wait_for(qtbot: QtBot, window: MainWindow, section: Section) -> None:
    """Waits for the entries of a section."""
    qtbot.waitUntil(lambda: bool(names(window, section)), timeout=WAIT_MS)


def test_a_model_of_every_kind_of_line_is_sound(owner: QObject) -> None:
    """While lines come, change, move and go."""
    model = BrowseModel(owner)
    tester = QAbstractItemModelTester(
        model, QAbstractItemModelTester.FailureReportingMode.Fatal, owner
    )
    model.show_lists([ListValue(name=name, count=n) for n, name in enumerate(ListName)])
    albums = model.section(Section.ALBUM)
    folders = model.section(Section.FOLDER)
    model.show_branches(folders, [branch("a", below=2), branch("b")], 0, 2)
    inside = folders.below[0]
    model.fetchMore(model.index_of(inside))
    model.show_branches(inside, [branch("a/1"), branch("a/2")], 0, 2)
    for order in ("xyz", "zx", "", "abcdefg", "gfa", "fxag"):
        model.show_branches(albums, [branch(name) for name in order], 0, len(order))
        assert [node.key for node in albums.entries] == list(order)
    model.show_branches(folders, [branch("b", below=1), branch("a", below=0)], 0, 2)
    assert [node.below for node in folders.entries] == [[], []]
    model.show_branches(folders, [], 0, 0)
    assert model.rowCount() == 2
    assert tester is not None


def test_no_line_lies_below_an_entry_without_any(owner: QObject) -> None:
    """Which a model tester does not look at."""
    model = BrowseModel(owner)
    model.show_lists([ListValue(name=ListName.ALL, count=3)])
    entry = model.index(0, 0, model.index(0, 0))
    assert entry.isValid()
    assert (model.rowCount(entry), model.hasChildren(entry)) == (0, False)
    assert model.parent(model.index(0, 0)) == QModelIndex()


def branch(key: str, below: int = 0, count: int | None = 1) -> BranchValue:
    """An entry that is named by its key."""
    return BranchValue(id=key, name=key, query=f"folder:{key}", below=below, count=count)


def test_lines_that_stay_are_not_made_anew(owner: QObject) -> None:
    """So what is open below them stays open, and the cursor where it is."""
    model = BrowseModel(owner)
    section = model.section(Section.ALBUM)
    model.show_branches(section, [branch("a"), branch("c")], 0, 2)
    kept = section.below[1]
    model.show_branches(section, [branch("a"), branch("b"), branch("c", count=7)], 0, 3)
    assert section.below[2] is kept
    assert kept.count == 7


def test_more_entries_than_a_page_come_as_they_are_asked_for(owner: QObject, qtbot: QtBot) -> None:
    """The last line says how many are left."""
    model = BrowseModel(owner)
    section = model.section(Section.ALBUM)
    page = [branch(f"{n:05}") for n in range(PAGE)]
    model.show_branches(section, page, 0, PAGE + 5)
    last = section.below[-1]
    assert model.index_of(last).data() == "Show 5 more of 5"
    with qtbot.waitSignal(model.wanted) as asked:
        model.more(last)
    assert asked.args == [section, PAGE]
    model.show_branches(section, [branch(f"{n:05}") for n in range(PAGE, PAGE + 5)], PAGE, PAGE + 5)
    assert len(section.below) == PAGE + 5
    assert not section.below[-1].left


def test_every_list_is_there_with_its_number(window: MainWindow, qtbot: QtBot) -> None:
    """Missing and offline only where there are any; the only folder is open."""
    wait_for(qtbot, window, Section.PERSON)
    assert names(window, Section.LIBRARY) == [
        "All", "Favourites", "Picks", "Recently added", "Videos", "Without caption", "To review",
    ]  # fmt: skip
    assert entry(window, Section.LIBRARY, "All").count == 40
    photos = entry(window, Section.FOLDER, "Photos")
    qtbot.waitUntil(lambda: bool(photos.below), timeout=WAIT_MS)
    assert [node.name for node in photos.below] == ["2024", "Família", "Summer 2025", "Wanderungen"]
    assert names(window, Section.PLACE) == ["Italia", "Japan"]
    assert names(window, Section.PERSON) == ["Ida", "Åsa", "Ömer"]


def test_own_tags_are_listed_and_renamed_from_there(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    """Its page asks, with the tag under the cursor; a click shows all that have it."""
    keys = some_keys(engine, 3)
    tell(engine, SetAnnotations(keys=keys, add_tags=("hound", "Zoo")))
    wait_for(qtbot, window, Section.TAG)
    assert names(window, Section.TAG) == ["hound", "Zoo"]
    hound = entry(window, Section.TAG, "hound")
    click(qtbot, window, hound)
    qtbot.waitUntil(lambda: window.session.model.rowCount() == hound.count == 3, timeout=WAIT_MS)
    menu = window.side_bar.menu_of(hound)
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == ["Show", "Rename…", "Merge into…", "Remove everywhere…", "All tags"]
    next(action for action in menu.actions() if action.text() == "Rename…").trigger()
    page = window.switcher.built(Pages.TAGS)
    assert isinstance(page, TagsPage)
    qtbot.waitUntil(lambda: isinstance(page.tags._dialogs.current, NameTagDialog), timeout=WAIT_MS)
    dialog = page.tags._dialogs.current
    assert isinstance(dialog, NameTagDialog)
    assert dialog.use.tag == "hound"
    dialog.reject()


def test_a_click_shows_the_list_and_marks_its_entry(window: MainWindow, qtbot: QtBot) -> None:
    """As many as the entry says; so it is for a search of the same words."""
    wait_for(qtbot, window, Section.PERSON)
    model = window.widgets.library.side.model
    every, ida = entry(window, Section.LIBRARY, "All"), entry(window, Section.PERSON, "Ida")
    assert model.is_shown(every)
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        click(qtbot, window, ida)
    assert window.session.model.rowCount() == ida.count
    assert model.is_shown(ida)
    assert not model.is_shown(every)
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.search("a dog on a beach")
    assert not model.is_shown(ida)


def test_numbers_follow_what_a_person_says(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    """Here, or in another program; albums come and go."""
    wait_for(qtbot, window, Section.LIBRARY)
    keys = some_keys(engine, 3)
    tell(engine, SetAnnotations(keys=keys, favourite=True), NewAlbum(name="Best", keys=keys))
    favourites = entry(window, Section.LIBRARY, "Favourites")
    qtbot.waitUntil(lambda: favourites.count == 3, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: names(window, Section.ALBUM) == ["Best"], timeout=WAIT_MS)
    tell(engine, RenameAlbum(album="Best", name="Rest"))
    qtbot.waitUntil(lambda: names(window, Section.ALBUM) == ["Rest"], timeout=WAIT_MS)
    tell(engine, DeleteAlbum(album="Rest"))
    qtbot.waitUntil(lambda: not names(window, Section.ALBUM), timeout=WAIT_MS)


def test_folded_sections_stay_folded(
    engine: FakeEngine, window: MainWindow, make_window: Window, qtbot: QtBot
) -> None:
    """In the next window too; what is in them is not asked for there."""
    wait_for(qtbot, window, Section.PERSON)
    bar = window.widgets.library.side
    click(qtbot, window, bar.model.section(Section.PERSON))
    assert not bar.tree.isExpanded(bar.model.index_of(bar.model.section(Section.PERSON)))
    window.close()
    again = make_window()
    again.resize(1280, 800)  # the screen of tests is narrow
    wait_for(qtbot, again, Section.PLACE)
    bar = again.widgets.library.side
    head = bar.model.section(Section.PERSON)
    qtbot.waitUntil(lambda: bar.model.index_of(head).isValid(), timeout=WAIT_MS)
    assert not bar.tree.isExpanded(bar.model.index_of(head))
    assert bar.tree.isExpanded(bar.model.index_of(bar.model.section(Section.PLACE)))


def test_the_side_bar_is_hidden_by_its_key_and_stays_so(
    engine: FakeEngine, window: MainWindow, make_window: Window, qtbot: QtBot
) -> None:
    """Until it is wanted again."""
    bar = window.widgets.library.side
    qtbot.waitUntil(bar.isVisible, timeout=WAIT_MS)
    window.action_set[Actions.TOGGLE_SIDE_BAR].trigger()
    assert not bar.isVisible()
    window.close()
    again = make_window()
    qtbot.waitUntil(lambda: again.session.model.rowCount() == 40, timeout=WAIT_MS)
    assert not again.widgets.library.side.isVisible()
    again.action_set[Actions.FOCUS_SIDE_BAR].trigger()
    assert again.widgets.library.side.isVisible()


def test_a_narrow_window_hides_it_but_for_who_asks(window: MainWindow, qtbot: QtBot) -> None:
    """It comes back with the room."""
    bar = window.widgets.library.side
    qtbot.waitUntil(bar.isVisible, timeout=WAIT_MS)
    window.resize(800, 600)
    qtbot.waitUntil(lambda: not bar.isVisible(), timeout=WAIT_MS)
    window.action_set[Actions.TOGGLE_SIDE_BAR].trigger()
    assert bar.isVisible()
    window.resize(1280, 800)
    window.resize(800, 600)
    qtbot.waitUntil(lambda: not bar.isVisible(), timeout=WAIT_MS)
    window.resize(1280, 800)
    qtbot.waitUntil(bar.isVisible, timeout=WAIT_MS)


def test_an_empty_library_has_no_side_bar_until_it_has_photos(
    make_window: Window, library: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    """A newcomer sees one thing to do."""
    with FakeEngine(library, media=0):
        window = make_window()
        qtbot.waitUntil(window.widgets.empty.isVisible, timeout=WAIT_MS)
        qtbot.waitUntil(lambda: bool(names(window, Section.LIBRARY)), timeout=WAIT_MS)
        assert not window.widgets.library.side.isVisible()
        window.add_folders([str(tmp_path / "new")])
        qtbot.waitUntil(window.widgets.library.side.isVisible, timeout=WAIT_MS)
        window.close()


def test_keys_move_open_and_look_for_names(window: MainWindow, qtbot: QtBot) -> None:
    """Letters are no commands there; Return opens."""
    wait_for(qtbot, window, Section.PERSON)
    tree: BrowseTree = window.widgets.library.side.tree
    window.action_set[Actions.FOCUS_SIDE_BAR].trigger()
    tree.setFocus()
    qtbot.keyClicks(tree, "vi")
    node = tree.current_node()
    assert node is not None
    assert node.name == "Videos"
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        qtbot.keyClick(tree, Qt.Key.Key_Return)
    assert window.session.model.rowCount() == node.count


def test_del_on_a_line_is_about_that_line_not_about_photos(
    window: MainWindow, qtbot: QtBot
) -> None:
    """The window's own Del, which moves photos to the bin, stays away."""
    wait_for(qtbot, window, Section.FOLDER)
    tree = window.widgets.library.side.tree
    meant: list[object] = []
    deleted: list[object] = []
    tree.delete_wanted.disconnect()
    tree.delete_wanted.connect(deleted.append)
    window.action_set[Actions.MOVE_TO_BIN].triggered.connect(meant.append)
    node = window.widgets.library.side.model.section(Section.FOLDER).entries[0]
    window.activateWindow()
    tree.setFocus()
    qtbot.waitUntil(tree.hasFocus, timeout=WAIT_MS)
    tree.setCurrentIndex(window.widgets.library.side.model.index_of(node))
    qtbot.keyClick(window.windowHandle(), Qt.Key.Key_Delete)
    assert deleted == [node]
    assert meant == []


def test_photos_are_put_into_an_album_or_a_new_one(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    """By dropping them on it, or on the head of the section."""
    tell(engine, NewAlbum(name="Best"))
    wait_for(qtbot, window, Section.ALBUM)
    tree, best = window.widgets.library.side.tree, entry(window, Section.ALBUM, "Best")
    window.widgets.grid.selectAll()
    tree.dropped.emit(best)
    qtbot.waitUntil(lambda: best.count == 40, timeout=WAIT_MS)
    tree.dropped.emit(best.above)
    dialog = window.dialogs.current
    assert isinstance(dialog, NameDialog)
    dialog.field.setText("All of it")
    dialog.go.click()
    qtbot.waitUntil(lambda: names(window, Section.ALBUM) == ["All of it", "Best"], timeout=WAIT_MS)
    assert entry(window, Section.ALBUM, "All of it").count == 40


def test_each_line_has_the_menu_of_what_it_is(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    """Only folders that were added have patterns."""
    tell(engine, NewAlbum(name="Best"))
    wait_for(qtbot, window, Section.ALBUM)
    photos = entry(window, Section.FOLDER, "Photos")
    qtbot.waitUntil(lambda: bool(photos.below), timeout=WAIT_MS)

    def texts(node: Node) -> list[str]:
        menu = window.side_bar.menu_of(node)
        found = [action.text() for action in menu.actions() if action.text()]
        menu.deleteLater()
        return found

    verbs = ["Show", "Show in file manager", "Check for new photos", "Caption this folder…"]
    assert texts(photos) == [*verbs, "Exclude…", "Forget…"]
    assert texts(photos.below[0]) == [*verbs, "Forget…"]
    album = entry(window, Section.ALBUM, "Best")
    assert texts(album) == ["Show", "Rename…", "Delete", "New album…"]
    assert texts(window.widgets.library.side.model.section(Section.SEARCH)) == []


def test_nothing_is_asked_while_it_is_hidden(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    """A change is looked at once it is seen again."""
    wait_for(qtbot, window, Section.PERSON)
    window.action_set[Actions.TOGGLE_SIDE_BAR].trigger()
    qtbot.wait(1500)  # for what is under way
    tell(engine, SetAnnotations(keys=some_keys(engine, 2), favourite=True))
    qtbot.wait(500)
    assert entry(window, Section.LIBRARY, "Favourites").count == 0
    window.action_set[Actions.TOGGLE_SIDE_BAR].trigger()
    favourites = entry(window, Section.LIBRARY, "Favourites")
    qtbot.waitUntil(lambda: favourites.count == 2, timeout=WAIT_MS)
