"""Forgetting and excluding: what every engine must do, the fake one and the real one."""

from __future__ import annotations

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
from cocadesk.protocol.values import RootValue, Row
from tests.support.engines import EngineCase, index

WAIT_S = 60.0


@pytest.fixture(scope="module")
def folder(
    client: AnyEngine, case: EngineCase, tmp_path_factory: pytest.TempPathFactory
) -> WirePath:
    """A folder of a few photos in the library of all contract tests, to be forgotten."""
    folder = case.new_folder(tmp_path_factory.mktemp("forgotten"))
    index(client, folder)
    return WirePath.of(folder)


def everything(client: AnyEngine) -> tuple[str, ...]:
    """All keys."""
    return client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys


def media_in(client: AnyEngine, folder: WirePath) -> list[Row]:
    """The media of a folder."""
    rows = client.ask(GetRows(keys=everything(client)), Rows, timeout_s=WAIT_S).rows
    return [row for row in rows if row.path.text.startswith(folder.text)]


def root(client: AnyEngine, folder: WirePath) -> RootValue | None:
    """The folder as the library has it."""
    roots = client.ask(ListRoots(), Roots, timeout_s=WAIT_S).roots
    return next((root for root in roots if root.path == folder), None)


def excludes(client: AnyEngine, folder: WirePath) -> tuple[WirePath, ...]:
    """The patterns of the folder."""
    found = root(client, folder)
    assert found is not None
    return found.excludes


def test_a_preview_of_forgetting_counts_and_changes_nothing(
    client: AnyEngine, folder: WirePath
) -> None:
    """The numbers of what would go, and the pattern that would keep it away."""
    keys = everything(client)
    body = Forget(paths=(media_in(client, folder)[0].path,), is_preview=True)
    planned = client.ask(body, Forgotten, timeout_s=WAIT_S)
    assert (planned.counts.media, len(planned.excluded)) == (1, 1)
    assert everything(client) == keys
    assert excludes(client, folder) == ()


def test_a_forgotten_photo_is_gone_and_excluded(client: AnyEngine, folder: WirePath) -> None:
    """Its key names nothing any more; the others are as they were."""
    keys, gone = everything(client), media_in(client, folder)[1]
    done = client.ask(Forget(paths=(gone.path,)), Forgotten, timeout_s=WAIT_S)
    assert done.counts.media == 1
    assert set(done.excluded) <= set(excludes(client, folder))
    assert everything(client) == tuple(key for key in keys if key != gone.key)
    with pytest.raises(UserError):
        client.ask(GetDetail(key=gone.key), ReplyBody, timeout_s=WAIT_S)


def test_a_path_that_is_not_in_the_library_cannot_be_forgotten(client: AnyEngine) -> None:
    """A slip of the pen is told, not taken for success."""
    for is_preview in (True, False):
        body = Forget(paths=(WirePath("/nowhere/at all.jpg"),), is_preview=is_preview)
        with pytest.raises(UserError, match="not in the library"):
            client.ask(body, Forgotten, timeout_s=WAIT_S)


def test_patterns_are_added_listed_and_removed(client: AnyEngine, folder: WirePath) -> None:
    """In their order, each once; one that is not there can't be removed."""
    had = excludes(client, folder)
    new = (WirePath("*.xyz"), WirePath("/some/folder"))
    for _ in range(2):
        done = client.ask(SetExcludes(folder=folder, add=new), Excluded, timeout_s=WAIT_S)
        assert (done.folder, done.patterns, done.hidden) == (folder, had + new, 0)
    assert excludes(client, folder) == had + new
    fewer = client.ask(SetExcludes(folder=folder, remove=new[:1]), Excluded, timeout_s=WAIT_S)
    assert fewer.patterns == had + new[1:]
    with pytest.raises(UserError, match="not excluded"):
        client.ask(SetExcludes(folder=folder, remove=new[:1]), Excluded, timeout_s=WAIT_S)
    with pytest.raises(UserError, match="not in the library"):
        client.ask(SetExcludes(folder=WirePath("/nowhere")), Excluded, timeout_s=WAIT_S)


def test_a_new_pattern_hides_what_it_fits(client: AnyEngine, folder: WirePath) -> None:
    """The rows stay, as those of missing files."""
    row = media_in(client, folder)[0]
    body = SetExcludes(folder=folder, add=(WirePath(row.name),))
    assert client.ask(body, Excluded, timeout_s=WAIT_S).hidden == 1
    (row,) = client.ask(GetRows(keys=(row.key,)), Rows, timeout_s=WAIT_S).rows
    assert row.state == "missing"


def test_a_forgotten_root_leaves_nothing(client: AnyEngine, folder: WirePath) -> None:
    """Neither its media nor the folder itself; nothing is left that is missing."""
    others = set(everything(client)) - {row.key for row in media_in(client, folder)}
    done = client.ask(Forget(paths=(folder,)), Forgotten, timeout_s=WAIT_S)
    assert done.counts.folders == 1
    assert done.excluded == ()
    assert set(everything(client)) == others
    assert root(client, folder) is None
    assert client.ask(Forget(is_missing=True), Forgotten, timeout_s=WAIT_S).counts.media == 0
