"""Queries that every engine understands, fake, served and local."""

from __future__ import annotations

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    AnnotationsReply,
    GetRows,
    Hits,
    Keys,
    ListNewest,
    Rows,
    Search,
    SetAnnotations,
    UndoAnnotations,
)
from tests.support.engines import EngineCase

WAIT_S = 60.0


def _search(client: AnyEngine, text: str = "", **values: object) -> Hits:
    return client.ask(Search(text=text, **values), Hits, timeout_s=WAIT_S)  # type: ignore[arg-type]


def _keys(found: Hits) -> list[str]:
    return [hit.key for hit in found.hits]


def _newest(client: AnyEngine) -> tuple[str, ...]:
    return client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys


def test_an_own_tag_comes_first_and_says_so(client: AnyEngine, case: EngineCase) -> None:
    """Also of a photo that shows something else, and as soon as it is given."""
    last = _keys(_search(client, case.query))[-1]
    client.ask(SetAnnotations(keys=(last,), add_tags=("Ida",)), AnnotationsReply, timeout_s=WAIT_S)
    try:
        first = _search(client, "Ida").hits[0]
        assert (first.key, first.by[0]) == (last, "tag")
        ranks = [hit.rank for hit in _search(client, f"{case.query} Ida").hits]
        assert ranks == sorted(ranks, reverse=True)
    finally:
        client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
    assert "tag" not in {way for hit in _search(client, "Ida").hits for way in hit.by}


def test_more_and_less_like_these(client: AnyEngine, case: EngineCase) -> None:
    """With a text or without; the media themselves are no hits."""
    best, other = _keys(_search(client, case.query))[0], _newest(client)[-1]
    found = _keys(_search(client, like=(best, other)))
    assert best not in found
    assert other not in found
    without = _keys(_search(client, case.query, unlike=(best,)))
    assert best not in without
    assert without


def test_like_a_file(client: AnyEngine) -> None:
    """By its path, with spaces or without; one that is no photo is a sentence."""
    key = _newest(client)[0]
    (row,) = client.ask(GetRows(keys=(key,)), Rows, timeout_s=WAIT_S).rows
    assert _keys(_search(client, f'like:"{row.path.to_str()}"'))
    with pytest.raises(UserError, match="like"):
        _search(client, "like:/nowhere/at_all.jpg")


def test_dates_in_words_can_be_taken_back(client: AnyEngine, case: EngineCase) -> None:
    """The answer says what was read as what."""
    key = _newest(client)[0]
    (row,) = client.ask(GetRows(keys=(key,)), Rows, timeout_s=WAIT_S).rows
    text = f"{case.query} {(row.taken or '1999')[:4]}"
    found = _search(client, text)
    assert [read.text for read in found.read_as] == ([text[-4:]] if row.taken else [])
    for read in found.read_as:
        assert _search(client, f"{case.query} {read.filter}").read_as == ()
        assert _search(client, text, as_words=(read.text,)).read_as == ()


def test_another_script_is_told(client: AnyEngine, case: EngineCase) -> None:
    """Whatever is found by words."""
    assert "犬" in _search(client, "犬").note
    assert _search(client, case.query).note == ""


def test_what_is_not_wanted_is_no_hit(client: AnyEngine, case: EngineCase) -> None:
    """Where its words hold it."""
    best = _keys(_search(client, case.query))[0]
    client.ask(SetAnnotations(keys=(best,), add_tags=("otto",)), AnnotationsReply, timeout_s=WAIT_S)
    try:
        assert best not in _keys(_search(client, f"{case.query} -otto"))
        assert _keys(_search(client, "otto"))[0] == best
    finally:
        client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)


def test_a_long_query_answers(client: AnyEngine) -> None:
    """Ten thousand letters."""
    _search(client, "a dog in summer, -2: “of” us; " * 340)
