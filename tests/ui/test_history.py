"""Back and forward through the lists that were looked at."""

from __future__ import annotations

from ui.library.history import START, History, Place
from ui.library.query import EVERYTHING, Query

ITALY = Query(terms=("folder:italy",)).sorted()
FRANCE = Query(terms=("folder:france",)).sorted()
SPAIN = Query(terms=("folder:spain",)).sorted()
ALL = EVERYTHING.sorted()


def test_one_goes_back_through_lists_and_forward_again() -> None:
    """As far as there are any; a new list takes the place of those ahead."""
    history = History()
    assert not history.can_go_back
    for query in (ITALY, FRANCE):
        history.visit(query)
    assert history.step(-1) == ITALY
    assert history.step(-1) == ALL
    assert history.step(-1) is None
    assert history.step(1) == ITALY
    assert history.can_go_forward
    history.visit(SPAIN)
    assert not history.can_go_forward
    assert history.step(-1) == ITALY


def test_the_same_list_twice_is_one_visit() -> None:
    """Asking again is not looking at something else."""
    history = History()
    history.visit(ITALY)
    history.visit(ITALY)
    assert history.step(-1) == ALL


def test_what_is_typed_letter_by_letter_is_one_visit() -> None:
    """Until somebody looks further into one of the lists, or opens one in another way."""
    history = History()
    for end in range(1, 4):
        history.visit(Query(text="dog"[:end]).sorted(), is_typed=True)
    assert history.step(-1) == ALL
    assert history.step(1) == Query(text="dog").sorted()
    history.visit(Query(text="dogs").sorted(), is_typed=True)
    history.keep_place(Query(text="dogs").sorted(), Place(current="k", top="j"))
    history.visit(Query(text="c").sorted(), is_typed=True)
    history.visit(ITALY)
    seen = [history.step(-1) for _ in range(3)]
    assert seen == [Query(text=text).sorted() for text in ("c", "dogs", "dog")]


def test_each_list_has_a_place_of_its_own() -> None:
    """A list that nobody has scrolled in begins at its top."""
    history = History()
    history.keep_place(ITALY, Place(current="a", top="b"))
    assert history.place_in(ITALY) == Place(current="a", top="b")
    assert history.place_in(FRANCE) == START


def test_typing_a_text_away_leads_back_to_the_list_before_without_a_visit_more() -> None:
    """The list of all stands once in the history, not twice in a row."""
    history = History()
    history.visit(Query(text="d").sorted(), is_typed=True)
    history.visit(ALL, is_typed=True)
    assert not history.can_go_back
