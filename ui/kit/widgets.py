"""Small parts that several pages use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAction,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cocadesk.protocol.paths import printable
from ui.kit.icons import Icon, icon, pixmap
from ui.kit.layouts import in_row
from ui.kit.plain_text import PlainLabel, button_text, tip_of
from ui.kit.theme import GAP_M, current_theme
from ui.kit.timers import single_shot

NOTICE_MS = 3500
FOOT_PX = 28
TEXT_WIDTH_PX = 440
MOST_PX = 16_777_215


def label(text: str, role: str = "", *, wraps: bool = False) -> PlainLabel:
    """A label of a role that the style sheet knows."""
    made = PlainLabel(text, role)
    made.setWordWrap(wraps)
    if wraps:
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.MinimumExpanding)
        policy.setHeightForWidth(True)
        made.setSizePolicy(policy)
    return made


class ElidedLabel(PlainLabel):
    """One line that ends in an ellipsis where there is no room; the tip has all of it."""

    def __init__(self, role: str = "", *, fills: bool = False) -> None:
        """``fills``: takes all the width there is, else no more than its text needs."""
        super().__init__(role=role)
        width = QSizePolicy.Policy.Ignored if fills else QSizePolicy.Policy.Maximum
        self.setSizePolicy(width, QSizePolicy.Policy.Preferred)
        self._mode = Qt.TextElideMode.ElideRight
        self._shorter: tuple[str, ...] = ()

    def show_first(self, texts: Sequence[str]) -> None:
        """Shows the first of these texts for which there is room; the tip has the first of all."""
        whole, *shorter = texts
        self._shorter = tuple(map(printable, shorter))
        self.setText(whole)
        self.setAccessibleDescription(whole)
        self._give_tip()
        self.update()

    @property
    def least_px(self) -> int:
        """The width of the last of its texts, which has to do where there is no room."""
        last = (self.text(), *self._shorter)[-1]
        return self.fontMetrics().horizontalAdvance(last)

    def show_text(self, text: str, mode: Qt.TextElideMode) -> None:
        """Shows the text, cut off at the place that ``mode`` names."""
        self._mode = mode
        self.setText(text)
        self._give_tip()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The least size that its content needs."""
        return QSize(min(60, self.sizeHint().width()), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fits its content to the new size."""
        super().resizeEvent(event)
        self._give_tip()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws itself in the colours of its theme."""
        painter = QPainter(self)
        place = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.style().drawItemText(
            painter, self.rect(), place, self.palette(), True, self.shown, self.foregroundRole()
        )
        painter.end()

    def _give_tip(self) -> None:
        self.setToolTip(tip_of(self.text()) if self.shown != self.text() else "")

    @property
    def shown(self) -> str:
        """What can be read of it at its width."""
        metrics, texts = self.fontMetrics(), (self.text(), *self._shorter)
        fitting = (text for text in texts if metrics.horizontalAdvance(text) <= self.width())
        return next(fitting, "") or metrics.elidedText(texts[-1], self._mode, self.width())


def button(text: str, role: str = "", *, on_click: Callable[[], None] | None = None) -> QPushButton:
    """A push button of a role that the style sheet knows."""
    made = QPushButton(text)
    made.setProperty("role", role)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    if on_click is not None:
        made.clicked.connect(on_click)
    return made


def tool(
    text: str, role: str, *, name: str = "", tip: str, on_click: Callable[[], object]
) -> QToolButton:
    """A tool button with a text, of a role that the style sheet knows."""
    made = QToolButton()
    made.setProperty("role", role)
    say_tool(made, text, name=name, tip=tip)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    made.clicked.connect(on_click)
    return made


def say_tool(made: QToolButton, text: str, *, name: str = "", tip: str) -> None:
    """Gives a tool button with a text another one."""
    made.setText(button_text(text))
    made.setAccessibleName(name or text)
    made.setToolTip(tip_of(tip))


class IconButton(QToolButton):
    """A button with an icon alone, in a colour of the theme that is in use."""

    def __init__(
        self,
        which: Icon,
        name: str,
        *,
        tip: str = "",
        role: str = "",
        colour: str = "muted",
        size_px: int = 20,
        on_click: Callable[[], object] | None = None,
    ) -> None:
        """``tip`` where it says more than the ``name``."""
        super().__init__()
        self._which = which
        self._colour = colour
        self.setProperty("role", role)
        self.setIconSize(QSize(size_px, size_px))
        self.setAccessibleName(name)
        self.setToolTip(tip_of(tip or name))
        if on_click is not None:
            self.clicked.connect(on_click)
        self._draw()

    def follow(self, action: QAction) -> None:
        """Triggers the action, whose state and tip it has from now on."""
        self.setDefaultAction(action)
        self._draw()

    def show_icon(self, which: Icon) -> None:
        """Another icon in the place of the one it has."""
        self._which = which
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Takes the colour of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()

    def _draw(self) -> None:
        shown = icon(self._which, self._colour, self.iconSize().width())
        (self.defaultAction() or self).setIcon(shown)


def action_button(action: QAction, which: Icon) -> IconButton:
    """A button with an icon alone; the action gives name, tip and state."""
    made = IconButton(which, action.text())
    made.follow(action)
    return made


def restyle(part: QWidget) -> None:
    """Draws a part by the style of the properties that it has now."""
    part.style().unpolish(part)
    part.style().polish(part)


def give_back_focus(before: QWidget | None, other: QWidget) -> None:
    """The focus to the widget that had it before, else to this other one."""
    try:
        is_there = before is not None and before.isVisible()
    except RuntimeError:  # deleted meanwhile
        is_there = False
    (before if before is not None and is_there else other).setFocus()


def keeps_key(event: QEvent, keys: Collection[Qt.Key]) -> bool:
    """True where one of these keys is pressed alone; the widget that has the focus gets it.

    To be asked in a widget's ``event``: a shortcut of the window would take the key.
    """
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    is_alone = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    is_kept = is_alone and event.key() in keys
    if is_kept:
        event.accept()
    return is_kept


class EmptyView(QWidget):
    """A picture, a headline and a sentence where there is nothing to show.

    ``link_clicked``: one of the links below the button, by its text.
    """

    link_clicked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._icon = Icon.PHOTO
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = label("", "title", wraps=True)
        self._text = label("", "muted", wraps=True)
        for text in (self._title, self._text):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
            text.setFixedWidth(TEXT_WIDTH_PX)
        self.button = button("", "primary")
        layout = QVBoxLayout(self)
        layout.setSpacing(GAP_M)
        layout.addStretch(2)
        centre = Qt.AlignmentFlag.AlignHCenter
        parts: tuple[QWidget, ...] = (self._picture, self._title, self._text, self.button)
        for part in parts:
            layout.addWidget(part, 0, centre)
        self._links = in_row(gap=GAP_M)
        layout.addLayout(self._links)
        layout.setAlignment(self._links, centre)
        layout.addStretch(3)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draws the icon in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()

    def say(
        self,
        which: Icon,
        title: str,
        text: str,
        button_text: str = "",
        links: Sequence[str] = (),
        more: str = "",
    ) -> None:
        """Shows these texts, ``more`` on a line of its own; without a button text no button."""
        self._show_links(links)
        self._icon = which
        self._title.setText(title)
        self._text.show_lines([text, more] if more else [text])
        for part in (self._title, self._text):
            part.setMinimumHeight(0)  # else a label is never lower again
            part.setMaximumHeight(MOST_PX)
            part.setFixedHeight(part.heightForWidth(TEXT_WIDTH_PX))
        self.button.setText(button_text)
        self.button.setVisible(bool(button_text))
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self._draw()

    def _draw(self) -> None:
        ratio = self.devicePixelRatioF()
        self._picture.setPixmap(pixmap(self._icon, current_theme().muted, 56, ratio))

    def links(self) -> list[QPushButton]:
        """The links as they are now."""
        parts = (self._links.itemAt(n) for n in range(self._links.count()))
        found = (None if part is None else part.widget() for part in parts)
        return [part for part in found if isinstance(part, QPushButton)]

    def _show_links(self, texts: Sequence[str]) -> None:
        if texts == [part.text() for part in self.links()]:
            return
        for old in self.links():
            self._links.removeWidget(old)
            old.deleteLater()
        for text in texts:
            made = button(text, "link")
            made.clicked.connect(partial(self._on_link, text))
            self._links.addWidget(made)

    def _on_link(self, text: str, _checked: bool = False) -> None:
        self.link_clicked.emit(text)

    def text(self) -> str:
        """Title and text as they are now."""
        return f"{self._title.text()} {self._text.text()}"


class Notice(QFrame):
    """A quiet sentence at the foot of its parent that goes after ``shown_ms``, with a way back.

    It keeps within ``room``, a part of the parent, where that is to be seen:
    what stands below, such as the strip of jobs, stays in reach.
    """

    def __init__(self, parent: QWidget, room: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parent = parent
        self._room = room
        if room is not None:
            room.installEventFilter(self)
        self._on_click: Callable[[], None] | None = None
        self._foot_px = FOOT_PX
        self.shown_ms = NOTICE_MS
        self.setObjectName("notice")
        self._label = label("", "notice")
        self.button = button("", "notice", on_click=self._click)
        in_row(self._label, self.button, gap=12, margins=(16, 6, 10, 6), of=self)
        self._timer = single_shot(self, self.hide)
        self.hide()

    def text(self) -> str:
        """The sentence."""
        return self._label.text()

    def say(
        self,
        text: str,
        button_text: str = "",
        on_click: Callable[[], None] | None = None,
        *,
        stays: bool = False,
    ) -> None:
        """Shows the sentence for a few seconds, longer where something can be done about it.

        One that ``stays`` is there until the next: what it tells goes on.
        """
        self._label.setText(text)
        self._on_click = on_click
        self.button.setText(button_text)
        self.button.setAccessibleName(f"{button_text}: {text}")
        self.button.setVisible(bool(button_text))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not button_text)
        self.setAccessibleName(text)
        self.place()
        self.show()
        self.raise_()
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))
        if stays:
            self._timer.stop()
        else:
            self._timer.start(self.shown_ms * (2 if button_text else 1))

    def lift(self, by_px: int) -> None:
        """Leaves that much room below it for something that must be read."""
        self._foot_px = FOOT_PX + by_px
        self.place()

    def place(self) -> None:
        """Centres it at the foot of the parent."""
        parent = self._parent
        self._label.setWordWrap(False)
        self._label.setMinimumWidth(0)
        self.ensurePolished()
        width = self.sizeHint().width()
        room = parent.width() - 40
        if width > room:
            self._label.setWordWrap(True)
            width = room
        self.resize(width, max(self.sizeHint().height(), self.heightForWidth(width)))
        x = (parent.width() - self.width()) // 2
        self.move(max(8, x), self._floor_px() - self.height() - self._foot_px)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watches the widgets that it has installed itself on."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self.place()
        return False

    def _floor_px(self) -> int:
        room = self._room
        if room is None or not room.isVisible():
            return self._parent.height()
        return room.mapTo(self._parent, QPoint(0, room.height())).y()

    def _click(self) -> None:
        self.hide()
        if self._on_click is not None:
            self._on_click()
