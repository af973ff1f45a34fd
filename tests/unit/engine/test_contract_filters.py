"""Filters in words and the values of fields, as every engine gives them."""

from __future__ import annotations

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    AnnotationsReply,
    CompleteWord,
    CountTerms,
    FieldValue,
    FieldValues,
    Keys,
    ListNewest,
    ListValues,
    NewAlbum,
    ParsedQuery,
    ParseQuery,
    SetAnnotations,
    TermCounts,
)

WAIT_S = 60.0


def _parsed(client: AnyEngine, text: str) -> ParsedQuery:
    return client.ask(ParseQuery(text=text), ParsedQuery, timeout_s=WAIT_S)


def _total(client: AnyEngine, among: str) -> int:
    return client.ask(ListNewest(filter=among), Keys, timeout_s=WAIT_S).total


def _values(client: AnyEngine, field: str, **asked: object) -> tuple[FieldValue, ...]:
    body = ListValues(field=field, **asked)  # type: ignore[arg-type]
    return client.ask(body, FieldValues, timeout_s=WAIT_S).values


def test_a_query_comes_apart_into_words_and_terms(client: AnyEngine) -> None:
    """Each term with its words and with what it is turned round; both parse to the same again."""
    found = _parsed(client, 'a dog kind:video -tag:"a cat" on 3:30')
    assert found.text == "a dog on 3:30"
    assert [term.words for term in found.terms] == ["Video", "Not tag: a cat"]
    assert [term.is_negated for term in found.terms] == [False, True]
    for term in found.terms:
        [same] = _parsed(client, term.term).terms
        [turned] = _parsed(client, term.turned).terms
        assert same == term
        assert (turned.turned, turned.field) == (term.term, term.field)


def test_a_query_that_cannot_be_read_gets_a_sentence(client: AnyEngine) -> None:
    """The same one as a search of it."""
    with pytest.raises(UserError, match="There is no filter 'knd'"):
        _parsed(client, "knd:video")


@pytest.mark.usefixtures("taken_back")
def test_the_values_of_a_field_are_counted_as_its_filters_find_them(client: AnyEngine) -> None:
    """Each number is that of the list behind the value; most media first."""
    keys = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys
    tagged = SetAnnotations(keys=keys[:3], add_tags=("Zebra crossing",))
    client.ask(tagged, AnnotationsReply, timeout_s=WAIT_S)
    client.ask(NewAlbum(name="At sea", keys=keys[:2]), AnnotationsReply, timeout_s=WAIT_S)
    for field in ("kind", "folder", "tag", "album", "camera", "taken"):
        values = _values(client, field)
        for value in values:
            assert value.count == _total(client, value.term), value
        if field not in ("taken", "album"):
            assert [v.count for v in values] == sorted((v.count for v in values), reverse=True)
    assert [(v.text, v.count) for v in _values(client, "tag", prefix="zeb")] == [
        ("Zebra crossing", 3)
    ]
    assert [(v.text, v.count) for v in _values(client, "album", prefix="at")] == [("At sea", 2)]
    assert _values(client, "tag", prefix="zeb", filter='-tag:"zebra crossing"') == ()
    assert _values(client, "no such field") == ()


@pytest.mark.usefixtures("taken_back")
def test_a_word_is_completed_with_a_persons_own_words_first(client: AnyEngine) -> None:
    """Tags and albums that a person made, as they were written."""
    keys = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys
    body = SetAnnotations(keys=keys[:2], add_tags=("Quokka",))
    client.ask(body, AnnotationsReply, timeout_s=WAIT_S)
    client.ask(NewAlbum(name="Quiet days", keys=keys[:1]), AnnotationsReply, timeout_s=WAIT_S)
    found = client.ask(CompleteWord(text="qu"), FieldValues, timeout_s=WAIT_S).values
    assert {(one.label, one.text) for one in found} >= {("Tag", "Quokka"), ("Album", "Quiet days")}
    assert client.ask(CompleteWord(text=" "), FieldValues, timeout_s=WAIT_S).values == ()


def test_an_empty_list_knows_which_filter_stands_in_its_way(client: AnyEngine) -> None:
    """The number without each term is that of the list without it."""
    among = "kind:video kind:photo favourite:no"
    found = client.ask(CountTerms(filter=among), TermCounts, timeout_s=WAIT_S)
    assert found.count == _total(client, among) == 0
    assert [term.term for term in found.terms] == among.split()
    assert found.without == (
        _total(client, "kind:photo favourite:no"),
        _total(client, "kind:video favourite:no"),
        0,
    )


def test_what_is_not_wanted_phrases_and_pictures_stay_words(client: AnyEngine) -> None:
    """Only filters are taken out of a query."""
    found = _parsed(client, '-cat "a red dog" kind:photo like:"/some where/a.jpg"')
    assert found.text == '-cat "a red dog" like:"/some where/a.jpg"'
    assert [term.words for term in found.terms] == ["Photo"]
