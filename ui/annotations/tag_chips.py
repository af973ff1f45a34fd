"""Tags as chips: search for one, accept, remove and add, by mouse and by keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QEvent, QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCompleter, QFrame, QLineEdit, QToolButton, QWidget

from cocadesk.protocol.values import TagValue
from ui.annotations.known_tags import KnownTags
from ui.kit.flow_layout import FlowLayout
from ui.kit.icons import Icon
from ui.kit.layouts import in_row
from ui.kit.timers import single_shot
from ui.kit.translation import tr
from ui.kit.widgets import IconButton, keeps_key, label, tool

MARK_PX = 14
FIELD_PX = 150
ACCEPT_KEYS = (Qt.Key.Key_A, Qt.Key.Key_Plus)
REJECT_KEYS = (Qt.Key.Key_X, Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
OPEN_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class TagChip(QFrame):
    """One tag; a suggestion has a tick to accept it, every tag a cross to remove it."""

    opened = Signal(str)
    accepted = Signal(str)
    rejected = Signal(str)
    stepped = Signal(int)

    def __init__(self, tag: TagValue, note: str = "") -> None:
        """``note`` stands behind the tag, e.g. on how many photos it is."""
        super().__init__()
        self.tag = tag.tag
        self.is_own = tag.by_person
        self.setProperty("role", "chip")
        self.setProperty("own", tag.by_person)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        said = (
            tr("Tag {tag}, yours", tag=tag.tag)
            if tag.by_person
            else tr("Tag {tag}, suggested", tag=tag.tag)
        )
        self.setAccessibleName(f"{said}, {note}" if note else said)
        keys = tr("Enter searches for it, X removes it")
        self.setAccessibleDescription(
            keys if self.is_own else tr("{keys}, A accepts it", keys=keys)
        )
        tip = tr("Search for “{tag}”", tag=tag.tag)
        self.name = tool(tag.tag, "chip-name", tip=tip, on_click=self._open)
        row = in_row(self.name, gap=0, margins=(8, 0, 4, 0), of=self)
        if note:
            row.addWidget(label(note, "small"))
            row.addSpacing(4)
        self.tick: QToolButton | None = None
        if not tag.by_person:
            self.tick = self._mark(Icon.CHECK, "accent", tr("Accept"), "A", self._accept)
            row.addWidget(self.tick)
        self.cross = self._mark(Icon.CLEAR, "muted", tr("Remove"), "X", self._reject)
        row.addWidget(self.cross)
        self.name.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def event(self, event: QEvent) -> bool:
        """Keeps keys of its own away from the window's shortcuts."""
        own = (*ACCEPT_KEYS, *REJECT_KEYS, *OPEN_KEYS)
        return keeps_key(event, own) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        key = Qt.Key(event.key())
        if key in ACCEPT_KEYS:
            self._accept()
        elif key in REJECT_KEYS:
            self._reject()
        elif key in OPEN_KEYS:
            self._open()
        elif key in STEPS:
            self.stepped.emit(STEPS[key])
        else:
            super().keyPressEvent(event)

    def _mark(
        self, which: Icon, colour: str, what: str, key: str, on_click: Callable[[], None]
    ) -> IconButton:
        made = IconButton(
            which,
            f"{what}: {self.tag}",
            tip=f"{what} ({key})",
            role="chip-mark",
            colour=colour,
            size_px=MARK_PX,
            on_click=on_click,
        )
        made.setCursor(Qt.CursorShape.PointingHandCursor)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return made

    def _open(self) -> None:
        self.opened.emit(self.tag)

    def _accept(self) -> None:
        if not self.is_own:
            self.accepted.emit(self.tag)

    def _reject(self) -> None:
        self.rejected.emit(self.tag)


