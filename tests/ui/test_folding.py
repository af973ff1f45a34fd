"""The end of a search in the window: what is folded away, and how it comes back."""

from __future__ import annotations

from dataclasses import replace

from cocadesk.protocol.messages import Hits
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Days, Hit
from ui.engine.link import LinkState
from ui.library.empty_states import empty_state_for
from ui.library.folding import Fold, days_of
from ui.library.listing import Listing, Showing

FOUND = Listing(showing=Showing.SEARCH, query="a red tram", shown=2, is_filtered=True)


def answer(*relevant: bool) -> Hits:
    """Hits that are believed or not, one letter each."""
    hits = tuple(
        Hit(key=letter, score=0.3, path=WirePath.of(b"/p"), relevant=is_so, probability=0.5)
        for letter, is_so in zip("abcdef", relevant, strict=False)
    )
    return Hits(hits=hits, relevant=sum(relevant), shapes=bytes(range(1, len(hits) + 1)))


def test_only_what_is_believed_is_shown_until_the_rest_is_wanted() -> None:
    """Keys and shapes of the believed, then all, then the believed again."""
    fold = Fold()
    shown = fold.take(answer(True, False, True, False), is_again=False)
    assert [hit.key for hit in shown.hits] == ["a", "c"]
    assert shown.shapes == bytes([1, 3])
    assert (fold.believed, fold.rest) == (2, 2)
    fold.toggle()
    assert len(fold.take(answer(True, False, True, False), is_again=True).hits) == 4
    fold.toggle()
    assert len(fold.take(answer(True, False), is_again=True).hits) == 1
    fold.toggle()
    assert len(fold.take(answer(True, False), is_again=False).hits) == 1


def test_an_answer_that_is_not_judged_is_shown_whole() -> None:
    """As of engines without words to judge by, and of lists without text."""
    fold = Fold()
    plain = Hits(hits=answer(True, True).hits)
    assert fold.take(plain, is_again=False) is plain
    assert not fold.is_judged
    assert not fold.rest


def test_days_count_only_what_is_shown() -> None:
    """Days of which nothing is left have no header."""
    days = Days(days=(9, 8, 7), counts=(2, 1, 2))
    assert days_of(days, [1, 3, 4]) == Days(days=(9, 7), counts=(1, 2))
    assert days_of(None, [0]) is None


def test_the_line_says_how_many_show_it() -> None:
    """Numbers and the button beside them."""
    one = replace(FOUND, shown=1, is_judged=True, believed=1, rest=488)
    assert one.headline == "1 photo shows “a red tram”, best match first"
    assert one.fold_text == "Show 488 more"
    with_videos = replace(one, shown=2, believed=2, has_videos=True)
    assert with_videos.headline == "2 photos and videos show “a red tram”, best match first"
    all_of_them = replace(one, shown=489, is_open=True)
    assert all_of_them.headline.startswith("489 results")
    assert all_of_them.fold_text == "Show only the 1 that fit"


def test_the_headline_of_a_group_names_videos_only_where_there_are() -> None:
    """Photos alone are photos."""
    group = Listing(showing=Showing.GROUP, query="a.jpg", shown=3)
    assert group.headline == "a.jpg and what is alike: 3 photos, best first"
    mixed = replace(group, has_videos=True)
    assert mixed.headline == "a.jpg and what is alike: 3 photos and videos, best first"


def test_an_empty_view_says_that_nothing_shows_it_and_offers_the_nearest() -> None:
    """A sentence and a way on."""
    none = replace(FOUND, shown=0, is_judged=True, rest=488)
    assert none.headline == "Nothing here shows “a red tram”"
    empty = empty_state_for(LinkState.CONNECTED, None, none, is_working=False)
    assert empty is not None
    assert empty.title == "Nothing here shows “a red tram”"
    assert empty.button == "Show the 488 nearest"
