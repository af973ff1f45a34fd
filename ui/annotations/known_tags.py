"""The tags that a library knows, for completing one that is typed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from PySide6.QtCore import QObject, Signal

from cocadesk.errors import UserError
from cocadesk.protocol.messages import AnnotationsChanged, ListTags, RowsChanged, Tags, TagUse
from ui.engine.link import EngineLink

MOST = 8


class KnownTags(QObject):
    """A person's own tags, then those that are suggested; asked for once they are needed.

    ``came``: there are others now.
    """

    came = Signal()

    def __init__(self, link: EngineLink, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._known: list[tuple[str, str]] = []
        self._is_stale = True
        self._is_asked = False
        link.connected.connect(self._on_connected)
        link.event_received.connect(self._on_event)

    def renew(self) -> None:
        """Asks for them, where they may be others by now."""
        if self._is_stale and not self._is_asked:
            self._is_stale, self._is_asked = False, True
            body = ListTags(with_offered=True)
            self._link.ask(body, Tags, self._on_tags, on_failed=self._on_failed)

    def show(self, uses: Iterable[TagUse]) -> None:
        """Knows these from now on, the first of equals first."""
        self._known = [(use.tag.casefold(), use.tag) for use in uses]
        self.came.emit()

    def best(self, typed: str, without: Collection[str] = ()) -> list[str]:
        """The tags that ``typed`` may become, the likeliest first; none of ``without``.

        The very tag, those that begin so, those in which a later word does, then those that
        hold it anywhere. Among each of these a person's own come first, by how often they are
        used, then what is suggested.
        """
        wanted = typed.strip().casefold()
        if not wanted:
            return []
        skipped = {tag.casefold() for tag in without}
        found: list[list[str]] = [[], [], [], []]
        for folded, tag in self._known:
            if wanted in folded and folded not in skipped:
                found[_distance(folded, wanted)].append(tag)
                if len(found[1]) >= MOST and found[0]:
                    break
        return [tag for each in found for tag in each][:MOST]

    def _on_connected(self) -> None:
        self._is_stale, self._is_asked = True, False

    def _on_event(self, body: object) -> None:
        if isinstance(body, AnnotationsChanged | RowsChanged):
            self._is_stale = True

    def _on_tags(self, answer: Tags) -> None:
        self._is_asked = False
        self.show(answer.tags)

    def _on_failed(self, _error: UserError) -> None:
        """The old ones stay; the next tag that is begun asks again."""
        self._is_stale, self._is_asked = True, False


def _distance(folded: str, wanted: str) -> int:
    """How far a tag that holds what is typed is from what may be meant by it."""
    if folded == wanted:
        return 0
    if folded.startswith(wanted):
        return 1
    at = folded.find(wanted)
    while at > 0 and folded[at - 1].isalnum():
        at = folded.find(wanted, at + 1)
    return 2 if at > 0 else 3