class _Field(QLineEdit):
    """The field for a new tag; ``complete`` gives what is typed may become, the best first."""

    typed = Signal(str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tag-field")
        self.setPlaceholderText(tr("New tag"))
        self.setAccessibleName(tr("New tag"))
        self.setAccessibleDescription(tr("Enter adds it, Escape closes"))
        self.setFixedWidth(FIELD_PX)
        self.complete: Callable[[str], Sequence[str]] = lambda _typed: ()
        self._offered = QStringListModel(self)
        completer = QCompleter(self._offered, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setMaxVisibleItems(8)
        if (popup := completer.popup()) is not None:
            popup.setObjectName("tag-completions")
        self.setCompleter(completer)
        self.textEdited.connect(self._offer)
        self.returnPressed.connect(self.take)
        # A completion that was chosen is put in once more after the Return that chose it.
        self._last_typed = ""
        self._after = single_shot(self, self._clear_typed)

    def offered(self) -> list[str]:
        """The tags that are offered for what is typed."""
        return self._offered.stringList()

    def offer_again(self) -> None:
        """Other tags are known now."""
        completer = self.completer()
        if self.hasFocus() and self.text() and completer is not None:
            self._offer(self.text())
            completer.setCompletionPrefix(self.text())
            completer.complete()

    def _offer(self, typed: str) -> None:
        """Before Qt shows the list, which it filters itself, in this order."""
        self._offered.setStringList(list(self.complete(typed)))

    def event(self, event: QEvent) -> bool:
        """Keeps keys of its own away from the window's shortcuts."""
        return keeps_key(event, (Qt.Key.Key_Escape,)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.left.emit()
        elif event.key() == Qt.Key.Key_Comma:
            self.take()
        else:
            super().keyPressEvent(event)

    def take(self) -> None:
        """Announces the word that is typed; without any the field is left."""
        word = " ".join(self.text().split())
        self._last_typed = self.text()
        self.clear()
        self._after.start()
        if word:
            self.typed.emit(word)
        else:
            self.left.emit()

    def _clear_typed(self) -> None:
        if self.text() == self._last_typed:
            self.clear()


class TagChips(QWidget):
    """All tags of a photo in rows, the person's first, and a way to add one."""

    opened = Signal(str)
    accepted = Signal(str)
    rejected = Signal(str)
    added = Signal(str)
    begun = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Tags"))
        self._anchor: QWidget | None = None
        self._tags: tuple[TagValue, ...] = ()
        self._notes: dict[str, str] = {}
        self.chips: list[TagChip] = []
        self._flow = FlowLayout(self, 6)
        self.add = tool(tr("Add a tag"), "chip-add", tip=tr("Add a tag (T)"), on_click=self.begin)
        self.field = _Field()
        self.field.complete = self._complete
        self._known: KnownTags | None = None
        self.field.typed.connect(self.added.emit)
        self.field.left.connect(self._end)
        self._flow.addWidget(self.add)
        self._flow.addWidget(self.field)
        self.field.hide()

    def complete_with(self, known: KnownTags) -> None:
        """Completes new tags from these, without those that the photo has from a person."""
        self._known = known
        self.begun.connect(known.renew)
        known.came.connect(self.field.offer_again)

    def _complete(self, typed: str) -> list[str]:
        own = [tag.tag for tag in self._tags if tag.by_person and tag.tag not in self._notes]
        return [] if self._known is None else self._known.best(typed, own)

    def follow(self, widget: QWidget) -> None:
        """Tab comes to the chips from this widget."""
        self._anchor = widget
        self._settle()

    def show_tags(self, tags: tuple[TagValue, ...], notes: Mapping[str, str] | None = None) -> None:
        """Shows these, each with its note; a chip that had the focus hands it on."""
        notes = notes or {}
        if tags != self._tags or notes != self._notes:
            self._notes = dict(notes)
            self._rebuild(tags)

    def texts(self) -> list[str]:
        """The tags in the order they are shown."""
        return [chip.tag for chip in self.chips]

    def begin(self) -> None:
        """Opens the field for a new tag; what was typed in it stays."""
        self.add.hide()
        self.field.show()
        self.field.setFocus()
        self._settle()
        self.begun.emit()

    @property
    def is_adding(self) -> bool:
        """True where the field is open."""
        return not self.field.isHidden()

    def focus_chip(self, place: int) -> None:
        """Puts the focus on the chip there, or on what adds one."""
        if self.chips and place >= 0:
            self.chips[min(place, len(self.chips) - 1)].setFocus()
        else:
            self.add.setFocus()

    def _end(self) -> None:
        self.field.hide()
        self.add.show()
        self._settle()
        self.closed.emit()

    def _rebuild(self, tags: tuple[TagValue, ...]) -> None:
        focused = next((n for n, chip in enumerate(self.chips) if chip.hasFocus()), None)
        for old in self.chips:
            self._flow.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._tags = tags
        self.chips = [self._chip(tag) for tag in tags]
        for place, chip in enumerate(self.chips):
            self._flow.insert(place, chip)
            chip.show()
        self._settle()
        if focused is not None:
            self.focus_chip(focused)

    def _chip(self, tag: TagValue) -> TagChip:
        chip = TagChip(tag, self._notes.get(tag.tag, ""))
        chip.opened.connect(self.opened.emit)
        chip.accepted.connect(self.accepted.emit)
        chip.rejected.connect(self.rejected.emit)
        chip.stepped.connect(self._on_step)
        return chip

    def _on_step(self, by: int) -> None:
        place = next((n for n, chip in enumerate(self.chips) if chip.hasFocus()), 0)
        self.focus_chip(max(0, place + by))

    def _settle(self) -> None:
        # Tab goes through the chips in the order they are shown.
        before = self._anchor
        for part in (*self.chips, self.add, self.field):
            if before is not None:
                self.setTabOrder(before, part)
            before = part
        self._flow.invalidate()
        self.updateGeometry()
