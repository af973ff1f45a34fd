"""Same pictures in the grid: one cell stands for its group, which opens in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.messages import GetGroup, Groups
from cocadesk.protocol.values import GroupLabel
from ui.engine.link import EngineLink, Ticket
from ui.kit.translation import grouped, tr
from ui.library.alike.kin import kin_of, within


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMark:
    """The mark of a cell: it stands for ``number`` media, or is one of an open group.

    ``is_head`` where the group is opened and closed here.
    """

    number: int
    is_head: bool
    is_open: bool

    @property
    def text(self) -> str:
        """The mark in words."""
        if not self.is_open:
            return tr("{number} alike", number=grouped(self.number))
        return (
            tr("{number} alike, opened", number=grouped(self.number))
            if self.is_head
            else tr("one of {number} alike", number=grouped(self.number))
        )


class GroupMarks:
    """The groups of a list: how many media each key stands for, and those that are open."""

    def __init__(self) -> None:
        self._copies: dict[str, int] = {}
        self._open: dict[str, tuple[str, ...]] = {}
        self._head_of: dict[str, str] = {}

    @property
    def hidden(self) -> int:
        """The number of media for which others stand."""
        return sum(self._copies.values()) - self.inserted

    @property
    def inserted(self) -> int:
        """The number of cells that stand there because their groups are open."""
        return len(self._head_of)

    def mark(self, key: str) -> GroupMark | None:
        """The mark of a medium's cell; None where it stands for itself alone."""
        head = self._head_of.get(key, key)
        copies = self._copies.get(head, 0)
        if not copies:
            return None
        return GroupMark(number=copies + 1, is_head=head == key, is_open=head in self._open)

    def head_of(self, key: str) -> str | None:
        """The medium that stands for this one's group, where there is one."""
        head = self._head_of.get(key, key)
        return head if head in self._copies else None

    def members(self, head: str) -> tuple[str, ...]:
        """The others of an open group."""
        return self._open.get(head, ())

    def set_copies(self, copies: Mapping[str, int], *, keeps_open: bool) -> None:
        """Another list, or the same one again, whose open groups stay so."""
        self._copies = {key: number for key, number in copies.items() if number}
        kept = self._open if keeps_open else {}
        self._open = {head: others for head, others in kept.items() if head in self._copies}
        self._head_of = {key: head for head, others in self._open.items() for key in others}

    def open(self, head: str, others: Sequence[str]) -> None:
        """Notes that these stand behind their head."""
        self._open[head] = tuple(others)
        self._head_of.update((key, head) for key in others)

    def close(self, head: str) -> None:
        """Notes that the group is closed again."""
        for key in self._open.pop(head, ()):
            self._head_of.pop(key, None)

    @property
    def opened(self) -> Mapping[str, tuple[str, ...]]:
        """The others of each open group, by its head."""
        return self._open


class GroupOpener(QObject):
    """Asks for a group to open it in place, and closes it.

    ``spliced`` tells the list: behind this key so many cells go and these come.
    """

    spliced = Signal(str, int, object)
    failed = Signal(object)

    def __init__(
        self,
        link: EngineLink,
        marks: GroupMarks,
        is_listed: Callable[[str], bool],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._is_listed = is_listed
        self._marks = marks
        self._ticket: Ticket | None = None

    def toggle(self, key: str, collapsed: GroupLabel) -> bool:
        """Opens or closes the group of a key; False where it has none here.

        ``collapsed`` is the loosest link of those for which one stands.
        """
        head = self._marks.head_of(key)
        if head is None:
            return False
        if self._ticket is not None:
            self._ticket.cancel()
        if others := self._marks.members(head):
            self._marks.close(head)
            self.spliced.emit(head, len(others), ())
            return True

        def on_done(answer: Groups) -> None:
            for group in answer.groups[:1]:
                self._open(head, within(kin_of(group, head), collapsed))

        self._ticket = self._link.ask(
            GetGroup(key=head), Groups, on_done, on_failed=self.failed.emit
        )
        return True

    def _open(self, head: str, others: tuple[str, ...]) -> None:
        """Those that are in the list already stay where they are."""
        others = tuple(key for key in others if not self._is_listed(key))
        if others:
            self._marks.open(head, others)
            self.spliced.emit(head, 0, others)
