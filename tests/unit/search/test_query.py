"""A query's text and its tree are the same thing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cocadesk.errors import UserError
from cocadesk.search.query import (
    Query,
    QueryTerm,
    Sought,
    parse_query,
    plain_query,
    renamed,
)
from cocadesk.search.terms import Term

PIECES = st.sampled_from(
    ["dog", "-", "-dog", "2:", "0.5:", "like:", "kind:video", "tag:", '"', '""', '"a b"', " ", "  ",
     ":", "//", "tag:x", "name:", "1", "ä", "犬", "\t", "'", "”", "a", "-tag:", "2014", "e9:"]
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=20))
def test_a_query_prints_and_parses_without_loss(text: str) -> None:
    """Whatever was typed, as far as it is a query at all."""
    try:
        query = parse_query(text)
    except UserError:
        return
    assert parse_query(str(query)) == query
    assert str(parse_query(str(query))) == str(query)


TERM = st.builds(
    QueryTerm,
    kind=st.sampled_from([Sought.PHRASE, Sought.LIKE]),
    text=st.text(min_size=1).filter(str.strip),
    weight=st.integers(0, 999_000).map(lambda n: n / 1000),
    is_negated=st.booleans(),
) | st.builds(
    QueryTerm,
    kind=st.just(Sought.WORD),
    text=st.from_regex(r"[a-zäß]{1,9}", fullmatch=True),
    weight=st.integers(0, 9).map(float),
    is_negated=st.booleans(),
)


@given(st.lists(TERM | st.just(Term(field="kind", values=("video",))), max_size=6).map(tuple))
def test_a_tree_parses_to_itself(terms: tuple[QueryTerm | Term, ...]) -> None:
    """Phrases and paths may hold anything."""
    assert parse_query(str(Query(terms))) == Query(terms)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dog", QueryTerm(kind=Sought.WORD, text="dog")),
        ("-dog", QueryTerm(kind=Sought.WORD, text="dog", is_negated=True)),
        ("2:dog", QueryTerm(kind=Sought.WORD, text="dog", weight=2)),
        ('-"red car"', QueryTerm(kind=Sought.PHRASE, text="red car", is_negated=True)),
        ("like:/a/b.jpg", QueryTerm(kind=Sought.LIKE, text="/a/b.jpg")),
        ('like:"/a b/c.jpg"', QueryTerm(kind=Sought.LIKE, text="/a b/c.jpg")),
        ("-like:C:\\x.jpg", QueryTerm(kind=Sought.LIKE, text="C:\\x.jpg", is_negated=True)),
        ("3:30", QueryTerm(kind=Sought.WORD, text="3:30")),
        ("http://x.org", QueryTerm(kind=Sought.WORD, text="http://x.org")),
        ("t-shirt", QueryTerm(kind=Sought.WORD, text="t-shirt")),
        ("-", QueryTerm(kind=Sought.WORD, text="-")),
        ('5"', QueryTerm(kind=Sought.WORD, text="5”")),
        ("-kind:video", Term(field="kind", values=("video",), is_negated=True)),
    ],
)
def test_each_form_is_read(text: str, expected: QueryTerm | Term) -> None:
    """Times, addresses and hyphens stay words."""
    assert parse_query(text).terms == (expected,)


def test_an_unknown_filter_is_a_sentence() -> None:
    """With the nearest one."""
    with pytest.raises(UserError, match="no filter"):
        parse_query("a dog knd:video")


def test_ten_thousand_letters_are_a_query() -> None:
    """Somebody pastes a letter."""
    text = "dear “Ida”, it's 5\" and -2: or like: " * 270
    assert parse_query(str(parse_query(text))) == parse_query(text)
    assert plain_query("a  b").text == "a b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  dog tag:Dog", 'a  dog tag:"big dog"'),
        ("-tag:cat,DOG  beach", '-tag:cat,"big dog"  beach'),
        ('"tag:dog" dog rating:>=4', '"tag:dog" dog rating:>=4'),
        ("album:dog name:dog", "album:dog name:dog"),
        ("tag:dogs", "tag:dogs"),
        ("tag:dog tagg:x", "tag:dog tagg:x"),
        ("", ""),
    ],
)
def test_a_new_name_is_put_into_the_terms_that_ask_for_the_old_one(
    text: str, expected: str
) -> None:
    """Of that field alone; all else stays as it is typed, and so does what is no query."""
    assert renamed(text, "tag", "dog", "big dog") == expected
