"""A panel to choose one of the values that the media have of a field."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtWidgets import QTreeWidgetItem, QWidget

from cocadesk.errors import UserError
from cocadesk.protocol.messages import FieldValue, FieldValues, ListValues
from ui.engine.link import EngineLink, Ticket
from ui.kit.layouts import in_column
from ui.kit.pick_list import PickList
from ui.kit.timers import single_shot
from ui.kit.translation import grouped, tr
from ui.kit.widgets import label

WIDTH_PX = 300
HEIGHT_PX = 340
PAUSE_MS = 80
MOST = 200
_VALUE = int(Qt.ItemDataRole.UserRole)


class ValueChooser(PickList):
    """Type a few letters; Enter or a click takes a value. ``chosen`` carries its filter."""

    chosen = Signal(str)

    def __init__(self, link: EngineLink, parent: QWidget) -> None:
        super().__init__("chooser", parent)
        self._link = link
        self._ticket: Ticket | None = None
        self._field, self._filter = "", ""
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._nothing = label("", "muted", wraps=True)
        in_column(self.field, self._nothing, self.list, gap=6, margins=(8, 8, 8, 8), of=self)
        self._pause = single_shot(self, self._ask, PAUSE_MS)
        self.field.textChanged.connect(lambda: self._pause.start())

    def open(self, field: str, name: str, among: str, below: QWidget) -> None:
        """Opens it for the values of a field that media have which pass a filter."""
        self._field, self._filter = field, among
        self.field.setPlaceholderText(tr("{name}: type a few letters", name=name))
        self.field.setAccessibleName(name)
        self.list.setAccessibleName(tr("Values of {name}", name=name))
        self.field.clear()
        self.list.clear()
        self._say("")
        where = below.mapTo(self._parent, QPoint(0, below.height() + 2))
        width, height = min(WIDTH_PX, self._parent.width()), min(HEIGHT_PX, self._parent.height())
        left = max(0, min(where.x(), self._parent.width() - width - 8))
        top = max(0, min(where.y(), self._parent.height() - height - 8))
        self.show_at(QRect(left, top, width, height))
        self._ask()

    def take(self) -> None:
        """Announces the value under the cursor."""
        item = self.list.currentItem()
        if item is not None:
            self.close_list()
            self.chosen.emit(item.data(0, _VALUE))

    def _ask(self) -> None:
        self._pause.stop()
        if self._ticket is not None:
            self._ticket.cancel()
        body = ListValues(
            field=self._field, prefix=self.field.text().strip(), filter=self._filter, limit=MOST
        )
        self._ticket = self._link.ask(body, FieldValues, self._fill, on_failed=self._on_failed)

    def _on_failed(self, error: UserError) -> None:
        self._say(str(error))

    def _fill(self, answer: FieldValues) -> None:
        self.list.clear()
        for value in answer.values:
            self.list.addTopLevelItem(_item(value))
        if not answer.values:
            typed = self.field.text().strip()
            self._say(
                tr("Nothing begins with that.") if typed else tr("No photo or video has any.")
            )
        else:
            self._say(
                "" if answer.complete else tr("The first {most}: type to see others.", most=MOST)
            )
        self.select(0)

    def _say(self, text: str) -> None:
        self._nothing.setText(text)
        self._nothing.setVisible(bool(text))


def _item(value: FieldValue) -> QTreeWidgetItem:
    item = QTreeWidgetItem([value.text, grouped(value.count)])
    item.setData(0, _VALUE, value.term)
    item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.setForeground(1, item.foreground(0))
    return item
