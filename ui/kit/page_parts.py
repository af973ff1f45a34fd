"""Page, and the parts that pages are built from."""

from __future__ import annotations

from contextlib import suppress

from PySide6.QtCore import QObject, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFrame,
    QLabel,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QVBoxLayout,
    QWidget,
)

from ui.kit.actions import Action, Requires
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.theme import GAP_M, colour
from ui.kit.translation import tr
from ui.kit.widgets import label

COLUMN_MAX_PX = 820
PARTS = 1000
MOST = 2**31 - 1
"""The highest number that a bar takes."""
HIGH_PX, LEAST_TEXT_PX = 10_000, 120
UNLIMITED_PX = 16_777_215  # Qt's own greatest width
_LINES = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)


class Page(QWidget):
    """A page of the window.

    ``given_changed``: the conditions that it meets may be others.
    """

    given_changed = Signal()

    @property
    def given(self) -> frozenset[Requires]:
        """The conditions of actions that are met while it is shown."""
        return frozenset()

    def do(self, action: Action) -> None:
        """One of the actions that only this page has."""

    def step_back(self) -> bool:
        """Goes back inside the page; False where that leads out of it."""
        return False

    def on_shown(self) -> None:
        """The page is shown now: asks for what may have changed and takes the focus."""


class Column(QWidget):
    """A column of parts, exactly as high as its texts need at its width."""

    def __init__(self, gap_px: int) -> None:
        super().__init__()
        self.setMaximumWidth(COLUMN_MAX_PX)
        self.column = in_column(gap=gap_px, of=self)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The least size that its content needs."""
        return QSize(0, self.column.totalHeightForWidth(max(1, self.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fits its content to the new size."""
        super().resizeEvent(event)
        self.updateGeometry()


def headed(title: str, intro: str) -> QVBoxLayout:
    """The title of a page over its introduction."""
    return in_column(label(title, "title"), label(intro, "muted", wraps=True), gap=8)


def hide_part(part: QWidget, heir: QWidget) -> None:
    """Hides a part, moving the focus to ``heir`` where it was in the part."""
    focus = QApplication.focusWidget()
    if focus is not None and (focus is part or part.isAncestorOf(focus)):
        heir.setFocus()
    part.hide()


def scrolled(column: Column) -> QScrollArea:
    """The column in the middle of a page, with a bar where it is too high."""
    content = Column(0)
    content.setMaximumWidth(UNLIMITED_PX)
    content.setObjectName("page")
    row = in_row(STRETCH, (column, 100), STRETCH, margins=(28, 24, 28, 28))
    content.column.addLayout(row)
    content.column.addStretch(1)
    area = scroll_area(content)
    area.setObjectName("page-area")
    area.verticalScrollBar().setSingleStep(40)
    return area


def scroll_area(content: QWidget) -> QScrollArea:
    """The content at the width there is, with a bar where it is too high."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(content)
    _FocusFollower(area)
    return area


class _FocusFollower(QObject):
    """Scrolls to what gets the focus by a key, which Qt does not do for each kind of part."""

    def __init__(self, area: QScrollArea) -> None:
        super().__init__(area)
        self._area = area
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._on_focus)

    def _on_focus(self, _before: QWidget | None, now: QWidget | None) -> None:
        if now is None or QApplication.mouseButtons() != Qt.MouseButton.NoButton:
            return
        with suppress(RuntimeError):  # the area is being taken down, and the focus goes elsewhere
            content = self._area.widget()
            if content is not None and content.isAncestorOf(now):
                self._area.ensureWidgetVisible(now)


class Card(QFrame):
    """A framed part of a page with a heading."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setAccessibleName(title)
        self.heading = label(title, "heading")
        self.column = in_column(self.heading, gap=GAP_M, margins=(18, 14, 18, 16), of=self)


class ProgressBar(QProgressBar):
    """A bar without text; without a total it only moves."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextVisible(False)
        self.setAccessibleName(tr("Progress"))

    def show_progress(self, done: float, total: int | None) -> None:
        """Shows how far it is, in parts of one where ``done`` is no whole number."""
        most = total or 0
        if most > MOST:  # bytes: a bar counts to 2,147,483,647
            done, most = done / most * PARTS, PARTS
        is_whole = done == int(done) or most > MOST // PARTS
        parts = 1 if is_whole else PARTS
        self.setMaximum(most * parts)
        self.setValue(min(int(done * parts), most * parts))


class TickBox(QCheckBox):
    """A check box whose tick is drawn here: a style sheet has none in the theme's colours.

    A text that is longer than its place is wide has several lines.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The least size that its content needs."""
        hint = self.sizeHint()
        return QSize(min(LEAST_TEXT_PX, hint.width()), hint.height())

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """True: a narrower one has more lines."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """The height of box and text at this width."""
        hint = self.sizeHint()
        if width >= hint.width():
            return hint.height()
        lines = self.fontMetrics().boundingRect(
            QRect(0, 0, width - self._text_x(), HIGH_PX), _LINES, self.text()
        )
        return hint.height() + lines.height() - self.fontMetrics().lineSpacing()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws itself in the colours of its theme."""
        option = self._option()
        if self.width() >= self.sizeHint().width():
            super().paintEvent(event)
            painter = QPainter(self)
        else:
            option.text = ""
            painter = QPainter(self)
            self.style().drawControl(QStyle.ControlElement.CE_CheckBox, option, painter, self)
            self._draw_lines(painter, option.rect.height())
        if not self.isChecked():
            return
        place_of = QStyle.SubElement.SE_CheckBoxIndicator
        box = self.style().subElementRect(place_of, option, self).toRectF()
        tick = [(0.22, 0.52), (0.43, 0.72), (0.78, 0.3)]
        points = [QPointF(box.x() + u * box.width(), box.y() + v * box.height()) for u, v in tick]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour("on_accent"), 2))
        painter.drawPolyline(points)

    def _draw_lines(self, painter: QPainter, box_px: int) -> None:
        x, y = self._text_x(), (box_px - self.fontMetrics().lineSpacing()) // 2
        place = QRect(x, y, self.width() - x, self.height() - y)
        self.style().drawItemText(
            painter, place, _LINES, self.palette(), self.isEnabled(), self.text(),
            self.foregroundRole(),
        )  # fmt: skip

    def _option(self) -> QStyleOptionButton:
        """What the style draws: one line at the top."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        if self.width() < self.sizeHint().width():
            option.rect.setHeight(self.sizeHint().height())
        return option

    def _text_x(self) -> int:
        content = QStyle.SubElement.SE_CheckBoxContents
        return self.style().subElementRect(content, self._option(), self).x()


def hide_or_say(part: QLabel, text: str) -> None:
    """Sets a label's text and shows it only where there is one."""
    part.setText(text)
    part.setVisible(bool(text))
