"""The menu of filters that can be added, with what the library has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu, QWidget

from cocadesk.protocol.messages import FieldValues, ListValues
from ui.engine.link import EngineLink
from ui.kit.actions import without_argument
from ui.kit.translation import grouped, tr
from ui.library.value_chooser import ValueChooser

_FIXED: dict[str, tuple[tuple[str, str], ...]] = {
    "kind": ((tr("Photos"), "kind:photo"), (tr("Videos"), "kind:video")),
    "rating": (
        (tr("5 stars"), "rating:5"),
        (tr("4 stars or more"), "rating:>=4"),
        (tr("3 stars or more"), "rating:>=3"),
        (tr("2 stars or more"), "rating:>=2"),
        (tr("1 star or more"), "rating:>=1"),
        (tr("No stars"), "-has:rating"),
    ),
    "flag": (
        (tr("Picked"), "flag:pick"),
        (tr("Rejected"), "flag:reject"),
        (tr("No flag"), "flag:none"),
    ),
    "has": (
        (tr("With a caption"), "has:caption"),
        (tr("Without a caption"), "-has:caption"),
        (tr("With tags"), "has:tag"),
        (tr("Without tags"), "-has:tag"),
        (tr("With a place"), "has:position"),
        (tr("Without a place"), "-has:position"),
    ),
}
_CHOSEN = {
    "tag": tr("Tag"),
    "person": tr("Person"),
    "album": tr("Album"),
    "folder": tr("Folder"),
    "place": tr("Place"),
    "camera": tr("Camera"),
    "lens": tr("Lens"),
    "keyword": tr("Keyword"),
    "format": tr("Format"),
}
_OTHER = {
    "tag": tr("Another tag…"),
    "person": tr("Another person…"),
    "album": tr("Another album…"),
    "folder": tr("Another folder…"),
    "place": tr("Another place…"),
    "camera": tr("Another camera…"),
    "lens": tr("Another lens…"),
    "keyword": tr("Another keyword…"),
    "format": tr("Another format…"),
}


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the menu: a field with its name."""

    field: str
    name: str


_PARTS = (_Part("kind", tr("Kind")), _Part("rating", tr("Stars")), _Part("flag", tr("Flag")))


class FilterMenu(QObject):
    """Builds the menu anew each time; ``chosen`` carries a filter, and the one that it replaces."""

    chosen = Signal(str, str)

    def __init__(
        self, link: EngineLink, button: QWidget, over: QWidget, among: Callable[[], str]
    ) -> None:
        """``over`` is the part of the window that the values of a field are shown over.

        ``among`` gives the filters that hold already: only what they leave is offered.
        """
        super().__init__(button)
        self._link = link
        self._button = button
        self._among = among
        self._replaces = ""
        self.chooser = ValueChooser(link, over)
        self.chooser.chosen.connect(lambda term: self.chosen.emit(term, self._replaces))

    def build(self) -> QMenu:
        """A new menu of all that can be added."""
        menu = QMenu(self._button)
        self._add_dates(menu, "")
        for part in _PARTS:
            self._add_fixed(menu.addMenu(part.name), part.field, "")
        favourite = menu.addAction(tr("Favourites"))
        favourite.triggered.connect(without_argument(partial(self._choose, "favourite:yes", "")))
        menu.addSeparator()
        for field, name in _CHOSEN.items():
            entry = menu.addAction(f"{name}…")
            entry.triggered.connect(without_argument(partial(self.open_chooser, field, "")))
        menu.addSeparator()
        self._add_fixed(menu.addMenu(tr("With or without")), "has", "")
        return menu

    def open(self) -> None:
        """Shows the menu below its button."""
        menu = self.build()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._button.mapToGlobal(QPoint(0, self._button.height())))

    def add_changes(self, term: str, menu: QMenu) -> None:
        """Adds to the menu of a filter what may stand in its place."""
        field = term.removeprefix("-").partition(":")[0]
        if field == "taken":
            self._add_dates(menu, term)
        elif field in _FIXED:
            self._add_fixed(menu, field, term)
        elif field in _CHOSEN:
            entry = menu.addAction(_OTHER[field])
            entry.triggered.connect(without_argument(partial(self.open_chooser, field, term)))

    def open_chooser(self, field: str, replaces: str) -> None:
        """Opens the popup with the values of a field below the parent."""
        self._replaces = replaces
        among = "" if replaces else self._among()
        self.chooser.open(field, _CHOSEN[field], among, self._button)

    def _choose(self, term: str, replaces: str) -> None:
        self.chosen.emit(term, replaces)

    def _add_fixed(self, menu: QMenu, field: str, replaces: str) -> None:
        for text, term in _FIXED[field]:
            if term != replaces:
                entry = menu.addAction(text)
                entry.triggered.connect(without_argument(partial(self._choose, term, replaces)))

    def _add_dates(self, menu: QMenu, replaces: str) -> None:
        years = menu.addMenu(tr("Date taken"))
        self._fill_later(years, "", replaces)

    def _fill_later(self, menu: QMenu, year: str, replaces: str) -> None:
        """Asks for the years, or the months of one, once the menu is opened."""
        waiting = menu.addAction(tr("Looking…"))
        waiting.setEnabled(False)
        is_asked = False

        def ask() -> None:
            nonlocal is_asked
            if is_asked:
                return
            is_asked = True
            among = "" if replaces else self._among()
            body = ListValues(field="taken", prefix=year, filter=among, limit=200)
            ticket = self._link.ask(body, FieldValues, fill)
            menu.destroyed.connect(lambda: ticket.cancel())

        def fill(answer: FieldValues) -> None:
            menu.removeAction(waiting)
            if not answer.values:
                menu.addAction(tr("No photo has a date")).setEnabled(False)
            for value in answer.values:
                text = f"{value.text}\t{grouped(value.count)}"
                if year:
                    entry = menu.addAction(text)
                    chosen = partial(self._choose, value.term, replaces)
                    entry.triggered.connect(without_argument(chosen))
                    continue
                months = menu.addMenu(f"{value.text}  ({grouped(value.count)})")
                whole = months.addAction(tr("All of {year}", year=value.text))
                whole.triggered.connect(
                    without_argument(partial(self._choose, value.term, replaces))
                )
                months.addSeparator()
                self._fill_later(months, value.text, replaces)

        menu.aboutToShow.connect(ask)
