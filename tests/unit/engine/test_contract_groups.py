"""Groups of same pictures: what every engine must do, fake and real."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    AnnotationsReply,
    GetGroup,
    Groups,
    Hits,
    JobReply,
    Keys,
    ListGroups,
    ListNewest,
    PictureGroup,
    RequestBody,
    Search,
    SetAnnotations,
    SetBest,
    SetNotSame,
    StartGrouping,
    UndoAnnotations,
)
from cocadesk.protocol.values import GroupLabel, GroupReport, JobState, SortKey
from tests.support.engines import ENGINES, EngineCase, index, watch
from tests.support.scenes import photos_and_copies

WAIT_S = 60.0


class Grouped:
    """Questions to one engine about its groups; it counts commands, to undo them."""

    def __init__(self, client: AnyEngine, query: str) -> None:
        self.client = client
        self.query = query
        self.commands = 0

    def groups(self, label: GroupLabel | None = None) -> tuple[PictureGroup, ...]:
        """All groups of a label."""
        return self.list(ListGroups(label=label, limit=1000)).groups

    def list(self, body: ListGroups | GetGroup) -> Groups:
        """Groups with their numbers."""
        return self.client.ask(body, Groups, timeout_s=WAIT_S)

    def of(self, key: str) -> set[str]:
        """The members of a medium's largest group."""
        found = self.list(GetGroup(key=key)).groups
        return {member.row.key for group in found for member in group.members}

    def change(self, body: RequestBody) -> AnnotationsReply:
        """One command."""
        reply = self.client.ask(body, AnnotationsReply, timeout_s=WAIT_S)
        self.commands += bool(reply.title)
        return reply

    def undo(self) -> None:
        """Takes one command back."""
        self.client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
        self.commands -= 1


@pytest.fixture(scope="module", params=ENGINES, ids=lambda case: case.name)
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Grouped]:
    """An engine that has compared its media, some of which are copies."""
    case: EngineCase = request.param
    base = tmp_path_factory.mktemp(case.name)
    with case.open(base) as client:
        if case.name != "fake":
            index(client, photos_and_copies(base / "copies"))
        started = client.ask(StartGrouping(), JobReply, timeout_s=WAIT_S)
        done = watch(client, started.job)
        assert done.job.state is JobState.DONE, done.job.message
        assert isinstance(done.report, GroupReport)
        assert done.report.exact >= 1
        yield Grouped(client, case.query)


@pytest.fixture
def grouped(opened: Grouped) -> Iterator[Grouped]:
    """The same, left as it was."""
    yield opened
    while opened.commands:
        opened.undo()


def _keys(group: PictureGroup) -> list[str]:
    return [member.row.key for member in group.members]


def test_groups_of_each_label_are_counted_and_listed(grouped: Grouped) -> None:
    """A label's list holds groups of this label alone; the best comes first, with a reason."""
    counts = grouped.list(ListGroups())
    for label in GroupLabel:
        found = grouped.groups(label)
        assert len(found) == getattr(counts, label.value)
        for group in found:
            assert group.label is label
            assert group.count == len(group.members) >= 2
            assert group.reason
            assert group.members[0].part == 0
            sizes = sorted(m.row.size_bytes for m in group.members)
            assert group.spare_bytes == sum(sizes[:-1])
    exact = grouped.groups(GroupLabel.EXACT)[0]
    assert {member.label for member in exact.members} == {GroupLabel.EXACT}


def test_without_a_label_each_medium_comes_once(grouped: Grouped) -> None:
    """In its largest group, which its own question names too."""
    found = grouped.groups()
    keys = [key for group in found for key in _keys(group)]
    assert len(keys) == len(set(keys))
    for group in found[:3]:
        assert grouped.of(_keys(group)[-1]) == set(_keys(group))
    spare = [group.spare_bytes for group in found]
    assert spare == sorted(spare, reverse=True)


def test_groups_and_their_members_come_a_stretch_at_a_time(grouped: Grouped) -> None:
    """Stretches join to the whole."""
    whole = grouped.groups()
    parts = [grouped.list(ListGroups(offset=n, limit=1)) for n in range(len(whole))]
    assert [part.groups[0] for part in parts] == list(whole)
    assert {part.total for part in parts} == {len(whole)}
    first = whole[0]
    short = grouped.list(ListGroups(limit=1, members=1)).groups[0]
    assert (short.members, short.count) == (first.members[:1], first.count)
    rest = grouped.list(GetGroup(key=_keys(first)[0], offset=1)).groups[0]
    assert rest.members == first.members[1:]


def test_media_that_a_person_sets_apart_leave_their_group(grouped: Grouped) -> None:
    """Undo brings them back; who is alone has no group."""
    group = grouped.groups(GroupLabel.EXACT)[0]
    apart = _keys(group)[-1]
    reply = grouped.change(SetNotSame(keys=(apart,)))
    assert apart in reply.changed
    assert reply.undo_title == reply.title != ""
    assert apart not in {key for one in grouped.groups() for key in _keys(one)}
    assert grouped.of(apart) == set()
    assert grouped.change(SetNotSame(keys=(apart,))).title == ""
    grouped.undo()
    assert grouped.of(apart) >= set(_keys(group))


