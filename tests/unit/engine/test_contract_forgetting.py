"""Forgetting and excluding: what every engine must do, the fake one and the real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    Excluded,
    Forget,
    Forgotten,
    GetDetail,
    GetRows,
    Keys,
    ListNewest,
    ListRoots,
    ReplyBody,
    Roots,
    Rows,
    SetExcludes,
)
from cocadesk.protocol.paths import WirePath
from tests.support.engines import ENGINES, EngineCase

WAIT_S = 60.0


@pytest.fixture(scope="module", params=ENGINES, ids=lambda case: case.name)
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AnyEngine]:
    """A client of an engine whose library holds a few photos; one for all tests of a case."""
    case: EngineCase = request.param
    with case.open(tmp_path_factory.mktemp(case.name)) as client:
        yield client


def newest(client: AnyEngine) -> tuple[str, ...]:
    """All keys."""
    return client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys


def path_of(client: AnyEngine, key: str) -> WirePath:
    """The path of a medium."""
    return client.ask(GetRows(keys=(key,)), Rows, timeout_s=WAIT_S).rows[0].path


def root_of(client: AnyEngine) -> WirePath:
    """The only folder of the library."""
    (root,) = client.ask(ListRoots(), Roots, timeout_s=WAIT_S).roots
    return root.path


def excludes(client: AnyEngine) -> tuple[WirePath, ...]:
    """The patterns of the only folder."""
    (root,) = client.ask(ListRoots(), Roots, timeout_s=WAIT_S).roots
    return root.excludes


def test_a_preview_of_forgetting_counts_and_changes_nothing(client: AnyEngine) -> None:
    """The numbers of what would go, and the pattern that would keep it away."""
    keys = newest(client)
    body = Forget(paths=(path_of(client, keys[0]),), is_preview=True)
    planned = client.ask(body, Forgotten, timeout_s=WAIT_S)
    assert (planned.counts.media, len(planned.excluded)) == (1, 1)
    assert newest(client) == keys
    assert excludes(client) == ()


def test_a_forgotten_photo_is_gone_and_excluded(client: AnyEngine) -> None:
    """Its key names nothing any more; the others are as they were."""
    keys = newest(client)
    body = Forget(paths=(path_of(client, keys[1]),))
    done = client.ask(body, Forgotten, timeout_s=WAIT_S)
    assert done.counts.media == 1
    assert set(done.excluded) <= set(excludes(client))
    assert newest(client) == tuple(key for key in keys if key != keys[1])
    with pytest.raises(UserError):
        client.ask(GetDetail(key=keys[1]), ReplyBody, timeout_s=WAIT_S)


def test_a_path_that_is_not_in_the_library_cannot_be_forgotten(client: AnyEngine) -> None:
    """A slip of the pen is told, not taken for success."""
    for is_preview in (True, False):
        body = Forget(paths=(WirePath("/nowhere/at all.jpg"),), is_preview=is_preview)
        with pytest.raises(UserError, match="not in the library"):
            client.ask(body, Forgotten, timeout_s=WAIT_S)


def test_patterns_are_added_listed_and_removed(client: AnyEngine) -> None:
    """In their order, each once; one that is not there can't be removed."""
    root, had = root_of(client), excludes(client)
    new = (WirePath("*.xyz"), WirePath("/some/folder"))
    for _ in range(2):
        done = client.ask(SetExcludes(folder=root, add=new), Excluded, timeout_s=WAIT_S)
        assert (done.folder, done.patterns, done.hidden) == (root, had + new, 0)
    assert excludes(client) == had + new
    fewer = client.ask(SetExcludes(folder=root, remove=new[:1]), Excluded, timeout_s=WAIT_S)
    assert fewer.patterns == had + new[1:]
    with pytest.raises(UserError, match="not excluded"):
        client.ask(SetExcludes(folder=root, remove=new[:1]), Excluded, timeout_s=WAIT_S)
    with pytest.raises(UserError, match="not in the library"):
        client.ask(SetExcludes(folder=WirePath("/nowhere")), Excluded, timeout_s=WAIT_S)


def test_a_new_pattern_hides_what_it_fits(client: AnyEngine) -> None:
    """The rows stay, as those of missing files."""
    key = newest(client)[0]
    (row,) = client.ask(GetRows(keys=(key,)), Rows, timeout_s=WAIT_S).rows
    body = SetExcludes(folder=root_of(client), add=(WirePath(row.name),))
    assert client.ask(body, Excluded, timeout_s=WAIT_S).hidden == 1
    (row,) = client.ask(GetRows(keys=(key,)), Rows, timeout_s=WAIT_S).rows
    assert row.state == "missing"


def test_a_forgotten_root_leaves_nothing(client: AnyEngine) -> None:
    """Neither its media nor the folder itself."""
    done = client.ask(Forget(paths=(root_of(client),)), Forgotten, timeout_s=WAIT_S)
    assert done.counts.folders == 1
    assert done.excluded == ()
    assert newest(client) == ()
    assert client.ask(ListRoots(), Roots, timeout_s=WAIT_S).roots == ()
    assert client.ask(Forget(is_missing=True), Forgotten, timeout_s=WAIT_S).counts.media == 0
