"""Requests about groups of same pictures, and the job that finds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from cocadesk.annotations.groups import GroupEditor
from cocadesk.annotations.human import AnnotationChange, HumanAnnotations
from cocadesk.engine.conversions import LABELS, level_of, to_rows, to_value
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.engine.job_steps import JobFactory, JobOutcome, JobStep, Steps, relayed
from cocadesk.engine.scopes import row_of
from cocadesk.errors import kept, tr
from cocadesk.indexing.types import GroupingProgress, GroupingReport, GroupingStage
from cocadesk.library.best import ranked
from cocadesk.library.edits import apart_pairs, best_keys
from cocadesk.library.groups import BURST, SAME, MediaGroups
from cocadesk.library.rows import MediaRow
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
from cocadesk.protocol.values import GroupLabel, GroupReport, JobKind
from cocadesk.search.filters import parse_filter
from cocadesk.search.matching import matching_keys

_HIDDEN = parse_filter("hidden:yes")
TITLE = kept("Looking for same pictures")
STAGES = {
    GroupingStage.READ: tr("Reading what has come"),
    GroupingStage.SEARCH: tr("Looking for likely pairs"),
    GroupingStage.COMPARE: tr("Comparing pictures"),
}


class GroupSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The order of a comparison; ``again``: of all media, whatever was compared before."""

    again: bool = False


