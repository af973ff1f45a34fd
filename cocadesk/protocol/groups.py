"""The messages about groups of pictures that are copies of each other, or of one burst.

Each change is one undoable batch like ``SetAnnotations`` and answered by ``AnnotationsReply``.
Nothing is ever deleted because of a group.
"""

from __future__ import annotations

from cocadesk.protocol.replies import ReplyBody
from cocadesk.protocol.requests import RequestBody
from cocadesk.protocol.values import GroupLabel, Message, Row, Value


class GroupMember(Value, frozen=True):
    """A medium of a group, and how it is linked with the best one: by ``label``.

    Members with the same ``part`` show the same picture; those of the best are part 0.
    """

    row: Row
    label: GroupLabel
    part: int = 0


class PictureGroup(Value, frozen=True):
    """Media that belong together; ``label`` is the loosest of the links that join them.

    ``members`` come best first, ``count`` of them in all. ``reason`` says why the first one is
    the best ("largest: 4000 × 3000"); ``is_chosen``: a person said so. ``spare_bytes`` is the
    size of all files but the largest.
    """

    label: GroupLabel
    members: tuple[GroupMember, ...]
    count: int
    reason: str = ""
    is_chosen: bool = False
    spare_bytes: int = 0


class Groups(ReplyBody, frozen=True):
    """A stretch of groups, of ``total``; those with the most ``spare_bytes`` come first.

    ``exact``, ``same`` and ``burst`` are the numbers of groups of each label, whatever was asked
    for. ``waiting`` media have not been compared with the others yet.
    """

    groups: tuple[PictureGroup, ...]
    offset: int = 0
    total: int = 0
    exact: int = 0
    same: int = 0
    burst: int = 0
    waiting: int = 0


class ListGroups(RequestBody, frozen=True):
    """The groups of a label, a stretch at a time; answered by ``Groups``.

    Those of ``exact`` hold files of the same bytes. Those of ``same`` hold pictures that are the
    same, and ``burst`` adds neighbours in time: a file may be in one group of each. Without a
    label each medium comes once, in its largest group. At most ``members`` of each are given.
    """

    label: GroupLabel | None = None
    offset: int = 0
    limit: int = 100
    members: int = 100


class GetGroup(RequestBody, frozen=True):
    """The largest group of a medium, or none; answered by ``Groups``.

    ``offset`` and ``limit`` choose among its members, of which the best is always the first.
    """

    key: str
    offset: int = 0
    limit: int = 1000


class StartGrouping(RequestBody, frozen=True):
    """Compares what has come since the last time with all; a job, ``JobReply``.

    ``again``: everything anew. In the idle after an index it begins by itself.
    """

    again: bool = False


class SetNotSame(RequestBody, frozen=True):
    """These media do not belong together, whatever the program finds.

    One alone does not belong to any other of its group. ``AnnotationsReply``.
    """

    keys: tuple[str, ...]


class SetBest(RequestBody, frozen=True):
    """This medium is the best of its groups (or, with ``is_best`` False, need not be).

    ``AnnotationsReply``.
    """

    key: str
    is_best: bool = True


class GroupsChanged(Message, frozen=True):
    """Groups have come, gone or changed: lists of them are asked for anew."""
