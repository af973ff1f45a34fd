"""The way to a list, from all media on: each part leads back to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QToolButton, QWidget

from ui.kit.flow_layout import FlowLayout
from ui.kit.layouts import in_column
from ui.kit.texts import unquoted
from ui.kit.translation import tr
from ui.kit.widgets import label, say_tool, tool
from ui.library.query import EVERYTHING, Query, names_of
from ui.library.term_names import TermNames

LONGEST = 40


class Crumb(NamedTuple):
    """A part of the way with the list that it leads to."""

    text: str
    query: Query


def crumbs_of(query: Query, words: Callable[[str], str]) -> list[Crumb]:
    """The way to a list: all, then one filter more each, then the text, then pictures."""
    found = [Crumb(tr("All"), EVERYTHING)]
    for place, term in enumerate(query.terms):
        found.append(Crumb(words(term), Query(terms=query.terms[: place + 1])))
    if query.group:
        found.append(Crumb(tr("Same as {name}", name=query.name), query))
    elif query.keys:
        found.append(Crumb(query.name, query))
    else:
        if query.text:
            found.append(Crumb(tr("“{query}”", query=unquoted(query.text)), query.with_examples()))
        if query.likes:
            found.append(
                Crumb(
                    tr("Like {names}", names=names_of(query.likes)),
                    query.with_examples(*query.likes),
                )
            )
        if query.unlikes:
            found.append(Crumb(tr("Unlike {names}", names=names_of(query.unlikes)), query))
    last = found[-1]
    return [*found[:-1], last._replace(query=replace(query, sort=None))]


class Breadcrumbs(QWidget):
    """The way as buttons, hidden where there is none; the last part is where one is."""

    opened = Signal(object)

    def __init__(self, names: TermNames) -> None:
        super().__init__()
        self.setObjectName("crumbs")
        self.setAccessibleName(tr("The way to this list"))
        self._names = names
        self._query = EVERYTHING
        self._parts: list[QWidget] = []
        self._room = QWidget()
        self._flow = FlowLayout(self._room, gap_px=2)
        in_column(self._room, margins=(10, 8, 12, 0), of=self)
        names.came.connect(self._draw)
        self.hide()

    def show_query(self, query: Query) -> None:
        """Shows the way to this list."""
        self._query = query
        self._names.want(query.terms)
        self._draw()

    def texts(self) -> list[str]:
        """The parts of the way."""
        return [crumb.text for crumb in self._crumbs()]

    def open(self, place: int, _checked: bool = False) -> None:
        """Opens the list of the part at that place."""
        self.opened.emit(self._crumbs()[place].query)

    def _crumbs(self) -> Sequence[Crumb]:
        return crumbs_of(self._query, self._names.words)

    def _say_again(self, crumbs: Sequence[Crumb]) -> bool:
        """The way in the buttons of before where these are as many, as after each letter."""
        buttons = self._parts[::2]
        if len(buttons) != len(crumbs):
            return False
        for button, crumb in zip(buttons, crumbs, strict=True):
            assert isinstance(button, QToolButton)
            say_tool(button, _short(crumb.text), name=crumb.text, tip=crumb.text)
        return True

    def _draw(self) -> None:
        crumbs = self._crumbs()
        if self._say_again(crumbs):
            return
        for part in self._parts:
            self._flow.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts = []
        for place, crumb in enumerate(crumbs):
            if place:
                self._parts.append(between := label("›", "muted"))
                between.setFixedHeight(self._parts[0].sizeHint().height())
            is_last = place == len(crumbs) - 1
            part = tool(
                _short(crumb.text),
                "crumb-here" if is_last else "crumb",
                name=crumb.text,
                tip=crumb.text,
                on_click=partial(self.open, place),
            )
            self._parts.append(part)
        for part in self._parts:
            self._flow.addWidget(part)
        self.setVisible(len(crumbs) > 1)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