class GroupHandler(RequestHandler):
    """Answers for groups; ``announce`` makes the answer to a decision."""

    def __init__(
        self,
        context: EngineContext,
        annotations: HumanAnnotations,
        announce: Callable[[AnnotationChange], AnnotationsReply],
    ) -> None:
        self._context = context
        self._library = context.library
        self._editor = GroupEditor(context.library, annotations)
        self._announce = announce
        self._followed: int | None = None
        self._shown: tuple[MediaGroups, frozenset[str], MediaGroups] | None = None

    def works(self) -> Mapping[JobKind, JobFactory]:
        """The comparison."""
        return {JobKind.GROUP: self._steps}

    def follow(self) -> None:
        """Brings the groups in line with what people decided, where that is news.

        It is so after a command or its undo, and where an engine was killed between the log
        and the groups.
        """
        edits = self._library.edits
        if self._followed == edits.decisions or not self._library.is_writer:
            return
        is_first, self._followed = self._followed is None, edits.decisions
        with self._library.writing():
            is_news = self._library.results.groups.set_apart(apart_pairs(edits))
        if is_news or not is_first:
            self._context.publish(GroupsChanged())

    # Lists ------------------------------------------------------------------------------

    def _groups(self, asked: str = "") -> MediaGroups:
        """The groups without what a person has hidden, but for the medium that is asked for."""
        groups, known = self._library.results.groups.current(), self._shown
        hidden = frozenset(matching_keys(self._library.results, _HIDDEN)) - {asked}
        if known is None or known[0] is not groups or known[1] != hidden:
            known = self._shown = groups, hidden, groups.without(hidden)
        return known[2]

    def _list(self, body: ListGroups, call: Call) -> Groups:
        self.follow()
        groups = self._groups()
        level = level_of(body.label)
        firsts = groups.of_label(level)
        part = firsts[body.offset : body.offset + body.limit].tolist()
        labels = [groups.label_of(first) if level is None else level for first in part]
        members = [
            [
                groups.key(place)
                for place in groups.members(BURST if level is None else level, first)
            ]
            for first in part
        ]
        counts = {label.value: len(groups.of_label(n)) for n, label in enumerate(LABELS)}
        return Groups(
            groups=self._values(groups, labels, members, slice(0, body.members)),
            offset=body.offset,
            total=len(firsts),
            waiting=self._waiting(groups),
            **counts,
        )

    def _get(self, body: GetGroup, call: Call) -> Groups:
        self.follow()
        row_of(self._library, body.key)
        groups = self._groups(body.key)
        place = int(groups.places([body.key])[0])
        if place < 0 or groups.counts[BURST][place] < 2:
            return Groups(groups=(), waiting=self._waiting(groups))
        first = int(groups.firsts[BURST][place])
        keys = [groups.key(own) for own in groups.members(BURST, first)]
        stretch = slice(body.offset, body.offset + body.limit)
        found = self._values(groups, [groups.label_of(first)], [keys], stretch)
        return Groups(groups=found, total=1, waiting=self._waiting(groups))

    def _waiting(self, groups: MediaGroups) -> int:
        counts = self._library.counts()
        return max(0, counts.media - counts.missing - groups.compared)

    def _values(
        self,
        groups: MediaGroups,
        levels: Sequence[int],
        members: Sequence[Sequence[str]],
        stretch: slice,
    ) -> tuple[PictureGroup, ...]:
        """Groups as clients see them; of the members of each only a stretch."""
        keys = [key for own in members for key in own]
        rows = {row.key: row for row in self._library.media.rows(keys)}
        chosen = best_keys(self._library.edits)
        return tuple(
            self._value(
                groups, LABELS[level], [rows[key] for key in own if key in rows], chosen, stretch
            )
            for level, own in zip(levels, members, strict=True)
        )

    def _value(
        self,
        groups: MediaGroups,
        label: GroupLabel,
        rows: Sequence[MediaRow],
        chosen: Sequence[str],
        stretch: slice,
    ) -> PictureGroup:
        """A group with its best first, and a stretch of its members."""
        keys = [row.key for row in rows]
        sharpness = groups.sharpness[groups.places(keys)].tolist()
        best_first, reason = ranked(rows, dict(zip(keys, sharpness, strict=True)), chosen)
        sizes = sorted(row.size_bytes for row in rows)
        return PictureGroup(
            label=label,
            members=self._members(groups, best_first, stretch),
            count=len(best_first),
            reason=reason,
            is_chosen=any(row.key in chosen for row in best_first[:1]),
            spare_bytes=sum(sizes[:-1]),
        )

    def _members(
        self, groups: MediaGroups, best_first: Sequence[MediaRow], stretch: slice
    ) -> tuple[GroupMember, ...]:
        firsts = groups.firsts[:, groups.places([row.key for row in best_first])]
        parts: dict[int, int] = {}
        for first in firsts[SAME].tolist():
            parts.setdefault(first, len(parts))
        shown = to_rows(self._library, best_first[stretch])
        return tuple(
            GroupMember(
                row=row,
                label=LABELS[int(np.argmax(firsts[:, place] == firsts[:, 0]))],
                part=parts[int(firsts[SAME, place])],
            )
            for place, row in enumerate(shown, stretch.start)
        )

    # Decisions --------------------------------------------------------------------------

    def _set_not_same(self, body: SetNotSame, call: Call) -> AnnotationsReply:
        return self._announce(self._editor.set_apart(body.keys))

    def _set_best(self, body: SetBest, call: Call) -> AnnotationsReply:
        return self._announce(self._editor.set_best(body.key, is_best=body.is_best))

    # The job ----------------------------------------------------------------------------

    def _start(self, body: StartGrouping, call: Call) -> JobReply:
        return self._context.queue(JobKind.GROUP, TITLE, GroupSpec(again=body.again))

    def _steps(self, spec: str) -> Steps:
        """The job of a spec; see ``cocadesk.engine.job_steps.JobFactory``."""
        from cocadesk.indexing.grouping import group_steps

        again = msgspec.json.decode(spec, type=GroupSpec).again
        steps = group_steps(self._library, self._library.model or "", again=again)
        try:
            report = yield from relayed(steps, _step)
        finally:
            self._context.publish(GroupsChanged())
        return JobOutcome(message=_sentence(report), report=to_value(report, GroupReport))


def _step(progress: GroupingProgress) -> JobStep:
    return JobStep(stage=STAGES[progress.stage], done=progress.done, total=progress.total)


def _sentence(report: GroupingReport) -> str:
    bursts = kept("bursts") if report.burst != 1 else kept("burst")
    numbers = (
        (report.exact, kept("of exact copies")),
        (report.same, kept("of the same picture")),
        (report.burst, bursts),
    )
    found = [f"{number:,} {words}" for number, words in numbers if number]
    if not found:
        return kept("No same pictures were found.")
    return kept("Groups: {groups}.", groups=", ".join(found))
