"""Dragging photos out of the grid as files, also those whose rows have not come yet."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QDrag, QGuiApplication, QPainter, QPixmap

from ui.kit.cells import set_font
from ui.kit.theme import colour
from ui.kit.timers import single_shot
from ui.kit.translation import grouped, tr
from ui.library.results_model import ResultsModel

MOST_FILES = 2000
LOOK_MS = 30
PATIENCE = 60
SIDE_PX = 72


class FileDrag(QObject):
    """Begins a drag once the paths of all photos are known, as long as the button is held.

    ``say`` tells people in a sentence.
    """

    def __init__(self, view: QObject, model: ResultsModel, say: Callable[[str], object]) -> None:
        super().__init__(view)
        self._view = view
        self._model = model
        self._say = say
        self._keys: list[str] = []
        self._looks = 0
        self._picture: QPixmap | None = None
        self._timer = single_shot(self, self._look, LOOK_MS)

    def begin(self, keys: list[str], picture: QPixmap | None) -> None:
        """Drags these photos; ``picture`` is shown under the pointer."""
        if len(keys) > MOST_FILES:
            self._say(
                tr(
                    "Only {most} files can be dragged at once; select fewer photos.",
                    most=grouped(MOST_FILES),
                )
            )
            return
        self._keys, self._picture, self._looks = keys, picture, 0
        self._look()

    def _look(self) -> None:
        missing = [key for key in self._keys if self._model.known_row(key) is None]
        if not missing:
            self._drag()
        elif QGuiApplication.mouseButtons() & Qt.MouseButton.LeftButton and self._looks < PATIENCE:
            if not self._looks:
                self._model.rows_wanted.emit(tuple(missing))
            self._looks += 1
            self._timer.start()

    def _drag(self) -> None:
        positions = (self._model.position_of(key) for key in self._keys)
        indexes = [self._model.index(n) for n in positions if n is not None]
        if not indexes:
            return
        drag = QDrag(self._view)
        drag.setMimeData(self._model.mimeData(indexes))
        drag.setPixmap(_pile(self._picture, len(indexes)))
        drag.setHotSpot(QPoint(-8, -8))
        drag.exec(Qt.DropAction.CopyAction)


def _pile(picture: QPixmap | None, count: int) -> QPixmap:
    """A small picture with the number of files."""
    made = QPixmap(SIDE_PX + 12, SIDE_PX + 12)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if picture is not None and not picture.isNull():
        mode = Qt.AspectRatioMode.KeepAspectRatio
        smooth = Qt.TransformationMode.SmoothTransformation
        small = picture.scaled(SIDE_PX, SIDE_PX, mode, smooth)
        painter.drawPixmap(0, 12, small)
    if count > 1:
        set_font(painter, 11, is_bold=True)
        text = grouped(count)
        width = painter.fontMetrics().horizontalAdvance(text) + 14
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("accent"))
        painter.drawRoundedRect(made.width() - width, 0, width, 20, 10, 10)
        painter.setPen(colour("on_accent"))
        place = made.rect().adjusted(made.width() - width, 0, 0, 20 - made.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return made
