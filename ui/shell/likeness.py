"""Searches by pictures: those of the library, and files that are dropped or pasted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from cocadesk.errors import UserError
from cocadesk.protocol.messages import GetKeys, GetRows, Keys, Rows
from cocadesk.protocol.paths import WirePath
from ui.annotations.ratings import targets
from ui.kit.actions import Actions, Slots
from ui.kit.translation import tr
from ui.library.pasting import PASTED, is_pasted, pictures_in
from ui.library.query import Example, Query
from ui.shell.layout import WindowWidgets
from ui.shell.pages import PageSwitcher
from ui.shell.session import LibrarySession

MOST_PICTURES = 64
"""A search takes no more; their mean says nothing any more by then."""


class LikenessCommands(QObject):
    """More like this, more like these, less like this, and pictures given to the search field."""

    def __init__(
        self, widgets: WindowWidgets, session: LibrarySession, switcher: PageSwitcher
    ) -> None:
        super().__init__(widgets)
        self._grid = widgets.grid
        self._search = widgets.search
        self._notice = widgets.notice
        self._session = session
        self._switcher = switcher
        widgets.search.pictures_given.connect(self.show_like_files)

    def slots(self) -> Slots:
        """The slots of the actions about searches by pictures."""
        return {
            Actions.MORE_LIKE_THIS: self._more_like_this,
            Actions.MORE_LIKE_THESE: self._more_like_these,
            Actions.LESS_LIKE_THIS: self._less_like_this,
            Actions.PASTE_PICTURE: self._paste,
        }

    def show_like_files(self, paths: Sequence[str]) -> None:
        """Shows what is like these files, and fits the text and the filters that there are.

        Those of the library are asked for by their keys, so that they are not found themselves.
        """
        if self._are_too_many(paths):
            return
        found: dict[str, Example] = {}

        def note(path: str, key: str) -> None:
            wire = WirePath.of(path)
            name = PASTED if is_pasted(path) else PurePath(wire.text).name
            found[path] = Example(key=key, path="" if key else wire.text, name=name)
            if len(found) == len(paths):
                query = self._session.browser.question.with_text(self._search.query())
                self._ask(query.with_examples(*(found[path] for path in paths)))

        def look_up(path: str) -> None:
            self._session.link.ask(
                GetKeys(paths=(WirePath.of(path),)),
                Keys,
                lambda answer: note(path, answer.keys[0]),
                on_failed=lambda _error: note(path, ""),
            )

        for path in dict.fromkeys(paths):
            look_up(path)

    def _more_like_this(self) -> None:
        key = self._grid.current_key()
        if key is not None:
            self._with_names([key], lambda found: self._ask(Query(examples=tuple(found))))

    def _more_like_these(self) -> None:
        keys = targets(self._grid)
        if keys and not self._are_too_many(keys):
            self._with_names(keys, lambda found: self._ask(Query(examples=tuple(found))))

    def _less_like_this(self) -> None:
        """Refines the list that is shown; each time it moves away from some more pictures."""
        keys, query = targets(self._grid), self._session.browser.question
        if self._are_too_many([*query.examples, *keys]):
            return
        if query.group or query.keys:
            query = Query()

        def on_named(found: Sequence[Example]) -> None:
            self._ask(query.with_examples(*query.examples, *found))

        if keys:
            self._with_names(keys, on_named, is_unlike=True)

    def _paste(self) -> None:
        paths = pictures_in(QGuiApplication.clipboard().mimeData())
        if paths:
            self.show_like_files(paths)
        else:
            self._notice.say(tr("There is no picture to search by: copy one first"))

    def _ask(self, query: Query) -> None:
        self._switcher.to_library()
        self._session.browser.ask(query)

    def _are_too_many(self, pictures: Sequence[object]) -> bool:
        if len(pictures) > MOST_PICTURES:
            self._notice.say(
                tr(
                    "A search takes {most_pictures} pictures at most; select fewer photos",
                    most_pictures=MOST_PICTURES,
                )
            )
        return len(pictures) > MOST_PICTURES

    def _with_names(
        self,
        keys: Sequence[str],
        then: Callable[[Sequence[Example]], object],
        *,
        is_unlike: bool = False,
    ) -> None:
        """Calls ``then`` with these media once their names are known."""
        model = self._session.model
        names = {key: row.name for key in keys if (row := model.known_row(key)) is not None}

        def go_on() -> None:
            then([Example(key=key, name=names.get(key, tr("a photo")), is_unlike=is_unlike)
                  for key in keys])  # fmt: skip

        def on_rows(answer: Rows) -> None:
            names.update((row.key, row.name) for row in answer.rows)
            go_on()

        missing = tuple(key for key in keys if key not in names)
        if missing:
            self._session.link.ask(GetRows(keys=missing), Rows, on_rows, on_failed=self._tell)
        else:
            go_on()

    def _tell(self, error: UserError) -> None:
        self._notice.say(str(error))
