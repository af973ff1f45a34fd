"""The media that are alike to one medium, by how closely."""

from __future__ import annotations

from collections.abc import Mapping

from cocadesk.protocol.messages import GroupMember, PictureGroup
from cocadesk.protocol.values import GroupLabel
from ui.kit.translation import tr_count

CLOSEST_FIRST = tuple(GroupLabel)
Kin = Mapping[GroupLabel, tuple[str, ...]]


def kin_words(label: GroupLabel, number: int) -> str:
    """``2 exact copies``."""
    if label is GroupLabel.EXACT:
        return tr_count(number, "{n} exact copy", "{n} exact copies")
    if label is GroupLabel.SAME:
        return tr_count(number, "{n} same picture", "{n} same pictures")
    return tr_count(number, "{n} in its burst", "{n} in its burst")


def kin_of(group: PictureGroup, key: str) -> Kin:
    """The others of its group by their link with this medium, the closest first.

    The engine tells each member's link with the best, and those that show the same picture:
    of two that are no exact copies of the best, only the latter is known.
    """
    mine = next((member for member in group.members if member.row.key == key), None)
    if mine is None:
        return {}
    best = group.members[0]
    found: dict[GroupLabel, list[str]] = {label: [] for label in CLOSEST_FIRST}
    for other in group.members:
        if other is not mine:
            found[_link(mine, other, best)].append(other.row.key)
    return {label: tuple(keys) for label, keys in found.items() if keys}


def within(kin: Kin, loosest: GroupLabel) -> tuple[str, ...]:
    """Those that are linked so closely, or closer."""
    closest = CLOSEST_FIRST[: CLOSEST_FIRST.index(loosest) + 1]
    return tuple(key for label in closest for key in kin.get(label, ()))


def _link(mine: GroupMember, other: GroupMember, best: GroupMember) -> GroupLabel:
    if mine.part != other.part:
        return GroupLabel.BURST
    is_exact = all(one is best or one.label is GroupLabel.EXACT for one in (mine, other))
    return GroupLabel.EXACT if is_exact else GroupLabel.SAME
