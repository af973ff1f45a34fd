"""The line above the library that tells what should be looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFrame

from cocadesk.protocol.messages import GetInfo, Info, ModelChanged
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit.icons import Icon
from ui.kit.layouts import in_row
from ui.kit.theme import GAP_M
from ui.kit.timers import single_shot
from ui.kit.translation import tr, tr_count
from ui.kit.widgets import IconButton, button, label

REFRESH_MS = 2000
UPDATE = "update"
"""The matter of the line that counts along; see ``LibraryLine.say``."""


class LibraryLine(QFrame):
    """A calm sentence with what can be done about it; closed, the same does not come back."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("library-line")
        self.text = label("", wraps=True)
        self.act = button("", "link", on_click=self._act)
        self.close_button = IconButton(Icon.CLEAR, tr("Close"), size_px=14, on_click=self._close)
        parts = ((self.text, 1), self.act, self.close_button)
        in_row(*parts, gap=GAP_M, margins=(14, 8, 10, 8), of=self)
        self._matter = ""
        self._closed = ""
        self._on_act: Callable[[], object] | None = None
        self.hide()

    def say(
        self, lines: Sequence[str], act: str, on_act: Callable[[], object], *, matter: str = ""
    ) -> None:
        """Shows these lines, unless they were closed; none hides itself.

        Lines that count have a ``matter`` that stays the same. No ``act``, no button.
        """
        self._on_act = on_act
        self.text.show_lines(lines)
        text = self.text.text()
        self._matter = matter or text
        self.setAccessibleName(text)
        self.act.setText(act)
        self.act.setVisible(bool(act))
        self.act.setAccessibleDescription(text)
        self.setVisible(bool(text) and self._matter != self._closed)

    def _act(self) -> None:
        if self._on_act is not None:
            self._on_act()

    def _close(self) -> None:
        self._closed = self._matter
        self.hide()


class LibraryNotices(QObject):
    """Asks for the library's state, and has the line tell of damage and of missing vectors."""

    def __init__(
        self,
        link: EngineLink,
        tracker: JobTracker,
        line: LibraryLine,
        check: Callable[[], object],
    ) -> None:
        super().__init__(line)
        self._link = link
        self._tracker = tracker
        self._line = line
        self._check = check
        self._is_updating = False
        self._soon = single_shot(self, self.refresh, REFRESH_MS)
        link.connected.connect(self.refresh)
        link.event_received.connect(self._on_event)
        tracker.ended.connect(self.refresh)
        tracker.job_changed.connect(self._on_job)

    def refresh(self) -> None:
        """Asks again, e.g. after a repair."""
        self._link.ask(GetInfo(), Info, self._on_info)

    def _on_event(self, body: object) -> None:
        if isinstance(body, ModelChanged):
            self.refresh()

    def _on_job(self, _job: object) -> None:
        """Counts along while photos are read for an improved model."""
        if self._is_updating and not self._soon.isActive():
            self._soon.start()

    def _on_info(self, answer: Info) -> None:
        number = answer.counts.without_vectors
        self._is_updating = answer.update is not None
        if answer.notices:
            self._line.say(answer.notices, tr("Check…"), self._check)
        elif answer.update is not None:
            act = "" if self._tracker.active() else tr("Go on")
            self._line.say((answer.update.text,), act, self._look_again, matter=UPDATE)
        elif number and not self._tracker.active():
            text = tr_count(
                number, "{n} photo or video can't be found by searches yet.",
                "{n} photos and videos can't be found by searches yet.",
            )  # fmt: skip
            self._line.say((text,), tr("Check again"), self._look_again)
        else:
            self._line.say((), "", self._check)

    def _look_again(self) -> None:
        self._line.hide()
        self._tracker.index(())
