"""Parts of large pictures, read on a thread of their own in no more memory than they need."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass

from PySide6.QtCore import QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader

WHOLE_PIXELS = 25_000_000
"""A picture of no more is read once and kept while one looks at it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a picture in its pixels, of which every ``step``-th is wanted in each direction."""

    path: str
    rect: QRect
    step: int = 1


class PartReader(QObject):
    """``came`` carries a part and its picture; of parts that wait only the newest is read."""

    came = Signal(object, object)
    _read = Signal(object, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._wanted: Part | None = None
        self._changed = threading.Condition()
        self._is_closed = False
        self._whole: tuple[str, QImage] = ("", QImage())
        self._read.connect(self.came, Qt.ConnectionType.QueuedConnection)
        self.destroyed.connect(lambda: self._end())  # as in ``ImageLoader``
        self._thread: threading.Thread | None = None

    def ask(self, part: Part) -> None:
        """``came`` follows, unless another part is asked for before."""
        with self._changed:
            self._wanted = part
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="pixels", daemon=True)
                self._thread.start()
            self._changed.notify()

    def forget(self) -> None:
        """Nothing is wanted any more; what was kept is let go."""
        with self._changed:
            self._wanted = None
            self._whole = ("", QImage())

    def close(self) -> None:
        """Ends the thread and waits for it."""
        self._end()
        if self._thread is not None:
            self._thread.join()

    def _end(self) -> None:
        with self._changed:
            self._is_closed = True
            self._wanted = None
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._wanted is None and not self._is_closed:
                    self._changed.wait()
                part, self._wanted = self._wanted, None
                if self._is_closed or part is None:
                    return
                whole = self._whole
            image = self._picture(part, whole)
            with self._changed, contextlib.suppress(RuntimeError):
                if self._is_closed:
                    return
                self._read.emit(part, image)

    def _picture(self, part: Part, whole: tuple[str, QImage]) -> QImage:
        size = QImageReader(part.path).size()
        if part.step > 1 or size.width() * size.height() > WHOLE_PIXELS:
            return read_part(part)
        if whole[0] != part.path:
            whole = (part.path, QImageReader(part.path).read())
            with self._changed:
                self._whole = whole
        return whole[1].copy(part.rect)


def read_part(part: Part) -> QImage:
    """The part alone, decoded at the scale that its step asks for."""
    reader = QImageReader(part.path)
    if part.step == 1:
        reader.setClipRect(part.rect)
        return reader.read()
    size, step = reader.size(), part.step
    reader.setScaledSize(QSize(-(-size.width() // step), -(-size.height() // step)))
    rect = part.rect
    reader.setScaledClipRect(
        QRect(rect.x() // step, rect.y() // step, rect.width() // step, rect.height() // step)
    )
    return reader.read()
