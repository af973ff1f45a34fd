"""The side bar in the window: what a click opens, menus, and albums that take photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu

from cocadesk.protocol.endpoint import library_name
from cocadesk.protocol.values import SortKey
from ui.annotations.albums import ALBUM, SEARCH, AlbumCommands
from ui.annotations.jobs import AnnotationJobs
from ui.annotations.ratings import targets
from ui.kit.actions import Actions, Slots
from ui.kit.preferences import Preference
from ui.kit.translation import tr
from ui.library.browse.lines import Node
from ui.library.browse.sections import Section
from ui.library.browse.source import BrowseSource
from ui.library.folder_commands import FolderCommands
from ui.library.query import Query, Showing
from ui.library.sorting import Sorting
from ui.shell.folder_menu import add_entry, add_folder_verbs
from ui.shell.layout import WindowWidgets
from ui.shell.pages import Pages, PageSwitcher
from ui.shell.session import LibrarySession

SHOWN = Preference("side-bar-shown", True)
FILLED = Preference("side-bar-filled", False)
FOLDED: Preference[list[str]] = Preference("side-bar-folded", [], of=str)
TO_REVIEW = ("captioned:machine",)
_OPENED_BY = frozenset({Showing.NEWEST, Showing.FILTERED, Showing.SEARCH, Showing.ALBUM})


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowsingParts:
    """What entries can be asked to do; ``search`` shows the results of a query."""

    albums: AlbumCommands
    jobs: AnnotationJobs
    folders: FolderCommands
    switcher: PageSwitcher
    search: Callable[[str], None]


class BrowsingCommands(QObject):
    """Fills the side bar, opens its entries and keeps what is folded."""

    def __init__(
        self, widgets: WindowWidgets, session: LibrarySession, parts: BrowsingParts
    ) -> None:
        super().__init__(widgets)
        self._widgets = widgets
        self._library = widgets.library
        self._bar = bar = widgets.library.side
        self._browser = session.browser
        self._tracker = session.tracker
        self._parts = parts
        self._switcher = parts.switcher
        self._scope = library_name(session.link.library)
        self._source = BrowseSource(session.link, session.tracker, bar.model)
        bar.watched.connect(self._watch)
        bar.tree.opened.connect(self._open)
        bar.tree.folded.connect(self._keep_folded)
        bar.tree.menu_wanted.connect(self._show_menu)
        bar.tree.dropped.connect(self._take_photos)
        bar.tree.rename_wanted.connect(self._rename)
        bar.tree.delete_wanted.connect(self._delete)
        bar.tree.add_wanted.connect(self._new_album)
        bar.model.rowsInserted.connect(self._on_rows)
        session.browser.settled.connect(self._mark)
        self._library.side_toggled.connect(self._keep_shown)
        self._restore()

    def slots(self) -> Slots:
        """The slots of the actions about the side bar."""
        return {
            Actions.TOGGLE_SIDE_BAR: self._library.toggle_side,
            Actions.FOCUS_SIDE_BAR: self._focus,
        }

    def _restore(self) -> None:
        folded = set(FOLDED.read())
        for section in Section:
            self._bar.model.section(section).is_open = section.value not in folded
        self._open_sections()
        self._library.set_side(wanted=SHOWN.read(), filled=FILLED.read(self._scope))
        self._watch(is_seen=False)

    def _watch(self, is_seen: bool) -> None:
        """An empty library is asked for as well: the side bar comes with the first photos."""
        self._source.watch(is_seen or not self._library.is_filled)

    def _open_sections(self) -> None:
        for section in Section:
            node = self._bar.model.section(section)
            self._bar.tree.set_open(node, node.is_open)

    def _on_rows(self) -> None:
        """A section that has come is opened as it was; the one root that there is as well."""
        self._open_sections()
        model = self._bar.model
        roots = model.section(Section.FOLDER)
        every = model.section(Section.LIBRARY)
        if len(roots.below) == 1 and roots.below[0].total and not roots.below[0].was_opened:
            roots.below[0].was_opened = True
            self._bar.tree.set_open(roots.below[0], True)
        is_filled = bool(roots.total) or any(node.count for node in every.below)
        if is_filled and not self._library.is_filled:
            FILLED.write(True, self._scope)
            self._library.set_side(wanted=self._library.wants_side, filled=True)

    def _keep_folded(self, node: Node) -> None:
        if node.is_section:
            sections = (self._bar.model.section(section) for section in Section)
            FOLDED.write([one.key for one in sections if not one.is_open])
            if node.is_open:
                self._source.ask_soon()

    def _keep_shown(self) -> None:
        SHOWN.write(self._library.wants_side)

    def _focus(self) -> None:
        if not self._bar.isVisible():
            self._library.toggle_side()
        tree = self._bar.tree
        tree.setFocus()
        if not tree.currentIndex().isValid():
            tree.setCurrentIndex(tree.indexAt(QPoint(30, 40)))

    # What is shown --------------------------------------------------------------------------

    def _open(self, node: Node) -> None:
        if node.section is Section.SEARCH:
            self._parts.search(node.query)
            return
        sort = None if node.sort is SortKey.RELEVANCE else Sorting(node.sort)
        self._switcher.to_library()
        self._widgets.search.show_query("")
        self._browser.ask(Query(terms=node.terms, sort=sort))
        self._widgets.grid.setFocus()

    def _mark(self) -> None:
        query = self._browser.question
        is_list = query.showing in _OPENED_BY
        self._bar.model.show_query(query.whole if is_list else None)
        self._widgets.results.review.setVisible(TO_REVIEW[0] in query.whole.split())

    def _review(self, node: Node) -> None:
        self._open(node)
        self._widgets.actions[Actions.REVIEW].trigger()

    # Menus ------------------------------------------------------------------------------------

    def _show_menu(self, node: Node, where: QPoint) -> None:
        menu = self.menu_of(node)
        if not menu.isEmpty():
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(where)

    def menu_of(self, node: Node) -> QMenu:
        """All that can be done with a line."""
        menu = QMenu(self._bar)
        add = partial(add_entry, menu)
        if node.is_list:
            add(tr("Show"), partial(self._open, node))
        if node.terms == TO_REVIEW:
            add(tr("Review one by one"), partial(self._review, node))
        path = None if node.value is None else node.value.path
        if path is not None:
            is_root = node.above is not None and node.above.is_section
            parts = self._parts
            add_folder_verbs(menu, path, self._tracker, parts.jobs, parts.folders, is_root=is_root)
        elif node.section is Section.FOLDER and node.is_section:
            add(tr("Add folder…"), self._widgets.actions[Actions.ADD_FOLDER].trigger)
            add(tr("Folders…"), self._widgets.actions[Actions.FOLDERS].trigger)
        elif node.section in (Section.ALBUM, Section.SEARCH) and node.is_list:
            menu.addSeparator()
            add(tr("Rename…"), partial(self._rename, node))
            add(tr("Delete"), partial(self._delete, node))
        elif node.section is Section.TAG:
            menu.addSeparator()
            self._add_tag_verbs(menu, node)
        if node.section is Section.ALBUM:
            menu.addSeparator()
            add(tr("New album…"), partial(self._new_album, node))
        return menu

    def _add_tag_verbs(self, menu: QMenu, node: Node) -> None:
        """What is done to a tag everywhere; its page asks first."""
        add = partial(add_entry, menu)
        if node.is_list:
            add(tr("Rename…"), partial(self._with_tag, node, "rename"))
            add(tr("Merge into…"), partial(self._with_tag, node, "merge"))
            add(tr("Remove everywhere…"), partial(self._with_tag, node, "remove"))
        add(tr("All tags"), partial(self._switcher.show, Pages.TAGS))

    def _with_tag(self, node: Node, verb: str) -> None:
        from ui.vocabulary.tags_page import TagsPage

        self._switcher.show(Pages.TAGS)
        page = self._switcher.built(Pages.TAGS)
        assert isinstance(page, TagsPage)
        page.do_with(node.name, verb)

    def _rename(self, node: Node) -> None:
        if node.section is Section.TAG and node.is_list:
            self._with_tag(node, "rename")
        if (kind := _kind(node)) and node.is_list:
            self._parts.albums.rename(kind, node.name)

    def _delete(self, node: Node) -> None:
        if node.section is Section.TAG and node.is_list:
            self._with_tag(node, "remove")
        if (kind := _kind(node)) and node.is_list:
            self._parts.albums.delete(kind, node.name)

    def _new_album(self, _node: Node) -> None:
        self._parts.albums.new_album(())

    def _take_photos(self, node: Node) -> None:
        keys = tuple(targets(self._widgets.grid))
        if node.is_section:
            self._parts.albums.new_album(keys)
        elif keys:
            self._parts.albums.add_to(node.name, keys)


def _kind(node: Node) -> str:
    return {Section.ALBUM: ALBUM, Section.SEARCH: SEARCH}.get(node.section, "")
