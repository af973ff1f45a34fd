"""The question that a list answers, and the orders that lists can have."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject

from cocadesk.protocol.messages import Keys, ListNewest, Search
from cocadesk.protocol.values import SortKey
from tests.support.stand_in_link import StandInLink
from ui.library.browser import Browser
from ui.library.query import EVERYTHING, Example, Query, Showing
from ui.library.results_model import ResultsModel
from ui.library.sorting import MEDIA_SORTS, SEARCH_SORTS, Sorting

LIKE = Example(key="k", name="a.jpg")
UNLIKE = Example(path="/p/b c.jpg", name="b c.jpg", is_unlike=True)


@pytest.mark.parametrize(
    ("query", "showing", "whole"),
    [
        (EVERYTHING, Showing.NEWEST, ""),
        (Query(text="a dog", terms=("kind:video",)), Showing.SEARCH, "a dog kind:video"),
        (Query(terms=("kind:video", "-tag:dog")), Showing.FILTERED, "kind:video -tag:dog"),
        (Query(terms=('album:"At sea"',)), Showing.ALBUM, 'album:"At sea"'),
        (Query(text='album:"At sea"'), Showing.ALBUM, 'album:"At sea"'),
        (Query(terms=("album:sea", "kind:video")), Showing.FILTERED, "album:sea kind:video"),
        (Query(examples=(LIKE,)), Showing.SIMILAR, ""),
        (Query(text="dog", examples=(LIKE,)), Showing.SIMILAR, "dog"),
        (Query(text="dog", examples=(UNLIKE,)), Showing.SEARCH, "dog"),
        (Query(examples=(UNLIKE,)), Showing.SIMILAR, ""),
        (Query(group="k", name="a.jpg"), Showing.GROUP, ""),
    ],
)
def test_the_kind_of_a_list_follows_from_its_question(
    query: Query, showing: Showing, whole: str
) -> None:
    """No second value says it."""
    assert (query.showing, query.whole) == (showing, whole)


def test_a_filter_is_added_once_changed_in_its_place_and_removed() -> None:
    """The order of a list is that of its kind afterwards."""
    query = (
        Query(text="dog").with_term("kind:video").with_term("rating:>=4").with_term("kind:video")
    )
    assert query.terms == ("kind:video", "rating:>=4")
    assert query.replaced_term("kind:video", "-kind:video").terms == ("-kind:video", "rating:>=4")
    assert query.replaced_term("kind:video", "rating:>=4").terms == ("rating:>=4",)
    assert query.without_term("kind:video").terms == ("rating:>=4",)


def test_each_kind_of_list_remembers_its_order() -> None:
    """What was chosen for all media is not that of a search; nonsense in the file is nothing."""
    MEDIA_SORTS.remember(Sorting(SortKey.NAME, is_reversed=True))
    assert EVERYTHING.sorted().sort == Sorting(SortKey.NAME, is_reversed=True)
    assert Query(terms=("kind:video",)).sorted().sort == Sorting(SortKey.NAME, is_reversed=True)
    assert Query(text="dog").sorted().sort == Sorting()
    assert Sorting.of("-colour", SEARCH_SORTS.keys) == Sorting()
    assert Sorting.of("relevance", MEDIA_SORTS.keys) == Sorting(SortKey.TAKEN)


def test_a_list_is_asked_for_in_its_order_and_says_so(owner: QObject) -> None:
    """Filters without words bring the whole list; a search its best matches."""
    link = StandInLink(owner)
    browser = Browser(link, ResultsModel(link), link)
    browser.ask(Query(terms=("kind:video",)))
    [body] = link.bodies(ListNewest)
    assert (body.filter, body.sort) == ("kind:video", SortKey.RELEVANCE)
    browser.ask(Query(terms=("kind:video",), sort=Sorting(SortKey.SIZE, is_reversed=True)))
    [body] = link.bodies(ListNewest)
    assert (body.filter, body.sort, body.is_reversed) == ("kind:video", SortKey.SIZE, True)
    link.answer(ListNewest, Keys(keys=("a",), total=1))
    assert browser.listing.headline == "1 photo or video, smallest first"
    browser.ask(Query(text="dog", terms=("kind:video",)))
    [found] = link.bodies(Search)
    assert (found.text, found.filter, found.sort) == ("dog", "kind:video", SortKey.RELEVANCE)
