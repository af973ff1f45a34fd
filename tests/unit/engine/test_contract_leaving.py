"""Media that leave the lists: hidden ones, and those whose files were moved away."""

from __future__ import annotations

from pathlib import Path

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.protocol.messages import (
    AnnotationsReply,
    Detail,
    FilesNoted,
    GetDetail,
    GetHistory,
    GetRows,
    History,
    Hits,
    Keys,
    ListNewest,
    NoteFiles,
    Rows,
    Search,
    SetAnnotations,
    UndoAnnotations,
)
from tests.support.engines import ENGINES, EngineCase

WAIT_S = 60.0
WITH_FILES = [case for case in ENGINES if case.name != "fake"]


def _keys(client: AnyEngine, filter_text: str = "") -> tuple[str, ...]:
    return client.ask(ListNewest(filter=filter_text), Keys, timeout_s=WAIT_S).keys


def _found(client: AnyEngine, body: Search) -> set[str]:
    return {hit.key for hit in client.ask(body, Hits, timeout_s=WAIT_S).hits}


def test_what_is_hidden_is_listed_only_where_it_is_asked_for(
    client: AnyEngine, case: EngineCase
) -> None:
    """In no list, search or likeness, but under ``hidden:yes``; undo brings it back."""
    before = _keys(client)
    best = client.ask(Search(text=case.query, limit=1), Hits, timeout_s=WAIT_S).hits[0].key
    other = next(key for key in before if key != best)
    done = client.ask(SetAnnotations(keys=(best,), hidden=True), AnnotationsReply, timeout_s=WAIT_S)
    assert done.changed == (best,)
    assert "iding" in done.undo_title
    assert client.ask(GetDetail(key=best), Detail, timeout_s=WAIT_S).row.hidden
    assert set(_keys(client)) == set(before) - {best}
    assert _keys(client, "hidden:yes") == (best,)
    assert best not in _found(client, Search(text=case.query, limit=50))
    assert best in _found(client, Search(text=f"{case.query} hidden:yes", limit=50))
    assert best not in _found(client, Search(text="", like=(other,), limit=50))
    told = client.ask(GetHistory(key=best), History, timeout_s=WAIT_S).edits
    assert [(edit.field, edit.new) for edit in told if edit.field == "hidden"] == [
        ("hidden", "yes")
    ]
    client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
    assert _keys(client) == before
    assert best in _found(client, Search(text=case.query, limit=50))


def test_a_medium_whose_file_was_moved_away_is_missing_at_once_and_back_when_it_is(
    case: EngineCase, tmp_path: Path
) -> None:
    """Without an index; words stay with it. One whose file is there is left as it is."""
    (tmp_path / "engine").mkdir()
    with case.open(tmp_path / "engine") as client:  # the fake one has no files to come back
        _moved_away_and_back(client, tmp_path)


def _moved_away_and_back(client: AnyEngine, tmp_path: Path) -> None:
    before = _keys(client)
    key = before[1]
    client.ask(SetAnnotations(keys=(key,), caption="kept"), AnnotationsReply, timeout_s=WAIT_S)
    path = Path(client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row.path.to_str())
    aside = tmp_path / "aside.jpg"
    is_real = path.exists()
    if is_real:
        still = client.ask(NoteFiles(keys=(key,)), FilesNoted, timeout_s=WAIT_S)
        assert still == FilesNoted()
        path.rename(aside)
    try:
        noted = client.ask(NoteFiles(keys=(key, "gone")), FilesNoted, timeout_s=WAIT_S)
        assert noted == FilesNoted(missing=(key,))
        assert set(_keys(client)) == set(before) - {key}
        row = client.ask(GetRows(keys=(key,)), Rows, timeout_s=WAIT_S).rows[0]
        assert (row.state, row.caption) == ("missing", "kept")
    finally:
        if is_real:
            aside.rename(path)
    if is_real:
        back = client.ask(NoteFiles(keys=(key,)), FilesNoted, timeout_s=WAIT_S)
        assert back == FilesNoted(present=(key,))
        assert _keys(client) == before


@pytest.mark.parametrize("case", WITH_FILES, indirect=True, ids=lambda case: case.name)
def test_another_file_in_the_place_of_a_missing_one_is_not_taken_for_it(
    client: AnyEngine, tmp_path: Path
) -> None:
    """An index tells what it is; until then the medium stays missing."""
    key = _keys(client)[2]
    path = Path(client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row.path.to_str())
    aside = tmp_path / "aside.jpg"
    path.rename(aside)
    try:
        client.ask(NoteFiles(keys=(key,)), FilesNoted, timeout_s=WAIT_S)
        path.write_bytes(b"something else")
        assert client.ask(NoteFiles(keys=(key,)), FilesNoted, timeout_s=WAIT_S) == FilesNoted()
        path.unlink()
    finally:
        aside.rename(path)
