"""The pictures beside the one that is shown, made and read before they are wanted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QPixmap

from cocadesk.protocol.messages import GetPreview, Preview
from cocadesk.protocol.values import Priority
from ui.engine.link import EngineLink, Ticket
from ui.kit.image_loader import ImageLoader

PATHS_KEPT = 64


class Neighbours(QObject):
    """One is asked for after the other, so that none delays the one that is looked at."""

    def __init__(self, link: EngineLink, previews: ImageLoader, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._previews = previews
        self._paths: OrderedDict[str, str] = OrderedDict()  # by key
        self._wanted: list[str] = []
        self._ticket: Ticket | None = None
        self._asked = ""

    def picture(self, key: str) -> QPixmap | None:
        """The picture of a medium where it has been read."""
        path = self._paths.get(key)
        return None if path is None else self._previews.pixmap(path, path)

    def note(self, key: str, path: str) -> None:
        """The picture of a medium lies there."""
        self._paths[key] = path
        self._paths.move_to_end(key)
        while len(self._paths) > PATHS_KEPT:
            self._paths.popitem(last=False)

    def want(self, keys: Sequence[str]) -> None:
        """These are wanted next, the nearest first; what was wanted before is not."""
        self._wanted = list(keys)
        if self._ticket is not None and self._asked in self._wanted:
            return  # it is on its way; the others follow it
        if self._ticket is not None:
            self._ticket.cancel()
        self._ask_next()

    def forget(self, keys: Sequence[str]) -> None:
        """These may look otherwise now; without any, all may."""
        for key in keys or list(self._paths):
            self._paths.pop(key, None)

    def _ask_next(self) -> None:
        self._ticket = None
        while self._wanted:
            key = self._wanted.pop(0)
            if key in self._paths:
                self.picture(key)  # read anew where it was dropped
                continue
            self._asked = key
            self._ticket = self._link.ask(
                GetPreview(key=key),
                Preview,
                self._on_preview,
                on_failed=lambda _error: self._ask_next(),
                priority=Priority.VISIBLE,
            )
            return

    def _on_preview(self, answer: Preview) -> None:
        self.note(answer.key, answer.path.to_str())
        self.picture(answer.key)
        self._ask_next()
