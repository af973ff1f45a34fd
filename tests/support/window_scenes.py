"""Brings a window on a fake engine to what there is to see in it, one scene after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pytestqt.qtbot import QtBot

from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.launch import running_engine
from cocadesk.protocol.messages import AnnotationsReply, NewAlbum, SaveSearch, SetAnnotations
from ui.kit.actions import Actions
from ui.kit.page_parts import Page
from ui.library.alike.page import GroupsPage
from ui.library.browse.sections import Section
from ui.library.map.page import MapPage
from ui.library.query import Query
from ui.shell.pages import Pages, PageSpec
from ui.shell.window import MainWindow

WAIT_MS = 30_000
TURN_MS, STILL = 60, 4
SCENES = (
    "library", "results", "filtered", "large", "map", "groups", "settings", "teach", "tags",
    "models", "jobs",
)  # fmt: skip
P = TypeVar("P", bound=Page)


class WindowScenes:
    """The scenes of one window, each by a method; all leave the window open on it."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window = window
        self._qtbot = qtbot

    def until(self, is_so: Callable[[], object]) -> None:
        """Lets the window work until it is so."""
        self._qtbot.waitUntil(lambda: bool(is_so()), timeout=WAIT_MS)

    def dress(self) -> None:
        """Stars, an album and a saved search, as a person would have given them."""
        keys = self.window.session.model.all_keys()
        client: EngineClient | None = running_engine(self.window.session.link.library)
        assert client is not None
        with client:
            for body in (
                SetAnnotations(keys=tuple(keys[:3]), rating=4),
                SetAnnotations(keys=tuple(keys[2:5]), favourite=True),
                NewAlbum(name="By the sea", keys=tuple(keys[:6])),
                SaveSearch(name="Best dogs", query="dog rating:>=3"),
            ):
                client.ask(body, AnnotationsReply, timeout_s=30)
        lists = self.window.widgets.library.side.model.section
        self.until(lambda: lists(Section.ALBUM).entries and lists(Section.SEARCH).entries)

    def first(self) -> None:
        """A library without photos."""
        self.until(lambda: self.window.widgets.empty.links())
        self.settle()

    def library(self) -> None:
        """Everything, newest first, with the first photo looked at."""
        self.ask(Query())

    def results(self) -> None:
        """The results of a search."""
        self.ask(Query(text="a dog at the beach"))

    def filtered(self) -> None:
        """A search within filters, one of them turned round."""
        self.ask(Query(text="beach", terms=("kind:photo", "-rating:>=5")))

    def large(self) -> None:
        """A photo over the whole window, with its words beside it."""
        self.ask(Query())
        widgets = self.window.widgets
        self.window.action_set[Actions.TOGGLE_LARGE].trigger()
        widgets.large.words.open()
        self.until(lambda: self.window.large.is_open and widgets.large.photo.has_picture)
        self.settle()

    def map(self) -> None:
        """What is alike, with pictures."""
        page = self._page(Pages.MAP, MapPage)
        self.until(lambda: not page.is_waiting)
        self.settle()

    def groups(self) -> None:
        """The groups of same pictures."""
        page = self._page(Pages.SAME, GroupsPage)
        self.until(lambda: page.table.current_member() is not None)
        self.settle()

    def settings(self) -> None:
        """The page of settings."""
        self.window.switcher.show(Pages.SETTINGS)
        self.settle()

    def teach(self) -> None:
        """The page of teaching."""
        self.window.switcher.show(Pages.TEACH)
        self.settle()

    def tags(self) -> None:
        """The list that tags are chosen from."""
        self.window.switcher.show(Pages.TAGS)
        self.settle()

    def models(self) -> None:
        """The page of models."""
        self.window.switcher.show(Pages.MODELS)
        self.settle()

    def jobs(self) -> None:
        """All jobs, over the library."""
        self.ask(Query())
        self.window.action_set[Actions.JOBS].trigger()
        self.settle()

    def show(self, name: str) -> None:
        """A scene by its name."""
        scene: Callable[[], None] = getattr(self, name)
        scene()

    def ask(self, query: Query) -> None:
        """A list, with its first photo looked at."""
        window = self.window
        window.switcher.to_library()
        if window.session.browser.question != query.sorted():
            with self._qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
                window.widgets.search.show_query(query.text)
                window.session.browser.ask(query)
        self.until(lambda: window.session.model.rowCount())
        window.widgets.grid.go_to(0)
        key = window.session.model.key_at(0)
        detail = window.widgets.detail
        self.until(lambda: window.session.inspector.key == key and detail.is_described)
        self.until(lambda: detail.photo.has_picture)
        self.settle()

    def _page(self, spec: PageSpec, kind: type[P]) -> P:
        self.window.switcher.show(spec)
        page = self.window.switcher.built(spec)
        assert isinstance(page, kind)
        return page

    def settle(self) -> None:
        """Nothing is on its way any more, and the window looks the same from turn to turn."""
        session = self.window.session
        self.until(lambda: session.editor.is_settled() and not session.tracker.active())
        same, last = 0, None
        while same < STILL:
            self.until(
                lambda: (
                    not (
                        session.link.is_asking
                        or session.thumbnails.waiting()
                        or session.frames.waiting()
                    )
                )
            )
            now = self.window.grab().toImage()
            same = same + 1 if now == last else 0
            last = now
            self._qtbot.wait(TURN_MS)
