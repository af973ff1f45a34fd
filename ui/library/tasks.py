"""Dialogs that ask, let the engine work, and tell what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import QObject, QRect, Qt, Signal
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QWidget

from cocadesk.errors import UserError
from cocadesk.protocol.messages import ReplyBody, RequestBody
from cocadesk.protocol.values import WorkState
from ui.engine.link import EngineLink, LinkState
from ui.kit.dialogs import DialogHost, FramedDialog
from ui.kit.page_parts import ProgressBar, hide_or_say
from ui.kit.plain_text import joined
from ui.kit.texts import time_left
from ui.kit.translation import tr
from ui.kit.widgets import Notice, button, label

WIDTH_PX = 540
MAX_LINES = 9
FRAME_PX = 34
TEXT_PX = WIDTH_PX - 82  # less the dialog's margins and the report's frame

Answer = TypeVar("Answer", bound=ReplyBody)


class TaskDialog(FramedDialog):
    """A sentence, a bar while the engine works, and a report.

    ``agreed``: it may go on. ``other_wanted``: in the other way that was offered.
    """

    agreed = Signal()
    other_wanted = Signal()

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(title, parent)
        self.sentence = label("", wraps=True)
        self.report = QPlainTextEdit()
        self.report.setReadOnly(True)
        self.report.setTabChangesFocus(True)
        self.report.setAccessibleName(tr("Report"))
        self.small_print = label("", "muted", wraps=True)
        self.bar = ProgressBar()
        self.bar.show_progress(0, None)
        self.go_on = button("", "primary", on_click=self.agreed.emit)
        self.other = button("", on_click=self.other_wanted.emit)
        for part in (self.sentence, self.report, self.small_print, self.bar):
            self.column.addWidget(part)
        self.column.addStretch(1)
        self.leave: QPushButton = self.add_buttons(self.go_on, self.other)
        self.setMinimumWidth(WIDTH_PX)

    def ask(
        self,
        sentence: str,
        go_on: str,
        *,
        lines: Sequence[str] = (),
        small_print: str = "",
        other: str = "",
        is_for_good: bool = False,
    ) -> None:
        """Asks before it goes on; what is done ``is_for_good`` is not what Enter does."""
        self._show(sentence, lines, small_print)
        self._offer(go_on, other)
        self.leave.setText(tr("Cancel"))
        (self.leave if is_for_good else self.go_on).setDefault(True)
        (self.leave if is_for_good else self.go_on).setFocus()

    def work(self, sentence: str, *, stop: str = "", small_print: str = "") -> None:
        """The engine works; the bar moves until it has done. ``stop`` offers the end of that."""
        self._show(sentence, (), small_print)
        self.bar.show()
        self._offer("", stop)

    def show_progress(self, now: WorkState) -> None:
        """How far it is, with the time left."""
        self.bar.show_progress(now.done, now.total)
        parts = (now.stage, time_left(now.seconds_left))
        self.sentence.setText(", ".join(part for part in parts if part) + ".")

    def tell(
        self, sentence: str, lines: Sequence[str] = (), *, go_on: str = "", small_print: str = ""
    ) -> None:
        """It is done, or could not be; ``go_on`` offers what may follow."""
        self._show(sentence, lines, small_print)
        self._offer(go_on)
        self.leave.setDefault(True)
        self.leave.setFocus()

    def _show(self, sentence: str, lines: Sequence[str], small_print: str) -> None:
        self.bar.hide()
        self.sentence.setText(sentence)
        self.setAccessibleDescription(sentence)
        hide_or_say(self.small_print, small_print)
        text = joined(lines)
        self.report.setPlainText(text)
        self.report.setVisible(bool(lines))
        metrics, wraps = self.report.fontMetrics(), Qt.TextFlag.TextWordWrap.value
        needed = metrics.boundingRect(QRect(0, 0, TEXT_PX, 0), wraps, text).height()
        self.report.setFixedHeight(min(needed, metrics.lineSpacing() * MAX_LINES) + FRAME_PX)

    def _offer(self, go_on: str, other: str = "") -> None:
        self.other.setText(other)
        self.other.setVisible(bool(other))
        self.go_on.setText(go_on)
        self.go_on.setVisible(bool(go_on))
        self.leave.setText(tr("Close"))
        self.adjustSize()


class Tasks(QObject):
    """Opens task dialogs and asks the engine on their behalf.

    A dialog that is closed while the engine works stops nothing: a notice tells of the end.
    ``link`` leads to the engine.
    """

    def __init__(self, link: EngineLink, dialogs: DialogHost, notice: Notice) -> None:
        super().__init__(dialogs)
        self.link = link
        self._dialogs = dialogs
        self.notice = notice
        self._working: TaskDialog | None = None
        link.state_changed.connect(self._on_state)

    def open(self, title: str, on_closed: Callable[[], object] | None = None) -> TaskDialog:
        """A new dialog, still without a text; closed by hand, it may lead back."""
        dialog = self._dialogs.open(lambda parent: TaskDialog(title, parent))
        if on_closed is not None:
            dialog.finished.connect(lambda _: self._dialogs.current is dialog and on_closed())
        return dialog

    def run(
        self,
        dialog: TaskDialog,
        working: str,
        body: RequestBody,
        answer: type[Answer],
        on_done: Callable[[Answer], None],
    ) -> None:
        """Lets the engine work; a failure is told in the dialog."""
        title = dialog.windowTitle()

        def on_answer(reply: Answer) -> None:
            if self._ends(dialog):
                on_done(reply)
            else:
                self.notice.say(tr("{title}: done.", title=title))

        def on_failed(error: UserError) -> None:
            if self._ends(dialog):
                dialog.tell(str(error))
            else:
                self.notice.say(str(error))

        if self.link.state is not LinkState.CONNECTED:
            dialog.tell(tr("The engine is still starting. Try again in a few seconds."))
            return
        dialog.work(working)
        self._working = dialog
        self.link.ask(body, answer, on_answer, on_failed=on_failed)

    def stands(self, dialog: TaskDialog) -> bool:
        """True where it is still open; one that is not may have been deleted."""
        return self._dialogs.current is dialog and dialog.isVisible()

    def _ends(self, dialog: TaskDialog) -> bool:
        """True where the dialog still stands."""
        if self._working is dialog:
            self._working = None
        return self.stands(dialog)

    def _on_state(self, state: object) -> None:
        """A request is lost with its engine."""
        dialog = self._working
        if dialog is not None and state is not LinkState.CONNECTED and self._ends(dialog):
            dialog.tell(tr("The engine stopped before this was done. It starts again; try then."))
