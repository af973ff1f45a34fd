"""The pages of the window: one list, their tabs, and switching between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QStackedWidget, QToolButton, QWidget

from ui.kit.actions import Action, Actions, ActionSet, Group, Requires, Slots
from ui.kit.icons import Icon, icon
from ui.kit.layouts import in_row
from ui.kit.page_parts import Page
from ui.kit.plain_text import button_text
from ui.kit.translation import tr
from ui.kit.widgets import Notice, restyle, tool
from ui.shell.session import LibrarySession


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """All that pages are built from.

    ``search`` shows a text's results in the library, ``show_group`` the same pictures of a medium,
    ``show_keys`` these media, by the name of their list. ``build_settings`` makes the page of
    settings, which acts on all parts of the window.
    """

    library: Page
    actions: ActionSet
    session: LibrarySession
    search: Callable[[str], None]
    show_group: Callable[[str, str], None]
    build_settings: Callable[[], Page]
    show_keys: Callable[[list[str], str], None]
    notice: Notice


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PageSpec:
    """One entry of the list of pages, compared by identity.

    ``title`` stands on its tab, where it has one; ``verbs`` are the actions that the page
    alone does.
    """

    title: str
    action: Action
    build: Callable[[PageContext], Page]
    verbs: tuple[Action, ...] = ()
    has_tab: bool = True


# A page's module is imported when it is first shown, so that start-up stays short.


def _library(context: PageContext) -> Page:
    return context.library


def _teach(context: PageContext) -> Page:
    from ui.teach.page import TeachPage

    session = context.session
    page = TeachPage(session.link, session.tracker, session.thumbnails)
    page.search_wanted.connect(context.search)
    return page


def _tags(context: PageContext) -> Page:
    from ui.vocabulary.library_tags import TagsContext
    from ui.vocabulary.tags_page import TagsPage

    session = context.session
    parts = TagsContext(
        link=session.link, show=context.search, undo=session.editor.undo, notice=context.notice
    )
    return TagsPage(parts, session.tracker)


def _models(context: PageContext) -> Page:
    from ui.models.page import ModelsPage

    return ModelsPage(context.session.link, context.session.tracker)


def _same(context: PageContext) -> Page:
    from ui.library.alike.page import GroupsContext, GroupsPage

    session = context.session
    return GroupsPage(
        GroupsContext(
            link=session.link,
            tracker=session.tracker,
            editor=session.editor,
            actions=context.actions,
            thumbnails=session.thumbnails,
            previews=session.previews,
            show_group=context.show_group,
        )
    )


def _settings(context: PageContext) -> Page:
    return context.build_settings()


def _map(context: PageContext) -> Page:
    from ui.library.map.page import MapContext, MapPage

    session = context.session
    return MapPage(
        MapContext(link=session.link, thumbnails=session.thumbnails, show_keys=context.show_keys)
    )


def _action(name: str, text: str, key: str) -> Action:
    return Action(id=f"page-{name}", text=text, group=Group.VIEW, keys=(key,))


class Pages:
    """The list of pages in the order of their tabs; a new page is one entry here."""

    LIBRARY = PageSpec(
        title=tr("Library"),
        action=_action("library", tr("Go to the library"), "Ctrl+1"),
        build=_library,
    )
    TEACH = PageSpec(
        title=tr("Teach"), action=_action("teach", tr("Go to teaching"), "Ctrl+2"), build=_teach
    )
    TAGS = PageSpec(
        title=tr("Tags"), action=_action("tags", tr("Go to the tags"), "Ctrl+3"), build=_tags
    )
    MODELS = PageSpec(
        title=tr("Models"),
        action=_action("models", tr("Go to the models"), "Ctrl+4"),
        build=_models,
    )
    SAME = PageSpec(
        title=tr("Same pictures"),
        action=_action("same", tr("Go to the same pictures"), "Ctrl+5"),
        build=_same,
        verbs=(
            Actions.COMPARE,
            Actions.SET_BEST,
            Actions.NOT_SAME,
            Actions.REJECT_OTHERS,
            Actions.SHOW_GROUP,
        ),
    )
    MAP = PageSpec(
        title=tr("Map"), action=_action("map", tr("Go to the map"), "Ctrl+6"), build=_map
    )
    SETTINGS = PageSpec(
        title=tr("Settings"),
        action=Action(
            id="page-settings", text=tr("Settings"), group=Group.PROGRAM, keys=("Ctrl+,",)
        ),
        build=_settings,
        has_tab=False,
    )


PAGES = tuple(entry for entry in vars(Pages).values() if isinstance(entry, PageSpec))


TIGHTER_PX = 12
"""So much narrower is a tab with little room around its name."""


GAP_PX = 2


class PagesButton(QToolButton):
    """The name of the shown page, with a menu of all."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "pages")
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the icon behind the name
        self.setAccessibleName(tr("Pages"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setMenu(QMenu(self))
        self._draw()

    def offer(self, title: str, live: QAction) -> None:
        """One more page, at the end."""
        self.menu().addAction(button_text(title), live.trigger)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draws the icon in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()

    def _draw(self) -> None:
        self.setIcon(icon(Icon.DOWN, "muted"))
        self.setIconSize(QSize(14, 14))


class PageTabs(QWidget):
    """One button a page, where there is room for them; that of the shown page is marked.

    Else ``menu``, a button with the shown page's name that offers all of them.
    """

    def __init__(self, actions: ActionSet) -> None:
        super().__init__()
        self.setAccessibleName(tr("Pages"))
        self._tabs: dict[PageSpec, QToolButton] = {}
        self._is_tight = False
        self.menu = PagesButton()
        row = in_row(self.menu, gap=GAP_PX, of=self)
        for page in PAGES:
            if not page.has_tab:
                continue
            live = actions[page.action]
            tab = tool(
                page.title, "tab", name=live.text(), tip=live.toolTip(), on_click=live.trigger
            )
            tab.setCheckable(True)
            self._tabs[page] = tab
            self.menu.offer(page.title, live)
            row.addWidget(tab)
        self.menu.hide()
        self.mark(Pages.LIBRARY)

    def tab(self, page: PageSpec) -> QToolButton:
        """The button of a page."""
        return self._tabs[page]

    @property
    def roomy_px(self) -> int:
        """The width of the tabs with the usual room around each name."""
        names_px = sum(tab.sizeHint().width() for tab in self._tabs.values())
        spared_px = TIGHTER_PX * len(self._tabs) if self._is_tight else 0
        return names_px + GAP_PX * (len(self._tabs) - 1) + spared_px

    def fit(self, room_px: int) -> None:
        """Less room around the names, so that they are not cut, else the menu in their place."""
        roomy_px = self.roomy_px
        is_tight = roomy_px > room_px
        if is_tight != self._is_tight:
            self._is_tight = is_tight
            for tab in self._tabs.values():
                tab.setProperty("tight", is_tight)
                restyle(tab)
                tab.updateGeometry()
        has_room = roomy_px - TIGHTER_PX * len(self._tabs) <= room_px
        self.menu.setVisible(not has_room)
        for tab in self._tabs.values():
            tab.setVisible(has_room)

    def mark(self, shown: PageSpec) -> None:
        """Marks the shown page alone."""
        for page, tab in self._tabs.items():
            tab.setChecked(page is shown)
        self.menu.setText(button_text(shown.title))


class PageSwitcher(QObject):
    """Shows one page; each is built when it is first shown.

    ``leaving`` comes before a page is shown, ``switched`` after, and when the conditions
    that it meets may be others.
    """

    leaving = Signal()
    switched = Signal()

    def __init__(self, stack: QStackedWidget, tabs: PageTabs, context: PageContext) -> None:
        super().__init__(stack)
        self._stack = stack
        self._tabs = tabs
        self._context = context
        self._built: dict[PageSpec, Page] = {}
        self.page = Pages.LIBRARY
        self._get(Pages.LIBRARY)

    def slots(self) -> Slots:
        """The slots of the actions that lead to pages, and of those that are theirs."""
        verbs = {verb: partial(self._do, page, verb) for page in PAGES for verb in page.verbs}
        return {page.action: partial(self.show, page) for page in PAGES} | verbs

    def to_library(self) -> None:
        """Shows the library, e.g. because somebody searches."""
        self.show(Pages.LIBRARY)

    def show(self, page: PageSpec) -> None:
        """Shows a page, out of the large view as well."""
        self.leaving.emit()
        self.page = page
        shown = self._get(page)
        self._stack.setCurrentWidget(shown)
        self._tabs.mark(page)
        shown.on_shown()
        self.switched.emit()

    def step_back(self) -> None:
        """Back inside the page, or from it to the library."""
        if not self._get(self.page).step_back():
            self.to_library()

    @property
    def given(self) -> frozenset[Requires]:
        """The conditions of actions that the shown page meets."""
        return self._get(self.page).given

    def built(self, page: PageSpec) -> Page | None:
        """The page's widget where it has been shown before."""
        return self._built.get(page)

    def _do(self, page: PageSpec, verb: Action) -> None:
        self._get(page).do(verb)

    def _get(self, page: PageSpec) -> Page:
        if page not in self._built:
            self._built[page] = page.build(self._context)
            self._stack.addWidget(self._built[page])
            self._built[page].given_changed.connect(self.switched)
        return self._built[page]
