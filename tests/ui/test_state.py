"""The window's state by itself: what follows from it, and what is drawn when it changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cocadesk.errors import UserError
from ui.engine.link import LinkState
from ui.kit.actions import Requires
from ui.kit.icons import Icon
from ui.library.listing import Listing, Showing
from ui.shell.state import Drawing, WindowState

NEWEST = Listing(showing=Showing.NEWEST, shown=40, total=40)
FULL = WindowState(link=LinkState.CONNECTED, listing=NEWEST, current="k", selected=1)
EMPTY = replace(FULL, listing=Listing(showing=Showing.NEWEST), current=None, selected=0)
FOUND = Listing(showing=Showing.SEARCH, query="dog", shown=3, is_filtered=True)


@pytest.mark.parametrize(
    ("listing", "headline"),
    [
        (Listing(), ""),
        (NEWEST, "40 photos and videos, newest first"),
        (replace(NEWEST, shown=1, total=1), "1 photo or video, newest first"),
        (FOUND, "3 results for “dog”, best match first"),
        (replace(FOUND, shown=1), "1 result for “dog”, best match first"),
        (replace(FOUND, shown=500, is_complete=False), "The 500 best matches for “dog”"),
        (replace(FOUND, shown=500, is_complete=False, is_judged=True, believed=500),
         "The 500 best matches for “dog”"),
        (replace(FOUND, shown=500, is_judged=True, believed=500),
         "500 photos show “dog”, best match first"),
        (replace(FOUND, shown=9, is_complete=False, is_judged=True, believed=9, rest=491),
         "9 photos show “dog”, best match first"),
        (replace(FOUND, query="kind:video", is_ranked=False),
         "3 results for “kind:video”, newest first"),
        (replace(FOUND, query="kind:video", shown=500, is_ranked=False, is_complete=False),
         "The 500 newest results for “kind:video”"),
        (replace(FOUND, shown=0), "Nothing found for “dog”"),
        (replace(FOUND, query='"a dog"', shown=0), "Nothing found for “a dog”"),
        (replace(FOUND, query='"a" "b"', shown=0), 'Nothing found for “"a" "b"”'),
        (replace(FOUND, problem=UserError("There is no filter 'knd'.")), ""),
        (replace(FOUND, showing=Showing.SIMILAR, query="", likeness="like a.jpg"),
         "Looks like a.jpg, most alike first"),
    ],
)  # fmt: skip
def test_the_headline_tells_what_is_listed(listing: Listing, headline: str) -> None:
    """Kind of list, number and query, with the right noun."""
    assert listing.headline == headline


def test_a_selection_of_several_is_counted_in_the_headline() -> None:
    """One photo is always selected and needs no word."""
    assert "selected" not in FULL.headline
    assert replace(FULL, selected=1200).headline.endswith(" · 1,200 selected")


def test_where_there_is_less_room_the_number_and_what_was_asked_stay_longest() -> None:
    """First the note of what is collapsed goes, then the order, then the end of a long text."""
    asked = "a dog running through the snow with a ball"
    found = replace(FOUND, query=asked, shown=9, is_judged=True, believed=2, rest=7, hidden=1)
    assert found.headlines == (
        f"2 photos show “{asked}”, best match first · 1 same picture collapsed",
        f"2 photos show “{asked}”, best match first",
        f"2 photos show “{asked}”",
        "2 photos show “a dog running through t…”",
        "2 results",
    )
    full = replace(found, shown=500, believed=500, rest=0, hidden=0, is_complete=False)
    assert full.headlines == (
        f"The 500 best matches for “{asked}”",
        "The 500 best matches for “a dog running through t…”",
        "The best 500",
    )
    assert replace(found, believed=0).headlines[-1] == "Nothing found"
    assert NEWEST.headlines == (
        "40 photos and videos, newest first", "40 photos and videos", "40 in all",
    )  # fmt: skip
    assert replace(NEWEST, problem=UserError("There is no filter 'knd'.")).headlines == ()
    chosen = replace(FULL, selected=3, is_model_loading=True)
    assert chosen.headlines == (
        "40 photos and videos, newest first · 3 selected · loading the model…",
        "40 photos and videos, newest first · 3 selected",
        "40 photos and videos · 3 selected",
        "40 in all · 3 selected",
        "3 selected",
    )


def test_photos_need_no_text_in_their_place() -> None:
    """Neither while the engine is lost nor while a job runs."""
    for link in LinkState:
        assert replace(FULL, link=link).empty is None
    assert replace(FULL, active_jobs=2).empty is None


@pytest.mark.parametrize(
    ("state", "title", "button"),
    [
        (WindowState(), "Getting ready…", ""),
        (replace(EMPTY, link=LinkState.LOST), "Getting ready…", ""),
        (EMPTY, "Add your first folder", "Add folder…"),
        (replace(EMPTY, active_jobs=1), "Reading your photos…", ""),
        (replace(EMPTY, listing=replace(FOUND, shown=0)), "Nothing found", "Show all photos"),
        (replace(EMPTY, link=LinkState.FAILED, link_problem=UserError("No.", "Why.", "Do.")),
         "No.", "Try again"),
        (replace(EMPTY, link=LinkState.FAILED), "The engine could not start.", "Try again"),
        (replace(FULL, listing=replace(NEWEST, problem=UserError("Gone."))), "Gone.", "Try again"),
        (replace(FULL, listing=replace(FOUND, problem=UserError("Gone."))), "Gone.",
         "Show all photos"),
    ],
)  # fmt: skip
def test_an_empty_middle_says_why_with_a_way_on(
    state: WindowState, title: str, button: str
) -> None:
    """A title and a button for every reason."""
    assert state.empty is not None
    assert (state.empty.title, state.empty.button) == (title, button)


def test_a_problem_is_told_with_its_reason_and_the_way_out() -> None:
    """Two sentences under the first, beside a warning."""
    problem = UserError("It cannot be read.", "The disk is full.", "Make room.")
    empty = replace(EMPTY, listing=Listing(problem=problem)).empty
    assert empty is not None
    assert empty.icon is Icon.WARNING
    assert empty.text == "The disk is full. Make room."


def test_actions_are_given_what_is_there() -> None:
    """A photo counts where it can be seen; undo where there is something to undo."""
    seen = {Requires.LIST, Requires.SELECTION}
    assert FULL.given == {Requires.ENGINE, *seen}
    video = replace(FULL, can_play=True, undo_title="Caption", redo_title="Tag")
    assert video.given == {
        Requires.ENGINE, *seen, Requires.VIDEO, Requires.UNDO, Requires.REDO
    }  # fmt: skip
    assert replace(video, is_library_shown=False, undo_title="").given == {
        Requires.ENGINE,
        Requires.REDO,
    }
    assert replace(FULL, link=LinkState.LOST, current=None).given == frozenset()


def test_undo_and_redo_name_what_they_change() -> None:
    """The plain word where there is nothing."""
    assert (FULL.undo_text, FULL.redo_text) == ("Undo", "Redo")
    state = replace(FULL, undo_title="Caption", redo_title="Tag “sea”")
    assert (state.undo_text, state.redo_text) == ("Undo: Caption", "Redo: Tag “sea”")


def test_the_detail_is_shown_where_it_is_wanted_and_there_are_photos() -> None:
    """Not beside an empty middle, and not once it was closed."""
    assert FULL.shows_detail
    assert not replace(FULL, wants_detail=False).shows_detail
    assert not EMPTY.shows_detail


def test_the_detail_stays_while_somebody_types_in_it() -> None:
    """A search that fails meanwhile must not take the editor away."""
    failed = replace(NEWEST, problem=UserError("Gone."))
    assert not replace(FULL, listing=failed).shows_detail
    assert replace(FULL, listing=failed, is_editing=True).shows_detail


def test_the_line_above_the_grid_goes_with_the_grid() -> None:
    """It stays for a search without results, to lead back."""
    assert FULL.shows_results_line
    assert not EMPTY.shows_results_line
    assert replace(EMPTY, listing=replace(FOUND, shown=0)).shows_results_line
    refused = replace(FOUND, shown=0, problem=UserError("There is no filter 'knd'."))
    assert not replace(EMPTY, listing=refused).shows_results_line


def test_only_what_differs_is_drawn() -> None:
    """The first state is drawn whole, an equal one not at all."""
    drawn: list[object] = []
    drawings = (
        Drawing(lambda state: state.headline, drawn.append),
        Drawing(lambda state: state.given, drawn.append),
    )

    def draw(new: WindowState, old: WindowState | None) -> list[object]:
        drawn.clear()
        for drawing in drawings:
            drawing.update(new, old)
        return list(drawn)

    assert draw(FULL, None) == [FULL.headline, FULL.given]
    assert draw(replace(FULL), FULL) == []
    selected = replace(FULL, selected=2)
    assert draw(selected, FULL) == [selected.headline]
    assert draw(replace(FULL, link=LinkState.LOST), FULL) == [{Requires.SELECTION}]
