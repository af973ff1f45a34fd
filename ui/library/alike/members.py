"""A member of a group of same pictures, and groups, as they are shown and said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from cocadesk.protocol.messages import PictureGroup
from cocadesk.protocol.values import GroupLabel, Row
from ui.kit.texts import count_media, day, file_size, marks
from ui.kit.translation import grouped, tr

TITLES = {
    GroupLabel.EXACT: tr("Exact copies"),
    GroupLabel.SAME: tr("Same picture"),
    GroupLabel.BURST: tr("Burst"),
}
LINKS = {
    GroupLabel.EXACT: tr("exact copy"),
    GroupLabel.SAME: tr("same picture"),
    GroupLabel.BURST: tr("burst"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of a group; ``link`` names how it is linked with the best, ``reason`` why it is best."""

    row: Row
    is_best: bool = False
    link: str = ""
    reason: str = ""

    @property
    def key(self) -> str:
        """The key of the medium."""
        return self.row.key

    @property
    def badge(self) -> str:
        """One or two words on its place in the group."""
        return tr("Best") if self.is_best else self.link[:1].upper() + self.link[1:]

    @property
    def picture(self) -> str:
        """Format and dimensions: ``JPG · 4032 × 3024``."""
        row = self.row
        size = f"{row.width} × {row.height}" if row.width and row.height else ""
        parts = (PurePath(row.name).suffix[1:].upper(), size)
        return " · ".join(part for part in parts if part)

    @property
    def file(self) -> str:
        """Size and date: ``3.4 MB · 3 May 2025, 14:30``."""
        size = file_size(self.row.size_bytes) if self.row.size_bytes else ""
        return " · ".join(part for part in (size, day(self.row.taken)) if part)

    @property
    def facts(self) -> str:
        """Format, dimensions, size and date, as far as they are known."""
        return " · ".join(part for part in (self.picture, self.file) if part)

    @property
    def text(self) -> str:
        """All of it in one line, for people who hear it."""
        place = (
            tr("best, {reason}", reason=self.reason) if self.is_best and self.reason else self.badge
        )
        parts = (self.row.name, place, self.facts, self.row.folder, marks(self.row))
        return ", ".join(part for part in parts if part)


def member_of(group: PictureGroup, place: int, newer: Mapping[str, Row]) -> Member:
    """The member at this place, best first; a row that is known in a ``newer`` state has it."""
    member, is_best = group.members[place], place == 0
    return Member(
        row=newer.get(member.row.key, member.row),
        is_best=is_best,
        link=LINKS[member.label],
        reason=group.reason if is_best else "",
    )


def title_of(group: PictureGroup) -> str:
    """The label and the number: ``Exact copies · 3``."""
    return f"{TITLES[group.label]} · {grouped(group.count)}"


def lines_of(group: PictureGroup) -> tuple[str, ...]:
    """More on a group below its title, a line or two each."""
    spare = (
        tr("{size} beside the best", size=file_size(group.spare_bytes)) if group.spare_bytes else ""
    )
    best = (
        (tr("Your choice") if group.is_chosen else tr("Best · {reason}", reason=group.reason))
        if group.reason
        else ""
    )
    hidden = group.count - len(group.members)
    more = (
        tr("the first {shown} are shown", shown=grouped(len(group.members))) if hidden > 0 else ""
    )
    return tuple(line for line in (best, spare, more) if line)


def text_of(group: PictureGroup) -> str:
    """A group in one line, for people who hear it."""
    title = f"{TITLES[group.label]}, {count_media(group.count)}"
    return ", ".join((title, *lines_of(group)))
