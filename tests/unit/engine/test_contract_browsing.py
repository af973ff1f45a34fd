"""The lists that a library offers: what every engine must do, fake and real."""

from __future__ import annotations

from collections.abc import Iterator

from cocadesk.engine.local import AnyEngine
from cocadesk.protocol.messages import (
    AnnotationsReply,
    Branches,
    BranchKind,
    BranchValue,
    DeleteAlbum,
    DeleteSavedSearch,
    GetBranches,
    GetOverview,
    Keys,
    ListName,
    ListNewest,
    ListRoots,
    NewAlbum,
    Overview,
    RequestBody,
    Roots,
    SaveSearch,
    SetAnnotations,
    UndoAnnotations,
)

WAIT_S = 60.0


def counts(client: AnyEngine) -> dict[ListName, int]:
    """The number of each list, which is that of the media that its query lets pass."""
    found = client.ask(GetOverview(), Overview, timeout_s=WAIT_S).lists
    assert [one.name for one in found] == list(ListName)
    for one in found:
        assert one.count == listed(client, one.query), one
    return {one.name: one.count for one in found}


def listed(client: AnyEngine, query: str) -> int:
    """The length of the list that a query opens."""
    return client.ask(ListNewest(filter=query, limit=0), Keys, timeout_s=WAIT_S).total


def branches(client: AnyEngine, kind: BranchKind, under: str = "") -> tuple[BranchValue, ...]:
    """The branches of a kind in another one, or the first ones."""
    body = GetBranches(kind=kind, under=under)
    answer = client.ask(body, Branches, timeout_s=WAIT_S)
    assert answer.total == len(answer.branches)
    return answer.branches


def all_in(client: AnyEngine, kind: BranchKind, under: str = "") -> Iterator[BranchValue]:
    """Each branch, and all in it."""
    for one in branches(client, kind, under):
        yield one
        if one.below:
            yield from all_in(client, kind, one.id)


def change(client: AnyEngine, body: RequestBody) -> None:
    """One command."""
    client.ask(body, AnnotationsReply, timeout_s=WAIT_S)


def test_lists_count_what_their_queries_let_pass(client: AnyEngine) -> None:
    """As soon as a person has said something."""
    before = counts(client)
    bare = ListNewest(filter="-favourite:yes -flag:pick", limit=1)
    key = client.ask(bare, Keys, timeout_s=WAIT_S).keys[0]
    without = client.ask(ListNewest(filter="-has:caption"), Keys, timeout_s=WAIT_S).keys
    change(client, SetAnnotations(keys=(key,), favourite=True, flag="pick", caption="mine"))
    after = counts(client)
    change(client, UndoAnnotations())
    assert after[ListName.ALL] == before[ListName.ALL] > 0
    assert after[ListName.FAVOURITES] == before[ListName.FAVOURITES] + 1
    assert after[ListName.PICKS] == before[ListName.PICKS] + 1
    assert after[ListName.WITHOUT_CAPTION] == before[ListName.WITHOUT_CAPTION] - (key in without)
    assert counts(client) == before


def test_the_first_folders_are_those_that_a_person_added(client: AnyEngine) -> None:
    """With all that is in them; their paths come along."""
    roots = client.ask(ListRoots(), Roots, timeout_s=WAIT_S).roots
    found = branches(client, BranchKind.FOLDER)
    assert {one.path for one in found} == {root.path for root in roots}
    assert all(one.name for one in found)
    for one in all_in(client, BranchKind.FOLDER):
        assert one.count == listed(client, one.query), one


def test_places_and_persons_count_what_their_queries_let_pass(client: AnyEngine) -> None:
    """Also those inside others."""
    for kind in (BranchKind.PLACE, BranchKind.PERSON):
        for one in all_in(client, kind):
            assert one.count == listed(client, one.query), one


def test_own_tags_count_what_their_queries_let_pass(client: AnyEngine) -> None:
    """By name, whatever the case; what a machine alone suggests is none."""
    keys = client.ask(ListNewest(limit=3), Keys, timeout_s=WAIT_S).keys
    change(client, SetAnnotations(keys=keys, add_tags=("zed 10", 'a/"b"')))
    change(client, SetAnnotations(keys=keys[:1], add_tags=("Zed 9",)))
    found = branches(client, BranchKind.TAG)
    for one in found:
        assert one.count == listed(client, one.query), one
    for _ in range(2):
        change(client, UndoAnnotations())
    assert {'a/"b"': 3, "Zed 9": 1, "zed 10": 3}.items() <= {o.name: o.count for o in found}.items()


def test_albums_and_saved_searches_come_by_name(client: AnyEngine) -> None:
    """Albums with the number of their media; an empty one is there too."""
    keys = client.ask(ListNewest(limit=2), Keys, timeout_s=WAIT_S).keys
    change(client, NewAlbum(name="Zoo 10", keys=keys))
    change(client, NewAlbum(name="Zoo 9"))
    change(client, SaveSearch(name="Old ones", query="dogs kind:photo"))
    albums, searches = (branches(client, kind) for kind in (BranchKind.ALBUM, BranchKind.SEARCH))
    for body in (
        DeleteAlbum(album="Zoo 10"),
        DeleteAlbum(album="Zoo 9"),
        DeleteSavedSearch(search="Old ones"),
    ):
        change(client, body)
    assert sorted((one.name, one.count) for one in albums) == [("Zoo 10", 2), ("Zoo 9", 0)]
    assert [(one.name, one.query, one.count) for one in searches] == [
        ("Old ones", "dogs kind:photo", None)
    ]


def test_a_stretch_of_branches_says_how_many_there_are(client: AnyEngine) -> None:
    """A window asks for more of them as they are looked at."""
    change(client, NewAlbum(name="A"))
    change(client, NewAlbum(name="B"))
    body = GetBranches(kind=BranchKind.ALBUM, offset=1, limit=5)
    answer = client.ask(body, Branches, timeout_s=WAIT_S)
    change(client, DeleteAlbum(album="A"))
    change(client, DeleteAlbum(album="B"))
    assert ([one.name for one in answer.branches], answer.offset, answer.total) == (["B"], 1, 2)


def test_nothing_is_in_what_is_not_known(client: AnyEngine) -> None:
    """A folder may have gone before it is opened."""
    for kind in BranchKind:
        assert branches(client, kind, "/nowhere at all/") == ()
