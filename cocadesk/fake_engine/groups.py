"""The fake engine's groups of same pictures: the same few of each ten media, minus decisions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from cocadesk.fake_engine.annotations import Batch, FakeAnnotations, Lists
from cocadesk.fake_engine.jobs import FakeWork
from cocadesk.fake_engine.rows import FakeContext
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    AnnotationsReply,
    GetGroup,
    GroupMember,
    Groups,
    GroupsChanged,
    JobReply,
    ListGroups,
    PictureGroup,
    SetBest,
    SetNotSame,
    StartGrouping,
)
from cocadesk.protocol.values import (
    GroupLabel,
    GroupReport,
    JobKind,
    JobReport,
    JobValue,
    MediaKind,
)

TEN = 10
LABELS = tuple(GroupLabel)
GROUPS_OF_TEN: tuple[tuple[GroupLabel, tuple[int, ...]], ...] = (
    (GroupLabel.EXACT, (0, 1)),
    (GroupLabel.SAME, (2, 3, 4)),
    (GroupLabel.SAME, (5, 6)),
    (GroupLabel.BURST, (5, 6, 7, 8)),
)
"""The last digits of the numbers of media that are in a group."""


class FakeGroups:
    """Groups of made-up photos; decisions about them share the history of annotations."""

    def __init__(self, context: FakeContext, annotations: FakeAnnotations) -> None:
        self._context = context
        self._annotations = annotations

    def stands_for(
        self, keys: Sequence[str], label: GroupLabel | None, among: Collection[str]
    ) -> dict[str, int]:
        """The first of ``keys`` of each group, with the number of its others in ``among``."""
        if label is None:
            return dict.fromkeys(keys, 0)
        group_of = {key: own for own in self._largest(label) for key in own}
        shown: dict[str, int] = {}
        seen: set[str] = set()
        for key in keys:
            if key not in seen:
                own = group_of.get(key, (key,))
                seen.update(own)
                shown[key] = sum(other in among for other in own if other != key)
        return shown

    def _largest(self, most: GroupLabel = GroupLabel.BURST) -> Iterator[tuple[str, ...]]:
        """The groups with links up to ``most`` that lie in no larger one."""
        found = [own for label, own in self._groups() if LABELS.index(label) <= LABELS.index(most)]
        for own in found:
            if not any(set(own) < set(other) for other in found):
                yield own

    def _groups(self) -> Iterator[tuple[GroupLabel, tuple[str, ...]]]:
        apart = self._annotations.lists.apart
        media = list(self._context.media.values())
        for first in range(0, len(media), TEN):
            ten = media[first : first + TEN]
            for label, digits in GROUPS_OF_TEN:
                own = tuple(
                    medium.row.key
                    for medium in ten
                    if medium.number % TEN in digits
                    and medium.row.kind is MediaKind.PHOTO
                    and not self._annotations.human_of(medium.row.key).hidden
                )
                kept = tuple(
                    key for key in own
                    if not any(frozenset((key, other)) in apart for other in own)
                )  # fmt: skip
                if len(kept) > 1:
                    yield label, kept

    def _list(self, body: ListGroups, call: Call) -> Groups:
        every = [self._group(label, own, body.members) for label, own in self._groups()]
        largest = set(self._largest())
        shown = [
            group
            for group, (label, own) in zip(every, self._groups(), strict=True)
            if (own in largest if body.label is None else label is body.label)
        ]
        shown.sort(key=lambda group: -group.spare_bytes)
        counts = {one.value: sum(group.label is one for group in every) for one in GroupLabel}
        part = tuple(shown[body.offset : body.offset + body.limit])
        return Groups(groups=part, offset=body.offset, total=len(shown), **counts)

    def _get(self, body: GetGroup, call: Call) -> Groups:
        self._context.medium(body.key)
        largest = set(self._largest())
        found = tuple(
            self._group(label, own, body.limit, body.offset)
            for label, own in self._groups()
            if body.key in own and own in largest
        )
        return Groups(groups=found, total=len(found))

    def _group(
        self, label: GroupLabel, own: Sequence[str], limit: int, offset: int = 0
    ) -> PictureGroup:
        """A group with the person's best first, else the largest."""
        rows = [self._annotations.row(key) for key in own]
        best = self._annotations.lists.best
        rows.sort(key=lambda row: (row.key not in best, -row.width * row.height, row.key))
        # The first two digits of a burst show the same picture, whichever is the best.
        is_burst = label is GroupLabel.BURST
        pairs = [tuple(own[:2]), *((key,) for key in own[2:])] if is_burst else [tuple(own)]
        parts = {key: number for number, pair in enumerate(pairs) for key in pair}
        first = parts[rows[0].key]
        members = [
            GroupMember(
                row=row,
                label=label
                if label is not GroupLabel.BURST or parts[row.key] != first
                else GroupLabel.SAME,
                part=(parts[row.key] - first) % len(pairs),
            )
            for row in rows
        ]
        is_chosen = rows[0].key in best
        return PictureGroup(
            label=label,
            members=tuple(members[offset : offset + limit]),
            count=len(rows),
            reason="you chose it" if is_chosen else f"largest: {rows[0].width} × {rows[0].height}",
            is_chosen=is_chosen,
            spare_bytes=sum(sorted(row.size_bytes for row in rows)[:-1]),
        )

    def _start(self, body: StartGrouping, call: Call) -> JobReply:
        title = "Looking for same pictures"
        count = len(self._context.media)

        def end(_job: JobValue) -> tuple[str, JobReport]:
            self._context.publish(GroupsChanged())
            counts = self._list(ListGroups(), call)
            return f"{counts.total} groups of same pictures.", GroupReport(
                compared=count, exact=counts.exact, same=counts.same, burst=counts.burst
            )

        return self._context.jobs.start(
            FakeWork(title=title, total=count, kind=JobKind.GROUP, stage="Comparing", end=end)
        )

    def _set_not_same(self, body: SetNotSame, call: Call) -> AnnotationsReply:
        for key in body.keys:
            self._context.medium(key)
        keys = list(dict.fromkeys(body.keys))
        others = keys
        if len(keys) == 1:
            others = [key for own in self._largest() if keys[0] in own for key in own]
        lists = self._annotations.lists
        pairs = {frozenset((key, other)) for key in keys for other in others if key != other}
        title = f"Not the same: {len(keys)} photo{'' if len(keys) == 1 else 's'}"
        return self._commit(replace(lists, apart=lists.apart | pairs), title, keys)

    def _set_best(self, body: SetBest, call: Call) -> AnnotationsReply:
        row = self._context.medium(body.key).row
        own = {key for one in self._largest() if body.key in one for key in one}
        lists = self._annotations.lists
        best = lists.best - own | ({body.key} if body.is_best else set())
        return self._commit(replace(lists, best=best), f"Best of its group: {row.name}", [body.key])

    def _commit(self, lists: Lists, title: str, keys: Sequence[str]) -> AnnotationsReply:
        old = self._annotations.lists
        if lists == old:
            return self._annotations.unchanged()
        reply = self._annotations.commit(Batch(title=title, lists=(old, lists), listed=tuple(keys)))
        self._context.publish(GroupsChanged())
        return reply