def test_two_media_are_not_the_same_whatever_else_they_are(grouped: Grouped) -> None:
    """Of a pair nothing is left."""
    group = next(one for one in grouped.groups(GroupLabel.EXACT) if one.count == 2)
    grouped.change(SetNotSame(keys=tuple(_keys(group))))
    assert grouped.of(_keys(group)[0]) == set()


def test_a_person_chooses_the_best(grouped: Grouped) -> None:
    """It comes first, and says so; another choice takes its place."""
    group = grouped.groups(GroupLabel.EXACT)[0]
    first, last = _keys(group)[0], _keys(group)[-1]
    title = grouped.change(SetBest(key=last)).title
    assert title.startswith("Best of its group")
    (now,) = grouped.list(GetGroup(key=first)).groups
    assert (now.members[0].row.key, now.is_chosen) == (last, True)
    grouped.change(SetBest(key=first))
    (now,) = grouped.list(GetGroup(key=first)).groups
    assert (now.members[0].row.key, now.is_chosen) == (first, True)
    grouped.change(SetBest(key=first, is_best=False))
    (now,) = grouped.list(GetGroup(key=first)).groups
    assert not now.is_chosen
    grouped.undo()
    grouped.undo()
    grouped.undo()
    (now,) = grouped.list(GetGroup(key=first)).groups
    assert not now.is_chosen


def test_results_and_lists_show_one_of_a_group(grouped: Grouped) -> None:
    """The first of each, in the order that there was, with the number of the others."""
    group_of = {key: frozenset(_keys(group)) for group in grouped.groups() for key in _keys(group)}
    whole = grouped.client.ask(ListNewest(), Keys, timeout_s=WAIT_S)
    assert whole.copies == ()
    seen: set[str] = set()
    shown = []
    for key in whole.keys:
        if key not in seen:
            seen |= group_of.get(key, {key})
            shown.append((key, len(group_of.get(key, {key})) - 1))
    ask = ListNewest(collapse=GroupLabel.BURST)
    found = grouped.client.ask(ask, Keys, timeout_s=WAIT_S)
    assert list(zip(found.keys, found.copies, strict=True)) == shown
    assert found.total == len(shown)
    for body in (
        Search(text=grouped.query, collapse=GroupLabel.BURST),
        Search(text="", like=(shown[0][0],), collapse=GroupLabel.BURST),
    ):
        hits = grouped.client.ask(body, Hits, timeout_s=WAIT_S).hits
        groups = [group_of.get(hit.key, frozenset({hit.key})) for hit in hits]
        assert len(groups) == len(set(groups))
        assert [hit.copies for hit in hits] == [len(group) - 1 for group in groups]


def test_what_is_hidden_is_in_no_group(grouped: Grouped) -> None:
    """Neither a member nor a copy; a group of which one is left is none. Undo brings it back."""
    before = grouped.groups()
    group = next(group for group in before if group.count > 2)
    pair = next(group for group in before if group.count == 2)
    hidden, *others = _keys(group)
    grouped.change(SetAnnotations(keys=(hidden, _keys(pair)[0]), hidden=True))
    now = grouped.groups()
    shown = {key for group in now for key in _keys(group)}
    assert not shown & {hidden, *_keys(pair)}
    assert grouped.list(ListGroups()).total == len(now) == len(before) - 1
    assert grouped.of(others[0]) == set(others)
    assert grouped.of(_keys(pair)[1]) == set()
    grouped.undo()
    assert grouped.groups() == before


def test_a_photo_tells_of_no_copies_that_are_not_shown(grouped: Grouped) -> None:
    """Neither in a list nor in a search, whether they are hidden or do not pass a filter."""
    search = Search(text=grouped.query, collapse=GroupLabel.BURST, limit=100)
    hits = grouped.client.ask(search, Hits, timeout_s=WAIT_S).hits
    best = next(hit.key for hit in hits if hit.copies > 1)
    hidden, *others = sorted(grouped.of(best), key=lambda key: key == best)
    grouped.change(SetAnnotations(keys=tuple(others), rating=4))
    for body in (
        ListNewest(filter="rating:4", collapse=GroupLabel.BURST),
        ListNewest(filter="rating:4", collapse=GroupLabel.BURST, sort=SortKey.NAME),
    ):
        found = grouped.client.ask(body, Keys, timeout_s=WAIT_S)
        assert found.copies == (len(others) - 1,)
    grouped.change(SetAnnotations(keys=(hidden,), hidden=True))
    for among in ("", "rating:4"):
        asked = msgspec.structs.replace(search, filter=among)
        hits = grouped.client.ask(asked, Hits, timeout_s=WAIT_S).hits
        assert [hit.copies for hit in hits if hit.key in others] == [len(others) - 1]


@pytest.mark.parametrize("body", [GetGroup(key="gone"), SetBest(key="gone")], ids=repr)
def test_a_medium_that_is_gone_gets_a_sentence(grouped: Grouped, body: RequestBody) -> None:
    """What people read, not a traceback."""
    with pytest.raises(UserError, match="no longer in the library"):
        grouped.client.ask(body, Groups, timeout_s=WAIT_S)
