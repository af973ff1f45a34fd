"""The pictures of those side by side: a thumbnail at once, the large one when it comes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QSize

from cocadesk.protocol.messages import Preview
from ui.kit.image_loader import ImageLoader
from ui.library.alike.compare import CompareView
from ui.library.alike.members import Member
from ui.library.alike.requests import GroupRequests


class Comparing(QObject):
    """Between the view side by side and what brings its pictures."""

    def __init__(
        self,
        requests: GroupRequests,
        thumbnails: ImageLoader,
        previews: ImageLoader,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.view = CompareView()
        self._requests = requests
        self._thumbnails = thumbnails
        self._previews = previews
        self._paths: dict[str, str] = {}  # by key
        self._asked: set[str] = set()
        self.view.moved.connect(self._ask)
        self.view.full_wanted.connect(requests.ask_full)
        requests.full_came.connect(self._on_full)
        requests.preview_came.connect(self._on_preview)
        requests.no_preview.connect(self.view.say)
        previews.arrived.connect(self._on_picture)
        thumbnails.arrived.connect(self._on_thumbnail)

    def open(self, members: Sequence[Member], current: str) -> None:
        """Shows these, with one of them chosen."""
        self.close()
        self.view.show_members(members, current)

    def update(self, members: Sequence[Member]) -> bool:
        """The shown ones as they are now; False where fewer than two of them are left."""
        by_key = {member.key: member for member in members}
        kept = [by_key[key] for key in self.view.keys if key in by_key]
        if len(kept) < 2:
            return False
        self.view.show_members(kept)
        return True

    def close(self) -> None:
        """Forgets all of it."""
        self._requests.forget_previews()
        self._paths.clear()
        self._asked.clear()
        self.view.show_members(())

    def _ask(self) -> None:
        """Each picture on the screen is asked for once; that of a pane that changed is shown."""
        for member in self.view.shown_members():
            if self.view.has_picture(member.key):
                continue
            if member.row.thumbnail is not None:
                picture = self._thumbnails.pixmap(member.key, member.row.thumbnail.to_str())
                if picture is not None and not picture.isNull():
                    self.view.show_picture(member.key, picture)
            if member.key in self._paths:
                self._show(member.key)
            elif member.key not in self._asked:
                self._asked.add(member.key)
                self._requests.ask_preview(member.key)

    def _on_thumbnail(self, key: object) -> None:
        """Something to see until the large picture comes."""
        if key in self.view.keys and not self.view.has_picture(str(key)):
            self._ask()

    def _on_preview(self, answer: Preview) -> None:
        self._paths[answer.key] = answer.path.to_str()
        self._show(answer.key)

    def _on_full(self, answer: Preview) -> None:
        size = QSize(answer.width, answer.height)
        self.view.show_full(answer.key, answer.path.to_str(), size)

    def _on_picture(self, path: object) -> None:
        for key in [key for key, known in self._paths.items() if known == path]:
            self._show(key)

    def _show(self, key: str) -> None:
        picture = self._previews.pixmap(self._paths[key], self._paths[key])
        if picture is not None:
            self.view.show_picture(key, picture)
